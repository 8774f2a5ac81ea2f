package app

import (
	"context"
	"net/url"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Remember keeps in the store what other commands have to know of the serve
// that runs: its address, and who mail comes from ("" when it sends none).
func (a *App) Remember(ctx context.Context, base *url.URL, mailFrom string) error {
	address := strings.TrimSuffix(base.String(), "/")
	return a.store.Write(ctx, func(tx *store.Tx) error {
		if err := a.setServer(ctx, tx, "base-url", MetaBaseURL, address); err != nil {
			return err
		}
		return a.setServer(ctx, tx, "mail-from", MetaMailFrom, mailFrom)
	})
}

// setServer keeps what other commands have to know of the server, if it is
// not kept already. Where links lead decides who gets in.
func (a *App) setServer(ctx context.Context, tx *store.Tx, field, key, value string) error {
	kept, err := tx.Meta(ctx, key)
	if err != nil || kept == value {
		return err
	}
	if err := tx.SetMeta(ctx, key, value); err != nil {
		return err
	}
	return a.note(ctx, tx, portal.AuditServer, 0, aboutServer, Change{Field: field, From: kept, To: value})
}

// Ready reports whether the store can be read and takes writes.
func (a *App) Ready(ctx context.Context) error {
	if err := a.store.Failure(); err != nil {
		return err
	}
	return a.store.Read(ctx, func(tx *store.Tx) error {
		_, err := tx.SettingsVersion(ctx)
		return err
	})
}

// BaseURL is the address of the system domain, without a slash at the end.
func (a *App) BaseURL(ctx context.Context) (address string, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		u, err := a.base(ctx, tx)
		if err == nil {
			address = strings.TrimSuffix(u.String(), "/")
		}
		return err
	})
	return address, err
}

// SiteURL is where the portals of a domain are reached, without a slash at
// the end, when the system domain's address is base.
func SiteURL(base string, d *portal.Domain) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	return siteURL(&portal.Portal{Domain: *d}, u)
}
