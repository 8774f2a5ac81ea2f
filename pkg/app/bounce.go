package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// decideBounce ties a delivery report to the mail of ours it is about. Nothing
// follows from a report unless it names a Message-ID of ours and the address
// that mail went to: anybody can write one.
func (in *intake) decideBounce(ctx context.Context, tx *store.Tx, d *decision) error {
	d.MailOutcome = portal.MailOutcome{Decision: portal.MailIgnored, Reason: portal.ReasonReport}
	b := in.mail.Bounce
	if b.MessageID == "" {
		return nil
	}
	mail, err := tx.MailWithID(ctx, b.MessageID)
	if err != nil {
		return err
	}
	if mail == nil {
		if mail, err = in.sweptMail(ctx, tx, b.MessageID); err != nil || mail == nil {
			return err
		}
	}
	i := slices.IndexFunc(b.Recipients, func(r portal.BouncedRecipient) bool {
		return r.Permanent && strings.EqualFold(r.Address, mail.Recipient)
	})
	if i < 0 {
		return nil
	}
	d.bounced, d.Reason = mail, portal.ReasonBounce
	d.why = oneLine(strings.TrimSpace(b.Recipients[i].Status + " " + b.Recipients[i].Text))
	if mail.Ticket == 0 {
		return nil
	}
	d.ticket, err = tx.Ticket(ctx, mail.Ticket)
	if portal.KindOf(err) == portal.NotFound {
		return nil
	}
	return err
}

// sweptMail is what the Message-ID still says of a mail the outbox has
// forgotten: its ticket and whom it went to, by the address they have now.
func (in *intake) sweptMail(ctx context.Context, tx *store.Tx, id string) (*store.Mail, error) {
	key, ok := in.readMailID(id)
	if !ok {
		return nil, nil
	}
	m := &store.Mail{Ticket: key.Ticket, Contact: key.To.Contact, Agent: key.To.Agent}
	switch {
	case m.Contact != 0:
		c, err := tx.Contact(ctx, m.Contact)
		if portal.KindOf(err) == portal.NotFound || err == nil && c.Erased() {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		m.Recipient = c.Email
	case m.Agent != 0:
		agent, err := tx.Agent(ctx, m.Agent)
		if portal.KindOf(err) == portal.NotFound {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		m.Recipient = agent.Email
	default:
		return nil, nil
	}
	return m, nil
}

// cameBack notes what a mail that came back for good means: for the address,
// for an invitation, and for those who work on the ticket.
func (in *intake) cameBack(ctx context.Context, tx *store.Tx, d *decision, e *portal.LedgerEntry) error {
	mail, name := d.bounced, d.bounced.Recipient
	if mail.Contact != 0 {
		c, err := tx.Contact(ctx, mail.Contact)
		if portal.KindOf(err) == portal.NotFound || err == nil && c.Erased() {
			return nil
		}
		if err != nil {
			return err
		}
		// The report is about them: who erases them erases it.
		name, e.Contact = c.ShownName(), c.ID
		if _, err := tx.MarkBounced(ctx, c.ID, mail.Recipient, d.why); err != nil {
			return err
		}
		if mail.Kind == store.MailInvitation {
			if err := invitationFailed(ctx, tx, mail); err != nil {
				return err
			}
		}
	}
	if d.ticket == nil {
		return nil
	}
	if told, err := toldUndelivered(ctx, tx, d.ticket.Number, mail.Contact, name); err != nil || told {
		return err
	}
	return tx.AddEvent(ctx, &portal.Event{
		Ticket: d.ticket.Number, Kind: portal.EventUndelivered, About: mail.Contact, From: d.why, To: name, At: tx.Now,
	})
}

// toldUndelivered reports whether a ticket's history said today that mail does
// not reach somebody. Reports can be written by anybody, and as many as they
// like.
func toldUndelivered(ctx context.Context, tx *store.Tx, n portal.TicketNumber, c portal.ContactID, name string) (bool, error) {
	events, err := tx.Events(ctx, n, true)
	return slices.ContainsFunc(events, func(e portal.Event) bool {
		return e.Kind == portal.EventUndelivered && e.About == c && (c != 0 || e.To == name) && tx.Now.Sub(e.At) < 24*time.Hour
	}), err
}

// reachable forgets that mail to the sender came back: who writes from an
// address, and is proven to, may be answered there.
func (in *intake) reachable(ctx context.Context, tx *store.Tx, d *decision) error {
	if d.contact == nil || d.proof != portal.SenderProven || in.mail.Auto != portal.AutoNone {
		return nil
	}
	return tx.MarkReachable(ctx, d.contact.ID, in.entry.Sender)
}
