//go:build unix

package socket

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestUnixReplacesWhatIsLeftOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "http.sock")
	first, err := Unix(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket is %v, %v; want rw for owner and group", info, err)
	}
	if _, err := Unix(t.Context(), path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second listener: %v, want address in use", err)
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false)
	first.Close()
	second, err := Unix(t.Context(), path)
	if err != nil {
		t.Fatalf("over one that is left over: %v", err)
	}
	second.Close()
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket stays when it is closed")
	}
	if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Unix(t.Context(), path); !errors.Is(err, ErrNoSocket) {
		t.Errorf("over a file: %v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "kept" {
		t.Errorf("the file holds %q, %v", data, err)
	}
}
