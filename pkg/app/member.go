package app

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// MemberChange is what a command did to one member.
type MemberChange struct {
	Email   string
	Status  portal.MemberStatus // after it; "" when the membership is gone
	Changed bool
	Mailed  bool   // a mail was queued
	Ended   int    // sessions ended
	Note    string // why nothing changed, or no mail goes out
}

// Members lists a portal's members by address.
func (a *App) Members(ctx context.Context, f store.MemberFilter) (rows []store.MemberRow, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		rows, err = tx.Members(ctx, f)
		return err
	})
	return rows, err
}

// changeMembers does one thing to several members, all in one transaction, or
// nothing when one of them is unknown or it cannot be done.
func (a *App) changeMembers(ctx context.Context, p *portal.Portal, addresses []string,
	change func(context.Context, *store.Tx, *portal.Portal, *portal.Contact, *MemberChange) error,
) ([]MemberChange, error) {
	var all []MemberChange
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		all = nil
		now, err := tx.Portal(ctx, p.ID)
		if err != nil {
			return err
		}
		contacts, err := contactsWith(ctx, tx, "email", addresses)
		if err != nil {
			return err
		}
		for i := range contacts {
			done := MemberChange{Email: contacts[i].Email}
			if err := change(ctx, tx, now, &contacts[i], &done); err != nil {
				return err
			}
			all = append(all, done)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.wakeMail()
	return all, nil
}

// memberOrNil is the contact's membership; nil when there is none.
func memberOrNil(ctx context.Context, tx *store.Tx, p *portal.Portal, c portal.ContactID) (*portal.Member, error) {
	m, err := tx.Member(ctx, p.ID, c)
	if portal.KindOf(err) == portal.NotFound {
		return nil, nil
	}
	return m, err
}

// noteMember writes down that a membership is to get another status.
func (a *App) noteMember(ctx context.Context, tx *store.Tx, kind portal.AuditKind, m *portal.Member, to portal.MemberStatus, more ...Change) error {
	status := Change{Field: "status", From: string(m.Status), To: string(to)}
	return a.note(ctx, tx, kind, m.PortalID, portal.AboutContact(m.ContactID), append([]Change{status}, more...)...)
}

// InviteMembers invites contacts, again if they were invited before, and lets
// disabled ones back in.
func (a *App) InviteMembers(ctx context.Context, p *portal.Portal, addresses []string) ([]MemberChange, error) {
	return a.changeMembers(ctx, p, addresses, a.inviteMember)
}

func (a *App) inviteMember(ctx context.Context, tx *store.Tx, p *portal.Portal, c *portal.Contact, done *MemberChange) error {
	if err := mayInvite(ctx, tx, p, c); err != nil {
		return err
	}
	m, err := memberOrNil(ctx, tx, p, c.ID)
	if err != nil {
		return err
	}
	switch {
	case m != nil && m.Status == portal.Registered:
		done.Status, done.Note = m.Status, "has registered already"
		return nil
	case m != nil && m.Status == portal.Pending:
		return awaitsApproval(c)
	}
	if m != nil && m.Status == portal.Disabled {
		if err := a.noteMember(ctx, tx, portal.AuditInvited, m, portal.Invited, fact("again", true)); err != nil {
			return err
		}
		m.Status, m.DisabledAt = portal.Invited, time.Time{}
		if err := tx.SaveMember(ctx, m); err != nil {
			return err
		}
	}
	var inv Invitations
	if err := a.invite(ctx, tx, p, []portal.ContactID{c.ID}, 0, &inv); err != nil {
		return err
	}
	done.Status, done.Changed, done.Mailed = portal.Invited, true, inv.Mails > 0
	if inv.Registered > 0 {
		done.Status, done.Note = portal.Registered, "has registered in another portal and signs in with what they have"
		return nil
	}
	if !SendsInvitations(p) {
		done.Note = "no mail goes out from the system domain; hand over the link that `portalctl members link` prints"
	}
	return nil
}

func awaitsApproval(c *portal.Contact) error {
	return portal.Conflictf("member.pending", "%s has registered and awaits approval", c.Email).
		WithHint("approve it with `portalctl members approve %s`", c.Email)
}

// mayInvite refuses invitations that would lead nowhere.
func mayInvite(ctx context.Context, tx *store.Tx, p *portal.Portal, c *portal.Contact) error {
	switch {
	case p.Access.Mode == "":
		return portal.Conflictf("entry.no_mode", "the portal %q has no access mode yet", p.Name).
			WithHint("set one with `portalctl access set`")
	case p.State == portal.Draft:
		return portal.Conflictf("portal.draft", "the portal %q is a draft; an invitation would lead nowhere", p.Name).
			WithHint("open it with `portalctl portal set --state live`")
	case p.Access.Mode == portal.ModeSSO:
		return byProvider(p)
	case p.Access.Mode != portal.ModeGroups:
		return nil
	}
	in, err := tx.InGroups(ctx, p.ID, c.ID)
	if err != nil || in {
		return err
	}
	return portal.Conflictf("entry.no_group", "no access group of the portal %q lists %s", p.Name, c.Email).
		WithHint("add them with `portalctl groups members GROUP --add %s`, which invites too", c.Email)
}

// byProvider refuses what would let somebody in past the identity provider.
func byProvider(p *portal.Portal) error {
	return portal.Conflictf("member.sso", "the identity provider alone lets customers into the portal %q", p.Name).
		WithHint("let them into the group at the provider; they become members when they first sign in")
}

func notMember(p *portal.Portal, c *portal.Contact) error {
	return portal.NotFoundf("member.none", "%s is no member of the portal %q", c.Email, p.Name).
		WithHint("`portalctl members list` names them")
}

// DisableMembers keeps members out: sessions, links and invitations end at
// once. Somebody an access group lists, or an identity provider may know, can
// be kept out before they ever came.
func (a *App) DisableMembers(ctx context.Context, p *portal.Portal, addresses []string) ([]MemberChange, error) {
	return a.changeMembers(ctx, p, addresses, a.disableMember)
}

func (a *App) disableMember(ctx context.Context, tx *store.Tx, p *portal.Portal, c *portal.Contact, done *MemberChange) error {
	m, err := memberOrNil(ctx, tx, p, c.ID)
	if err != nil {
		return err
	}
	if m == nil {
		in, err := tx.InGroups(ctx, p.ID, c.ID)
		if err != nil {
			return err
		}
		// Whom a provider knows may come any day.
		if !in && p.Access.Mode != portal.ModeSSO {
			return notMember(p, c)
		}
		m = &portal.Member{PortalID: p.ID, ContactID: c.ID}
	}
	done.Status = portal.Disabled
	if m.Status == portal.Disabled {
		done.Note = "is disabled already"
		return nil
	}
	if err := a.noteMember(ctx, tx, portal.AuditDisabled, m, portal.Disabled); err != nil {
		return err
	}
	m.Status, m.DisabledAt = portal.Disabled, tx.Now
	if err := tx.SaveMember(ctx, m); err != nil {
		return err
	}
	done.Changed = true
	done.Ended, err = tx.EndPortalAccess(ctx, p.ID, c.ID, "the member was disabled")
	return err
}

// RemoveMembers forgets memberships; contact and tickets stay. One whom an
// access group lets in has to leave the group first.
func (a *App) RemoveMembers(ctx context.Context, p *portal.Portal, addresses []string) ([]MemberChange, error) {
	return a.changeMembers(ctx, p, addresses, a.removeMember)
}

func (a *App) removeMember(ctx context.Context, tx *store.Tx, p *portal.Portal, c *portal.Contact, done *MemberChange) error {
	m, err := memberOrNil(ctx, tx, p, c.ID)
	if err != nil {
		return err
	}
	if m == nil {
		return notMember(p, c)
	}
	in, err := tx.InGroups(ctx, p.ID, c.ID)
	if err != nil {
		return err
	}
	if in && p.Access.Mode == portal.ModeGroups {
		return portal.Conflictf("member.in_group", "an access group of the portal %q lists %s, who would get in again", p.Name, c.Email).
			WithHint("take them out with `portalctl groups members GROUP --remove %s`, or keep them out with `portalctl members disable %s`", c.Email, c.Email)
	}
	if err := tx.RemoveMember(ctx, p.ID, c.ID); err != nil {
		return err
	}
	if err := a.noteMember(ctx, tx, portal.AuditMemberRemoved, m, ""); err != nil {
		return err
	}
	done.Changed = true
	done.Ended, err = tx.EndPortalAccess(ctx, p.ID, c.ID, "the member was removed")
	return err
}

// LinkFor makes a link for a contact to hand over by other means than mail,
// as MemberLink does, unless it would lead nowhere or let somebody in who is
// to be looked at first.
func (a *App) LinkFor(ctx context.Context, p *portal.Portal, address string) (to, url string, err error) {
	c, err := a.Contact(ctx, address)
	if err != nil {
		return "", "", err
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		return mayInvite(ctx, tx, p, c)
	})
	if err != nil {
		return "", "", err
	}
	url, err = a.MemberLink(ctx, p, c.ID)
	return c.Email, url, err
}

// SendsMail reports whether the last serve on this store had a mail server.
func (a *App) SendsMail(ctx context.Context) (sends bool, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		from, err := tx.Meta(ctx, MetaMailFrom)
		sends = from != ""
		return err
	})
	return sends, err
}
