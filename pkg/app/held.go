package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Ledger lists mail that came in, newest first.
func (a *App) Ledger(ctx context.Context, f store.LedgerFilter) (list []portal.LedgerEntry, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.Ledger(ctx, f)
		return err
	})
	return list, err
}

// HeldMail is a mail that waits for somebody to look at it, or waited.
type HeldMail struct {
	portal.LedgerEntry
	// Mail is what its source says; nil when that is not kept any more.
	Mail  *portal.Incoming
	Inbox *portal.Inbox // nil: none has its address
	// Contact and Agent are whom it claims to be from.
	Contact *portal.Contact
	Agent   *portal.Agent
	// Points is the ticket it points at, if the viewer sees that.
	Points *portal.Ticket
}

// HeldMails lists mail that waits for somebody to look at it, of the inboxes a
// viewer sees, newest first.
func (a *App) HeldMails(ctx context.Context, v *portal.Viewer, before portal.LedgerID, limit int) ([]portal.LedgerEntry, error) {
	return a.Ledger(ctx, store.LedgerFilter{
		Decisions: []portal.MailDecision{portal.MailHeld}, Limited: v.Limited, Inboxes: v.Inboxes, Before: before, Limit: limit,
	})
}

// HeldMail returns a mail that came in, of an inbox the viewer sees, with what
// its source says.
func (a *App) HeldMail(ctx context.Context, v *portal.Viewer, id portal.LedgerID) (*HeldMail, error) {
	h := &HeldMail{}
	var in *intake
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		e, err := ledgerEntryFor(ctx, tx, v, id)
		if err != nil {
			return err
		}
		h.LedgerEntry = *e
		if in, err = a.again(e); err != nil || in == nil {
			return err
		}
		d, err := in.claims(ctx, tx)
		if err != nil {
			return err
		}
		h.Mail, h.Inbox, h.Contact, h.Agent = in.mail, d.inbox, d.contact, d.agent
		if d.ticket != nil && v.Sees(d.ticket).See {
			h.Points = d.ticket
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

// RawMail opens the source of a mail that came in, of an inbox the viewer sees.
func (a *App) RawMail(ctx context.Context, v *portal.Viewer, id portal.LedgerID) (content io.ReadCloser, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		e, err := ledgerEntryFor(ctx, tx, v, id)
		if err != nil {
			return err
		}
		if e.SHA256 == "" {
			return sourceGone(e)
		}
		content, err = a.store.Files().Open(e.SHA256)
		return err
	})
	return content, err
}

func sourceGone(e *portal.LedgerEntry) error {
	return portal.Conflictf("mail.gone", "the source of mail %d is not kept any more", e.ID).WithHint("ask its sender to send it again")
}

// ledgerEntryFor is a line of an inbox the viewer sees. Mail that no inbox
// takes is for those who see all.
func ledgerEntryFor(ctx context.Context, tx *store.Tx, v *portal.Viewer, id portal.LedgerID) (*portal.LedgerEntry, error) {
	e, err := tx.LedgerEntry(ctx, id)
	if err == nil && (v.Agent == 0 || v.Limited && !slices.Contains(v.Inboxes, e.Inbox)) {
		return nil, portal.NotFoundf("mail.unknown", "there is no mail %d that came in", id).With("ID", int64(id))
	}
	return e, err
}

// again is the mail as it arrived, read from its source; nil when that is gone.
func (a *App) again(e *portal.LedgerEntry) (*intake, error) {
	if e.SHA256 == "" || a.parse == nil || a.mailWords == nil {
		return nil, nil
	}
	content, err := a.store.Files().Open(e.SHA256)
	if err != nil {
		return nil, err
	}
	defer func() { _ = content.Close() }()
	raw, err := io.ReadAll(content)
	if err != nil {
		return nil, fmt.Errorf("read mail %d: %w", e.ID, err)
	}
	in := &intake{App: a, entry: *e, arrival: &portal.Arrival{
		Inbox: e.Inbox, Source: e.Source, Raw: raw, Size: e.Envelope.Larger, HasEnvelope: e.Envelope.Has,
		EnvelopeFrom: e.Envelope.From, Recipients: e.Envelope.Recipients,
	}}
	in.read()
	return in, nil
}

// claims finds whom and what a mail says it is from and about.
func (in *intake) claims(ctx context.Context, tx *store.Tx) (*decision, error) {
	d := &decision{proof: in.entry.Proof}
	if err := in.findInbox(ctx, tx, d); err != nil && portal.KindOf(err) != portal.NotFound {
		return nil, err
	}
	if d.inbox == nil {
		return d, nil
	}
	return d, in.judge(ctx, tx, d, false)
}

