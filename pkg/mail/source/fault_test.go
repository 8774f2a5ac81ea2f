package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/imaptest"
)

// faulty is a connection whose incoming side fails after some bytes: it
// breaks, or goes quiet without breaking.
type faulty struct {
	net.Conn
	quiet bool
	drip  bool // from then on one byte comes at a time, 20 s apart

	mu       sync.Mutex
	left     int
	late     []byte
	deadline time.Time
}

func (f *faulty) SetReadDeadline(t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deadline = t
	return f.Conn.SetReadDeadline(t)
}

// dripped hands on one byte of what has come, after a while.
func (f *faulty) dripped(p []byte) (int, error) {
	if len(f.late) == 0 {
		buffer := make([]byte, 64<<10)
		n, err := f.Conn.Read(buffer)
		if err != nil {
			return 0, err
		}
		f.late = buffer[:n]
	}
	time.Sleep(20 * time.Second)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.deadline.IsZero() && !time.Now().Before(f.deadline) {
		return 0, os.ErrDeadlineExceeded
	}
	p[0], f.late = f.late[0], f.late[1:]
	return 1, nil
}

func (f *faulty) Read(p []byte) (int, error) {
	f.mu.Lock()
	left := f.left
	f.mu.Unlock()
	if left <= 0 && f.quiet {
		// Swallows what comes until the deadline ends the wait.
		for {
			if _, err := f.Conn.Read(p); err != nil {
				return 0, err
			}
		}
	}
	if left <= 0 && f.drip {
		return f.dripped(p)
	}
	if left <= 0 {
		_ = f.Close()
		return 0, io.EOF
	}
	n, err := f.Conn.Read(p[:min(len(p), left)])
	f.mu.Lock()
	f.left -= n
	f.mu.Unlock()
	return n, err
}

// first makes the first connection faulty and leaves the others alone.
func first(s *imaptest.Server, wrap func(net.Conn) net.Conn) func(context.Context, string, string) (net.Conn, error) {
	var once sync.Once
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := s.Dial(ctx, network, address)
		if err == nil {
			once.Do(func() { c = wrap(c) })
		}
		return c, err
	}
}

// Wherever the connection breaks, each mail is taken once, the rest of the
// folder with it, and marked or at least not taken again.
func TestFetchSurvivesACutAnywhere(t *testing.T) {
	for _, after := range []portal.AfterTaken{portal.AfterKeep, portal.AfterMove, portal.AfterDelete} {
		cuts := 0
		for at := 1; ; at += 71 {
			reached := false
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.Pipe(t, imaptest.Options{NoMove: at%2 == 0})
				s.Add(t, "INBOX", letters(1, 3)...)
				d, broken := &desk{}, &faulty{left: at}
				box := mailbox(s)
				box.After, box.MoveTo = after, "Done"
				d.set(box)
				_, stop := watch(t, d, Options{Dial: first(s, func(c net.Conn) net.Conn { broken.Conn = c; return broken })})
				time.Sleep(10 * time.Minute)
				stop()
				reached = broken.left <= 0
				if got := d.subjects(); got != "1 2 3" {
					t.Fatalf("%s, cut at %d: taken %q", after, at, got)
				}
				wantPlace(t, d, 3)
				left, _, _ := s.Count(t, "INBOX")
				if after == portal.AfterKeep && left != 3 || after != portal.AfterKeep && left != 0 {
					t.Errorf("%s, cut at %d: %d mails are left in the folder", after, at, left)
				}
			})
			if t.Failed() || !reached {
				break
			}
			cuts++
		}
		if cuts < 15 {
			t.Errorf("%s: only %d cuts were tried", after, cuts)
		}
	}
}

