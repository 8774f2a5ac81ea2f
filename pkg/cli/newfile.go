package cli

import (
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/portalctl/portalctl/pkg/output"
)

// newFile is a file that appears under its name only when it is complete and
// on disk.
type newFile struct {
	path string
	temp *os.File
}

// open makes the file beside its name. Only its owner may read it: it holds
// people's letters.
func (n *newFile) open() (io.Writer, error) {
	f, err := os.CreateTemp(filepath.Dir(n.path), "."+filepath.Base(n.path)+"-")
	if err != nil {
		return nil, fileError("file", n.path, err)
	}
	n.temp = f
	return f, nil
}

// commit gives the file its name and returns that; "" when it was never
// opened.
func (n *newFile) commit() (string, error) {
	if n.temp == nil {
		return "", nil
	}
	f := n.temp
	if err := f.Sync(); err != nil {
		return "", err
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	if err := os.Rename(f.Name(), n.path); err != nil {
		return "", err
	}
	n.temp = nil
	// The name is kept by the folder; not every system can sync one.
	if dir, err := os.Open(filepath.Dir(n.path)); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
	return n.path, nil
}

// abort removes a file that was not committed.
func (n *newFile) abort() {
	if n.temp != nil {
		_ = n.temp.Close()
		_ = os.Remove(n.temp.Name())
	}
}

// plainWriter makes what is written harmless for a terminal. Characters that
// two writes cut apart are put together again.
type plainWriter struct {
	out  io.Writer
	tail []byte
}

func (w *plainWriter) Write(p []byte) (int, error) {
	text := append(w.tail, p...)
	end := len(text)
	for i := 1; i <= min(utf8.UTFMax-1, len(text)); i++ {
		if b := text[len(text)-i]; utf8.RuneStart(b) {
			if !utf8.FullRune(text[len(text)-i:]) {
				end = len(text) - i
			}
			break
		}
	}
	w.tail = append([]byte(nil), text[end:]...)
	if _, err := io.WriteString(w.out, output.CleanText(string(text[:end]))); err != nil {
		return 0, err
	}
	return len(p), nil
}
