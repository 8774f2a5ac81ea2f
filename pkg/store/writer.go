package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// maxBatch is how many requests share one commit at most.
const maxBatch = 64

// checkpointEvery is after how many commits the log is looked at.
const checkpointEvery = 8

// writer owns the one connection that writes. Its goroutine takes all waiting
// requests into one transaction, lets each run in turn inside a savepoint,
// commits once and then answers them all: one wait for the disk serves many.
type writer struct {
	store   *Store
	c       *conn
	max     int
	queue   chan *request
	done    chan struct{} // closed when the goroutine has left
	commits int
	// commit and checkpoint are fields, so that tests can let a disk fail.
	commit, checkpoint func(ctx context.Context) error

	waiting atomic.Int32 // writes in the queue whose turn has not come

	closing sync.RWMutex // held for reading by every write
	closed  bool

	failed    chan struct{} // closed by the first failed fsync
	failedFor atomic.Pointer[portal.Error]
}

// request is one call of Write. Its function runs in the caller's goroutine,
// so that a panic, or the end of a test, happens where it belongs.
type request struct {
	state atomic.Int32
	turn  chan *Tx      // the transaction, when it is the request's turn
	ran   chan struct{} // closed when fn has returned, whichever way
	err   error         // what fn returned; its savepoint is undone if not nil
	fate  chan error    // nil once the commit is on disk
}

// The states of a request.
const (
	queued    = iota // in the queue
	taken            // the writer gave it its turn
	abandoned        // the caller's context ended first
)

func newWriter(s *Store, c *conn, alone bool) *writer {
	w := &writer{
		store: s, c: c, max: maxBatch, queue: make(chan *request, 2*maxBatch),
		done: make(chan struct{}), failed: make(chan struct{}),
	}
	if alone {
		w.max = 1
	}
	w.commit = func(ctx context.Context) error { return c.run(ctx, "COMMIT") }
	w.checkpoint = func(ctx context.Context) error { return checkpoint(ctx, c) }
	go w.loop()
	return w
}

func (w *writer) close() {
	w.closing.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.closing.Unlock()
	<-w.done
	w.c.close()
}

func (w *writer) failure() error {
	if e := w.failedFor.Load(); e != nil {
		return e
	}
	return nil
}

var errFnLeft = errors.New("the function of a write did not return")

func (w *writer) write(ctx context.Context, fn func(tx *Tx) error) error {
	w.closing.RLock()
	defer w.closing.RUnlock()
	if w.closed {
		return errClosed
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("wait for the store: %w", err)
	}
	r := &request{turn: make(chan *Tx, 1), ran: make(chan struct{}), fate: make(chan error, 1)}
	tx, err := w.wait(ctx, r)
	if err != nil {
		return err
	}
	w.run(r, tx, fn)
	return <-r.fate
}

// wait queues a request until its turn has come. An error means that it will
// not come.
func (w *writer) wait(ctx context.Context, r *request) (*Tx, error) {
	ended := func() error { return fmt.Errorf("wait for the store: %w", context.Cause(ctx)) }
	select {
	case w.queue <- r:
	case <-ctx.Done():
		return nil, ended()
	}
	w.waiting.Add(1) // not before: who counts on them may count on their batch
	defer w.waiting.Add(-1)
	select {
	case tx := <-r.turn:
		return tx, nil
	case err := <-r.fate: // refused before its turn came
		return nil, err
	case <-ctx.Done():
		if r.state.CompareAndSwap(queued, abandoned) {
			return nil, ended()
		}
	}
	select { // the writer was faster than the context
	case tx := <-r.turn:
		return tx, nil
	case err := <-r.fate:
		return nil, err
	}
}

// run lets fn write, and tells the writer that it has finished even when it
// panics or ends its goroutine.
func (w *writer) run(r *request, tx *Tx, fn func(tx *Tx) error) {
	r.err = errFnLeft
	defer close(r.ran)
	r.err = fn(tx)
}

