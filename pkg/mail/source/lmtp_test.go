package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/pipetest"
)

// postman speaks LMTP by hand.
type postman struct {
	net.Conn
	t     *testing.T
	lines *bufio.Reader
}

// deliver starts a listener for the desk within a synctest bubble; dial makes
// a connection that has been greeted, stop ends the listener.
func deliver(t *testing.T, d *desk) (dial func() *postman, stop func()) {
	t.Helper()
	l := pipetest.Listen()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ServeLMTP(ctx, l, d, nil) }()
	stopped := false
	stop = func() {
		cancel()
		if stopped {
			return
		}
		stopped = true
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	}
	t.Cleanup(stop)
	dial = func() *postman {
		t.Helper()
		c, err := l.Dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		p := &postman{Conn: c, t: t, lines: bufio.NewReader(c)}
		p.want("220 ")
		p.say("LHLO mail.example.com", "250 ")
		return p
	}
	return dial, stop
}

// want reads an answer, all lines of it, and wants the last to begin so.
func (p *postman) want(prefix string) string {
	p.t.Helper()
	var all string
	for {
		line, err := p.lines.ReadString('\n')
		if err != nil {
			p.t.Fatalf("want %q, got %q and %v", prefix, all, err)
		}
		all += line
		if len(line) < 4 || line[3] == ' ' {
			if !strings.HasPrefix(line, prefix) {
				p.t.Errorf("got %q, want %q", line, prefix)
			}
			return all
		}
	}
}

// say sends a line and wants an answer.
func (p *postman) say(line, want string) string {
	p.t.Helper()
	p.send(line + "\r\n")
	return p.want(want)
}

func (p *postman) send(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p, s); err != nil {
		p.t.Fatal(err)
	}
}

// over wants the connection to have ended.
func (p *postman) over() {
	p.t.Helper()
	if line, err := p.lines.ReadString('\n'); !errors.Is(err, io.EOF) {
		p.t.Errorf("the connection goes on: %q, %v", line, err)
	}
}

func wire8(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func TestLMTPAnswersForEachRecipient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		d.refuse = func(a *portal.Arrival) error {
			if a.Inbox == 2 {
				return &portal.Error{Kind: portal.Unavailable, Code: "store.full", Msg: "the disk is full"}
			}
			return nil
		}
		dial, _ := deliver(t, d)
		p := dial()
		p.say("MAIL FROM:<mia@nordic.example> BODY=8BITMIME SMTPUTF8", "250 ")
		p.say("RCPT TO:<Support@Example.com>", "250 ")
		p.say("RCPT TO:<nobody@example.com>", "550 5.1.1 ")
		p.say("RCPT TO:<broken@example.com>", "451 4.3.0 ")
		p.say("RCPT TO:<sales@example.com>", "250 ")
		p.say("RCPT TO:<support+t1042.c7.kXYZ@example.com>", "250 ")
		p.say("DATA", "354 ")
		mail := letter("Pümpe ☃") + "." + "\n..two dots\n" + strings.Repeat("long ", 4000) + "\n"
		p.send(wire8(strings.ReplaceAll(mail, "\n.", "\n..")) + ".\r\n")
		p.want("250 2.0.0 <Support@Example.com>")
		p.want("452 4.3.1 <sales@example.com>")
		p.want("250 2.0.0 <support+t1042.c7.kXYZ@example.com>")
		p.say("QUIT", "221 ")

		taken := d.snap().taken
		if len(taken) != 1 {
			t.Fatalf("taken: %q", d.subjects())
		}
		a := taken[0]
		if a.Inbox != 1 || a.Source != portal.SourceLMTP || !a.HasEnvelope || a.EnvelopeFrom != "mia@nordic.example" ||
			strings.Join(a.Recipients, " ") != "Support@Example.com support+t1042.c7.kXYZ@example.com" || string(a.Raw) != wire8(mail) {
			t.Errorf("arrival: %+v\n%q", a, a.Raw)
		}
	})
}

func TestLMTPTakesAMailForTwoInboxesTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inboxes []portal.InboxID
		d := &desk{refuse: func(a *portal.Arrival) error {
			inboxes = append(inboxes, a.Inbox)
			return nil
		}}
		dial, stop := deliver(t, d)
		p := dial()
		// All at once, as pipelining allows, twice on one connection; the null
		// path is a sender, too.
		for range 2 {
			p.send("MAIL FROM:<>\r\nRCPT TO:<support@example.com>\r\nRCPT TO:<sales@example.com>\r\nDATA\r\n")
			for _, want := range []string{"250 ", "250 ", "250 ", "354 "} {
				p.want(want)
			}
			p.send(wire8(letter("1")) + ".\r\n")
			p.want("250 ")
			p.want("250 ")
		}
		stop()
		if fmt.Sprint(inboxes) != "[1 2 1 2]" || !d.snap().taken[0].HasEnvelope || d.snap().taken[0].EnvelopeFrom != "" {
			t.Errorf("taken for %v: %+v", inboxes, d.snap().taken[0])
		}
	})
}

func TestLMTPTakesChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		dial, _ := deliver(t, d)
		p, mail := dial(), wire8(letter("1"))
		p.say("MAIL FROM:<mia@nordic.example>", "250 ")
		p.say("RCPT TO:<support@example.com>", "250 ")
		p.send("BDAT 20\r\n" + mail[:20])
		p.want("250 ")
		p.send(fmt.Sprintf("BDAT %d LAST\r\n%s", len(mail)-20, mail[20:]))
		p.want("250 2.0.0 <support@example.com>")
		wantTaken(t, d, "1")
		// Begun and given up.
		p.say("MAIL FROM:<mia@nordic.example>", "250 ")
		p.say("RCPT TO:<support@example.com>", "250 ")
		p.send("BDAT 20\r\n" + mail[:20])
		p.want("250 ")
		p.say("RSET", "250 ")
		p.say("QUIT", "221 ")
		synctest.Wait()
		wantTaken(t, d, "1")
	})
}

func TestLMTPRefusesWhatIsTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		dial, _ := deliver(t, d)
		p := dial()
		p.say(fmt.Sprintf("MAIL FROM:<mia@nordic.example> SIZE=%d", MaxBytes+1), "552 5.3.4 ")
		// And when it was not announced; the connection goes on.
		p.say("MAIL FROM:<mia@nordic.example>", "250 ")
		p.say("RCPT TO:<support@example.com>", "250 ")
		p.say("DATA", "354 ")
		part := strings.Repeat("It is very loud.\r\n", 1<<16)
		for sent := 0; sent <= MaxBytes; sent += len(part) {
			p.send(part)
		}
		p.send("\r\n.\r\n")
		p.want("552 5.3.4 ")
		p.say("MAIL FROM:<mia@nordic.example>", "250 ")
		for i := range maxRecipients {
			p.say(fmt.Sprintf("RCPT TO:<support+%d@example.com>", i), "250 ")
		}
		p.say("RCPT TO:<support@example.com>", "452 4.5.3 ")
		p.say("DATA", "354 ")
		p.send(wire8(letter("1")) + ".\r\n")
		for range maxRecipients {
			p.want("250 ")
		}
		wantTaken(t, d, "1")
		// A command without an end.
		p.send(strings.Repeat("NOOP ", maxCommands))
		p.want("421 ")
		p.over()
	})
}

func TestLMTPTakesNothingThatBrokeOff(t *testing.T) {
	tests := []struct {
		name string
		last string
		end  func(p *postman)
	}{
		{"cut in the text", "Subject: 1\r\n\r\nThe pump", func(p *postman) { _ = p.Close() }},
		{"cut before the dot", wire8(letter("1")), func(p *postman) { _ = p.Close() }},
		{"cut before the end of the dot's line", wire8(letter("1")) + ".\r", func(p *postman) { _ = p.Close() }},
		{"silence", wire8(letter("1")), func(p *postman) {
			time.Sleep(partTime + time.Second)
			p.want("451 4.4.2 ")
		}},
		{"a byte a minute", "Subject: 1\r\n\r\n", func(p *postman) {
			for range int(wholeTime/(50*time.Second)) + 1 {
				time.Sleep(50 * time.Second)
				if _, err := io.WriteString(p, "x"); err != nil {
					return
				}
			}
			p.want("451 4.4.2 ")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &desk{}
				dial, _ := deliver(t, d)
				p := dial()
				p.say("MAIL FROM:<mia@nordic.example>", "250 ")
				p.say("RCPT TO:<support@example.com>", "250 ")
				p.say("DATA", "354 ")
				p.send(tt.last)
				tt.end(p)
				synctest.Wait()
				wantTaken(t, d, "")
				// Others are served.
				p = dial()
				p.say("QUIT", "221 ")
			})
		})
	}
}

func TestLMTPGivesUpOnSomebodyWhoSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, _ := deliver(t, &desk{})
		p := dial()
		time.Sleep(commandTime + time.Second)
		p.want("421 ")
		p.over()
	})
}

func TestLMTPPutsOffTooManyConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := pipetest.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		d := &desk{}
		go func() { done <- ServeLMTP(ctx, l, d, nil) }()
		connect := func(want string) *postman {
			t.Helper()
			c, err := l.Dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			p := &postman{Conn: c, t: t, lines: bufio.NewReader(c)}
			p.want(want)
			return p
		}
		var all []*postman
		for range maxConnections {
			all = append(all, connect("220 "))
		}
		connect("421 4.3.2 ").over()
		all[7].say("QUIT", "221 ")
		_ = all[7].Close()
		synctest.Wait()
		p := connect("220 ")
		connect("421 4.3.2 ").over()
		p.say("LHLO mail.example.com", "250 ")
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for i, p := range all {
			if i != 7 {
				p.want("421 ")
				p.over()
			}
		}
	})
}

