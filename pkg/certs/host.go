package certs

import (
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"

	"github.com/portalctl/portalctl/pkg/portal"
)

// host is one that is to have a certificate.
type host struct {
	name   string
	config *certmagic.Config
	ctx    context.Context //nolint:containedctx // of the looking after, which the library's events know nothing of
	stop   context.CancelFunc
	ready  chan struct{} // closed when there is a certificate

	mu      sync.Mutex
	status  portal.Certificate
	leaf    *x509.Certificate // as last seen
	attempt *attempt          // the order under way; nil between them
}

// attempt is one order. The library would go on trying by itself; the first
// failure ends it, so that one place decides when it is tried again.
type attempt struct {
	end context.CancelFunc
	err error
}

func (m *Manager) newHost(ctx context.Context, name string) *host {
	h := &host{
		name: name, ready: make(chan struct{}),
		config: m.config(renewLeft + renewSpread*(2*rand.Float64()-1)), // #nosec G404 -- it only spreads load
		status: portal.Certificate{Host: name, State: portal.CertificateObtaining},
	}
	h.ctx, h.stop = context.WithCancel(ctx)
	return h
}

// hopeful reports whether a certificate may be here soon: nothing has failed
// yet.
func (h *host) hopeful() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.status.Failures == 0
}

// has reports whether there is a certificate to show.
func (h *host) has() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.leaf != nil
}

// obtain gets the host its first certificate: the one that lies in the folder,
// or a new one, however long that takes. After that the library renews it.
func (m *Manager) obtain(h *host) {
	if m.load(h) {
		return
	}
	m.change(h, func(*portal.Certificate) {})
	for failures := 0; ; failures++ {
		err := m.ask(h)
		if h.ctx.Err() != nil {
			return
		}
		if err == nil && m.load(h) {
			return
		}
		if err == nil {
			err = errors.New("the certificate that was obtained cannot be read")
		}
		next := m.failed(h, err, failures)
		wait := time.NewTimer(next)
		select {
		case <-h.ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
	}
}

// load takes the certificate in the folder, if there is one that can be used.
// Files that do not belong together, as a process that was killed in between
// leaves them, are removed.
func (m *Manager) load(h *host) bool {
	_, err := h.config.CacheManagedCertificate(h.ctx, h.name)
	if err == nil {
		m.see(h)
		// One that has nearly run out is not left until the next look.
		if err := m.cache.RenewManagedCertificates(h.ctx); err != nil {
			m.o.Log.Warn("certificates that run out cannot be looked through", "err", err)
		}
		return true
	}
	if !errors.Is(err, fs.ErrNotExist) && h.ctx.Err() == nil {
		m.o.Log.Warn("the certificate in the folder cannot be used; a new one is obtained", "host", h.name, "err", err)
		if err := m.storage.Delete(h.ctx, certmagic.StorageKeys.CertsSitePrefix(m.issuer.IssuerKey(), h.name)); err != nil {
			m.o.Log.Warn("the certificate that cannot be used cannot be removed", "host", h.name, "err", err)
		}
	}
	return false
}

// ask asks the authority for a certificate once.
func (m *Manager) ask(h *host) error {
	select {
	case m.order <- struct{}{}:
		defer func() { <-m.order }()
	case <-h.ctx.Done():
		return h.ctx.Err()
	}
	ctx, end := context.WithTimeout(h.ctx, attemptTime)
	defer end()
	a := &attempt{end: end}
	h.mu.Lock()
	h.attempt = a
	h.mu.Unlock()
	err := h.config.ObtainCertAsync(ctx, h.name)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.attempt = nil
	if a.err != nil {
		return a.err
	}
	if errors.Is(err, context.Canceled) && h.ctx.Err() == nil {
		return context.DeadlineExceeded
	}
	return err
}

// event hears from the library what it does. It is how an order is refused for
// a host that lost its right to one, and how failures become known.
func (m *Manager) event(ctx context.Context, name string, data map[string]any) error {
	host, ok := data["identifier"].(string)
	if !ok {
		return nil
	}
	h := m.host(host)
	switch name {
	case "cert_obtaining":
		if h == nil {
			return errors.New("it is no host of ours any more")
		}
		if err := m.o.Allowed(ctx, host); err != nil {
			h.fail(err)
			return err
		}
		m.o.Log.Info("obtaining a certificate", "host", host, "authority", m.authority())
	case "cert_failed":
		err, ok := data["error"].(error)
		if renewal, _ := data["renewal"].(bool); ok && h != nil && (renewal || !h.fail(err)) {
			m.renewalFailed(h, err)
		}
	}
	return nil
}

// fail ends the order under way; false when there is none.
func (h *host) fail(err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.attempt == nil {
		return false
	}
	h.attempt.err = err
	h.attempt.end()
	return true
}

// see takes note of a certificate that is new: obtained, renewed, or renewed
// by another server.
func (m *Manager) see(h *host) {
	leaf := m.leaf(h.name)
	if leaf == nil {
		return
	}
	h.mu.Lock()
	if h.leaf != nil && h.leaf.Equal(leaf) {
		h.mu.Unlock()
		return
	}
	if h.leaf == nil {
		close(h.ready)
	}
	h.leaf = leaf
	h.mu.Unlock()
	m.o.Log.Info("there is a certificate", "host", h.name, "issuer", issuerOf(leaf), "not_after", leaf.NotAfter)
	m.change(h, func(c *portal.Certificate) {
		*c = portal.Certificate{Host: h.name, State: portal.CertificateGood, Issuer: issuerOf(leaf), NotAfter: leaf.NotAfter}
	})
}

// issuerOf names who signed a certificate, as people know them.
func issuerOf(leaf *x509.Certificate) string {
	if len(leaf.Issuer.Organization) > 0 {
		return leaf.Issuer.Organization[0] + " " + leaf.Issuer.CommonName
	}
	return leaf.Issuer.CommonName
}

// failed notes that no certificate was obtained and says how long to wait.
func (m *Manager) failed(h *host, err error, before int) time.Duration {
	p := m.explain(h.name, err)
	wait := jittered(pauses[min(before, len(pauses)-1)])
	if asked := p.until.Sub(m.o.Now()); asked > wait {
		wait = min(asked, longestPause) + jittered(time.Minute)
	}
	next := m.o.Now().Add(wait)
	m.o.Log.Error("no certificate was obtained", "host", h.name, "err", p.String(), "next", next.Truncate(time.Second))
	m.note(h, p, next)
	return wait
}

// renewalFailed notes that the certificate there is was not renewed. When it
// is tried again is the library's to say: within minutes at first, within hours
// later, as long as it takes.
func (m *Manager) renewalFailed(h *host, err error) {
	p := m.explain(h.name, err)
	m.o.Log.Error("the certificate was not renewed", "host", h.name, "err", p.String())
	m.note(h, p, time.Time{})
}

func (m *Manager) note(h *host, p problem, next time.Time) {
	m.change(h, func(c *portal.Certificate) {
		c.State, c.Failures, c.Error, c.ErrorAt, c.NextAt = portal.CertificateFailing, c.Failures+1, p.String(), m.o.Now(), next
	})
}

// change changes what is known of a host and has it kept. What cannot be kept
// is told and forgotten: the certificate matters more.
func (m *Manager) change(h *host, do func(*portal.Certificate)) {
	h.mu.Lock()
	do(&h.status)
	status := h.status
	h.mu.Unlock()
	if err := m.o.Note(h.ctx, status); err != nil && h.ctx.Err() == nil {
		m.o.Log.Warn("how a certificate goes cannot be kept", "host", h.name, "err", err)
	}
}
