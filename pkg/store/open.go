package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pressly/goose/v3"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/portalctl/portalctl/pkg/portal"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migratedBy is the meta key of the program version that wrote the schema.
const migratedBy = "migrated_by"

// prepare makes sure that a store lies at path, creating it where that is
// asked for, and returns its absolute path.
func prepare(ctx context.Context, path string, o Options) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if !o.Create {
			return "", portal.NotFoundf("store.none", "there is no store at %s", abs).
				WithHint("run `portalctl init` to set up a portal, or name another store with --store")
		}
		if err := create(ctx, abs, o); err != nil {
			return "", openError(abs, err)
		}
		return abs, nil
	case err != nil:
		return "", openError(abs, err)
	case info.IsDir():
		return "", portal.Invalidf("store.folder", "store", "%s is a folder, not a store", abs).
			WithHint("name the file in it, such as %s", filepath.Join(abs, "portal.db"))
	case !info.Mode().IsRegular():
		return "", portal.Invalidf("store.file", "store", "%s is not a regular file", abs)
	}
	if what, err := mayUse(abs); err != nil {
		return "", unusable(abs, what+" may not be read and written", err)
	}
	if err := recognise(ctx, abs); err != nil {
		return "", openError(abs, err)
	}
	return abs, nil
}

// recognise refuses a file that is not a portalctl store, without a lock and
// without a byte written to it or beside it.
func recognise(ctx context.Context, path string) error {
	id, page, err := header(ctx, peekDSN(path))
	log, logErr := os.Stat(path + "-wal")
	mending := logErr == nil && log.Size() > 0
	if mending && codeOf(err)&0xff == sqlite3.SQLITE_CORRUPT {
		// Whoever copied the log into the file was stopped on the way: the
		// file makes sense only together with its log.
		id, page, err = header(ctx, dsn(path, "mode=ro", "_pragma=busy_timeout(5000)"))
	}
	switch {
	case codeOf(err)&0xff == sqlite3.SQLITE_NOTADB, err == nil && id != applicationID:
		return foreign(path)
	case err != nil:
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size()%page != 0 && !mending {
		return damage("its last page is not whole")
	}
	return nil
}

// header reads whose database a file is, and its page size.
func header(ctx context.Context, dsn string) (id, page int64, err error) {
	db, err := sql.Open(driverName, dsn)
	if err != nil {
		return 0, 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return 0, 0, err
	}
	err = db.QueryRowContext(ctx, "PRAGMA page_size").Scan(&page)
	return id, page, err
}

func foreign(path string) error {
	return &portal.Error{
		Kind: portal.Invalid, Code: "store.foreign", Field: "store",
		Msg: fmt.Sprintf("%s is not a portalctl store; it is left as it is", path), Hint: "name another file with --store",
	}
}

// openError says which file could not be opened, and why.
func openError(path string, err error) error {
	e := &portal.Error{}
	if errors.As(err, &e) && e.Code != "store.damaged" {
		return err // says it already
	}
	switch code := codeOf(err); {
	case code&0xff == sqlite3.SQLITE_CORRUPT, code&0xff == sqlite3.SQLITE_NOTADB, code&0xff == sqlite3.SQLITE_FORMAT,
		code == sqlite3.SQLITE_IOERR_SHORT_READ, e.Code == "store.damaged":
		return &portal.Error{
			Kind: portal.Internal, Code: "store.damaged", Err: err,
			Msg: fmt.Sprintf("cannot open the store %s: the file is damaged", path), Hint: "restore it from a backup; the damaged file is left as it is",
		}
	case code == sqlite3.SQLITE_IOERR_SHMSIZE:
		err = errDiskFull(err) // the index of the log has no room
	case code&0xff == sqlite3.SQLITE_READONLY, code&0xff == sqlite3.SQLITE_CANTOPEN, code&0xff == sqlite3.SQLITE_PERM,
		errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return unusable(path, "the file or its folder may not be read and written", err)
	case errors.Is(err, syscall.ENOSPC):
		err = errDiskFull(err)
	}
	if t := translate(err); errors.As(t, &e) {
		return &portal.Error{Kind: e.Kind, Code: e.Code, Msg: fmt.Sprintf("cannot open the store %s: %s", path, e.Msg), Hint: e.Hint, Err: err}
	}
	return fmt.Errorf("open the store %s: %w", path, err)
}

func unusable(path, why string, err error) error {
	return &portal.Error{
		Kind: portal.Internal, Code: "store.unusable", Err: err,
		Msg:  fmt.Sprintf("cannot open the store %s: %s", path, why),
		Hint: "check who owns the file and its folder, and whether the disk is mounted read-only",
	}
}

// create writes a new, complete store under another name and renames it into
// place, so that a store is never half there. If another process was faster,
// its store stands.
func create(ctx context.Context, path string, o Options) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp := fmt.Sprintf("%s.new-%s", path, randomHex(6))
	f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
			_ = os.Remove(temp + suffix)
		}
	}()
	// Room for all of it, so that a full disk is noticed at once.
	_, err = f.Write(make([]byte, 1<<19))
	if err == nil {
		err = f.Truncate(0)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := fill(ctx, temp, o); err != nil {
		return err
	}
	// A link fails when the name is taken; a rename would replace the file.
	if err := os.Link(temp, path); errors.Is(err, fs.ErrExist) {
		return recognise(ctx, path)
	} else if err != nil {
		// The file system has no links; the name was free a moment ago.
		if err := os.Rename(temp, path); err != nil {
			return err
		}
	}
	return syncFolder(filepath.Dir(path))
}

