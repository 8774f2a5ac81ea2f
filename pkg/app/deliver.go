package app

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Mailer writes a letter and sends it, once. What went wrong, and whether
// trying again is of use, is in the Delivery.
type Mailer interface {
	From() string
	Send(ctx context.Context, l *portal.Letter) portal.Delivery
}

// The pauses between attempts: the last one holds for all that follow. A mail
// is given up two days after it was queued, but never before it was tried
// often: the machine may have been off in between.
var mailPauses = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, store.LongestMailPause,
}

const (
	mailPatience    = 48 * time.Hour
	leastMailTries  = 20
	mailWorkers     = 4
	mailPoll        = 2 * time.Second  // for mails other processes queue
	mailGrace       = 15 * time.Second // for what is being sent when we are told to stop
	firstServerRest = 5 * time.Second  // when the mail server is out of order
	longServerRest  = 5 * time.Minute
	mailSweepEvery  = time.Hour
)

// Deliver sends the mail of the outbox until ctx ends, then finishes what it
// began. Several processes may deliver at once; each mail is claimed by one.
func (a *App) Deliver(ctx context.Context) { newCourier(a).run(ctx) }

// SendTest sends a test mail at once, past the outbox, to show whether mail
// works. p is the portal it is said to come from, or nil.
func (a *App) SendTest(ctx context.Context, p *portal.Portal, to string) (portal.Delivery, error) {
	if a.mailer == nil {
		return portal.Delivery{}, portal.Conflictf("mail.none", "there is no mail server to send through").
			WithHint("name one with --smtp, like smtp://user@mail.example.com:587")
	}
	m := &store.Mail{Kind: store.MailTest, Recipient: to}
	if p != nil {
		m.Portal = p.ID
	}
	var parcel parcel
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		host, err := tx.MailHost(ctx, m.Portal)
		if err != nil {
			return err
		}
		m.HeaderID, m.CreatedAt = fmt.Sprintf("<test.%d@%s>", tx.Now.UnixNano(), host), tx.Now
		parcel, err = a.pack(ctx, tx, m)
		return err
	})
	if err != nil {
		return portal.Delivery{}, err
	}
	return a.mailer.Send(ctx, parcel.letter), nil
}

// courier is one run of Deliver.
type courier struct {
	*App
	workers     int
	poll, grace time.Duration
	rest        time.Duration // the first rest of a server out of order

	idle chan struct{} // holds a token for each worker that is free
	done chan struct{} // a worker has finished: its recipient is free again

	mu      sync.Mutex
	resting time.Time     // nothing is sent before; read on the monotonic clock
	next    time.Duration // the rest after the next failure of the server
	sent    map[portal.MailID]bool
}

func newCourier(a *App) *courier {
	return &courier{
		App: a, workers: mailWorkers, poll: mailPoll, grace: mailGrace, rest: firstServerRest,
		done: make(chan struct{}, 1), sent: map[portal.MailID]bool{},
	}
}

func (c *courier) run(ctx context.Context) {
	// What is being sent when ctx ends gets a little longer, then is cut.
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	c.idle = make(chan struct{}, c.workers)
	for range c.workers {
		c.idle <- struct{}{}
	}
	var busy sync.WaitGroup
	swept := time.Now()
	for ctx.Err() == nil {
		if c.claimed(ctx, sending, &busy) {
			continue
		}
		if time.Since(swept) > mailSweepEvery {
			swept = time.Now()
			c.sweepMail(ctx)
		}
		c.wait(ctx)
	}
	stop := time.AfterFunc(c.grace, cut)
	defer stop.Stop()
	busy.Wait()
}

// claimed claims a mail and hands it to a worker; false when there is none,
// or nobody to send it.
func (c *courier) claimed(ctx, sending context.Context, busy *sync.WaitGroup) bool {
	c.mu.Lock()
	resting := time.Until(c.resting) > 0
	c.mu.Unlock()
	if resting {
		return false
	}
	select {
	case <-c.idle:
	default:
		return false
	}
	free := func() {
		c.idle <- struct{}{}
		select {
		case c.done <- struct{}{}:
		default:
		}
	}
	claim, err := c.claim(ctx)
	if err != nil && ctx.Err() == nil {
		c.log.Warn("the outbox cannot be read", "error", err)
	}
	if err != nil || claim == nil {
		c.idle <- struct{}{}
		return false
	}
	busy.Go(func() {
		defer free()
		c.handle(sending, claim)
	})
	return true
}

