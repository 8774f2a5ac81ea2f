package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portalctl/portalctl/pkg/web/page"
)

// pipes is a listener whose connections lie in memory, where time can be
// skipped.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.done) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	there, here := net.Pipe()
	p.conns <- there
	return here
}

// slowly runs a test against a server with its own time: what takes minutes
// there is over at once.
func slowly(t *testing.T, handle http.HandlerFunc, test func(t *testing.T, dial func() net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: leastRate(page.Pace(handle)), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = server.Serve(l) // ends when it is closed
		}()
		test(t, l.dial)
		server.Close()
		<-ended
	})
}

const postHead = "POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: %d\r\n\r\n"

// send writes a body in pieces with pauses, until the server has enough of it.
func send(c net.Conn, size, piece int, pause time.Duration) error {
	for sent := 0; sent < size; sent += piece {
		time.Sleep(pause)
		if _, err := c.Write([]byte(strings.Repeat("x", piece))); err != nil {
			return err
		}
	}
	return nil
}

func TestSlowBodyEnds(t *testing.T) {
	read := make(chan error, 1)
	handle := func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
		if err != nil {
			w.WriteHeader(http.StatusRequestTimeout)
		}
	}
	t.Run("a byte a second", func(t *testing.T) {
		slowly(t, handle, func(t *testing.T, dial func() net.Conn) {
			c := dial()
			defer c.Close()
			begun := time.Now()
			fmt.Fprintf(c, postHead, 1<<20)
			go io.Copy(io.Discard, c)
			if err := send(c, 1<<20, 1, time.Second); err == nil {
				t.Error("a mebibyte arrived byte by byte")
			}
			if err := <-read; err == nil {
				t.Error("the handler read it to its end")
			}
			if took := time.Since(begun); took > 45*time.Second {
				t.Errorf("it was cut after %v, want about %v", took, rateGrace)
			}
		})
	})
	t.Run("fast, and then silent", func(t *testing.T) {
		slowly(t, handle, func(t *testing.T, dial func() net.Conn) {
			c := dial()
			defer c.Close()
			fmt.Fprintf(c, postHead, 20<<20)
			if err := send(c, 10<<20, 1<<20, time.Second); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			io.Copy(io.Discard, c)
			if err := <-read; err == nil {
				t.Error("half of it was taken for the whole")
			}
			if took := time.Since(begun); took > 3*rateGrace {
				t.Errorf("it was cut after %v", took)
			}
		})
	})
	t.Run("an honest slow line", func(t *testing.T) {
		slowly(t, handle, func(t *testing.T, dial func() net.Conn) {
			c := dial()
			defer c.Close()
			fmt.Fprintf(c, postHead, 2<<20)
			if err := send(c, 2<<20, 8<<10, time.Second); err != nil {
				t.Errorf("8 KiB a second for four minutes: %v", err)
			}
			if err := <-read; err != nil {
				t.Error(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || res.StatusCode != http.StatusOK {
				t.Errorf("%v, %v", res, err)
			}
		})
	})
	t.Run("no headers", func(t *testing.T) {
		slowly(t, handle, func(t *testing.T, dial func() net.Conn) {
			c := dial()
			defer c.Close()
			begun := time.Now()
			fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: example.com\r\n")
			io.Copy(io.Discard, c)
			if took := time.Since(begun); took > 2*headerTimeout {
				t.Errorf("half a head was waited for %v", took)
			}
		})
	})
	t.Run("an idle connection", func(t *testing.T) {
		slowly(t, handle, func(t *testing.T, dial func() net.Conn) {
			c := dial()
			defer c.Close()
			fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
			in := bufio.NewReader(c)
			if _, err := http.ReadResponse(in, nil); err != nil {
				t.Fatal(err)
			}
			<-read
			begun := time.Now()
			if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			if took := time.Since(begun); took < idleTimeout-time.Second || took > idleTimeout+time.Second {
				t.Errorf("it was kept for %v, want %v", took, idleTimeout)
			}
		})
	})
}

// Nor do bodies that nobody reads hold a connection.
func TestSlowBodyOfARefusedFormEnds(t *testing.T) {
	for name, handle := range map[string]http.HandlerFunc{
		"not read": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"too large": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 10)) // it is
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		},
	} {
		t.Run(name, func(t *testing.T) {
			slowly(t, handle, func(t *testing.T, dial func() net.Conn) {
				c := dial()
				defer c.Close()
				begun := time.Now()
				fmt.Fprintf(c, postHead, 100<<10)
				go io.Copy(io.Discard, c)
				if err := send(c, 100<<10, 1, time.Second); err == nil {
					t.Error("all of it was taken, byte by byte")
				}
				if took := time.Since(begun); took > 2*rateGrace {
					t.Errorf("it was cut after %v", took)
				}
			})
		})
	}
}

// A handler that works long after its form arrived is not taken for one whose
// visitor has gone.
func TestLongWorkAfterABodyIsNotCut(t *testing.T) {
	worked := make(chan error, 1)
	slowly(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		time.Sleep(3 * rateGrace)
		worked <- r.Context().Err()
	}, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		defer c.Close()
		fmt.Fprintf(c, postHead+"body", 4)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err := <-worked; err != nil {
			t.Errorf("while it worked its context ended: %v", err)
		}
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%v, %v", res, err)
		}
	})
}

// Whoever asks for much and reads it slowly lets go in the end.
func TestSlowReaderEnds(t *testing.T) {
	wrote := make(chan error, 1)
	slowly(t, func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for range 1 << 10 {
			if _, err = w.Write(make([]byte, 1<<10)); err != nil {
				break
			}
		}
		wrote <- err
	}, func(t *testing.T, dial func() net.Conn) {
		c := dial()
		defer c.Close()
		begun := time.Now()
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
		for {
			time.Sleep(time.Second)
			if _, err := c.Read(make([]byte, 1)); err != nil {
				break
			}
		}
		if err := <-wrote; err == nil {
			t.Error("all of it was written")
		}
		if took := time.Since(begun); took > 3*time.Minute {
			t.Errorf("it was cut after %v", took)
		}
	})
}
