package app

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// TicketView is what the ticket page shows.
type TicketView struct {
	Ticket                        *portal.Ticket
	Messages                      []portal.Message // the newest, or a part before; with Files; internal ones for agents only
	Earlier                       portal.MessageID // the part before these messages is that before this one; 0: there is none
	Later                         bool             // newer messages exist than these
	Events                        []portal.Event
	Participants                  []portal.Contact
	Decision                      portal.Decision
	MayReply, MayClose, MayReopen bool
	MayConfide                    bool          // may change the confidential mark: the requester, agents
	MayInvite                     bool          // may add and remove participants
	MayRate                       bool          // whoever opened it says what they think of it
	Usual                         time.Duration // how long first answers usually take, while one is waited for; 0: unknown
	ClosedForGood                 bool          // closed and past the reopen window: offer a new linked ticket
	Follows                       portal.TicketNumber
	Draft                         map[string]string // what was typed before and not sent
	UnreadFrom                    portal.MessageID  // messages after this one are new to the viewer
	// LeadsTo is the ticket this one was merged into, where the viewer sees it:
	// nothing is left to read here.
	LeadsTo portal.TicketNumber
	Turn    portal.Turn
}

// keepQuoted takes out what mails of others quote. Mail programs put there who
// wrote to whom, with addresses, which customers do not read of one another.
func (w *TicketView) keepQuoted(v *Visit) {
	for i := range w.Messages {
		if m := &w.Messages[i]; v.Agent == nil && (m.Agent != 0 || v.Contact == nil || m.Contact != v.Contact.ID) {
			m.Quoted = ""
		}
	}
}

// fieldFollows is the custom field that names the closed ticket a new one
// continues.
const fieldFollows = "follows"

// How much of a conversation one page shows, so that nobody's page grows with
// what somebody else can write.
const (
	pageMessages = 100
	pageBytes    = 1 << 20
)

// Ticket returns a ticket the visitor sees, with the newest messages, and
// marks it read.
func (a *App) Ticket(ctx context.Context, v *Visit, n portal.TicketNumber) (*TicketView, error) {
	return a.TicketBefore(ctx, v, n, math.MaxInt64)
}

// TicketBefore returns what Ticket does, with the messages before one of them.
func (a *App) TicketBefore(ctx context.Context, v *Visit, n portal.TicketNumber, before portal.MessageID) (*TicketView, error) {
	view := &TicketView{}
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		p, err := tx.TicketDetailFor(ctx, &v.Viewer, n)
		if err != nil {
			return err
		}
		t := &p.Ticket
		view.Ticket, view.Draft = t, p.Draft
		view.UnreadFrom = max(p.ReadMark, v.readFrom())
		view.permit(v, tx.Now)
		view.Turn = t.Turn(tx.Now)
		if t.MergedInto != 0 {
			if view.LeadsTo, err = leadsTo(ctx, tx, &v.Viewer, t); err != nil {
				return err
			}
			// Nothing is done to it any more, by anybody.
			view.MayReply, view.MayClose, view.MayReopen, view.MayConfide, view.MayInvite, view.ClosedForGood = false, false, false, false, false, false
		}
		if v.Contact != nil && t.AnsweredAt.IsZero() && t.Status != portal.Closed {
			if view.Usual, err = a.usualAnswer(ctx, tx, t.InboxID); err != nil {
				return err
			}
		}
		internal := v.Agent != nil
		if err = view.read(ctx, tx, internal, before); err != nil {
			return err
		}
		if len(t.Participants) > 0 {
			if view.Participants, err = tx.Participants(ctx, n); err != nil {
				return err
			}
		}
		view.Events, err = tx.Events(ctx, n, internal)
		return err
	})
	if err != nil {
		return nil, err
	}
	view.keepQuoted(v)
	if follows, err := portal.ParseTicketNumber(view.Ticket.Fields[fieldFollows]); err == nil {
		view.Follows = follows
	}
	if v.ReadOnly {
		view.Draft = nil // what they typed and did not send is theirs alone
	}
	if v.Contact != nil && !v.ReadOnly && !view.Later && view.Ticket.LastPublic > view.UnreadFrom {
		a.markRead(v.Contact.ID, n, view.Ticket.LastPublic)
	}
	return view, nil
}

// read fills in the messages before one: as many as a page shows.
func (w *TicketView) read(ctx context.Context, tx *store.Tx, internal bool, before portal.MessageID) error {
	messages, err := tx.MessagesBefore(ctx, w.Ticket, internal, before, pageMessages+1)
	if err != nil {
		return err
	}
	first, size := len(messages), 0
	for first > 0 && len(messages)-first < pageMessages {
		size += len(messages[first-1].Body)
		if size > pageBytes && first < len(messages) {
			break
		}
		first--
	}
	w.Messages = messages[first:]
	if first > 0 {
		w.Earlier = messages[first].ID
	}
	w.Later = before <= w.Ticket.LastPublic
	return nil
}