// HeldChoice is what somebody decides about a held mail.
type HeldChoice struct {
	As     string              // the address of the contact who sent it; "": as it says itself
	Create bool                // make a contact of a sender nobody knows
	Ticket portal.TicketNumber // add it to this ticket; the sender takes part in it from then on
	New    bool                // open a new ticket, whatever it points at
	Inbox  string              // for mail that no inbox has the address of, by name
}

// AcceptHeld takes a held mail in after all: as the message of the contact it
// is from, in the ticket it points at or in a new one. The viewer is who
// decides.
func (a *App) AcceptHeld(ctx context.Context, v *portal.Viewer, id portal.LedgerID, choice HeldChoice) (entry *portal.LedgerEntry, err error) {
	var in *intake
	var d *decision
	plan := func(tx *store.Tx) error {
		e, err := stillHeld(ctx, tx, v, id)
		if err != nil {
			return err
		}
		entry = e
		if in == nil {
			if in, err = a.again(e); err == nil && in == nil {
				err = sourceGone(e)
			}
			if err != nil {
				return err
			}
			in.mail.Auto = portal.AutoNone // somebody says that it counts
		}
		d, err = in.choose(ctx, tx, v, choice)
		return err
	}
	if err := a.store.Read(ctx, plan); err != nil {
		return nil, err
	}
	if err := in.writeFiles(ctx, d); err != nil {
		return nil, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if err := plan(tx); err != nil {
			return err
		}
		return in.accept(ctx, tx, v, d, entry, choice)
	})
	if err != nil {
		return nil, err
	}
	a.wakeMail()
	return entry, nil
}

func stillHeld(ctx context.Context, tx *store.Tx, v *portal.Viewer, id portal.LedgerID) (*portal.LedgerEntry, error) {
	e, err := ledgerEntryFor(ctx, tx, v, id)
	if err == nil && e.Decision != portal.MailHeld {
		return nil, portal.Conflictf("mail.not_held", "mail %d is not held: it is %s (%s)", id, e.Decision, e.Reason).With("ID", int64(id))
	}
	return e, err
}

// choose turns what somebody decided into what is done.
func (in *intake) choose(ctx context.Context, tx *store.Tx, v *portal.Viewer, choice HeldChoice) (*decision, error) {
	if choice.New && choice.Ticket != 0 {
		return nil, portal.Invalidf("usage", "new", "--new and --ticket exclude each other")
	}
	if choice.Inbox != "" && in.arrival.Inbox == 0 {
		inbox, err := tx.InboxByName(ctx, strings.TrimSpace(choice.Inbox))
		if err != nil {
			return nil, err
		}
		in.arrival.Inbox = inbox.ID
	}
	d, err := in.claims(ctx, tx)
	if err != nil {
		return nil, err
	}
	if d.inbox == nil {
		return nil, portal.Invalidf("mail.no_inbox", "inbox", "no inbox has one of the mail's addresses").WithHint("say which it belongs to: --inbox NAME")
	}
	if err := in.chooseSender(ctx, tx, d, choice); err != nil {
		return nil, err
	}
	d.MailOutcome = portal.MailOutcome{Decision: portal.MailCreated, Reason: portal.ReasonAcceptedBy, Step: portal.TakeOpen}
	if d.contact == nil {
		d.Step = portal.TakeOpenUnknown
	}
	if err := in.chooseTicket(ctx, tx, v, d, choice); err != nil {
		return nil, err
	}
	if d.Decision == portal.MailCreated && d.portal == nil {
		return nil, portal.Conflictf("mail.no_portal", "new tickets of the inbox %q belong to no portal", d.inbox.Name).
			WithHint("say to which: portalctl inbox set %q --tickets-portal NAME", d.inbox.Name)
	}
	return d, nil
}

// chooseSender is whose message it becomes. Words in an agent's name are the
// agent's to write.
func (in *intake) chooseSender(ctx context.Context, tx *store.Tx, d *decision, choice HeldChoice) error {
	if choice.As != "" {
		c, err := contactWith(ctx, tx, "as", choice.As)
		d.contact, d.agent = c, nil
		return err
	}
	switch {
	case d.agent != nil && d.contact == nil:
		return portal.Conflictf("mail.agent", "mail in the name of the agent %s is not taken on somebody else's word", d.agent.Email).
			WithHint("let them answer at the desk, or with portalctl tickets reply")
	case d.contact != nil:
		return notErased(ctx, tx, d.contact.ID)
	case in.entry.Sender == "":
		return portal.Invalidf("mail.sender", "as", "the mail names no sender").WithHint("say who it is from: --as NAME@EXAMPLE.COM")
	case !choice.Create:
		return portal.Invalidf("mail.sender", "create", "there is no contact %s", in.entry.Sender).
			WithHint("--create makes one; --as NAME@EXAMPLE.COM takes it as somebody else's")
	}
	_, err := email("from", in.entry.Sender)
	return err
}

