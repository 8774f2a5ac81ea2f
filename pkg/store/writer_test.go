package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// TestMain lets the test binary stand in for another portalctl process.
func TestMain(m *testing.M) {
	if job := os.Getenv("STORE_TEST_JOB"); job != "" {
		if err := runJob(job, os.Getenv("STORE_TEST_STORE")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child starts this test binary again, to do a job on the store at path.
func child(t *testing.T, job, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^$")
	cmd.Env = append(os.Environ(), "STORE_TEST_JOB="+job, "STORE_TEST_STORE="+path)
	return cmd
}

// runJob is the child's side.
func runJob(job, path string) error {
	ctx := context.Background()
	kind, name, _ := strings.Cut(job, ":")
	if kind == "open" {
		s, err := store.Open(ctx, path, store.Options{})
		if err != nil {
			return err
		}
		return s.Close()
	}
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return err
	}
	switch kind {
	case "metas": // writes a hundred values, each acknowledged on standard output
		for i := range 100 {
			if err := setMeta(ctx, s, fmt.Sprintf("%s-%d", name, i)); err != nil {
				return err
			}
			fmt.Println(i)
		}
		return s.Close()
	case "flood": // writes from many goroutines until it is killed
		var mu sync.Mutex
		for g := range 32 {
			go func() {
				for i := 0; ; i++ {
					key := fmt.Sprintf("%s-%d-%d", name, g, i)
					if err := setMeta(ctx, s, key); err != nil {
						fmt.Fprintln(os.Stderr, err)
						os.Exit(1)
					}
					mu.Lock()
					fmt.Println(key)
					mu.Unlock()
				}
			}()
		}
		select {}
	case "hold": // holds the lock until its standard input ends
		return s.Write(ctx, func(tx *store.Tx) error {
			if err := tx.SetMeta(ctx, "held", "1"); err != nil {
				return err
			}
			fmt.Println("holding")
			_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
			return nil
		})
	case "fill": // writes until the disk is full, then says how it failed
		big := strings.Repeat("x", 100_000)
		for i := 0; ; i++ {
			err := s.Write(ctx, func(tx *store.Tx) error { return tx.SetMeta(ctx, fmt.Sprintf("%s-%d", name, i), big) })
			if err != nil {
				fmt.Printf("%s: %v\n", portal.KindOf(err), err)
				return s.Close()
			}
			fmt.Println(i)
		}
	}
	return fmt.Errorf("no job %q", job)
}

func setMeta(ctx context.Context, s *store.Store, key string) error {
	return s.Write(ctx, func(tx *store.Tx) error { return tx.SetMeta(ctx, key, key) })
}

// metas reads which of the keys are there.
func hasMeta(t *testing.T, s *store.Store, key string) (has bool) {
	t.Helper()
	read(t, s, func(ctx context.Context, tx *store.Tx) error {
		v, err := tx.Meta(ctx, key)
		has = v != ""
		return err
	})
	return has
}

func TestFailingWriteLeavesItsNeighboursAlone(t *testing.T) {
	s := portaltest.Store(t)
	ctx := t.Context()
	refused := errors.New("refused")
	var wg sync.WaitGroup
	errs := make([]error, 200) // more than fit into one batch
	for i := range errs {
		wg.Go(func() {
			errs[i] = s.Write(ctx, func(tx *store.Tx) error {
				if err := tx.SetMeta(ctx, fmt.Sprint("k", i), "v"); err != nil {
					return err
				}
				if i%3 == 0 {
					return refused
				}
				return nil
			})
		})
	}
	wg.Wait()
	for i, err := range errs {
		want := error(nil)
		if i%3 == 0 {
			want = refused
		}
		if !errors.Is(err, want) {
			t.Errorf("write %d: %v, want %v", i, err, want)
		}
		if has := hasMeta(t, s, fmt.Sprint("k", i)); has != (want == nil) {
			t.Errorf("row of write %d: there %v, want %v", i, has, want == nil)
		}
	}
}

// together makes one write wait inside its turn while others queue behind
// it, and then lets them share one commit.
func together(t *testing.T, s *store.Store, n int, fn func(i int), queued ...func()) {
	t.Helper()
	begun, free := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.Write(t.Context(), func(*store.Tx) error { close(begun); <-free; return nil })
	})
	<-begun
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	for s.Waiting() < n {
		time.Sleep(time.Millisecond)
	}
	for _, q := range queued {
		q()
	}
	close(free)
	wg.Wait()
}