// markRead notes behind the answer what has been seen.
func (a *App) markRead(c portal.ContactID, n portal.TicketNumber, m portal.MessageID) {
	a.afterwards(func(ctx context.Context) error {
		return a.store.Write(ctx, func(tx *store.Tx) error { return tx.MarkRead(ctx, c, n, m) })
	})
}

// permit works out what the visitor may do with the ticket.
func (w *TicketView) permit(v *Visit, now time.Time) {
	t, s := w.Ticket, &v.Portal.Tickets
	w.Decision = v.Viewer.Sees(t)
	agent := v.Agent != nil
	w.ClosedForGood = !agent && t.Status == portal.Closed && !t.MayReopen(now, s)
	w.MayReply = w.Decision.Reply && !w.ClosedForGood
	w.MayClose = w.Decision.Reply && t.Status != portal.Closed && (agent || s.CustomersClose)
	w.MayReopen = w.Decision.Reply && t.Status == portal.Closed && (agent || t.MayReopen(now, s))
	w.MayConfide = agent || t.Requester == v.Viewer.Contact
	w.MayInvite = w.Decision.Reply
	w.MayRate = v.Contact != nil && !v.ReadOnly && t.Requester == v.Contact.ID && t.MayRate(now, s) == nil
}

// ticketForChange returns a ticket the visitor may answer, inside the
// transaction that will change it.
func ticketForChange(ctx context.Context, tx *store.Tx, v *Visit, n portal.TicketNumber) (*portal.Ticket, error) {
	if v.ReadOnly {
		return nil, readOnly()
	}
	t, err := tx.TicketFor(ctx, &v.Viewer, n)
	if err != nil {
		return nil, err
	}
	if err := notMerged(t); err != nil {
		return nil, err
	}
	if v.Contact != nil {
		if err := notErased(ctx, tx, v.Contact.ID); err != nil {
			return nil, err
		}
	}
	if !v.Viewer.Sees(t).Reply {
		return nil, portal.Forbiddenf("tickets.read_only", "you can read your company's tickets but not change them")
	}
	return t, nil
}

// NewTicket is the form for a new ticket.
type NewTicket struct {
	Subject, Body string
	Fields        map[string]string // by field key, priority and category included
	Confidential  bool
	Participants  []string            // addresses of colleagues
	Follows       portal.TicketNumber // a closed ticket this one continues; must be visible
	Files         []Upload
}

// OpenTicket opens a ticket for the visiting contact. It returns all problems
// of the form at once. The draft "new" is removed.
func (a *App) OpenTicket(ctx context.Context, v *Visit, in NewTicket) (portal.TicketNumber, error) {
	if v.Contact == nil {
		return 0, portal.Forbiddenf("tickets.agent", "agents open tickets with `portalctl tickets create`")
	}
	if v.ReadOnly {
		return 0, readOnly()
	}
	t := &portal.Ticket{
		Status: portal.New, Priority: portal.Normal, Requester: v.Contact.ID, Company: v.Contact.Primary,
		InboxID: v.Portal.Tickets.InboxID, PortalID: v.Portal.ID, Confidential: in.Confidential, Fields: map[string]string{},
	}
	body, err := in.check(v, t)
	files, fileErr := a.storeFiles(ctx, v, in.Files, err != nil)
	if err = errors.Join(err, fileErr); err != nil {
		return 0, err
	}
	if t.InboxID == 0 {
		return 0, portal.Conflictf("tickets.no_inbox", "the portal has no inbox for new tickets yet")
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if err := allowIn(ctx, tx, "tickets:"+v.Contact.Email, ticketsPerHour, time.Hour); err != nil {
			return err
		}
		if in.Follows != 0 {
			if _, err := tx.TicketFor(ctx, &v.Viewer, in.Follows); err != nil {
				return err
			}
			t.Fields[fieldFollows] = in.Follows.String()
		}
		if err := a.colleagues(ctx, tx, v, t, in.Participants); err != nil {
			return err
		}
		m := &portal.Message{Kind: portal.Public, Contact: v.Contact.ID, Body: body, Format: portal.Plain, At: tx.Now, Files: files}
		return a.open(ctx, tx, v.Portal, t, m, v.actor())
	})
	a.wakeMail()
	return t.Number, err
}

