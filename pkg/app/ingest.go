package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// MailWords are what messages made from mail say besides the mail's own words,
// in one language.
type MailWords struct {
	NoSubject string // the subject of a ticket whose mail had none
	NoText    string // the text of a message whose mail had none
	TextCut   string // stands below a text that was too long; all of it is among the files
	// FilesLeft tells of files that did not fit, by their names.
	FilesLeft func(names string) string
}

// rawKept is how long the source of a mail is kept.
const rawKept = 30 * 24 * time.Hour

// The limits on mail that comes in. Nobody writes that much; a loop does.
const (
	mailsOfSender = 60 // an hour
	mailsOfTicket = 20 // of one sender to one ticket, an hour
	ownMailTries  = 3  // see intake.take
)

// intake is one mail being taken.
type intake struct {
	*App
	arrival *portal.Arrival
	mail    *portal.Incoming
	entry   portal.LedgerEntry // what is known before anything is decided
	broken  bool               // nothing could be made of it

	files   []portal.File // the attachments, once they are on disk
	written bool          // they are
	left    []string      // the names of those that do not fit
	cut     bool          // the text is longer than a message's; all of it is a file
}

// TakeMail takes a mail that arrived: one line of the ledger and what follows
// from it are in the store when it returns. The same mail again, from whichever
// source, is a duplicate; at the same place of a folder it is the line it has
// already. A mail that cannot be handled is put aside as held, so that an error
// always means that it is to be offered again, except NotFound inbox.none:
// there is no such inbox any more.
func (a *App) TakeMail(ctx context.Context, arrival *portal.Arrival) (*portal.LedgerEntry, error) {
	if a.parse == nil || a.mailWords == nil {
		return nil, errors.New("this process takes no mail")
	}
	known, err := a.knownPlace(ctx, arrival)
	if err != nil || known != nil {
		return known, err
	}
	in, err := a.receive(ctx, arrival)
	if err != nil {
		return nil, err
	}
	entry, err := in.take(ctx)
	if err != nil && !passing(ctx, err) {
		a.log.Error("a mail that came in cannot be handled and is put aside", "inbox", arrival.Inbox, "size", len(arrival.Raw), "error", err)
		entry, err = in.putAside(ctx)
	}
	if err != nil {
		return nil, err
	}
	a.wakeMail()
	a.log.Info("mail taken", "id", entry.ID, "source", entry.Source, "decision", entry.Decision, "reason", entry.Reason)
	return entry, nil
}

// passing reports whether an error says nothing about the mail: trying again
// may work, or the inbox is gone.
func passing(ctx context.Context, err error) bool {
	for _, e := range portal.Errors(err) {
		if e.Kind == portal.Unavailable || e.Code == "inbox.none" {
			return true
		}
	}
	return ctx.Err() != nil
}

// knownPlace returns the line of the mail at the arrival's place of the folder,
// or nil. It notes how far the folder has been dealt with, as taking it would.
func (a *App) knownPlace(ctx context.Context, arrival *portal.Arrival) (e *portal.LedgerEntry, err error) {
	if arrival.Place.Validity == 0 {
		return nil, nil
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		e, err = tx.LedgerEntryAt(ctx, arrival.Inbox, arrival.Place)
		return err
	})
	if err != nil || e == nil || arrival.Reached == (portal.IMAPPlace{}) {
		return e, err
	}
	return e, a.MailboxReached(ctx, arrival.Inbox, arrival.Reached)
}

// receive puts the source on disk and reads it.
func (a *App) receive(ctx context.Context, arrival *portal.Arrival) (*intake, error) {
	in := &intake{App: a, arrival: arrival}
	blob, err := a.store.Files().Add(ctx, "mail", bytes.NewReader(arrival.Raw), int64(len(arrival.Raw)))
	if err != nil {
		return nil, err
	}
	in.entry = portal.LedgerEntry{
		Inbox: arrival.Inbox, Source: arrival.Source, SHA256: blob.SHA256, Size: max(arrival.Size, blob.Size), Place: arrival.Place,
		Envelope: portal.Envelope{
			Has: arrival.HasEnvelope, From: clip(arrival.EnvelopeFrom, 320), Recipients: arrival.Recipients, Larger: arrival.Size,
		},
	}
	in.read()
	return in, nil
}