func TestPanicReachesItsCallerAndUndoesOnlyItsWrite(t *testing.T) {
	s := portaltest.Store(t)
	ctx := t.Context()
	var caught any
	together(t, s, 3, func(i int) {
		defer func() {
			if p := recover(); p != nil {
				caught = p
			}
		}()
		err := s.Write(ctx, func(tx *store.Tx) error {
			if err := tx.SetMeta(ctx, fmt.Sprint("k", i), "v"); err != nil {
				return err
			}
			if i == 1 {
				panic("a bug")
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	if caught != "a bug" {
		t.Errorf("the caller caught %v", caught)
	}
	for i, want := range []bool{true, false, true} {
		if has := hasMeta(t, s, fmt.Sprint("k", i)); has != want {
			t.Errorf("row %d: there %v, want %v", i, has, want)
		}
	}
}

func TestEndedGoroutineDoesNotStopTheWriter(t *testing.T) {
	s := portaltest.Store(t)
	ctx := t.Context()
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.Write(ctx, func(tx *store.Tx) error {
			if err := tx.SetMeta(ctx, "lost", "v"); err != nil {
				return err
			}
			// What t.Fatal does inside a write.
			runtime.Goexit()
			return nil
		})
	})
	wg.Wait()
	if err := setMeta(ctx, s, "kept"); err != nil {
		t.Fatal(err)
	}
	if hasMeta(t, s, "lost") || !hasMeta(t, s, "kept") {
		t.Error("want the ended write undone, the next one kept")
	}
}

func TestCancelledWaitWritesNothing(t *testing.T) {
	s := portaltest.Store(t)
	var ran bool
	begun, free := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = s.Write(t.Context(), func(*store.Tx) error { close(begun); <-free; return nil })
	})
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		if err := s.Write(ctx, func(*store.Tx) error { ran = true; return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want it to be that the context was cancelled", err)
		}
	})
	for s.Waiting() < 1 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	for s.Waiting() > 0 {
		time.Sleep(time.Millisecond)
	}
	close(free)
	wg.Wait()
	if err := setMeta(t.Context(), s, "next"); err != nil {
		t.Error(err)
	}
	if ran {
		t.Error("the function ran although its context had ended")
	}
}

