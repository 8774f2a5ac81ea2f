package source

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// How often a folder is looked at without being told to, and how many mails
// are looked up at once. IDLE can go quiet without either side noticing, so
// it is never trusted for longer than idleTime.
const (
	pollTime = time.Minute
	idleTime = 5 * time.Minute
	batch    = 200
)

// Given to what was begun when the fetcher is told to stop: a mail handed to
// the Taker, and its mark at the source.
const (
	takeTime = 2 * time.Minute
	markTime = 5 * time.Second
)

// inARow is how many mails in a row may fail before the store is thought to
// be at fault, and not the mails.
const inARow = 3

// fresh is how much earlier than the setting a mail may have come to the
// folder and still count as new: clocks differ.
const fresh = 5 * time.Minute

// reader reads one mailbox. It outlives its connections.
type reader struct {
	box     Mailbox
	given   Mailbox // the box as it was given, to see whether it changed
	taker   Taker
	options Options
	tokens  tokens
	at      progress
	status  *board
	took    func(*portal.LedgerEntry)
}

func newReader(box Mailbox, t Taker, o Options) *reader {
	r := &reader{
		box: box, given: box, taker: t, options: o, tokens: tokens{run: o.token},
		status: newBoard(box, o.Changed), took: func(*portal.LedgerEntry) {},
	}
	if r.box.Folder == "" {
		r.box.Folder = "INBOX"
	}
	return r
}

// start connects and opens the folder. The caller says goodbye.
func (r *reader) start(ctx context.Context) (*imapConn, error) {
	c, err := connect(ctx, r.box, &r.tokens, r.options)
	if err != nil {
		return nil, err
	}
	if err := r.enter(ctx, c); err != nil {
		c.cut()
		return nil, err
	}
	return c, nil
}

// enter opens the folder and finds out where to begin.
func (r *reader) enter(ctx context.Context, c *imapConn) error {
	f, err := c.open(ctx)
	if err != nil {
		return err
	}
	place, err := r.taker.Place(ctx, r.box.Inbox)
	if err != nil {
		return fmt.Errorf("place of %s: %w", r.box.Name, err)
	}
	if err := r.begin(ctx, c, f, place); err != nil {
		return err
	}
	if place == (portal.IMAPPlace{}) && r.box.Since.IsZero() {
		// Nobody said since when mail counts: since now, then.
		return r.reached(ctx, r.at.with(0))
	}
	return nil
}

// begin finds out what has been dealt with in a folder that was opened.
func (r *reader) begin(ctx context.Context, c *imapConn, f folder, place portal.IMAPPlace) error {
	r.at.begin(place, f.validity)
	if !r.at.through() || r.box.Existing {
		return nil
	}
	if place != (portal.IMAPPlace{}) && r.box.Since.IsZero() {
		return nil // nobody knows what is new, so all is looked at
	}
	// The folder as it is now is looked through for what came since it was
	// set; what comes from now on is new whatever its date says.
	if f.next > 0 {
		r.at.horizon = f.next - 1
		return nil
	}
	all, err := c.uids(ctx, 1, 0, time.Time{})
	if len(all) > 0 {
		r.at.horizon = all[len(all)-1]
	}
	return err
}

// reached notes progress that came without a mail.
func (r *reader) reached(ctx context.Context, p portal.IMAPPlace) error {
	if p == (portal.IMAPPlace{}) {
		return nil
	}
	if err := r.taker.Reached(ctx, r.box.Inbox, p); err != nil {
		return fmt.Errorf("note the place in %s: %w", r.box.Name, err)
	}
	r.at.advance(p)
	return nil
}

// round deals with all that is in the folder and not dealt with. It returns
// an error when the connection or the store is not to be used further; mail
// that could not be taken is tried again in a later round.
func (r *reader) round(ctx context.Context, c *imapConn) error {
	began := time.Now()
	c.heard()
	list, err := r.list(ctx, c)
	if err != nil {
		return err
	}
	r.at.found(list)
	if err := r.remark(ctx, c); err != nil {
		return err
	}
	todo, failures := r.at.todo(time.Now()), 0
	for len(todo) > 0 {
		some := todo[:min(batch, len(todo))]
		todo = todo[len(some):]
		known, err := c.look(ctx, some, false)
		if err != nil {
			return err
		}
		for _, uid := range some {
			err := r.mail(ctx, c, uid, known)
			switch {
			case err == nil:
				failures = 0
				continue
			case ctx.Err() != nil:
				return ctx.Err()
			}
			failures++
			if err := r.missed(uid, err, failures); err != nil {
				return err
			}
		}
	}
	if err := r.reached(ctx, r.at.with(0)); err != nil {
		return err
	}
	r.status.looked(began, len(r.at.late))
	return nil
}

