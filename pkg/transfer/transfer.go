// Package transfer reads and writes the files contacts, companies and tickets
// travel in: our own exports and HubSpot's exports as they come. Bytes go in,
// records and per-line problems come out; it knows no database.
//
// Reading is streaming: a row is held at a time (for tickets, the rows of one
// ticket), and no row is larger than MaxRow.
package transfer

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// MaxRow is the largest row in bytes; a larger one is a problem of its own
// and does not stop the rows behind it.
const MaxRow = 1 << 20

// Options say how to read what a file leaves open.
type Options struct {
	// Location is where times without a zone were written; nil is UTC.
	Location *time.Location
	// DateOrder reads dates such as 03/04/2026. Unset, other dates of the
	// file decide; when none does, such a date is a problem.
	DateOrder DateOrder
	// Statuses names further ticket statuses, by the word in the file, lower
	// case: "in progress" → portal.WaitingOnUs.
	Statuses map[string]portal.Status
	// Description says who may read a ticket's description column.
	Description Description
}

// Problem is what is wrong with one cell or row.
type Problem struct {
	Line   int    `json:"line"` // where the row starts, counted from 1
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"`
	Reason string `json:"reason"`
}

// String is the problem as one line of text.
func (p Problem) String() string {
	if p.Column == "" {
		return fmt.Sprintf("line %d: %s", p.Line, p.Reason)
	}
	return fmt.Sprintf("line %d, %s: %s", p.Line, p.Column, p.Reason)
}

// Row is one row of a file, for the rejects file.
type Row struct {
	Line  int
	Cells []string
}

// Record is what was read from one row, or from the rows of one ticket.
type Record[T any] struct {
	// Value is the record; it is not usable when there are problems.
	Value    T
	Problems []Problem
	// Rows are the rows it was read from, as they stand in the file.
	Rows []Row
}

// Reader reads the records of one file.
type Reader[T any] struct {
	file  *file
	rows  *rowReader
	parse func(r *Reader[T], row Row) (Record[T], error)
	// ahead is a row that was read to see where a ticket ends.
	ahead *rowResult
	// goesOn is set when the next row goes on with the ticket before.
	goesOn bool
}

// Source is what a Reader reads from; *os.File and *bytes.Reader are.
type Source interface{ io.ReaderAt }

// Read returns the next record, or io.EOF. Any other error means that the
// file itself cannot be read on.
func (r *Reader[T]) Read() (Record[T], error) {
	res, err := r.next()
	if err != nil {
		return Record[T]{}, err
	}
	if res.reason != "" {
		return Record[T]{
			Problems: []Problem{{Line: res.row.Line, Reason: res.reason}},
			Rows:     []Row{res.row},
		}, nil
	}
	return r.parse(r, res.row)
}

// next returns the next row that is not blank, with what is wrong with its
// form in reason.
func (r *Reader[T]) next() (rowResult, error) {
	if res := r.ahead; res != nil {
		r.ahead = nil
		return *res, nil
	}
	for {
		res, err := r.rows.read()
		if err != nil {
			return rowResult{}, err
		}
		if res.reason == "" {
			if blank(res.row.Cells) {
				continue
			}
			if res.row.Cells, res.reason = r.file.fit(res.row.Cells); res.reason == "" {
				return res, nil
			}
		}
		return res, nil
	}
}

// Header returns the names of the columns as they stand in the file.
func (r *Reader[T]) Header() []string { return slices.Clone(r.file.header) }

// Comma returns the character between cells.
func (r *Reader[T]) Comma() rune { return rune(r.file.comma) }

// Offset returns how many bytes were read so far, for a progress bar.
func (r *Reader[T]) Offset() int64 { return r.rows.offset() }

// Size returns the size of the file in bytes.
func (r *Reader[T]) Size() int64 { return r.file.size }

// Escaped reports whether the file is one of ours, in which cells that a
// spreadsheet would run carry a leading apostrophe.
func (r *Reader[T]) Escaped() bool { return r.file.own }

// Notices returns what an operator should know about the file as a whole,
// such as the encoding that was assumed. Ask again at the end: some are only
// known then.
func (r *Reader[T]) Notices() []string { return r.file.notes.List() }

func open[T any](src Source, size int64, k *kind, o Options, parse func(*Reader[T], Row) (Record[T], error)) (*Reader[T], error) {
	f, err := openFile(src, size, k, o)
	if err != nil {
		return nil, err
	}
	rows, err := f.rows()
	if err != nil {
		return nil, err
	}
	return &Reader[T]{file: f, rows: rows, parse: parse}, nil
}

// Notes counts what an operator should know, by sentence, in the order each
// first came up.
type Notes struct {
	order []string
	count map[string]int
}

// Add counts a sentence.
func (n *Notes) Add(sentence string) { n.AddMany(sentence, 1) }

// AddMany counts a sentence several times.
func (n *Notes) AddMany(sentence string, times int) {
	if n.count == nil {
		n.count = map[string]int{}
	}
	if n.count[sentence] == 0 {
		n.order = append(n.order, sentence)
	}
	n.count[sentence] += times
}

// List returns the sentences, with how often where that is more than once.
func (n *Notes) List() []string {
	var list []string
	for _, s := range n.order {
		if c := n.count[s]; c == 1 {
			list = append(list, s)
		} else {
			list = append(list, fmt.Sprintf("%s (%d times)", s, c))
		}
	}
	return list
}

func blank(cells []string) bool {
	for _, c := range cells {
		for i := range len(c) {
			if c[i] != ' ' && c[i] != '\t' && c[i] != '\r' && c[i] != '\n' {
				return false
			}
		}
	}
	return true
}

// reason is the text of an error for a Problem.
func reason(err error) string {
	var e *portal.Error
	if errors.As(err, &e) {
		return e.Msg
	}
	return err.Error()
}
