package transfer

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Rejects writes the rows that were not taken, with the line they stood in
// and the reason. The file is read again like the original: mend the cells
// and import it.
type Rejects struct {
	out     *csv.Writer
	width   int // of the original, without line and reason of earlier rejects
	again   bool
	escaped bool
}

// NewRejects writes the line with the column names. header, comma and escaped
// are the original's, as its Reader tells them.
func NewRejects(w io.Writer, header []string, comma rune, escaped bool) (*Rejects, error) {
	r := &Rejects{out: csv.NewWriter(w), width: len(header), again: isRejects(header), escaped: escaped}
	if r.again {
		r.width -= 2
	}
	r.out.Comma = comma
	names := make([]string, 0, r.width+2)
	for _, name := range header[:r.width] {
		names = append(names, Escape(name))
	}
	return r, r.out.Write(append(names, lineColumn, reasonColumn))
}

// Add writes the rows of a record that was not taken.
func (r *Rejects) Add(rows []Row, problems []Problem) error {
	for _, row := range rows {
		cells := slices.Clone(row.Cells)
		if r.again && len(cells) == r.width+2 {
			cells = cells[:r.width]
		}
		if len(cells) > r.width {
			// Too many cells: what is over is kept with the last one.
			cells = append(cells[:r.width-1], strings.Join(cells[r.width-1:], string(r.out.Comma)))
		}
		for len(cells) < r.width {
			cells = append(cells, "")
		}
		if !r.escaped {
			for i, c := range cells {
				cells[i] = Escape(c)
			}
		}
		cells = append(cells, strconv.Itoa(row.Line), Escape(why(row.Line, problems)))
		if err := r.out.Write(cells); err != nil {
			return err
		}
	}
	return nil
}

// isRejects tells a rejects file by its last two columns.
func isRejects(header []string) bool {
	n := len(header)
	return n > 2 && header[n-2] == lineColumn && header[n-1] == reasonColumn
}

// why gathers the problems of a row; a row without one of its own belongs to
// a ticket another row of which has.
func why(line int, problems []Problem) string {
	var own []string
	other := ""
	for _, p := range problems {
		text := p.Reason
		if p.Column != "" {
			text = p.Column + ": " + text
		}
		if p.Line == line {
			own = append(own, text)
		} else if other == "" {
			other = "the same ticket has a problem in line " + strconv.Itoa(p.Line)
		}
	}
	if len(own) == 0 {
		return other
	}
	return strings.Join(own, "; ")
}

// Flush writes what is buffered and returns the first error there was.
func (r *Rejects) Flush() error {
	r.out.Flush()
	return r.out.Error()
}
