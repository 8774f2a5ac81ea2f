package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// aboutTicket is a notice to somebody who takes part in a ticket.
func (k *packing) aboutTicket(ctx context.Context) (string, error) {
	if k.contact == nil {
		return "it names no contact", nil
	}
	if !k.entry.Allowed {
		return k.entry.Why, nil
	}
	viewer := portal.NewViewer(k.contact, &k.portal.Tickets)
	t, err := k.tx.TicketFor(ctx, &viewer, k.mail.Ticket)
	if portal.KindOf(err) == portal.NotFound {
		return "the contact may not see the ticket any more", nil
	}
	if err != nil {
		return "", err
	}
	if !viewer.Sees(t).See || !t.Party(k.contact.ID) {
		return "the contact does not take part in the ticket any more", nil
	}
	if err := k.ticket(ctx, t); err != nil {
		return "", err
	}
	if why, err := k.message(ctx, t, false); why != "" || err != nil {
		return why, err
	}
	switch k.mail.Kind {
	case store.MailTicketClosed:
		if t.Status != portal.Closed {
			return "the ticket is open again", nil
		}
		k.letter.ReopenDays = k.portal.Tickets.ReopenDays
		return "", k.doneBy(ctx, t, portal.EventClosed)
	case store.MailParticipant:
		return "", k.doneBy(ctx, t, portal.EventParticipantAdded)
	}
	return "", nil
}

// ticket fills in a letter about a ticket.
func (k *packing) ticket(ctx context.Context, t *portal.Ticket) error {
	host, err := k.tx.MailHost(ctx, k.mail.Portal)
	if err != nil {
		return err
	}
	l := &k.letter
	l.Ticket, l.Link = t, l.Home+"/tickets/"+t.Number.String()
	l.Thread = portal.TicketThread(t, host)
	inbox, err := k.tx.Inbox(ctx, t.InboxID)
	if err != nil {
		return err
	}
	l.ReplyTo = inbox.Address
	return nil
}

// message fills in the message a letter is about. Only public ones leave the
// desk.
func (k *packing) message(ctx context.Context, t *portal.Ticket, office bool) (string, error) {
	if k.mail.Message == 0 {
		return "", nil
	}
	messages, err := k.tx.MessagesBefore(ctx, t, false, k.mail.Message+1, 1)
	if err != nil {
		return "", err
	}
	for i := range messages {
		m := &messages[i]
		if m.ID != k.mail.Message || m.Kind != portal.Public {
			continue
		}
		if m.Agent != 0 && !office && k.portal.Tickets.ShowAgent == portal.AgentTeam {
			m.AuthorName = ""
		}
		k.letter.Message, k.letter.By, k.letter.At = m, m.AuthorName, m.At
		return "", nil
	}
	return "the message does not exist any more", nil
}

// doneBy fills in who did what a letter tells: the newest event of its kind.
func (k *packing) doneBy(ctx context.Context, t *portal.Ticket, kind portal.EventKind) error {
	events, err := k.tx.Events(ctx, t.Number, false)
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Kind != kind {
			continue
		}
		k.letter.By, k.letter.At = e.ByName, e.At
		if e.By.Agent != 0 && k.portal.Tickets.ShowAgent == portal.AgentTeam {
			k.letter.By = ""
		}
	}
	return nil
}

// toDesk is a mail to the inbox a ticket lies in.
func (k *packing) toDesk(ctx context.Context) (string, error) {
	if why, err := k.desk(ctx); why != "" || err != nil {
		return why, err
	}
	t, err := k.tx.Ticket(ctx, k.mail.Ticket)
	if err != nil {
		return "", err
	}
	if err := k.ticket(ctx, t); err != nil {
		return "", err
	}
	k.letter.ReplyTo = ""
	for _, f := range k.portal.Tickets.Fields {
		if value := t.Fields[f.Key]; value != "" && f.Key != "priority" && f.Key != "category" {
			k.letter.Fields = append(k.letter.Fields, portal.LetterField{Label: f.Label, Value: value})
		}
	}
	return k.message(ctx, t, true)
}

// desk addresses a letter to the inbox, wherever that is now.
func (k *packing) desk(ctx context.Context) (string, error) {
	inbox, err := k.tx.Inbox(ctx, k.mail.Inbox)
	if err != nil {
		return "", err
	}
	if inbox.Address == "" {
		return "the inbox has no address any more", nil
	}
	k.letter.To, k.letter.Inbox, k.letter.Office, k.letter.ReplyTo = inbox.Address, inbox.Name, true, ""
	return "", nil
}

// pending tells the inbox that somebody waits for approval.
func (k *packing) pending(ctx context.Context) (string, error) {
	address := k.desk
	if k.mail.Agent != 0 {
		address = k.toAgent
		k.letter.Office, k.letter.ReplyTo = true, ""
	}
	if why, err := address(ctx); why != "" || err != nil {
		return why, err
	}
	c, err := k.tx.Contact(ctx, k.mail.Contact)
	if err != nil {
		return "", err
	}
	member, err := k.tx.Member(ctx, k.portal.ID, c.ID)
	if err != nil {
		return "", err
	}
	if member.Status != portal.Pending {
		return "it was decided already", nil
	}
	k.letter.By = c.Email
	if c.Name != "" {
		k.letter.By = c.Name + " <" + c.Email + ">"
	}
	return "", nil
}