func (c *courier) claim(ctx context.Context) (claim *store.MailClaim, err error) {
	var due bool
	// Looking costs nobody anything; only a claim is a write.
	err = c.store.Read(ctx, func(tx *store.Tx) error {
		due, err = tx.MailDue(ctx)
		return err
	})
	if err != nil || !due {
		return nil, err
	}
	err = c.store.Write(ctx, func(tx *store.Tx) error {
		claim, err = tx.ClaimMail(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return claim, nil
}

// wait returns when there may be something to do.
func (c *courier) wait(ctx context.Context) {
	c.mu.Lock()
	rest := time.Until(c.resting)
	c.mu.Unlock()
	timer := time.NewTimer(max(c.poll, rest))
	defer timer.Stop()
	wake := c.mailDue
	if rest > 0 {
		wake = nil // more mail does not mend the server
	}
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
	case <-c.done:
	}
}

func (c *courier) sweepMail(ctx context.Context) {
	err := c.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.SweepMail(ctx, sweepRows)
		return err
	})
	if err != nil && ctx.Err() == nil {
		c.log.Warn("sweeping the outbox failed", "error", err)
	}
}

// handle sends one claimed mail and writes down what became of it.
func (c *courier) handle(ctx context.Context, claim *store.MailClaim) {
	if sent, rest := c.wasSent(claim); len(sent) > 0 {
		c.finish(ctx, claim, sent, store.MailResult{State: store.MailSent})
		if len(rest) > 0 {
			c.finish(ctx, claim, rest, store.MailResult{State: store.MailWaiting, DueAt: c.now(), Error: "others of its digest were sent before"})
		}
		return
	}
	letter, rest, err := c.open(ctx, claim)
	switch {
	case err != nil:
		c.log.Error("a mail could not be prepared", "mail", claim.ID, "kind", claim.Kind, "error", err)
		c.finish(ctx, claim, rest, c.later(claim, "the mail could not be prepared; the log says why"))
		return
	case letter == nil:
		return
	}
	d := c.send(ctx, letter)
	c.rested(d)
	log := c.log.With("mail", claim.ID, "kind", claim.Kind, "attempt", claim.Attempts, "code", d.Code, "status", d.Status)
	var result store.MailResult
	switch d.Outcome {
	case portal.Delivered:
		log.Info("mail sent", "folded", len(rest)-1)
		c.mu.Lock()
		for _, id := range rest {
			c.sent[id] = true
		}
		c.mu.Unlock()
		result = store.MailResult{State: store.MailSent}
	case portal.Permanent:
		log.Warn("mail refused")
		result = store.MailResult{State: store.MailFailed, Error: d.Text}
	default:
		result = c.later(claim, d.Text)
		log.Warn("mail not sent", "outcome", d.Outcome.String(), "state", result.State)
	}
	c.finish(ctx, claim, rest, result)
}

// send hands the letter to the mailer. A panic costs this attempt only.
func (c *courier) send(ctx context.Context, l *portal.Letter) (d portal.Delivery) {
	defer func() {
		if r := recover(); r != nil {
			c.log.Error("a mail made the mailer panic", "kind", l.Kind, "panic", r)
			d = portal.Delivery{Outcome: portal.Temporary, Text: "the mail could not be written; the log says why"}
		}
	}()
	return c.mailer.Send(ctx, l)
}

// open makes the letter of a claim, and says which mails it stands for. Mails
// that must not be sent any more are dropped; no letter means none is left.
func (c *courier) open(ctx context.Context, claim *store.MailClaim) (*portal.Letter, []portal.MailID, error) {
	var letters []portal.Letter
	var stand []portal.MailID
	general := ""
	for _, m := range claim.All() {
		p, err := c.parcel(ctx, &m)
		if err != nil {
			return nil, ids(claim.All()), err
		}
		if p.drop != "" {
			c.log.Info("mail dropped", "mail", m.ID, "kind", m.Kind, "reason", p.drop)
			c.finish(ctx, claim, []portal.MailID{m.ID}, store.MailResult{State: store.MailDropped, Error: p.drop})
			continue
		}
		letters, stand, general = append(letters, *p.letter), append(stand, m.ID), p.general
	}
	switch len(letters) {
	case 0:
		return nil, nil, nil
	case 1:
		return &letters[0], stand, nil
	}
	l := letters[0]
	l.Kind, l.Notices, l.MessageID = portal.LetterDigest, letters, claim.HeaderID
	l.Ticket, l.Message, l.History, l.Link, l.Hidden = nil, nil, nil, l.Home+"/tickets", false
	// It is about several tickets: no thread is its own, and no answer to it
	// may find its way to the first of them.
	l.Thread, l.Parent, l.Before, l.Answer, l.ReplyTo = "", "", nil, false, general
	if l.Daily = !claim.DigestAt.IsZero(); !l.Daily {
		l.Unsubscribe = ""
	}
	if l.Office {
		l.ReplyTo, l.Link = "", l.Home
	}
	return &l, stand, nil
}

