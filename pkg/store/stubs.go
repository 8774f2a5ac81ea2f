package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// ---- meta ----

// Meta returns a value of the store itself, such as base_url; "" when unset.
func (tx *Tx) Meta(ctx context.Context, key string) (string, error) { panic("unwritten") }

// SetMeta keeps a value of the store itself.
func (tx *Tx) SetMeta(ctx context.Context, key, value string) error { panic("unwritten") }

// SettingsVersion counts changes of portals, domains, inboxes, groups. All
// Add/Save/Remove of those bump it.
func (tx *Tx) SettingsVersion(ctx context.Context) (int64, error) { panic("unwritten") }

// ---- domains ----

func (tx *Tx) Domains(ctx context.Context) ([]portal.Domain, error) { panic("unwritten") }
func (tx *Tx) Domain(ctx context.Context, id portal.DomainID) (*portal.Domain, error) {
	panic("unwritten")
}
func (tx *Tx) DomainByHost(ctx context.Context, host string) (*portal.Domain, error) {
	panic("unwritten")
}

// SystemDomain returns the system domain; a new store has it (language en).
func (tx *Tx) SystemDomain(ctx context.Context) (*portal.Domain, error)   { panic("unwritten") }
func (tx *Tx) AddDomain(ctx context.Context, d *portal.Domain) error      { panic("unwritten") } // sets d.ID; Conflict domain.exists
func (tx *Tx) SaveDomain(ctx context.Context, d *portal.Domain) error     { panic("unwritten") }
func (tx *Tx) RemoveDomain(ctx context.Context, id portal.DomainID) error { panic("unwritten") } // Conflict domain.in_use while portals use it

// ---- portals ----

// Portals returns every portal with its Domain and Access.Groups filled in, by name.
func (tx *Tx) Portals(ctx context.Context) ([]portal.Portal, error) { panic("unwritten") }
func (tx *Tx) Portal(ctx context.Context, id portal.PortalID) (*portal.Portal, error) {
	panic("unwritten")
}
func (tx *Tx) AddPortal(ctx context.Context, p *portal.Portal) error      { panic("unwritten") } // Conflict portal.address_taken
func (tx *Tx) SavePortal(ctx context.Context, p *portal.Portal) error     { panic("unwritten") } // writes Access.Groups too
func (tx *Tx) RemovePortal(ctx context.Context, id portal.PortalID) error { panic("unwritten") }

// ---- inboxes ----

func (tx *Tx) Inboxes(ctx context.Context) ([]portal.Inbox, error) { panic("unwritten") }
func (tx *Tx) Inbox(ctx context.Context, id portal.InboxID) (*portal.Inbox, error) {
	panic("unwritten")
}
func (tx *Tx) InboxByName(ctx context.Context, name string) (*portal.Inbox, error) {
	panic("unwritten")
}                                                                       // name (case-insensitive) or address
func (tx *Tx) AddInbox(ctx context.Context, i *portal.Inbox) error      { panic("unwritten") } // Conflict inbox.exists
func (tx *Tx) SaveInbox(ctx context.Context, i *portal.Inbox) error     { panic("unwritten") }
func (tx *Tx) RemoveInbox(ctx context.Context, id portal.InboxID) error { panic("unwritten") } // Conflict inbox.in_use: tickets or portals

// ---- agents ----

func (tx *Tx) Agents(ctx context.Context) ([]portal.Agent, error) { panic("unwritten") }
func (tx *Tx) Agent(ctx context.Context, id portal.AgentID) (*portal.Agent, error) {
	panic("unwritten")
}
func (tx *Tx) AgentByEmail(ctx context.Context, email string) (*portal.Agent, error) {
	panic("unwritten")
}
func (tx *Tx) AddAgent(ctx context.Context, a *portal.Agent) error      { panic("unwritten") } // Conflict agent.exists
func (tx *Tx) SaveAgent(ctx context.Context, a *portal.Agent) error     { panic("unwritten") }
func (tx *Tx) RemoveAgent(ctx context.Context, id portal.AgentID) error { panic("unwritten") } // Conflict agent.in_use while assigned or author; then disable

// ---- contacts ----

// ContactFilter narrows Contacts. After is the last e-mail of the page before.
type ContactFilter struct {
	Query   string // part of name or e-mail
	Company portal.CompanyID
	Group   portal.GroupID
	After   string
	Limit   int // 0: 50
}

func (tx *Tx) Contact(ctx context.Context, id portal.ContactID) (*portal.Contact, error) {
	panic("unwritten")
} // with companies
func (tx *Tx) ContactByEmail(ctx context.Context, email string) (*portal.Contact, error) {
	panic("unwritten")
} // exact, lower case
func (tx *Tx) ContactByExternal(ctx context.Context, id string) (*portal.Contact, error) {
	panic("unwritten")
}
func (tx *Tx) Contacts(ctx context.Context, f ContactFilter) ([]portal.Contact, error) {
	panic("unwritten")
}
func (tx *Tx) AddContact(ctx context.Context, c *portal.Contact) error  { panic("unwritten") } // sets ID, times; writes companies; Conflict contact.exists
func (tx *Tx) SaveContact(ctx context.Context, c *portal.Contact) error { panic("unwritten") } // companies too
// RemoveContact removes a contact who is requester of no ticket; Conflict contact.has_tickets.
func (tx *Tx) RemoveContact(ctx context.Context, id portal.ContactID) error { panic("unwritten") }

