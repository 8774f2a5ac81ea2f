package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// ---- tickets ----

// Scope says whose tickets a list holds.
type Scope string

const (
	ScopeMine    Scope = "mine"    // requester or participant
	ScopeCompany Scope = "company" // everything the viewer sees: mine and the companies'
)

// TicketFilter narrows a list. The viewer's rule is applied always.
type TicketFilter struct {
	Scope      Scope            // agents: ignored, they see all
	Statuses   []portal.Status  // none: any. If it excludes closed, the open index serves
	Requester  portal.ContactID // who: only this requester's
	Company    portal.CompanyID // agents and operators only
	Assignee   portal.AgentID   // agents and operators only
	Unassigned bool
	Inbox      portal.InboxID
	From, To   time.Time // updated in [From, To)
}

// Cursor is a place in a list ordered by updated, number descending.
type Cursor struct {
	UpdatedAt time.Time
	Number    portal.TicketNumber
}

// TicketPage asks for rows after (older than) or before (newer than) a place.
// Rows come newest first in both cases.
type TicketPage struct {
	After, Before *Cursor
	Limit         int
}

// Tickets lists what the viewer sees, newest update first, read from
// covering indexes; the names and unread marks of the page are looked up for
// its rows only. One statement.
func (tx *Tx) Tickets(ctx context.Context, v *portal.Viewer, readFrom portal.MessageID, f TicketFilter, p TicketPage) ([]portal.TicketRow, error) {
	panic("unwritten")
}

// CountTickets counts to max and stops.
func (tx *Tx) CountTickets(ctx context.Context, v *portal.Viewer, f TicketFilter, max int) (int, error) {
	panic("unwritten")
}

// SearchTickets returns the tickets the viewer sees whose subject or messages
// hold every word of the query (the last as a prefix), or whose number it is;
// the newest hits first, at most limit tickets, filter applied.
func (tx *Tx) SearchTickets(ctx context.Context, v *portal.Viewer, readFrom portal.MessageID, query string, f TicketFilter, limit int) ([]portal.TicketRow, error) {
	panic("unwritten")
}

// TicketFor returns a ticket the viewer sees, with participants and names;
// somebody else's is NotFound ticket.none, like one that does not exist. The
// viewer's rule is part of the query.
func (tx *Tx) TicketFor(ctx context.Context, v *portal.Viewer, n portal.TicketNumber) (*portal.Ticket, error) {
	panic("unwritten")
}

// Ticket returns any ticket; only commands, imports and mail use it.
func (tx *Tx) Ticket(ctx context.Context, n portal.TicketNumber) (*portal.Ticket, error) {
	panic("unwritten")
}
func (tx *Tx) TicketByExternal(ctx context.Context, id string) (*portal.Ticket, error) {
	panic("unwritten")
}

// AddTicket writes a new ticket and its participants; Number 0 takes the next.
func (tx *Tx) AddTicket(ctx context.Context, t *portal.Ticket) error { panic("unwritten") }

// SaveTicket writes a changed ticket, its participants (and their updated_at) and, when the parties, company, confidentiality or subject changed, the search index.
func (tx *Tx) SaveTicket(ctx context.Context, t *portal.Ticket) error { panic("unwritten") }

// AddMessage writes a message with its files, indexes it for search, and updates t.LastPublic and t.FileCount (the caller then saves t). Sets IDs.
func (tx *Tx) AddMessage(ctx context.Context, t *portal.Ticket, m *portal.Message) error {
	panic("unwritten")
}

// Messages returns the ticket's messages, oldest first, files included; internal ones only if asked.
func (tx *Tx) Messages(ctx context.Context, t *portal.Ticket, internal bool) ([]portal.Message, error) {
	panic("unwritten")
}
func (tx *Tx) AddEvent(ctx context.Context, e *portal.Event) error { panic("unwritten") }
func (tx *Tx) Events(ctx context.Context, n portal.TicketNumber, internal bool) ([]portal.Event, error) {
	panic("unwritten")
}

