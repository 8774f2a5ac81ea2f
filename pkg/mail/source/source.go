// Package source brings mail in: it fetches from IMAP mailboxes and listens
// for mail that a server on this machine delivers by LMTP. It decides nothing
// about a mail; a Taker puts it into the store. A mail is done at its source
// only after that.
package source

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/portalctl/portalctl/pkg/portal"
)

// MaxBytes is the largest mail that is taken: 25 MiB, and room for what the
// servers on its way wrote above it.
const MaxBytes = 25<<20 + 256<<10

// maxHeader is how much of a larger mail is fetched, so that it can be named.
const maxHeader = 256 << 10

// Taker takes mail that arrived into the store. Its methods are called by
// several goroutines at once.
type Taker interface {
	// Take returns after the commit; only then is the mail done at its source.
	// An error means that it was not taken and must be offered again, except
	// one that is portal.NotFound: there is no such inbox (any more).
	//
	// The same mail may be offered again, at the same Place too: after a crash,
	// after a failure, when a server counts a folder anew. Then Take returns
	// the duplicate, or the line it has, and no error.
	//
	// It notes a.Reached, unless zero, in the transaction of the mail; not
	// a.Place, below which another mail may still wait.
	Take(ctx context.Context, a *portal.Arrival) (*portal.LedgerEntry, error)
	// Accepts returns the inbox that takes mail for an envelope recipient,
	// whatever its case and with whatever follows a plus sign before the @. An
	// address no inbox has is portal.NotFound; any other error is passing.
	Accepts(ctx context.Context, recipient string) (portal.InboxID, error)
	// Place is how far the folder of an inbox has been dealt with. The zero
	// value is a folder that was never looked at, which a folder is again when
	// its host, user or name was changed: the places in the ledger then no
	// longer mean mail of this folder.
	Place(ctx context.Context, inbox portal.InboxID) (portal.IMAPPlace, error)
	// Reached notes a place without a mail: at the first look, and after mail
	// that vanished before it was fetched.
	Reached(ctx context.Context, inbox portal.InboxID, p portal.IMAPPlace) error
	// Sources are the mailboxes to fetch from right now, secrets opened. A
	// changed setting shows up here at the next call.
	Sources(ctx context.Context) ([]Mailbox, error)
}

// Mailbox is a mailbox to fetch from, for an inbox.
type Mailbox struct {
	Inbox    portal.InboxID
	Name     string // the inbox's
	Password string // empty when the source has a TokenCommand
	portal.IMAPSource
}

// take hands a mail to the Taker. A mail that makes it panic is a mail that
// cannot be taken: the others must not suffer for it, and the next start
// would meet it again.
func take(ctx context.Context, t Taker, a *portal.Arrival) (entry *portal.LedgerEntry, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("taking a mail: panic: %v\n%s", v, debug.Stack())
		}
	}()
	return t.Take(ctx, a)
}
