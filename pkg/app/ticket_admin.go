package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// operatorViewer sees every ticket, as agents do: whoever can run commands
// against the store can read it anyway.
func operatorViewer() portal.Viewer { return portal.OperatorViewer() }

// openStatuses are those of tickets somebody still has to do something about.
var openStatuses = []portal.Status{portal.New, portal.WaitingOnUs, portal.WaitingOnCustomer}

// DeskQuery is what an operator asked the list of all tickets for.
type DeskQuery struct {
	Statuses   []portal.Status // none: any
	Requester  string          // address
	Company    string          // name or domain
	Assignee   string          // address
	Unassigned bool
	Inbox      string // name or address
	Tag        string
	Overdue    bool         // a target has passed
	Snoozed    bool         // out of the queues at present
	Queue      portal.Queue // as the help desk shows it; mine needs Assignee
	Search     string       // words; the newest hits, without paging
	Since      time.Time    // updated from here
	Until      time.Time    // updated before
	After      string       // DeskList.Next of the page before
	Limit      int          // 0: 50
	Left       bool         // count the closed tickets that Statuses leave out
}

// DeskList is one page of tickets, newest update first.
type DeskList struct {
	Rows []portal.TicketRow
	// Emails are the requesters' addresses, which rows have no room for.
	Emails map[portal.ContactID]string
	Next   string // for DeskQuery.After; "" at the end
	// More is set when a search has further hits, which paging cannot reach.
	More bool
	// Closed is how many closed tickets the query leaves out, as far as Counted
	// counts; asked for with DeskQuery.Left.
	Closed int
}

// DeskTickets lists tickets of the whole store for operators.
func (a *App) DeskTickets(ctx context.Context, q DeskQuery) (*DeskList, error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	page := store.TicketPage{Limit: q.Limit + 1}
	if q.After != "" {
		if page.After = parseCursor(q.After); page.After == nil {
			return nil, portal.Invalidf("tickets.after", "after", "%q is no place in the list; take it from the end of the page before", q.After)
		}
	}
	if q.Search != "" && q.After != "" {
		return nil, portal.Invalidf("tickets.after", "after", "a search cannot be paged with --after").
			WithHint("raise --limit, or narrow the search")
	}
	list := &DeskList{}
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		f, err := q.filter(ctx, tx)
		if err != nil {
			return err
		}
		viewer := operatorViewer()
		if q.Search != "" {
			list.Rows, err = tx.SearchTickets(ctx, &viewer, 0, q.Search, f, page.Limit)
		} else {
			list.Rows, err = tx.Tickets(ctx, &viewer, 0, f, page)
		}
		if err != nil {
			return err
		}
		if list.Emails, err = emailsOf(ctx, tx, list.Rows); err != nil || !q.Left {
			return err
		}
		f.Statuses = []portal.Status{portal.Closed}
		if q.Search == "" {
			list.Closed, err = tx.CountTickets(ctx, &viewer, f, countTo+1)
			return err
		}
		closed, err := tx.SearchTickets(ctx, &viewer, 0, q.Search, f, searchMost)
		list.Closed = len(closed)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(list.Rows) > q.Limit {
		list.Rows = list.Rows[:q.Limit]
		if q.Search != "" {
			list.More = true
		} else {
			list.Next = formatCursor(list.Rows[q.Limit-1])
		}
	}
	return list, nil
}

func emailsOf(ctx context.Context, tx *store.Tx, rows []portal.TicketRow) (map[portal.ContactID]string, error) {
	emails := map[portal.ContactID]string{}
	for i := range rows {
		id := rows[i].Requester
		if _, ok := emails[id]; ok {
			continue
		}
		c, err := tx.Contact(ctx, id)
		if err != nil {
			return nil, err
		}
		emails[id] = c.Email
	}
	return emails, nil
}

// filter finds what the query names. All that is unknown comes at once.
func (q *DeskQuery) filter(ctx context.Context, tx *store.Tx) (store.TicketFilter, error) {
	f := store.TicketFilter{Statuses: q.Statuses, Unassigned: q.Unassigned, From: q.Since, To: q.Until}
	var problems []error
	if q.Requester != "" {
		c, err := contactWith(ctx, tx, "requester", q.Requester)
		if err == nil {
			f.Requester = c.ID
		}
		problems = append(problems, err)
	}
	if q.Company != "" {
		c, err := companyNamed(ctx, tx, q.Company)
		if err == nil {
			f.Company = c.ID
		}
		problems = append(problems, err)
	}
	if q.Assignee != "" {
		agent, err := agentWith(ctx, tx, "assignee", q.Assignee)
		if err == nil {
			f.Assignee = agent.ID
		}
		problems = append(problems, err)
	}
	if q.Inbox != "" {
		inbox, err := tx.InboxByName(ctx, q.Inbox)
		if err == nil {
			f.Inbox = inbox.ID
		}
		problems = append(problems, err)
	}
	if err := q.work(tx.Now, &f); err != nil {
		problems = append(problems, err)
	}
	if q.Unassigned && q.Assignee != "" {
		problems = append(problems, portal.Invalidf("tickets.assignee", "unassigned", "--unassigned and --assignee exclude each other"))
	}
	return f, errors.Join(problems...)
}