// check fills the ticket from the form and reports every problem of it.
func (in *NewTicket) check(v *Visit, t *portal.Ticket) (body string, err error) {
	var problems []error
	if t.Subject, err = requiredLine("subject", in.Subject); err != nil {
		problems = append(problems, err)
	}
	if body, err = bodyText("body", in.Body); err != nil {
		problems = append(problems, err)
	}
	for i := range v.Portal.Tickets.Fields {
		f := &v.Portal.Tickets.Fields[i]
		value, err := f.Check(in.Fields[f.Key])
		if err != nil {
			problems = append(problems, err)
			continue
		}
		switch {
		case value == "":
		case f.Key == "priority":
			t.Priority = portal.Priority(value)
		case f.Key == "category":
			t.Category = value
		default:
			t.Fields[f.Key] = value
		}
	}
	return body, errors.Join(problems...)
}

// open writes a new ticket with its first message, its event and its mails.
func (a *App) open(ctx context.Context, tx *store.Tx, p *portal.Portal, t *portal.Ticket, m *portal.Message, by portal.Actor) error {
	t.CreatedAt, t.UpdatedAt, t.StatusAt = tx.Now, tx.Now, tx.Now
	if err := a.filesThere(m.Files); err != nil {
		return err
	}
	if err := notErased(ctx, tx, t.Requester); err != nil {
		return err
	}
	if by.Agent != 0 {
		t.AnsweredAt = tx.Now // the desk spoke first
	}
	agent, err := begin(ctx, tx, t)
	if err != nil {
		return err
	}
	if err := tx.AddTicket(ctx, t); err != nil {
		return err
	}
	if err := tx.AddMessage(ctx, t, m); err != nil {
		return err
	}
	if err := tx.SaveTicket(ctx, t); err != nil {
		return err
	}
	if err := tx.AddEvent(ctx, &portal.Event{Ticket: t.Number, Kind: portal.EventCreated, By: by, At: tx.Now}); err != nil {
		return err
	}
	if agent != nil {
		if err := assignedByRule(ctx, tx, t, agent); err != nil {
			return err
		}
	}
	if by.Contact != 0 {
		if err := tx.MarkRead(ctx, by.Contact, t.Number, m.ID); err != nil {
			return err
		}
		if m.Via != portal.ByMail { // what they type on a page is another letter
			if err := tx.RemoveDraft(ctx, by.Contact, draftNew); err != nil {
				return err
			}
		}
	}
	if agent != nil && by.Agent != 0 {
		// What customers write is told with the ticket; see noticeDesk.
		if err := a.noticeAgent(ctx, tx, store.MailAgentAssigned, agent.ID, t, m.ID, by); err != nil {
			return err
		}
	}
	return a.noticeOpened(ctx, tx, p, t, m, by)
}

// Answer is a message to a ticket.
type Answer struct {
	Body  string
	Files []Upload
	Close bool // close the ticket with it
	Note  bool // agents: internal
}

// Reply adds a message. By a contact it hands the ticket to the desk, by an
// agent to the customer. The draft is removed.
func (a *App) Reply(ctx context.Context, v *Visit, n portal.TicketNumber, r Answer) error {
	if v.Agent != nil {
		return a.DeskReply(ctx, v.Agent.ID, n, r)
	}
	// Rights are asked before files are stored, and again with the change.
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		_, err := ticketForChange(ctx, tx, v, n)
		return err
	})
	if err != nil {
		return err
	}
	body, err := bodyText("body", r.Body)
	files, fileErr := a.storeFiles(ctx, v, r.Files, err != nil)
	if err = errors.Join(err, fileErr); err != nil {
		return err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		t, err := ticketForChange(ctx, tx, v, n)
		if err != nil {
			return err
		}
		if err := allowIn(ctx, tx, "tickets:"+v.Contact.Email, ticketsPerHour, time.Hour); err != nil {
			return err
		}
		if r.Close && !v.Portal.Tickets.CustomersClose {
			return portal.Forbiddenf("tickets.customers_close", "customers do not close tickets in this portal")
		}
		reopened, err := t.CustomerMessage(tx.Now, &v.Portal.Tickets)
		if err != nil {
			return err
		}
		m := &portal.Message{Kind: portal.Public, Contact: v.Contact.ID, Body: body, Format: portal.Plain, At: tx.Now, Files: files}
		return a.addMessage(ctx, tx, t, m, v.actor(), reopened, r.Close)
	})
	a.wakeMail()
	return err
}

