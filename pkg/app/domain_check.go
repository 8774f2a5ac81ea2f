package app

import (
	"cmp"
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/portalctl/portalctl/pkg/dns"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// CheckDomain asks DNS for the domain's records and keeps what became of its
// proof. A domain once proven goes on when the record is gone; it has
// ProofGrace until nobody new signs in there any more.
func (a *App) CheckDomain(ctx context.Context, d *portal.Domain) (*DomainCheck, error) {
	c, err := a.LookAtDomain(ctx, d)
	if err != nil || d.Kind == portal.SystemDomain {
		return c, err
	}
	return c, a.store.Write(ctx, func(tx *store.Tx) error {
		now, err := tx.Domain(ctx, d.ID)
		if err != nil {
			return err
		}
		if now.Token != d.Token {
			return portal.Conflictf("domain.changed", "%s was connected anew in the meantime; check again", d.Host)
		}
		now.CheckedAt = tx.Now
		if err := a.keepProof(ctx, tx, now, c); err != nil {
			return err
		}
		c.Domain = now
		return tx.SaveDomain(ctx, now)
	})
}

// LookAtDomain asks DNS for the domain's records and keeps nothing.
func (a *App) LookAtDomain(ctx context.Context, d *portal.Domain) (*DomainCheck, error) {
	c, err := a.DomainRecords(ctx, d)
	if err != nil || d.Kind == portal.SystemDomain {
		return c, err
	}
	return c, a.look(ctx, c)
}

// LookAtNew asks DNS for the records of a domain that is yet to be connected,
// by the token it will have. address is what Known has of it, base the address
// of the system domain. Nothing is kept, and no store is needed.
func (a *App) LookAtNew(ctx context.Context, host, token, base, address string) (*DomainCheck, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	d := &portal.Domain{Kind: portal.ConnectedDomain, Host: host, Token: token}
	c := &DomainCheck{Domain: d, Records: []DomainRecord{proofRecord(d)}}
	targets, why := targetOf(address, u)
	if c.NoAddress = why; why == "" {
		if err := a.addTargets(ctx, c, targets); err != nil {
			return nil, err
		}
	}
	return c, a.look(ctx, c)
}

// look asks DNS for records and puts beside them what was found.
func (a *App) look(ctx context.Context, c *DomainCheck) error {
	report := a.resolver.Check(ctx, a.want(c))
	if err := ctx.Err(); err != nil {
		return err
	}
	c.Proven, c.Arrives, c.Findings = report.Proven, report.Arrives, report.Findings
	c.Absent = !report.Proven && report.ProofErr == nil
	for i := range c.Records {
		c.Records[i].fill(report)
	}
	return nil
}

// want is what the records of a domain should be, in the terms of package dns.
func (a *App) want(c *DomainCheck) dns.Want {
	d := c.Domain
	w := dns.Want{Host: d.Host, Proof: d.ProofName(), Value: d.ProofValue(), Proxied: d.Proxied, Issuers: a.issuers, Issues: a.issues}
	w.Registered = d.Host
	if top, err := publicsuffix.EffectiveTLDPlusOne(d.Host); err == nil {
		w.Registered = top
	}
	for _, r := range c.Records {
		if r.Type == "CNAME" {
			w.Target = r.Value
		} else if ip, err := netip.ParseAddr(r.Value); err == nil {
			w.Addresses = append(w.Addresses, ip)
		}
	}
	return w
}

// fill puts beside a record what was found of it. Addresses may stand in place
// of a CNAME, as long as they are those of its target: some providers write
// aliases that way.
func (r *DomainRecord) fill(report *dns.Report) {
	found := &report.Four
	switch r.Type {
	case "TXT":
		r.Found, r.By, r.Err, r.OK = report.Proof.Values, report.Proof.By, report.ProofErr, report.Proven
		return
	case "CNAME":
		r.Found = append(slices.Clone(report.Four.Values), report.Six.Values...)
		r.OK = slices.ContainsFunc(r.Found, func(v string) bool { return slices.Contains(report.Leads, v) })
		if alias := cmp.Or(report.Four.Alias, report.Six.Alias); alias != "" {
			r.Found = []string{alias}
			r.OK = r.OK || report.Arrives
		}
	case "AAAA":
		found = &report.Six
		fallthrough
	default:
		r.Found = found.Values
		r.OK = slices.Contains(r.Found, r.Value)
	}
	r.By, r.Err = found.By, report.AddressErr
}

// keepProof writes down what became of the proof. That nobody could be asked
// changes nothing: it is not the same as that the record is gone.
func (a *App) keepProof(ctx context.Context, tx *store.Tx, d *portal.Domain, c *DomainCheck) error {
	switch {
	case c.Proven && d.VerifiedAt.IsZero():
		d.VerifiedAt, d.LostAt, d.LostWhy = tx.Now, time.Time{}, ""
		return a.note(ctx, tx, portal.AuditDomainProven, 0, aboutDomain(d.ID), fact("host", d.Host))
	case c.Proven && !d.LostAt.IsZero():
		d.LostAt, d.LostWhy = time.Time{}, ""
		return a.note(ctx, tx, portal.AuditDomainFound, 0, aboutDomain(d.ID), fact("host", d.Host))
	case c.Absent && d.Verified():
		d.LostWhy = clip(c.whyLost(), 300)
		if !d.LostAt.IsZero() {
			return nil
		}
		d.LostAt, d.ServedSince = tx.Now, time.Time{} // what went well so far counts no more
		return a.note(ctx, tx, portal.AuditDomainLost, 0, aboutDomain(d.ID), fact("host", d.Host), fact("why", d.LostWhy))
	}
	return nil
}

// whyLost is what was found in place of the proof.
func (c *DomainCheck) whyLost() string {
	for _, f := range c.Findings {
		if f.Severity == portal.SeverityFail && (f.About == c.Domain.ProofName() || f.Code == "no-zone") {
			return f.Found
		}
	}
	return "there is no TXT record"
}

// WaitForDomain checks until every record holds or the time is over, telling
// progress of each look. The last look is returned in both cases.
func (a *App) WaitForDomain(ctx context.Context, d *portal.Domain, every, timeout time.Duration, progress func(*DomainCheck)) (*DomainCheck, error) {
	end := time.NewTimer(timeout)
	defer end.Stop()
	for {
		c, err := a.CheckDomain(ctx, d)
		if err != nil || c.Holds() {
			return c, err
		}
		progress(c)
		next := time.NewTimer(every)
		select {
		case <-ctx.Done():
			next.Stop()
			return nil, ctx.Err()
		case <-end.C:
			next.Stop()
			return c, nil
		case <-next.C:
		}
	}
}

// ZoneFile is all records as a zone file has them, ready to be pasted.
func (c *DomainCheck) ZoneFile() string {
	var b strings.Builder
	for i := range c.Records {
		b.WriteString(c.Records[i].Line() + "\n")
	}
	return b.String()
}