// read parses the mail. One that makes the parser panic is put aside.
func (in *intake) read() {
	defer func() {
		if v := recover(); v != nil {
			in.log.Error("a mail made its reader panic", "panic", v, "stack", string(debug.Stack()))
			in.mail, in.broken = &portal.Incoming{}, true
		}
	}()
	in.mail = in.parse(in.arrival.Raw)
	in.broken = in.mail.NoHeader || slices.Contains(in.mail.Problems, "internal")
	if sender, ok := in.mail.Sender(); ok {
		in.entry.Sender = clip(strings.ToLower(sender.Address), 320)
	}
	in.entry.Subject = oneLine(in.mail.Subject)
	in.entry.MessageID = clip(in.mail.MessageID, 998)
}

// oneLine makes any text a line of a list.
func oneLine(s string) string {
	s = norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Map(func(r rune) rune {
		if portal.IsBidiControl(r) {
			return -1
		}
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	return clip(strings.Join(strings.Fields(s), " "), portal.MaxLine)
}

// take decides and writes, in one transaction. What a message is made of has to
// be on disk before, so it is decided once more what that was written for.
func (in *intake) take(ctx context.Context) (entry *portal.LedgerEntry, err error) {
	defer func() {
		if v := recover(); v != nil {
			entry, err = nil, fmt.Errorf("take a mail: panic: %v\n%s", v, debug.Stack())
		}
	}()
	var d *decision
	err = in.store.Read(ctx, func(tx *store.Tx) error {
		d, err = in.decide(ctx, tx, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	for range ownMailTries {
		if d.makesMessage() {
			if err := in.writeFiles(ctx, d); err != nil {
				return nil, err
			}
		}
		err = in.store.Write(ctx, func(tx *store.Tx) error {
			e := in.entry
			entry = &e
			if d, err = in.decide(ctx, tx, true); err != nil {
				return err
			}
			if d.makesMessage() && !in.written {
				return errFilesFirst
			}
			return in.carryOut(ctx, tx, d, entry)
		})
		if !errors.Is(err, errFilesFirst) && !fileGone(err) {
			return entry, err
		}
		in.written = false
	}
	return nil, err
}

// errFilesFirst undoes a transaction that found another decision than the look
// before it, and needs files on disk.
var errFilesFirst = errors.New("the mail's files are not on disk yet")

// fileGone reports whether a file was taken off the disk while the mail was on
// its way: it is written again.
func fileGone(err error) bool {
	return slices.ContainsFunc(portal.Errors(err), func(e *portal.Error) bool { return e.Code == "file.gone" })
}

// putAside writes a line for a mail nothing could be done with.
func (in *intake) putAside(ctx context.Context) (entry *portal.LedgerEntry, err error) {
	err = in.store.Write(ctx, func(tx *store.Tx) error {
		e := in.entry
		entry = &e
		d := &decision{MailOutcome: portal.MailOutcome{Decision: portal.MailHeld, Reason: portal.ReasonUnreadable}}
		return in.carryOut(ctx, tx, d, entry)
	})
	return entry, err
}

// MailboxPlace is how far the folder of an inbox has been read.
func (a *App) MailboxPlace(ctx context.Context, inbox portal.InboxID) (p portal.IMAPPlace, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		p, err = tx.MailboxPlace(ctx, inbox)
		return err
	})
	return p, err
}

// MailboxReached notes how far the folder of an inbox has been read.
func (a *App) MailboxReached(ctx context.Context, inbox portal.InboxID, p portal.IMAPPlace) error {
	return a.store.Write(ctx, func(tx *store.Tx) error { return tx.SaveMailboxPlace(ctx, inbox, p) })
}

// AcceptsMail returns the inbox that takes mail for an address, with or without
// a key of ours or anything else behind a plus sign; NotFound inbox.none.
func (a *App) AcceptsMail(ctx context.Context, address string) (id portal.InboxID, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		inbox, err := a.inboxOf(ctx, tx, []string{address})
		if err != nil {
			return err
		}
		if inbox == nil {
			return portal.NotFoundf("inbox.none", "no inbox has the address %s", clip(address, 100))
		}
		id = inbox.ID
		return nil
	})
	return id, err
}

// sweepIncoming forgets the sources of mail that came in long ago, and takes
// them off the disk unless a message has the same file.
func (a *App) sweepIncoming(ctx context.Context) error {
	for {
		var hashes []string
		err := a.store.Write(ctx, func(tx *store.Tx) (err error) {
			hashes, err = tx.SweepIncoming(ctx, sweepRows)
			return err
		})
		if err != nil {
			return err
		}
		if _, err := a.removeFiles(ctx, hashes); err != nil {
			return err
		}
		if len(hashes) < sweepRows {
			return nil
		}
	}
}
