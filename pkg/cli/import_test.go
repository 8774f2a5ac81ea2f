package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFileAppearsOnlyWhenItIsComplete(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.csv")
	files := func() (names []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	write := func(n *newFile, text string) {
		w, err := n.open()
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}

	broken := &newFile{path: path}
	write(broken, "half")
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is there before it is complete: %v", err)
	}
	broken.abort()
	if left := files(); len(left) > 0 {
		t.Errorf("what was given up left %v", left)
	}

	whole := &newFile{path: path}
	write(whole, "whole")
	if name, err := whole.commit(); err != nil || name != path {
		t.Errorf("commit returned %q, %v", name, err)
	}
	whole.abort()
	if data, err := os.ReadFile(path); err != nil || string(data) != "whole" || len(files()) != 1 {
		t.Errorf("the file holds %q, %v; the folder %v", data, err, files())
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read the file: %v, %v", info.Mode(), err)
	}
	if name, err := (&newFile{path: path}).commit(); err != nil || name != "" {
		t.Errorf("a file nobody wrote to was committed as %q, %v", name, err)
	}
}

func TestPlainWriterKeepsCharactersWholeAndDropsEscapes(t *testing.T) {
	const text = "Åsa\x1b[31m 💡\u202e€\n"
	for cut := range len(text) {
		var buf bytes.Buffer
		w := &plainWriter{out: &buf}
		for _, part := range []string{text[:cut], text[cut:]} {
			if n, err := w.Write([]byte(part)); err != nil || n != len(part) {
				t.Fatalf("Write returned %d, %v", n, err)
			}
		}
		if got, want := buf.String(), "Åsa[31m 💡€\n"; got != want {
			t.Errorf("cut at %d: %q, want %q", cut, got, want)
		}
	}
}
