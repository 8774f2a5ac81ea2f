package cli

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// How long a connection that was just accepted may take to send its request
// once serve is told to stop, and how long the last of them has to be seen as
// at work. http.Server drops what arrives on a new connection after Shutdown
// began, which to that visitor is a refusal.
const (
	arriveTimeout = 2 * time.Second
	settleTime    = 100 * time.Millisecond
)

// drainer ends a server without refusing a request that reached it.
type drainer struct {
	server    *http.Server
	listeners []net.Listener
	accepting sync.WaitGroup // the loops that accept
	stopping  atomic.Bool

	mu    sync.Mutex
	fresh map[net.Conn]bool // connections that sent no request yet
}

func newDrainer(server *http.Server, listeners []net.Listener) *drainer {
	d := &drainer{server: server, listeners: listeners, fresh: map[net.Conn]bool{}}
	server.ConnState = d.note
	server.Handler = d.closing(server.Handler)
	return d
}

func (d *drainer) note(c net.Conn, state http.ConnState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if state == http.StateNew {
		d.fresh[c] = true
	} else {
		delete(d.fresh, c)
	}
}

func (d *drainer) waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.fresh)
}

// closing tells those who keep their connection to come again by another one.
func (d *drainer) closing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// serve accepts on every listener. What ends one of them comes out of the
// channel.
func (d *drainer) serve(serve func(net.Listener) error) <-chan error {
	ended := make(chan error, len(d.listeners))
	for _, l := range d.listeners {
		d.accepting.Go(func() { ended <- serve(l) })
	}
	return ended
}

// drain lets answers under way be finished, those of connections that were
// just accepted included, until ctx ends. It reports whether all were.
func (d *drainer) drain(ctx context.Context) error {
	d.stopping.Store(true)
	for _, l := range d.listeners {
		_ = l.Close()
	}
	d.accepting.Wait()
	arrived, cancel := context.WithTimeout(ctx, arriveTimeout)
	defer cancel()
	for arrived.Err() == nil {
		none := d.waiting() == 0
		select {
		case <-time.After(settleTime):
		case <-arrived.Done():
		}
		if none {
			break
		}
	}
	return d.server.Shutdown(ctx)
}
