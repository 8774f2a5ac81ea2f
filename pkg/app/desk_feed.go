package app

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// The feed tells the help desk's open pages that tickets changed. What this
// process writes it tells at once; what others write it finds by looking.
const (
	feedEvery   = 2 * time.Second        // how often others' changes are looked for
	feedPause   = 150 * time.Millisecond // changes that come close together are told together
	feedMost    = 500                    // open pages, and so connections, at once
	feedOfAgent = 8                      // of one agent
	feedBacklog = 200                    // changed tickets a page may lag behind before it is let go
	feedRead    = 1000                   // events read at once
)

// DeskWatch is one open page of the help desk.
type DeskWatch struct {
	feed  *feed
	agent portal.AgentID
	wake  chan struct{}

	mu      sync.Mutex
	changed []store.TicketChange
	after   int64 // the event up to which it knows everything
	all     bool  // too much changed to name it
	lost    bool  // it was too slow
}

// feed passes changes on to the pages that are open.
type feed struct {
	mu      sync.Mutex
	watches map[*DeskWatch]struct{}
	stopped bool
	last    int64         // the event up to which all pages were told; -1 while none is open
	due     chan struct{} // wakes the loop; holds one
}

func newFeed() *feed {
	return &feed{watches: map[*DeskWatch]struct{}{}, last: -1, due: make(chan struct{}, 1)}
}

// written says that this process wrote something.
func (f *feed) written() {
	select {
	case f.due <- struct{}{}:
	default:
	}
}

// ErrFeedEnded says that a page's connection is to be closed: the program
// stops, or the page could not keep up. It asks again by itself.
var ErrFeedEnded = errors.New("the feed has ended")

// WatchDesk begins to tell a page of the help desk what changed after an
// event, which is the newest the page knows; 0: after now. Stop the watch when
// the page is gone. Too many at once is TooMany.
func (a *App) WatchDesk(ctx context.Context, v *Visit, since int64) (*DeskWatch, error) {
	if v.Agent == nil {
		return nil, portal.NotFoundf("page.none", "there is no such page")
	}
	w := &DeskWatch{feed: a.feed, agent: v.Agent.ID, wake: make(chan struct{}, 1), after: since}
	if err := a.feed.add(w); err != nil {
		return nil, err
	}
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		newest, err := tx.LastEvent(ctx)
		if err != nil {
			return err
		}
		var missed []store.TicketChange
		if since > 0 && since < newest {
			if missed, err = tx.ChangesSince(ctx, since, feedBacklog+1); err != nil {
				return err
			}
		}
		w.catchUp(missed, newest)
		a.feed.begin(newest)
		return nil
	})
	if err != nil {
		w.Stop()
		return nil, err
	}
	return w, nil
}

// catchUp puts what the page missed on its list.
func (w *DeskWatch) catchUp(missed []store.TicketChange, newest int64) {
	if len(missed) <= feedBacklog {
		w.add(missed)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.after = max(w.after, newest)
	if len(missed) > feedBacklog {
		w.all = true
		w.ring()
	}
}

// add lets a page in, if there is room for it.
func (f *feed) add(w *DeskWatch) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return ErrFeedEnded
	}
	own := 0
	for other := range f.watches {
		if other.agent == w.agent {
			own++
		}
	}
	if own >= feedOfAgent || len(f.watches) >= feedMost {
		return tooMany("desk.watches", "too many pages of the help desk are open", time.Minute)
	}
	f.watches[w] = struct{}{}
	return nil
}

// begin says from where the loop has to look, unless it does already.
func (f *feed) begin(event int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last < 0 {
		f.last = event
	}
}

// Stop ends the watch.
func (w *DeskWatch) Stop() {
	w.feed.mu.Lock()
	delete(w.feed.watches, w)
	w.feed.mu.Unlock()
}

// Wake is told when there is something for Take.
func (w *DeskWatch) Wake() <-chan struct{} { return w.wake }

// DeskNews is what an open page is told.
type DeskNews struct {
	Event   int64                 // the newest event the page now knows of
	Changed []portal.TicketNumber // tickets that changed, and that its agent may see
	All     bool                  // so many that they are not named
}

// Take returns what changed since it was last asked. The visit is a fresh one,
// because rights change while a page is open.
func (w *DeskWatch) Take(v *Visit) (DeskNews, error) {
	w.mu.Lock()
	changed, lost := w.changed, w.lost
	news := DeskNews{Event: w.after, All: w.all}
	w.changed, w.all = nil, false
	w.mu.Unlock()
	if lost {
		return news, ErrFeedEnded
	}
	for _, c := range changed {
		t := portal.Ticket{Number: c.Ticket, InboxID: c.Inbox}
		if v.Viewer.Agent != 0 && v.Viewer.Sees(&t).See && !slices.Contains(news.Changed, c.Ticket) {
			news.Changed = append(news.Changed, c.Ticket)
		}
	}
	return news, nil
}

// tell adds changes to every page's own list.
func (f *feed) tell(changes []store.TicketChange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = max(f.last, changes[len(changes)-1].Event)
	for w := range f.watches {
		w.add(changes)
	}
}

// add puts changes on the page's list. A page that does not fetch them is let
// go; it asks again when it can.
func (w *DeskWatch) add(changes []store.TicketChange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range changes {
		if c.Event > w.after {
			w.changed, w.after = append(w.changed, c), c.Event
		}
	}
	if len(w.changed) > feedBacklog {
		w.changed, w.lost = nil, true
	}
	if len(w.changed) > 0 || w.lost {
		w.ring()
	}
}

func (w *DeskWatch) ring() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// place is the event after which the loop has to look; false while no page is
// open.
func (f *feed) place() (int64, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.watches) == 0 {
		f.last = -1
	}
	return f.last, f.last >= 0
}

// StopFeed lets every open page go, so that nothing waits for them when the
// program stops.
func (a *App) StopFeed() {
	f := a.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	for w := range f.watches {
		w.mu.Lock()
		w.lost = true
		w.mu.Unlock()
		w.ring()
	}
}

// follow looks for changes until ctx ends: soon after this process wrote, and
// every feedEvery for what others did. While no page is open it does nothing.
func (a *App) follow(ctx context.Context) {
	defer a.StopFeed()
	tick := time.NewTicker(feedEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.feed.due:
			select { // what follows at once is told with it
			case <-ctx.Done():
				return
			case <-time.After(feedPause):
			}
		}
		if err := a.tellChanges(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("looking for changed tickets failed", "error", err)
		}
	}
}

// tellChanges tells the pages what happened since they were last told.
func (a *App) tellChanges(ctx context.Context) error {
	for {
		last, open := a.feed.place()
		if !open {
			return nil
		}
		var changes []store.TicketChange
		err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
			changes, err = tx.ChangesSince(ctx, last, feedRead)
			return err
		})
		if err != nil || len(changes) == 0 {
			return err
		}
		a.feed.tell(changes)
	}
}
