package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// begun is a ticket whose form the server reads and waits for the rest of.
type begun struct {
	conn net.Conn
	in   *bufio.Reader
	rest string
}

// beginTicket sends the first half of a form and waits until the server reads
// it: it asks for the body only then.
func (p *person) beginTicket(subject string) *begun {
	p.t.Helper()
	r := p.multipart("/tickets/new", []string{"subject", subject, "body", "It takes a while."}, upload{"slow.txt", []byte("slow")})
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	conn, err := net.Dial("tcp", p.host)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.Close() })
	var head strings.Builder
	fmt.Fprintf(&head, "POST %s HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n", r.URL.Path, p.host, len(body))
	for _, c := range p.client.Jar.Cookies(r.URL) {
		fmt.Fprintf(&head, "Cookie: %s\r\n", c)
	}
	if err := r.Header.Write(&head); err != nil {
		p.t.Fatal(err)
	}
	b := &begun{conn, bufio.NewReader(conn), string(body[len(body)/2:])}
	if _, err := fmt.Fprintf(conn, "%s\r\n", head.String()); err != nil {
		p.t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	line, err := b.in.ReadString('\n')
	if err != nil || !strings.Contains(line, "100 Continue") {
		p.t.Fatalf("the server does not ask for the form: %q, %v", line, err)
	}
	if _, err := b.in.ReadString('\n'); err != nil {
		p.t.Fatal(err)
	}
	if _, err := conn.Write(body[:len(body)/2]); err != nil {
		p.t.Fatal(err)
	}
	return b
}

// finish sends the rest of the form and reads the answer.
func (b *begun) finish() (*http.Response, error) {
	if _, err := io.WriteString(b.conn, b.rest); err != nil {
		return nil, err
	}
	return http.ReadResponse(b.in, nil)
}

// refusesVisitors waits until a server takes no new connections.
func (s *serving) refusesVisitors() {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := net.Dial("tcp", s.host)
		if err != nil {
			return
		}
		conn.Close()
		if time.Now().After(deadline) {
			s.t.Fatal("10 s after it was told to leave, the server still takes visitors")
		}
	}
}

func TestServeAnswersWhatItBeganAndLeaves(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.setUp()
	p.contacts("ana@example.com", "bo@example.com")
	s := p.serve()
	ana, bo := s.customer("ana@example.com"), s.customer("bo@example.com")
	number := ana.open([]string{"subject", "Answers", "body", "Go."})

	// Bo's form is half there when the signal comes, and there are ten others
	// who write all the time.
	slow := bo.beginTicket("Half of it is there")
	var writers sync.WaitGroup
	var confirmed atomic.Int32
	enough := make(chan struct{})
	for range 10 {
		writers.Go(func() {
			for {
				got, err := ana.try(ana.form("/tickets/"+number+"/replies", "body", "Once more.", "how", "send"))
				if err != nil {
					return // the server is gone
				}
				if got.StatusCode != http.StatusSeeOther {
					t.Errorf("an answer under way gets %d:\n%s", got.StatusCode, got.body)
					return
				}
				if confirmed.Add(1) == 30 {
					close(enough)
				}
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(20 * time.Second):
		t.Fatal("30 answers take longer than 20 s")
	}
	s.terminate()
	s.refusesVisitors()
	res, err := slow.finish()
	if err != nil {
		t.Fatalf("what was begun is not answered: %v", err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		t.Errorf("what was begun is answered with %d", res.StatusCode)
	}
	if code := s.ended(); code != 0 {
		t.Errorf("the server left with %d, want 0", code)
	}
	writers.Wait()
	if got := len(p.ticket(number).Messages); got < 1+int(confirmed.Load()) {
		t.Errorf("%s has %d messages; %d answers were confirmed", number, got, confirmed.Load())
	}
	if found := p.ok("tickets", "list", "--search", "half"); !strings.Contains(found, "Half of it is there") {
		t.Errorf("the ticket that was confirmed last is not there:\n%s", found)
	}
}

func TestServeLeavesInTimeWhoeverHoldsOn(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.setUp()
	p.contacts("ana@example.com")
	s := p.serve()
	ana := s.customer("ana@example.com")
	ana.get("/tickets") // its connection stays open, idle
	ana.beginTicket("This never ends")
	silent, err := net.Dial("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()

	s.terminate()
	if code := s.ended(); code != 0 {
		t.Errorf("the server left with %d, want 0", code)
	}
	if got := p.tickets(); len(got) != 0 {
		t.Errorf("half a form became %v", got)
	}
	p.nothingUploadedLiesAbout()
}

func TestTakenPortIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.setUp()
	p.contacts("ana@example.com")
	first := p.serve()
	o := p.run("serve", "--listen", first.host)
	want := fmt.Sprintf("portalctl: cannot listen on %s: another program does already\n  stop it, or choose another address with --listen\n", first.host)
	if o.code == 0 || o.stderr != want || o.stdout != "" {
		t.Errorf("%s\nwant a code that is not 0 and\n%s", o, want)
	}

	// Another serve on the same store has its own port, and both are one portal.
	ana := first.customer("ana@example.com")
	second := p.serve()
	there := ana.at(second)
	number := there.open([]string{"subject", "Opened at the second", "body", "Seen at the first."})
	if got := ana.get("/tickets/" + number); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "Seen at the first.") {
		t.Errorf("the first server answers %d for a ticket opened at the second", got.StatusCode)
	}
	if got := ana.post("/sign-out"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("signing out answers %d", got.StatusCode)
	}
	if got := there.get("/tickets/" + number); got.StatusCode != http.StatusSeeOther {
		t.Errorf("signed out at the first server, the second still answers %d", got.StatusCode)
	}
	second.terminate()
	if code := second.ended(); code != 0 {
		t.Errorf("the second server left with %d", code)
	}
	if got := first.stranger().get("/sign-in"); got.StatusCode != http.StatusOK {
		t.Errorf("after the second left, the first answers %d", got.StatusCode)
	}
}

// A second signal ends a server that somebody keeps waiting.
func TestSecondSignalEndsServe(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.setUp()
	p.contacts("ana@example.com")
	s := p.serve()
	s.customer("ana@example.com").beginTicket("This never ends")
	s.terminate()
	s.refusesVisitors()
	// The program may need a moment to hear it, so it is told again.
	begun, again := time.Now(), time.NewTicker(100*time.Millisecond)
	defer again.Stop()
	for alive := true; alive && time.Since(begun) < 10*time.Second; {
		_ = s.cmd.Process.Signal(syscall.SIGTERM) // no error when it has ended
		select {
		case <-s.done:
			alive = false
		case <-again.C:
		}
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the second signal took %v", took)
	}
}
