package web

import (
	"context"
	"html"
	"io"
)

// The components rows are made of. templ formats every expression with
// fmt.Sprint, which for a list costs more than all the rest of the page; these
// write their texts as they are, escaped.

// words is a text.
type words string

// Render writes the text, escaped.
func (s words) Render(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, html.EscapeString(string(s)))
	return err
}

// Render writes how long ago the moment was and, on asking, exactly when.
func (m moment) Render(_ context.Context, w io.Writer) error {
	return writeAll(w, `<time datetime="`, m.ISO, `" title="`, html.EscapeString(m.Exact), `">`, html.EscapeString(m.Ago), `</time>`)
}

// chip is a status that says whose turn it is.
type chip struct {
	Status           string
	YourTurn, Closed bool
}

// Render writes the chip.
func (c chip) Render(_ context.Context, w io.Writer) error {
	open := `<span class="chip">`
	switch {
	case c.YourTurn:
		open = `<span class="chip chip-turn">`
	case c.Closed:
		open = `<span class="chip chip-closed">`
	}
	return writeAll(w, open, html.EscapeString(c.Status), `</span>`)
}

func writeAll(w io.Writer, texts ...string) error {
	for _, s := range texts {
		if _, err := io.WriteString(w, s); err != nil {
			return err
		}
	}
	return nil
}
