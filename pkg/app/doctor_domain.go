package app

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// domainChecks ask DNS for every domain's records.
func (a *App) domainChecks(s *Status) []Check {
	var checks []Check
	for i := range s.Domains {
		d := &s.Domains[i]
		if d.Kind == portal.SystemDomain {
			if u, err := url.Parse(s.BaseURL); err == nil && needsName(u.Hostname()) {
				checks = append(checks, Check{"dns", u.Hostname(), func(ctx context.Context) []portal.Finding { return a.lookUpBase(ctx, u.Hostname()) }})
			}
			continue
		}
		checks = append(checks, Check{"dns", d.Host, func(ctx context.Context) []portal.Finding { return a.lookUpDomain(ctx, d) }})
	}
	return checks
}

// needsName reports whether a host has to be found in DNS.
func needsName(host string) bool {
	_, err := netip.ParseAddr(host)
	return err != nil && !isThisMachine(host)
}

// lookUpBase looks for the addresses of the base URL's host, which needs no
// proof.
func (a *App) lookUpBase(ctx context.Context, host string) []portal.Finding {
	const code = "dns.base_url"
	found, err := a.resolver.Addresses(ctx, host)
	switch {
	case err != nil:
		return []portal.Finding{fails(code, host, "DNS cannot be asked: "+oneLine(err.Error()), "an answer", "check the machine's name servers, or give one with --resolver")}
	case len(found.Values) == 0:
		return []portal.Finding{fails(code, host, "the base URL's host has no address", "an A or AAAA record", host+". 300 IN A YOUR-ADDRESS")}
	}
	return []portal.Finding{holds(code, host, "leads to "+strings.Join(found.Values, ", "))}
}

func (a *App) lookUpDomain(ctx context.Context, d *portal.Domain) []portal.Finding {
	const code = "dns.domain"
	c, err := a.LookAtDomain(ctx, d)
	if err != nil {
		return cannot(code, d.Host, err)
	}
	all := c.Findings
	if since := d.LostAt; d.ProofExpired(a.now()) {
		all = append(all, fails("dns.proof_expired", d.Host, fmt.Sprintf("the proof has been gone since %s, and nobody new may sign in", since.UTC().Format(time.DateOnly)),
			"the TXT record of "+d.ProofName(), recordOf(c, true)))
	}
	worst := false
	for _, f := range all {
		worst = worst || f.Severity == portal.SeverityFail
	}
	switch {
	case c.Holds() && !worst:
		all = append([]portal.Finding{holds(code, d.Host, "proven, and visitors arrive")}, all...)
		if !d.Verified() {
			all[0] = fails(code, d.Host, "the records are there, and the domain was not verified since", "a verified domain", "portalctl domain verify "+d.Host)
		}
	case !worst && !c.Proven:
		all = append(all, fails(code, d.Host, "the record that proves ownership was not found", "the TXT record of "+d.ProofName(), recordOf(c, true)))
	case !worst:
		all = append(all, warns(code, d.Host, "visitors do not arrive at this server", "the record that sends them here", recordOf(c, false)))
	}
	return all
}

// recordOf is the record to add: the proof, or what sends visitors here.
func recordOf(c *DomainCheck, proof bool) string {
	for i := range c.Records {
		if r := &c.Records[i]; r.Proof == proof && !r.OK {
			return r.Line()
		}
	}
	return "portalctl domain show " + c.Domain.Host
}
