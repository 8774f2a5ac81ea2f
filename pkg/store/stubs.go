package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

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