func TestFetchGivesUpOnAServerThatFallsSilent(t *testing.T) {
	tests := []struct {
		name  string
		wrap  func(net.Conn) net.Conn
		cause error
		late  time.Duration
	}{
		{"at the greeting", func(c net.Conn) net.Conn { return &faulty{Conn: c, quiet: true} }, errQuiet, time.Minute},
		{"within a mail", func(c net.Conn) net.Conn { return &faulty{Conn: c, quiet: true, left: 1000} }, errQuiet, time.Minute},
		{"almost", func(c net.Conn) net.Conn { return &faulty{Conn: c, drip: true, left: 1000} }, errSlow, 3 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.Pipe(t, imaptest.Options{})
				s.Add(t, "INBOX", letters(1, 3)...)
				d := &desk{}
				d.set(mailbox(s))
				var said []string
				watch(t, d, Options{Dial: first(s, tt.wrap), Changed: func(s Status) {
					if s.State == Failing {
						said = append(said, s.Error)
					}
				}})
				time.Sleep(tt.late)
				wantTaken(t, d, "1 2 3")
				if len(said) != 1 || !strings.Contains(said[0], tt.cause.Error()) {
					t.Errorf("failed with %q, want once %q", said, tt.cause)
				}
			})
		})
	}
}

// deaf is a connection that stops hearing once it is told to.
type deaf struct {
	net.Conn
	from *atomic.Bool
}

func (d *deaf) Read(p []byte) (int, error) {
	for {
		n, err := d.Conn.Read(p)
		if err != nil || !d.from.Load() {
			return n, err
		}
	}
}

func TestFetchFindsMailWhenIdleGoesQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Pipe(t, imaptest.Options{})
		d := &desk{}
		var silent atomic.Bool
		d.set(mailbox(s))
		watch(t, d, Options{Dial: first(s, func(c net.Conn) net.Conn { return &deaf{c, &silent} })})
		silent.Store(true)
		s.Add(t, "INBOX", letter("1"))
		time.Sleep(idleTime - time.Second)
		wantTaken(t, d, "")
		time.Sleep(time.Minute)
		wantTaken(t, d, "1")
	})
}

// without hides a word of what the server says.
type without struct {
	net.Conn
	word string
}

func (w without) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	copy(p, bytes.ReplaceAll(p[:n], []byte(w.word), bytes.Repeat([]byte("X"), len(w.word))))
	return n, err
}

func TestFetchPollsWhereThereIsNoIdle(t *testing.T) {
	refused := imaptest.Options{Before: func(command string) error {
		if command == "IDLE" {
			return imaptest.No("CANNOT", "not here")
		}
		return nil
	}}
	tests := []struct {
		name  string
		o     imaptest.Options
		wrap  func(net.Conn) net.Conn
		first time.Duration
	}{
		{"not offered", imaptest.Options{}, func(c net.Conn) net.Conn { return without{c, "IDLE"} }, pollTime},
		{"offered and refused", refused, func(c net.Conn) net.Conn { return c }, idleTime},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.Pipe(t, tt.o)
				d := &desk{}
				d.set(mailbox(s))
				watch(t, d, Options{Dial: first(s, tt.wrap)})
				s.Add(t, "INBOX", letter("1"))
				time.Sleep(tt.first + time.Second)
				wantTaken(t, d, "1")
				s.Add(t, "INBOX", letter("2"))
				time.Sleep(pollTime + time.Second)
				wantTaken(t, d, "1 2")
			})
		})
	}
}

func TestFetchComesBackAfterRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Pipe(t, imaptest.Options{})
		s.Add(t, "INBOX", letter("1"))
		d := &desk{}
		var dials atomic.Int32
		d.set(mailbox(s))
		f, _ := watch(t, d, Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials.Add(1) <= 20 {
				return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
			}
			return s.Dial(ctx, network, address)
		}})
		time.Sleep(20 * time.Minute)
		if n := dials.Load(); n < 6 || n > 12 {
			t.Errorf("%d tries in 20 minutes", n)
		}
		if got := f.Status()[0]; got.State != Failing || got.Error != "cannot connect to 127.0.0.1:143: connection refused" {
			t.Errorf("status: %+v", got)
		}
		time.Sleep(3 * time.Hour)
		wantTaken(t, d, "1")
		if got := f.Status()[0]; got.State != Connected || got.Error != "" {
			t.Errorf("status: %+v", got)
		}
	})
}

