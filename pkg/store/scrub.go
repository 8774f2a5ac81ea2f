package store

import (
	"context"
	"database/sql"
	"fmt"
)

// mergePages is how much of the search index one step of Scrub merges, so that
// other writers get their turn in between.
const mergePages = 500

// Scrub makes sure that what was deleted is nowhere in the file: the search
// index drops the words of rows it no longer has, free pages and the free
// parts of pages are left out by writing the file anew, and the log is copied
// into it and emptied. rewrite false leaves out writing it anew, which takes
// room and time for the whole file and makes other writers wait.
//
// It uses a connection of its own, because none of this can run inside a
// transaction of Write.
func (s *Store) Scrub(ctx context.Context, rewrite bool) error {
	db, err := sql.Open(driverName, writeDSN(s.path))
	if err != nil {
		return fmt.Errorf("scrub the store: %w", err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	run := func(statement string) error {
		_, err := patiently(ctx, func() (sql.Result, error) { return db.ExecContext(ctx, statement) })
		return translate(err)
	}
	if err := run("PRAGMA secure_delete = 1"); err != nil {
		return fmt.Errorf("scrub the store: %w", err)
	}
	if err := s.mergeIndex(ctx, db); err != nil {
		return fmt.Errorf("scrub the search index: %w", translate(err))
	}
	if rewrite {
		if err := run("VACUUM"); err != nil {
			return fmt.Errorf("write the store anew: %w", err)
		}
	}
	return s.emptyLog(ctx, db)
}

// mergeIndex merges the search index until nothing is left of rows that were
// deleted: a contentless index forgets them only then.
func (s *Store) mergeIndex(ctx context.Context, db *sql.DB) error {
	for pages := -mergePages; ; pages = mergePages {
		before, after := 0, 0
		_, err := patiently(ctx, func() (struct{}, error) {
			if err := db.QueryRowContext(ctx, "SELECT total_changes()").Scan(&before); err != nil {
				return struct{}{}, err
			}
			_, err := db.ExecContext(ctx, "INSERT INTO message_search (message_search, rank) VALUES ('merge', $1)", pages)
			return struct{}{}, err
		})
		if err != nil {
			return err
		}
		if err := db.QueryRowContext(ctx, "SELECT total_changes()").Scan(&after); err != nil {
			return err
		}
		// SQLite's documentation: fewer than two changes mean that nothing was
		// left to merge.
		if after-before < 2 {
			return nil
		}
	}
}

// emptyLog copies the write-ahead log into the file and cuts it off. Readers
// of a server may hold it up for a moment.
func (s *Store) emptyLog(ctx context.Context, db *sql.DB) error {
	_, err := patiently(ctx, func() (struct{}, error) {
		var busy, log, copied int
		err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &copied)
		if err == nil && busy != 0 {
			err = errLogBusy{}
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("empty the store's log: %w", translate(err))
	}
	return nil
}

// errLogBusy says that another connection still reads the log.
type errLogBusy struct{}

// Error implements error.
func (errLogBusy) Error() string { return "another process still reads the log" }

// Code is SQLite's, so that it counts as busy.
func (errLogBusy) Code() int { return busyCode }
