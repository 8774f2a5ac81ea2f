package app

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Notices are mails about tickets. Here is decided which customers hear of
// what; notice_desk.go does so for the desk. Whether somebody may still see it,
// and still wants to hear, is asked again when the mail is sent.

// parties calls tell for the requester and each participant but the actor and
// those who were erased.
func parties(ctx context.Context, tx *store.Tx, t *portal.Ticket, by portal.Actor, tell func(*portal.Contact) error) error {
	for _, id := range append([]portal.ContactID{t.Requester}, t.Participants...) {
		if id == by.Contact {
			continue
		}
		c, err := tx.Contact(ctx, id)
		if err != nil {
			return err
		}
		if c.Erased() {
			continue // nobody reads it
		}
		if err := tell(c); err != nil {
			return err
		}
	}
	return nil
}

// ticketMail is a mail about a ticket to a contact.
func ticketMail(kind store.MailKind, t *portal.Ticket, c *portal.Contact) *store.Mail {
	return &store.Mail{Kind: kind, Portal: t.PortalID, Contact: c.ID, Recipient: c.Email, Ticket: t.Number, Notice: true}
}

// silence says why a contact gets no mail of a kind about a ticket, or "".
func silence(c *portal.Contact, t *portal.Ticket, kind store.MailKind) string {
	switch {
	case c.Bounced != "" && c.Bounced == c.Email:
		return "mail to the address comes back: " + c.BouncedWhy
	case c.Notify == portal.NotifyNone:
		return "the contact wants no mail about tickets"
	case c.Notify == portal.NotifyMine && t.Requester != c.ID && kind != store.MailTicketReceived:
		return "the contact wants mail of their own tickets only"
	}
	return ""
}

// tellContact queues a mail about a ticket to a contact who wants to hear.
func (a *App) tellContact(ctx context.Context, tx *store.Tx, kind store.MailKind, t *portal.Ticket, c *portal.Contact, m *portal.Message) error {
	if silence(c, t, kind) != "" {
		return nil
	}
	mail := ticketMail(kind, t, c)
	if m != nil {
		mail.Message = m.ID
	}
	// That a ticket was received is told at once: it answers what they just did.
	if c.Notify == portal.NotifyDigest && kind != store.MailTicketReceived {
		zone, err := zoneOfContact(ctx, tx, c, t.PortalID)
		if err != nil {
			return err
		}
		mail.DigestAt = nextDigest(tx.Now, zone)
	}
	return a.queueMail(ctx, tx, mail)
}

// digestHour is when a digest goes out, on the reader's clock.
const digestHour = 8

// nextDigest is when the next digest goes out to a reader in the zone.
func nextDigest(now time.Time, zone *time.Location) time.Time {
	y, m, d := now.In(zone).Date()
	at := time.Date(y, m, d, digestHour, 0, 0, 0, zone)
	if !at.After(now) {
		at = time.Date(y, m, d+1, digestHour, 0, 0, 0, zone)
	}
	return at.UTC()
}

// zoneOfContact is the contact's time zone, or the portal's.
func zoneOfContact(ctx context.Context, tx *store.Tx, c *portal.Contact, id portal.PortalID) (*time.Location, error) {
	name := c.TimeZone
	if name == "" && id != 0 {
		p, err := tx.Portal(ctx, id)
		if err != nil {
			return nil, err
		}
		name = p.TimeZone
	}
	if loc, err := time.LoadLocation(name); err == nil {
		return loc, nil
	}
	return time.UTC, nil
}

// noticeOpened acknowledges a new ticket to its requester, tells the
// participants, and tells the desk.
func (a *App) noticeOpened(ctx context.Context, tx *store.Tx, _ *portal.Portal, t *portal.Ticket, m *portal.Message, by portal.Actor) error {
	requester, err := tx.Contact(ctx, t.Requester)
	if err != nil {
		return err
	}
	kind := store.MailTicketReceived
	if by.Agent != 0 {
		kind = store.MailMessage
	}
	if m.Via != portal.ByMail { // see acknowledge
		if err := a.tellContact(ctx, tx, kind, t, requester, m); err != nil {
			return err
		}
	}
	for _, id := range t.Participants {
		c, err := tx.Contact(ctx, id)
		if err != nil {
			return err
		}
		if err := a.noticeParticipant(ctx, tx, t, c); err != nil {
			return err
		}
	}
	if by.Agent != 0 {
		return nil
	}
	return a.noticeDesk(ctx, tx, newTicket, t, m)
}

// noticeMessage tells everybody else of a public message, each in a mail of
// their own. An internal one is told to nobody.
func (a *App) noticeMessage(ctx context.Context, tx *store.Tx, t *portal.Ticket, m *portal.Message, by portal.Actor) error {
	if m.Kind != portal.Public {
		return nil
	}
	err := parties(ctx, tx, t, by, func(c *portal.Contact) error {
		return a.tellContact(ctx, tx, store.MailMessage, t, c, m)
	})
	if err != nil || by.Contact == 0 {
		return err
	}
	return a.noticeDesk(ctx, tx, newMessage, t, m)
}

// noticeClosed tells the parties that a ticket was closed.
func (a *App) noticeClosed(ctx context.Context, tx *store.Tx, t *portal.Ticket, by portal.Actor) error {
	return parties(ctx, tx, t, by, func(c *portal.Contact) error {
		return a.tellContact(ctx, tx, store.MailTicketClosed, t, c, nil)
	})
}

// noticeParticipant tells somebody that they were added to a ticket.
func (a *App) noticeParticipant(ctx context.Context, tx *store.Tx, t *portal.Ticket, c *portal.Contact) error {
	return a.tellContact(ctx, tx, store.MailParticipant, t, c, nil)
}
