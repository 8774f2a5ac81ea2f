package auth_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/portalctl/portalctl/pkg/auth"
)

func TestSealedSecretOpensForItsPurposeOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portal.db.key")
	s := auth.NewSealer(path)
	sealed, err := s.Seal("sso:1", []byte("hunter2"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("hunter2")) {
		t.Errorf("the sealed text holds the secret: %q", sealed)
	}
	// Another process finds the key in the file.
	again := auth.NewSealer(path)
	if secret, err := again.Open("sso:1", sealed); err != nil || string(secret) != "hunter2" {
		t.Errorf("opened %q, %v; want hunter2", secret, err)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another purpose": func() ([]byte, error) { return again.Open("sso:2", sealed) },
		"a changed text":  func() ([]byte, error) { return again.Open("sso:1", changed) },
		"a short text":    func() ([]byte, error) { return again.Open("sso:1", sealed[:5]) },
		"nothing":         func() ([]byte, error) { return again.Open("sso:1", nil) },
	} {
		if secret, err := open(); !errors.Is(err, auth.ErrSealed) {
			t.Errorf("%s: opened %q, %v; want ErrSealed", name, secret, err)
		}
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v; want mode 0600", info.Mode(), err)
	}
}

func TestSealersOfOneStoreShareTheFirstKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portal.db.key")
	sealed := make([][]byte, 8)
	var all sync.WaitGroup
	for i := range sealed {
		all.Go(func() {
			var err error
			if sealed[i], err = auth.NewSealer(path).Seal("x", []byte("secret")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := auth.NewSealer(path)
	for i, text := range sealed {
		if _, err := s.Open("x", text); err != nil {
			t.Errorf("secret %d of 8 sealed at once: %v", i, err)
		}
	}
}

func TestLostOrBrokenKeyIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portal.db.key")
	if _, err := auth.NewSealer(path).Open("x", make([]byte, 60)); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("without a key: %v; want an error that names the file", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("opening made a key")
	}
	if err := os.WriteFile(path, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.NewSealer(path).Seal("x", []byte("secret")); err == nil {
		t.Error("sealed with a broken key file")
	}
	if text, _ := os.ReadFile(path); string(text) != "not a key" {
		t.Errorf("the key file became %q", text)
	}
}

func TestMarksNeedTheKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portal.db.key")
	mark := func(path, purpose, data string) string {
		m, err := auth.NewSealer(path).Mark(purpose, []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		return string(m)
	}
	one := mark(path, "erased", "ann@example.com")
	if again := mark(path, "erased", "ann@example.com"); again != one {
		t.Errorf("the same address got the marks %x and %x", one, again)
	}
	for name, other := range map[string]string{
		"another address": mark(path, "erased", "bo@example.com"),
		"another purpose": mark(path, "known", "ann@example.com"),
		"another key":     mark(filepath.Join(t.TempDir(), "portal.db.key"), "erased", "ann@example.com"),
	} {
		if other == one {
			t.Errorf("%s has the mark of the first, %x", name, one)
		}
	}
}
