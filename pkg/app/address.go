package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// OwnAddress is the kind of a portal's own address, the one links lead to.
const OwnAddress portal.AddressKind = "own"

// AddressView is where a portal is found, as operators read it.
type AddressView struct {
	portal.Address
	Name string // as commands name it: support.example.com/help
	URL  string
	// Owner is the portal's name, and LeadsTo the URL of its own address;
	// LeadsTo is "" when the address is that.
	Owner, LeadsTo string
	// Served is set when visitors get an answer there: its domain is proven.
	Served bool
}

// AddressName is an address as commands name it: HOST or HOST/SLUG, with the
// word system for the host of the system domain.
func AddressName(d *portal.Domain, slug string) string {
	if slug == "" {
		return domainWord(d)
	}
	return domainWord(d) + "/" + slug
}

// ParseAddress reads HOST, HOST/SLUG, or the two as a browser shows them, and
// returns the host, or system, and the slug.
func ParseAddress(s string) (host, slug string, err error) {
	name := strings.TrimSpace(s)
	if scheme, rest, ok := strings.Cut(name, "://"); ok && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http")) {
		name = rest
	}
	host, slug, _ = strings.Cut(name, "/")
	switch {
	case host == "":
		return "", "", portal.Invalidf("address.name", "", "%q is not an address: the host is missing", s).
			WithHint("write it like www.example.com or support.example.com/help; system/help is on the address of this machine")
	case strings.EqualFold(host, System):
		host = System
	default:
		if host, err = ParseHost(host); err != nil {
			return "", "", err
		}
	}
	slug, err = portal.ParseSlug(slug)
	return host, slug, err
}

// Addresses lists where portals are found: of each its own address first. id 0
// means all portals.
func (a *App) Addresses(ctx context.Context, id portal.PortalID) (list []AddressView, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list, err = a.addresses(ctx, tx, id)
		return err
	})
	return list, err
}

func (a *App) addresses(ctx context.Context, tx *store.Tx, id portal.PortalID) ([]AddressView, error) {
	base, err := a.base(ctx, tx)
	if err != nil {
		return nil, err
	}
	portals, err := tx.Portals(ctx)
	if err != nil {
		return nil, err
	}
	all, err := tx.Addresses(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(x, y portal.Address) int { return -strings.Compare(string(x.Kind), string(y.Kind)) })
	var list []AddressView
	for i := range portals {
		p := &portals[i]
		if id != 0 && p.ID != id {
			continue
		}
		home := siteURL(p, base) + p.BasePath() + "/"
		view := func(at portal.Address) AddressView {
			q := portal.Portal{Domain: at.Domain, Slug: at.Slug}
			v := AddressView{Address: at, Name: AddressName(&at.Domain, at.Slug), Owner: p.Name, Served: at.Domain.Verified()}
			v.URL = siteURL(&q, base) + q.BasePath() + "/"
			if v.URL != home {
				v.LeadsTo = home
			}
			return v
		}
		list = append(list, view(portal.Address{Portal: p.ID, Domain: p.Domain, Slug: p.Slug, Kind: OwnAddress, CreatedAt: p.CreatedAt}))
		for _, at := range all {
			if at.Portal == p.ID {
				list = append(list, view(at))
			}
		}
	}
	return list, nil
}

// viewOf finds the one of a portal's addresses that was just written.
func (a *App) viewOf(ctx context.Context, tx *store.Tx, at *portal.Address) (*AddressView, error) {
	list, err := a.addresses(ctx, tx, at.Portal)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Domain.ID == at.Domain.ID && list[i].Slug == at.Slug {
			return &list[i], nil
		}
	}
	return nil, portal.NotFoundf("address.none", "the address is gone")
}

