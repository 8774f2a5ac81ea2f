package main_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// build compiles the real program and returns its path.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "portalctl")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build portalctl: %v\n%s", err, out)
	}
	return path
}

// silentTerminal runs the program on a terminal that never answers a question
// about itself, and returns what it printed there.
func silentTerminal(t *testing.T, path string, args ...string) (shown string, code int) {
	t.Helper()
	cmd := exec.Command(path, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0", "HOME=" + t.TempDir(), "TERM=xterm-256color"}
	ptm, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Skipf("this machine has no pseudo-terminals: %v", err)
	}
	defer ptm.Close()
	var printed bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, err := io.Copy(&printed, ptm)
		// What Linux says when the other end is closed.
		if err != nil && !errors.Is(err, syscall.EIO) {
			t.Errorf("read the terminal: %v", err)
		}
	}()
	_ = cmd.Wait() // the exit code says it
	<-read
	return printed.String(), cmd.ProcessState.ExitCode()
}

// The wizard's library asks the terminal for its colours before main, and waits
// five seconds for an answer. The question is what shows: a test on a busy
// machine cannot tell five seconds of waiting from five of work.
func TestNoCommandAsksTheTerminalAboutItself(t *testing.T) {
	path := build(t)
	for _, tt := range []struct {
		args string
		want string
		code int
	}{
		{"version", "portalctl dev", 0},
		{"--help", "Usage:", 0},
		{"nonsense", `"nonsense" is not a command of portalctl`, 2},
	} {
		shown, code := silentTerminal(t, path, strings.Fields(tt.args)...)
		if !strings.Contains(shown, tt.want) || code != tt.code {
			t.Errorf("portalctl %s: exit %d, %q; want %d and %q", tt.args, code, shown, tt.code, tt.want)
		}
		if strings.Contains(shown, "\x1b") {
			t.Errorf("portalctl %s: escape codes on the terminal: %q", tt.args, shown)
		}
	}
}
