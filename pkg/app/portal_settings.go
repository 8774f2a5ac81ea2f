package app

import (
	"context"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// PortalChanges are what `portal set` changes; nil leaves a setting as it is.
type PortalChanges struct {
	Name     *string
	Slug     *string
	Domain   *string // a host, or system
	Accent   *string
	TimeZone *string
	State    *portal.PortalState
	FaceChanges
	// Languages are those it offers; its domain's is always among them. None
	// leaves the domain's alone.
	Languages *[]string
}

// PortalResult is what changing a portal did.
type PortalResult struct {
	Portal      *portal.Portal
	Changes     []Change
	Move        *Move // set when its address changed
	Invitations       // because the portal opened
	Face        FaceNotes
}

// SetPortal changes a portal's name, address and looks. One that stops being
// a draft invites the contacts of its access groups. Links to an address it had
// lead to the new one until RemoveAddress ends that.
func (a *App) SetPortal(ctx context.Context, id portal.PortalID, c PortalChanges) (*PortalResult, error) {
	pics, err := c.read()
	if err != nil {
		return nil, err
	}
	var r *PortalResult
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		p, err := tx.Portal(ctx, id)
		if err != nil {
			return err
		}
		domains, err := tx.Domains(ctx)
		if err != nil {
			return err
		}
		r = &PortalResult{Portal: p}
		wasDraft := p.State == portal.Draft
		was := portal.Address{Portal: p.ID, Domain: p.Domain, Slug: p.Slug, Kind: portal.FormerAddress}
		l, err := c.apply(p, domains)
		if err != nil {
			return err
		}
		if c.Languages != nil {
			if err := a.offer(&l, p, *c.Languages); err != nil {
				return err
			}
		}
		f := &face{p: p, list: &l, pics: pics, load: func(kind portal.ImageKind) (*store.Image, error) { return tx.ImageOf(ctx, id, kind) }}
		if err := c.FaceChanges.apply(f, l.has("name", "accent")); err != nil {
			return err
		}
		r.Changes, r.Face = l, f.notes
		if len(l) == 0 {
			return nil
		}
		written := r.Changes
		if p.DomainID == was.Domain.ID && p.Slug == was.Slug {
			err = tx.SavePortal(ctx, p)
		} else {
			r.Move, err = a.move(ctx, tx, p, &was)
			written = append(written[:len(written):len(written)], fact("former-address", AddressName(&was.Domain, was.Slug)))
		}
		if err != nil {
			return err
		}
		if err := tx.SaveImages(ctx, p, f.images); err != nil {
			return err
		}
		if err := a.note(ctx, tx, portal.AuditPortalChanged, p.ID, aboutPortal(p.ID), written...); err != nil {
			return err
		}
		if wasDraft {
			err = a.inviteGroups(ctx, tx, p, &r.Invitations)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if r.Mails > 0 {
		a.wakeMail()
	}
	return r, nil
}

func (c *PortalChanges) apply(p *portal.Portal, domains []portal.Domain) (changeList, error) {
	var l changeList
	if c.Name != nil {
		name, err := requiredLine("name", *c.Name)
		if err != nil {
			return nil, err
		}
		change(&l, "name", &p.Name, &name)
	}
	if c.Domain != nil {
		d, err := findDomain(domains, *c.Domain)
		if err != nil {
			return nil, err
		}
		if d.ID != p.DomainID {
			l.note("domain", domainWord(&p.Domain), domainWord(d))
			p.DomainID, p.Domain = d.ID, *d
		}
	}
	if c.Slug != nil {
		slug, err := portal.ParseSlug(*c.Slug)
		if err != nil {
			return nil, err
		}
		change(&l, "slug", &p.Slug, &slug)
	}
	if c.Accent != nil {
		accent, err := portal.ParseAccent(*c.Accent)
		if err != nil {
			return nil, err
		}
		change(&l, "accent", &p.Accent, &accent)
	}
	if c.TimeZone != nil {
		zone, err := parseTimeZone(*c.TimeZone)
		if err != nil {
			return nil, err
		}
		change(&l, "time-zone", &p.TimeZone, &zone)
	}
	change(&l, "state", &p.State, c.State)
	return l, nil
}

func domainWord(d *portal.Domain) string {
	if d.Kind == portal.SystemDomain {
		return System
	}
	return d.Host
}

func findDomain(domains []portal.Domain, name string) (*portal.Domain, error) {
	system := strings.EqualFold(strings.TrimSpace(name), System)
	host := ""
	if !system {
		var err error
		if host, err = ParseHost(name); err != nil {
			err.(*portal.Error).Field = "domain"
			return nil, err
		}
	}
	for i, d := range domains {
		if system && d.Kind == portal.SystemDomain || !system && d.Host == host {
			return &domains[i], nil
		}
	}
	err := portal.NotFoundf("domain.none", "the domain %s is not connected", host)
	err.Field = "domain"
	return nil, err.WithHint("connect it first: portalctl domain connect %s", host)
}

func parseTimeZone(s string) (string, error) {
	s = strings.TrimSpace(s)
	// The zone "Local" is another one on every machine.
	loc, err := time.LoadLocation(s)
	if err != nil || s == "" || strings.EqualFold(s, "local") {
		return "", portal.Invalidf("portal.time_zone", "time-zone", "%q is not a time zone; write it like Europe/Stockholm or UTC", s)
	}
	return loc.String(), nil
}

// RemovePortal removes a portal with its members. Contacts and tickets stay.
func (a *App) RemovePortal(ctx context.Context, id portal.PortalID) error {
	return a.store.Write(ctx, func(tx *store.Tx) error {
		p, err := tx.Portal(ctx, id)
		if err != nil {
			return err
		}
		if err := tx.SaveSecret(ctx, clientSecret(id), nil); err != nil {
			return err
		}
		if err := tx.RemovePortal(ctx, id); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditPortalRemoved, id, aboutPortal(id), Change{Field: "name", From: p.Name})
	})
}

// MemberCounts counts a portal's members by status.
func (a *App) MemberCounts(ctx context.Context, id portal.PortalID) (counts map[portal.MemberStatus]int, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		counts, err = tx.MemberCounts(ctx, id)
		return err
	})
	return counts, err
}
