// Package certs obtains certificates from an ACME authority (RFC 8555), keeps
// them valid and hands them to TLS connections. Which hosts there are, and what
// becomes of their certificates, it asks and tells through functions.
package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Options are what a Manager works with.
type Options struct {
	// Folder is where accounts, keys and certificates lie; several servers may
	// share it.
	Folder string
	// Directory is the address of the authority's ACME directory. Using it
	// agrees to the authority's terms.
	Directory string
	// Roots are what the directory's own certificate comes from; nil: the
	// system's.
	Roots *x509.CertPool
	Email string // where the authority may write to; may be ""
	// KeyID and Key name an account at the authority; both may be "".
	KeyID, Key string
	// TLS and HTTP are where this process listens for the authority's
	// questions. HTTP is nil when it does not listen for plain HTTP.
	TLS, HTTP net.Addr
	// Hosts lists the hosts that are to have a certificate. It is asked again
	// every few seconds.
	Hosts func(context.Context) ([]string, error)
	// Allowed says why a host may not have one; asked before each order.
	Allowed func(ctx context.Context, host string) error
	// Note and Forget keep how each certificate goes.
	Note   func(context.Context, portal.Certificate) error
	Forget func(ctx context.Context, host string) error
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
	// RenewEvery is how often certificates are looked through for those that
	// run out; 0: ten minutes.
	RenewEvery time.Duration
}

const (
	// lookEvery is how soon a change of the hosts is seen.
	lookEvery = 2 * time.Second
	// attemptTime is the longest that one order may take.
	attemptTime = 5 * time.Minute
	// orders is how many hosts are asked for at once.
	orders = 8
	// A handshake waits this long for a certificate that is on its way, and
	// this many may wait at once.
	handshakeTime = 8 * time.Second
	handshakes    = 128
	// closeTime is how long leaving may take.
	closeTime = 4 * time.Second
	// A certificate is renewed when a third of its life is left, give or take
	// so much, so that those obtained together are not renewed together.
	renewLeft, renewSpread = 1.0 / 3, 1.0 / 30
)

// pauses are how long after each failure in a row the next attempt waits: five
// in the first hour, which is as many as large authorities allow.
var pauses = []time.Duration{
	15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 40 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour,
}

// longestPause ends the waiting that an authority asks for.
const longestPause = 24 * time.Hour

// Manager obtains and renews the certificates of all hosts.
type Manager struct {
	o       Options
	zap     *zap.Logger
	storage storage
	cache   *certmagic.Cache
	issuer  *certmagic.ACMEIssuer
	order   chan struct{} // holds one for each order under way
	waiting chan struct{} // holds one for each handshake that waits

	mu    sync.RWMutex
	hosts map[string]*host
}

// New prepares the folder and makes a Manager; Run sets it to work, and Close
// has to be called in any case.
func New(o Options) (*Manager, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	tightened, err := prepare(o.Folder)
	if err != nil {
		return nil, err
	}
	if tightened > 0 {
		o.Log.Warn("others could read the certificates' keys; now only their owner can. Think of them as known to others",
			"folder", o.Folder, "files", tightened)
	}
	m := &Manager{
		o: o, zap: newZap(o.Log), storage: storage{&certmagic.FileStorage{Path: o.Folder}}, hosts: map[string]*host{},
		order: make(chan struct{}, orders), waiting: make(chan struct{}, handshakes),
	}
	m.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: m.configFor, RenewCheckInterval: o.RenewEvery, Logger: m.zap,
	})
	m.issuer = m.newIssuer()
	return m, nil
}

func (m *Manager) newIssuer() *certmagic.ACMEIssuer {
	template := certmagic.ACMEIssuer{
		CA: m.o.Directory, Email: m.o.Email, Agreed: true, TrustedRoots: m.o.Roots, Logger: m.zap,
		DisableHTTPChallenge: m.o.HTTP == nil, CertObtainTimeout: attemptTime,
	}
	if m.o.KeyID != "" {
		// Authorities print the key with and without the padding that
		// base64url leaves out.
		template.ExternalAccount = &acme.EAB{KeyID: m.o.KeyID, MACKey: strings.TrimRight(m.o.Key, "=")}
	}
	// The library would answer the authority's questions on listeners of its
	// own, were ours not there already.
	template.ListenHost, template.AltTLSALPNPort = listensAt(m.o.TLS)
	if m.o.HTTP != nil {
		_, template.AltHTTPPort = listensAt(m.o.HTTP)
	}
	config := m.config(renewLeft)
	issuer := certmagic.NewACMEIssuer(config, template)
	config.Issuers = []certmagic.Issuer{issuer} // it finds another server's challenges by this
	issuer.TestCA = ""                          // the library's own attempts at another authority
	return issuer
}

// listensAt takes a listener's address apart. Where visitors come by a Unix
// socket it is a free port of this machine, on which nobody asks.
func listensAt(a net.Addr) (host string, port int) {
	addr, ok := a.(*net.TCPAddr)
	if !ok {
		return "127.0.0.1", freePort()
	}
	if addr.IP.IsUnspecified() {
		return "", addr.Port
	}
	return addr.IP.String(), addr.Port
}

func freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // on this machine, at once
	if err != nil {
		return 0
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// config is how certificates are looked after that are renewed when so much of
// their life is left.
func (m *Manager) config(left float64) *certmagic.Config {
	c := certmagic.New(m.cache, certmagic.Config{
		Storage: m.storage, Logger: m.zap, RenewalWindowRatio: left, OnEvent: m.event,
	})
	if m.issuer != nil {
		c.Issuers = []certmagic.Issuer{m.issuer}
	}
	return c
}

// configFor finds who looks after a certificate.
func (m *Manager) configFor(c certmagic.Certificate) (*certmagic.Config, error) {
	if len(c.Names) == 0 {
		return nil, errors.New("a certificate without a name")
	}
	if h := m.host(c.Names[0]); h != nil {
		return h.config, nil
	}
	return nil, fmt.Errorf("%s is no host of ours any more", c.Names[0])
}

// host is one that is to have a certificate; nil for all others.
func (m *Manager) host(name string) *host {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.hosts[name]
}

// Run obtains certificates for the hosts there are, until ctx ends. It returns
// when nothing is under way any more.
func (m *Manager) Run(ctx context.Context) {
	var work sync.WaitGroup
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := m.follow(ctx, &work); err != nil && ctx.Err() == nil {
			m.o.Log.Warn("the hosts to obtain certificates for cannot be listed", "err", err)
		}
		select {
		case <-ctx.Done():
			work.Wait()
			return
		case <-tick.C:
		}
	}
}

// follow begins with hosts that are new, leaves those that are gone, and sees
// what became of the others.
func (m *Manager) follow(ctx context.Context, work *sync.WaitGroup) error {
	names, err := m.o.Hosts(ctx)
	if err != nil {
		return err
	}
	var added, gone []*host
	m.mu.Lock()
	for name, h := range m.hosts {
		if !slices.Contains(names, name) {
			gone = append(gone, h)
			delete(m.hosts, name)
		}
	}
	for _, name := range names {
		if m.hosts[name] == nil {
			h := m.newHost(ctx, name)
			m.hosts[name] = h
			added = append(added, h)
		}
	}
	kept := make([]*host, 0, len(m.hosts))
	for _, h := range m.hosts {
		kept = append(kept, h)
	}
	m.mu.Unlock()
	for _, h := range gone {
		m.leave(ctx, h)
	}
	for _, h := range added {
		work.Go(func() { m.obtain(h) })
	}
	for _, h := range kept {
		m.see(h)
	}
	return nil
}

// leave stops looking after a host. Its key and certificate stay where they
// are, for the day it comes back.
func (m *Manager) leave(ctx context.Context, h *host) {
	h.stop()
	m.cache.RemoveManaged([]certmagic.SubjectIssuer{{Subject: h.name}})
	m.o.Log.Info("no certificate is renewed for the host any more", "host", h.name)
	if err := m.o.Forget(ctx, h.name); err != nil && ctx.Err() == nil {
		m.o.Log.Warn("what became of a certificate cannot be forgotten", "host", h.name, "err", err)
	}
}

// Close ends the looking after. What a renewal has locked is free again, so
// that no other server waits for it.
func (m *Manager) Close() {
	stopped := make(chan struct{})
	go func() {
		m.cache.Stop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(closeTime):
		// It waits for an authority that does not answer; the process ends.
	}
	certmagic.CleanUpOwnLocks(context.Background(), m.zap)
}

// Config is how TLS is spoken with the certificates there are.
func (m *Manager) Config() *tls.Config { return Config(m.certificate, acmez.ACMETLS1Protocol) }

// errNone tells the log why a handshake failed; the visitor learns nothing.
var errNone = errors.New("there is no certificate for the host yet")

// certificate finds the one a visitor asks for. A name that is none of ours
// costs a look into a map. For one that is on its way a visitor waits a little,
// as long as not too many do.
func (m *Manager) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	h := m.host(strings.ToLower(strings.TrimSuffix(hello.ServerName, ".")))
	if h == nil {
		return nil, nil //nolint:nilnil // crypto/tls then says that the name is unknown
	}
	challenge := len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acmez.ACMETLS1Protocol
	if challenge || h.has() {
		return h.config.GetCertificateWithContext(hello.Context(), hello)
	}
	if !h.hopeful() {
		return nil, errNone
	}
	select {
	case m.waiting <- struct{}{}:
	default:
		return nil, errNone
	}
	defer func() { <-m.waiting }()
	patience := time.NewTimer(handshakeTime)
	defer patience.Stop()
	select {
	case <-h.ready:
		return h.config.GetCertificateWithContext(hello.Context(), hello)
	case <-hello.Context().Done():
		return nil, hello.Context().Err()
	case <-patience.C:
		return nil, errNone
	}
}

// leaf is the certificate the host has now; nil when there is none.
func (m *Manager) leaf(name string) *x509.Certificate {
	for _, c := range m.cache.AllMatchingCertificates(name) {
		if c.Leaf != nil {
			return c.Leaf
		}
	}
	return nil
}

// Answer answers an authority's question that came by plain HTTP, if the
// request is one about a host of ours.
func (m *Manager) Answer(w http.ResponseWriter, r *http.Request) bool {
	if !certmagic.LooksLikeHTTPChallenge(r) {
		return false
	}
	name := r.Host
	if host, port, err := net.SplitHostPort(name); err == nil {
		if _, err := strconv.Atoi(port); err == nil {
			name = host
		}
	}
	if m.host(strings.ToLower(strings.TrimSuffix(name, "."))) == nil {
		return false
	}
	return m.issuer.HandleHTTPChallenge(w, r)
}

// jittered spreads a time by a fifth to either side.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64())) // #nosec G404 -- it only spreads load
}
