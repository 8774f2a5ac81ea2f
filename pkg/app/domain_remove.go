package app

import (
	"context"
	"errors"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// DomainRemoval is what removing a domain does to the portals found there.
type DomainRemoval struct {
	Domain *portal.Domain
	// Moved are the portals whose own address it holds. They come to the
	// system domain with the slugs they have.
	Moved []MovedPortal
	// Ended are the addresses on it that lead to other portals, or led to one
	// of these before.
	Ended []AddressView
}

// MovedPortal is a portal that loses its domain.
type MovedPortal struct {
	Portal portal.Portal // on the system domain
	Move   Move
}

// PlanDomainRemoval says what removing a domain would do, or what keeps it from
// being removed: it is the system domain, or a portal's place there is taken.
func (a *App) PlanDomainRemoval(ctx context.Context, name string) (r *DomainRemoval, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		r, err = a.planRemoval(ctx, tx, name)
		return err
	})
	return r, err
}

func (a *App) planRemoval(ctx context.Context, tx *store.Tx, name string) (*DomainRemoval, error) {
	d, err := domainByName(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if d.Kind == portal.SystemDomain {
		return nil, portal.Conflictf("domain.system", "the system domain cannot be removed; it is the address of this machine")
	}
	system, err := tx.SystemDomain(ctx)
	if err != nil {
		return nil, err
	}
	base, err := a.base(ctx, tx)
	if err != nil {
		return nil, err
	}
	k, err := readKnown(ctx, tx)
	if err != nil {
		return nil, err
	}
	r := &DomainRemoval{Domain: d}
	var errs []error
	for _, p := range k.Portals {
		if p.DomainID != d.ID {
			continue
		}
		if err := mayComeHome(k, &p, system); err != nil {
			errs = append(errs, err)
		}
		m := MovedPortal{Portal: p}
		m.Portal.DomainID, m.Portal.Domain = system.ID, *system
		m.Move.From, m.Move.To = siteURL(&p, base)+p.BasePath()+"/", siteURL(&m.Portal, base)+p.BasePath()+"/"
		r.Moved = append(r.Moved, m)
	}
	all, err := a.addresses(ctx, tx, 0)
	if err != nil {
		return nil, err
	}
	for _, v := range all {
		if v.Domain.ID == d.ID && v.Kind != OwnAddress {
			r.Ended = append(r.Ended, v)
		}
	}
	return r, errors.Join(errs...)
}

// mayComeHome refuses a portal whose place on the system domain is taken.
func mayComeHome(k *Known, p *portal.Portal, system *portal.Domain) error {
	there, mine := AddressName(system, p.Slug), AddressName(&p.Domain, p.Slug)
	hint := "give it another slug first: portalctl portal set " + mine + " --slug OTHER"
	if q := k.At(system.ID, p.Slug); q != nil {
		return portal.Conflictf("domain.clash", "%q would move to %s, where %q lies", p.Name, there, q.Name).
			With("Portal", p.Name).With("Address", there).WithHint("%s", hint)
	}
	for i := range k.Addresses {
		if at := &k.Addresses[i]; at.Domain.ID == system.ID && at.Slug == p.Slug && at.Kind == portal.FurtherAddress && at.Portal != p.ID {
			return portal.Conflictf("domain.clash", "%q would move to %s, which is a further address of %q", p.Name, there, ownerOf(at, k.Portals)).
				With("Portal", p.Name).With("Address", there).WithHint("%s, or end that one: portalctl portal address remove %s", hint, there)
		}
	}
	return nil
}

// RemoveDomain removes a connected domain. Its portals move to the system
// domain, and every address on it ends: links to them lead nowhere from then
// on.
func (a *App) RemoveDomain(ctx context.Context, name string) (r *DomainRemoval, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if r, err = a.planRemoval(ctx, tx, name); err != nil {
			return err
		}
		for i := range r.Moved {
			if err := a.bringHome(ctx, tx, r.Domain, &r.Moved[i]); err != nil {
				return err
			}
		}
		for _, v := range r.Ended {
			change := Change{Field: string(v.Kind) + "-address", From: v.Name}
			if err := a.note(ctx, tx, portal.AuditAddressRemoved, v.Portal, aboutPortal(v.Portal), change); err != nil {
				return err
			}
		}
		if err := tx.RemoveDomain(ctx, r.Domain.ID); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditDomainRemoved, 0, aboutDomain(r.Domain.ID), Change{Field: "host", From: r.Domain.Host})
	})
	return r, err
}

// bringHome moves a portal to the system domain. No former address stays
// behind, as its host is about to go.
func (a *App) bringHome(ctx context.Context, tx *store.Tx, from *portal.Domain, moved *MovedPortal) error {
	p, err := tx.Portal(ctx, moved.Portal.ID)
	if err != nil {
		return err
	}
	was := portal.Address{Portal: p.ID, Domain: p.Domain, Slug: p.Slug, Kind: portal.FormerAddress}
	p.DomainID, p.Domain = moved.Portal.DomainID, moved.Portal.Domain
	m, err := a.move(ctx, tx, p, &was)
	if err != nil {
		return err
	}
	m.Kept = ""
	moved.Portal, moved.Move = *p, *m
	return a.note(ctx, tx, portal.AuditPortalChanged, p.ID, aboutPortal(p.ID), Change{Field: "domain", From: from.Host, To: System})
}
