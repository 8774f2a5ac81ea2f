package app

import (
	"context"
	"sync"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// The usual time to a first answer is told to customers when enough is known:
// the median of an inbox's tickets of the last days.
const (
	usualDays   = 30
	usualLeast  = 5 // fewer say nothing of what is usual
	usualMost   = 2000
	usualFresh  = 10 * time.Minute
	usualTooFar = 14 * 24 * time.Hour // nobody gains from being told
)

// usuals keeps what was worked out for each inbox, as every page tells it.
type usuals struct {
	mu   sync.Mutex
	kept map[portal.InboxID]usual
}

type usual struct {
	answer time.Duration
	at     time.Time
}

// usualAnswer is how long tickets of an inbox usually wait for their first
// answer: half of those of the last 30 days waited less. It is rounded up to
// what can be promised, and 0 when too little is known.
func (a *App) usualAnswer(ctx context.Context, tx *store.Tx, inbox portal.InboxID) (time.Duration, error) {
	a.usual.mu.Lock()
	known, ok := a.usual.kept[inbox]
	a.usual.mu.Unlock()
	if age := tx.Now.Sub(known.at); ok && age >= 0 && age < usualFresh {
		return known.answer, nil
	}
	median, n, err := tx.MedianAnswer(ctx, inbox, tx.Now.AddDate(0, 0, -usualDays), usualMost)
	if err != nil {
		return 0, err
	}
	known = usual{at: tx.Now}
	if n >= usualLeast && median <= usualTooFar {
		known.answer = roundUp(median)
	}
	a.usual.mu.Lock()
	defer a.usual.mu.Unlock()
	if a.usual.kept == nil {
		a.usual.kept = map[portal.InboxID]usual{}
	}
	a.usual.kept[inbox] = known
	return known.answer, nil
}

// UsualAnswer is how long new tickets of a portal usually wait for their first
// answer; 0 when too little is known to tell.
func (a *App) UsualAnswer(ctx context.Context, p *portal.Portal) time.Duration {
	var usual time.Duration
	err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
		usual, err = a.usualAnswer(ctx, tx, p.Tickets.InboxID)
		return err
	})
	if err != nil {
		a.log.Warn("the usual time to an answer cannot be worked out", "error", err)
	}
	return usual // a page is no worse without it
}

// roundUp makes a duration one that people say: half an hour, an hour, some
// hours, some days.
func roundUp(d time.Duration) time.Duration {
	step := 24 * time.Hour
	switch {
	case d <= 30*time.Minute:
		return 30 * time.Minute
	case d <= 12*time.Hour:
		step = time.Hour
	case d <= 24*time.Hour:
		return 24 * time.Hour
	}
	if over := d % step; over > 0 {
		d += step - over
	}
	return d
}
