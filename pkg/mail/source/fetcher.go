package source

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// How often the settings are read, and how long a mailbox rests after its
// connection failed. A refused sign-in waits longer: some providers lock the
// account of somebody who keeps trying.
const (
	settingsTime = 5 * time.Second
	firstRest    = 5 * time.Second
	lastRest     = 5 * time.Minute
	signInRest   = time.Minute
	lastSignIn   = 15 * time.Minute
)

// Fetcher fetches from all mailboxes of a store, each in a goroutine of its
// own.
type Fetcher struct {
	taker   Taker
	options Options

	mu      sync.Mutex
	running map[portal.InboxID]*worker
}

// worker fetches from one mailbox until it is stopped.
type worker struct {
	reader *reader
	stop   context.CancelFunc
	done   chan struct{}
}

// NewFetcher makes a Fetcher, which does nothing until Run.
func NewFetcher(t Taker, o Options) *Fetcher {
	return &Fetcher{taker: t, options: o, running: map[portal.InboxID]*worker{}}
}

// Run fetches until ctx ends, and follows changes of the settings meanwhile.
// It returns when all has ended: a mail that was begun is taken, and marked in
// its folder.
func (f *Fetcher) Run(ctx context.Context) {
	ticker := time.NewTicker(settingsTime)
	defer ticker.Stop()
	said := ""
	for ctx.Err() == nil {
		boxes, err := f.taker.Sources(ctx)
		switch {
		case err == nil:
			f.reconcile(ctx, boxes)
			said = ""
		case ctx.Err() == nil && err.Error() != said:
			said = err.Error()
			f.options.logger().Error("the settings of the mailboxes cannot be read", "err", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	f.reconcile(ctx, nil)
}

// reconcile has a worker run for each mailbox, with its present settings, and
// none for others. It waits for those it stops: two on one mailbox would only
// get in each other's way.
func (f *Fetcher) reconcile(ctx context.Context, boxes []Mailbox) {
	wanted := map[portal.InboxID]Mailbox{}
	for _, b := range boxes {
		wanted[b.Inbox] = b
	}
	f.mu.Lock()
	var stopped []*worker
	for id, w := range f.running {
		if b, ok := wanted[id]; ok && reflect.DeepEqual(b, w.reader.given) {
			delete(wanted, id)
			continue
		}
		w.stop()
		stopped = append(stopped, w)
		delete(f.running, id)
	}
	f.mu.Unlock()
	for _, w := range stopped {
		<-w.done
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, b := range wanted {
		f.running[id] = f.launch(ctx, b)
	}
}

func (f *Fetcher) launch(ctx context.Context, b Mailbox) *worker {
	ctx, stop := context.WithCancel(ctx)
	w := &worker{reader: newReader(b, f.taker, f.options), stop: stop, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		w.reader.run(ctx)
	}()
	return w
}

// run reads the mailbox until ctx ends.
func (r *reader) run(ctx context.Context) {
	for failures := 0; ; {
		r.status.enter(Connecting)
		worked, err := r.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if worked {
			failures = 0
		}
		failures++
		r.status.failed(err, len(r.at.late))
		r.status.enter(Failing)
		pause := rest(failures, err)
		r.options.logger().Warn("mail cannot be fetched; it is tried again",
			"inbox", r.box.Name, "failures", failures, "pause", pause.Round(time.Second).String(), "err", err)
		if !sleep(ctx, pause) {
			return
		}
	}
}

// rest is how long to wait after so many failures: twice as long each time,
// give or take a fifth, so that several mailboxes do not come back at once.
func rest(failures int, err error) time.Duration {
	first, longest := firstRest, lastRest
	var e *portal.Error
	if errors.As(err, &e) && (e.Code == "imap.sign_in" || e.Code == "imap.token") {
		first, longest = signInRest, lastSignIn
	}
	d := min(first<<min(failures-1, 20), longest)
	return d*4/5 + rand.N(d*2/5) // #nosec G404 -- a pause needs no secret
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// session is one connection, from its beginning to its end. It reports whether
// the connection was of use.
func (r *reader) session(ctx context.Context) (worked bool, err error) {
	c, err := r.start(ctx)
	if err != nil {
		return false, err
	}
	defer func() { c.leave(context.WithoutCancel(ctx)) }()
	r.status.enter(Connected)
	idles := c.canIdle(ctx)
	for {
		if err := r.round(ctx, c); err != nil {
			return worked, err
		}
		worked = true
		if idles, err = r.wait(ctx, c, idles); err != nil {
			return true, err
		}
	}
}

// wait returns when it is time to look again. A server that refuses IDLE after
// all is asked at once, and every minute from then on.
func (r *reader) wait(ctx context.Context, c *imapConn, idles bool) (bool, error) {
	if idles {
		err := c.idle(ctx, r.at.next(time.Now(), idleTime))
		var no *refusal
		if errors.As(err, &no) {
			return false, nil
		}
		return true, errors.Join(err, ctx.Err())
	}
	if !sleep(ctx, r.at.next(time.Now(), pollTime)) {
		return false, ctx.Err()
	}
	return false, nil
}

// Result is what became of one look at a mailbox.
type Result struct {
	Entries []*portal.LedgerEntry
	Waiting int // mails that could not be taken
	Err     error
}

// FetchOnce looks at a mailbox once and has everything new taken. An error of
// the mailbox, or the last of its mails, is in the result.
func FetchOnce(ctx context.Context, t Taker, box Mailbox, o Options) Result {
	var result Result
	r := newReader(box, t, o)
	r.took = func(e *portal.LedgerEntry) { result.Entries = append(result.Entries, e) }
	c, err := r.start(ctx)
	if err != nil {
		result.Err = err
		return result
	}
	defer func() { c.leave(context.WithoutCancel(ctx)) }()
	result.Err = r.round(ctx, c)
	result.Waiting = len(r.at.late)
	if s := r.status.get(); result.Err == nil && s.Error != "" {
		result.Err = fmt.Errorf("%s: %s", box.Name, s.Error)
	}
	return result
}
