package app

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"slices"
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
	portals []*portal.Portal // longest slug first
	desk    *portal.Portal   // the help desk, on the base URL
}

// loadSettings reads portals and domains and keeps them for the next caller.
func (a *App) loadSettings(ctx context.Context) (*settings, error) {
	set := &settings{}
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		var err error
		if set.version, err = tx.SettingsVersion(ctx); err != nil {
			return err
		}
		if set.base, err = a.base(ctx, tx); err != nil {
			return err
		}
		if set.desk, err = deskPortal(ctx, tx); err != nil {
			return err
		}
		portals, err := tx.Portals(ctx)
		if err != nil {
			return err
		}
		for i := range portals {
			set.portals = append(set.portals, &portals[i])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(set.portals, func(p, q *portal.Portal) int { return len(q.Slug) - len(p.Slug) })
	a.settings.Store(set)
	return set, nil
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

// find returns the portal at a host and path, and the rest of the path. A
// host nobody serves is host.unknown. redirect is where a visitor to the bare
// host belongs when exactly one portal lies there.
func (s *settings) find(host, path string) (p *portal.Portal, rest, redirect string, err error) {
	host = hostOnly(host)
	system := hostOnly(s.base.Host) == host
	known := system
	if base := s.desk.BasePath(); system && (path == base || strings.HasPrefix(path, base+"/")) {
		return s.desk, cmp.Or(strings.TrimPrefix(path, base), "/"), "", nil
	}
	var here []*portal.Portal
	for _, q := range s.portals {
		switch {
		case q.Domain.Kind == portal.SystemDomain && system:
		case q.Domain.Kind == portal.ConnectedDomain && q.Domain.Host == host && q.Domain.Verified():
			known = true
		default:
			continue
		}
		here = append(here, q)
		base := q.BasePath()
		if path == base || strings.HasPrefix(path, base+"/") {
			rest = strings.TrimPrefix(path, base)
			if rest == "" {
				rest = "/"
			}
			return q, rest, "", nil
		}
	}
	if !known {
		return nil, "", "", portal.NotFoundf("host.unknown", "%q is not served here", host)
	}
	if path == "/" {
		open := slices.DeleteFunc(here, func(q *portal.Portal) bool { return q.State == portal.Draft })
		if len(open) == 1 {
			return nil, "", open[0].BasePath() + "/", nil
		}
	}
	return nil, "", "", portal.NotFoundf("portal.none", "no portal lies at this address")
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
	return siteURL(p, set.base) + p.BasePath() + path, nil
}
