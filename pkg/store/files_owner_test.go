//go:build linux

package store_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/portalctl/portalctl/pkg/portaltest"
)

// A command of root's attaches a file to a store that the service owns.
func TestFilesBelongToTheOwnerOfTheStore(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	s := portaltest.Store(t)
	const service = 12345
	if err := os.Chown(s.Path(), service, service); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Files().Add(t.Context(), "a", strings.NewReader("attached"), 100); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err := filepath.WalkDir(s.FilesDir(), func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		seen++
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner != service {
			t.Errorf("%s belongs to %d, want %d", p, owner, service)
		}
		return nil
	})
	if err != nil || seen != 3 {
		t.Errorf("saw %d files and folders, want 3: %v", seen, err)
	}
}
