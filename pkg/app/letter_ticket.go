package app

import (
	"context"
	"fmt"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// aboutTicket is a notice to somebody who takes part in a ticket.
func (k *packing) aboutTicket(ctx context.Context) (string, error) {
	if k.contact == nil {
		return "it names no contact", nil
	}
	if !k.entry.Allowed && k.member != nil {
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
	// Who never was a member and takes part in a ticket that was opened by mail
	// lives in mail: the answer is for them, whether or not they could come in.
	if !k.entry.Allowed && t.Via != portal.ViaMail {
		return k.entry.Why, nil
	}
	if why := silence(k.contact, t, k.mail.Kind); why != "" {
		return why, nil
	}
	if err := k.ticket(ctx, t); err != nil {
		return "", err
	}
	k.letter.Link = k.letter.Home + "/tickets/" + t.Number.String()
	if why, err := k.message(ctx, t); why != "" || err != nil {
		return why, err
	}
	if err := k.unsubscribe(t); err != nil {
		return "", err
	}
	if why, err := k.toldToCustomer(ctx, t); why != "" || err != nil {
		return why, err
	}
	if k.portal.Tickets.HidesMail() {
		k.hide()
	}
	return "", nil
}

// toldToCustomer fills in what a mail to a customer tells besides the message.
func (k *packing) toldToCustomer(ctx context.Context, t *portal.Ticket) (why string, err error) {
	l := &k.letter
	if t.PromisedAt.After(k.tx.Now) && t.Status != portal.Closed {
		l.Promise = t.PromisedAt
	}
	switch k.mail.Kind {
	case store.MailTicketClosed:
		if t.Status != portal.Closed {
			return "the ticket is open again", nil
		}
		l.ReopenDays = k.portal.Tickets.ReopenDays
		if err := k.askRating(t); err != nil {
			return "", err
		}
		return "", k.doneBy(ctx, t, portal.EventClosed)
	case store.MailTicketReceived:
		l.Usual, err = k.usualAnswer(ctx, k.tx, t.InboxID)
		return "", err
	case store.MailParticipant:
		return "", k.doneBy(ctx, t, portal.EventParticipantAdded)
	case store.MailMessage:
		if err := k.signature(ctx); err != nil {
			return "", err
		}
		if err := k.alsoTo(ctx, t); err != nil || !k.portal.Tickets.MailHistory {
			return "", err
		}
		return "", k.history(ctx, t, historyForCustomers)
	}
	return "", nil
}

// askRating fills in where whoever opened the ticket says how it went.
func (k *packing) askRating(t *portal.Ticket) error {
	if !k.portal.Tickets.AskRating || t.Requester != k.contact.ID || t.Rating != 0 {
		return nil
	}
	path, err := k.RatingPath(k.portal, t)
	if err != nil {
		return err
	}
	for stars := 1; stars <= portal.MostStars; stars++ {
		k.letter.Rate = append(k.letter.Rate, fmt.Sprintf("%s%s?stars=%d", k.letter.Home, path, stars))
	}
	return nil
}

// ticket fills in a letter about a ticket: what it is, its place in the
// reader's mailbox, and where answers go.
func (k *packing) ticket(ctx context.Context, t *portal.Ticket) error {
	inbox, err := k.tx.Inbox(ctx, t.InboxID)
	if err != nil {
		return err
	}
	k.letter.Ticket = t
	if err := k.thread(ctx, t); err != nil {
		return err
	}
	return k.answers(ctx, t, inbox)
}

// How many earlier messages a mail quotes: to customers where that is switched
// on, and always to agents, who have many conversations to keep apart.
const (
	historyForCustomers = 10
	historyForAgents    = 3
)

// message fills in the message a letter is about. Only public ones leave the
// desk.
func (k *packing) message(ctx context.Context, t *portal.Ticket) (string, error) {
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
		k.nameAuthor(m)
		k.letter.Message, k.letter.By, k.letter.At = m, m.AuthorName, m.At
		return "", nil
	}
	return "the message does not exist any more", nil
}

// nameAuthor leaves out who of the team wrote where customers read that the
// team did.
func (k *packing) nameAuthor(m *portal.Message) {
	if m.Agent != 0 && !k.letter.Office && k.portal.Tickets.ShowAgent == portal.AgentTeam {
		m.AuthorName = ""
	}
}

// history fills in the public messages before the one the letter is about.
func (k *packing) history(ctx context.Context, t *portal.Ticket, most int64) error {
	before := t.LastPublic + 1
	if k.letter.Message != nil {
		before = k.letter.Message.ID
	}
	messages, err := k.tx.MessagesBefore(ctx, t, false, before, most)
	if err != nil {
		return err
	}
	for i := len(messages) - 1; i >= 0; i-- {
		k.nameAuthor(&messages[i])
		k.letter.History = append(k.letter.History, messages[i])
	}
	return nil
}

// signature fills in what the agent who wrote puts below their answers. Where
// the team answers, nobody signs.
func (k *packing) signature(ctx context.Context) error {
	m := k.letter.Message
	if m == nil || m.Agent == 0 || k.portal.Tickets.ShowAgent == portal.AgentTeam {
		return nil
	}
	agent, err := k.tx.Agent(ctx, m.Agent)
	if portal.KindOf(err) == portal.NotFound {
		return nil
	}
	if err == nil {
		k.letter.Signature = agent.Signature
	}
	return err
}

// alsoTo names the others who take part, as they are named in the portal.
func (k *packing) alsoTo(ctx context.Context, t *portal.Ticket) error {
	if len(t.Participants) == 0 {
		return nil
	}
	author := portal.ContactID(0)
	if k.letter.Message != nil {
		author = k.letter.Message.Contact
	}
	return parties(ctx, k.tx, t, portal.ByContact(k.contact.ID), func(c *portal.Contact) error {
		if c.ID != author {
			k.letter.AlsoTo = append(k.letter.AlsoTo, c.ShownName())
		}
		return nil
	})
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

// hide takes everything out of a letter that is of the ticket, so that nothing
// of it can reach the mail: only its number and when it was opened are left.
func (k *packing) hide() {
	l := &k.letter
	t := l.Ticket
	l.Hidden = true
	l.Ticket = &portal.Ticket{Number: t.Number, CreatedAt: t.CreatedAt}
	l.Message, l.By, l.Fields, l.AlsoTo, l.Signature, l.History = nil, "", nil, nil, "", nil
}