// Participants returns the ticket's participants as contacts, by name.
func (tx *Tx) Participants(ctx context.Context, n portal.TicketNumber) ([]portal.Contact, error) {
	panic("unwritten")
}

// FileFor returns a file of a ticket the viewer sees; files of internal messages only for agents. NotFound file.none otherwise.
func (tx *Tx) FileFor(ctx context.Context, v *portal.Viewer, id portal.FileID) (*portal.File, error) {
	panic("unwritten")
}

// FileBytes sums the sizes of files a contact has sent since a time.
func (tx *Tx) FileBytes(ctx context.Context, c portal.ContactID, since time.Time) (int64, error) {
	panic("unwritten")
}

// FileKnown reports whether any row names the hash.
func (tx *Tx) FileKnown(ctx context.Context, sha256 string) (bool, error) { panic("unwritten") }

// MarkRead notes that the contact has seen the ticket up to the message; never moves back.
func (tx *Tx) MarkRead(ctx context.Context, c portal.ContactID, n portal.TicketNumber, m portal.MessageID) error {
	panic("unwritten")
}

// ReadMark returns the newest message seen; 0 for none.
func (tx *Tx) ReadMark(ctx context.Context, c portal.ContactID, n portal.TicketNumber) (portal.MessageID, error) {
	panic("unwritten")
}

// LastMessage is the id of the newest message in the store.
func (tx *Tx) LastMessage(ctx context.Context) (portal.MessageID, error) { panic("unwritten") }

// Requesters lists contacts who are requester of tickets the viewer sees, for the "who" filter: at most limit.
func (tx *Tx) Colleagues(ctx context.Context, v *portal.Viewer, limit int) ([]portal.Contact, error) {
	panic("unwritten")
}

// TicketCounts counts tickets by status, each to max.
func (tx *Tx) TicketCounts(ctx context.Context, max int) (map[portal.Status]int, error) {
	panic("unwritten")
}

// ---- outbox ----

// MailKind is which mail a row of the outbox is.
type MailKind string

const (
	MailInvitation      MailKind = "invitation"
	MailSignIn          MailKind = "sign_in"
	MailRegister        MailKind = "register"       // proof of an address nobody knows
	MailRegisterKnown   MailKind = "register_known" // to an address that has access already
	MailReset           MailKind = "reset"
	MailPasswordChanged MailKind = "password_changed"
	MailApproved        MailKind = "approved"
	MailTicketReceived  MailKind = "ticket_received"
	MailMessage         MailKind = "message"
	MailTicketClosed    MailKind = "ticket_closed"
	MailParticipant     MailKind = "participant_added"
	MailDeskTicket      MailKind = "desk_ticket"  // to the inbox: new ticket
	MailDeskMessage     MailKind = "desk_message" // to the inbox: customer answered
	MailDeskPending     MailKind = "desk_pending" // to the inbox: a registration awaits approval
	MailTest            MailKind = "test"
)

// Mail is a row of the outbox: what to say and to whom, not the words.
type Mail struct {
	ID                                                        portal.MailID
	Kind                                                      MailKind
	Recipient                                                 string
	Portal                                                    portal.PortalID
	Contact                                                   portal.ContactID
	Agent                                                     portal.AgentID
	Inbox                                                     portal.InboxID
	Ticket                                                    portal.TicketNumber
	Message                                                   portal.MessageID
	Data                                                      map[string]string // return_to and the like; never a secret
	HeaderID                                                  string            // the Message-ID; made by QueueMail when empty
	Notice                                                    bool
	CreatedAt, DueAt, LeaseUntil, SentAt, FailedAt, DroppedAt time.Time
	Attempts                                                  int
	LastError                                                 string
}

// QueueMail writes a mail to be sent after the commit.
func (tx *Tx) QueueMail(ctx context.Context, m *Mail) error { panic("unwritten") }
