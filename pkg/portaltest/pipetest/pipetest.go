// Package pipetest is a network within the process, for servers and clients
// that meet in a synctest bubble.
package pipetest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Pipe makes both ends of a connection. Unlike net.Pipe's it has a buffer: two
// sides that speak at once, as in a failing TLS handshake, do not wait for
// each other.
func Pipe() (client, server net.Conn) {
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

// Listener is where a server waits for connections made with Dial.
type Listener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// Listen makes a Listener.
func Listen() *Listener {
	return &Listener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Dial connects, whatever the address.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for a connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the waiting.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is no address.
func (l *Listener) Addr() net.Addr { return pipeAddr{} }
