package app

import (
	"context"
	"fmt"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// aboutTicketToAgent is a notice to an agent, who answers it as they would
// answer any mail.
func (k *packing) aboutTicketToAgent(ctx context.Context) (string, error) {
	if why, err := k.toAgent(ctx); why != "" || err != nil {
		return why, err
	}
	agent, err := k.tx.Agent(ctx, k.mail.Agent)
	if err != nil {
		return "", err
	}
	viewer := portal.AgentViewer(agent)
	t, err := k.tx.TicketFor(ctx, &viewer, k.mail.Ticket)
	if portal.KindOf(err) == portal.NotFound {
		return "the agent may not see the ticket any more", nil
	}
	if err != nil {
		return "", err
	}
	if why := mute(agent, t); why != "" {
		return why, nil
	}
	host, err := k.tx.MailHost(ctx, 0)
	if err != nil {
		return "", err
	}
	k.letter.Office, k.letter.List, k.letter.ListID = true, t.InboxName, fmt.Sprintf("inbox-%d.%s", t.InboxID, host)
	zone, err := k.ofTicketPortal(ctx, t)
	if err != nil {
		return "", err
	}
	if agent.Language != "" {
		k.letter.Language = agent.Language
	}
	if agent.TimeZone != "" {
		zone = agent.TimeZone
	}
	if loc, err := time.LoadLocation(zone); err == nil {
		k.letter.Zone = loc
	}
	k.letter.Link = k.letter.Home + "/tickets/" + t.Number.String()
	return k.forDesk(ctx, t)
}

// ofTicketPortal takes the settings of mail to the desk from the portal the
// ticket was opened in, and returns its time zone. The help desk has none of
// its own.
func (k *packing) ofTicketPortal(ctx context.Context, t *portal.Ticket) (zone string, err error) {
	if t.PortalID == 0 || !k.portal.IsDesk() {
		return k.portal.TimeZone, nil
	}
	p, err := k.tx.Portal(ctx, t.PortalID)
	if err != nil {
		return "", err
	}
	k.letter.Portal, k.letter.Accent, k.letter.Label = p.Name, p.Accent, p.Tickets.LabelOne
	desk := *k.portal
	desk.Tickets = p.Tickets
	k.portal = &desk
	return p.TimeZone, nil
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
	base, err := k.base(ctx, k.tx)
	if err != nil {
		return "", err
	}
	desk, err := deskPortal(ctx, k.tx)
	if err != nil {
		return "", err
	}
	k.letter.Link = siteURL(desk, base) + desk.BasePath() + "/tickets/" + t.Number.String()
	return k.forDesk(ctx, t)
}

// forDesk fills in what whoever answers needs.
func (k *packing) forDesk(ctx context.Context, t *portal.Ticket) (string, error) {
	if err := k.ticket(ctx, t); err != nil {
		return "", err
	}
	for _, f := range k.portal.Tickets.Fields {
		if value := t.Fields[f.Key]; value != "" && f.Key != "priority" && f.Key != "category" {
			k.letter.Fields = append(k.letter.Fields, portal.LetterField{Label: f.Label, Value: value})
		}
	}
	told := k.message
	if k.mail.Kind == store.MailAgentMention {
		told = k.noteAuthor
	}
	if why, err := told(ctx, t); why != "" || err != nil {
		return why, err
	}
	if k.mail.Agent != 0 {
		if err := k.history(ctx, t, historyForAgents); err != nil {
			return "", err
		}
		k.letter.Promise = t.PromisedAt
	}
	if k.portal.Tickets.HidesMail() {
		k.hide()
	}
	return "", nil
}

// noteAuthor fills in who wrote the note that names the reader. Its words stay
// at the desk: an answer to the mail goes to the customer, and would carry them
// along wherever a mail program quotes.
func (k *packing) noteAuthor(ctx context.Context, t *portal.Ticket) (string, error) {
	notes, err := k.tx.MessagesBefore(ctx, t, true, k.mail.Message+1, 1)
	if err != nil {
		return "", err
	}
	if len(notes) == 0 || notes[0].ID != k.mail.Message {
		return "the note does not exist any more", nil
	}
	k.letter.By, k.letter.At = notes[0].AuthorName, notes[0].At
	return "", nil
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
		k.letter.By = fmt.Sprintf("%s <%s>", c.Name, c.Email)
	}
	return "", nil
}
