package app

import (
	"context"
	"slices"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// maxParticipants bounds how many people one ticket tells.
const maxParticipants = 50

// AddParticipant adds a colleague (a contact of one of the visitor's
// companies or the ticket's; agents: any contact) by address. One who cannot
// be added is Invalid participant.unknown, the same for known and unknown.
func (a *App) AddParticipant(ctx context.Context, v *Visit, n portal.TicketNumber, address string) error {
	return a.changeTicket(ctx, v, n, func(tx *store.Tx, t *portal.Ticket) error {
		c, err := colleague(ctx, tx, v, t, "participant", address)
		if err != nil {
			return err
		}
		return a.addParticipant(ctx, tx, t, c, v.actor())
	})
}

// addParticipant adds a contact to a written ticket and tells them.
func (a *App) addParticipant(ctx context.Context, tx *store.Tx, t *portal.Ticket, c *portal.Contact, by portal.Actor) error {
	if t.Party(c.ID) {
		return nil
	}
	if len(t.Participants) >= maxParticipants {
		return portal.Conflictf("participant.too_many", "ticket %s has %d participants already", t.Number, maxParticipants).With("Max", maxParticipants)
	}
	t.Participants = append(t.Participants, c.ID)
	if err := saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventParticipantAdded, By: by, About: c.ID, To: c.ShownName()}); err != nil {
		return err
	}
	if err := a.noteBy(ctx, tx, by, "", portal.AuditSight, 0, aboutTicket(t.Number), fact("participant", portal.AboutContact(c.ID))); err != nil {
		return err
	}
	return a.noticeParticipant(ctx, tx, t, c)
}

// colleague finds the contact whom a visitor wants to add by address.
func colleague(ctx context.Context, tx *store.Tx, v *Visit, t *portal.Ticket, field, address string) (*portal.Contact, error) {
	address, err := email(field, address)
	if err != nil {
		return nil, err
	}
	unknown := portal.Invalidf("participant.unknown", field, "%q is not somebody of your company with access here", address).With("Email", address)
	c, err := tx.ContactForSignIn(ctx, address)
	if portal.KindOf(err) == portal.NotFound {
		return nil, unknown
	}
	if err != nil || v.Agent != nil {
		return c, err
	}
	if c.ID == v.Contact.ID || c.In(t.Company) || slices.ContainsFunc(v.Contact.Companies, c.In) {
		return c, nil
	}
	return nil, unknown
}

// colleagues fills in the participants of a ticket not yet written.
func (a *App) colleagues(ctx context.Context, tx *store.Tx, v *Visit, t *portal.Ticket, addresses []string) error {
	tooMany := portal.Invalidf("participant.too_many", "participants", "a ticket has at most %d participants", maxParticipants).With("Max", maxParticipants)
	if len(addresses) > 2*maxParticipants {
		return tooMany // each of them is looked up while others wait to write
	}
	for _, address := range addresses {
		c, err := colleague(ctx, tx, v, t, "participants", address)
		if err != nil {
			return err
		}
		if !t.Party(c.ID) {
			t.Participants = append(t.Participants, c.ID)
		}
	}
	if len(t.Participants) > maxParticipants {
		return tooMany
	}
	return nil
}

// RemoveParticipant removes one; participants may remove themselves.
func (a *App) RemoveParticipant(ctx context.Context, v *Visit, n portal.TicketNumber, id portal.ContactID) error {
	return a.changeTicket(ctx, v, n, func(tx *store.Tx, t *portal.Ticket) error {
		i := slices.Index(t.Participants, id)
		if i < 0 {
			return portal.NotFoundf("participant.none", "the ticket has no such participant")
		}
		c, err := tx.Contact(ctx, id)
		if err != nil {
			return err
		}
		t.Participants = slices.Delete(slices.Clone(t.Participants), i, i+1)
		if err := saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventParticipantRemoved, By: v.actor(), About: c.ID, From: c.ShownName()}); err != nil {
			return err
		}
		return a.noteVisit(ctx, tx, v, portal.AuditSight, aboutTicket(t.Number), Change{Field: "participant", From: portal.AboutContact(id)})
	})
}