// fill writes the schema and what every store has from the start.
func fill(ctx context.Context, path string, o Options) error {
	db, err := sql.Open(driverName, createDSN(path))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := upgrade(ctx, db, o); err != nil {
		return err
	}
	now := o.Now().UTC().UnixMilli()
	if _, err := db.ExecContext(ctx,
		`INSERT INTO domain (kind, host, language, token, verified_at, created_at) VALUES ('system', '', 'en', '', $1, $1)`, now); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	return syncFile(path)
}

// migrate brings an older store up to this program's schema: a checked copy
// beside it first, then all steps in one transaction. Killed in between, it
// is the old store or the new one.
func migrate(ctx context.Context, db *sql.DB, path string, o Options) error {
	version, err := patiently(ctx, func() (int64, error) { return schemaVersion(ctx, db) })
	if err != nil {
		return err
	}
	known, err := newestVersion(o.migrations)
	if err != nil {
		return err
	}
	switch {
	case version > known:
		by := "a newer portalctl"
		if name := ""; db.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = $1", migratedBy).Scan(&name) == nil && name != "" {
			by = "portalctl " + name
		}
		return &portal.Error{
			Kind: portal.Invalid, Code: "store.newer",
			Msg:  fmt.Sprintf("the store %s was written by %s: it has schema %d, this program knows up to %d", path, by, version, known),
			Hint: "use " + by + " or later; the store is left as it is",
		}
	case version == known:
		return whole(ctx, db)
	}
	if err := keepCopy(ctx, db, path, version, known); err != nil {
		return err
	}
	if err := upgrade(ctx, db, o); err != nil {
		return fmt.Errorf("migrate from schema %d to %d: %w", version, known, err)
	}
	return nil
}

// upgrade runs the migrations a store lacks, in one transaction. They are
// marked NO TRANSACTION, because goose would give each its own. db has one
// connection, so BEGIN and what goose does reach the same one.
func upgrade(ctx context.Context, db *sql.DB, o Options) error {
	files, err := fs.Sub(o.migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return err
	}
	// Makes goose's own table, for which it wants a transaction of its own.
	if _, err := p.GetDBVersion(ctx); err != nil {
		return err
	}
	if _, err := patiently(ctx, func() (sql.Result, error) { return db.ExecContext(ctx, "BEGIN IMMEDIATE") }); err != nil {
		return err
	}
	_, err = p.Up(ctx)
	if err == nil {
		_, err = db.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
			migratedBy, o.Version)
	}
	if err == nil {
		_, err = db.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = db.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	}
	return err
}

