package app

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// RecallResult is what taking invitations back did.
type RecallResult struct {
	Changes []MemberChange
	Back    int // taken back: nobody was told
	InGroup int // of these: an access group lets them in all the same
	// Gone counts, when none of the portal's could be taken back, those that
	// went out within RecentlyInvited.
	Gone int
}

// RecentlyInvited is how far back RecallInvitations counts what has gone out.
const RecentlyInvited = time.Hour

// RecallInvitations takes back invitations that changes of settings or groups
// have caused and that were not sent yet: those of the contacts named or, with
// none named, all of the portal's. The memberships vanish and nobody is told.
// Who is in which group stays as it is.
func (a *App) RecallInvitations(ctx context.Context, p *portal.Portal, addresses []string) (*RecallResult, error) {
	if len(addresses) > 0 {
		r := &RecallResult{}
		var err error
		r.Changes, err = a.changeMembers(ctx, p, addresses, func(ctx context.Context, tx *store.Tx, p *portal.Portal, c *portal.Contact, done *MemberChange) error {
			m, err := memberOrNil(ctx, tx, p, c.ID)
			switch {
			case err != nil:
				return err
			case m == nil:
				done.Note = "is not invited"
				return nil
			}
			return r.recall(ctx, tx, a, m, done)
		})
		return r, err
	}
	r := &RecallResult{}
	for last := portal.ContactID(0); ; {
		var part RecallResult
		var page []portal.Member
		err := a.store.Write(ctx, func(tx *store.Tx) (err error) {
			part = RecallResult{}
			if page, err = tx.InGrace(ctx, p.ID, last, inviteBatch); err != nil {
				return err
			}
			for i := range page {
				c, err := tx.Contact(ctx, page[i].ContactID)
				if err != nil {
					return err
				}
				done := MemberChange{Email: c.Email}
				if err := part.recall(ctx, tx, a, &page[i], &done); err != nil {
					return err
				}
				part.Changes = append(part.Changes, done)
			}
			if part.Back == 0 {
				part.Gone, err = tx.CountInvited(ctx, p.ID, tx.Now.Add(-RecentlyInvited))
			}
			return err
		})
		if err != nil {
			return r, err
		}
		r.Changes = append(r.Changes, part.Changes...)
		r.Back, r.InGroup, r.Gone = r.Back+part.Back, r.InGroup+part.InGroup, part.Gone
		if len(page) < inviteBatch {
			return r, nil
		}
		last = page[len(page)-1].ContactID
	}
}

// recall takes one membership back, if nobody was told of it.
func (r *RecallResult) recall(ctx context.Context, tx *store.Tx, a *App, m *portal.Member, done *MemberChange) error {
	back, err := a.takeBack(ctx, tx, m)
	switch {
	case err != nil:
		return err
	case !back:
		done.Status, done.Note = m.Status, "was told already"
		return nil
	}
	in, err := tx.InGroups(ctx, m.PortalID, m.ContactID)
	if err != nil {
		return err
	}
	r.Back++
	if in {
		r.InGroup++
	}
	done.Changed = true
	return tx.EndPortalTokens(ctx, m.PortalID, m.ContactID, store.TokenInvitation)
}

// Waiting is how many members of a portal a change has made of whom nobody was
// told yet, and until when they can be taken back.
type Waiting struct {
	Portal portal.Portal
	Count  int
	Until  time.Time
}

// WaitingInvitations counts, for each portal that has any, the invitations
// that changes have caused since a time, and that are within their grace.
func (a *App) WaitingInvitations(ctx context.Context, since time.Time) (list []Waiting, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list = nil
		portals, err := tx.Portals(ctx)
		if err != nil {
			return err
		}
		for _, p := range portals {
			n, until, err := tx.CountInGrace(ctx, p.ID, since.Truncate(time.Millisecond).Add(Grace))
			if err != nil {
				return err
			}
			if n > 0 {
				list = append(list, Waiting{p, n, until})
			}
		}
		return nil
	})
	return list, err
}

// MemberView is everything known of one member of a portal.
type MemberView struct {
	store.MemberRow
	Entry  portal.Entry
	Groups []string // the portal's access groups that list them
	// Elsewhere names other portals they are registered in.
	Elsewhere []string
}

// ShowMember returns one member, or a contact whom an access group lets in
// before they ever came.
func (a *App) ShowMember(ctx context.Context, p *portal.Portal, address string) (v *MemberView, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		c, err := contactWith(ctx, tx, "email", address)
		if err != nil {
			return err
		}
		x := &Explanation{}
		if err := x.load(ctx, tx, p.ID, c.Email, 0); err != nil {
			return err
		}
		if x.Member == nil && len(x.Groups) == 0 {
			return notMember(p, c)
		}
		v = &MemberView{Entry: x.Entry, Groups: x.Groups}
		v.Email, v.Name, v.InGroup = c.Email, c.Name, len(x.Groups) > 0
		if x.Member != nil {
			v.Member = *x.Member
		}
		if c.Primary != 0 {
			company, err := tx.Company(ctx, c.Primary)
			if err != nil {
				return err
			}
			v.Company = company.Name
		}
		all, err := memberships(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		for _, m := range all {
			if m.PortalID != p.ID && m.Status == portal.Registered {
				v.Elsewhere = append(v.Elsewhere, m.PortalName)
			}
		}
		return nil
	})
	return v, err
}
