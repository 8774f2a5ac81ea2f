// Package output prints lists and single things as tables for people and as
// JSON or CSV for scripts, from the same rows. It is the only package that
// imports tablewriter.
package output

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// The formats --output takes.
const (
	Table = "table"
	JSON  = "json"
	CSV   = "csv"
)

// DefaultWidth is how wide tables are when nobody knows how wide they may be.
const DefaultWidth = 80

// Column is one column of a list, or one line of a single thing.
type Column struct {
	// Name is the column's name in JSON and CSV: lower case, underscores. It
	// never changes, because scripts rely on it.
	Name string
	// Head is its heading in tables. A column without one is for scripts only.
	Head string
	// Keep says that values are useless when cut: numbers of tickets, mail
	// addresses, host names. Others give way when a table is too wide. A
	// single thing shows them in one piece, so that they can be copied.
	Keep bool
	// Spare says that tables leave the whole column out when they are too
	// wide, the last such column first.
	Spare bool
}

// Printer prints data in one format. The zero value of every field but Out is
// fine.
type Printer struct {
	Out      io.Writer
	Note     io.Writer // where a table says that there is nothing; usually stderr
	Format   string    // Table unless JSON or CSV
	Width    int       // of the terminal; DefaultWidth when zero
	Terminal bool      // Out is a terminal, so CSV too must be harmless to it
	Quiet    bool      // no notes
	Zone     *time.Location
}

// List prints rows, each with one value for every column. Values are texts,
// numbers, booleans, time.Time, slices of texts, map[string]string, or anything
// with a String method; nil and a zero time mean that there is none. Without
// rows a table says empty, JSON is [] and CSV the names alone.
func (p *Printer) List(columns []Column, rows [][]any, empty string) error {
	if err := checkRows(columns, rows); err != nil {
		return err
	}
	switch p.Format {
	case JSON:
		objects := make([]object, len(rows))
		for i, row := range rows {
			objects[i] = object{columns, row}
		}
		return p.JSON(objects)
	case CSV:
		return p.csv(columns, rows)
	}
	if len(rows) == 0 {
		return p.note(empty)
	}
	return p.table(columns, rows)
}

// Object prints a single thing: a table with a line for each column, one JSON
// object, or CSV with one row.
func (p *Printer) Object(columns []Column, row []any) error {
	if err := checkRows(columns, [][]any{row}); err != nil {
		return err
	}
	switch p.Format {
	case JSON:
		return p.JSON(object{columns, row})
	case CSV:
		return p.csv(columns, [][]any{row})
	}
	return p.sheet(columns, row)
}

// JSON prints any value as indented JSON, for what is neither a list nor a
// single flat thing. Characters a terminal would act on are escaped.
func (p *Printer) JSON(value any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	_, err := p.Out.Write(escapeJSON(b.Bytes()))
	return err
}

func (p *Printer) note(text string) error {
	if p.Quiet || p.Note == nil || text == "" {
		return nil
	}
	_, err := fmt.Fprintln(p.Note, text)
	return err
}

func (p *Printer) csv(columns []Column, rows [][]any) error { return p.csvRows(columns, rows, true) }

// csvRows writes rows, under the columns' names if they are the first.
func (p *Printer) csvRows(columns []Column, rows [][]any, first bool) error {
	w := csv.NewWriter(p.Out)
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = c.Name
	}
	if first {
		if err := w.Write(record); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	for _, row := range rows {
		for i, value := range row {
			record[i] = csvCell(value)
			if p.Terminal {
				record[i] = CleanText(record[i])
			}
		}
		if err := w.Write(record); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// object is one row as a JSON object, with its names in the columns' order.
type object struct {
	columns []Column
	row     []any
}

// MarshalJSON writes the names in order, which a map would not.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, c := range o.columns {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", c.Name)
		value, err := marshal(jsonValue(o.row[i]))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

func checkRows(columns []Column, rows [][]any) error {
	for i, row := range rows {
		if len(row) != len(columns) {
			return fmt.Errorf("row %d has %d values for %d columns", i+1, len(row), len(columns))
		}
	}
	return nil
}