// parcel packs one mail in a transaction of the kind it needs.
func (c *courier) parcel(ctx context.Context, m *store.Mail) (p parcel, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	work := func(tx *store.Tx) error {
		p, err = c.pack(ctx, tx, m)
		return err
	}
	if carriesLink(m.Kind) {
		return p, c.store.Write(ctx, work)
	}
	return p, c.store.Read(ctx, work)
}

// later is the next attempt, or the end of them.
func (c *courier) later(claim *store.MailClaim, why string) store.MailResult {
	now := c.now()
	if claim.Attempts >= leastMailTries && now.Sub(claim.CreatedAt) >= mailPatience {
		return store.MailResult{State: store.MailFailed, Error: "given up after two days: " + why}
	}
	pause := mailPauses[min(max(claim.Attempts, 1), len(mailPauses))-1]
	return store.MailResult{State: store.MailWaiting, DueAt: now.Add(pause), Error: why}
}

// rested notes whether the server works. One that does not is left alone for
// a while, longer each time, instead of failing mail after mail.
func (c *courier) rested(d portal.Delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !d.Server {
		c.resting, c.next = time.Time{}, 0
		return
	}
	if time.Until(c.resting) > 0 {
		return // workers that failed together are one failure
	}
	c.next = min(max(2*c.next, c.rest), longServerRest)
	c.resting = time.Now().Add(c.next)
}

// wasSent tells those mails of a claim that were delivered, although that could
// not be written yet, from those that still have to be.
func (c *courier) wasSent(claim *store.MailClaim) (sent, rest []portal.MailID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids(claim.All()) {
		if c.sent[id] {
			sent = append(sent, id)
		} else {
			rest = append(rest, id)
		}
	}
	return sent, rest
}

// finish writes what became of mails of a claim. It does not let go: as long
// as it is not written that a mail was sent, it could be sent again.
func (c *courier) finish(ctx context.Context, claim *store.MailClaim, list []portal.MailID, r store.MailResult) {
	pause := 50 * time.Millisecond
	for {
		err := c.store.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
			if err := tx.FinishMail(ctx, claim, list, r); err != nil {
				return err
			}
			if r.State == store.MailFailed && claim.Kind == store.MailInvitation {
				return invitationFailed(ctx, tx, &claim.Mail)
			}
			if r.State == store.MailSent {
				return invitationSent(ctx, tx, claim)
			}
			return nil
		})
		if err == nil {
			c.mu.Lock()
			for _, id := range list {
				delete(c.sent, id)
			}
			c.mu.Unlock()
			return
		}
		c.log.Error("what became of a mail cannot be written", "mail", claim.ID, "state", r.State, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-c.store.Failed():
			return
		case <-time.After(pause):
			pause = min(2*pause, 30*time.Second)
		}
	}
}

// invitationFailed notes that an invitation cannot reach the member.
func invitationFailed(ctx context.Context, tx *store.Tx, mail *store.Mail) error {
	m, err := tx.Member(ctx, mail.Portal, mail.Contact)
	if portal.KindOf(err) == portal.NotFound {
		return nil
	}
	if err != nil || m.Status != portal.Invited {
		return err
	}
	m.Status, m.FailedAt = portal.Failed, tx.Now
	return tx.SaveMember(ctx, m)
}

// invitationSent notes that a member was told, so that the membership stays,
// also one whose invitation had failed before.
func invitationSent(ctx context.Context, tx *store.Tx, claim *store.MailClaim) error {
	if claim.Kind != store.MailInvitation && claim.Kind != store.MailAccess {
		return nil
	}
	if err := tx.EndGrace(ctx, claim.Portal, claim.Contact); err != nil {
		return err
	}
	m, err := tx.Member(ctx, claim.Portal, claim.Contact)
	if portal.KindOf(err) == portal.NotFound {
		return nil
	}
	if err != nil || m.Status != portal.Failed {
		return err
	}
	m.Status, m.FailedAt = portal.Invited, time.Time{}
	return tx.SaveMember(ctx, m)
}

func ids(mails []store.Mail) []portal.MailID {
	list := make([]portal.MailID, len(mails))
	for i, m := range mails {
		list[i] = m.ID
	}
	return list
}
