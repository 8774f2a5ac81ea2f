package app

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// CertificateHosts are the hosts a certificate may be obtained for: the
// connected domains that are verified, and the base URL's host when it is a
// name. Nobody else's name is here, whatever visitors ask for.
func (a *App) CertificateHosts(ctx context.Context) (hosts []string, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		base, err := a.base(ctx, tx)
		if err != nil {
			return err
		}
		domains, err := tx.Domains(ctx)
		if err != nil {
			return err
		}
		hosts = nil
		for i := range domains {
			if d := &domains[i]; d.Kind == portal.ConnectedDomain && d.Verified() {
				hosts = append(hosts, d.Host)
			}
		}
		if host := certifiable(base); host != "" && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
		slices.Sort(hosts)
		return nil
	})
	return hosts, err
}

// certifiable is the base URL's host when it is a name an authority can vouch
// for: no address, and not this machine's word for itself. Names of a company's
// own network are left to its own authority; others refuse them.
func certifiable(base *url.URL) string {
	host := hostOnly(base.Host)
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost") {
		return ""
	}
	return host
}

// MayHaveCertificate says why no certificate may be obtained for a host, if
// none may; it is asked right before one is.
func (a *App) MayHaveCertificate(ctx context.Context, host string) error {
	hosts, err := a.CertificateHosts(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(hosts, host) {
		return portal.Forbiddenf("certificate.host", "%s is no verified domain, so it gets no certificate", host)
	}
	return nil
}

// FirstHost is the verified domain that was connected first; "" when there is
// none. It is the system's address where nobody gave one.
func (a *App) FirstHost(ctx context.Context) (string, error) {
	domains, err := a.Domains(ctx)
	if err != nil {
		return "", err
	}
	var first *portal.Domain
	for i := range domains {
		d := &domains[i]
		if d.Kind == portal.ConnectedDomain && d.Verified() && (first == nil || d.ID < first.ID) {
			first = d
		}
	}
	if first == nil {
		return "", nil
	}
	return first.Host, nil
}

// SiteOf is the address of the site at a host, without a slash at the end, as
// links have it; NotFound host.unknown for a host that is not served.
func (a *App) SiteOf(ctx context.Context, host string) (site string, err error) {
	host = hostOnly(host)
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		base, err := a.base(ctx, tx)
		if err != nil {
			return err
		}
		if hostOnly(base.Host) == host {
			site = strings.TrimSuffix(base.String(), "/")
			return nil
		}
		d, err := tx.DomainByHost(ctx, host)
		if portal.KindOf(err) == portal.NotFound || err == nil && !d.Verified() {
			return portal.NotFoundf("host.unknown", "%q is not served here", host)
		}
		if err == nil {
			site = siteURL(&portal.Portal{Domain: *d}, base)
		}
		return err
	})
	return site, err
}

// NoteCertificate writes down how a host's certificate goes, for Status.
func (a *App) NoteCertificate(ctx context.Context, c portal.Certificate) error {
	c.Error = oneLine(c.Error)
	return a.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.SaveCertificate(ctx, c); err != nil || c.State != portal.CertificateFailing || c.Valid(tx.Now) {
			return err
		}
		return a.servedBadly(ctx, tx, c.Host)
	})
}

// ForgetCertificate removes what Status says of a host that needs no
// certificate any more.
func (a *App) ForgetCertificate(ctx context.Context, host string) error {
	return a.store.Write(ctx, func(tx *store.Tx) error { return tx.RemoveCertificate(ctx, host) })
}

// KeepCertificates forgets what Status says of all hosts but these, as when
// serve begins and others were served before.
func (a *App) KeepCertificates(ctx context.Context, hosts []string) error {
	all, err := a.Certificates(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		if slices.Contains(hosts, c.Host) {
			continue
		}
		if err := a.ForgetCertificate(ctx, c.Host); err != nil {
			return err
		}
	}
	return nil
}

// findFailing tells of certificates that are not there, or not for long.
func (s *Status) findFailing(now time.Time) {
	for i := range s.Certificates {
		c := &s.Certificates[i]
		switch {
		case c.State == portal.CertificateFailing && c.Valid(now):
			s.missing("doctor", "the certificate of %s, valid until %s, is not renewed: %s", c.Host, c.NotAfter.Local().Format(time.DateOnly), c.Error)
		case c.State == portal.CertificateFailing:
			s.missing("doctor", "%s has no certificate: %s", c.Host, c.Error)
		case c.State == portal.CertificateGood && !c.Valid(now):
			s.missing("serve", "the certificate of %s ran out on %s; no serve that runs has seen a newer one", c.Host, c.NotAfter.Local().Format(time.DateOnly))
		}
	}
}

// Certificates are those serve obtains, as it last saw them.
func (a *App) Certificates(ctx context.Context) (list []portal.Certificate, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.Certificates(ctx)
		return err
	})
	return list, err
}
