// Package store is the database: schema, migrations and every query. It is
// the only package that writes SQL. Its statements are portable; what only
// SQLite knows stands in sqlite.go, open.go and search.go.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Options say how a store is opened.
type Options struct {
	// Create makes the store when there is none. Only init and demo set it.
	Create bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// ReadConns is the size of the read pool; 0 means the number of cores, at least 2.
	ReadConns int
	// Version is the program's own, for the message that a later, older
	// program gives when it refuses the store.
	Version string
	// Alone makes every Write a transaction of its own; benchmarks compare with it.
	Alone bool

	// migrations are the schema's steps; tests bring further ones.
	migrations fs.FS
}

// Store is an open database and the folder of files beside it.
type Store struct {
	path    string
	now     func() time.Time
	queries atomic.Int64

	writeDB, readDB *sql.DB
	writer          *writer
	readers         chan *conn
	onMoves         atomic.Pointer[movesFunc]
	onWritten       atomic.Pointer[func()]
	written         atomic.Uint64

	frozen  atomic.Bool
	closing sync.RWMutex // held for reading by every Read
	closed  bool
}

// Tx is a transaction. Every query is a method on it. It belongs to the
// function it was given to: it must not be kept, nor used by two goroutines
// at once, and that function must not call Read or Write itself.
type Tx struct {
	// Now is read once, so rows written together carry one time.
	Now time.Time

	c       *conn
	queries *atomic.Int64
	writes  bool
	// broken is set when SQLite may have ended the whole transaction by
	// itself; later statements would then run outside any.
	broken error

	ruled *[]portal.Group // the groups by rule; nil until they are asked for
	moves []GroupMove     // who joined or left them, and nobody was told of yet
}

// Open opens the store at path after checking that it is ours, whole and not
// newer than this program; an older one is migrated, after a copy beside it.
// A missing store is NotFound store.none unless Options.Create is set. What is
// wrong with a file that is refused stands in the error, and the file is left
// as it was.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.migrations == nil {
		o.migrations = migrations
	}
	path, err := prepare(ctx, path, o)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, now: o.Now}
	if err := s.connect(ctx, o); err != nil {
		_ = s.disconnect() // err says more
		return nil, openError(path, err)
	}
	return s, nil
}

// connect opens the one connection that writes and the pool that reads.
func (s *Store) connect(ctx context.Context, o Options) (err error) {
	if s.writeDB, err = sql.Open(driverName, writeDSN(s.path)); err != nil {
		return err
	}
	s.writeDB.SetMaxOpenConns(1)
	if err := migrate(ctx, s.writeDB, s.path, o); err != nil {
		return err
	}
	w, err := patiently(ctx, func() (*conn, error) { return newConn(ctx, s.writeDB) })
	if err != nil {
		return err
	}
	s.writer = newWriter(s, w, o.Alone)

	size := o.ReadConns
	if size <= 0 {
		size = max(2, runtime.GOMAXPROCS(0))
	}
	if s.readDB, err = sql.Open(driverName, readDSN(s.path)); err != nil {
		return err
	}
	s.readDB.SetMaxOpenConns(size + 1) // one more for Check

	s.readDB.SetMaxIdleConns(size + 1)
	s.readers = make(chan *conn, size)
	for range size {
		// Connections open when they are first needed: a command that reads
		// one row pays for one.
		s.readers <- nil
	}
	return nil
}

// Close finishes queued writes and closes every connection. Writes and reads
// that come later fail.
func (s *Store) Close() error {
	s.closing.Lock()
	if s.closed {
		s.closing.Unlock()
		return nil
	}
	s.closed = true
	s.closing.Unlock()
	return s.disconnect()
}

func (s *Store) disconnect() error {
	if s.readers != nil {
		for range cap(s.readers) {
			if c := <-s.readers; c != nil {
				c.close()
			}
		}
	}
	if s.readDB != nil {
		s.readDB.Close()
	}
	if s.writer != nil {
		s.writer.close()
	}
	if s.writeDB != nil {
		return s.writeDB.Close()
	}
	return nil
}

