package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// refused opens path, wants that refused with the code, and wants every file
// in its folder left as it was.
func refused(t *testing.T, path, code string) *portal.Error {
	t.Helper()
	before := contents(t, filepath.Dir(path))
	s, err := store.Open(t.Context(), path, store.Options{Create: true})
	if err == nil {
		s.Close()
		t.Fatal("it opened")
	}
	e := &portal.Error{}
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("refused with %v, want %s", err, code)
	}
	if !strings.Contains(e.Msg, path) || e.Hint == "" {
		t.Errorf("the message names no file, or no way out: %q, %q", e.Msg, e.Hint)
	}
	after := contents(t, filepath.Dir(path))
	for name, b := range before {
		if !bytes.Equal(after[name], b) {
			t.Errorf("%s was changed", name)
		}
		delete(after, name)
	}
	for name := range after {
		t.Errorf("%s was left behind", name)
	}
	return e
}

func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = b
	}
	return files
}

// closedStore is the path of a store with something in it that nobody has open.
func closedStore(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "portal.db")
	s, err := store.Open(t.Context(), path, store.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		for i := range 300 {
			if err := tx.AddContact(ctx, &portal.Contact{Email: fmt.Sprintf("c%d@example.com", i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMissingStoreIsNotFoundUnlessCreated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "er", "portal.db")
	_, err := store.Open(t.Context(), path, store.Options{})
	e := &portal.Error{}
	if !errors.As(err, &e) || e.Kind != portal.NotFound || !strings.Contains(e.Hint, "portalctl init") {
		t.Errorf("error %v, want NotFound with a hint to init", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		t.Error("its folder was made")
	}
	s := portaltest.OpenStore(t, path, store.Options{Create: true})
	read(t, s, func(ctx context.Context, tx *store.Tx) error {
		d, err := tx.SystemDomain(ctx)
		if err == nil && (d.Language != "en" || d.Host != "" || !d.Verified()) {
			t.Errorf("system domain %+v", d)
		}
		return err
	})
	if runtime.GOOS != "windows" {
		for name, want := range map[string]os.FileMode{path: 0o600, path + "-wal": 0o600, filepath.Dir(path): 0o700 | os.ModeDir} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode() != want {
				t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
			}
		}
	}
}

func TestManyCreatorsMakeOneStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portal.db")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s, err := store.Open(t.Context(), path, store.Options{Create: true})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := setMeta(t.Context(), s, fmt.Sprint("k", i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s := portaltest.OpenStore(t, path, store.Options{})
	for i := range 8 {
		if !hasMeta(t, s, fmt.Sprint("k", i)) {
			t.Errorf("what creator %d wrote is gone", i)
		}
	}
	s.Close()
	if files := contents(t, filepath.Dir(path)); len(files) != 1 {
		t.Errorf("%d files in the folder, want the store alone", len(files))
	}
}

func TestFilesThatAreNotOursAreRefused(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "short": "hello", "text": strings.Repeat("To whom it may concern\n", 1000), "zeros": string(make([]byte, 8192)),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			refused(t, path, "store.foreign")
		})
	}
	for _, mode := range []string{"DELETE", "WAL"} {
		t.Run("another program's database, "+mode, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "other.db")
			db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode("+mode+")")
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), "PRAGMA application_id = 7; CREATE TABLE a (b); INSERT INTO a VALUES (1)"); err != nil {
				t.Fatal(err)
			}
			if mode == "DELETE" {
				db.Close()
			}
			refused(t, path, "store.foreign")
		})
	}
	t.Run("a folder", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "d")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := store.Open(t.Context(), dir, store.Options{Create: true})
		if e := (*portal.Error)(nil); !errors.As(err, &e) || e.Code != "store.folder" {
			t.Errorf("error %v", err)
		}
	})
}

func TestDamagedStoreIsRefused(t *testing.T) {
	whole, err := os.ReadFile(closedStore(t))
	if err != nil {
		t.Fatal(err)
	}
	garbage := func(from, to int) []byte {
		b := bytes.Clone(whole)
		for i := from; i < to; i++ {
			b[i] = byte(i*7 + 13)
		}
		return b
	}
	for name, b := range map[string][]byte{
		"the schema is garbage":     garbage(200, 4096),
		"the first tables are":      garbage(4096, 40*4096),
		"only the header is left":   whole[:100],
		"only the first page is":    whole[:4096],
		"half of it is cut off":     whole[:len(whole)/2/4096*4096],
		"a few bytes are cut off":   whole[:len(whole)-100],
		"everything but page one":   garbage(4096, len(whole)),
		"its last page is cut off ": whole[:len(whole)-4096],
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "portal.db")
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, path, "store.damaged")
		})
	}
}

func TestCheckFindsWhatOpeningDoesNot(t *testing.T) {
	path := closedStore(t)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A row in the middle of a table: opening looks at first rows only.
	i := bytes.LastIndex(b, []byte("c150@example.com"))
	if i < 0 {
		t.Fatal("the row is not in the file")
	}
	copy(b[i:], "X")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s := portaltest.OpenStore(t, path, store.Options{})
	err = s.Check(t.Context())
	if e := (*portal.Error)(nil); !errors.As(err, &e) || e.Code != "store.damaged" || !strings.Contains(e.Msg, path) {
		t.Errorf("Check said %v", err)
	}
}

// asNobody makes the child run as a user who owns nothing, when this process
// is root and may read and write whatever it likes.
func asNobody(t *testing.T, cmd *exec.Cmd, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	exe := filepath.Join(dir, "program")
	from, err := os.Open(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(exe, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Dir = exe, dir
	for d := dir; d != os.TempDir() && len(d) > 1; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dropRights(cmd)
}

func TestStoreThatMayNotBeWrittenIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps rights in other ways than the mode of a file")
	}
	for _, test := range []struct {
		name         string
		file, folder os.FileMode
		want         string
	}{
		{"the file is read-only", 0o444, 0o777, "the file may not be"},
		{"the folder is read-only", 0o666, 0o555, "its folder may not be"},
		{"both are", 0o444, 0o555, "the file may not be"},
		{"the file is not readable", 0o000, 0o777, "the file may not be"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := closedStore(t)
			c := child(t, "open", path)
			asNobody(t, c, t.TempDir())
			dir := filepath.Dir(path)
			for d := filepath.Dir(dir); d != os.TempDir() && len(d) > 1; d = filepath.Dir(d) {
				if err := os.Chmod(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(path, test.file); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(dir, test.folder); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(dir, 0o700)
			out, err := c.CombinedOutput()
			if err == nil {
				t.Fatal("it opened")
			}
			if !strings.Contains(string(out), path) || !strings.Contains(string(out), test.want) {
				t.Errorf("it said %q, want the path and %q", out, test.want)
			}
		})
	}
}