func TestContextThatEndsInsideAWriteDoesNotUndoIt(t *testing.T) {
	s := portaltest.Store(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Write(ctx, func(tx *store.Tx) error {
		if err := tx.SetMeta(ctx, "a", "1"); err != nil {
			return err
		}
		cancel()
		return tx.SetMeta(ctx, "b", "1")
	})
	if err != nil || !hasMeta(t, s, "a") || !hasMeta(t, s, "b") {
		t.Errorf("error %v; want both rows and none", err)
	}
}

func TestCloseFinishesQueuedWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portal.db")
	s, err := store.Open(t.Context(), path, store.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	closed := make(chan error, 1)
	together(t, s, 20, func(i int) {
		if err := setMeta(ctx, s, fmt.Sprint("k", i)); err != nil {
			t.Errorf("a write queued before Close: %v", err)
		}
	}, func() { go func() { closed <- s.Close() }() })
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := setMeta(ctx, s, "late"); portal.KindOf(err) != portal.Unavailable {
		t.Errorf("a write after Close: %v, want it refused", err)
	}
	if err := s.Read(ctx, func(*store.Tx) error { return nil }); portal.KindOf(err) != portal.Unavailable {
		t.Errorf("a read after Close: %v, want it refused", err)
	}
}

func TestReadCannotWrite(t *testing.T) {
	s := portaltest.Store(t)
	err := s.Read(t.Context(), func(tx *store.Tx) error { return tx.SetMeta(t.Context(), "a", "1") })
	if err == nil || hasMeta(t, s, "a") {
		t.Errorf("a write inside Read: error %v", err)
	}
}

func TestReadSeesOneMoment(t *testing.T) {
	s := portaltest.Store(t)
	read(t, s, func(ctx context.Context, tx *store.Tx) error {
		if v, err := tx.Meta(ctx, "a"); err != nil || v != "" {
			return fmt.Errorf("%q, %w", v, err)
		}
		if err := setMeta(context.WithoutCancel(ctx), s, "a"); err != nil {
			return err
		}
		if v, err := tx.Meta(ctx, "a"); err != nil || v != "" {
			t.Errorf("the same read saw %q, written meanwhile; error %v", v, err)
		}
		return nil
	})
	if !hasMeta(t, s, "a") {
		t.Error("the next read does not see what was written")
	}
}

func TestCancelledReadLeavesTheStoreUsable(t *testing.T) {
	s := portaltest.Store(t)
	ctx, cancel := context.WithCancel(t.Context())
	for range 8 {
		_ = s.Read(ctx, func(tx *store.Tx) error {
			cancel()
			_, err := tx.Domains(ctx)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want it to be that the context was cancelled", err)
			}
			return err
		})
		read(t, s, func(ctx context.Context, tx *store.Tx) error { _, err := tx.Domains(ctx); return err })
		ctx, cancel = context.WithCancel(t.Context())
	}
	cancel()
}

func TestTwoProcessesWriteAtOnce(t *testing.T) {
	s := portaltest.Store(t)
	ctx := t.Context()
	children := []*exec.Cmd{child(t, "metas:one", s.Path()), child(t, "metas:two", s.Path())}
	outs := make([]strings.Builder, len(children))
	for i, c := range children {
		c.Stderr = &outs[i]
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				if err := setMeta(ctx, s, fmt.Sprintf("here-%d-%d", g, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, c := range children {
		if err := c.Wait(); err != nil {
			t.Errorf("child %d: %v\n%s", i, err, outs[i].String())
		}
	}
	for _, key := range []string{"one-99", "two-99", "here-7-49"} {
		if !hasMeta(t, s, key) {
			t.Errorf("%s is missing", key)
		}
	}
}

func TestWriteWaitsForAnotherProcess(t *testing.T) {
	s := portaltest.Store(t)
	c := child(t, "hold", s.Path())
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "holding\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := setMeta(ctx, s, "hurried"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller in a hurry got %v, want its deadline", err)
	}
	done := make(chan error, 1)
	go func() { done <- setMeta(t.Context(), s, "patient") }()
	for s.Waiting() < 1 {
		time.Sleep(time.Millisecond)
	}
	in.Close()
	if err := <-done; err != nil {
		t.Errorf("a patient caller got %v", err)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	if !hasMeta(t, s, "patient") || hasMeta(t, s, "hurried") || !hasMeta(t, s, "held") {
		t.Error("want the rows of the child and of the patient caller, and no other")
	}
}

func TestKilledProcessKeepsWhatItAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portal.db")
	for round := range 3 {
		s, err := store.Open(t.Context(), path, store.Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		c := child(t, fmt.Sprint("flood:r", round), path)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		var acknowledged []string
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			acknowledged = append(acknowledged, lines.Text())
			if len(acknowledged) == 200+77*round {
				_ = c.Process.Kill()
			}
		}
		_ = c.Wait()
		began := time.Now()
		s = portaltest.OpenStore(t, path, store.Options{})
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("opening took %v", took)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
		// The last line may have been cut in its middle.
		for _, key := range acknowledged[:len(acknowledged)-1] {
			if !hasMeta(t, s, key) {
				t.Errorf("round %d: %s was acknowledged and is gone", round, key)
			}
		}
	}
}