// Path is the database file.
func (s *Store) Path() string { return s.path }

// FilesDir is the folder beside the database where attachments lie.
func (s *Store) FilesDir() string { return s.path + ".files" }

// KeyPath is the file beside the database that holds the key to its secrets.
func (s *Store) KeyPath() string { return s.path + ".key" }

// Failed is closed when the disk refused to make a write durable. Nothing is
// written after that, because what the disk then says could be untrue; serve
// tells why and exits for its supervisor. Failure says what happened.
func (s *Store) Failed() <-chan struct{} { return s.writer.failed }

// Failure is why the store takes no more writes; nil while it does.
func (s *Store) Failure() error { return s.writer.failure() }

// Write runs fn in a transaction that is on disk when Write returns nil.
// Concurrent calls share one commit; each has its own savepoint, so a failing
// one undoes nothing of its neighbours. ctx ends the wait for a turn, not fn:
// once fn has begun, Write returns when its fate is known. A panic in fn
// undoes what it wrote and goes on to the caller.
func (s *Store) Write(ctx context.Context, fn func(tx *Tx) error) error {
	if s.frozen.Load() {
		return portal.Forbiddenf("view.read_only", "nothing is written here")
	}
	var after func()
	err := s.writer.write(ctx, func(tx *Tx) (err error) {
		if err = fn(tx); err == nil {
			after, err = s.settle(ctx, tx)
		}
		return err
	})
	if err == nil {
		s.written.Add(1)
		if told := s.onWritten.Load(); told != nil {
			(*told)()
		}
	}
	if err == nil && after != nil {
		after()
	}
	return err
}

// Freeze has every Write refused from now on, or taken again: for a program that
// promises to change nothing.
func (s *Store) Freeze(frozen bool) { s.frozen.Store(frozen) }

// OnWritten sets what is told of every Write that is on disk. It must be quick
// and not use the store.
func (s *Store) OnWritten(fn func()) { s.onWritten.Store(&fn) }

// Written counts the Writes of this process that are on disk, so that what was
// read can be used again while nothing was written.
func (s *Store) Written() uint64 { return s.written.Load() }

// Read runs fn on one consistent view of the store. fn cannot write.
func (s *Store) Read(ctx context.Context, fn func(tx *Tx) error) (err error) {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.closed {
		return errClosed
	}
	if ctx.Err() != nil {
		return fmt.Errorf("read the store: %w", context.Cause(ctx))
	}
	var c *conn
	select {
	case c = <-s.readers:
	case <-ctx.Done():
		return fmt.Errorf("wait for the store: %w", context.Cause(ctx))
	}
	defer func() { s.readers <- c }()
	if c == nil {
		if c, err = newConn(ctx, s.readDB); err != nil {
			return translate(err)
		}
	}
	if err := c.run(context.WithoutCancel(ctx), "BEGIN"); err != nil {
		c = c.drop()
		return translate(err)
	}
	defer func() {
		// The view ends whatever became of fn and of its context.
		if end := c.run(context.WithoutCancel(ctx), "ROLLBACK"); end != nil {
			c = c.drop()
		}
	}()
	return fn(&Tx{Now: s.clock(), c: c, queries: &s.queries})
}

// clock is the time as the store keeps it: UTC, in whole milliseconds, so
// that what was written reads back equal.
func (s *Store) clock() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// Queries returns how many statements have run since the store was opened;
// tests count a page's with it.
func (s *Store) Queries() int64 { return s.queries.Load() }

var errClosed = &portal.Error{Kind: portal.Unavailable, Code: "store.closed", Msg: "the store is closed"}

// Tidy refreshes what the query planner knows about the store. serve calls it
// when it starts and once a day.
func (s *Store) Tidy(ctx context.Context) error {
	return s.Write(ctx, func(tx *Tx) error {
		// Without a limit ANALYZE writes samples, and SQLite then parses every
		// prepared statement again for each new value.
		if err := tx.do(ctx, "PRAGMA analysis_limit = 1000"); err != nil {
			return err
		}
		return tx.do(ctx, "PRAGMA optimize")
	})
}
