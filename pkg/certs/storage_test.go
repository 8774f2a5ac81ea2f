package certs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/caddyserver/certmagic"
)

func TestAccountInTheMakingIsNobodysAddress(t *testing.T) {
	s := storage{&certmagic.FileStorage{Path: t.TempDir()}}
	for _, dir := range []string{"acme/ca/users/default", "certificates/ca/a.example"} {
		if err := os.MkdirAll(filepath.Join(s.Path, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := s.List(t.Context(), "acme/ca/users", false); err != nil || len(list) > 0 {
		t.Errorf("accounts: %v, %v, want none", list, err)
	}
	if list, err := s.List(t.Context(), "certificates/ca", false); err != nil || len(list) != 1 {
		t.Errorf("certificates: %v, %v, want one", list, err)
	}
}
