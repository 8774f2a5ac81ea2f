// Package store is the database: schema, migrations and every query. It is
// the only package that writes SQL. Its statements are portable; what only
// SQLite knows stands in sqlite.go and search.go.
package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Options say how a store is opened.
type Options struct {
	// Create makes the store when there is none. Only init and demo set it.
	Create bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// ReadConns is the size of the read pool; 0 means the number of cores, at least 2.
	ReadConns int
	// Alone makes every Write a transaction of its own; benchmarks compare with it.
	Alone bool
}

// Store is an open database and the folder of files beside it.
type Store struct {
	path string
	now  func() time.Time
}

// Tx is a transaction. Every query is a method on it.
type Tx struct {
	// Now is read once, so rows written together carry one time.
	Now time.Time
	sql *sql.Tx
}

var errUnwritten = errors.New("unwritten")

// Open opens the store at path after checking that it is ours, whole and not
// newer than this program; an older one is migrated, after a copy beside it.
func Open(ctx context.Context, path string, o Options) (*Store, error) { return nil, errUnwritten }

// Close finishes queued writes and closes every connection.
func (s *Store) Close() error { return errUnwritten }

// Path is the database file.
func (s *Store) Path() string { return s.path }

// FilesDir is the folder beside the database where attachments lie.
func (s *Store) FilesDir() string { return s.path + ".files" }

// Write runs fn in a transaction that is on disk when Write returns nil.
// Concurrent calls share one commit; each has its own savepoint, so a failing
// one undoes nothing of its neighbours. ctx ends the wait, not fn.
func (s *Store) Write(ctx context.Context, fn func(tx *Tx) error) error { return errUnwritten }

// Read runs fn on one consistent view of the store. fn cannot write.
func (s *Store) Read(ctx context.Context, fn func(tx *Tx) error) error { return errUnwritten }

// Check verifies the database's integrity and foreign keys.
func (s *Store) Check(ctx context.Context) error { return errUnwritten }

// Queries returns how many statements have run since the store was opened;
// tests count a page's with it.
func (s *Store) Queries() int64 { return 0 }