func schemaVersion(ctx context.Context, db *sql.DB) (version int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version").Scan(&version)
	return version, err
}

// newestVersion is the last of the migrations; there is one at least.
func newestVersion(files fs.FS) (int64, error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	return goose.NumericComponent(names[len(names)-1])
}

// keepCopy puts a checked copy of the old store beside it, named after the
// schema it is about to get.
func keepCopy(ctx context.Context, db *sql.DB, path string, version, next int64) error {
	name := fmt.Sprintf("%s.before-v%d", path, next)
	temp := name + "-" + randomHex(6)
	defer os.Remove(temp)
	if f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return err
	} else if err := f.Close(); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO $1", temp); err != nil {
		return fmt.Errorf("copy the store before migrating it: %w", err)
	}
	copied, err := sql.Open(driverName, peekDSN(temp))
	if err != nil {
		return err
	}
	defer copied.Close()
	got, err := schemaVersion(ctx, copied)
	if err != nil {
		return err
	}
	if got != version {
		return nil // another process has migrated it in the meantime, and kept its own copy
	}
	if err := verdict(ctx, copied, "PRAGMA integrity_check"); err != nil {
		return err
	}
	if err := copied.Close(); err != nil {
		return err
	}
	if err := syncFile(temp); err != nil {
		return err
	}
	if err := os.Rename(temp, name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// whole looks at the file as far as that costs the same for a small store
// and a large one: the schema is read, and the first row of every table. What
// lies deeper shows when it is read, or with Check.
func whole(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0")
	if err != nil {
		return err
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range tables {
		//nolint:gosec // the name comes from the schema itself
		if _, err := db.ExecContext(ctx, `SELECT 1 FROM "`+name+`" LIMIT 1`); err != nil {
			return err
		}
	}
	return nil
}

// Check verifies the database's integrity and foreign keys. It reads every
// page, so it takes time in proportion to the store.
func (s *Store) Check(ctx context.Context) error {
	if err := verdict(ctx, s.readDB, "PRAGMA integrity_check(20)"); err != nil {
		return checkError(s.path, err)
	}
	rows, err := s.readDB.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return checkError(s.path, err)
	}
	defer rows.Close()
	if rows.Next() {
		var table, parent string
		var rowid sql.NullInt64
		var key int
		if err := rows.Scan(&table, &rowid, &parent, &key); err != nil {
			return checkError(s.path, err)
		}
		return checkError(s.path, damage(fmt.Sprintf("row %d of %s names a row of %s that is not there", rowid.Int64, table, parent)))
	}
	return checkError(s.path, rows.Err())
}

// verdict runs an integrity check, which answers "ok" or with what is wrong.
func verdict(ctx context.Context, db *sql.DB, query string) error {
	var said string
	if err := db.QueryRowContext(ctx, query).Scan(&said); err != nil {
		return err
	}
	if said != "ok" {
		return damage(said)
	}
	return nil
}

// damage is what an integrity check found.
func damage(said string) error {
	return &portal.Error{Kind: portal.Internal, Code: "store.damaged", Msg: said, Hint: "restore the store from a backup"}
}

func checkError(path string, err error) error {
	e := &portal.Error{}
	if err = translate(err); errors.As(err, &e) && e.Code == "store.damaged" {
		return &portal.Error{Kind: e.Kind, Code: e.Code, Msg: fmt.Sprintf("the store %s is damaged: %s", path, e.Msg), Hint: e.Hint, Err: err}
	}
	return err
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
