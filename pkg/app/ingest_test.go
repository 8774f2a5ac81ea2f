package app

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/mail/incoming"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// post is a world that takes mail: its inbox believes mx.example.com.
type post struct {
	*world
	inbox *portal.Inbox
	count int
}

func newPost(t *testing.T, change func(*portal.MailIn)) *post {
	t.Helper()
	w := newWorld(t, nil)
	p := &post{world: w}
	w.parse = incoming.Parse
	w.mailWords = func(language string) MailWords {
		return MailWords{
			NoSubject: "(no subject " + language + ")", NoText: "(no text " + language + ")", TextCut: "[cut]",
			FilesLeft: func(names string) string { return "[left out: " + names + "]" },
		}
	}
	p.settings(func(m *portal.MailIn) {
		m.TrustedServer, m.Acknowledge = "mx.example.com", true
		if change != nil {
			change(m)
		}
	})
	return p
}

func (p *post) settings(change func(*portal.MailIn)) {
	p.t.Helper()
	p.write(func(ctx context.Context, tx *store.Tx) error {
		inbox, err := tx.InboxByName(ctx, "Support")
		if err != nil {
			return err
		}
		change(&inbox.Mail)
		p.inbox = inbox
		return tx.SaveInbox(ctx, inbox)
	})
}

// letter is a mail to be written in a test. A header given replaces the usual
// one; "-" leaves it out.
type letter struct {
	from    string
	subject string
	body    string
	header  map[string]string
	proof   portal.SenderProof // "": proven
}

