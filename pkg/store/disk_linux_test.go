package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestRealDiskThatIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("portalctl-test", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "portal.db")
	s, err := store.Open(t.Context(), path, store.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	reserve := filepath.Join(dir, "reserve")
	if err := os.WriteFile(reserve, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := child(t, "fill:k", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	kept, said := len(lines)-1, lines[len(lines)-1]
	if kept == 0 || said != "unavailable: the disk is full" {
		t.Errorf("after %d writes it said %q", kept, said)
	}
	// What was acknowledged is there, and reading goes on with the disk full.
	s = portaltest.OpenStore(t, path, store.Options{})
	for i := range kept {
		if !hasMeta(t, s, fmt.Sprintf("k-%d", i)) {
			t.Errorf("value %d was acknowledged and is gone", i)
		}
	}
	if err := os.Remove(reserve); err != nil {
		t.Fatal(err)
	}
	if err := setMeta(t.Context(), s, "healed"); err != nil {
		t.Errorf("with room again: %v", err)
	}
	s.Close()

	// A new store on a full disk: one clear error, and nothing left behind.
	_ = os.WriteFile(reserve, make([]byte, 8<<20), 0o600) // as much as fits
	other := filepath.Join(dir, "other.db")
	if _, err = store.Open(t.Context(), other, store.Options{Create: true}); err == nil || !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), other) {
		t.Errorf("making a store on a full disk: %v", err)
	}
	if left, err := filepath.Glob(other + "*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