// ---- companies ----

type CompanyFilter struct {
	Query   string
	After   string // name
	AfterID portal.CompanyID
	Limit   int
}

func (tx *Tx) Company(ctx context.Context, id portal.CompanyID) (*portal.Company, error) {
	panic("unwritten")
}
func (tx *Tx) CompanyByName(ctx context.Context, name string) (*portal.Company, error) {
	panic("unwritten")
} // name (case-insensitive), else domain; Conflict company.ambiguous when several
func (tx *Tx) CompanyByExternal(ctx context.Context, id string) (*portal.Company, error) {
	panic("unwritten")
}
func (tx *Tx) CompanyByDomain(ctx context.Context, domain string) (*portal.Company, error) {
	panic("unwritten")
}
func (tx *Tx) Companies(ctx context.Context, f CompanyFilter) ([]portal.Company, error) {
	panic("unwritten")
}                                                                       // with Contacts counted
func (tx *Tx) AddCompany(ctx context.Context, c *portal.Company) error  { panic("unwritten") }
func (tx *Tx) SaveCompany(ctx context.Context, c *portal.Company) error { panic("unwritten") }

// RemoveCompany removes it; its contacts and tickets stay, without it (search scopes follow).
func (tx *Tx) RemoveCompany(ctx context.Context, id portal.CompanyID) error { panic("unwritten") }

// ---- access groups ----

func (tx *Tx) Groups(ctx context.Context) ([]portal.Group, error) { panic("unwritten") } // Members counted
func (tx *Tx) GroupByName(ctx context.Context, name string) (*portal.Group, error) {
	panic("unwritten")
}
func (tx *Tx) AddGroup(ctx context.Context, g *portal.Group) error      { panic("unwritten") } // Conflict group.exists
func (tx *Tx) SaveGroup(ctx context.Context, g *portal.Group) error     { panic("unwritten") }
func (tx *Tx) RemoveGroup(ctx context.Context, id portal.GroupID) error { panic("unwritten") } // Conflict group.in_use while a portal names it
func (tx *Tx) AddToGroup(ctx context.Context, g portal.GroupID, c portal.ContactID) (added bool, err error) {
	panic("unwritten")
}
func (tx *Tx) RemoveFromGroup(ctx context.Context, g portal.GroupID, c portal.ContactID) (removed bool, err error) {
	panic("unwritten")
}

// PortalsOfGroup returns the portals whose access names the group.
func (tx *Tx) PortalsOfGroup(ctx context.Context, g portal.GroupID) ([]portal.PortalID, error) {
	panic("unwritten")
}

// InGroups reports whether one of the portal's access groups lists the contact.
func (tx *Tx) InGroups(ctx context.Context, p portal.PortalID, c portal.ContactID) (bool, error) {
	panic("unwritten")
}

// ---- members ----

// MemberRow is a member with whom it is, for lists.
type MemberRow struct {
	portal.Member
	Email, Name, Company string
	InGroup              bool
}

type MemberFilter struct {
	Portal portal.PortalID
	Status portal.MemberStatus // "": any
	After  string              // e-mail
	Limit  int
}

func (tx *Tx) Member(ctx context.Context, p portal.PortalID, c portal.ContactID) (*portal.Member, error) {
	panic("unwritten")
}                                                                               // NotFound member.none
func (tx *Tx) Members(ctx context.Context, f MemberFilter) ([]MemberRow, error) { panic("unwritten") }
func (tx *Tx) SaveMember(ctx context.Context, m *portal.Member) error           { panic("unwritten") } // insert or replace
func (tx *Tx) MemberCounts(ctx context.Context, p portal.PortalID) (map[portal.MemberStatus]int, error) {
	panic("unwritten")
}

// UninvitedOfGroups lists contacts in the portal's access groups who are no member yet.
func (tx *Tx) UninvitedOfGroups(ctx context.Context, p portal.PortalID, after portal.ContactID, limit int) ([]portal.ContactID, error) {
	panic("unwritten")
}

// PortalsOfContact returns the portals the contact is a member of, newest sign-in first.
func (tx *Tx) MembershipsOf(ctx context.Context, c portal.ContactID) ([]portal.Member, error) {
	panic("unwritten")
}

// AddConsent keeps what somebody agreed to.
func (tx *Tx) AddConsent(ctx context.Context, c portal.ContactID, p portal.PortalID, version int, language, text string) error {
	panic("unwritten")
}

// ConsentVersion is the newest version the contact agreed to for the portal; 0 for none.
func (tx *Tx) ConsentVersion(ctx context.Context, c portal.ContactID, p portal.PortalID) (int, error) {
	panic("unwritten")
}

// ---- credentials, tokens, sessions, counters ----