// addMessage writes a public message whose effect on the ticket is decided,
// with events, read mark and mails.
func (a *App) addMessage(ctx context.Context, tx *store.Tx, t *portal.Ticket, m *portal.Message, by portal.Actor, reopened, closeIt bool) error {
	if err := a.filesThere(m.Files); err != nil {
		return err
	}
	if err := tx.AddMessage(ctx, t, m); err != nil {
		return err
	}
	kinds := []portal.EventKind{portal.EventReplied}
	if reopened {
		kinds = append(kinds, portal.EventReopened)
	}
	if closeIt && t.Close(tx.Now) {
		kinds = append(kinds, portal.EventClosed)
	}
	if err := saveTicket(ctx, tx, t); err != nil {
		return err
	}
	for _, kind := range kinds {
		if err := tx.AddEvent(ctx, &portal.Event{Ticket: t.Number, Kind: kind, By: by, At: tx.Now}); err != nil {
			return err
		}
	}
	if by.Contact != 0 {
		if err := tx.MarkRead(ctx, by.Contact, t.Number, m.ID); err != nil {
			return err
		}
		if m.Via != portal.ByMail {
			if err := tx.RemoveDraft(ctx, by.Contact, t.Number.String()); err != nil {
				return err
			}
		}
	}
	if reopened {
		if err := a.assignReopened(ctx, tx, t, by); err != nil {
			return err
		}
	}
	if err := a.noticeMessage(ctx, tx, t, m, by); err != nil {
		return err
	}
	if slices.Contains(kinds, portal.EventClosed) {
		return a.noticeClosed(ctx, tx, t, by)
	}
	return nil
}

// CloseTicket closes; closing a closed ticket succeeds. Forbidden
// tickets.customers_close when customers may not.
func (a *App) CloseTicket(ctx context.Context, v *Visit, n portal.TicketNumber) error {
	return a.changeTicket(ctx, v, n, func(tx *store.Tx, t *portal.Ticket) error {
		if v.Agent == nil && !v.Portal.Tickets.CustomersClose {
			return portal.Forbiddenf("tickets.customers_close", "customers do not close tickets in this portal")
		}
		_, err := a.closeIn(ctx, tx, t, v.actor())
		return err
	})
}

// closeIn closes a ticket and reports whether it was open.
func (a *App) closeIn(ctx context.Context, tx *store.Tx, t *portal.Ticket, by portal.Actor) (bool, error) {
	if !t.Close(tx.Now) {
		return false, nil
	}
	if err := saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventClosed, By: by}); err != nil {
		return false, err
	}
	return true, a.noticeClosed(ctx, tx, t, by)
}

// ReopenTicket reopens a closed ticket within the window.
func (a *App) ReopenTicket(ctx context.Context, v *Visit, n portal.TicketNumber) error {
	return a.changeTicket(ctx, v, n, func(tx *store.Tx, t *portal.Ticket) error {
		if err := t.Reopen(tx.Now, &v.Portal.Tickets, v.Agent == nil); err != nil {
			return err
		}
		if err := saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventReopened, By: v.actor()}); err != nil {
			return err
		}
		return a.assignReopened(ctx, tx, t, v.actor())
	})
}

// SetConfidential marks or unmarks a ticket.
func (a *App) SetConfidential(ctx context.Context, v *Visit, n portal.TicketNumber, on bool) error {
	return a.changeTicket(ctx, v, n, func(tx *store.Tx, t *portal.Ticket) error {
		if v.Agent == nil && t.Requester != v.Contact.ID {
			return portal.Forbiddenf("tickets.confidential", "only the requester marks a ticket confidential")
		}
		if t.Confidential == on {
			return nil
		}
		t.Confidential = on
		if err := saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventConfidential, By: v.actor(), To: onOff(on)}); err != nil {
			return err
		}
		return a.noteVisit(ctx, tx, v, portal.AuditSight, aboutTicket(t.Number), Change{Field: "confidential", From: onOff(!on), To: onOff(on)})
	})
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// changeTicket runs one change of a ticket the visitor may answer.
func (a *App) changeTicket(ctx context.Context, v *Visit, n portal.TicketNumber, change func(*store.Tx, *portal.Ticket) error) error {
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		t, err := ticketForChange(ctx, tx, v, n)
		if err != nil {
			return err
		}
		if v.Contact != nil {
			// A change writes mails and, at times, the ticket's whole index.
			if err := allowIn(ctx, tx, "changes:"+v.Contact.Email, ticketsPerHour, time.Hour); err != nil {
				return err
			}
		}
		return change(tx, t)
	})
	a.wakeMail()
	return err
}

// saveWithEvent writes a changed ticket and what happened to it.
func saveWithEvent(ctx context.Context, tx *store.Tx, t *portal.Ticket, e portal.Event) error {
	if err := saveTicket(ctx, tx, t); err != nil {
		return err
	}
	e.Ticket, e.At = t.Number, tx.Now
	return tx.AddEvent(ctx, &e)
}
