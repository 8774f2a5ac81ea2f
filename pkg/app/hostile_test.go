package app

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Forged mail in somebody's name must not use up what they may send
// themselves, or anybody could silence a customer.
func TestForgedMailDoesNotSilenceWhoItNames(t *testing.T) {
	p := newPost(t, nil)
	n := p.open(p.as(p.ana), NewTicket{})
	to := map[string]string{"To": p.keyed(n, contactPerson(p.ana))}
	for i := range mailsOfSender + 1 {
		proof := portal.SenderUnproven
		if i%2 == 0 {
			proof = portal.SenderContradicted
		}
		forged := p.take(letter{from: "ana@example.com", subject: "x", body: "not from Ana", proof: proof, header: to})
		if forged.Decision != portal.MailHeld {
			t.Fatalf("a forged mail was %s", forged.Decision)
		}
	}
	p.want(p.take(letter{from: "ana@example.com", subject: "x", body: "from Ana", header: to}), portal.MailAppended, portal.ReasonAnswer)
}

// A ticket that was merged holds nothing any more: mail for it goes on where
// the ticket does, whoever says so.
func TestHeldMailIsNotAcceptedIntoAMergedTicket(t *testing.T) {
	p := newPost(t, nil)
	ctx := t.Context()
	operator := portal.OperatorViewer()
	from, into := p.open(p.as(p.ana), NewTicket{}), p.open(p.as(p.ana), NewTicket{})
	e := p.take(letter{from: "bo@example.com", subject: "x", body: "held", proof: portal.SenderUnproven})
	h := CommandHand(portal.ByOperator)
	plan, err := p.PlanMerge(ctx, h, from, into)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Merge(ctx, h, from, into, plan.Seen); err != nil {
		t.Fatal(err)
	}
	_, err = p.AcceptHeld(ctx, &operator, e.ID, HeldChoice{Ticket: from})
	wantCode(t, err, "ticket.merged")
	if got := p.messages(from); got != "" {
		t.Errorf("the merged ticket holds %q", got)
	}
}

// Whoever is limited to an inbox learns nothing of tickets elsewhere from the
// mail that points at them.
func TestHeldMailDoesNotNameTicketsOfOtherInboxes(t *testing.T) {
	p := newPost(t, nil)
	ctx := t.Context()
	var other portal.InboxID
	p.write(func(ctx context.Context, tx *store.Tx) error {
		inbox := &portal.Inbox{Name: "Law", Kind: portal.InboxMail, Address: "law@example.com"}
		err := tx.AddInbox(ctx, inbox)
		other = inbox.ID
		return err
	})
	n := p.open(p.as(p.ana), NewTicket{})
	if _, err := p.SetTicket(ctx, CommandHand(portal.ByOperator), n, TicketPatch{Inbox: &other}); err != nil {
		t.Fatal(err)
	}
	limited := portal.Viewer{Agent: p.agent.ID, Limited: true, Inboxes: []portal.InboxID{p.inbox.ID}}
	for _, from := range []string{"eve@example.com", "ana@example.com"} {
		e := p.take(letter{from: from, subject: "Re: x [" + n.String() + "]", body: "b", proof: portal.SenderUnproven})
		h, err := p.HeldMail(ctx, &limited, e.ID)
		if err != nil || h.Points != nil {
			t.Errorf("%s: the held mail points at %v, %v", from, h.Points, err)
		}
		_, err = p.AcceptHeld(ctx, &limited, e.ID, HeldChoice{})
		wantCode(t, err, "mail.not_a_party")
		if text := fmt.Sprintf("%v %+v", err, portal.Errors(err)[0]); strings.Contains(text, n.String()) {
			t.Errorf("%s: the refusal names the ticket: %s", from, text)
		}
		_, err = p.AcceptHeld(ctx, &limited, e.ID, HeldChoice{Ticket: n})
		wantCode(t, err, "ticket.none")
	}
}

