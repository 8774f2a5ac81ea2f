package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// ReachOptions are how addresses are visited. The zero value does it as
// browsers do.
type ReachOptions struct {
	// Roots are whom certificates have to come from; nil: the system's.
	Roots *x509.CertPool
	// Dial connects; nil: the network's own.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (o ReachOptions) client() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12}, DialContext: o.Dial, ForceAttemptHTTP2: true,
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// A certificate that has less time left than this, or less than a third of its
// life, should have been renewed by now.
const renewBy = 14 * 24 * time.Hour

// reachChecks visit every site that customers visit.
func (a *App) reachChecks(s *Status, o ReachOptions) []Check {
	sites := []string{s.BaseURL}
	for i := range s.Portals {
		p := &s.Portals[i]
		site, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(p.URL, "https://"), "http://"), "/")
		scheme, _, _ := strings.Cut(p.URL, "://")
		if site = scheme + "://" + site; p.Portal.Domain.Verified() && !slices.Contains(sites, site) {
			sites = append(sites, site)
		}
	}
	var checks []Check
	for _, site := range sites {
		checks = append(checks, Check{"reach", site, func(ctx context.Context) []portal.Finding { return a.visitSite(ctx, o, site) }})
	}
	return checks
}

// visitSite asks a site whether it lives, as a browser would.
func (a *App) visitSite(ctx context.Context, o ReachOptions, site string) []portal.Finding {
	const code = "reach.site"
	client := o.client()
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, site+"/-/health", nil)
	if err != nil {
		return cannot(code, site, err)
	}
	res, err := client.Do(r)
	if err != nil {
		return []portal.Finding{a.unreached(site, err)}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64))
	if err != nil {
		return cannot(code, site, err)
	}
	var all []portal.Finding
	if res.StatusCode != http.StatusOK || string(body) != "ok\n" || res.Header.Get("X-Robots-Tag") == "" {
		all = append(all, fails(code, site, fmt.Sprintf("somebody else answers there (%s)", strings.TrimSpace(strings.TrimSuffix(plainly(res.Status, res.Header.Get("Server")), ", "))),
			"this portal", "have the address, or the proxy in front of it, lead to serve"))
	} else {
		all = append(all, holds(code, site, "it answers"))
	}
	if res.TLS != nil && len(res.TLS.PeerCertificates) > 0 {
		all = append(all, a.judgeCertificate(site, res.TLS))
		if res.Header.Get("Referrer-Policy") == "same-origin" {
			all = append(all, fails("server.scheme", site, "visitors come by https, and the server takes it for http: sign-in is less protected",
				"a server that knows", "give --base-url its https address, or name the proxy with --trusted-proxy"))
		}
		return all
	}
	if u, err := url.Parse(site); err == nil && !isThisMachine(u.Hostname()) {
		all = append(all, warns("reach.tls", site, "visitors come without TLS: what they type and read can be overheard", "https",
			"portalctl serve --tls auto, or a proxy that speaks TLS and --base-url https://"+u.Hostname()))
	}
	return all
}

func isThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// judgeCertificate says how good a chain is that browsers take.
func (a *App) judgeCertificate(site string, state *tls.ConnectionState) portal.Finding {
	const code = "tls.certificate"
	leaf, now := state.PeerCertificates[0], a.now()
	left := leaf.NotAfter.Sub(now)
	issuer := leaf.Issuer.CommonName
	if len(leaf.Issuer.Organization) > 0 {
		issuer = leaf.Issuer.Organization[0]
	}
	issuer = cmp.Or(issuer, "an authority without a name")
	found := fmt.Sprintf("certificate of %s, %d days left, to %s; %s", issuer, int(left/(24*time.Hour)), leaf.NotAfter.UTC().Format(time.DateOnly), tls.VersionName(state.Version))
	if left < min(renewBy, leaf.NotAfter.Sub(leaf.NotBefore)/3) {
		return warns(code, site, found, "one that was renewed", "look at `portalctl status` and the log of serve, or at what renews the files")
	}
	return holds(code, site, found)
}

// unreached says in an operator's words why a site could not be visited.
func (a *App) unreached(site string, err error) portal.Finding {
	host := site
	if u, parseErr := url.Parse(site); parseErr == nil {
		host = u.Hostname()
	}
	var dns *net.DNSError
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var timeout net.Error
	switch {
	case errors.As(err, &name):
		return fails("tls.certificate", site, "the certificate is for "+strings.Join(certificateNames(name.Certificate), ", "), "one for "+host,
			"portalctl serve --tls auto, or a certificate that covers "+host)
	case errors.As(err, &authority):
		return fails("tls.certificate", site, "the certificate comes from nobody browsers know", "a whole chain to a known authority",
			"give the intermediate certificates too (fullchain.pem), or use --tls auto")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fails("tls.certificate", site, "the certificate is valid from "+invalid.Cert.NotBefore.UTC().Format(time.DateOnly)+" to "+invalid.Cert.NotAfter.UTC().Format(time.DateOnly),
			"one that is valid now", "renew it; look at `portalctl status` and the log of serve")
	case errors.As(err, &invalid):
		return fails("tls.certificate", site, oneLine(invalid.Error()), "a certificate that browsers take", "obtain another one")
	case errors.As(err, &dns):
		return fails("reach.name", site, "the name "+dns.Name+" is not found", "an address record", "add an A or AAAA record with this server's address at "+dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fails("reach.site", site, "nobody listens there", "serve", "start it: portalctl serve (or systemctl start portalctl)")
	case errors.As(err, &timeout) && timeout.Timeout():
		return warns("reach.site", site, "no answer; some networks do not let a machine reach itself by its public address", "an answer",
			"open it from another network; if it does not answer there, let the port through the firewall")
	}
	return fails("reach.site", site, oneLine(rootOf(err).Error()), "an answer", "look at the log of serve, and at the proxy in front of it")
}

func certificateNames(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		names = []string{"no host at all"}
	}
	return names
}

// rootOf is the innermost error, without what was done around it.
func rootOf(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
