package app

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestHeldMailIsTakenInAfterAll(t *testing.T) {
	p := newPost(t, nil)
	ctx := t.Context()
	operator := portal.OperatorViewer()
	n := p.open(p.as(p.ana), NewTicket{})
	p.mails()

	accept := func(e *portal.LedgerEntry, c HeldChoice) *portal.LedgerEntry {
		t.Helper()
		p.want(e, portal.MailHeld, e.Reason)
		got, err := p.AcceptHeld(ctx, &operator, e.ID, c)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	unproven := p.take(letter{
		from: "ana@example.com", subject: "x", body: "it is me", proof: portal.SenderUnproven,
		header: map[string]string{"To": p.keyed(n, contactPerson(p.ana))},
	})
	h, err := p.HeldMail(ctx, &operator, unproven.ID)
	if err != nil || h.Contact == nil || h.Contact.ID != p.ana.ID || h.Points == nil || h.Points.Number != n || h.Mail.Text != "it is me" {
		t.Fatalf("the held mail reads %+v, %v", h, err)
	}
	if e := accept(unproven, HeldChoice{}); e.Decision != portal.MailAppended || e.Ticket != n || e.Message == 0 {
		t.Errorf("it became %+v", e)
	}
	_, err = p.AcceptHeld(ctx, &operator, unproven.ID, HeldChoice{})
	wantCode(t, err, "mail.not_held")

	// Eve has a key and takes no part: somebody has to say so.
	foreign := p.take(letter{from: "eve@example.com", subject: "x", body: "from Eve", header: map[string]string{"To": p.keyed(n, contactPerson(p.ana))}})
	_, err = p.AcceptHeld(ctx, &operator, foreign.ID, HeldChoice{})
	wantCode(t, err, "mail.not_a_party")
	accept(foreign, HeldChoice{Ticket: n})
	if d, err := p.ShowTicket(ctx, n, true); err != nil || !d.Party(p.eve.ID) {
		t.Errorf("Eve takes part: %v, %v", d.Participants, err)
	}

	stranger := p.take(letter{from: `"New Body" <new@example.org>`, subject: "Hello", body: "from new"})
	_, err = p.AcceptHeld(ctx, &operator, stranger.ID, HeldChoice{})
	wantCode(t, err, "mail.sender")
	e := accept(stranger, HeldChoice{Create: true})
	if c, err := p.Contact(ctx, "new@example.org"); err != nil || c.Name != "New Body" || e.Contact != c.ID {
		t.Errorf("the contact is %+v, %v", c, err)
	}
	forwarded := p.take(letter{from: "assistant@example.org", subject: "Fwd: Bo's pump", body: "Bo says it drips"})
	if e := accept(forwarded, HeldChoice{As: "bo@example.com"}); e.Contact != p.bo.ID {
		t.Errorf("it was taken as %d", e.Contact)
	}
	agents := p.take(letter{from: "agent@example.com", subject: "x", body: "trust me"})
	_, err = p.AcceptHeld(ctx, &operator, agents.ID, HeldChoice{Ticket: n})
	wantCode(t, err, "mail.agent")

	refused, err := p.RefuseHeld(ctx, &operator, agents.ID, "not hers")
	if err != nil || refused.Decision != portal.MailIgnored {
		t.Fatalf("it was %+v, %v", refused, err)
	}
	held, err := p.HeldMails(ctx, &operator, 0, 10)
	if err != nil || len(held) != 0 {
		t.Errorf("%d mails are held, %v", len(held), err)
	}
	if got := p.messages(n); got != "It burns. | it is me | from Eve" {
		t.Errorf("the ticket says %s", got)
	}
	entries, err := p.AuditLog(ctx, AuditQuery{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[portal.AuditKind]int{}
	for _, e := range entries {
		counts[e.Kind]++
	}
	if counts[portal.AuditMailAccepted] != 4 || counts[portal.AuditMailRefused] != 1 {
		t.Errorf("the audit log has %v", counts)
	}
}

func TestHeldMailIsForThoseWhoSeeItsInbox(t *testing.T) {
	p := newPost(t, nil)
	e := p.take(letter{from: "new@example.org", subject: "Hello", body: "x"})
	other := portal.Viewer{Agent: 7, Limited: true}
	own := portal.Viewer{Agent: 7, Limited: true, Inboxes: []portal.InboxID{p.inbox.ID}}
	if list, err := p.HeldMails(t.Context(), &other, 0, 10); err != nil || len(list) != 0 {
		t.Errorf("another inbox's agent sees %d, %v", len(list), err)
	}
	for _, err := range []error{
		failed(p.HeldMail(t.Context(), &other, e.ID)), failed(p.AcceptHeld(t.Context(), &other, e.ID, HeldChoice{Create: true})),
		failed(p.RefuseHeld(t.Context(), &other, e.ID, "")), failed(p.RawMail(t.Context(), &other, e.ID)),
	} {
		wantCode(t, err, "mail.unknown")
	}
	if list, err := p.HeldMails(t.Context(), &own, 0, 10); err != nil || len(list) != 1 {
		t.Errorf("its own agent sees %d, %v", len(list), err)
	}
}

func TestSourcesAreKeptForThirtyDays(t *testing.T) {
	p := newPost(t, nil)
	operator := portal.OperatorViewer()
	e := p.take(letter{from: "new@example.org", subject: "Hello", body: "a word to be forgotten"})
	raw, err := p.RawMail(t.Context(), &operator, e.ID)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(raw)
	raw.Close()
	if err != nil || !strings.Contains(string(text), "to be forgotten") {
		t.Fatalf("the source is %q, %v", text, err)
	}
	p.clock.Add(29 * 24 * time.Hour)
	if err := p.sweepIncoming(t.Context()); err != nil {
		t.Fatal(err)
	}
	if there, err := p.store.Files().Has(e.SHA256); err != nil || !there {
		t.Errorf("the source is there after 29 days: %v, %v", there, err)
	}
	p.clock.Add(2 * 24 * time.Hour)
	if err := p.sweepIncoming(t.Context()); err != nil {
		t.Fatal(err)
	}
	if there, err := p.store.Files().Has(e.SHA256); err != nil || there {
		t.Errorf("the source is there after 31 days: %v, %v", there, err)
	}
	_, err = p.RawMail(t.Context(), &operator, e.ID)
	wantCode(t, err, "mail.gone")
	lines, err := p.Ledger(t.Context(), store.LedgerFilter{})
	if err != nil || len(lines) != 1 {
		t.Errorf("the ledger has %d lines, %v", len(lines), err)
	}
	p.clock.Add(400 * 24 * time.Hour)
	if err := p.sweepIncoming(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lines, err := p.Ledger(t.Context(), store.LedgerFilter{}); err != nil || len(lines) != 0 {
		t.Errorf("the ledger has %d lines after a year, %v", len(lines), err)
	}
}
