package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// TicketChange says that something happened to a ticket.
type TicketChange struct {
	Event  int64
	Ticket portal.TicketNumber
	Inbox  portal.InboxID
}

// LastEvent is the newest event of any ticket; 0 for none.
func (tx *Tx) LastEvent(ctx context.Context) (id int64, err error) {
	err = tx.value(ctx, &id, `SELECT coalesce(max(id), 0) FROM event`)
	return id, err
}

// ChangesSince returns what happened to tickets after an event, at most limit
// events, oldest first. The inbox is the one a ticket lies in now.
func (tx *Tx) ChangesSince(ctx context.Context, event int64, limit int) ([]TicketChange, error) {
	return list(ctx, tx, `SELECT e.id, e.ticket, t.inbox_id FROM event e CROSS JOIN ticket t ON t.number = e.ticket
		WHERE e.id > $1 ORDER BY e.id LIMIT $2`, []any{event, limit},
		func(r row) (c TicketChange, err error) { return c, r.Scan(&c.Event, &c.Ticket, &c.Inbox) })
}
