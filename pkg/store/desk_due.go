package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Reminders returns tickets whose assignee is to be reminded of a promise now,
// at most limit.
func (tx *Tx) Reminders(ctx context.Context, limit int) ([]portal.TicketNumber, error) {
	return list(ctx, tx, `SELECT number FROM ticket WHERE remind_at IS NOT NULL AND remind_at <= $1 ORDER BY remind_at LIMIT $2`,
		[]any{stamp(tx.Now), limit}, scanNumber)
}

// Wakes returns tickets whose snooze has run out, at most limit.
func (tx *Tx) Wakes(ctx context.Context, limit int) ([]portal.TicketNumber, error) {
	return list(ctx, tx, `SELECT number FROM ticket WHERE snoozed_until IS NOT NULL AND snoozed_until <= $1 ORDER BY snoozed_until LIMIT $2`,
		[]any{stamp(tx.Now), limit}, scanNumber)
}

func scanNumber(r row) (n portal.TicketNumber, err error) { return n, r.Scan(&n) }
