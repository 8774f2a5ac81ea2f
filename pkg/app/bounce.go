package app

import (
	"context"
	"slices"
	"strings"

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
