package portal

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Ticket is one matter between a customer and the desk.
type Ticket struct {
	Number       TicketNumber
	Subject      string
	Status       Status
	Priority     Priority
	Category     string
	Requester    ContactID
	Company      CompanyID
	InboxID      InboxID
	PortalID     PortalID // the portal it was opened in; links in mail lead there
	Assignee     AgentID
	Confidential bool
	Fields       map[string]string // custom fields by key
	Participants []ContactID       // further contacts; the requester is not among them
	ExternalID   string

	CreatedAt time.Time
	UpdatedAt time.Time
	StatusAt  time.Time // since when the status holds: how long somebody has been waited for
	ClosedAt  time.Time

	Via TicketVia // how it was opened

	AnsweredAt   time.Time // the first public message of an agent
	AnswerDueAt  time.Time // when it is to be answered first; zero: no target
	ResolveDueAt time.Time // when it is to be closed; zero: no target
	PromisedAt   time.Time // when the agent said the customer would hear again
	ClockAt      time.Time // from when the targets count; zero: CreatedAt
	RemindAt     time.Time // when the assignee is to be reminded of PromisedAt; zero: they were
	SnoozedUntil time.Time // out of the desk's queues until then
	MergedInto   TicketNumber
	Rating       int    // what a customer thought of it, 1 to 5; 0: not said
	RatingText   string // and why
	RatedAt      time.Time

	// LastPublic is the newest public message; read marks compare with it.
	LastPublic MessageID
	// FileCount is how many files its public messages have.
	FileCount int

	waits      []span    // for the customer, that ended since the ticket was read
	reopenedAt time.Time // since it was read

	// Names for showing, filled in by the store.
	RequesterName, RequesterEmail, CompanyName, AssigneeName, InboxName string
}

// TicketVia is how a ticket was opened. The words are stable in JSON.
type TicketVia string

// The ways a ticket is opened; the zero value is one from before it was noted.
const (
	ViaPortal TicketVia = "portal"
	ViaMail   TicketVia = "mail"
	ViaDesk   TicketVia = "desk" // by an agent, or a command
	ViaImport TicketVia = "import"
)

// TicketRow is what a list shows of a ticket, read from an index alone.
type TicketRow struct {
	Number                                              TicketNumber
	Subject                                             string
	Status                                              Status
	Priority                                            Priority
	Category                                            string
	Requester                                           ContactID
	Company                                             CompanyID
	Assignee                                            AgentID
	Confidential                                        bool
	CreatedAt, UpdatedAt, StatusAt                      time.Time
	PromisedAt                                          time.Time
	Unread                                              bool
	RequesterName, CompanyName, AssigneeName, InboxName string
}

// Status is where a ticket stands.
type Status string

// The statuses of design section 1.
const (
	New               Status = "new"
	WaitingOnUs       Status = "waiting_on_us"
	WaitingOnCustomer Status = "waiting_on_customer"
	Closed            Status = "closed"
)

// Statuses lists every status in the order lists sort them.
var Statuses = []Status{New, WaitingOnUs, WaitingOnCustomer, Closed}

// ParseStatus reads a status; hyphens serve as underscores.
func ParseStatus(s string) (Status, error) {
	st := Status(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "-", "_"))
	if slices.Contains(Statuses, st) {
		return st, nil
	}
	return "", Invalidf("ticket.status", "status", "%q is not a ticket status; use new, waiting_on_us, waiting_on_customer or closed", s)
}

// CustomersTurn reports whether the customer has to act.
func (s Status) CustomersTurn() bool { return s == WaitingOnCustomer }

// Priority is how urgent a ticket is.
type Priority string

// The priorities.
const (
	Low    Priority = "low"
	Normal Priority = "normal"
	High   Priority = "high"
	Urgent Priority = "urgent"
)

// Priorities lists every priority, least urgent first.
var Priorities = []Priority{Low, Normal, High, Urgent}

// ParsePriority reads a priority; empty text means normal.
func ParsePriority(s string) (Priority, error) {
	p := Priority(strings.ToLower(strings.TrimSpace(s)))
	if p == "" {
		return Normal, nil
	}
	if slices.Contains(Priorities, p) {
		return p, nil
	}
	return "", Invalidf("ticket.priority", "priority", "%q is not a priority; use low, normal, high or urgent", s)
}

// MessageKind tells what customers read from what stays at the desk.
type MessageKind string

// The kinds of message. Nothing becomes public by default: the zero value is
// no kind at all.
const (
	Public MessageKind = "public"
	Note   MessageKind = "internal"
)

// Message is one entry in a ticket.
type Message struct {
	ID      MessageID
	Ticket  TicketNumber
	Kind    MessageKind
	Contact ContactID // the author, one of Contact and Agent; both zero: imported, author unknown
	Agent   AgentID
	Body    string
	Format  BodyFormat
	Quoted  string // what a mail quoted below its text, as plain text; shown on asking
	Via     MessageVia
	At      time.Time
	Files   []File

	AuthorName string // filled in by the store
}