// chooseTicket is where the message goes.
func (in *intake) chooseTicket(ctx context.Context, tx *store.Tx, v *portal.Viewer, d *decision, choice HeldChoice) error {
	switch {
	case choice.New:
		d.ticket = nil
		return nil
	case choice.Ticket != 0:
		t, err := tx.TicketFor(ctx, v, choice.Ticket)
		if err != nil {
			return err
		}
		d.ticket, d.portal = t, nil
		if t.PortalID != 0 {
			if d.portal, err = tx.Portal(ctx, t.PortalID); err != nil {
				return err
			}
		}
	case d.ticket == nil:
		return nil
	case !v.Sees(d.ticket).See:
		return portal.Conflictf("mail.not_a_party", "the mail points at a ticket of another inbox").With("Number", "").
			WithHint("--new opens another ticket")
	case d.contact == nil || !d.ticket.Party(d.contact.ID):
		return portal.Conflictf("mail.not_a_party", "the mail points at %s, and its sender takes no part there", d.ticket.Number).
			With("Number", d.ticket.Number.String()).
			WithHint("--ticket %s lets them take part; --new opens a ticket of theirs", d.ticket.Number)
	}
	if err := notMerged(d.ticket); err != nil {
		return err
	}
	settings := portal.TicketSettings{}
	if d.portal != nil {
		settings = d.portal.Tickets
	}
	if d.ticket.Status == portal.Closed && !d.ticket.MayReopen(tx.Now, &settings) {
		if d.Step != portal.TakeOpenUnknown {
			d.Step = portal.TakeOpenNext
		}
		return in.findPortal(ctx, tx, d)
	}
	d.Decision = portal.MailAppended
	if d.Step != portal.TakeOpenUnknown {
		d.Step = portal.TakeAnswer
	}
	return nil
}

// accept writes what was decided.
func (in *intake) accept(ctx context.Context, tx *store.Tx, v *portal.Viewer, d *decision, e *portal.LedgerEntry, choice HeldChoice) error {
	by := viewerActor(v)
	if d.contact == nil {
		if err := in.addSender(ctx, tx, d); err != nil {
			return err
		}
		d.Step = portal.TakeOpen
		if d.Decision == portal.MailAppended {
			d.Step = portal.TakeAnswer
		}
	}
	if choice.Ticket != 0 && d.Step == portal.TakeAnswer {
		if err := in.addParticipant(ctx, tx, d.ticket, d.contact, by); err != nil {
			return err
		}
	}
	if err := in.perform(ctx, tx, d, e); err != nil {
		return err
	}
	if err := in.countFiles(ctx, tx, d); err != nil {
		return err
	}
	e.Decision, e.Reason, e.Ticket, e.Contact = d.Decision, portal.ReasonAcceptedBy, d.ticket.Number, d.contact.ID
	if saved, err := tx.SaveDecision(ctx, e); err != nil || !saved {
		return cmp.Or(err, errors.New("the held mail was decided on meanwhile"))
	}
	return in.noteBy(ctx, tx, by, "", portal.AuditMailAccepted, 0, aboutMail(e.ID),
		fact("contact", portal.AboutContact(d.contact.ID)), fact("ticket", d.ticket.Number))
}

// viewerActor is who acts where a viewer decides.
func viewerActor(v *portal.Viewer) portal.Actor {
	if v.Agent > 0 {
		return portal.ByAgent(v.Agent)
	}
	return portal.ByOperator
}

// RefuseHeld sets a held mail aside for good. Nothing is sent to anybody.
func (a *App) RefuseHeld(ctx context.Context, v *portal.Viewer, id portal.LedgerID, reason string) (e *portal.LedgerEntry, err error) {
	if reason, err = line("reason", reason); err != nil {
		return nil, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if e, err = stillHeld(ctx, tx, v, id); err != nil {
			return err
		}
		e.Decision, e.Reason = portal.MailIgnored, portal.ReasonRefused
		if _, err := tx.SaveDecision(ctx, e); err != nil {
			return err
		}
		return a.noteBy(ctx, tx, viewerActor(v), "", portal.AuditMailRefused, 0, aboutMail(e.ID), facts(fact("reason", reason))...)
	})
	return e, err
}

func aboutMail(id portal.LedgerID) string { return fmt.Sprintf("mail:%d", id) }
