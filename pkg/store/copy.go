package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
)

// CopyTo is SQLite's own way to write one consistent copy of the database, without the files beside
// it, to a path where nothing lies yet.
func (s *Store) CopyTo(ctx context.Context, path string) error {
	// The file is made first, so that nobody else may read it at any time.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- the caller's own path
	if err != nil {
		return fmt.Errorf("copy the store: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("copy the store: %w", err)
	}
	db, err := sql.Open(driverName, dsn(s.path, "mode=ro", "_pragma=busy_timeout(5000)"))
	if err != nil {
		return fmt.Errorf("copy the store: %w", err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO $1", path); err != nil {
		return fmt.Errorf("copy the store: %w", translate(err))
	}
	return nil
}
