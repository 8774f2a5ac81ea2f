package portal

import (
	"slices"
	"strings"
	"time"
)

// Queue is a part of the help desk's tickets that an agent works through.
type Queue string

// The queues. Tickets that were put off are in QueueSnoozed alone until their
// time has come.
const (
	QueueMine       Queue = "mine"       // open and assigned to the reader
	QueueUnassigned Queue = "unassigned" // open and nobody's
	QueueUs         Queue = "us"         // the desk has to act
	QueueCustomer   Queue = "customer"   // the customer has to act
	QueueSnoozed    Queue = "snoozed"    // open and put off
	QueueClosed     Queue = "closed"
	QueueAll        Queue = "all" // everything open
)

// Queues lists every queue in the order the help desk shows them.
var Queues = []Queue{QueueMine, QueueUnassigned, QueueUs, QueueCustomer, QueueSnoozed, QueueClosed, QueueAll}

// ParseQueue reads a queue.
func ParseQueue(s string) (Queue, error) {
	q := Queue(strings.ToLower(strings.TrimSpace(s)))
	if slices.Contains(Queues, q) {
		return q, nil
	}
	return "", Invalidf("queue.unknown", "queue", "%q is not a queue; use mine, unassigned, us, customer, snoozed, closed or all", s)
}

// QueueSort is the order of a queue.
type QueueSort string

// The orders.
const (
	SortUpdated QueueSort = "updated" // the newest change first
	SortCreated QueueSort = "created" // the newest ticket first
	SortWaiting QueueSort = "waiting" // who has waited longest first
	SortDue     QueueSort = "due"     // the next target first; tickets without one last
)

// QueueSorts lists every order.
var QueueSorts = []QueueSort{SortUpdated, SortCreated, SortWaiting, SortDue}

// DeskQuery is what an agent asks the help desk's list for. It is kept as
// JSON with a saved view; the names are stable. Words without a queue are
// looked for in every ticket, closed and snoozed ones too.
type DeskQuery struct {
	Queue    Queue     `json:"queue,omitempty"`
	Inbox    InboxID   `json:"inbox,omitempty"`
	Assignee AgentID   `json:"assignee,omitempty"`
	Status   Status    `json:"status,omitempty"`
	Priority Priority  `json:"priority,omitempty"`
	Tag      string    `json:"tag,omitempty"`
	Words    string    `json:"words,omitempty"`
	Sort     QueueSort `json:"sort,omitempty"`
}

// Clean puts a query into the form the rest relies on: what is not known
// counts as absent, so that an old bookmark never fails.
func (q DeskQuery) Clean() DeskQuery {
	q.Words = strings.TrimSpace(q.Words)
	q.Inbox, q.Assignee = max(q.Inbox, 0), max(q.Assignee, 0)
	if !slices.Contains(Queues, q.Queue) {
		switch {
		case q.Words != "":
			q.Queue = "" // whatever became of it
		case q.Inbox != 0 || q.Assignee != 0 || q.Status != "" || q.Priority != "" || q.Tag != "":
			q.Queue = QueueAll
		default:
			q.Queue = QueueMine
		}
	}
	if q.Status != "" && !slices.Contains(Statuses, q.Status) {
		q.Status = ""
	}
	if q.Priority != "" && !slices.Contains(Priorities, q.Priority) {
		q.Priority = ""
	}
	if !slices.Contains(QueueSorts, q.Sort) || q.Queue == QueueClosed {
		// Closed tickets wait for nobody and are due no more.
		q.Sort = SortUpdated
	}
	return q
}

// DeskRow is what the help desk's list shows of a ticket.
type DeskRow struct {
	TicketRow
	InboxID                                             InboxID
	RequesterEmail                                      string
	AnsweredAt, AnswerDueAt, ResolveDueAt, SnoozedUntil time.Time
	Tags                                                []string
	Called                                              bool // a note the reader has not seen names them
}

// DueAt is the target that runs: the first answer as long as it is owed, then
// closing, which waits while the customer is waited for. Zero: there is none.
func (r *DeskRow) DueAt() time.Time {
	switch {
	case r.Status == Closed:
		return time.Time{}
	case r.AnsweredAt.IsZero() && !r.AnswerDueAt.IsZero():
		return r.AnswerDueAt
	case r.Status == WaitingOnCustomer:
		return time.Time{}
	}
	return r.ResolveDueAt
}

// DeskView is a query of the help desk's list kept under a name.
type DeskView struct {
	ID     int64
	Agent  AgentID // whose it is
	Name   string
	Shared bool // every agent has it; what they find by it is what they may see
	Query  DeskQuery
}

// MaxDeskViews is how many views one agent keeps at most.
const MaxDeskViews = 50

// MayChange reports whether an agent may rename, move or remove the view.
func (v *DeskView) MayChange(a *Agent) bool {
	return v.Agent == a.ID || v.Shared && a.Role == RoleAdmin
}
