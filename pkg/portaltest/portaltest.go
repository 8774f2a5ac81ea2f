// Package portaltest gives tests a store in a temporary directory, a clock
// that stands still and, for benchmarks, a store full of tickets.
package portaltest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/store"
)

// Start is the time a Clock begins at.
var Start = time.Date(2026, time.March, 4, 9, 30, 0, 0, time.UTC)

// Clock is a clock that moves only when it is told to.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at Start.
func NewClock() *Clock { return &Clock{now: Start} }

// Now is the clock's time; it is what store.Options.Now wants.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the clock, forward or back, and returns the new time.
func (c *Clock) Add(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// Store returns a new, empty store in a temporary directory; it closes with
// the test. Its clock stands still at Start.
func Store(t testing.TB) *store.Store {
	t.Helper()
	s, _ := StoreClock(t)
	return s
}

// StoreClock is Store with the clock, for tests in which time passes.
func StoreClock(t testing.TB) (*store.Store, *Clock) {
	t.Helper()
	clock, path := NewClock(), filepath.Join(t.TempDir(), "portal.db")
	empty, err := emptyStore()
	if err == nil {
		err = os.WriteFile(path, empty, 0o600)
	}
	if err != nil {
		t.Fatalf("make a store: %v", err)
	}
	return OpenStore(t, path, store.Options{Now: clock.Now}), clock
}

// emptyStore is the file of a new store. It is made once and copied, which
// takes a tenth of the time of making each.
var emptyStore = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "portaltest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "portal.db")
	s, err := store.Open(context.Background(), path, store.Options{Create: true, Now: NewClock().Now})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// OpenStore opens the store at path; it closes with the test.
func OpenStore(t testing.TB, path string, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path, o)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}
