package app

import (
	"context"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// report is a delivery report as a mail server writes it.
func report(id, recipient, action, status string) []byte {
	return []byte(strings.ReplaceAll(`Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example.com>
To: support@example.com
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <report.`+status+strings.Trim(id, "<>")+`>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

The mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; `+recipient+`
Action: `+action+`
Status: `+status+`
Diagnostic-Code: smtp; 550 5.1.1 no such user here

--b
Content-Type: text/rfc822-headers

From: Help <support@example.com>
To: `+recipient+`
Message-ID: `+id+`

--b--
`, "\n", "\r\n"))
}

// bounced is what the store notes of mail to a contact that came back.
func (p *post) bounced(c *portal.Contact) string {
	p.t.Helper()
	var address, why string
	if err := p.world.raw().QueryRowContext(p.t.Context(), `SELECT bounced, bounced_why FROM contact WHERE id = $1`, c.ID).Scan(&address, &why); err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(address + " " + why)
}

func (p *post) lastMail() store.Mail {
	p.t.Helper()
	mails, err := p.Outbox(p.t.Context(), store.OutboxFilter{Limit: 1})
	if err != nil || len(mails) == 0 {
		p.t.Fatal("the outbox is empty", err)
	}
	return mails[0]
}

func TestAMailThatCameBackMarksTheAddress(t *testing.T) {
	p := newPost(t, nil)
	n := p.open(p.as(p.ana), NewTicket{})
	p.mails()
	if err := p.DeskReply(t.Context(), p.agent.ID, n, Answer{Body: "Use water."}); err != nil {
		t.Fatal(err)
	}
	mail := p.lastMail()
	take := func(id, recipient, action, status string) *portal.LedgerEntry {
		return p.arrive(&portal.Arrival{Inbox: p.inbox.ID, Source: portal.SourceIMAP, Raw: report(id, recipient, action, status)})
	}
	for _, forged := range []*portal.LedgerEntry{
		take("<nobody@example.com>", "ana@example.com", "failed", "5.1.1"),
		take(mail.HeaderID, "bo@example.com", "failed", "5.1.1"),
		take(mail.HeaderID, "ana@example.com", "delayed", "4.4.1"),
	} {
		p.want(forged, portal.MailIgnored, portal.ReasonReport)
	}
	if got := p.bounced(p.ana); got != "" {
		t.Errorf("a report about no mail of ours marks %q", got)
	}

	e := take(mail.HeaderID, "Ana@Example.com", "failed", "5.1.2")
	p.want(e, portal.MailIgnored, portal.ReasonBounce)
	if e.Mail != mail.ID || e.Ticket != n {
		t.Errorf("the line names mail %d and %s, want %d and %s", e.Mail, e.Ticket, mail.ID, n)
	}
	if got := p.bounced(p.ana); !strings.HasPrefix(got, "ana@example.com 5.1.2") {
		t.Errorf("the store notes %q", got)
	}
	d, err := p.ShowTicket(t.Context(), n, true)
	if err != nil {
		t.Fatal(err)
	}
	last := d.Events[len(d.Events)-1]
	if last.Kind != portal.EventUndelivered || last.To != "ana" || !strings.Contains(last.From, "no such user") || !last.Kind.Internal() {
		t.Errorf("the desk reads %+v", last)
	}
	if d.Status != portal.WaitingOnCustomer || len(d.Messages) != 2 {
		t.Errorf("the report changed the ticket: %s, %d messages", d.Status, len(d.Messages))
	}

	p.want(p.take(letter{from: "ana@example.com", subject: "Here I am", body: "again"}), portal.MailCreated, portal.ReasonNew)
	if got := p.bounced(p.ana); got != "" {
		t.Errorf("who writes from the address is still marked %q", got)
	}
}

// The outbox forgets mails; their Message-IDs still say what they were.
func TestAMailTheOutboxHasForgottenComesBack(t *testing.T) {
	p := newPost(t, nil)
	n := p.open(p.as(p.ana), NewTicket{})
	id, err := p.mailID(replyKey{Ticket: n, To: contactPerson(p.ana)}, "portal.test")
	if err != nil {
		t.Fatal(err)
	}
	e := p.arrive(&portal.Arrival{Inbox: p.inbox.ID, Source: portal.SourceIMAP, Raw: report(id, "ana@example.com", "failed", "5.1.1")})
	p.want(e, portal.MailIgnored, portal.ReasonBounce)
	if got := p.bounced(p.ana); got == "" {
		t.Error("nothing is noted")
	}
}

func TestAnInvitationThatCameBackHasFailed(t *testing.T) {
	p := newPost(t, nil)
	mail := &store.Mail{Kind: store.MailInvitation, Portal: p.portal.ID, Contact: p.bo.ID, Recipient: p.bo.Email}
	p.write(func(ctx context.Context, tx *store.Tx) error {
		if err := tx.SaveMember(ctx, &portal.Member{PortalID: p.portal.ID, ContactID: p.bo.ID, Status: portal.Invited, InvitedAt: tx.Now}); err != nil {
			return err
		}
		return tx.QueueMail(ctx, mail)
	})
	p.arrive(&portal.Arrival{Inbox: p.inbox.ID, Source: portal.SourceIMAP, Raw: report(mail.HeaderID, "bo@example.com", "failed", "5.1.1")})
	p.read(func(ctx context.Context, tx *store.Tx) error {
		m, err := tx.Member(ctx, p.portal.ID, p.bo.ID)
		if err == nil && m.Status != portal.Failed {
			t.Errorf("the member is %s", m.Status)
		}
		return err
	})
}