// AddAddress has a portal found at a further address, from which visitors are
// sent on to its own. Its domain has to be connected. What is there already
// stays; a former address of this or another portal becomes a further one of
// this. ended is the portal whose former address it was.
func (a *App) AddAddress(ctx context.Context, id portal.PortalID, address string) (v *AddressView, added bool, ended string, err error) {
	host, slug, err := ParseAddress(address)
	if err != nil {
		return nil, false, "", err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		added, ended = false, ""
		p, err := tx.Portal(ctx, id)
		if err != nil {
			return err
		}
		d, err := addressDomain(ctx, tx, host, slug)
		if err != nil {
			return err
		}
		at := &portal.Address{Portal: id, Domain: *d, Slug: slug, Kind: portal.FurtherAddress}
		if added, ended, err = a.addAddress(ctx, tx, p, at); err != nil {
			return err
		}
		v, err = a.viewOf(ctx, tx, at)
		return err
	})
	return v, added, ended, err
}

// addressDomain finds the domain of an address that is to be added.
func addressDomain(ctx context.Context, tx *store.Tx, host, slug string) (*portal.Domain, error) {
	if host == System {
		return tx.SystemDomain(ctx)
	}
	d, err := tx.DomainByHost(ctx, host)
	if portal.KindOf(err) == portal.NotFound {
		again := host
		if slug != "" {
			again += "/" + slug
		}
		return nil, portal.NotFoundf("domain.none", "%s is not connected", host).With("Host", host).
			WithHint("connect it first: portalctl domain connect %s; then: portalctl portal address add %s", host, again)
	}
	return d, err
}

func (a *App) addAddress(ctx context.Context, tx *store.Tx, p *portal.Portal, at *portal.Address) (added bool, ended string, err error) {
	portals, err := tx.Portals(ctx)
	if err != nil {
		return false, "", err
	}
	name := AddressName(&at.Domain, at.Slug)
	for i := range portals {
		if q := &portals[i]; q.DomainID == at.Domain.ID && q.Slug == at.Slug {
			if q.ID == p.ID {
				return false, "", portal.Conflictf("address.own", "%s is the own address of %q; it needs no other", name, p.Name).With("Address", name)
			}
			return false, "", portal.Conflictf("address.taken", "%s is taken: the portal %q lies there", name, q.Name).With("Address", name).With("Portal", q.Name)
		}
	}
	before, err := tx.AddressAt(ctx, at.Domain.ID, at.Slug)
	switch {
	case portal.KindOf(err) == portal.NotFound:
	case err != nil:
		return false, "", err
	case before.Portal == p.ID && before.Kind == portal.FurtherAddress:
		return false, "", nil
	case before.Portal != p.ID:
		if ended, err = a.endAddress(ctx, tx, before, portals); err != nil {
			return false, "", err
		}
	}
	if err := tx.SaveAddress(ctx, at); err != nil {
		return false, "", err
	}
	return true, ended, a.note(ctx, tx, portal.AuditAddressAdded, p.ID, aboutPortal(p.ID), fact("address", name))
}

// endAddress removes a former address of another portal that is wanted for
// something else, and returns that portal's name. One an operator added is not
// given away.
func (a *App) endAddress(ctx context.Context, tx *store.Tx, at *portal.Address, portals []portal.Portal) (string, error) {
	if at.Kind == portal.FurtherAddress {
		return "", takenBy(at, portals)
	}
	if err := tx.RemoveAddress(ctx, at.Domain.ID, at.Slug); err != nil {
		return "", err
	}
	return ownerOf(at, portals), a.note(ctx, tx, portal.AuditAddressRemoved, at.Portal, aboutPortal(at.Portal),
		Change{Field: "former-address", From: AddressName(&at.Domain, at.Slug)})
}

func ownerOf(at *portal.Address, portals []portal.Portal) string {
	for i := range portals {
		if portals[i].ID == at.Portal {
			return portals[i].Name
		}
	}
	return ""
}

