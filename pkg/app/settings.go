package app

import (
	"context"
	"net"
	"net/url"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// The keys of what the store remembers of the last serve, so that other
// commands print links that work.
const (
	MetaBaseURL  = "base_url"  // the address of the system domain
	MetaMailFrom = "mail_from" // set while serve has an SMTP server; "" otherwise
)

// DefaultBaseURL is the system domain's address until serve names another.
const DefaultBaseURL = "http://127.0.0.1:8080"

// settings is what every page needs of portals and domains. It is read again
// whenever the store's settings version has moved on.
type settings struct {
	version int64
	base    *url.URL
	desk    *portal.Portal // the help desk, on the base URL
	sites
}

// loadSettings reads portals and domains and keeps them for the next caller.
func (a *App) loadSettings(ctx context.Context) (set *settings, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		set, err = a.readSettings(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	a.settings.Store(set)
	return set, nil
}

func (a *App) readSettings(ctx context.Context, tx *store.Tx) (*settings, error) {
	set := &settings{}
	var err error
	if set.version, err = tx.SettingsVersion(ctx); err != nil {
		return nil, err
	}
	if set.base, err = a.base(ctx, tx); err != nil {
		return nil, err
	}
	if set.desk, err = deskPortal(ctx, tx); err != nil {
		return nil, err
	}
	if a.preview != nil {
		p := a.preview.portal
		set.sites = newSites(set.base, []portal.Domain{p.Domain}, []portal.Portal{p}, nil)
		return set, nil
	}
	domains, err := tx.Domains(ctx)
	if err != nil {
		return nil, err
	}
	portals, err := tx.Portals(ctx)
	if err != nil {
		return nil, err
	}
	texts, err := tx.PortalTexts(ctx, 0)
	if err != nil {
		return nil, err
	}
	own := map[portal.PortalID][]portal.PortalText{}
	for _, t := range texts {
		own[t.Portal] = append(own[t.Portal], t)
	}
	for i := range portals {
		portals[i].Texts = portal.NewTexts(own[portals[i].ID])
	}
	addresses, err := tx.Addresses(ctx)
	set.sites = newSites(set.base, domains, portals, addresses)
	return set, err
}

// deskPortal is the help desk. A store without a system domain has one in
// English.
func deskPortal(ctx context.Context, tx *store.Tx) (*portal.Portal, error) {
	system, err := tx.SystemDomain(ctx)
	if portal.KindOf(err) == portal.NotFound {
		system, err = &portal.Domain{Kind: portal.SystemDomain}, nil
	}
	if err != nil {
		return nil, err
	}
	return portal.DeskPortal(*system), nil
}

// Desk is the help desk, as the portal agents sign in to.
func (a *App) Desk(ctx context.Context) (p *portal.Portal, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		p, err = deskPortal(ctx, tx)
		return err
	})
	return p, err
}

// base is the address of the system domain.
func (a *App) base(ctx context.Context, tx *store.Tx) (*url.URL, error) {
	if a.baseURL != nil {
		return a.baseURL, nil
	}
	kept, err := tx.Meta(ctx, MetaBaseURL)
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(kept); err == nil && u.Host != "" {
		return u, nil
	}
	return url.Parse(DefaultBaseURL)
}

// host returns the host name of a Host header, lower case, without port.
func hostOnly(host string) string {
	if h, port, err := net.SplitHostPort(host); err == nil && strings.Trim(port, "0123456789") == "" {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// siteURL is the scheme and host a portal is reached at, without a slash at
// the end: its connected domain, else the base URL.
func siteURL(p *portal.Portal, base *url.URL) string {
	if p.Domain.Kind != portal.ConnectedDomain {
		return strings.TrimSuffix(base.String(), "/")
	}
	// A connected domain is served as the base URL is: behind the same TLS
	// and, when that is not the usual one, on the same port.
	host := p.Domain.Host
	if port := base.Port(); port != "" {
		host = net.JoinHostPort(host, port)
	}
	return base.Scheme + "://" + host
}

// URL is the address of a path in a portal: under its connected domain, or
// under the base URL. Links in mail and on the terminal come from here,
// never from a request.
func (a *App) URL(ctx context.Context, p *portal.Portal, path string) (string, error) {
	set := a.settings.Load()
	if set == nil {
		var err error
		if set, err = a.loadSettings(ctx); err != nil {
			return "", err
		}
	}
	if !p.Domain.Verified() {
		err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
			p, err = whereServed(ctx, tx, p)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return siteURL(p, set.base) + p.BasePath() + path, nil
}

// whereServed is a portal at the address visitors reach it at. That is its own,
// except that one which was given a domain before the domain is proven stays
// where it was until then.
func whereServed(ctx context.Context, tx *store.Tx, p *portal.Portal) (*portal.Portal, error) {
	if p.Domain.Verified() {
		return p, nil
	}
	all, err := tx.Addresses(ctx)
	if err != nil {
		return nil, err
	}
	var best *portal.Address
	for i := range all {
		if at := &all[i]; at.Portal == p.ID && at.Domain.Verified() && (best == nil || laterHome(at, best)) {
			best = at
		}
	}
	if best == nil {
		return p, nil
	}
	there := *p
	there.DomainID, there.Domain, there.Slug = best.Domain.ID, best.Domain, best.Slug
	return &there, nil
}

// laterHome has the address a portal was at last before those it is found at
// besides.
func laterHome(a, b *portal.Address) bool {
	if a.Kind != b.Kind {
		return a.Kind == portal.FormerAddress
	}
	return a.CreatedAt.After(b.CreatedAt)
}
