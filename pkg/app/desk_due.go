package app

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// How often the desk is looked after, and how much at once.
const (
	lookAfterEvery = time.Minute
	lookAfterRows  = 100
)

// lookAfter reminds agents of what they promised and wakes what was snoozed,
// until ctx ends. Neither is late without it: a snooze ends by the time alone.
func (a *App) lookAfter(ctx context.Context) {
	tick := time.NewTicker(lookAfterEvery)
	defer tick.Stop()
	for {
		if err := a.LookAfterDesk(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("looking after the desk failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// LookAfterDesk does what time alone brings about at the desk: it reminds
// assignees of promises that are due soon, each once, and notes that snoozes
// have run out.
func (a *App) LookAfterDesk(ctx context.Context) error {
	if err := a.eachDue(ctx, (*store.Tx).Reminders, a.remind); err != nil {
		return err
	}
	return a.eachDue(ctx, (*store.Tx).Wakes, a.wakeByTime)
}

// eachDue does something with every ticket that find returns, which it has to
// find no more after that. As long as there is none, nothing is written.
func (a *App) eachDue(ctx context.Context, find func(*store.Tx, context.Context, int) ([]portal.TicketNumber, error),
	do func(context.Context, *store.Tx, *portal.Ticket) error,
) error {
	for {
		var due []portal.TicketNumber
		err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
			due, err = find(tx, ctx, 1)
			return err
		})
		if err != nil || len(due) == 0 {
			return err
		}
		err = a.store.Write(ctx, func(tx *store.Tx) error {
			// Another process may have done it since.
			if due, err = find(tx, ctx, lookAfterRows); err != nil {
				return err
			}
			for _, n := range due {
				t, err := tx.Ticket(ctx, n)
				if err != nil {
					return err
				}
				if err := do(ctx, tx, t); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		a.wakeMail()
	}
}

// remind tells whoever has the ticket that a promise is due soon. One that has
// passed, because nothing ran, is told of too.
func (a *App) remind(ctx context.Context, tx *store.Tx, t *portal.Ticket) error {
	t.RemindAt = time.Time{}
	if err := tx.SaveTicket(ctx, t); err != nil {
		return err
	}
	return a.noticeAgent(ctx, tx, store.MailAgentPromise, t.Assignee, t, 0, portal.Actor{})
}

// wakeByTime notes that a snooze has run out and tells whoever has the ticket.
func (a *App) wakeByTime(ctx context.Context, tx *store.Tx, t *portal.Ticket) error {
	t.SnoozedUntil = time.Time{}
	if err := saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventWoken}); err != nil {
		return err
	}
	return a.noticeAgent(ctx, tx, store.MailAgentSnoozed, t.Assignee, t, 0, portal.Actor{})
}
