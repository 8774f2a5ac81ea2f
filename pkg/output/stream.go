package output

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// streamBlock is how many rows a streamed table holds back to find widths
// that suit them all.
const streamBlock = 500

// Stream prints a list whose rows come one by one and are not kept. CSV and
// JSON read like those of List; a table repeats its headings every few hundred
// rows.
type Stream struct {
	p       *Printer
	columns []Column
	held    [][]any
	count   int
}

// Stream begins a list. Close ends it.
func (p *Printer) Stream(columns []Column) *Stream { return &Stream{p: p, columns: columns} }

// Row prints one row, as List does.
func (s *Stream) Row(row ...any) error {
	if err := checkRows(s.columns, [][]any{row}); err != nil {
		return err
	}
	s.count++
	if s.p.Format == JSON {
		before := ",\n  "
		if s.count == 1 {
			before = "[\n  "
		}
		return s.json(before, row)
	}
	if s.held = append(s.held, row); len(s.held) < streamBlock {
		return nil
	}
	return s.flush()
}

// Count is how many rows there were so far.
func (s *Stream) Count() int { return s.count }

// Close prints what is held back and the end of the list; empty is what a
// table says when there were no rows.
func (s *Stream) Close(empty string) error {
	switch {
	case s.p.Format == JSON && s.count > 0:
		_, err := s.p.Out.Write([]byte("\n]\n"))
		return err
	case s.count == 0:
		return s.p.List(s.columns, nil, empty)
	}
	return s.flush()
}

func (s *Stream) json(before string, row []any) error {
	text, err := marshal(object{s.columns, row})
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	var b bytes.Buffer
	b.WriteString(before)
	if err := json.Indent(&b, text, "  ", "  "); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	_, err = s.p.Out.Write(escapeJSON(b.Bytes()))
	return err
}

// flush prints the rows held back.
func (s *Stream) flush() error {
	if len(s.held) == 0 {
		return nil
	}
	first := s.count == len(s.held)
	rows := s.held
	s.held = nil
	if s.p.Format == CSV {
		return s.p.csvRows(s.columns, rows, first)
	}
	if !first {
		if _, err := s.p.Out.Write([]byte("\n")); err != nil {
			return err
		}
	}
	return s.p.table(s.columns, rows)
}
