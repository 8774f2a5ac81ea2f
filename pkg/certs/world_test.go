package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/portaltest/acmetest"
)

// patience is how long a test waits for what should come soon: machines that
// run many tests at once are slow.
const patience = 60 * time.Second

// world is a server with listeners, a name server and, once it is started, an
// authority that asks it.
type world struct {
	t          *testing.T
	folder     string
	dns        *portaltest.DNS
	tls, plain net.Listener
	authority  *acmetest.Authority
	notes      chan portal.Certificate

	mu      sync.Mutex
	hosts   []string
	refused map[string]bool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, folder: filepath.Join(t.TempDir(), "certificates"), dns: portaltest.NewDNS(t),
		notes: make(chan portal.Certificate, 256), refused: map[string]bool{},
	}
	w.tls, w.plain = w.listen(), w.listen()
	return w
}

func (w *world) listen() net.Listener {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = l.Close() })
	return l
}

// ask starts the authority. Which ways of asking lead here, the options say.
func (w *world) ask(o acmetest.Options) *world {
	w.t.Helper()
	o.DNS = w.dns.Addr
	w.authority = acmetest.Start(w.t, o)
	return w
}

// both are options under which both ways of asking lead here.
func (w *world) both() acmetest.Options {
	return acmetest.Options{HTTP: w.plain.Addr(), TLS: w.tls.Addr()}
}

// at makes names lead here, and lists them as hosts.
func (w *world) at(hosts ...string) *world {
	for _, host := range hosts {
		w.dns.Set(host, "A", "127.0.0.1")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts = append(w.hosts, hosts...)
	return w
}

func (w *world) leave(host string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts = slices.DeleteFunc(slices.Clone(w.hosts), func(h string) bool { return h == host })
}

func (w *world) options() Options {
	return Options{
		Folder: w.folder, Directory: w.authority.Directory, Roots: w.authority.DirectoryRoots(),
		TLS: w.tls.Addr(), HTTP: w.plain.Addr(), RenewEvery: 500 * time.Millisecond,
		Hosts: func(context.Context) ([]string, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return slices.Clone(w.hosts), nil
		},
		Allowed: func(_ context.Context, host string) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.refused[host] {
				return errors.New("the domain is not verified any more")
			}
			return nil
		},
		Note: func(_ context.Context, c portal.Certificate) error {
			w.notes <- c
			return nil
		},
		Forget: func(_ context.Context, host string) error {
			w.notes <- portal.Certificate{Host: host}
			return nil
		},
		Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)),
	}
}

// start runs a manager and serves its hosts, until the test ends or stop is
// called.
func (w *world) start(change func(*Options)) (m *Manager, stop func()) {
	w.t.Helper()
	o := w.options()
	if change != nil {
		change(&o)
	}
	m, err := New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { m.Run(ctx) })
	stop = sync.OnceFunc(func() {
		cancel()
		done.Wait()
		m.Close()
	})
	w.t.Cleanup(stop)
	return m, stop
}

// serve answers on the listeners with what a manager has.
func (w *world) serve(m *Manager) {
	hello := http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(out, "served "+r.Host)
	})
	secure := &http.Server{Handler: hello, TLSConfig: m.Config(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0), ReadHeaderTimeout: 10 * time.Second}
	plain := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if !m.Answer(out, r) {
			http.NotFound(out, r)
		}
	})}
	go func() { _ = secure.ServeTLS(w.tls, "", "") }()
	go func() { _ = plain.Serve(w.plain) }()
	w.t.Cleanup(func() {
		_ = secure.Close()
		_ = plain.Close()
	})
}

// until waits for a note about a host that is as wanted.
func (w *world) until(host string, wanted func(portal.Certificate) bool) portal.Certificate {
	w.t.Helper()
	end := time.After(patience)
	var last portal.Certificate
	for {
		select {
		case c := <-w.notes:
			if c.Host != host {
				continue
			}
			if last = c; wanted(c) {
				return c
			}
		case <-end:
			w.t.Fatalf("%s: the last note is %+v", host, last)
		}
	}
}

func good(c portal.Certificate) bool    { return c.State == portal.CertificateGood }
func failing(c portal.Certificate) bool { return c.State == portal.CertificateFailing }

// fetches asks for a host's page by TLS and checks that it is its own.
func (w *world) fetches(host string) *tls.ConnectionState {
	w.t.Helper()
	r, body, err := w.authority.Fetch(w.t, w.tls.Addr(), host, "/")
	if err != nil || body != "served "+host {
		w.t.Fatalf("%s: %q, %v", host, body, err)
	}
	return r.TLS
}