// MessageVia is how a message came.
type MessageVia string

// The ways: ByMail is a message that came by mail, the zero value one written on a
// page or by a command.
const (
	ByMail MessageVia = "mail"
	// ByAutoMail came by mail as well, and no person wrote it.
	ByAutoMail MessageVia = "auto_mail"
)

// BodyFormat says how a message's text is to be shown.
type BodyFormat string

// The formats: customers write plain text, agents Markdown, mail and imports
// may bring HTML, which is sanitised where it is shown.
const (
	Plain    BodyFormat = "text"
	Markdown BodyFormat = "markdown"
	HTML     BodyFormat = "html"
)

// File is an attachment. Its bytes lie beside the store under their hash.
type File struct {
	ID      FileID
	Message MessageID
	Ticket  TicketNumber
	Name    string // as the customer gave it
	Type    string // what the bytes were found to be
	Size    int64
	SHA256  string // hex
	At      time.Time
}

// Limits on files, as the form states them.
const (
	MaxFileSize = 25 << 20
	MaxFiles    = 10
)

// EventKind is what happened to a ticket.
type EventKind string

// The events of a ticket's history.
const (
	EventCreated            EventKind = "created"
	EventReplied            EventKind = "replied"
	EventNoted              EventKind = "noted"
	EventStatus             EventKind = "status"
	EventClosed             EventKind = "closed"
	EventReopened           EventKind = "reopened"
	EventAssigned           EventKind = "assigned"
	EventParticipantAdded   EventKind = "participant_added"
	EventParticipantRemoved EventKind = "participant_removed"
	EventConfidential       EventKind = "confidential"
	EventImported           EventKind = "imported"
	EventPriority           EventKind = "priority"
	EventCategory           EventKind = "category"
	EventRated              EventKind = "rated"
	EventField              EventKind = "field"    // To: the field's key
	EventMoved              EventKind = "moved"    // to another inbox
	EventTagged             EventKind = "tagged"   // To: the tags added, with commas
	EventUntagged           EventKind = "untagged" // From: the tags removed
	EventSnoozed            EventKind = "snoozed"  // To: until when (RFC 3339)
	EventWoken              EventKind = "woken"    // before the time it was snoozed to
	EventPromised           EventKind = "promised" // To: when the customer hears again (RFC 3339); empty: taken back
	EventMerged             EventKind = "merged"   // From or To: the other ticket's number
	EventSplit              EventKind = "split"    // From or To: the other ticket's number
	EventLinked             EventKind = "linked"   // From: the kind of link; To: the other ticket's number
	EventUnlinked           EventKind = "unlinked"
	EventUndelivered        EventKind = "undelivered" // To: whom a mail did not reach; From: why
	EventSubject            EventKind = "subject"     // the words stand nowhere but on the ticket
)

// EventKinds lists every kind of event.
var EventKinds = []EventKind{
	EventCreated, EventReplied, EventNoted, EventStatus, EventClosed, EventReopened, EventAssigned, EventParticipantAdded,
	EventParticipantRemoved, EventConfidential, EventImported, EventPriority, EventCategory, EventField, EventMoved, EventTagged,
	EventUntagged, EventSnoozed, EventWoken, EventPromised, EventMerged, EventSplit, EventLinked, EventUnlinked, EventRated,
	EventUndelivered, EventSubject,
}

// Internal reports whether only agents see the event.
func (k EventKind) Internal() bool {
	switch k {
	case EventNoted, EventAssigned, EventPriority, EventMoved, EventTagged, EventUntagged, EventSnoozed, EventWoken, EventLinked, EventUnlinked,
		EventRated, EventUndelivered:
		return true
	}
	return false
}

// Event is one line of a ticket's history.
type Event struct {
	ID       int64
	Ticket   TicketNumber
	Kind     EventKind
	By       Actor
	ByName   string    // filled in by the store
	About    ContactID // whom From and To name, if they name a contact
	From, To string    // what changed, such as statuses or a participant's name
	At       time.Time
}

// CustomerMessage hands the ticket to the desk. A closed ticket reopens
// within the reopen window; later nobody reads the old thread, so it takes a
// new one. A snoozed ticket is back in the queues. It reports whether the
// ticket was reopened.
func (t *Ticket) CustomerMessage(now time.Time, s *TicketSettings) (reopened bool, err error) {
	if t.Status == Closed {
		if !t.MayReopen(now, s) {
			return false, Conflictf("ticket.closed", "ticket %s is closed", t.Number).
				With("Number", t.Number.String()).
				WithHint("open a new ticket and mention this number")
		}
		reopened = true
	}
	t.ClosedAt, t.SnoozedUntil = time.Time{}, time.Time{}
	if t.Status != New {
		t.setStatus(now, WaitingOnUs)
	}
	t.UpdatedAt = now
	return reopened, nil
}

