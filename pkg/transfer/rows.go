package transfer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// rowReader cuts a file into rows and lets encoding/csv take each apart.
// encoding/csv alone would read on for the end of a quotation without limit,
// and would lose its place in the file after an error.
type rowReader struct {
	br    *bufio.Reader
	count *counter
	comma byte
	line  int // lines read so far
	buf   []byte
	feed  bytes.Reader
	csv   *csv.Reader
}

// rowResult is a row, with what is wrong with its form in reason.
type rowResult struct {
	row    Row
	reason string
}

func newRowReader(text io.Reader, count *counter) *rowReader {
	r := &rowReader{br: bufio.NewReaderSize(text, 64<<10), count: count}
	// One csv.Reader serves all rows: it does not hold on to the end of the
	// row before.
	r.csv = csv.NewReader(&r.feed)
	r.csv.FieldsPerRecord = -1
	// A quotation mark inside a bare cell (5" pipe) means itself; those inside
	// a quoted one are sorted out by scan.
	r.csv.LazyQuotes = true
	return r
}

func (r *rowReader) offset() int64 { return r.count.n - int64(r.br.Buffered()) }

// detectComma looks at the first line: a line "sep=;" as Excel reads it, or
// the separator that stands most often outside quotes.
func (r *rowReader) detectComma() error {
	head, err := r.br.Peek(64 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the file: %w", err)
	}
	if line, _, ok := bytes.Cut(head, []byte("\n")); ok {
		line = bytes.TrimRight(line, "\r")
		if len(line) == 5 && bytes.EqualFold(line[:4], []byte("sep=")) && bytes.IndexByte([]byte(",;\t"), line[4]) >= 0 {
			r.setComma(line[4])
			_, err := r.br.ReadSlice('\n')
			r.line = 1
			return err
		}
	}
	seen := map[byte]int{}
	open := false
	for _, c := range head {
		if c == '"' {
			open = !open
		}
		if open {
			continue
		}
		// Lines before the header may be empty.
		if c == '\n' && len(seen) > 0 {
			break
		}
		if c == ',' || c == ';' || c == '\t' {
			seen[c]++
		}
	}
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if seen[c] > seen[best] {
			best = c
		}
	}
	r.setComma(best)
	return nil
}

func (r *rowReader) setComma(c byte) { r.comma, r.csv.Comma = c, rune(c) }

// The states of scan.
type scanState int

const (
	fieldStart scanState = iota
	bare
	quoted
	afterQuote // behind a quotation mark inside quotes: its pair follows, or the cell ends
	broken     // text stands behind a closing quotation mark
)

// read returns the next row; empty lines are passed over.
func (r *rowReader) read() (rowResult, error) {
	for {
		first := r.line + 1
		state, size, err := r.scan()
		if err != nil {
			return rowResult{}, err
		}
		if size > MaxRow {
			return rowResult{Row{Line: first}, r.tooLong(state)}, nil
		}
		text := bytes.TrimRight(r.buf, "\r\n")
		if len(text) == 0 {
			if size == 0 {
				return rowResult{}, io.EOF
			}
			continue
		}
		r.feed.Reset(text)
		cells, err := r.csv.Read()
		res := rowResult{row: Row{Line: first, Cells: cells}}
		switch {
		case state == quoted:
			res.reason = "a quotation mark opens in this row and never closes; nothing behind it could be read"
		case state == broken:
			res.reason = "a quotation mark inside a quoted cell is not doubled"
		case err != nil:
			res.reason = "the row cannot be taken apart: " + err.Error()
		}
		// What is left of a row must not become part of the next.
		if left := r.drain(); left && res.reason == "" {
			res.reason = "the row cannot be taken apart: its quotation marks contradict each other"
		}
		return res, nil
	}
}

func (r *rowReader) tooLong(state scanState) string {
	if state == quoted {
		return "a quotation mark opens in this row and never closes; nothing behind it could be read"
	}
	return fmt.Sprintf("the row is larger than %d KiB", MaxRow>>10)
}

// drain empties the buffer of encoding/csv and reports whether it held
// anything.
func (r *rowReader) drain() (left bool) {
	for {
		if _, err := r.csv.Read(); errors.Is(err, io.EOF) {
			return left
		}
		left = true
	}
}

// scan reads one row into buf, through line breaks inside quotes, and returns
// how it ended and its size; beyond MaxRow it reads on without keeping.
func (r *rowReader) scan() (scanState, int, error) {
	r.buf = r.buf[:0]
	state, size := fieldStart, 0
	for {
		piece, err := r.br.ReadSlice('\n')
		size += len(piece)
		if size <= MaxRow {
			r.buf = append(r.buf, piece...)
		}
		state = r.advance(state, piece)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			if len(piece) > 0 {
				r.line++
			}
			return state, size, nil
		case err != nil:
			return state, size, fmt.Errorf("read the file: %w", err)
		}
		r.line++
		if state != quoted {
			return state, size, nil
		}
	}
}

func (r *rowReader) advance(state scanState, piece []byte) scanState {
	for _, c := range piece {
		switch state {
		case fieldStart:
			switch c {
			case '"':
				state = quoted
			case r.comma:
			default:
				state = bare
			}
		case bare:
			if c == r.comma {
				state = fieldStart
			}
		case quoted:
			if c == '"' {
				state = afterQuote
			}
		case afterQuote:
			switch c {
			case '"':
				state = quoted
			case r.comma:
				state = fieldStart
			case '\r', '\n':
			default:
				state = broken
			}
		case broken:
		}
	}
	return state
}
