package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// ThreadMail is a mail of a ticket's conversation that somebody has in their
// mailbox: one they got, or one they wrote.
type ThreadMail struct {
	HeaderID string // as it stands in the outbox, <left@right>, or in the ledger, left@right
	At       time.Time
}

// MailBefore returns the last mail about the ticket that went to the same
// address before m; the zero value when there is none.
func (tx *Tx) MailBefore(ctx context.Context, m *Mail) (before ThreadMail, err error) {
	_, err = tx.one(ctx, `SELECT header_id, sent_at FROM outbox
		WHERE ticket = $1 AND recipient = $2 AND sent_at IS NOT NULL AND id <> $3 ORDER BY sent_at DESC, id DESC LIMIT 1`,
		[]any{m.Ticket, m.Recipient, m.ID}, func(r row) error { return r.Scan(&before.HeaderID, timeInto{&before.At}) })
	return before, err
}

// MailOf returns the last mail by which somebody wrote to the ticket; the zero
// value when there is none.
func (tx *Tx) MailOf(ctx context.Context, n portal.TicketNumber, who portal.Person) (own ThreadMail, err error) {
	if who.None() {
		return own, nil
	}
	_, err = tx.one(ctx, `SELECT header_id, at FROM incoming
		WHERE ticket = $1 AND message_id IS NOT NULL AND header_id <> ''
			AND coalesce(contact_id, 0) = $2 AND coalesce(agent_id, 0) = $3 ORDER BY id DESC LIMIT 1`,
		[]any{n, who.Contact, who.Agent}, func(r row) error { return r.Scan(&own.HeaderID, timeInto{&own.At}) })
	return own, err
}

// MailComesIn reports whether any mail was ever taken for the inbox.
func (tx *Tx) MailComesIn(ctx context.Context, id portal.InboxID) (bool, error) {
	return tx.exists(ctx, `SELECT 1 FROM incoming WHERE inbox_id = $1 AND inbox_id IS NOT NULL LIMIT 1`, id)
}
