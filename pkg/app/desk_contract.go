package app

import (
	"context"
	"io"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// ListQuery is what a customer asked the ticket list for. Unknown values are
// treated as absent, so an old bookmark never fails.
type ListQuery struct {
	Scope  store.Scope // mine, company; agents always see all
	Query  string      // search words
	Status string      // "open" (default ""), "all", or one status
	Who    portal.ContactID
	From   time.Time           // updated from this day on
	To     time.Time           // updated before the day after this
	Sort   portal.TicketColumn // "" = updated
	Asc    bool
	After  string // cursors made by the list before
	Before string
	Limit  int // 0: 25
}

// TicketList is one page of the ticket list.
type TicketList struct {
	Query  ListQuery
	Rows   []portal.TicketRow
	Count  int  // matching tickets, up to 1,000
	Capped bool // there are more than Count
	First  int  // place of the first row, from 1; 0 when unknown
	// Next and Prev are cursors for ListQuery.After and Before; "" at the ends.
	Next, Prev string
	// Bounded is set when the rows were sorted or searched among the newest
	// matches only, because there are more than that.
	Bounded    bool
	Any        bool             // the viewer sees at least one ticket in this scope without filters
	Colleagues []portal.Contact // for the "who" filter, in company scope
}

// Tickets lists what the visitor sees.
func (a *App) Tickets(ctx context.Context, v *Visit, q ListQuery) (*TicketList, error) {
	panic("unwritten")
}

// ExportTickets calls row for each ticket of the list as it is filtered, at
// most 10,000, for the CSV download.
func (a *App) ExportTickets(ctx context.Context, v *Visit, q ListQuery, row func(*portal.TicketRow) error) error {
	panic("unwritten")
}

// TicketView is what the ticket page shows.
type TicketView struct {
	Ticket                        *portal.Ticket
	Messages                      []portal.Message // with Files; internal ones for agents only
	Events                        []portal.Event
	Participants                  []portal.Contact
	Decision                      portal.Decision
	MayReply, MayClose, MayReopen bool
	MayConfide                    bool              // may change the confidential mark: the requester, agents
	MayInvite                     bool              // may add and remove participants
	ClosedForGood                 bool              // closed and past the reopen window: offer a new linked ticket
	Draft                         map[string]string // what was typed before and not sent
	UnreadFrom                    portal.MessageID  // messages after this one are new to the viewer
}

// Ticket returns a ticket the visitor sees and marks it read.
func (a *App) Ticket(ctx context.Context, v *Visit, n portal.TicketNumber) (*TicketView, error) {
	panic("unwritten")
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
func (a *App) OpenTicket(ctx context.Context, v *Visit, t NewTicket) (portal.TicketNumber, error) {
	panic("unwritten")
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
	panic("unwritten")
}

// CloseTicket closes; closing a closed ticket succeeds. Forbidden
// tickets.customers_close when customers may not.
func (a *App) CloseTicket(ctx context.Context, v *Visit, n portal.TicketNumber) error {
	panic("unwritten")
}

// ReopenTicket reopens a closed ticket within the window.
func (a *App) ReopenTicket(ctx context.Context, v *Visit, n portal.TicketNumber) error {
	panic("unwritten")
}

// AddParticipant adds a colleague (a contact of one of the visitor's
// companies or the ticket's; agents: any contact) by address. One who cannot
// be added is Invalid participant.unknown, the same for known and unknown.
func (a *App) AddParticipant(ctx context.Context, v *Visit, n portal.TicketNumber, email string) error {
	panic("unwritten")
}

// RemoveParticipant removes one; participants may remove themselves.
func (a *App) RemoveParticipant(ctx context.Context, v *Visit, n portal.TicketNumber, c portal.ContactID) error {
	panic("unwritten")
}

// SetConfidential marks or unmarks a ticket.
func (a *App) SetConfidential(ctx context.Context, v *Visit, n portal.TicketNumber, on bool) error {
	panic("unwritten")
}

// File opens an attachment of a ticket the visitor sees.
func (a *App) File(ctx context.Context, v *Visit, id portal.FileID) (*portal.File, io.ReadSeekCloser, error) {
	panic("unwritten")
}

// Draft returns what the contact typed under the key ("new" or T-1042).
func (a *App) Draft(ctx context.Context, v *Visit, key string) (map[string]string, error) {
	panic("unwritten")
}

// KeepDraft keeps what was typed. It works for a visit whose session has
// ended by itself too (Visit.Ended).
func (a *App) KeepDraft(ctx context.Context, v *Visit, key string, form map[string]string) error {
	panic("unwritten")
}

// ---- getting in ----

// RequestLink mails a sign-in link if the address may enter; it answers the
// same, in words and time, whether or not it does. TooMany (limit.requests,
// Args RetryAfter in seconds) only by network, never by what is known.
func (a *App) RequestLink(ctx context.Context, v *Visit, email, returnTo string, d Device) error {
	panic("unwritten")
}

// LinkState is what a mailed link would do, without doing it.
type LinkState struct {
	Valid         bool
	Code          string // token.unknown, token.used, token.expired when not valid
	Email         string // whom it is for
	Name          string
	NeedsPassword bool   // the portal allows passwords and none is set: offer to choose one
	Consent       string // the text to agree to; "" when none or agreed already
	ReturnTo      string
}

// PeekToken looks at a one-time link. GET pages use it; nothing is used up.
func (a *App) PeekToken(ctx context.Context, v *Visit, kind store.TokenKind, token string) (*LinkState, error) {
	panic("unwritten")
}

// SignedIn is the fresh session after a successful sign-in.
type SignedIn struct {
	Token    string // for the cookie
	ReturnTo string // a checked local path, or ""
	Expires  time.Time
}

// UseLink signs in with a mailed link, once.
func (a *App) UseLink(ctx context.Context, v *Visit, token string, d Device) (*SignedIn, error) {
	panic("unwritten")
}

// SignIn signs in with a password. Wrong address and wrong password are one
// Invalid error (sign_in.wrong); TooMany sign_in.slow with RetryAfter.
func (a *App) SignIn(ctx context.Context, v *Visit, email, password, returnTo string, d Device) (*SignedIn, error) {
	panic("unwritten")
}

// SignOut ends the visit's session.
func (a *App) SignOut(ctx context.Context, v *Visit) error { panic("unwritten") }

// Register mails a proof link to the address (self-register portals only;
// NotFound otherwise), or to a member a link to sign in; the answer is the same.
func (a *App) Register(ctx context.Context, v *Visit, email, returnTo string, d Device) error {
	panic("unwritten")
}

// Joining is the form behind a registration or invitation link.
type Joining struct {
	Name, Password string
	Agree          bool
	Language       string // what the page was shown in
}

// Join completes a registration or accepts an invitation (kind says which):
// the contact is registered and signed in. With approval, pending is true and
// nobody is signed in. The link is used up only on success.
func (a *App) Join(ctx context.Context, v *Visit, kind store.TokenKind, token string, j Joining, d Device) (in *SignedIn, pending bool, err error) {
	panic("unwritten")
}

// RequestReset mails a reset link; the answer is the same for every address.
func (a *App) RequestReset(ctx context.Context, v *Visit, email string, d Device) error {
	panic("unwritten")
}

// Reset sets a new password by a reset link, ends all sessions and signs in.
func (a *App) Reset(ctx context.Context, v *Visit, token, password string, d Device) (*SignedIn, error) {
	panic("unwritten")
}

// ---- the account ----

// Account is what /account shows.
type Account struct {
	Contact     *portal.Contact
	HasPassword bool
	Sessions    []store.Session
}

// Account returns the visiting contact's account.
func (a *App) Account(ctx context.Context, v *Visit) (*Account, error) { panic("unwritten") }

// SaveProfile changes name, language ("" = the portal's) and time zone.
func (a *App) SaveProfile(ctx context.Context, v *Visit, name, language, timeZone string) error {
	panic("unwritten")
}

// ChangePassword sets a new password after the present one was given (none
// needed when none is set), ends every other session and mails a notice. The
// visit gets a new session token.
func (a *App) ChangePassword(ctx context.Context, v *Visit, present, next string, d Device) (*SignedIn, error) {
	panic("unwritten")
}

// EndSession ends one of the visitor's sessions; EndOtherSessions all but
// this one; EndAllSessions this one too.
func (a *App) EndSession(ctx context.Context, v *Visit, id portal.SessionID) error {
	panic("unwritten")
}

// EndAllSessions signs out everywhere.
func (a *App) EndAllSessions(ctx context.Context, v *Visit) error { panic("unwritten") }
