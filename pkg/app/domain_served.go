package app

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Served says that a visitor came to a portal by TLS. From the first of them
// on the domain they came by counts as served well, which decides for how long
// browsers are told to use TLS alone.
func (a *App) Served(v *Visit) {
	d := v.Domain
	if !d.ServedSince.IsZero() || !d.LostAt.IsZero() {
		return
	}
	a.afterwards(func(ctx context.Context) error {
		return a.store.Write(ctx, func(tx *store.Tx) error {
			now, err := tx.Domain(ctx, d.ID)
			if err != nil || !now.ServedSince.IsZero() || !now.LostAt.IsZero() {
				return err
			}
			now.ServedSince = tx.Now
			return tx.SaveDomain(ctx, now)
		})
	})
}

// servedBadly starts the count of a host's good days anew: visitors by TLS find
// no certificate that holds.
func (a *App) servedBadly(ctx context.Context, tx *store.Tx, host string) error {
	base, err := a.base(ctx, tx)
	if err != nil {
		return err
	}
	domains, err := tx.Domains(ctx)
	if err != nil {
		return err
	}
	for i := range domains {
		d := &domains[i]
		its := d.Host == host || d.Kind == portal.SystemDomain && hostOnly(base.Host) == host
		if !its || d.ServedSince.IsZero() {
			continue
		}
		d.ServedSince = time.Time{}
		if err := tx.SaveDomain(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// DomainSecurity is what browsers are told of a domain.
type DomainSecurity struct {
	HSTS    string   // as portal.ParseHSTS reads it; "": unchanged
	Headers []string // as portal.ParseHeader reads them
}

// SetDomainSecurity changes what browsers are told of a domain. It holds at the
// next request.
func (a *App) SetDomainSecurity(ctx context.Context, name string, s DomainSecurity) (d *portal.Domain, changes []Change, err error) {
	var hsts portal.HSTS
	if s.HSTS != "" {
		if hsts, err = portal.ParseHSTS(s.HSTS); err != nil {
			return nil, nil, err
		}
	}
	headers := map[string]string{}
	for _, line := range s.Headers {
		header, value, err := portal.ParseHeader(line)
		if err != nil {
			return nil, nil, err
		}
		headers[header] = value
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		changes = nil
		if d, err = domainByName(ctx, tx, name); err != nil {
			return err
		}
		if s.HSTS != "" && d.HSTS != hsts.String() {
			changes = append(changes, Change{"hsts", d.HSTS, hsts.String()})
			d.HSTS = hsts.String()
		}
		changes = append(changes, changeHeaders(d, headers)...)
		if len(changes) == 0 {
			return nil
		}
		if err := tx.SaveDomain(ctx, d); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditDomainChanged, 0, aboutDomain(d.ID), changes...)
	})
	return d, changes, err
}

// changeHeaders changes a domain's headers; one without a value goes.
func changeHeaders(d *portal.Domain, headers map[string]string) []Change {
	var changes []Change
	own := maps.Clone(d.Headers)
	if own == nil {
		own = map[string]string{}
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if own[name] == headers[name] {
			continue
		}
		changes = append(changes, Change{name, own[name], headers[name]})
		if own[name] = headers[name]; own[name] == "" {
			delete(own, name)
		}
	}
	d.Headers = own
	return changes
}
