package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/portalctl/portalctl/pkg/portal"
)

const driverName = "sqlite"

// applicationID marks a database file as a portalctl store: "ptcl".
const applicationID = 0x7074636c

// patience is how long anything waits for another process that holds the
// store, before it says so.
const patience = 30 * time.Second

// dsn sets the pragmas in the connection string so that every connection gets
// them; a PRAGMA run through the handle reaches only one.
func dsn(path string, params ...string) string {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // C:/… on Windows
	}
	u := url.URL{Scheme: "file", Path: p}
	return u.String() + "?" + strings.Join(append(params, "_dqs=0", "_error_rc=1"), "&")
}

// writeDSN is the one connection that writes. Its busy timeout is short,
// because the writer waits for other processes itself: SQLite sleeps up to
// 100 ms between two looks and would miss the gaps a busy server leaves.
func writeDSN(path string) string {
	return dsn(path, "mode=rw", "_txlock=immediate", "_defensive=1",
		"_pragma=busy_timeout(20)", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)",
		"_pragma=wal_autocheckpoint(0)", "_pragma=foreign_keys(1)", "_pragma=cache_size(-8192)", "_pragma=trusted_schema(0)")
}

// maxLog is how many pages of the write-ahead log wait to be copied into the
// file.
const maxLog = 1000

// checkpoint copies the log into the file when it has grown, as far as
// readers and other processes allow. SQLite would do so inside COMMIT, where
// the callers wait for it and where a failed fsync is not told.
func checkpoint(ctx context.Context, c *conn) error {
	var busy, log, copied int
	for _, mode := range []string{"NOOP", "PASSIVE"} {
		s, err := c.stmt(ctx, "PRAGMA wal_checkpoint("+mode+")") //nolint:sqlclosecheck // the connection keeps it
		if err != nil {
			return err
		}
		if err := s.QueryRowContext(ctx).Scan(&busy, &log, &copied); err != nil {
			return err
		}
		if log-copied < maxLog {
			break
		}
	}
	return nil
}

func readDSN(path string) string {
	return dsn(path, "mode=ro", "_pragma=busy_timeout(5000)", "_pragma=query_only(1)",
		"_pragma=cache_size(-4096)", "_pragma=trusted_schema(0)")
}

// peekDSN reads a file as it lies, without locks and without ever writing
// beside it: for a file that may not be ours.
func peekDSN(path string) string { return dsn(path, "mode=ro", "immutable=1") }

// createDSN makes a new file, under a name nobody uses yet: it needs no
// journal, and is synced once, when it is complete.
func createDSN(path string) string {
	return dsn(path, "mode=rw", "_pragma=journal_mode(MEMORY)", "_pragma=synchronous(OFF)", "_pragma=foreign_keys(1)")
}

// codeOf is SQLite's extended result code, or 0 for an error of another kind.
func codeOf(err error) int {
	// An interface, so that tests can bring errors no healthy disk gives.
	var e interface {
		error
		Code() int
	}
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// isUnique reports a broken UNIQUE or PRIMARY KEY rule.
func isUnique(err error) bool {
	code := codeOf(err)
	return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || code == sqlite3.SQLITE_CONSTRAINT_ROWID
}

// isForeignKey reports a row that others still refer to, or a reference to
// none.
func isForeignKey(err error) bool { return codeOf(err) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY }

// busyCode is what SQLite says when another connection holds a lock.
const busyCode = sqlite3.SQLITE_BUSY

// isBusy reports that another connection holds the lock.
func isBusy(err error) bool {
	code := codeOf(err) & 0xff
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}

// isSyncFailure reports a failed fsync, after which nothing is certain.
func isSyncFailure(err error) bool {
	code := codeOf(err)
	return code == sqlite3.SQLITE_IOERR_FSYNC || code == sqlite3.SQLITE_IOERR_DIR_FSYNC
}

// endsTransaction reports an error after which SQLite may have rolled back
// the whole transaction by itself (its documentation, "Response To Errors
// Within A Transaction").
func endsTransaction(err error) bool {
	switch codeOf(err) & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_BUSY,
		sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ABORT:
		return true
	}
	return false
}

// translate turns what the driver says into what it means for people, by
// SQLite's numeric code. Rules of the schema stay as they are: the query that
// broke one knows what it means.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if e := (*portal.Error)(nil); errors.As(err, &e) {
		return err
	}
	code := codeOf(err)
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return errDiskFull(err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &portal.Error{
			Kind: portal.Unavailable, Code: "store.busy", Err: err,
			Msg:  "the store is in use by another portalctl command",
			Hint: "wait for it to finish and try again",
		}
	case sqlite3.SQLITE_READONLY:
		return &portal.Error{
			Kind: portal.Unavailable, Code: "store.read_only", Err: err,
			Msg: "the store cannot be written", Hint: "check who owns its file and folder, and whether the disk is mounted read-only",
		}
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return &portal.Error{
			Kind: portal.Internal, Code: "store.damaged", Err: err,
			Msg: "the store is damaged", Hint: "restore it from a backup",
		}
	case sqlite3.SQLITE_IOERR:
		return &portal.Error{
			Kind: portal.Unavailable, Code: "store.disk", Err: err,
			Msg: "the disk of the store does not answer properly", Hint: "look for disk errors in the system's log",
		}
	}
	return err
}

// patiently repeats a step that another process holds up, until ctx ends or
// patience does.
func patiently[T any](ctx context.Context, step func() (T, error)) (T, error) {
	began := time.Now()
	for {
		v, err := step()
		if err == nil || !isBusy(err) || time.Since(began) > patience {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, fmt.Errorf("wait for the store: %w", context.Cause(ctx))
		case <-time.After(pause()):
		}
	}
}

// pause is how long to wait between two looks at a lock: short, since the
// gaps between a busy server's transactions are, and uneven, so that two
// waiting processes do not keep in step.
func pause() time.Duration {
	return 500*time.Microsecond + rand.N(2*time.Millisecond) //nolint:gosec // no secret: it only spreads attempts
}
