package imaptest

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// newPipe makes both ends of a connection within the process. Unlike
// net.Pipe's it has a buffer: two sides that speak at once, as in a failing
// TLS handshake, do not wait for each other.
func newPipe() (client, server net.Conn) {
	a, b := newStream(), newStream()
	return &end{in: a, out: b}, &end{in: b, out: a}
}

// stream is one direction. Waiting is done on channels, so that a synctest
// bubble sees it.
type stream struct {
	mu       sync.Mutex
	buffer   []byte
	closed   bool
	deadline time.Time
	changed  chan struct{} // closed and replaced when something changed
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

// change does something under the lock and wakes who waits.
func (s *stream) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *stream) read(p []byte) (int, error) {
	for {
		s.mu.Lock()
		left := time.Until(s.deadline)
		timed, closed, changed := !s.deadline.IsZero(), s.closed, s.changed
		n := copy(p, s.buffer)
		s.buffer = s.buffer[n:]
		s.mu.Unlock()
		switch {
		case n > 0:
			return n, nil
		case closed:
			return 0, io.EOF
		case timed && left <= 0:
			return 0, os.ErrDeadlineExceeded
		}
		var late <-chan time.Time
		if timed {
			timer := time.NewTimer(left)
			late = timer.C
		}
		select {
		case <-changed:
		case <-late:
		}
	}
}

// end is one side's view.
type end struct{ in, out *stream }

func (e *end) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return e.in.read(p)
}

func (e *end) Write(p []byte) (n int, err error) {
	e.out.change(func() {
		if e.out.closed {
			err = io.ErrClosedPipe
			return
		}
		e.out.buffer = append(e.out.buffer, p...)
		n = len(p)
	})
	return n, err
}

func (e *end) Close() error {
	e.in.change(func() { e.in.closed = true })
	e.out.change(func() { e.out.closed = true })
	return nil
}

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.change(func() { e.in.deadline = t })
	return nil
}

func (e *end) SetDeadline(t time.Time) error    { return e.SetReadDeadline(t) }
func (e *end) SetWriteDeadline(time.Time) error { return nil } // writing never waits

func (e *end) LocalAddr() net.Addr  { return pipeAddr{} }
func (e *end) RemoteAddr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