// MayReopen reports whether a customer's answer would still reopen the ticket.
func (t *Ticket) MayReopen(now time.Time, s *TicketSettings) bool {
	return t.Status == Closed && s.ReopenDays > 0 && now.Sub(t.ClosedAt) <= s.ReopenWindow()
}

// AgentMessage hands the ticket to the customer; a closed one opens again. It
// is the first answer when there was none, and keeps what was promised.
func (t *Ticket) AgentMessage(now time.Time) (reopened bool) {
	reopened = t.Status == Closed
	t.ClosedAt, t.PromisedAt, t.RemindAt = time.Time{}, time.Time{}, time.Time{}
	if t.AnsweredAt.IsZero() {
		t.AnsweredAt = now
	}
	t.setStatus(now, WaitingOnCustomer)
	t.UpdatedAt = now
	return reopened
}

// Close ends the ticket, and with it what was promised and a snooze. It
// reports false for one that was closed already.
func (t *Ticket) Close(now time.Time) bool {
	if t.Status == Closed {
		return false
	}
	t.PromisedAt, t.RemindAt, t.SnoozedUntil = time.Time{}, time.Time{}, time.Time{}
	t.setStatus(now, Closed)
	t.ClosedAt, t.UpdatedAt = now, now
	return true
}

// Reopen puts a closed ticket back to the desk. byCustomer applies the
// reopen window; agents reopen whenever they want.
func (t *Ticket) Reopen(now time.Time, s *TicketSettings, byCustomer bool) error {
	if t.Status != Closed {
		return Conflictf("ticket.open", "ticket %s is not closed", t.Number).With("Number", t.Number.String())
	}
	if byCustomer && !t.MayReopen(now, s) {
		return Conflictf("ticket.closed", "ticket %s is closed", t.Number).
			With("Number", t.Number.String()).
			WithHint("open a new ticket and mention this number")
	}
	t.setStatus(now, WaitingOnUs)
	t.ClosedAt, t.UpdatedAt = time.Time{}, now
	return nil
}

// Follow sets the status that the newest public message of an open ticket
// means, when messages came or went otherwise than one after the other.
func (t *Ticket) Follow(m *Message, now time.Time) {
	switch {
	case m.Agent != 0:
		t.setStatus(now, WaitingOnCustomer)
	case t.Status != New || !t.AnsweredAt.IsZero():
		t.setStatus(now, WaitingOnUs)
	}
}

func (t *Ticket) setStatus(now time.Time, s Status) {
	if t.Status != s {
		t.noteMove(now, s)
		t.Status, t.StatusAt = s, now
	}
}

// Party reports whether the contact is requester or participant.
func (t *Ticket) Party(id ContactID) bool {
	return id != 0 && (t.Requester == id || slices.Contains(t.Participants, id))
}

// TicketColumn is a column of the ticket list.
type TicketColumn string

// The columns an operator can choose.
const (
	ColumnNumber    TicketColumn = "number"
	ColumnSubject   TicketColumn = "subject"
	ColumnStatus    TicketColumn = "status"
	ColumnPriority  TicketColumn = "priority"
	ColumnCategory  TicketColumn = "category"
	ColumnRequester TicketColumn = "requester"
	ColumnCompany   TicketColumn = "company"
	ColumnAssignee  TicketColumn = "assignee"
	ColumnCreated   TicketColumn = "created"
	ColumnUpdated   TicketColumn = "updated"
)

// TicketColumns lists every column.
var TicketColumns = []TicketColumn{
	ColumnNumber, ColumnSubject, ColumnStatus, ColumnPriority, ColumnCategory,
	ColumnRequester, ColumnCompany, ColumnAssignee, ColumnCreated, ColumnUpdated,
}

// ParseColumns reads a list of columns; number and subject may not be missing,
// as they lead to the ticket.
func ParseColumns(list []string) ([]TicketColumn, error) {
	var columns []TicketColumn
	for _, s := range list {
		c := TicketColumn(strings.ToLower(strings.TrimSpace(s)))
		if !slices.Contains(TicketColumns, c) {
			return nil, Invalidf("tickets.columns", "columns", "%q is not a column; use number, subject, status, priority, category, requester, company, assignee, created or updated", s)
		}
		if !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	if !slices.Contains(columns, ColumnSubject) {
		return nil, Invalidf("tickets.columns", "columns", "the column subject is missing; customers open a ticket by it")
	}
	return columns, nil
}

// String describes the row for logs and tests.
func (r *TicketRow) String() string { return fmt.Sprintf("%s %q %s", r.Number, r.Subject, r.Status) }
