package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Notices are mails about tickets. Here is decided who hears of what; whether
// somebody may still see it is asked again when the mail is sent.

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

// noticeOpened acknowledges a new ticket to its requester, tells the
// participants, and tells the inbox.
func (a *App) noticeOpened(ctx context.Context, tx *store.Tx, p *portal.Portal, t *portal.Ticket, m *portal.Message, by portal.Actor) error {
	requester, err := tx.Contact(ctx, t.Requester)
	if err != nil {
		return err
	}
	kind := store.MailTicketReceived
	if by.Agent != 0 {
		kind = store.MailMessage
	}
	if m.Via != portal.ByMail { // see acknowledge
		mail := ticketMail(kind, t, requester)
		mail.Message = m.ID
		if err := a.queueMail(ctx, tx, mail); err != nil {
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
	return a.noticeDesk(ctx, tx, store.MailDeskTicket, t, m)
}

// noticeDesk tells an inbox that is answered by mail.
func (a *App) noticeDesk(ctx context.Context, tx *store.Tx, kind store.MailKind, t *portal.Ticket, m *portal.Message) error {
	inbox, err := tx.Inbox(ctx, t.InboxID)
	if err != nil || inbox.Address == "" {
		return err
	}
	return a.queueMail(ctx, tx, &store.Mail{
		Kind: kind, Portal: t.PortalID, Inbox: inbox.ID,
		Recipient: inbox.Address, Ticket: t.Number, Message: m.ID,
	})
}

// noticeMessage tells everybody else of a public message. An internal one is
// told to nobody.
func (a *App) noticeMessage(ctx context.Context, tx *store.Tx, t *portal.Ticket, m *portal.Message, by portal.Actor) error {
	if m.Kind != portal.Public {
		return nil
	}
	err := parties(ctx, tx, t, by, func(c *portal.Contact) error {
		mail := ticketMail(store.MailMessage, t, c)
		mail.Message = m.ID
		return a.queueMail(ctx, tx, mail)
	})
	if err != nil || by.Contact == 0 {
		return err
	}
	return a.noticeDesk(ctx, tx, store.MailDeskMessage, t, m)
}

// noticeClosed tells the parties that a ticket was closed.
func (a *App) noticeClosed(ctx context.Context, tx *store.Tx, t *portal.Ticket, by portal.Actor) error {
	return parties(ctx, tx, t, by, func(c *portal.Contact) error {
		return a.queueMail(ctx, tx, ticketMail(store.MailTicketClosed, t, c))
	})
}

// noticeParticipant tells somebody that they were added to a ticket.
func (a *App) noticeParticipant(ctx context.Context, tx *store.Tx, t *portal.Ticket, c *portal.Contact) error {
	return a.queueMail(ctx, tx, ticketMail(store.MailParticipant, t, c))
}
