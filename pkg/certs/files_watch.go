package certs

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

const (
	// hostsEvery is how soon it is seen that a host came or went.
	hostsEvery = time.Minute
	// remindEvery is how often a problem that stays is told of in the log.
	remindEvery = 24 * time.Hour
	// A certificate in a file that has less time left than this, or less than
	// a third of its life, should have been renewed by now.
	soon = 14 * 24 * time.Hour
)

// Watching is what Watch asks and tells.
type Watching struct {
	// Hosts lists the hosts that are to have a certificate.
	Hosts func(context.Context) ([]string, error)
	// Known are those of which something is kept.
	Known func(context.Context) ([]portal.Certificate, error)
	// Note and Forget keep how each host's certificate goes.
	Note   func(context.Context, portal.Certificate) error
	Forget func(ctx context.Context, host string) error
}

// Watch uses renewed files until ctx ends, and keeps and tells which hosts no
// certificate is good for, or will be good for soon.
func (f *Files) Watch(ctx context.Context, w Watching) {
	changed := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.run(ctx, func() {
			select {
			case changed <- struct{}{}:
			default: // one look shows every change
			}
		})
	}()
	defer func() { <-done }()
	notes := fileNotes{files: f, w: w, kept: map[string]portal.Certificate{}, told: map[string]time.Time{}}
	notes.recall(ctx)
	ticker := time.NewTicker(hostsEvery)
	defer ticker.Stop()
	for {
		notes.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-changed:
		}
	}
}

// fileNotes are what is kept and told of the certificates of hosts.
type fileNotes struct {
	files *Files
	w     Watching
	kept  map[string]portal.Certificate
	told  map[string]time.Time
}

// recall learns what is kept from a time before this one, in which certificates
// may have come another way.
func (n *fileNotes) recall(ctx context.Context) {
	known, err := n.w.Known(ctx)
	if err != nil {
		n.failed(ctx, err)
		return
	}
	for _, c := range known {
		n.kept[c.Host] = c
	}
}

func (n *fileNotes) failed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		n.files.log.Warn("how certificates go cannot be kept", "err", err)
	}
}

func (n *fileNotes) look(ctx context.Context) {
	hosts, err := n.w.Hosts(ctx)
	if err != nil {
		n.failed(ctx, err)
		return
	}
	wanted := map[string]bool{}
	for _, host := range hosts {
		wanted[host] = true
		n.note(ctx, n.files.status(host))
	}
	for host := range n.kept {
		if wanted[host] {
			continue
		}
		if err := n.w.Forget(ctx, host); err != nil {
			n.failed(ctx, err)
			continue
		}
		delete(n.kept, host)
		delete(n.told, host)
	}
}

// note tells and keeps what is new of a host.
func (n *fileNotes) note(ctx context.Context, c portal.Certificate) {
	if c.State == portal.CertificateFailing {
		if last, ok := n.told[c.Host]; !ok || c.ErrorAt.Sub(last) >= remindEvery || n.kept[c.Host].Error != c.Error {
			n.files.log.Warn("a host has no certificate that is good for long", "host", c.Host, "why", c.Error)
			n.told[c.Host] = c.ErrorAt
		}
	} else {
		delete(n.told, c.Host)
	}
	if k, ok := n.kept[c.Host]; ok && k.State == c.State && k.Error == c.Error && k.NotAfter.Equal(c.NotAfter) && k.Issuer == c.Issuer {
		return
	}
	if err := n.w.Note(ctx, c); err != nil {
		n.failed(ctx, err)
		return
	}
	n.kept[c.Host] = c
}

// status says how good the certificate is that visitors of a host get.
func (f *Files) status(host string) portal.Certificate {
	c := portal.Certificate{Host: host, State: portal.CertificateGood}
	now := f.now()
	fail := func(format string, args ...any) portal.Certificate {
		c.State, c.Failures, c.Error, c.ErrorAt = portal.CertificateFailing, 1, fmt.Sprintf(format, args...), now
		return c
	}
	var leaf *x509.Certificate
	var file string
	for _, p := range f.pairs {
		// The first that covers the host is the one its visitors get.
		if l := p.current.Load().Leaf; l.VerifyHostname(host) == nil {
			leaf, file = l, p.Cert
			break
		}
	}
	if leaf == nil {
		return fail("no certificate of --tls-cert covers %s; name one that does", host)
	}
	c.Issuer, c.NotAfter = issuerOf(leaf), leaf.NotAfter
	left, life := leaf.NotAfter.Sub(now), leaf.NotAfter.Sub(leaf.NotBefore)
	switch date := leaf.NotAfter.UTC().Format(time.DateOnly); {
	case now.Before(leaf.NotBefore):
		return fail("the certificate in %s begins on %s only; check the clock", file, leaf.NotBefore.UTC().Format(time.DateOnly))
	case left <= 0:
		return fail("the certificate in %s ended on %s; renew it", file, date)
	case left < min(soon, life/3):
		return fail("the certificate in %s ends on %s and has not been renewed", file, date)
	}
	return c
}