// takenBy refuses an address that an operator gave to another portal.
func takenBy(at *portal.Address, portals []portal.Portal) error {
	name, owner := AddressName(&at.Domain, at.Slug), ownerOf(at, portals)
	err := portal.Conflictf("address.taken", "%s is taken: it is a further address of the portal %q", name, owner)
	return err.With("Address", name).With("Portal", owner).WithHint("end that first: portalctl portal address remove %s", name)
}

// EndedAddress is a former address that led to a portal and does no more,
// because another one lies there now.
type EndedAddress struct {
	Name   string // as commands name it
	Portal string // the name of the portal it led to
}

// settleAddress makes room for a portal's own address, which is about to be
// written: a former address of another portal ends, and what led here from
// there is not needed any more.
func (a *App) settleAddress(ctx context.Context, tx *store.Tx, p *portal.Portal) (*EndedAddress, error) {
	at, err := tx.AddressAt(ctx, p.DomainID, p.Slug)
	if portal.KindOf(err) == portal.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if at.Portal == p.ID {
		return nil, tx.RemoveAddress(ctx, at.Domain.ID, at.Slug)
	}
	portals, err := tx.Portals(ctx)
	if err != nil {
		return nil, err
	}
	owner, err := a.endAddress(ctx, tx, at, portals)
	if err != nil {
		return nil, err
	}
	return &EndedAddress{AddressName(&at.Domain, at.Slug), owner}, nil
}

// RemoveAddress ends a further or former address: links to it lead nowhere
// from then on. id 0 takes that of whatever portal has it.
func (a *App) RemoveAddress(ctx context.Context, id portal.PortalID, address string) (v *AddressView, err error) {
	host, slug, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		at, err := addressToRemove(ctx, tx, id, host, slug)
		if err != nil {
			return err
		}
		if v, err = a.viewOf(ctx, tx, at); err != nil {
			return err
		}
		if err := tx.RemoveAddress(ctx, at.Domain.ID, at.Slug); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditAddressRemoved, at.Portal, aboutPortal(at.Portal), Change{Field: string(at.Kind) + "-address", From: v.Name})
	})
	return v, err
}

// Address finds a further or former address, as RemoveAddress does.
func (a *App) Address(ctx context.Context, id portal.PortalID, address string) (v *AddressView, err error) {
	host, slug, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		at, err := addressToRemove(ctx, tx, id, host, slug)
		if err != nil {
			return err
		}
		v, err = a.viewOf(ctx, tx, at)
		return err
	})
	return v, err
}

func addressToRemove(ctx context.Context, tx *store.Tx, id portal.PortalID, host, slug string) (*portal.Address, error) {
	d, err := addressDomain(ctx, tx, host, slug)
	if portal.KindOf(err) == portal.NotFound {
		d, err = &portal.Domain{Kind: portal.ConnectedDomain, Host: host}, nil
	}
	if err != nil {
		return nil, err
	}
	name := AddressName(d, slug)
	at, err := tx.AddressAt(ctx, d.ID, slug)
	if err == nil && (id == 0 || at.Portal == id) {
		return at, nil
	}
	if err != nil && portal.KindOf(err) != portal.NotFound {
		return nil, err
	}
	portals, err := tx.Portals(ctx)
	if err != nil {
		return nil, err
	}
	for i := range portals {
		if p := &portals[i]; p.DomainID == d.ID && p.Slug == slug {
			return nil, portal.Conflictf("address.own", "%s is the own address of %q", name, p.Name).With("Address", name).
				WithHint("move the portal with `portalctl portal set --slug` or `--domain`")
		}
	}
	return nil, portal.NotFoundf("address.none", "%s is no further or former address", name).With("Address", name).
		WithHint("`portalctl portal address list` names those there are")
}

// Line tells an address in one line, as status and serve do.
func (v *AddressView) Line() string {
	switch {
	case !v.Served:
		return fmt.Sprintf("%s (%s; not served: %s is not verified)", v.URL, v.Kind, v.Domain.Host)
	case v.Kind == portal.FormerAddress:
		return fmt.Sprintf("%s (former)", v.URL)
	}
	return v.URL
}
