package app

import (
	"context"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Move is what giving a portal another address of its own brought with it.
type Move struct {
	From, To string // the URLs of both
	// Kept is the former address, as commands name it: links to it are led on.
	Kept  string
	Ended *EndedAddress // another portal's former address that was here
	// OtherHost is set when the host changed: browsers keep sessions and
	// passkeys to the host they were made at.
	OtherHost bool
	// Waits is set when the new domain is not proven yet: until it is, visitors
	// find the portal where it was, and links lead there.
	Waits bool
	// Language is the one it appears in now, when that is another domain's.
	Language string
	Passkeys int           // members who have passkeys at the host before
	SSO      *SSOAddresses // to be made known to the provider anew; nil without one
	// MailWithheld is set when the portal came to the system domain, from
	// where its access groups get no membership mail.
	MailWithheld bool
}

// move writes a portal that got another address of its own. The one before
// becomes a former address, which leads to the new one.
func (a *App) move(ctx context.Context, tx *store.Tx, p *portal.Portal, was *portal.Address) (*Move, error) {
	base, err := a.base(ctx, tx)
	if err != nil {
		return nil, err
	}
	before := portal.Portal{Domain: was.Domain, Slug: was.Slug}
	m := &Move{
		From: siteURL(&before, base) + before.BasePath() + "/", To: siteURL(p, base) + p.BasePath() + "/",
		Kept: AddressName(&was.Domain, was.Slug), OtherHost: hostOf(&was.Domain, base) != hostOf(&p.Domain, base),
		MailWithheld: MailWithheld(p) && was.Domain.Kind != portal.SystemDomain,
		Waits:        !p.Domain.Verified() && was.Domain.Verified(),
	}
	if p.Domain.Language != was.Domain.Language {
		m.Language = p.Language()
	}
	if m.OtherHost {
		if m.Passkeys, err = tx.PasskeyHolders(ctx, p.ID, hostOf(&was.Domain, base)); err != nil {
			return nil, err
		}
	}
	if p.Access.Mode == portal.ModeSSO {
		home := strings.TrimSuffix(m.To, "/")
		m.SSO = &SSOAddresses{Redirect: home + SSOCallbackPath, SignedOut: home + SSOSignedOutPath}
	}
	if m.Ended, err = a.settleAddress(ctx, tx, p); err != nil {
		return nil, err
	}
	if err := tx.SavePortal(ctx, p); err != nil {
		return nil, err
	}
	return m, tx.SaveAddress(ctx, was)
}

// Neighbour is a connected domain that differs from a host by a www in front,
// and the portals found there: whoever connects one often means the other too.
type Neighbour struct {
	Domain  portal.Domain
	Portals []portal.Portal
}

// Neighbour finds the domain beside a host, when portals have their own
// address there and none is at the host; nil otherwise.
func (a *App) Neighbour(ctx context.Context, host string) (n *Neighbour, err error) {
	other, cut := strings.CutPrefix(host, "www.")
	if !cut {
		other = "www." + host
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		d, err := tx.DomainByHost(ctx, other)
		if portal.KindOf(err) == portal.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		all, err := a.addresses(ctx, tx, 0)
		if err != nil {
			return err
		}
		for i := range all {
			if all[i].Domain.Host == host {
				return nil
			}
		}
		portals, err := tx.Portals(ctx)
		if err != nil {
			return err
		}
		found := &Neighbour{Domain: *d}
		for _, p := range portals {
			if p.DomainID == d.ID {
				found.Portals = append(found.Portals, p)
			}
		}
		if len(found.Portals) > 0 {
			n = found
		}
		return nil
	})
	return n, err
}