// PasswordHash returns the contact's password hash; "" when none is set.
func (tx *Tx) PasswordHash(ctx context.Context, c portal.ContactID) (string, error) {
	panic("unwritten")
}
func (tx *Tx) SetPasswordHash(ctx context.Context, c portal.ContactID, hash string) error {
	panic("unwritten")
} // "" removes

// TokenKind is what a one-time link is for.
type TokenKind string

const (
	TokenSignIn     TokenKind = "sign_in"
	TokenInvitation TokenKind = "invitation"
	TokenRegister   TokenKind = "register"
	TokenReset      TokenKind = "reset"
)

// Token is a one-time link; only the hash of its secret is kept.
type Token struct {
	Hash      []byte
	Kind      TokenKind
	Portal    portal.PortalID
	Contact   portal.ContactID
	Agent     portal.AgentID
	Email     string
	ReturnTo  string
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
}

func (tx *Tx) AddToken(ctx context.Context, t *Token) error { panic("unwritten") }

// Token looks without using: NotFound token.unknown; used and expired ones are returned as they are.
func (tx *Tx) Token(ctx context.Context, hash []byte) (*Token, error) { panic("unwritten") }

// UseToken marks it used, exactly once: Conflict token.used, token.expired; NotFound token.unknown.
func (tx *Tx) UseToken(ctx context.Context, hash []byte, kind TokenKind) (*Token, error) {
	panic("unwritten")
}

// EndTokens voids unused tokens of a contact, agent or e-mail address of the kinds given (none: all kinds).
func (tx *Tx) EndTokens(ctx context.Context, c portal.ContactID, a portal.AgentID, email string, kinds ...TokenKind) error {
	panic("unwritten")
}

// Session is a signed-in browser; only the hash of its token is kept.
type Session struct {
	ID        portal.SessionID
	Hash      []byte
	Portal    portal.PortalID
	Contact   portal.ContactID
	Agent     portal.AgentID
	UserAgent string
	Address   string
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
	EndedAt   time.Time
	EndReason string
}

// Visitor is everything a page needs to know of who asks, read by one query.
type Visitor struct {
	Session         *Session        // nil: none with that token
	Contact         *portal.Contact // with companies; nil for agents
	Agent           *portal.Agent   // nil for contacts
	Member          *portal.Member  // the contact's membership of the portal asked about; nil if none
	InGroup         bool            // one of that portal's access groups lists the contact
	SettingsVersion int64           // always filled in, session or not
	ConsentVersion  int             // the newest version agreed to for that portal
}

// Visitor reads, in one statement, who holds the session token with the
// hash, as seen from portal p. hash may be nil.
func (tx *Tx) Visitor(ctx context.Context, hash []byte, p portal.PortalID) (*Visitor, error) {
	panic("unwritten")
}
func (tx *Tx) AddSession(ctx context.Context, s *Session) error { panic("unwritten") } // sets ID
func (tx *Tx) TouchSession(ctx context.Context, id portal.SessionID, address string) error {
	panic("unwritten")
} // seen_at = Now
func (tx *Tx) Sessions(ctx context.Context, c portal.ContactID, a portal.AgentID) ([]Session, error) {
	panic("unwritten")
} // live by row: not ended, not past expires_at; newest first
// EndSession ends one session of the contact or agent; NotFound session.none for somebody else's.
func (tx *Tx) EndSession(ctx context.Context, c portal.ContactID, a portal.AgentID, id portal.SessionID, reason string) error {
	panic("unwritten")
}

// EndSessions ends all sessions of a contact or agent but except (0: all). Returns how many.
func (tx *Tx) EndSessions(ctx context.Context, c portal.ContactID, a portal.AgentID, except portal.SessionID, reason string) (int, error) {
	panic("unwritten")
}

// Counter is a limit's state.
type Counter struct {
	Count     int
	Since     time.Time
	Until     time.Time
	BlockedAt time.Time // refused until then
}

// Counter returns the counter; zero when there is none or it has run out.
func (tx *Tx) Counter(ctx context.Context, key string) (Counter, error) { panic("unwritten") }

// Count adds one and returns the counter; one that has run out starts anew and lasts for window.
func (tx *Tx) Count(ctx context.Context, key string, window time.Duration) (Counter, error) {
	panic("unwritten")
}

// Block refuses the key until then.
func (tx *Tx) Block(ctx context.Context, key string, until time.Time) error { panic("unwritten") }
func (tx *Tx) ResetCounter(ctx context.Context, key string) error           { panic("unwritten") }

// Sweep removes what has run out: counters, tokens (a day after), sessions (7 days after), drafts (30 days), at most limit rows of each.
func (tx *Tx) Sweep(ctx context.Context, limit int) (removed int, err error) { panic("unwritten") }

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

// ---- drafts ----

func (tx *Tx) Draft(ctx context.Context, c portal.ContactID, key string) (map[string]string, error) {
	panic("unwritten")
} // nil when none
func (tx *Tx) SaveDraft(ctx context.Context, c portal.ContactID, key string, form map[string]string) error {
	panic("unwritten")
}
func (tx *Tx) RemoveDraft(ctx context.Context, c portal.ContactID, key string) error {
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
