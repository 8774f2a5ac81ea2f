package page

import (
	"context"
	"html"
	"io"
	"time"

	"github.com/portalctl/portalctl/pkg/i18n"
)

// The components rows are made of. templ formats every expression with
// fmt.Sprint, which for a list costs more than all the rest of the page; these
// write their texts as they are, escaped.

// Text is a text.
type Text string

// Render writes the text, escaped.
func (s Text) Render(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, html.EscapeString(string(s)))
	return err
}

// Moment is a time as pages show it.
type Moment struct {
	ISO   string // for programs
	Exact string
	Ago   string
}

// MomentOf writes a time for a reader in a time zone; nothing for no time.
func MomentOf(p *i18n.Printer, now time.Time, zone *time.Location, t time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	local := t.In(zone)
	return Moment{ISO: t.UTC().Format(time.RFC3339), Exact: p.DateTime(local), Ago: p.Relative(now, local)}
}

// Render writes how long ago the moment was and, on asking, exactly when.
func (m Moment) Render(_ context.Context, w io.Writer) error {
	return WriteAll(w, `<time datetime="`, m.ISO, `" title="`, html.EscapeString(m.Exact), `">`, html.EscapeString(m.Ago), `</time>`)
}

// Chip is a status that says whose turn it is.
type Chip struct {
	Status           string
	YourTurn, Closed bool
}

// Render writes the chip.
func (c Chip) Render(_ context.Context, w io.Writer) error {
	open := `<span class="chip">`
	switch {
	case c.YourTurn:
		open = `<span class="chip chip-turn">`
	case c.Closed:
		open = `<span class="chip chip-closed">`
	}
	return WriteAll(w, open, html.EscapeString(c.Status), `</span>`)
}

// WriteAll writes texts as they are.
func WriteAll(w io.Writer, texts ...string) error {
	for _, s := range texts {
		if _, err := io.WriteString(w, s); err != nil {
			return err
		}
	}
	return nil
}
