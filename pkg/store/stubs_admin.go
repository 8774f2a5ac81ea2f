package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// ---- what operators' commands ask of the outbox ----

// MailState is where a mail of the outbox stands.
type MailState string

// The states: waiting includes what is being sent right now.
const (
	MailWaiting MailState = "waiting"
	MailSent    MailState = "sent"
	MailFailed  MailState = "failed"
	MailDropped MailState = "dropped"
)

// State is where the mail stands.
func (m *Mail) State() MailState {
	switch {
	case !m.SentAt.IsZero():
		return MailSent
	case !m.DroppedAt.IsZero():
		return MailDropped
	case !m.FailedAt.IsZero():
		return MailFailed
	}
	return MailWaiting
}

// OutboxFilter narrows Outbox. Before is the id of the last row of the page before.
type OutboxFilter struct {
	States    []MailState // none: any
	Recipient string
	Before    portal.MailID
	Limit     int // 0: 50
}

// Outbox lists mails, newest first.
func (tx *Tx) Outbox(ctx context.Context, f OutboxFilter) ([]Mail, error) { panic("unwritten") }

// OutboxMail returns one mail; NotFound mail.none.
func (tx *Tx) OutboxMail(ctx context.Context, id portal.MailID) (*Mail, error) { panic("unwritten") }

// RetryMail makes a waiting or failed mail due now, with its attempts counted
// anew. One that is sent, dropped or being sent is left alone: changed is false.
func (tx *Tx) RetryMail(ctx context.Context, id portal.MailID) (changed bool, err error) {
	panic("unwritten")
}

// DropMail makes sure a waiting or failed mail is never sent. One that is
// sent, dropped or being sent is left alone: changed is false.
func (tx *Tx) DropMail(ctx context.Context, id portal.MailID) (changed bool, err error) {
	panic("unwritten")
}