// list is the mail that is not dealt with yet.
func (r *reader) list(ctx context.Context, c *imapConn) ([]uint32, error) {
	from := r.at.horizon
	if !r.at.through() {
		from = r.at.place.UID
	}
	if from == math.MaxUint32 {
		return nil, nil
	}
	list, err := c.uids(ctx, from+1, 0, time.Time{})
	if err != nil || r.at.horizon == 0 || r.box.Since.IsZero() {
		return list, err
	}
	old, err := c.uids(ctx, 1, r.at.horizon, r.box.Since)
	if err != nil {
		return nil, err
	}
	since, recent := r.box.Since.Add(-fresh), []uint32(nil)
	for len(old) > 0 {
		some := old[:min(batch, len(old))]
		old = old[len(some):]
		known, err := c.look(ctx, some, true)
		if err != nil {
			return nil, err
		}
		for _, uid := range some {
			if a, ok := known[uid]; ok && !a.came.Before(since) {
				recent = append(recent, uid)
			}
		}
	}
	return append(recent, list...), nil
}

// Why a mail was not dealt with.
type missed struct {
	taking bool // the store did not take it
	err    error
}

func (m *missed) Error() string { return m.err.Error() }
func (m *missed) Unwrap() error { return m.err }

// mail fetches a mail, has it taken and marks it.
func (r *reader) mail(ctx context.Context, c *imapConn, uid uint32, known map[uint32]about) error {
	a, ok := known[uid]
	err := error(nil)
	if !ok {
		err = c.vanished(ctx, uid)
	}
	var arrival *portal.Arrival
	if err == nil {
		arrival, err = r.arrival(ctx, c, uid, a)
	}
	if errors.Is(err, errGone) {
		r.at.settle(uid, portal.IMAPPlace{})
		return nil
	}
	if err != nil {
		return &missed{err: err}
	}
	begun, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeTime)
	defer cancel()
	entry, err := take(begun, r.taker, arrival)
	if err != nil {
		return &missed{taking: true, err: err}
	}
	r.at.settle(uid, arrival.Reached)
	r.status.took()
	r.took(entry)
	return r.mark(ctx, c, uid)
}

// arrival fetches a mail; of one that is too large, the header only.
func (r *reader) arrival(ctx context.Context, c *imapConn, uid uint32, a about) (*portal.Arrival, error) {
	arrival := &portal.Arrival{
		Inbox: r.box.Inbox, Source: portal.SourceIMAP,
		Place: portal.IMAPPlace{Validity: r.at.validity, UID: uid}, Reached: r.at.with(uid),
	}
	var err error
	if a.size > MaxBytes || r.at.late[uid].large {
		arrival.Size = max(a.size, MaxBytes+1)
		arrival.Raw, err = c.header(ctx, uid)
	} else if arrival.Raw, err = c.body(ctx, uid, a); errors.Is(err, errTooLarge) {
		r.at.tooLarge(uid)
	}
	return arrival, err
}

// missed notes a mail that was not dealt with, and returns an error when it
// is of no use to go on with the next.
func (r *reader) missed(uid uint32, err error, inSuccession int) error {
	var m *missed
	if !errors.As(err, &m) {
		return err // it was taken, and the connection broke afterwards
	}
	var no *refusal
	connection := !m.taking && !errors.As(err, &no)
	if kind := portal.KindOf(err); m.taking && (kind == portal.Unavailable || kind == portal.NotFound) {
		// The store takes no mail at all just now, or the inbox is gone.
		return err
	}
	r.at.fail(uid, time.Now(), connection)
	r.options.logger().Warn("a mail could not be taken; it is tried again later",
		"inbox", r.box.Name, "uid", uid, "tries", r.at.late[uid].tries, "err", err)
	r.status.failed(err, len(r.at.late))
	if connection || m.taking && inSuccession >= inARow {
		return err
	}
	return nil
}

// mark marks a mail that was taken. When that fails the mail stays as it is in
// the folder for now: it is in the store, and that is noted there.
func (r *reader) mark(ctx context.Context, c *imapConn, uid uint32) error {
	copied, again := r.at.marks[uid]
	// What was taken is marked even when ctx ends in between.
	begun, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(markTime, cancel) })
	defer stop()
	copied, err := c.mark(begun, uid, copied)
	if err == nil {
		delete(r.at.marks, uid)
		return nil
	}
	r.at.marks[uid] = copied
	if !again {
		r.options.logger().Warn("a mail was taken and could not be marked in its folder; that is tried again later",
			"inbox", r.box.Name, "uid", uid, "after", string(r.box.After), "err", err)
	}
	r.status.failed(fmt.Errorf("mail that was taken cannot be marked (%s): %w", r.box.After, err), len(r.at.late))
	var no *refusal
	if errors.As(err, &no) {
		return nil
	}
	return err
}

// remark tries once more to mark what could not be marked. One refusal is
// enough: it will be the full mailbox or the missing folder again.
func (r *reader) remark(ctx context.Context, c *imapConn) error {
	for uid := range r.at.marks {
		switch err := c.vanished(ctx, uid); {
		case errors.Is(err, errGone):
			delete(r.at.marks, uid)
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if err := r.mark(ctx, c, uid); err != nil {
			return err
		}
		if _, still := r.at.marks[uid]; still {
			return nil
		}
	}
	return nil
}
