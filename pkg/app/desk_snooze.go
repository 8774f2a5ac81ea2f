package app

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// farthest bounds how far ahead a snooze or a promise may lie.
const farthest = 2 * 365 * 24 * time.Hour

// checkAhead refuses times that have passed, or that nobody means.
func checkAhead(field string, now, at time.Time) error {
	switch {
	case !at.After(now):
		return portal.Invalidf("ticket.past", field, "the time %s has passed", at.UTC().Format(time.RFC3339))
	case at.Sub(now) > farthest:
		return portal.Invalidf("ticket.far", field, "the time %s is more than two years ahead", at.UTC().Format(time.RFC3339))
	}
	return nil
}

// Snooze takes a ticket out of the desk's queues until a time, or until the
// customer writes; it reports whether that is new. Customers do not see it.
func (a *App) Snooze(ctx context.Context, h Hand, n portal.TicketNumber, until time.Time) (changed bool, err error) {
	until = until.Truncate(time.Millisecond)
	err = a.work(ctx, h, n, func(tx *store.Tx, t *portal.Ticket) error {
		if err := checkAhead("until", tx.Now, until); err != nil {
			return err
		}
		if t.Status == portal.Closed {
			return portal.Conflictf("ticket.closed_snooze", "ticket %s is closed and in no queue", n).With("Number", n.String())
		}
		if t.SnoozedUntil.Equal(until) {
			return nil
		}
		t.SnoozedUntil, changed = until, true
		return saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventSnoozed, By: h.actor, To: until.UTC().Format(time.RFC3339)})
	})
	return changed && err == nil, err
}

// Wake puts a snoozed ticket back into the queues before its time; it reports
// whether it was snoozed.
func (a *App) Wake(ctx context.Context, h Hand, n portal.TicketNumber) (changed bool, err error) {
	err = a.work(ctx, h, n, func(tx *store.Tx, t *portal.Ticket) error {
		if changed = t.SnoozedAt(tx.Now); !changed {
			return nil
		}
		t.SnoozedUntil = time.Time{}
		return saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventWoken, By: h.actor})
	})
	return changed && err == nil, err
}
