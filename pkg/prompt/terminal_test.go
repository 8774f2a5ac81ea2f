package prompt

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"

	"github.com/portalctl/portalctl/pkg/portal"
)

// screen is a terminal of 80×24 that shows what it is sent and never answers a
// question about itself.
type screen struct {
	t    *testing.T
	ptm  *os.File
	tty  *os.File
	term vt10x.Terminal

	mu  sync.Mutex
	raw strings.Builder
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	ptm, tty, err := pty.Open()
	if err != nil {
		t.Skipf("this machine has no pseudo-terminals: %v", err)
	}
	if err := pty.Setsize(ptm, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, ptm: ptm, tty: tty, term: vt10x.New(vt10x.WithSize(80, 24))}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, err := ptm.Read(buf)
			s.mu.Lock()
			s.raw.Write(buf[:n])
			_, _ = s.term.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		// A read that is still waiting keeps the terminal open; this ends it.
		_, _ = ptm.WriteString("\n")
		_ = tty.Close()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Error("the terminal is still being read")
		}
		_ = ptm.Close()
	})
	return s
}

func (s *screen) prompter(env map[string]string, accessible bool) *Prompter {
	return New(Options{In: s.tty, Out: s.tty, Accessible: accessible, Getenv: func(name string) string {
		if value, ok := env[name]; ok {
			return value
		}
		if name == "TERM" {
			return "xterm-256color"
		}
		return ""
	}})
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := strings.Split(s.term.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func (s *screen) sent() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.String()
}

// waitFor waits until the screen shows all the texts.
func (s *screen) waitFor(texts ...string) {
	s.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		shown := s.String()
		missing := ""
		for _, text := range texts {
			if !strings.Contains(shown, strings.TrimRight(text, " ")) {
				missing = text
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the screen never showed %q; it shows:\n%s", missing, shown)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *screen) press(keys string) {
	s.t.Helper()
	if _, err := s.ptm.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

const (
	enter    = "\r"
	down     = "\x1b[B"
	right    = "\x1b[C"
	shiftTab = "\x1b[Z"
	ctrlC    = "\x03"
	ctrlD    = "\x04"
)

// start runs ask and returns a function that waits for what it returned.
func start(t *testing.T, ask func(context.Context) error) (wait func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- ask(t.Context()) }()
	return func() error {
		t.Helper()
		select {
		case err := <-done:
			return err
		case <-time.After(20 * time.Second):
			t.Fatal("the question never ended")
			return nil
		}
	}
}

// answers is what the wizard of these tests asks for.
type answers struct {
	name, domain, slug, mode string
	groups                   []string
	draft                    bool
}

func (a *answers) wizard() Wizard {
	return Wizard{
		Steps: []Step{
			{Title: "Name", Description: "What customers see in the browser tab.", Fields: []Field{
				{Title: "Name", Pass: "--name", Text: &a.name, Placeholder: "Nordic Tools Support"},
			}},
			{Title: "Domain", Fields: []Field{
				{Title: "Which domain?", Pass: "--domain", Pick: &a.domain, Choices: []Choice{
					{Value: "support.example.com", Label: "support.example.com"},
					{Value: "localhost", Label: "localhost", Help: "no membership mail"},
				}},
				{
					Title: "Slug", Pass: "--slug", Text: &a.slug, Optional: true,
					Help: func() string { return "https://" + a.domain + "/" + a.slug },
					Check: func(s string) error {
						if strings.ContainsAny(s, " /") {
							return portal.Invalidf("slug", "slug", "%q is not a slug", s).WithHint("write it like help")
						}
						return nil
					},
				},
			}},
			{Title: "Access", Fields: []Field{
				{Title: "Who gets in?", Pass: "--access", Pick: &a.mode, Choices: []Choice{
					{Value: "self-register", Label: "Anyone who registers"},
					{Value: "groups", Label: "Only groups"},
				}},
				{
					Title: "Which groups?", Pass: "--group", PickMany: &a.groups,
					Hide: func() bool { return a.mode != "groups" },
					Choices: []Choice{
						{Value: "vip", Label: "VIP"}, {Value: "beta", Label: "Beta"}, {Value: "staff", Label: "Staff"},
					},
					CheckMany: func(values []string) error {
						if len(values) == 0 {
							return errors.New("choose at least one group")
						}
						return nil
					},
				},
				{Title: "Keep it a draft?", Pass: "--draft", Yes: &a.draft},
			}},
		},
		Summary: func() string {
			return "Name    " + a.name + "\nURL     https://" + a.domain + "/" + a.slug + "\nAccess  " + a.mode + " " + strings.Join(a.groups, "_")
		},
		Confirm: "Create the portal",
	}
}

// clear forgets what is shown, so that what is waited for next is new.
func (s *screen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.term.Write([]byte("\x1b[2J\x1b[H"))
}