// scripted plays a server: it says each answer after the line that contains
// the key, with TAG put in, and hangs up after the last.
func scripted(dialogue [][2]string) (heard *[]string, dial func(context.Context, string, string) (net.Conn, error)) {
	heard = new([]string)
	return heard, func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			lines := bufio.NewScanner(server)
			for _, turn := range dialogue {
				tag := ""
				for turn[0] != "" && lines.Scan() {
					*heard = append(*heard, lines.Text())
					if tag, _, _ = strings.Cut(lines.Text(), " "); strings.Contains(lines.Text(), turn[0]) {
						break
					}
				}
				answer := strings.ReplaceAll(strings.ReplaceAll(turn[1], "TAG", tag), "\n", "\r\n")
				if _, err := io.WriteString(server, answer); err != nil {
					return
				}
			}
		}()
		return client, nil
	}
}

const (
	greeting = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\n"
	signedIn = "TAG OK [CAPABILITY IMAP4rev1] in\n"
	examined = "* 1 EXISTS\n* FLAGS (\\Seen)\n* OK [UIDVALIDITY 7] so\n* OK [UIDNEXT 2] so\nTAG OK [READ-ONLY] there\n"
)

func TestFetchBelievesNoServer(t *testing.T) {
	flood := strings.Repeat("* OK and so on and so on and so on\n", 40_000)
	tests := []struct {
		name string
		want string
		talk [][2]string
	}{
		{"a body larger than announced", "larger than the server said", [][2]string{
			{"", greeting},
			{"AUTHENTICATE", signedIn},
			{"EXAMINE", examined},
			{"SEARCH", "* SEARCH 1\nTAG OK\n"},
			{"RFC822.SIZE", "* 1 FETCH (UID 1 RFC822.SIZE 12)\nTAG OK\n"},
			{"BODY", fmt.Sprintf("* 1 FETCH (UID 1 BODY[] {%d}\nFrom: ", 100<<20)},
		}},
		{"an answer without end", errFlood.Error(), [][2]string{
			{"", greeting}, {"AUTHENTICATE", flood},
		}},
		{"no UIDVALIDITY", "no UIDVALIDITY", [][2]string{
			{"", greeting}, {"AUTHENTICATE", signedIn}, {"EXAMINE", "* 1 EXISTS\nTAG OK\n"}, {"LOGOUT", "TAG OK\n"},
		}},
		{"a goodbye for a greeting", "hangs up: too many of you", [][2]string{{"", "* BYE too many of you\n"}}},
		{"nonsense", "", [][2]string{{"", "220 mail.example.com ESMTP\n"}}},
		{"a mail that is listed and not handed over", "does not hand it over", [][2]string{
			{"", greeting},
			{"AUTHENTICATE", signedIn},
			{"EXAMINE", examined},
			{"SEARCH", "* SEARCH 1\nTAG OK\n"},
			{"RFC822.SIZE", "* 1 FETCH (UID 1 RFC822.SIZE 12)\nTAG OK\n"},
			{"BODY", "* 1 FETCH (UID 1 BODY[] NIL)\nTAG OK\n"},
			{"SEARCH", "* SEARCH 1\nTAG OK\n"},
			{"LOGOUT", "TAG OK\n"},
		}},
		{"a folder that is not there", `the folder "INBOX" cannot be opened: no such (user) folder`, [][2]string{
			{"", greeting}, {"AUTHENTICATE", signedIn}, {"EXAMINE", "TAG NO [NONEXISTENT] no such " + imaptest.User + "\tfolder\n"}, {"LOGOUT", "TAG OK\n"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, dial := scripted(tt.talk)
				d, box := &desk{}, mailbox(&imaptest.Server{Host: "127.0.0.1", Port: 143})
				result := FetchOnce(t.Context(), d, box, Options{Dial: dial})
				if result.Err == nil || !strings.Contains(result.Err.Error(), tt.want) {
					t.Errorf("got %v, want %q", result.Err, tt.want)
				}
				if len(result.Entries) > 0 || len(d.snap().taken) > 0 {
					t.Errorf("something was taken: %+v", d.snap().taken)
				}
				if len(d.snap().places) > 0 && d.snap().place.UID > 0 {
					t.Errorf("the place moved to %+v", d.snap().place)
				}
			})
		})
	}
}
