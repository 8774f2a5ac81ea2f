package source

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// errQuiet, errSlow and errFlood are why we cut a connection ourselves.
var (
	errQuiet = errors.New("the server does not answer")
	errSlow  = errors.New("the server takes too long")
	errFlood = errors.New("the server says more than was asked")
)

// wire is a connection that keeps its own time. While an answer is awaited,
// each part of it must come within a step, the whole within a limit, and it
// must not be longer than it can be. In between there is no deadline, because
// taking a mail may take long. It passes over the client's own deadlines,
// which end between two parts of an answer.
type wire struct {
	net.Conn
	step time.Duration

	mu    sync.Mutex
	until time.Time // when the answer awaited must be there; zero: none is
	room  int64     // how much of it may still come
	why   error     // why we cut the connection, if we did
}

// unasked is how much a server may say between two questions.
const unasked = 1 << 20

func newWire(c net.Conn, step time.Duration) *wire {
	return &wire{Conn: c, step: step, room: unasked}
}

// expect starts the time for an answer of at most this many bytes.
func (w *wire) expect(limit time.Duration, bytes int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until, w.room = time.Now().Add(limit), bytes
	w.advance()
}

// rest ends it: until the next question the server may be quiet.
func (w *wire) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until, w.room = time.Time{}, unasked
	_ = w.Conn.SetReadDeadline(time.Time{})
}

// advance sets the deadline for the next part.
func (w *wire) advance() {
	deadline := time.Now().Add(w.step)
	if w.until.Before(deadline) {
		deadline = w.until
	}
	_ = w.Conn.SetReadDeadline(deadline)
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.room -= int64(n)
	switch {
	case err != nil && errors.Is(err, os.ErrDeadlineExceeded):
		w.blame(errQuiet)
		if !w.until.IsZero() && !time.Now().Before(w.until) {
			w.why = errSlow
		}
	case w.room < 0:
		w.blame(errFlood)
		return 0, errFlood
	case err == nil && !w.until.IsZero():
		w.advance()
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	if err := w.Conn.SetWriteDeadline(time.Now().Add(w.step)); err != nil {
		return 0, err
	}
	n, err := w.Conn.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.blame(errQuiet)
	}
	return n, err
}

// blame notes why the connection ends; the first reason counts. The caller
// holds mu.
func (w *wire) blame(err error) {
	if w.why == nil {
		w.why = err
	}
}

// cause is why we cut the connection, or nil.
func (w *wire) cause() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.why
}

func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// refusal is a command the server answered with NO or BAD. The connection is
// as good as before.
type refusal struct {
	code string // such as AUTHENTICATIONFAILED, or ""
	text string
}

func (r *refusal) Error() string {
	if r.code == "" {
		return fmt.Sprintf("the server refuses: %s", r.text)
	}
	return fmt.Sprintf("the server refuses: [%s] %s", r.code, r.text)
}

// clean makes one short line of what a server said, fit for a terminal and
// without the name we sign in as, which is often an address.
func clean(s, user string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return ' '
		}
		return r
	}, s)
	if user != "" {
		s = strings.ReplaceAll(s, user, "(user)")
	}
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > 200 {
		s = string(runes[:199]) + "…"
	}
	return s
}