// What was begun when the listener is told to stop is finished and answered.
func TestLMTPFinishesWhatWasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		dial, stop := deliver(t, d)
		half, idle := dial(), dial()
		half.say("MAIL FROM:<mia@nordic.example>", "250 ")
		half.say("RCPT TO:<support@example.com>", "250 ")
		half.say("DATA", "354 ")
		half.send("Subject: 1\r\n")
		synctest.Wait()
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			stop()
		}()
		synctest.Wait()
		idle.want("421 ")
		idle.over()
		half.send("\r\nThe pump is loud.\r\n.\r\n")
		half.want("250 ")
		half.want("421 ")
		half.over()
		<-stopped
		wantTaken(t, d, "1")
	})
}

func TestLMTPCutsOffWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		dial, stop := deliver(t, d)
		p := dial()
		p.say("MAIL FROM:<mia@nordic.example>", "250 ")
		p.say("RCPT TO:<support@example.com>", "250 ")
		p.say("DATA", "354 ")
		p.send("Subject: 1\r\n")
		synctest.Wait()
		began := time.Now()
		stop()
		if took := time.Since(began); took > stopTime+2*time.Second {
			t.Errorf("stopping took %s", took)
		}
		wantTaken(t, d, "")
	})
}

// A mail nobody can take is one mail, not the listener's end.
func TestLMTPSurvivesAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var odd atomic.Bool
		odd.Store(true)
		d := &desk{refuse: func(*portal.Arrival) error {
			if odd.Load() {
				panic("an odd mail")
			}
			return nil
		}}
		dial, _ := deliver(t, d)
		p := dial()
		for _, want := range []string{"451 4.3.0 ", "250 "} {
			p.say("MAIL FROM:<mia@nordic.example>", "250 ")
			p.say("RCPT TO:<support@example.com>", "250 ")
			p.say("DATA", "354 ")
			p.send(wire8(letter("1")) + ".\r\n")
			p.want(want)
			odd.Store(false)
		}
	})
}

// Few large mails are in memory at once; others wait for their turn.
func TestLMTPKeepsFewLargeMailsInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{}
		dial, _ := deliver(t, d)
		text := strings.Repeat("It is very loud.\r\n", largeMail/18+2)
		var all []*postman
		for i := range largeMails + 1 {
			p := dial()
			p.say("MAIL FROM:<mia@nordic.example>", "250 ")
			p.say("RCPT TO:<support@example.com>", "250 ")
			p.say("DATA", "354 ")
			p.send(fmt.Sprintf("Subject: %d\r\n\r\n%s", i, text))
			synctest.Wait()
			all = append(all, p)
		}
		all[largeMails].send(".\r\n")
		synctest.Wait()
		wantTaken(t, d, "")
		all[0].send(".\r\n")
		all[0].want("250 ")
		all[largeMails].want("250 ")
		wantTaken(t, d, fmt.Sprintf("0 %d", largeMails))
	})
}

func TestListenLMTP(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("sockets have no owner there")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "lmtp.sock")
	l, err := ListenLMTP(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	var e *portal.Error
	if _, err := ListenLMTP(t.Context(), "unix", path); !errors.As(err, &e) || e.Msg != "cannot listen for LMTP on "+path+": another program does already" {
		t.Errorf("a second listener: %v", err)
	}
	// Left over from a process that was killed.
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	l, err = ListenLMTP(t.Context(), "unix", path)
	if err != nil {
		t.Fatalf("where a socket was left over: %v", err)
	}
	_ = l.Close()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}

	file := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenLMTP(t.Context(), "unix", file); !errors.As(err, &e) || !strings.Contains(e.Msg, "no socket") {
		t.Errorf("over a file: %v", err)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "mine" {
		t.Errorf("the file is %q, %v", got, err)
	}
	if _, err := ListenLMTP(t.Context(), "unix", filepath.Join(dir, "no", "lmtp.sock")); !errors.As(err, &e) || !strings.Contains(e.Msg, "folder does not exist") {
		t.Errorf("without the folder: %v", err)
	}
	if _, err := ListenLMTP(t.Context(), "tcp", "0.0.0.0:0"); !errors.As(err, &e) || e.Kind != portal.Invalid {
		t.Errorf("for everybody: %v", err)
	}
	l, err = ListenLMTP(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if _, err := ListenLMTP(t.Context(), "tcp", l.Addr().String()); !errors.As(err, &e) || !strings.Contains(e.Msg, "another program") {
		t.Errorf("a taken port: %v", err)
	}
}
