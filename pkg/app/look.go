package app

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// How long a link to look as a customer can be opened, and how long the look
// then lasts, whatever happens on its pages.
const (
	LookLinkLife = 10 * time.Minute
	LookLife     = 15 * time.Minute
)

// LookLink is a link by which an operator looks at a portal as a contact.
type LookLink struct {
	URL     string
	Email   string // the contact's
	Expires time.Time
}

// OpenAs makes a one-time link to a look at a portal as a contact: everything
// they see, and nothing that could be changed. It is refused wherever the
// contact themselves may not enter.
func (a *App) OpenAs(ctx context.Context, p *portal.Portal, address string) (*LookLink, error) {
	link := &LookLink{}
	var path string
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		now, err := tx.Portal(ctx, p.ID)
		if err != nil {
			return err
		}
		if now.State != portal.Live {
			return portal.Conflictf("portal.not_live", "the portal %q is %s, so its customers see nothing of it", now.Name, now.State).
				WithHint("open it with `portalctl portal set --state live`")
		}
		c, err := contactWith(ctx, tx, "as", address)
		if err != nil {
			return err
		}
		entry, _, err := entryOf(ctx, tx, now, c.ID)
		if err != nil {
			return err
		}
		if !entry.Allowed {
			return portal.Conflictf(entry.Code, "%s may not enter the portal %q: %s", c.Email, now.Name, entry.Why).WithHint("%s", entry.Change)
		}
		by := a.operator
		if by == "" {
			by = "unknown" // whoever looks, it is never the contact
		}
		t := &store.Token{Kind: store.TokenView, Portal: now.ID, Contact: c.ID, OpenedBy: by, ExpiresAt: tx.Now.Add(LookLinkLife)}
		if path, err = newLink(ctx, tx, t); err != nil {
			return err
		}
		link.Email, link.Expires = c.Email, t.ExpiresAt
		return a.note(ctx, tx, portal.AuditViewMade, now.ID, portal.AboutContact(c.ID))
	})
	if err != nil {
		return nil, err
	}
	link.URL, err = a.URL(ctx, p, path)
	return link, err
}

// LookState is what a link to look as a contact would show.
type LookState struct {
	Email string // the contact's
	By    string // the operator it was made for
}

// PeekLook looks at a link made by OpenAs, without opening it.
func (a *App) PeekLook(ctx context.Context, v *Visit, token string) (state *LookState, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		t, c, err := lookToken(ctx, tx, v, token)
		if err == nil {
			state = &LookState{Email: c.Email, By: t.OpenedBy}
		}
		return err
	})
	return state, err
}

// lookToken finds a link that could be opened now, and as whom.
func lookToken(ctx context.Context, tx *store.Tx, v *Visit, token string) (*store.Token, *portal.Contact, error) {
	t, err := validToken(ctx, tx, v, store.TokenView, token)
	if err != nil {
		return nil, nil, err
	}
	entry, _, err := entryOf(ctx, tx, v.Portal, t.Contact)
	if err != nil {
		return nil, nil, err
	}
	if !entry.Allowed {
		return nil, nil, portal.NotFoundf("token.unknown", "the contact may not enter any more")
	}
	c, err := tx.Contact(ctx, t.Contact)
	return t, c, err
}

// Look opens a link made by OpenAs, once. The session is read-only, ends
// after LookLife, and is not the contact's own: it counts as no sign-in.
func (a *App) Look(ctx context.Context, v *Visit, token string, d Device) (in *SignedIn, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		t, _, err := lookToken(ctx, tx, v, token)
		if err != nil {
			return err
		}
		if _, err := tx.UseToken(ctx, t.Hash, store.TokenView); err != nil {
			return err
		}
		in, err = a.startSession(ctx, tx, v, arrival{who: portal.Person{Contact: t.Contact}, way: portal.WayView, device: d, openedBy: t.OpenedBy})
		if err != nil {
			return err
		}
		return a.noteLook(ctx, tx, portal.AuditViewOpened, v.Portal.ID, t.Contact, t.OpenedBy, d)
	})
	return in, err
}

// noteLook writes down what an operator did in a browser.
func (a *App) noteLook(ctx context.Context, tx *store.Tx, kind portal.AuditKind, p portal.PortalID, c portal.ContactID, by string, d Device, facts ...portal.AuditChange) error {
	e := portal.AuditEntry{Kind: kind, Operator: by, Portal: p, About: portal.AboutContact(c)}
	e.Address, e.AuditDetail.Agent, e.Changes = d.Address, clip(d.UserAgent, 300), facts
	return a.audit(ctx, tx, e)
}

// endLook ends a look by its own button.
func (a *App) endLook(ctx context.Context, tx *store.Tx, v *Visit) error {
	s := v.Session
	first, err := tx.EndLook(ctx, s.ID)
	if err != nil || !first {
		return err
	}
	return a.noteLook(ctx, tx, portal.AuditViewEnded, s.Portal, s.Contact, s.OpenedBy, v.Device, portal.AuditChange{Field: "reason", To: endSignOut})
}

// endLooks writes down the looks that are over by themselves: their time ran
// out, or the contact's rights did.
func (a *App) endLooks(ctx context.Context) error {
	return a.store.Write(ctx, func(tx *store.Tx) error {
		over, err := tx.LooksOver(ctx)
		if err != nil {
			return err
		}
		for _, s := range over {
			if _, err := tx.EndLook(ctx, s.ID); err != nil {
				return err
			}
			reason, at := s.EndReason, s.EndedAt
			if at.IsZero() || at.After(s.ExpiresAt) {
				reason, at = "time", s.ExpiresAt
			}
			err := a.noteLook(ctx, tx, portal.AuditViewEnded, s.Portal, s.Contact, s.OpenedBy, Device{Address: s.Address, UserAgent: s.UserAgent},
				portal.AuditChange{Field: "reason", To: reason}, portal.AuditChange{Field: "ended", To: at.UTC().Format(time.RFC3339)})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
