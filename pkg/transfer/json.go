package transfer

import (
	"bufio"
	"encoding/json"
	"io"
)

// JSONWriter writes records as one JSON array, a record a line, without
// holding more than one.
type JSONWriter struct {
	out   *bufio.Writer
	begun bool
}

// NewJSONWriter writes to w; nothing is written before the first record.
func NewJSONWriter(w io.Writer) *JSONWriter { return &JSONWriter{out: bufio.NewWriter(w)} }

// Write adds a record.
func (w *JSONWriter) Write(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	before := ",\n"
	if !w.begun {
		before, w.begun = "[\n", true
	}
	if _, err := w.out.WriteString(before); err != nil {
		return err
	}
	_, err = w.out.Write(data)
	return err
}

// Close ends the array and writes what is buffered.
func (w *JSONWriter) Close() error {
	end := "\n]\n"
	if !w.begun {
		end = "[]\n"
	}
	if _, err := w.out.WriteString(end); err != nil {
		return err
	}
	return w.out.Flush()
}
