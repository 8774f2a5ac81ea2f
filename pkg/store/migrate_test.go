package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/portalctl/portalctl/pkg/portal"
)

// later are the migrations of a program to come: this one's, and the steps.
func later(t *testing.T, steps ...string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := migrations.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: b}
	}
	for i, step := range steps {
		name := fmt.Sprintf("migrations/%04d_later.sql", len(names)+1+i)
		files[name] = &fstest.MapFile{Data: []byte("-- +goose NO TRANSACTION\n-- +goose Up\n" + step)}
	}
	return files
}

// oldStore is the path of a store of this program with one value in it.
func oldStore(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "portal.db")
	s, err := Open(t.Context(), path, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), func(tx *Tx) error { return tx.SetMeta(t.Context(), "kept", "yes") }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	addColumn = "ALTER TABLE contact ADD COLUMN shoe_size INTEGER;"
	addTable  = "CREATE TABLE shoe (size INTEGER PRIMARY KEY) STRICT;\nINSERT INTO shoe VALUES (38);"
)

func shoes(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.Read(t.Context(), func(tx *Tx) error {
		return tx.value(t.Context(), &n, "SELECT count(*) FROM shoe JOIN contact ON shoe_size = size OR shoe_size IS NULL OR 1 = 1")
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOlderStoreIsMigratedAfterACopy(t *testing.T) {
	path := oldStore(t)
	s, err := Open(t.Context(), path, Options{migrations: later(t, addColumn, addTable), Version: "9.1"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	shoes(t, s)
	kept := ""
	if err := s.Read(t.Context(), func(tx *Tx) (err error) { kept, err = tx.Meta(t.Context(), "kept"); return err }); err != nil || kept != "yes" {
		t.Errorf("the value is %q, %v", kept, err)
	}
	copied, err := Open(t.Context(), path+".before-v3", Options{})
	if err != nil {
		t.Fatalf("the copy: %v", err)
	}
	defer copied.Close()
	if err := copied.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := copied.Read(t.Context(), func(tx *Tx) (err error) { kept, err = tx.Meta(t.Context(), "kept"); return err }); err != nil || kept != "yes" {
		t.Errorf("the value in the copy is %q, %v", kept, err)
	}
	s.Close()
	copied.Close()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 2 {
		t.Errorf("%v in the folder, want the store and its copy: %v", entries, err)
	}
}

func TestFailedMigrationLeavesTheOldStore(t *testing.T) {
	path := oldStore(t)
	_, err := Open(t.Context(), path, Options{migrations: later(t, addColumn, addTable+"\nINSERT INTO shoe VALUES (38);")})
	if err == nil {
		t.Fatal("it opened")
	}
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatalf("the old program: %v", err)
	}
	defer s.Close()
	if err := s.Read(t.Context(), func(tx *Tx) error {
		found, err := tx.exists(t.Context(), "SELECT 1 FROM pragma_table_info('contact') WHERE name = 'shoe_size'")
		if found {
			t.Error("the first step was kept although the second failed")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestNewerStoreIsRefusedAndNamesWhoCanOpenIt(t *testing.T) {
	path := oldStore(t)
	s, err := Open(t.Context(), path, Options{migrations: later(t, addColumn), Version: "9.1"})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path, Options{Create: true})
	e := &portal.Error{}
	if !errors.As(err, &e) || e.Code != "store.newer" || !strings.Contains(e.Msg, path) || !strings.Contains(e.Hint, "portalctl 9.1") {
		t.Errorf("refused with %v; hint %q", err, e.Hint)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(before) != string(after) {
		t.Errorf("the file was changed, or is gone: %v", err)
	}
}

func TestTwoProcessesMigrateOnce(t *testing.T) {
	path := oldStore(t)
	files := later(t, addColumn, addTable)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := Open(t.Context(), path, Options{migrations: files})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			shoes(t, s)
		})
	}
	wg.Wait()
	db, err := sql.Open(driverName, peekDSN(path+".before-v3"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if v, err := schemaVersion(t.Context(), db); v != 1 || err != nil {
		t.Errorf("the copy has schema %d, %v; want the one from before", v, err)
	}
}

// diskError is what SQLite says of a disk.
type diskError int

func (e diskError) Error() string { return fmt.Sprintf("code %d", int(e)) }
func (e diskError) Code() int     { return int(e) }

func TestFailedSyncEndsAllWriting(t *testing.T) {
	s := openHere(t)
	ctx := t.Context()
	commit, tries := s.writer.commit, 0
	s.writer.commit = func(context.Context) error { tries++; return diskError(1034) } // SQLITE_IOERR_FSYNC
	err := s.Write(ctx, func(tx *Tx) error { return tx.SetMeta(ctx, "a", "1") })
	if e := (*portal.Error)(nil); !errors.As(err, &e) || e.Kind != portal.Unavailable {
		t.Errorf("the write got %v", err)
	}
	select {
	case <-s.Failed():
	default:
		t.Error("the store does not say that it failed")
	}
	s.writer.commit = commit
	if err := s.Write(ctx, func(tx *Tx) error { return tx.SetMeta(ctx, "b", "1") }); err == nil || s.Failure() == nil {
		t.Errorf("a later write: %v; failure %v", err, s.Failure())
	}
	if tries != 1 {
		t.Errorf("the commit was tried %d times", tries)
	}
	if err := s.Read(ctx, func(tx *Tx) error { _, err := tx.Domains(ctx); return err }); err != nil {
		t.Errorf("a read: %v", err)
	}
}

func TestFullDiskRefusesTheWholeBatchAndHeals(t *testing.T) {
	s := openHere(t)
	ctx := t.Context()
	limit := func(pages int) {
		t.Helper()
		if err := s.Write(ctx, func(tx *Tx) error {
			return tx.do(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
		}); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // SQLite takes the present size for the smallest limit
	big := strings.Repeat("x", 1<<20)
	begun, free := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	errs := make([]error, 3)
	wg.Go(func() {
		_ = s.Write(ctx, func(*Tx) error { close(begun); <-free; return nil })
	})
	<-begun
	for i := range errs {
		wg.Go(func() {
			errs[i] = s.Write(ctx, func(tx *Tx) error {
				if i == 1 {
					_ = tx.SetMeta(ctx, "big", big) // the error is overlooked
					return nil
				}
				return tx.SetMeta(ctx, fmt.Sprint("small", i), "v")
			})
		})
	}
	for s.Waiting() < len(errs) {
		runtime.Gosched()
	}
	close(free)
	wg.Wait()
	for i, err := range errs {
		e := (*portal.Error)(nil)
		if !errors.As(err, &e) || e.Code != "store.full" {
			t.Errorf("write %d: %v, want that the disk is full", i, err)
		}
	}
	limit(1 << 30)
	if err := s.Write(ctx, func(tx *Tx) error { return tx.SetMeta(ctx, "big", big) }); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := s.Read(ctx, func(tx *Tx) error {
		for i := range errs {
			if v, err := tx.Meta(ctx, fmt.Sprint("small", i)); v != "" || err != nil {
				t.Errorf("row %d is %q, %v", i, v, err)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func TestLogIsCopiedIntoTheFile(t *testing.T) {
	s := openHere(t)
	ctx := t.Context()
	value := strings.Repeat("x", 40_000)
	for i := range 400 {
		if err := s.Write(ctx, func(tx *Tx) error { return tx.SetMeta(ctx, fmt.Sprint("k", i%20), value) }); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(s.Path() + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if pages := info.Size() / 4096; pages > 2*maxLog {
		t.Errorf("the log has grown to %d pages", pages)
	}
}

func TestFailedSyncOfTheFileEndsAllWriting(t *testing.T) {
	s := openHere(t)
	ctx := t.Context()
	s.writer.checkpoint = func(context.Context) error { return diskError(1034) }
	for i := range checkpointEvery {
		if err := s.Write(ctx, func(tx *Tx) error { return tx.SetMeta(ctx, fmt.Sprint(i), "v") }); err != nil {
			t.Fatalf("write %d, which the log keeps: %v", i, err)
		}
	}
	<-s.Failed()
}