// work narrows the list to what the desk works on: a queue, a tag, what is
// late or snoozed.
func (q *DeskQuery) work(now time.Time, f *store.TicketFilter) (err error) {
	if q.Tag != "" {
		if f.Tag, err = portal.ParseTag("tag", q.Tag); err != nil {
			return err
		}
	}
	if q.Overdue {
		f.Overdue = now
	}
	if q.Snoozed || q.Queue == portal.QueueSnoozed {
		f.Snoozed = now
	}
	if q.Queue == "" {
		return nil
	}
	f.Statuses = openStatuses
	switch q.Queue {
	case portal.QueueMine:
		if q.Assignee == "" {
			return portal.Invalidf("queue.mine", "queue", "whose the queue mine is was not said").WithHint("add --assignee with the agent's address")
		}
	case portal.QueueUnassigned:
		f.Unassigned = true
	case portal.QueueUs:
		f.Statuses = []portal.Status{portal.New, portal.WaitingOnUs}
	case portal.QueueCustomer:
		f.Statuses = []portal.Status{portal.WaitingOnCustomer}
	case portal.QueueClosed:
		f.Statuses = []portal.Status{portal.Closed}
		return nil
	case portal.QueueSnoozed:
		return nil
	}
	f.Awake = now
	return nil
}

// TicketDetail is a ticket with all that is said in it.
type TicketDetail struct {
	*portal.Ticket
	Desk         *Properties    // what only the desk knows; nil when that was not asked for
	Portal       *portal.Portal // nil for one that belongs to none
	Participants []portal.Contact
	Messages     []portal.Message
	Events       []portal.Event
}

// ShowTicket returns a ticket for an operator. Internal messages and events
// are left out unless asked for.
func (a *App) ShowTicket(ctx context.Context, n portal.TicketNumber, internal bool) (d *TicketDetail, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		t, err := tx.Ticket(ctx, n)
		if err != nil {
			return err
		}
		d = &TicketDetail{Ticket: t}
		if t.PortalID != 0 {
			if d.Portal, err = tx.Portal(ctx, t.PortalID); err != nil {
				return err
			}
		}
		if d.Participants, err = tx.Participants(ctx, n); err != nil {
			return err
		}
		if d.Messages, err = tx.Messages(ctx, t, internal); err != nil {
			return err
		}
		if internal {
			v := operatorViewer()
			d.Desk = &Properties{Ticket: t, Turn: t.Turn(tx.Now), Snoozed: t.SnoozedAt(tx.Now)}
			if err := d.Desk.read(ctx, tx, &v); err != nil {
				return err
			}
		}
		d.Events, err = tx.Events(ctx, n, internal)
		return err
	})
	return d, err
}

// NewDeskTicket is what a command says about a ticket to open. Requester,
// participants, agent and inbox are named by address.
type NewDeskTicket struct {
	Requester    string
	Subject      string
	Body         string
	Priority     string
	Category     string
	Inbox        string // "": the portal's
	As           string // "": the customer wrote it
	Confidential bool
	Participants []string
	Files        []Upload
}

// OpenDeskTicket opens a ticket from a command.
func (a *App) OpenDeskTicket(ctx context.Context, p *portal.Portal, in NewDeskTicket) (portal.TicketNumber, error) {
	t := DeskTicket{Portal: p.ID, Category: in.Category, Confidential: in.Confidential, Files: in.Files}
	var problems []error
	var err error
	t.Subject, err = requiredLine("subject", in.Subject)
	problems = append(problems, err)
	t.Body, err = bodyText("body", in.Body)
	problems = append(problems, err)
	t.Priority, err = portal.ParsePriority(in.Priority)
	problems = append(problems, err)
	t.Category, err = line("category", in.Category)
	problems = append(problems, err)
	err = a.store.Read(ctx, func(tx *store.Tx) error { return in.find(ctx, tx, &t) })
	if err := errors.Join(append(problems, err)...); err != nil {
		return 0, err
	}
	return a.CreateTicket(ctx, t)
}

func (in *NewDeskTicket) find(ctx context.Context, tx *store.Tx, t *DeskTicket) error {
	c, err := contactWith(ctx, tx, "requester", in.Requester)
	if err == nil {
		t.Requester = c.ID
	}
	problems := []error{err}
	others, err := contactsWith(ctx, tx, "participant", in.Participants)
	problems = append(problems, err)
	for _, o := range others {
		if o.ID != t.Requester {
			t.Participants = append(t.Participants, o.ID)
		}
	}
	if strings.TrimSpace(in.Inbox) != "" {
		inbox, err := tx.InboxByName(ctx, in.Inbox)
		if err == nil {
			t.Inbox = inbox.ID
		}
		problems = append(problems, err)
	}
	if strings.TrimSpace(in.As) != "" {
		agent, err := actingAgent(ctx, tx, in.As)
		if err == nil {
			t.By = agent.ID
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}
