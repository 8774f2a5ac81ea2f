package store_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// While the file is written anew, others wait for their turn and lose nothing.
func TestScrubLetsOthersWriteAndLeavesNothing(t *testing.T) {
	s := portaltest.Store(t)
	set := func(key, value string) error {
		return s.Write(t.Context(), func(tx *store.Tx) error { return tx.SetMeta(t.Context(), key, value) })
	}
	if err := set("secret", strings.Repeat("peculiarword", 500)); err != nil {
		t.Fatal(err)
	}
	if err := set("secret", ""); err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			for n := range 10 {
				if err := set(fmt.Sprintf("key %d %d", i, n), "kept"); err != nil {
					t.Errorf("write %d of writer %d: %v", n, i, err)
				}
			}
		})
	}
	for range 2 {
		if err := s.Scrub(t.Context(), true); err != nil {
			t.Errorf("scrub: %v", err)
		}
	}
	writers.Wait()
	if err := s.Scrub(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := s.Read(t.Context(), func(tx *store.Tx) error { return everyKey(t.Context(), t, tx) }); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(s.Path() + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "peculiarword") {
			t.Errorf("portal.db%s still holds what was overwritten", suffix)
		}
		if suffix != "" && len(content) > 0 {
			t.Errorf("the log has %d bytes after it was emptied", len(content))
		}
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func everyKey(ctx context.Context, t *testing.T, tx *store.Tx) error {
	t.Helper()
	for i := range 4 {
		for n := range 10 {
			v, err := tx.Meta(ctx, fmt.Sprintf("key %d %d", i, n))
			if err != nil {
				return err
			}
			if v != "kept" {
				t.Errorf("what writer %d wrote as %d is lost", i, n)
			}
		}
	}
	return nil
}