func (p *post) raw(l letter) []byte {
	p.count++
	domain := l.from[strings.LastIndexByte(l.from, '@')+1:]
	domain = strings.Trim(domain, "<>")
	results := map[portal.SenderProof]string{
		"":                        "mx.example.com; dmarc=pass header.from=" + domain,
		portal.SenderContradicted: "mx.example.com; dmarc=fail header.from=" + domain,
		portal.SenderUnproven:     "-",
	}[l.proof]
	header := map[string]string{
		"Authentication-Results": results, "From": l.from, "To": "support@example.com", "Subject": l.subject,
		"Message-ID": fmt.Sprintf("<mail%d@%s>", p.count, domain), "Date": "Mon, 23 Nov 2026 10:00:00 +0000",
		"MIME-Version": "1.0", "Content-Type": "text/plain; charset=utf-8",
	}
	for name, value := range l.header {
		header[name] = value
	}
	var b strings.Builder
	for _, name := range []string{
		"Authentication-Results", "Return-Path", "From", "To", "Cc", "Subject", "Message-ID", "In-Reply-To", "References",
		"Date", "Auto-Submitted", "List-Id", "MIME-Version", "Content-Type",
	} {
		if value := header[name]; value != "" && value != "-" {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	b.WriteString("\r\n" + strings.ReplaceAll(l.body, "\n", "\r\n") + "\r\n")
	return []byte(b.String())
}

func (p *post) take(l letter) *portal.LedgerEntry {
	p.t.Helper()
	return p.arrive(&portal.Arrival{Inbox: p.inbox.ID, Source: portal.SourceIngest, Raw: p.raw(l)})
}

func (p *post) arrive(a *portal.Arrival) *portal.LedgerEntry {
	p.t.Helper()
	e, err := p.TakeMail(p.t.Context(), a)
	if err != nil {
		p.t.Fatal(err)
	}
	return e
}

// want checks a line of the ledger.
func (p *post) want(e *portal.LedgerEntry, decision portal.MailDecision, reason portal.MailReason) {
	p.t.Helper()
	if e.Decision != decision || e.Reason != reason {
		p.t.Fatalf("the mail was %s (%s), want %s (%s)", e.Decision, e.Reason, decision, reason)
	}
}

// messages are the texts of a ticket, internal ones in brackets.
func (p *post) messages(n portal.TicketNumber) string {
	p.t.Helper()
	d, err := p.ShowTicket(p.t.Context(), n, true)
	if err != nil {
		p.t.Fatal(err)
	}
	var all []string
	for _, m := range d.Messages {
		if m.Kind == portal.Note {
			all = append(all, "["+m.Body+"]")
		} else {
			all = append(all, m.Body)
		}
	}
	return strings.Join(all, " | ")
}

// keyed is the reply address of a ticket as it was sent to somebody.
func (p *post) keyed(n portal.TicketNumber, to portal.Person) string {
	p.t.Helper()
	address, err := p.replyAddress("support@example.com", replyKey{Ticket: n, To: to})
	if err != nil {
		p.t.Fatal(err)
	}
	return address
}

func contactPerson(c *portal.Contact) portal.Person { return portal.Person{Contact: c.ID} }

func TestMailOpensATicketAndAnswersIt(t *testing.T) {
	p := newPost(t, nil)
	e := p.take(letter{from: "Ana <ana@example.com>", subject: "Re: AW: The pump leaks", body: "It drips."})
	p.want(e, portal.MailCreated, portal.ReasonNew)
	if got, want := strings.Join(p.mails(), ", "), "agent_ticket to agent@example.com, ticket_received to ana@example.com"; got != want {
		t.Errorf("opening told %s, want %s", got, want)
	}
	d, err := p.ShowTicket(t.Context(), e.Ticket, true)
	if err != nil {
		t.Fatal(err)
	}
	if d.Subject != "The pump leaks" || d.Via != portal.ViaMail || d.Messages[0].Body != "It drips." || d.Messages[0].Via != portal.ByMail {
		t.Errorf("the ticket is %q by %s with %+v", d.Subject, d.Via, d.Messages)
	}
	answer := p.take(letter{
		from: "ana@example.com", subject: "[T-1001] The pump leaks", body: "Still drips.",
		header: map[string]string{"To": strings.ToUpper(p.keyed(e.Ticket, contactPerson(p.ana)))},
	})
	p.want(answer, portal.MailAppended, portal.ReasonAnswer)
	if got := p.messages(e.Ticket); got != "It drips. | Still drips." {
		t.Errorf("the ticket says %s", got)
	}
	if got, want := strings.Join(p.mails(), ", "), "agent_message to agent@example.com"; got != want {
		t.Errorf("answering told %s, want %s", got, want)
	}
}

func TestTheSameMailIsOneMessage(t *testing.T) {
	p := newPost(t, nil)
	raw := p.raw(letter{from: "ana@example.com", subject: "Twice", body: "once"})
	place := portal.IMAPPlace{Validity: 7, UID: 12}
	first := p.arrive(&portal.Arrival{Inbox: p.inbox.ID, Source: portal.SourceIMAP, Raw: raw, Place: place, Reached: place})
	p.want(first, portal.MailCreated, portal.ReasonNew)

	again := p.arrive(&portal.Arrival{Inbox: p.inbox.ID, Source: portal.SourceIMAP, Raw: raw, Place: place, Reached: portal.IMAPPlace{Validity: 7, UID: 13}})
	if again.ID != first.ID {
		t.Errorf("the same place has the line %d, then %d", first.ID, again.ID)
	}
	if at, err := p.MailboxPlace(t.Context(), p.inbox.ID); err != nil || at.UID != 13 {
		t.Errorf("the folder was read up to %v, %v", at, err)
	}
	p.want(p.arrive(&portal.Arrival{Inbox: p.inbox.ID, Source: portal.SourceLMTP, Raw: raw}), portal.MailDuplicate, portal.ReasonSame)
	// By another way, with other headers above it.
	other := append([]byte("Authentication-Results: mx.example.com; dmarc=pass header.from=example.com\r\nReceived: from elsewhere\r\n"), raw...)
	e := p.arrive(&portal.Arrival{Inbox: p.inbox.ID, Source: portal.SourceLMTP, Raw: other})
	p.want(e, portal.MailDuplicate, portal.ReasonSame)
	if e.Of != first.ID || e.Ticket != first.Ticket {
		t.Errorf("the duplicate names %d and %s, want %d and %s", e.Of, e.Ticket, first.ID, first.Ticket)
	}
	if got := p.messages(first.Ticket); got != "once" {
		t.Errorf("the ticket says %s", got)
	}
}

// A Message-ID counts together with who is proven to have sent it.
func TestAForeignMailHidesNothingByItsMessageID(t *testing.T) {
	p := newPost(t, nil)
	id := map[string]string{"Message-ID": "<same@example.com>"}
	p.want(p.take(letter{from: "ana@example.com", subject: "Bait", body: "from a forger", header: id, proof: portal.SenderUnproven}),
		portal.MailHeld, portal.ReasonUnproven)
	p.want(p.take(letter{from: "bo@example.com", subject: "Bait", body: "from Bo", header: id}), portal.MailCreated, portal.ReasonNew)
	p.want(p.take(letter{from: "ana@example.com", subject: "Bait", body: "from Ana", header: id}), portal.MailCreated, portal.ReasonNew)
}

func TestAnAgentAnswersByMail(t *testing.T) {
	p := newPost(t, nil)
	n := p.open(p.as(p.ana), NewTicket{})
	p.mails()
	to := p.keyed(n, portal.Person{Agent: p.agent.ID})
	agent := letter{from: "Ines <agent@example.com>", subject: "Re: fire", body: "Use water.", header: map[string]string{"To": to}}
	e := p.take(agent)
	p.want(e, portal.MailAppended, portal.ReasonAgent)
	if got, want := strings.Join(p.mails(), ", "), "message to ana@example.com"; got != want {
		t.Errorf("the answer told %s, want %s", got, want)
	}
	for _, text := range []string{"note: she is wrong", "NOTE : she is wrong", "*Notera:* she is wrong", "Hello\n\nAnteckning: she is wrong"} {
		agent.body = text
		p.want(p.take(agent), portal.MailAppended, portal.ReasonNote)
		if told := p.mails(); len(told) > 0 {
			t.Errorf("%q was told to %v", text, told)
		}
	}
	if got := p.ticket(p.as(p.ana), n); len(got.Messages) != 2 {
		t.Errorf("the customer reads %d messages, want 2", len(got.Messages))
	}

	agent.body = "no key"
	for to, reason := range map[string]portal.MailReason{
		"support@example.com":               portal.ReasonAgentKey,
		p.keyed(n, contactPerson(p.ana)):    portal.ReasonAgentKey,
		p.keyed(n, portal.Person{Agent: 9}): portal.ReasonAgentKey,
	} {
		agent.header = map[string]string{"To": to}
		p.want(p.take(agent), portal.MailHeld, reason)
	}
	agent.header, agent.proof = map[string]string{"To": to}, portal.SenderUnproven
	p.settings(func(m *portal.MailIn) { m.TrustUnproven = true })
	p.want(p.take(agent), portal.MailHeld, portal.ReasonUnproven)
}

func TestAutomaticMailChangesNothing(t *testing.T) {
	p := newPost(t, nil)
	n := p.open(p.as(p.ana), NewTicket{})
	if err := p.DeskReply(t.Context(), p.agent.ID, n, Answer{Body: "Done?", Close: true}); err != nil {
		t.Fatal(err)
	}
	p.mails()
	before, err := p.ShowTicket(t.Context(), n, true)
	if err != nil {
		t.Fatal(err)
	}
	p.clock.Add(time.Minute)
	away := letter{
		from: "ana@example.com", subject: "Out of office: fire", body: "I am away.",
		header: map[string]string{"To": p.keyed(n, contactPerson(p.ana)), "Auto-Submitted": "auto-replied"},
	}
	p.want(p.take(away), portal.MailAppended, portal.ReasonAutomatic)
	after, err := p.ShowTicket(t.Context(), n, true)
	if err != nil {
		t.Fatal(err)
	}
	if after.Status != portal.Closed || !after.UpdatedAt.Equal(before.UpdatedAt) || after.LastPublic != before.LastPublic {
		t.Errorf("the ticket was %s at %s, now %s at %s", before.Status, before.UpdatedAt, after.Status, after.UpdatedAt)
	}
	last := after.Messages[len(after.Messages)-1]
	if last.Kind != portal.Note || last.Via != portal.ByAutoMail || last.Contact != p.ana.ID {
		t.Errorf("it was kept as %+v", last)
	}
	if told := p.mails(); len(told) > 0 {
		t.Errorf("it was told to %v", told)
	}
	away.header["To"] = "support@example.com"
	p.want(p.take(away), portal.MailIgnored, portal.ReasonAutomatic)
}

func TestAMailThatCannotBeReadIsPutAside(t *testing.T) {
	p := newPost(t, nil)
	p.parse = func([]byte) *portal.Incoming { panic("odd mail") }
	p.want(p.take(letter{from: "ana@example.com", subject: "x", body: "y"}), portal.MailHeld, portal.ReasonUnreadable)
	p.parse = incoming.Parse
	p.want(p.take(letter{from: "ana@example.com", subject: "x", body: "y"}), portal.MailCreated, portal.ReasonNew)
}
