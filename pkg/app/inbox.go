package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Inboxes lists every inbox.
func (a *App) Inboxes(ctx context.Context) (list []portal.Inbox, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.Inboxes(ctx)
		return err
	})
	return list, err
}

// Inbox finds an inbox by name or address.
func (a *App) Inbox(ctx context.Context, name string) (i *portal.Inbox, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		i, err = tx.InboxByName(ctx, strings.TrimSpace(name))
		return err
	})
	return i, err
}

// NewInbox checks what makes an inbox. One answered by mail has an address;
// the help desk may have one, which is told of new tickets.
func NewInbox(name string, kind portal.InboxKind, address string) (*portal.Inbox, error) {
	n, err := requiredLine("name", name)
	if err != nil {
		return nil, err
	}
	i := &portal.Inbox{Name: n, Kind: kind}
	if strings.TrimSpace(address) != "" {
		if i.Address, err = email("address", address); err != nil {
			return nil, err
		}
	}
	return i, checkInbox(i)
}

func checkInbox(i *portal.Inbox) error {
	if i.Kind == portal.InboxMail && i.Address == "" {
		return portal.Invalidf("inbox.address", "address", "the inbox %q is answered by mail and has no address", i.Name).
			WithHint("give it one, or make it a help desk")
	}
	return nil
}

// AddInbox makes an inbox. The same one again changes nothing.
func (a *App) AddInbox(ctx context.Context, name string, kind portal.InboxKind, address string) (i *portal.Inbox, created bool, err error) {
	wanted, err := NewInbox(name, kind, address)
	if err != nil {
		return nil, false, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		i, err = tx.InboxByName(ctx, wanted.Name)
		if err == nil && strings.EqualFold(i.Name, wanted.Name) {
			if created = false; i.Kind != wanted.Kind || i.Address != wanted.Address {
				return portal.Conflictf("inbox.exists", "there is an inbox %s of kind %s already", i, i.Kind).
					WithHint("change it with: portalctl inbox set")
			}
			return nil
		}
		if err != nil && portal.KindOf(err) != portal.NotFound {
			return err
		}
		i, created = wanted, true
		if err := tx.AddInbox(ctx, i); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditInboxAdded, 0, aboutInbox(i.ID), inboxFacts(i)...)
	})
	return i, created, err
}

// InboxChanges are what `inbox set` changes; nil leaves a setting as it is.
type InboxChanges struct {
	Name    *string
	Kind    *portal.InboxKind
	Address *string
	Mail    *MailChanges
	Desk    *DeskChanges
}

// SetInbox changes an inbox.
func (a *App) SetInbox(ctx context.Context, name string, c InboxChanges) (i *portal.Inbox, changes []Change, err error) {
	if c.Name != nil {
		n, err := requiredLine("name", *c.Name)
		if err != nil {
			return nil, nil, err
		}
		c.Name = &n
	}
	if c.Address != nil && *c.Address != "" {
		address, err := email("address", *c.Address)
		if err != nil {
			return nil, nil, err
		}
		c.Address = &address
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if i, err = tx.InboxByName(ctx, strings.TrimSpace(name)); err != nil {
			return err
		}
		var l changeList
		change(&l, "name", &i.Name, c.Name)
		change(&l, "kind", &i.Kind, c.Kind)
		change(&l, "address", &i.Address, c.Address)
		if c.Mail != nil {
			if err := a.setMail(ctx, tx, i, c.Mail, &l); err != nil {
				return err
			}
		}
		if c.Desk != nil {
			if err := setDesk(ctx, tx, i, c.Desk, &l); err != nil {
				return err
			}
		}
		if changes = l; len(l) == 0 {
			return nil
		}
		if err := checkInbox(i); err != nil {
			return err
		}
		if err := tx.SaveInbox(ctx, i); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditInboxChanged, 0, aboutInbox(i.ID), changes...)
	})
	return i, changes, err
}

// RemoveInbox removes an inbox that no portal and no ticket names.
func (a *App) RemoveInbox(ctx context.Context, name string) error {
	return a.store.Write(ctx, func(tx *store.Tx) error {
		i, err := tx.InboxByName(ctx, strings.TrimSpace(name))
		if err != nil {
			return err
		}
		portals, err := tx.Portals(ctx)
		if err != nil {
			return err
		}
		for _, p := range portals {
			if p.Tickets.InboxID == i.ID {
				return portal.Conflictf("inbox.in_use", "new tickets of the portal %q go to the inbox %q", p.Name, i.Name).
					WithHint("choose another first: portalctl tickets configure --inbox NAME")
			}
		}
		if err := tx.RemoveInbox(ctx, i.ID); err != nil {
			return err
		}
		if err := tx.SaveSecret(ctx, imapPassword(i.ID), nil); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditInboxRemoved, 0, aboutInbox(i.ID), Change{Field: "name", From: i.Name})
	})
}

// PortalsOfInbox names the portals whose new tickets go to the inbox.
func PortalsOfInbox(portals []portal.Portal, id portal.InboxID) []string {
	names := []string{}
	for _, p := range portals {
		if p.Tickets.InboxID == id {
			names = append(names, p.Name)
		}
	}
	return names
}

// unknownInbox turns "no such inbox" into an error that names the others.
func unknownInbox(name string, inboxes []portal.Inbox) error {
	err := portal.NotFoundf("inbox.none", "there is no inbox %q", name)
	err.Field = "inbox"
	if len(inboxes) == 0 {
		return err.WithHint("make it: portalctl inbox add %q --kind inbox --address support@example.com", name)
	}
	var words []string
	for _, i := range inboxes {
		words = append(words, fmt.Sprintf("%q", i.Name))
	}
	return err.WithHint("the store holds %s", strings.Join(words, ", "))
}
