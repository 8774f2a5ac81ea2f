package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/portalctl/portalctl/pkg/portal"
)

// file is an opened file: its encoding, separator and columns. rows can be
// called more than once, each time from the first row on.
type file struct {
	src    Source
	size   int64
	decode encoding.Encoding // nil: UTF-8
	bom    int64             // bytes to skip at the start
	comma  byte
	dates  *dates
	notes  *Notes
	layout
}

// openFile finds out how the bytes are written and what the columns are.
func openFile(src Source, size int64, k *kind, o Options) (*file, error) {
	f := &file{src: src, size: size, notes: &Notes{}}
	if err := f.detectEncoding(); err != nil {
		return nil, err
	}
	rows, err := f.start()
	if err != nil {
		return nil, err
	}
	res, err := rows.read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, portal.Invalidf("import.empty", "file", "the file is empty").
			WithHint("the first line names the columns, such as %s", strings.Join(k.sample, ","))
	case err != nil:
		return nil, err
	case res.reason != "":
		return nil, portal.Invalidf("import.header", "file", "the line with the column names cannot be read: %s", res.reason)
	}
	if f.layout, err = k.layout(res.row.Cells, f.notes); err != nil {
		return nil, err
	}
	f.dates = &dates{loc: o.Location, order: o.DateOrder, evidence: f.dateEvidence}
	return f, nil
}

// rows returns a reader that stands behind the header.
func (f *file) rows() (*rowReader, error) {
	rows, err := f.start()
	if err != nil {
		return nil, err
	}
	if _, err := rows.read(); err != nil {
		return nil, err
	}
	return rows, nil
}

// start returns a reader that stands before the header and knows the
// separator.
func (f *file) start() (*rowReader, error) {
	count := &counter{r: io.NewSectionReader(f.src, f.bom, f.size-f.bom), n: f.bom}
	var text io.Reader = count
	if f.decode != nil {
		text = f.decode.NewDecoder().Reader(count)
	}
	rows := newRowReader(text, count)
	if err := rows.detectComma(); err != nil {
		return nil, err
	}
	f.comma = rows.comma
	return rows, nil
}

// detectEncoding reads the file once. A byte-order mark decides; without one
// bytes that are not UTF-8 are taken for Windows-1252, unless the file is
// plainly UTF-8 with a few damaged places, which are then problems of their
// rows.
func (f *file) detectEncoding() error {
	br := bufio.NewReaderSize(io.NewSectionReader(f.src, 0, f.size), 64<<10)
	head, err := br.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the file: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		f.bom = 3
		return nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		f.bom, f.decode = 2, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
		return nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		f.bom, f.decode = 2, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
		return nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return portal.Invalidf("import.format", "file", "the file is a ZIP archive or an Excel workbook, not CSV").
			WithHint("unpack the archive, or save the sheet as \"CSV UTF-8\"")
	case len(head) >= 2 && (head[0] == 0 || head[1] == 0):
		return portal.Invalidf("import.format", "file", "the file is not text").
			WithHint("save it as \"CSV UTF-8\"")
	}
	wide, damaged, err := countUTF8(br)
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	if damaged > 0 && damaged >= wide {
		f.decode = charmap.Windows1252
		f.notes.Add("the file is not UTF-8 and was read as Windows-1252; check names with accents, or save it as \"CSV UTF-8\"")
	}
	return nil
}

// countUTF8 counts the characters beyond ASCII and the bytes that are part of
// none.
func countUTF8(r io.Reader) (wide, damaged int, err error) {
	buf := make([]byte, 64<<10)
	kept := 0
	for {
		n, err := r.Read(buf[kept:])
		end := kept + n
		atEOF := errors.Is(err, io.EOF)
		i := 0
		for i < end {
			if buf[i] < utf8.RuneSelf {
				i++
				continue
			}
			if !atEOF && !utf8.FullRune(buf[i:end]) {
				break
			}
			c, size := utf8.DecodeRune(buf[i:end])
			if c == utf8.RuneError && size == 1 {
				damaged++
			} else {
				wide++
			}
			i += size
		}
		kept = copy(buf, buf[i:end])
		switch {
		case atEOF:
			return wide, damaged, nil
		case err != nil:
			return 0, 0, err
		}
	}
}

// counter counts the bytes of the file that were read, whatever they decode to.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
