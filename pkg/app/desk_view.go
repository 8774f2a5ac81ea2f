package app

import (
	"context"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// DeskFrame is what stands around every page of the help desk: what there is
// to work on.
type DeskFrame struct {
	Queues  []QueueCount
	Inboxes []InboxCount // those the agent sees, by name
	Views   []portal.DeskView
	Agents  []AgentName // those a ticket can be assigned to, by name
	Held    Count       // mail that waits for somebody's decision
	Event   int64       // the newest event it knows of
}

// Count is a number that stopped at 1,000.
type Count struct {
	N      int
	Capped bool // there are more
}

// QueueCount is how many tickets lie in a queue.
type QueueCount struct {
	Queue portal.Queue
	Count
}

// InboxCount is how many open tickets an inbox has.
type InboxCount struct {
	ID   portal.InboxID
	Name string
	Count
}

// AgentName is an agent as lists of them name them.
type AgentName struct {
	ID   portal.AgentID
	Name string
}

// countedQueues are those whose size tells an agent something. How many
// tickets were ever closed does not.
var countedQueues = slices.DeleteFunc(slices.Clone(portal.Queues), func(q portal.Queue) bool { return q == portal.QueueClosed })

// DeskFrame counts what the agent sees. What it read it may tell again for as
// long as nothing was written here, but no longer than two seconds.
func (a *App) DeskFrame(ctx context.Context, v *Visit) (*DeskFrame, error) {
	if v.Agent == nil {
		return nil, portal.NotFoundf("page.none", "there is no such page")
	}
	key, written, now := frameKey(v), a.store.Written(), a.now()
	if kept := a.frames.get(key, written, now); kept != nil {
		return kept, nil
	}
	f, err := a.readFrame(ctx, v)
	if err == nil {
		a.frames.put(key, written, now, f)
	}
	return f, err
}

func (a *App) readFrame(ctx context.Context, v *Visit) (*DeskFrame, error) {
	f := &DeskFrame{}
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		var err error
		if f.Event, err = tx.LastEvent(ctx); err != nil {
			return err
		}
		if f.Views, err = tx.DeskViews(ctx, v.Agent.ID); err != nil {
			return err
		}
		agents, err := tx.Agents(ctx)
		if err != nil {
			return err
		}
		for i := range agents {
			if !agents[i].Disabled {
				f.Agents = append(f.Agents, AgentName{agents[i].ID, agents[i].Name})
			}
		}
		slices.SortFunc(f.Agents, func(x, y AgentName) int { return strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)) })
		inboxes, err := tx.Inboxes(ctx)
		if err != nil {
			return err
		}
		var queries []portal.DeskQuery
		for _, q := range countedQueues {
			queries = append(queries, portal.DeskQuery{Queue: q})
		}
		for _, i := range inboxes {
			if v.Agent.Limited() && !slices.Contains(v.Agent.Inboxes, i.ID) {
				continue
			}
			f.Inboxes = append(f.Inboxes, InboxCount{ID: i.ID, Name: i.Name})
			queries = append(queries, portal.DeskQuery{Queue: portal.QueueAll, Inbox: i.ID})
		}
		counts, err := tx.CountQueues(ctx, &v.Viewer, queries, countMost+1)
		if err != nil {
			return err
		}
		f.fill(counts)
		held, err := tx.CountHeld(ctx, &v.Viewer, countMost+1)
		f.Held = Count{N: min(held, countMost), Capped: held > countMost}
		return err
	})
	return f, err
}

// fill puts the counts where they belong: the queues', then the inboxes'.
func (f *DeskFrame) fill(counts []int) {
	of := func(n int) Count { return Count{N: min(n, countMost), Capped: n > countMost} }
	for _, q := range portal.Queues {
		c := QueueCount{Queue: q}
		if i := slices.Index(countedQueues, q); i >= 0 {
			c.Count = of(counts[i])
		}
		f.Queues = append(f.Queues, c)
	}
	for i := range f.Inboxes {
		f.Inboxes[i].Count = of(counts[len(countedQueues)+i])
	}
}