func (w *writer) loop() {
	defer close(w.done)
	for first := range w.queue {
		batch := []*request{first}
		for len(batch) < w.max {
			select {
			case r, ok := <-w.queue:
				if ok {
					batch = append(batch, r)
					continue
				}
			default:
			}
			break
		}
		w.serve(batch)
	}
}

// serve runs a batch in one transaction and answers every request in it.
func (w *writer) serve(batch []*request) {
	ctx := context.Background()
	if e := w.failedFor.Load(); e != nil {
		answer(batch, e)
		return
	}
	if err := w.begin(ctx, batch); err != nil {
		answer(batch, translate(err))
		return
	}
	kept := batch[:0:0]
	for i, r := range batch {
		if !r.state.CompareAndSwap(queued, taken) {
			continue
		}
		kept = append(kept, r)
		if err := w.turn(ctx, r); err != nil {
			// SQLite ended the transaction by itself: what the others wrote is
			// gone as well, and they are told so.
			_ = w.c.run(ctx, "ROLLBACK")
			w.fail(err)
			answer(kept, translate(err))
			answer(batch[i+1:], translate(err))
			return
		}
	}
	if err := w.finish(ctx); err != nil {
		_ = w.c.run(ctx, "ROLLBACK")
		w.fail(err)
		answer(kept, translate(err))
		return
	}
	answer(kept, nil)
	// Everybody has their answer; now there is time for the log. Other errors
	// than a failed fsync only leave it to be copied later.
	if w.commits++; w.commits%checkpointEvery == 0 {
		if err := w.checkpoint(ctx); err != nil {
			w.fail(err)
		}
	}
}

// turn gives one request its savepoint. An error means that the transaction
// itself is lost.
func (w *writer) turn(ctx context.Context, r *request) error {
	if err := w.c.run(ctx, "SAVEPOINT request"); err != nil {
		return err
	}
	tx := &Tx{Now: w.store.clock(), c: w.c, queries: &w.store.queries, writes: true}
	r.turn <- tx
	<-r.ran
	if tx.broken != nil {
		return tx.broken
	}
	if r.err != nil {
		if err := w.c.run(ctx, "ROLLBACK TO request"); err != nil {
			return err
		}
	}
	// Releasing fails when there is no such savepoint: the last check that the
	// transaction still is the one that began.
	return w.c.run(ctx, "RELEASE request")
}

// begin starts the transaction. While another process holds the lock it
// looks again and again, until nobody waits any more or patience ends.
func (w *writer) begin(ctx context.Context, batch []*request) error {
	began := time.Now()
	for {
		err := w.c.run(ctx, "BEGIN IMMEDIATE")
		if err == nil || !isBusy(err) || time.Since(began) > patience || !wanted(batch) {
			return err
		}
		time.Sleep(pause())
	}
}

func wanted(batch []*request) bool {
	for _, r := range batch {
		if r.state.Load() == queued {
			return true
		}
	}
	return false
}

func (w *writer) finish(ctx context.Context) error {
	_, err := patiently(ctx, func() (struct{}, error) { return struct{}{}, w.commit(ctx) })
	return err
}

// fail ends all writing after a failed fsync. It is not tried again: the
// system may have dropped the pages it could not write, and a second fsync
// would then succeed without them.
func (w *writer) fail(err error) {
	if !isSyncFailure(err) {
		return
	}
	e := &portal.Error{
		Kind: portal.Unavailable, Code: "store.failed", Err: err,
		Msg:  "the disk did not keep what was written; the store takes no more writes",
		Hint: "look for disk errors in the system's log, then start again",
	}
	if w.failedFor.CompareAndSwap(nil, e) {
		close(w.failed)
	}
}

// answer tells requests their fate: the error that befell all of them, else
// what their own function returned.
func answer(batch []*request, err error) {
	for _, r := range batch {
		if !r.state.CompareAndSwap(queued, taken) && r.state.Load() == abandoned {
			continue
		}
		if err == nil {
			r.fate <- r.err
		} else {
			r.fate <- err
		}
	}
}
