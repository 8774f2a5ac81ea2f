package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Mailer sends one mail of the outbox. The deliver slice says what it needs.
type Mailer interface{ From() string }

// Resolver asks DNS for domain proofs.
type Resolver struct{}

// URL is the address of a path in a portal: under its connected domain, or
// under the base URL. Links in mail and on the terminal come from here.
func (a *App) URL(p *portal.Portal, path string) string { panic("unwritten") }

// Invite makes the contacts members of the portal (status invited) and mails
// invitations where the rule of design section 5 allows: never from a portal
// on the system domain in mode groups. It runs in the caller's transaction
// and reports how many mails were queued.
func (a *App) invite(ctx context.Context, tx *store.Tx, p *portal.Portal, contacts []portal.ContactID) (mails int, err error) {
	panic("unwritten")
}

// MemberLink makes an invitation link (or, for a registered member, a
// sign-in link) to hand over by other means.
func (a *App) MemberLink(ctx context.Context, p *portal.Portal, c portal.ContactID) (string, error) {
	panic("unwritten")
}

// AgentLink makes a sign-in link for an agent.
func (a *App) AgentLink(ctx context.Context, p *portal.Portal, id portal.AgentID) (string, error) {
	panic("unwritten")
}

// DeskReply answers a ticket as an agent or note it, from a command.
func (a *App) DeskReply(ctx context.Context, by portal.AgentID, n portal.TicketNumber, r Answer) error {
	panic("unwritten")
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
func (a *App) CreateTicket(ctx context.Context, t DeskTicket) (portal.TicketNumber, error) {
	panic("unwritten")
}

// AssignTicket assigns to an agent (0: nobody); reports whether it changed.
func (a *App) AssignTicket(ctx context.Context, by portal.Actor, n portal.TicketNumber, to portal.AgentID) (bool, error) {
	panic("unwritten")
}

// DeskClose closes and DeskReopen reopens a ticket from a command; they report whether it changed.
func (a *App) DeskClose(ctx context.Context, by portal.Actor, n portal.TicketNumber) (bool, error) {
	panic("unwritten")
}

// DeskReopen reopens a ticket from a command.
func (a *App) DeskReopen(ctx context.Context, by portal.Actor, n portal.TicketNumber) (bool, error) {
	panic("unwritten")
}
