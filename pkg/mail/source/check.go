package source

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Report is what Check found.
type Report struct {
	Mails int  // in the folder
	New   int  // of those, would be fetched at the next look
	Idle  bool // the server tells of new mail by itself
}

// Check signs in, opens the folder and counts, and changes nothing: neither
// there nor in the store. What is wrong is a *portal.Error that says what to
// do about it. place is how far the folder has been dealt with.
func Check(ctx context.Context, box Mailbox, place portal.IMAPPlace, o Options) (*Report, error) {
	r := newReader(box, nil, o)
	// Even where mail will be marked, looking at it marks nothing.
	r.box.After, r.box.MoveTo = portal.AfterKeep, ""
	c, err := connect(ctx, r.box, &r.tokens, o)
	if err != nil {
		return nil, err
	}
	defer func() { c.leave(context.WithoutCancel(ctx)) }()
	f, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	report := &Report{Mails: int(f.mails), Idle: c.canIdle(ctx)}
	if box.After == portal.AfterMove {
		there, err := c.exists(ctx, box.MoveTo)
		if err != nil {
			return nil, err
		}
		if !there {
			return nil, &portal.Error{
				Kind: portal.Invalid, Code: "imap.move_to", Field: "after",
				Msg:  fmt.Sprintf("there is no folder %q to move mail to", box.MoveTo),
				Hint: "make it in a mail program; some servers want it written like INBOX.Done or INBOX/Done",
			}
		}
	}
	if err := r.begin(ctx, c, f, place); err != nil {
		return nil, err
	}
	list, err := r.list(ctx, c)
	if err != nil {
		return nil, err
	}
	report.New = len(list)
	return report, nil
}

// Holds reports whether a mail with the Message-ID, its brackets included, lies
// in the folder. It changes nothing.
func Holds(ctx context.Context, box Mailbox, messageID string, o Options) (bool, error) {
	r := newReader(box, nil, o)
	r.box.After, r.box.MoveTo = portal.AfterKeep, ""
	c, err := connect(ctx, r.box, &r.tokens, o)
	if err != nil {
		return false, err
	}
	defer func() { c.leave(context.WithoutCancel(ctx)) }()
	if _, err := c.open(ctx); err != nil {
		return false, err
	}
	return c.holds(ctx, messageID)
}

// newest is how many of the latest mails are looked through for one.
const newest = 50

// holds reports whether one of the latest mails has the Message-ID. The heads
// are read: not every server finds mail by a header.
func (c *imapConn) holds(ctx context.Context, messageID string) (bool, error) {
	uids, err := c.uids(ctx, 1, 0, time.Now().Add(-time.Hour))
	if err != nil {
		return false, err
	}
	for _, uid := range uids[max(0, len(uids)-newest):] {
		head, err := c.header(ctx, uid)
		if err != nil {
			return false, err
		}
		if bytes.Contains(head, []byte(messageID)) {
			return true, nil
		}
	}
	return false, nil
}