// A report that a mail came back is told once, however often it is sent.
func TestABounceStormIsOneLineOfHistory(t *testing.T) {
	p := newPost(t, nil)
	ctx := t.Context()
	n := p.open(p.as(p.ana), NewTicket{})
	p.mails()
	if err := p.DeskReply(ctx, p.agent.ID, n, Answer{Body: "Hello."}); err != nil {
		t.Fatal(err)
	}
	var id string
	p.write(func(ctx context.Context, tx *store.Tx) error {
		mails, err := tx.Outbox(ctx, store.OutboxFilter{})
		for _, m := range mails {
			if m.Recipient == "ana@example.com" {
				id = m.HeaderID
			}
		}
		return err
	})
	if id == "" {
		t.Fatal("no mail to Ana waits")
	}
	for i := range 5 {
		report := fmt.Sprintf("From: mailer-daemon@mx.example.com\r\nTo: support@example.com\r\nReturn-Path: <>\r\nMessage-ID: <b%d@mx.example.com>\r\n"+
			"Subject: Undelivered\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"+
			"--b\r\nContent-Type: text/plain\r\n\r\nNo.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n"+
			"Final-Recipient: rfc822; ana@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 No %d\r\n\r\n"+
			"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: %s\r\nSubject: x\r\n\r\n--b--\r\n", i, i, id)
		p.want(p.arrive(&portal.Arrival{Inbox: p.inbox.ID, Source: portal.SourceIngest, Raw: []byte(report)}), portal.MailIgnored, portal.ReasonBounce)
	}
	d, err := p.ShowTicket(ctx, n, true)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, e := range d.Events {
		if e.Kind == portal.EventUndelivered {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the history tells it %d times, want once", told)
	}
}

// What a mail program took for quoted may be the agent's own word. A note that
// only stands there must not become an answer that says nothing, with the note
// folded away below it.
func TestANoteAmongQuotedTextIsNotPublic(t *testing.T) {
	p := newPost(t, nil)
	n := p.open(p.as(p.ana), NewTicket{})
	p.mails()
	to := map[string]string{"To": p.keyed(n, portal.Person{Agent: p.agent.ID})}
	for _, body := range []string{
		"> note: she does not pay",
		"On Mon, 23 Nov 2026 at 10:00, Help <support@example.com> wrote:\n> It is broken.\n",
		"-- \nnote: she does not pay",
		"*Notera:* she does not pay",
		"Sisa\u0308inen  muistiinpano : she does not pay",
		"\ufeffnote: she does not pay",
		"\u202enote: she does not pay",
		"\u00a0\u200bNote: she does not pay",
		"-----Original Message-----\nFrom: Help\nTo: Ines\nSubject: x\n\nnote: she does not pay\n",
	} {
		e := p.take(letter{from: "agent@example.com", subject: "Re: x", body: body, header: to})
		v := p.ticket(p.as(p.ana), n)
		for _, m := range v.Messages {
			if m.Agent != 0 {
				t.Fatalf("%q was %s (%s) and the customer reads %q, quoting %q", body, e.Decision, e.Reason, m.Body, m.Quoted)
			}
		}
	}
}

// What mail programs quote names people and their addresses. Customers read
// what they quoted themselves.
func TestCustomersDoNotReadWhatOthersQuote(t *testing.T) {
	p := newPost(t, func(m *portal.MailIn) { m.AddCC = true })
	quoted := "\n\nOn Mon, 23 Nov 2026 at 10:00, Ines <agent@example.com> wrote:\n> To: Ana <ana@example.com>\n> Fine.\n"
	n := p.take(letter{from: "ana@example.com", subject: "x", body: "Look." + quoted, header: map[string]string{"Cc": "bo@example.com"}}).Ticket
	agent := letter{
		from: "agent@example.com", subject: "Re: x", body: "I looked." + quoted,
		header: map[string]string{"To": p.keyed(n, portal.Person{Agent: p.agent.ID})},
	}
	p.want(p.take(agent), portal.MailAppended, portal.ReasonAgent)
	for who, want := range map[*Visit]int{p.as(p.ana): 1, p.as(p.bo): 0} {
		got := 0
		for _, m := range p.ticket(who, n).Messages {
			if m.Quoted != "" {
				got++
			}
		}
		if got != want {
			t.Errorf("%s reads what %d messages quote, want %d", who.Contact.Email, got, want)
		}
	}
}
