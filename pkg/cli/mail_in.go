package cli

import (
	"context"
	"sync"
	"time"

	"github.com/portalctl/portalctl/pkg/mail/source"
	"github.com/portalctl/portalctl/pkg/portal"
)

// takeMail lets mail in: it fetches from the mailboxes of the inboxes and takes
// what is delivered. The function it returns ends that, once what was begun is
// done, and may be called again.
func (h hosting) takeMail(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var work sync.WaitGroup
	if h.fetch {
		notes := newMailboxNotes(h)
		work.Go(func() {
			source.NewFetcher(taker{h.app}, source.Options{Log: h.log, Changed: notes.note}).Run(ctx)
		})
		work.Go(func() { notes.run(ctx) })
	}
	if h.lmtp != nil {
		h.log.Info("taking mail by LMTP", "listen", h.lmtp.Addr().String())
		work.Go(func() {
			if err := source.ServeLMTP(ctx, h.lmtp, taker{h.app}, h.log); err != nil {
				h.log.Error("mail is not taken by LMTP any more", "err", err)
			}
		})
	}
	return func() {
		cancel()
		work.Wait()
	}
}

// How often what is known of the mailboxes is written down: soon when
// something changed, now and then when all goes on as before.
const (
	noteSoon  = 2 * time.Second
	noteAgain = time.Minute
)

// mailboxNotes writes down how fetching goes, for `portalctl status`, which is
// another process.
type mailboxNotes struct {
	hosting
	mu      sync.Mutex
	latest  map[portal.InboxID]portal.MailboxStatus
	written map[portal.InboxID]portal.MailboxStatus
}

func newMailboxNotes(h hosting) *mailboxNotes {
	return &mailboxNotes{hosting: h, latest: map[portal.InboxID]portal.MailboxStatus{}, written: map[portal.InboxID]portal.MailboxStatus{}}
}

// note is told of every change, and must not wait.
func (n *mailboxNotes) note(s source.Status) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.latest[s.Inbox] = portal.MailboxStatus{
		Inbox: s.Inbox, State: portal.MailboxState(s.State), Since: s.Since, LookedAt: s.LookedAt,
		MailAt: s.MailAt, Waiting: s.Waiting, Error: s.Error, ErrorAt: s.ErrorAt,
	}
}

func (n *mailboxNotes) run(ctx context.Context) {
	ticker := time.NewTicker(noteSoon)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			n.write(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (n *mailboxNotes) write(ctx context.Context) {
	n.mu.Lock()
	var due []portal.MailboxStatus
	for id, s := range n.latest {
		w, ok := n.written[id]
		if !ok || s.State != w.State || s.Error != w.Error || s.Waiting != w.Waiting || s.LookedAt.Sub(w.LookedAt) >= noteAgain {
			due = append(due, s)
		}
	}
	n.mu.Unlock()
	for _, s := range due {
		if err := n.app.NoteMailbox(ctx, s); err != nil {
			n.log.Debug("how fetching goes could not be noted", "err", err)
			continue
		}
		n.mu.Lock()
		n.written[s.Inbox] = s
		n.mu.Unlock()
	}
}
