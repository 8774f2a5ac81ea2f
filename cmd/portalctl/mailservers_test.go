package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/portaltest/mailtest"
)

// The people of the test: a customer and an agent who only mail, and the
// address between them.
const (
	mia     = "mia@nordic.example"
	sam     = "sam@example.com"
	support = "support@example.com"
)

// post is a machine whose portal mails through real servers.
type post struct {
	*machine
	servers *mailtest.Servers
	host    *host
}

// newPost sets a portal up as an operator does, with commands, and serves it.
func newPost(t *testing.T) *post {
	t.Helper()
	servers := mailtest.Start(t, mailtest.Options{
		Mailboxes: []string{mia, sam, support}, Gone: []string{"gone.example"}, Verdict: "mail.example.com",
	})
	dns := portaltest.NewDNS(t)
	m := newMachine(t)
	password := filepath.Join(m.dir, "password")
	if err := os.WriteFile(password, []byte(mailtest.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.env = append(m.env,
		"SSL_CERT_FILE="+servers.CA, "PORTALCTL_RESOLVER="+dns.Addr,
		fmt.Sprintf("PORTALCTL_SMTP=smtp://%s@localhost:%d", url.QueryEscape(support), servers.Submission),
		"PORTALCTL_SMTP_PASSWORD_FILE="+password, "PORTALCTL_MAIL_FROM=Nordic Tools <"+support+">",
	)
	// The portal has an address of its own, proven in DNS.
	dns.Paste(m.run("domain", "connect", "help.example.com", "-o", "zone"))
	m.run("domain", "verify", "help.example.com")
	m.run("portal", "set", "--domain", "help.example.com", "--slug", "")
	m.run("agents", "add", "--email", sam, "--name", "Sam Field")
	m.run("inbox", "add", "Support", "--kind", "inbox", "--address", support)
	m.run("tickets", "configure", "--inbox", "Support")
	m.run("inbox", "set", "Support", "--imap", fmt.Sprintf("imaps://%s@localhost:%d/INBOX", support, servers.IMAPS),
		"--imap-password-file", password, "--after", "move:Done",
		"--trusted-server", "mail.example.com", "--unknown", "accept", "--tell", "agents")
	return &post{machine: m, servers: servers, host: m.serve()}
}

// json runs a command and reads what it prints.
func (p *post) json(into any, args ...string) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.run(append(args, "--output", "json")...)), into); err != nil {
		p.t.Fatalf("portalctl %s: %v", strings.Join(args, " "), err)
	}
}

// wait waits for the mails in somebody's mailbox and returns the last.
func (p *post) wait(address string, n int) mailtest.Mail {
	p.t.Helper()
	defer func() {
		if p.t.Failed() {
			p.t.Logf("serve said:\n%s\nmail that came in:\n%s\n", p.host.log(), p.run("mail", "list"))
		}
	}()
	mails := p.servers.Wait(p.t, address, n)
	if len(mails) != n {
		p.t.Fatalf("%s has %d mails, want %d", address, len(mails), n)
	}
	return mails[n-1]
}

// answer answers a mail as a mail program does: to its Reply-To, quoting it.
func (p *post) answer(from string, to mailtest.Mail, text string) {
	p.t.Helper()
	addresses, err := to.Header.AddressList("Reply-To")
	if err != nil || len(addresses) != 1 {
		p.t.Fatalf("Reply-To %q: %v", to.Header.Get("Reply-To"), err)
	}
	subject := to.Header.Get("Subject")
	if !strings.HasPrefix(subject, "Re: ") {
		subject = "Re: " + subject
	}
	raw := fmt.Sprintf(`From: %s
To: %s
Subject: %s
Date: %s
Message-ID: <%d@%s>
In-Reply-To: %s
References: %s
Content-Type: text/plain; charset=utf-8

%s

On Mon, Nov 23, 2026 at 10:00 AM Support wrote:
> What was said before.
`, from, addresses[0].Address, subject, time.Now().Format(time.RFC1123Z), time.Now().UnixNano(), strings.Split(from, "@")[1],
		to.Header.Get("Message-Id"), strings.TrimSpace(to.Header.Get("References")+" "+to.Header.Get("Message-Id")), text)
	if err := p.servers.Send(from, addresses[0].Address, raw); err != nil {
		p.t.Fatal(err)
	}
}

// A customer who only mails and an agent who only mails have a conversation,
// over mail servers nobody here wrote, and the portal has all of it.
func TestPeopleWhoOnlyMailHaveAConversation(t *testing.T) {
	p := newPost(t)
	first := "From: Mia Berg <" + mia + ">\nTo: " + support + "\nSubject: The pump is loud\nDate: " + time.Now().Format(time.RFC1123Z) +
		"\nMessage-ID: <pump@nordic.example>\nContent-Type: text/plain; charset=utf-8\n\nIt has been loud since Friday – what can we do?\n"
	if err := p.servers.Send(mia, support, first); err != nil {
		t.Fatal(err)
	}
	notice := p.wait(sam, 1)
	if !strings.Contains(notice.Header.Get("Subject"), "pump is loud") {
		t.Errorf("the agent's notice: %s", notice.Raw)
	}
	p.answer(sam, notice, "Please check the bearing and tell us what you find.")
	answer := p.wait(mia, 1)
	if text := string(answer.Raw); !strings.Contains(text, "Please check the bearing") || strings.Contains(text, sam) || strings.Contains(text, "What was said before") {
		t.Errorf("what the customer reads:\n%s", text)
	}
	p.answer(mia, answer, "The bearing is worn out.")
	if second := p.wait(sam, 2); !strings.Contains(string(second.Raw), "The bearing is worn out.") {
		t.Errorf("the agent's second notice: %s", second.Raw)
	}

	var ticket struct {
		Subject, Status string
		Messages        []struct{ Kind, Text, Body string }
	}
	p.json(&ticket, "tickets", "show", "T-1001")
	if ticket.Subject != "The pump is loud" || ticket.Status != "waiting_on_us" || len(ticket.Messages) != 3 {
		t.Errorf("the ticket: %+v", ticket)
	}
	var ledger []struct{ Decision, Reason, Sender string }
	p.json(&ledger, "mail", "list")
	decisions := map[string]int{}
	for _, l := range ledger {
		decisions[l.Decision]++
	}
	if decisions["created"] != 1 || decisions["appended"] != 2 || len(ledger) != 3 {
		t.Errorf("the ledger: %+v", ledger)
	}
	if left, moved := p.servers.Count(t, support, "INBOX"), p.servers.Count(t, support, "Done"); left != 0 || moved != 3 {
		t.Errorf("%d mails are left at the server, %d moved", left, moved)
	}

	// Mail to an address that is not there comes back, and is tied to whom it
	// was for.
	p.run("contacts", "add", "--email", "ada@gone.example", "--name", "Ada Lund")
	p.run("members", "invite", "ada@gone.example")
	var member struct{ Status string }
	for late := time.Now().Add(20 * time.Second); member.Status != "failed" && time.Now().Before(late); time.Sleep(200 * time.Millisecond) {
		p.json(&member, "members", "show", "ada@gone.example")
	}
	var contact struct{ Bounced string }
	p.json(&contact, "contacts", "show", "ada@gone.example")
	if member.Status != "failed" || !strings.Contains(contact.Bounced, "nobody of that name") {
		t.Errorf("the contact whose mail comes back: %+v, %+v\n%s\n%s", member, contact, p.run("mail", "list"), p.host.log())
	}
	if code := p.host.stop(); code != 0 {
		t.Errorf("serve ended with %d: %s", code, p.host.log())
	}
}
