package app

import (
	"context"
	"errors"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// DeskReply answers a ticket as an agent: publicly, which hands it to the
// customer, or with r.Note as a note nobody but agents reads.
func (a *App) DeskReply(ctx context.Context, by portal.AgentID, n portal.TicketNumber, r Answer) error {
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		_, _, err := ticketOfAgent(ctx, tx, by, n)
		return err
	})
	if err != nil {
		return err
	}
	body, err := bodyText("body", r.Body)
	files, fileErr := a.storeFiles(ctx, nil, r.Files, err != nil)
	if err = errors.Join(err, fileErr); err != nil {
		return err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		_, t, err := ticketOfAgent(ctx, tx, by, n)
		if err != nil {
			return err
		}
		m := &portal.Message{Kind: portal.Public, Agent: by, Body: body, Format: portal.Markdown, At: tx.Now, Files: files}
		if r.Note {
			m.Kind = portal.Note
			return a.addNote(ctx, tx, t, m)
		}
		next := portal.AnswerWaits
		if r.Close {
			next = portal.AnswerCloses
		}
		return a.postAnswer(ctx, tx, t, m, next)
	})
	a.wakeMail()
	return err
}

// ticketOfAgent returns a ticket that an agent who is not disabled sees and may
// work on.
func ticketOfAgent(ctx context.Context, tx *store.Tx, by portal.AgentID, n portal.TicketNumber) (*portal.Agent, *portal.Ticket, error) {
	agent, err := tx.Agent(ctx, by)
	if err != nil {
		return nil, nil, err
	}
	if agent.Disabled {
		return nil, nil, portal.Forbiddenf("agent.disabled", "the agent %s is disabled", agent.Email)
	}
	viewer := portal.AgentViewer(agent)
	t, err := tx.TicketFor(ctx, &viewer, n)
	if err != nil {
		return nil, nil, err
	}
	return agent, t, notMerged(t)
}

// addNote writes an internal message and tells the agents it names. The ticket
// itself does not change, so that no customer's list moves because the desk
// talked.
func (a *App) addNote(ctx context.Context, tx *store.Tx, t *portal.Ticket, m *portal.Message) error {
	if err := a.filesThere(m.Files); err != nil {
		return err
	}
	if err := tx.AddMessage(ctx, t, m); err != nil {
		return err
	}
	if err := a.mention(ctx, tx, t, m); err != nil {
		return err
	}
	return saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventNoted, By: portal.ByAgent(m.Agent)})
}

// DeskTicket is a new ticket opened by the desk for a contact.
type DeskTicket struct {
	Requester     portal.ContactID
	Portal        portal.PortalID
	Subject, Body string
	Priority      portal.Priority
	Category      string
	Inbox         portal.InboxID // 0: the portal's
	By            portal.AgentID // 0: the customer wrote it (asked by phone, say); else the agent
	Confidential  bool
	Participants  []portal.ContactID
	Files         []Upload
}

// CreateTicket opens a ticket from a command.
func (a *App) CreateTicket(ctx context.Context, in DeskTicket) (portal.TicketNumber, error) {
	t := &portal.Ticket{
		Status: portal.New, Priority: in.Priority, Requester: in.Requester, InboxID: in.Inbox,
		PortalID: in.Portal, Confidential: in.Confidential, Participants: in.Participants, Fields: map[string]string{},
	}
	if t.Priority == "" {
		t.Priority = portal.Normal
	}
	var problems [3]error
	var body string
	t.Subject, problems[0] = requiredLine("subject", in.Subject)
	body, problems[1] = bodyText("body", in.Body)
	t.Category, problems[2] = line("category", in.Category)
	err := errors.Join(problems[:]...)
	files, fileErr := a.storeFiles(ctx, nil, in.Files, err != nil)
	if err = errors.Join(err, fileErr); err != nil {
		return 0, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		p, err := tx.Portal(ctx, in.Portal)
		if err != nil {
			return err
		}
		c, err := tx.Contact(ctx, in.Requester)
		if err != nil {
			return err
		}
		t.Company = c.Primary
		if t.InboxID == 0 {
			t.InboxID = p.Tickets.InboxID
		}
		if t.InboxID == 0 {
			return portal.Conflictf("tickets.no_inbox", "the portal has no inbox for new tickets yet").
				WithHint("choose one with `portalctl tickets configure --inbox NAME`")
		}
		m := &portal.Message{Kind: portal.Public, Contact: in.Requester, Body: body, Format: portal.Plain, At: tx.Now, Files: files}
		by := portal.ByContact(in.Requester)
		if in.By != 0 {
			m.Contact, m.Agent, m.Format, by = 0, in.By, portal.Markdown, portal.ByAgent(in.By)
			t.Status = portal.WaitingOnCustomer
		}
		return a.open(ctx, tx, p, t, m, by)
	})
	a.wakeMail()
	return t.Number, err
}

// DeskClose closes a ticket from a command; it reports whether it was open.
func (a *App) DeskClose(ctx context.Context, by portal.Actor, n portal.TicketNumber) (changed bool, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		t, err := tx.Ticket(ctx, n)
		if err != nil {
			return err
		}
		changed, err = a.closeIn(ctx, tx, t, by)
		return err
	})
	a.wakeMail()
	return changed, err
}

// DeskReopen reopens a ticket from a command; it reports whether it was
// closed. The reopen window is for customers and does not apply.
func (a *App) DeskReopen(ctx context.Context, by portal.Actor, n portal.TicketNumber) (changed bool, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		t, err := tx.Ticket(ctx, n)
		if err != nil || t.Status != portal.Closed {
			return err
		}
		changed = true
		if err := notMerged(t); err != nil {
			return err
		}
		if err := t.Reopen(tx.Now, &portal.TicketSettings{}, false); err != nil {
			return err
		}
		if err := saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventReopened, By: by}); err != nil {
			return err
		}
		return a.assignReopened(ctx, tx, t, by)
	})
	return changed, err
}
