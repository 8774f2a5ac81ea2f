package app

import (
	"context"
	"strings"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// System is how commands name the system domain, which has no host of its own.
const System = "system"

// Domains lists the system domain and the connected ones.
func (a *App) Domains(ctx context.Context) (list []portal.Domain, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.Domains(ctx)
		return err
	})
	return list, err
}

// Domain finds a domain by its host, or the system domain by the word system.
func (a *App) Domain(ctx context.Context, name string) (d *portal.Domain, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		d, err = domainByName(ctx, tx, name)
		return err
	})
	return d, err
}

func domainByName(ctx context.Context, tx *store.Tx, name string) (*portal.Domain, error) {
	if strings.EqualFold(strings.TrimSpace(name), System) {
		return tx.SystemDomain(ctx)
	}
	host, err := ParseHost(name)
	if err != nil {
		return nil, err
	}
	return tx.DomainByHost(ctx, host)
}

// newDomain is a connected domain that is yet to be proven.
func newDomain(host, language string) (*portal.Domain, error) {
	token, _, err := auth.NewToken()
	if err != nil {
		return nil, err
	}
	return &portal.Domain{Kind: portal.ConnectedDomain, Host: host, Language: language, Token: token}, nil
}

// ConnectDomain makes a connected domain that serves nothing until its
// ownership is proven. One that is there already keeps its proof; language ""
// means en for a new one and no change for the others.
func (a *App) ConnectDomain(ctx context.Context, name, language string) (d *portal.Domain, created bool, changes []Change, err error) {
	host, err := ParseHost(name)
	if err != nil {
		return nil, false, nil, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		created, changes = false, nil
		d, err = tx.DomainByHost(ctx, host)
		if portal.KindOf(err) == portal.NotFound {
			if d, err = newDomain(host, orDefault(language, defaultLanguage)); err != nil {
				return err
			}
			created = true
			if err := tx.AddDomain(ctx, d); err != nil {
				return err
			}
			return a.note(ctx, tx, portal.AuditDomainAdded, 0, aboutDomain(d.ID), domainFacts(d)...)
		}
		if err != nil {
			return err
		}
		changes, err = a.saveLanguage(ctx, tx, d, language)
		return err
	})
	return d, created, changes, err
}

// defaultLanguage is that of a domain nobody chose a language for.
const defaultLanguage = "en"

func orDefault(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (a *App) saveLanguage(ctx context.Context, tx *store.Tx, d *portal.Domain, language string) ([]Change, error) {
	if language == "" || language == d.Language {
		return nil, nil
	}
	changes, err := changeDomain(d, DomainChanges{Language: &language})
	if err != nil {
		return nil, err
	}
	if err := tx.SaveDomain(ctx, d); err != nil {
		return nil, err
	}
	return changes, a.note(ctx, tx, portal.AuditDomainChanged, 0, aboutDomain(d.ID), changes...)
}

// DomainChanges are what can be changed about a domain; nil leaves as it is.
type DomainChanges struct {
	Language *string // the language its portals appear in
	Proxied  *bool   // visitors come through a proxy, whose addresses it has
}

// SetDomain changes a domain and returns what became different.
func (a *App) SetDomain(ctx context.Context, name string, c DomainChanges) (d *portal.Domain, changes []Change, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		changes = nil
		if d, err = domainByName(ctx, tx, name); err != nil {
			return err
		}
		if changes, err = changeDomain(d, c); err != nil || len(changes) == 0 {
			return err
		}
		if err := tx.SaveDomain(ctx, d); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditDomainChanged, 0, aboutDomain(d.ID), changes...)
	})
	return d, changes, err
}

func changeDomain(d *portal.Domain, c DomainChanges) (changes []Change, err error) {
	if c.Language != nil && *c.Language != d.Language {
		changes = append(changes, Change{"language", d.Language, *c.Language})
		d.Language = *c.Language
	}
	if c.Proxied != nil && *c.Proxied != d.Proxied {
		if d.Kind == portal.SystemDomain {
			return nil, portal.Invalidf("domain.system", "proxied", "the system domain is this machine's own address; that a proxy stands before it is said with --trusted-proxy")
		}
		changes = append(changes, Change{"proxied", onOff(d.Proxied), onOff(*c.Proxied)})
		d.Proxied = *c.Proxied
	}
	return changes, nil
}
