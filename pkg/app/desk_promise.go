package app

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// remindBefore is how much business time before a promised time its agent is
// reminded.
const remindBefore = time.Hour

// Promise says when the customer hears again; the zero time takes that back.
// It reports whether that is new. Customers read it with the ticket, the next
// public message of an agent keeps it, and whoever has the ticket is reminded
// before the time passes.
func (a *App) Promise(ctx context.Context, h Hand, n portal.TicketNumber, at time.Time) (changed bool, err error) {
	at = at.Truncate(time.Millisecond)
	err = a.work(ctx, h, n, func(tx *store.Tx, t *portal.Ticket) error {
		changed, err = a.promiseIn(ctx, tx, t, at, h.actor)
		return err
	})
	return changed && err == nil, err
}

// promiseIn is Promise within a transaction.
func (a *App) promiseIn(ctx context.Context, tx *store.Tx, t *portal.Ticket, at time.Time, by portal.Actor) (changed bool, err error) {
	if t.PromisedAt.Equal(at) {
		return false, nil
	}
	e := portal.Event{Kind: portal.EventPromised, By: by}
	if at.IsZero() {
		t.PromisedAt, t.RemindAt = at, at
		return true, saveWithEvent(ctx, tx, t, e)
	}
	if err := checkAhead("promise", tx.Now, at); err != nil {
		return false, err
	}
	if t.Status == portal.Closed {
		return false, portal.Conflictf("ticket.closed_promise", "ticket %s is closed; nobody waits to hear of it", t.Number).With("Number", t.Number.String())
	}
	if err := setPromise(ctx, tx, t, at); err != nil {
		return false, err
	}
	e.To = at.UTC().Format(time.RFC3339)
	return true, saveWithEvent(ctx, tx, t, e)
}

// setPromise sets the time and the one of the reminder: in business hours, as
// a reminder at night helps nobody. Of a time too near for that, half of what
// is left passes first.
func setPromise(ctx context.Context, tx *store.Tx, t *portal.Ticket, at time.Time) error {
	rules, err := deskRulesOf(ctx, tx, t.InboxID)
	if err != nil {
		return err
	}
	t.PromisedAt, t.RemindAt = at, rules.calendar.Sub(at, remindBefore)
	if half := tx.Now.Add(at.Sub(tx.Now) / 2); t.RemindAt.Before(half) && at.Sub(tx.Now) < 2*remindBefore || !t.RemindAt.After(tx.Now) {
		t.RemindAt = half
	}
	return nil
}
