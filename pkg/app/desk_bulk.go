package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// BulkAct is what is to be done to several tickets.
type BulkAct string

// The acts.
const (
	BulkAssign   BulkAct = "assign"
	BulkClose    BulkAct = "close"
	BulkReopen   BulkAct = "reopen"
	BulkPriority BulkAct = "priority"
	BulkTag      BulkAct = "tag"
	BulkUntag    BulkAct = "untag"
	BulkSnooze   BulkAct = "snooze"
	BulkWake     BulkAct = "wake"
)

// BulkActs lists every act.
var BulkActs = []BulkAct{BulkAssign, BulkClose, BulkReopen, BulkPriority, BulkTag, BulkUntag, BulkSnooze, BulkWake}

// MaxBulk is how many tickets are changed at once at most.
const MaxBulk = 100

// BulkChange is one act on several tickets. Of the values only the act's own
// counts.
type BulkChange struct {
	Tickets  []portal.TicketNumber
	Act      BulkAct
	Assignee portal.AgentID // 0: nobody
	Priority portal.Priority
	Tags     string
	Until    time.Time
}

// BulkResult says what became of it.
type BulkResult struct {
	Changed int // tickets that are different now
	Same    int // those that were so already
	Failed  []BulkFailure
}

// BulkFailure is a ticket that could not be changed.
type BulkFailure struct {
	Ticket portal.TicketNumber
	Err    *portal.Error
}

// BulkTickets does one thing to several tickets, each in a transaction of its
// own: one that cannot be changed keeps no other from it. What an agent may
// not see fails like what does not exist. An error is one that would befall
// all of them, such as a full disk.
func (a *App) BulkTickets(ctx context.Context, v *Visit, c BulkChange) (*BulkResult, error) {
	if v.Agent == nil {
		return nil, portal.NotFoundf("page.none", "there is no such page")
	}
	if !slices.Contains(BulkActs, c.Act) {
		return nil, portal.Invalidf("desk.bulk_act", "act", "%q is nothing that can be done to several tickets", c.Act)
	}
	if len(c.Tickets) > MaxBulk {
		return nil, portal.Invalidf("desk.bulk_many", "ticket", "%d tickets are too many at once; at most %d", len(c.Tickets), MaxBulk).With("Max", MaxBulk)
	}
	result := &BulkResult{}
	for _, n := range c.Tickets {
		changed, err := a.bulkOne(ctx, v, n, &c)
		var e *portal.Error
		switch {
		case err == nil && changed:
			result.Changed++
		case err == nil:
			result.Same++
		case errors.As(err, &e) && e.Kind != portal.Internal && e.Kind != portal.Unavailable:
			result.Failed = append(result.Failed, BulkFailure{n, e})
		default:
			return result, err
		}
	}
	return result, nil
}

func (a *App) bulkOne(ctx context.Context, v *Visit, n portal.TicketNumber, c *BulkChange) (changed bool, err error) {
	h := HandOf(v)
	switch c.Act {
	case BulkAssign:
		return a.Assign(ctx, h, n, c.Assignee)
	case BulkPriority:
		priority, err := portal.ParsePriority(string(c.Priority))
		if err != nil {
			return false, err
		}
		changes, err := a.SetTicket(ctx, h, n, TicketPatch{Priority: &priority})
		return len(changes) > 0, err
	case BulkTag:
		return a.TagTicket(ctx, h, n, c.Tags, "")
	case BulkUntag:
		return a.TagTicket(ctx, h, n, "", c.Tags)
	case BulkSnooze:
		return a.Snooze(ctx, h, n, c.Until)
	case BulkWake:
		return a.Wake(ctx, h, n)
	case BulkClose:
		err = a.work(ctx, h, n, func(tx *store.Tx, t *portal.Ticket) (err error) {
			changed, err = a.closeIn(ctx, tx, t, h.actor)
			return err
		})
		return changed, err
	}
	err = a.work(ctx, h, n, func(tx *store.Tx, t *portal.Ticket) error {
		if t.Status != portal.Closed {
			return nil
		}
		changed = true
		if err := t.Reopen(tx.Now, &portal.TicketSettings{}, false); err != nil {
			return err
		}
		if err := saveWithEvent(ctx, tx, t, portal.Event{Kind: portal.EventReopened, By: h.actor}); err != nil {
			return err
		}
		return a.assignReopened(ctx, tx, t, h.actor)
	})
	return changed, err
}
