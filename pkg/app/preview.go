package app

import (
	"context"
	"net/url"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// preview is a portal as it would look, beside the one that is in the store.
type preview struct {
	portal  portal.Portal
	images  map[string]store.Image // new ones, by hash
	contact portal.ContactID       // whom the operator looks as; 0: a stranger
	by      string
	began   time.Time
}

// Preview is a portal served with changes that are written nowhere.
type Preview struct {
	// App serves the portal. It alone does, at the base URL, whatever its state;
	// every visit only reads.
	App     *App
	Portal  *portal.Portal
	Changes []Change
	Face    FaceNotes
	contact portal.ContactID
}

// PreviewPortal applies changes of a portal's name and face to a copy of it, to
// be served at base. With as, the address of a contact who may enter, the copy is
// seen as by them, which stands in the audit log as any look does; EndPreview
// ends that.
func (a *App) PreviewPortal(ctx context.Context, id portal.PortalID, c PortalChanges, base *url.URL, as string) (*Preview, error) {
	pics, err := c.read()
	if err != nil {
		return nil, err
	}
	by := a.operator
	if by == "" {
		by = "unknown" // whoever looks, it is never the contact
	}
	shown := &preview{images: map[string]store.Image{}, by: by, began: a.now()}
	made := &Preview{Portal: &shown.portal}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		p, err := tx.Portal(ctx, id)
		if err != nil {
			return err
		}
		l, err := (&PortalChanges{Name: c.Name, Accent: c.Accent}).apply(p, nil)
		if err != nil {
			return err
		}
		f := &face{p: p, list: &l, pics: pics, load: func(kind portal.ImageKind) (*store.Image, error) { return tx.ImageOf(ctx, id, kind) }}
		if err := c.FaceChanges.apply(f, l.has("name", "accent")); err != nil {
			return err
		}
		if p.Texts, err = ownTexts(ctx, tx, p); err != nil {
			return err
		}
		for _, i := range f.images {
			shown.images[i.SHA256] = i
		}
		if as != "" {
			if shown.contact, err = mayLookAs(ctx, tx, p, as); err != nil {
				return err
			}
		}
		// It lies on this machine, with the language of its domain.
		p.State, p.Domain.Kind, p.Domain.Host = portal.Live, portal.SystemDomain, ""
		shown.portal, made.Changes, made.Face = *p, l, f.notes
		return nil
	})
	if err != nil {
		return nil, err
	}
	if shown.contact != 0 {
		if err := a.notePreview(ctx, portal.AuditViewOpened, id, shown.contact); err != nil {
			return nil, err
		}
	}
	made.contact = shown.contact
	made.App = New(Options{Store: a.store, Hasher: a.hasher, Now: a.now, Log: a.log, BaseURL: base, Operator: a.operator, OperatorAddress: a.from})
	made.App.preview = shown
	return made, nil
}

// mayLookAs finds the contact with an address, who may enter the portal.
func mayLookAs(ctx context.Context, tx *store.Tx, p *portal.Portal, address string) (portal.ContactID, error) {
	c, err := contactWith(ctx, tx, "as", address)
	if err != nil {
		return 0, err
	}
	entry, _, err := entryOf(ctx, tx, p, c.ID)
	if err != nil {
		return 0, err
	}
	if !entry.Allowed {
		return 0, portal.Conflictf(entry.Code, "%s may not enter the portal %q: %s", c.Email, p.Name, entry.Why).WithHint("%s", entry.Change)
	}
	return c.ID, nil
}

// EndPreview ends the look at a portal that a preview as a contact was.
func (a *App) EndPreview(ctx context.Context, p *Preview) error {
	if p.contact == 0 {
		return nil
	}
	return a.notePreview(ctx, portal.AuditViewEnded, p.Portal.ID, p.contact)
}

func (a *App) notePreview(ctx context.Context, kind portal.AuditKind, p portal.PortalID, c portal.ContactID) error {
	return a.store.Write(ctx, func(tx *store.Tx) error {
		return a.note(ctx, tx, kind, p, portal.AboutContact(c), Change{Field: "preview", To: "on"})
	})
}

// visit makes everybody who comes the operator, who only reads: as a contact for
// as long as any look lasts and they may enter, else as a stranger.
func (s *preview) visit(ctx context.Context, a *App, v *Visit) error {
	v.Preview, v.ReadOnly = true, true
	until := s.began.Add(LookLife)
	if s.contact == 0 || a.now().After(until) {
		return nil
	}
	return a.store.Read(ctx, func(tx *store.Tx) error {
		c, err := tx.Contact(ctx, s.contact)
		if portal.KindOf(err) == portal.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		entry, member, err := entryOf(ctx, tx, v.Portal, s.contact)
		if err != nil || !entry.Allowed {
			return err
		}
		v.Contact, v.Member, v.Viewer = c, member, portal.NewViewer(c, &v.Portal.Tickets)
		v.Session = &store.Session{
			Portal: v.Portal.ID, Contact: s.contact, Way: portal.WayView, OpenedBy: s.by,
			CreatedAt: s.began, SeenAt: s.began, ExpiresAt: until,
		}
		return nil
	})
}
