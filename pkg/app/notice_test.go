package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
	"github.com/portalctl/portalctl/pkg/store"
)

// newest is the last mail that went to an address.
func newest(t *testing.T, s *smtptest.Server, to string) *smtptest.Mail {
	t.Helper()
	mails := s.Mails()
	for i := len(mails) - 1; i >= 0; i-- {
		if mails[i].To == to {
			return mails[i]
		}
	}
	t.Fatalf("no mail went to %s", to)
	return nil
}

func (w *world) change(c *portal.Contact, change func(*portal.Contact)) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		fresh, err := tx.Contact(ctx, c.ID)
		if err != nil {
			return err
		}
		change(fresh)
		return tx.SaveContact(ctx, fresh)
	})
}

// A customer who only mails and an agent who only mails talk; every mail finds
// its place in both mailboxes.
func TestBothLiveInMailAlone(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	p := newPost(t, nil)
	p.through(server)
	p.write(func(ctx context.Context, tx *store.Tx) error {
		p.agent.Signature = "Ines, *service*"
		return tx.SaveAgent(ctx, p.agent)
	})
	first := p.take(letter{from: "Ana <ana@example.com>", subject: "Pump leaks", body: "It drips."})
	p.want(first, portal.MailCreated, portal.ReasonNew)
	p.deliver()

	received := newest(t, server, "ana@example.com").Message(t).Header
	if received.Get("Auto-Submitted") != "auto-replied" || received.Get("In-Reply-To") != "<mail1@example.com>" {
		t.Errorf("the acknowledgement is %q and answers %q", received.Get("Auto-Submitted"), received.Get("In-Reply-To"))
	}
	told := newest(t, server, "agent@example.com")
	head := told.Message(t).Header
	if !strings.Contains(head.Get("Reply-To"), strings.ToLower(p.keyed(first.Ticket, portal.Person{Agent: p.agent.ID}))) {
		t.Errorf("the agent's answers go to %q", head.Get("Reply-To"))
	}
	if text := mailBody(told); !strings.Contains(text, "/helpdesk/tickets/"+first.Ticket.String()) || !strings.Contains(text, "It drips.") ||
		!strings.Contains(text, "##- ") || !strings.Contains(text, "note:") {
		t.Errorf("the agent reads\n%s", text)
	}
	if head.Get("List-Id") == "" || head.Get("List-Unsubscribe") != "" {
		t.Errorf("the agent's mail has List-Id %q, List-Unsubscribe %q", head.Get("List-Id"), head.Get("List-Unsubscribe"))
	}

	answered := p.take(letter{
		from: "agent@example.com", subject: head.Get("Subject"),
		body:   "We come by.\n\nOn Monday, Help wrote:\n> ##- Please write your answer above this line -##\n> Sent by: ana <ana@example.com>",
		header: map[string]string{"To": head.Get("Reply-To")},
	})
	p.want(answered, portal.MailAppended, answered.Reason)
	p.clock.Add(time.Minute)
	p.deliver()
	answer := newest(t, server, "ana@example.com")
	head = answer.Message(t).Header
	refs := strings.Fields(head.Get("References"))
	if len(refs) != 3 || !strings.HasPrefix(refs[0], "<ticket.") || head.Get("In-Reply-To") != refs[2] || refs[2] != received.Get("Message-Id") || refs[1] != "<mail1@example.com>" {
		t.Errorf("the answer refers to %q and answers %q", refs, head.Get("In-Reply-To"))
	}
	if head.Get("Subject") != received.Get("Subject") || head.Get("Thread-Index") != received.Get("Thread-Index") || head.Get("Thread-Index") == "" {
		t.Errorf("the subjects are %q and %q, the indexes %q and %q", received.Get("Subject"), head.Get("Subject"), received.Get("Thread-Index"), head.Get("Thread-Index"))
	}
	if text := mailBody(answer); !strings.Contains(text, "We come by.") || !strings.Contains(text, "Ines, *service*") || strings.Contains(text, "Sent by") {
		t.Errorf("the customer reads\n%s", text)
	}
	d, err := p.ShowTicket(t.Context(), first.Ticket, true)
	if err != nil || len(d.Messages) != 2 || d.Messages[1].Quoted != "" {
		t.Errorf("the ticket keeps what the agent quoted: %+v, %v", d.Messages, err)
	}

	// What Ana writes next comes after what she got, so the next mail to her
	// answers that.
	p.clock.Add(time.Minute)
	p.take(letter{from: "ana@example.com", subject: head.Get("Subject"), body: "Thanks!", header: map[string]string{"To": head.Get("Reply-To")}})
	if err := p.DeskReply(t.Context(), p.agent.ID, first.Ticket, Answer{Body: "You are welcome."}); err != nil {
		t.Fatal(err)
	}
	p.deliver()
	if got := newest(t, server, "ana@example.com").Message(t).Header.Get("In-Reply-To"); got != "<mail3@example.com>" {
		t.Errorf("the last mail answers %q, want Ana's", got)
	}

	// Servers without plus addresses get the plain one.
	p.settings(func(m *portal.MailIn) { m.Plus = portal.PlusOff })
	if err := p.DeskReply(t.Context(), p.agent.ID, first.Ticket, Answer{Body: "One more thing."}); err != nil {
		t.Fatal(err)
	}
	p.deliver()
	if got := newest(t, server, "ana@example.com").Message(t).Header.Get("Reply-To"); strings.Contains(got, "+") || !strings.Contains(got, "support@example.com") {
		t.Errorf("without plus addresses answers go to %q", got)
	}
}

func TestEachPartyGetsOneMailOfWhatTheyWantToHear(t *testing.T) {
	w := newWorld(t, nil)
	n := w.open(w.as(w.ana), NewTicket{Participants: []string{"bo@example.com"}})
	w.mails()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.agent.Notify = portal.AgentNotifyNone
		return tx.SaveAgent(ctx, w.agent)
	})
	reply := func() {
		t.Helper()
		if err := w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: "Hello."}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		ana, bo portal.ContactNotify
		want    string
	}{
		{"", "", "message to ana@example.com, message to bo@example.com"},
		{portal.NotifyMine, portal.NotifyMine, "message to ana@example.com"},
		{portal.NotifyNone, portal.NotifyAll, "message to bo@example.com"},
		{portal.NotifyDigest, portal.NotifyNone, "message to ana@example.com"},
	} {
		w.change(w.ana, func(c *portal.Contact) { c.Notify = tt.ana })
		w.change(w.bo, func(c *portal.Contact) { c.Notify = tt.bo })
		reply()
		if got := strings.Join(w.mails(), ", "); got != tt.want {
			t.Errorf("%q and %q are told %s, want %s", tt.ana, tt.bo, got, tt.want)
		}
	}
}

func TestBouncedAndMutedAreLeftAloneWhenTheMailLeaves(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	n := w.open(w.as(w.ana), NewTicket{Participants: []string{"bo@example.com"}})
	w.mails()
	if err := w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: "Hello."}); err != nil {
		t.Fatal(err)
	}
	w.change(w.ana, func(c *portal.Contact) { c.Notify = portal.NotifyNone })
	w.deliver()
	for _, m := range server.Mails() {
		if m.To == "ana@example.com" {
			t.Errorf("who turned mail off got one:\n%s", m.Raw)
		}
	}
	c := &portal.Contact{ID: w.bo.ID, Email: "bo@example.com", Bounced: "bo@example.com", BouncedWhy: "550 no such user"}
	if why := silence(c, &portal.Ticket{Requester: w.ana.ID}, store.MailMessage); !strings.Contains(why, "550 no such user") {
		t.Errorf("a bounced address: %q", why)
	}
	if c.Email = "bo@new.example"; silence(c, &portal.Ticket{}, store.MailMessage) != "" {
		t.Error("the bounce of an address they had holds for the new one")
	}
}

func TestAgentsHearOfWhatIsTheirs(t *testing.T) {
	w := newWorld(t, nil)
	add := func(name string, change func(*portal.Agent)) *portal.Agent {
		a := &portal.Agent{Email: name + "@desk.example", Name: name, Role: portal.RoleAgent, EveryInbox: true}
		change(a)
		w.write(func(ctx context.Context, tx *store.Tx) error { return tx.AddAgent(ctx, a) })
		return a
	}
	all := add("all", func(a *portal.Agent) { a.Notify = portal.AgentNotifyAll })
	add("none", func(a *portal.Agent) { a.Notify = portal.AgentNotifyNone })
	add("gone", func(a *portal.Agent) { a.Disabled = true })
	add("elsewhere", func(a *portal.Agent) { a.EveryInbox, a.Notify = false, portal.AgentNotifyAll })
	ana := w.as(w.ana)
	told := func() string {
		t.Helper()
		var list []string
		for _, m := range w.mails() {
			if !strings.Contains(m, "ana@") {
				list = append(list, m)
			}
		}
		slices.Sort(list)
		return strings.Join(list, ", ")
	}
	n := w.open(ana, NewTicket{})
	if got := told(); got != "agent_ticket to agent@example.com, agent_ticket to all@desk.example" {
		t.Errorf("a ticket nobody has told %s", got)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		tk, err := tx.Ticket(ctx, n)
		if err != nil {
			return err
		}
		tk.Assignee = all.ID
		return tx.SaveTicket(ctx, tk)
	})
	for tell, want := range map[portal.TellDesk]string{
		portal.TellAuto:    "agent_message to all@desk.example",
		portal.TellAgents:  "agent_message to all@desk.example",
		portal.TellAddress: "desk_message to support@example.com",
		portal.TellBoth:    "agent_message to all@desk.example, desk_message to support@example.com",
	} {
		if _, _, err := w.SetInbox(t.Context(), "Support", InboxChanges{Mail: &MailChanges{Tell: &tell}}); err != nil {
			t.Fatal(err)
		}
		if err := w.Reply(t.Context(), ana, n, Answer{Body: "And?"}); err != nil {
			t.Fatal(err)
		}
		if got := told(); got != want {
			t.Errorf("with --tell %s an answer told %s, want %s", tell, got, want)
		}
	}
	// Nobody who wants to hear: the address does.
	w.write(func(ctx context.Context, tx *store.Tx) error {
		all.Notify = portal.AgentNotifyNone
		return tx.SaveAgent(ctx, all)
	})
	auto := portal.TellAuto
	if _, _, err := w.SetInbox(t.Context(), "Support", InboxChanges{Mail: &MailChanges{Tell: &auto}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Reply(t.Context(), ana, n, Answer{Body: "And?"}); err != nil {
		t.Fatal(err)
	}
	if got := told(); got != "desk_message to support@example.com" {
		t.Errorf("where no agent wants to hear, it told %s", got)
	}
}

// Hidden mail has nothing of the ticket in any header or part of any mail.
func TestHiddenMailLeaksNothing(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, func(p *portal.Portal) {
		p.Tickets.MailContent, p.Tickets.MailHistory = portal.MailHidden, true
		p.Tickets.Fields = []portal.TicketField{{Key: "order", Label: "Zorder", Type: portal.FieldText}}
	}).through(server)
	both := portal.TellBoth
	if _, _, err := w.SetInbox(t.Context(), "Support", InboxChanges{Mail: &MailChanges{Tell: &both}}); err != nil {
		t.Fatal(err)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.agent.Signature, w.agent.Name = "Zsignature", "Zagent"
		return tx.SaveAgent(ctx, w.agent)
	})
	w.change(w.ana, func(c *portal.Contact) { c.Name = "Zana" })
	w.change(w.eve, func(c *portal.Contact) { c.Notify = portal.NotifyDigest })
	ana := w.as(w.ana)
	file := Upload{Name: "Zfile.txt", Content: strings.NewReader("Zcontent")}
	n := w.open(ana, NewTicket{
		Subject: "Zsubject", Body: "Zbody", Fields: map[string]string{"order": "Zvalue"}, Files: []Upload{file}, Participants: []string{"bo@example.com"},
	})
	for _, step := range []func() error{
		func() error { return w.Reply(t.Context(), ana, n, Answer{Body: "Zmore"}) },
		func() error { return w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: "Zanswer", Close: true}) },
		func() error { w.change(w.bo, func(c *portal.Contact) { c.Notify = portal.NotifyDigest }); return nil },
		func() error { return w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: "Zagain"}) },
		func() error { return w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: "Zthird"}) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	w.deliver()
	w.clock.Add(24 * time.Hour)
	w.deliver()
	mails := server.Mails()
	kinds := map[string]int{}
	own := map[string]string{"ana@example.com": "Zana", "agent@example.com": "Zagent"}
	for _, m := range mails {
		raw := strings.ReplaceAll(string(m.Raw), "=\r\n", "")
		if name := own[m.To]; name != "" {
			raw = strings.ReplaceAll(raw, name, "") // their own, in To and in the greeting
		}
		kinds[m.To]++
		for _, secret := range []string{"Zsubject", "Zbody", "Zmore", "Zanswer", "Zagain", "Zthird", "Zfile", "Zcontent", "Zvalue", "Zorder", "Zana", "Zagent", "Zsignature", "Acme"} {
			if strings.Contains(raw, secret) {
				t.Errorf("a mail to %s says %s", m.To, secret)
			}
		}
		if !strings.Contains(raw, n.String()) {
			t.Errorf("a mail to %s does not say which ticket:\n%s", m.To, raw)
		}
	}
	if kinds["ana@example.com"] != 4 || kinds["bo@example.com"] != 4 || kinds["agent@example.com"] != 2 || kinds["support@example.com"] != 2 {
		t.Errorf("mails went to %v", kinds)
	}
}

func TestDigestComesOnceADayAtEight(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	n := w.open(w.as(w.ana), NewTicket{Participants: []string{"bo@example.com"}})
	w.change(w.bo, func(c *portal.Contact) { c.Notify, c.TimeZone = portal.NotifyDigest, "America/New_York" })
	w.mails()
	start := w.clock.Now()
	eight := nextDigest(start, zone(t, "America/New_York"))
	if h := eight.In(zone(t, "America/New_York")); h.Hour() != 8 || h.Minute() != 0 || !eight.After(start) || eight.Sub(start) > 24*time.Hour {
		t.Fatalf("the digest after %v is due at %v", start, h)
	}
	for i := range 3 {
		if err := w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: fmt.Sprintf("Message %d.", i+1)}); err != nil {
			t.Fatal(err)
		}
	}
	var came []time.Time
	for at := start; at.Before(start.Add(49 * time.Hour)); at = w.clock.Add(30 * time.Minute) {
		before := len(server.Mails())
		w.deliver()
		for _, m := range server.Mails()[before:] {
			if m.To == "bo@example.com" {
				came = append(came, at)
			}
		}
	}
	if len(came) != 1 || came[0].Before(eight) || came[0].Sub(eight) >= 30*time.Minute {
		t.Fatalf("digests came at %v, want one at %v", came, eight)
	}
	m := newest(t, server, "bo@example.com")
	text, head := mailBody(m), m.Message(t).Header
	for i := range 3 {
		if !strings.Contains(text, fmt.Sprintf("Message %d.", i+1)) {
			t.Errorf("the digest leaves out message %d:\n%s", i+1, text)
		}
	}
	if !strings.Contains(head.Get("Message-Id"), ".digest@") || head.Get("References") != "" || strings.Contains(head.Get("Reply-To"), "+t") {
		t.Errorf("an answer to the digest would find a ticket: %v", head)
	}
	off := strings.Trim(head.Get("List-Unsubscribe"), "<>")
	token := off[strings.LastIndexByte(off, '/')+1:]
	if link, err := w.NoticeOff(t.Context(), token); err != nil || link.Kind != NoticesDigest {
		t.Errorf("the link reads %+v, %v", link, err)
	}

	// Who wants everything at once from now on does not wait till morning.
	if err := w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: "Waiting."}); err != nil {
		t.Fatal(err)
	}
	all := portal.NotifyAll
	if _, _, err := w.SetContact(t.Context(), "bo@example.com", ContactInput{Notify: &all}); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	if text := mailBody(newest(t, server, "bo@example.com")); !strings.Contains(text, "Waiting.") {
		t.Errorf("what waited for the digest was not let go:\n%s", text)
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// The clock that is put forward or back makes no digest of 25 hours late.
func TestDigestOverTheChangeOfTheClocks(t *testing.T) {
	stockholm := zone(t, "Europe/Stockholm")
	for _, tt := range []struct{ now, want string }{
		{"2026-03-28T20:00:00Z", "2026-03-29T06:00:00Z"},
		{"2026-10-24T20:00:00Z", "2026-10-25T07:00:00Z"},
		{"2026-07-01T06:00:00Z", "2026-07-02T06:00:00Z"},
		{"2026-07-01T05:59:59Z", "2026-07-01T06:00:00Z"},
	} {
		now, _ := time.Parse(time.RFC3339, tt.now)
		if got := nextDigest(now, stockholm).Format(time.RFC3339); got != tt.want {
			t.Errorf("after %s the digest is due at %s, want %s", tt.now, got, tt.want)
		}
	}
}

func TestNoticesAreTurnedOffByTheirOwnLinkOnly(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	token, err := w.noticeToken(w.bo, NoticesAsParticipant)
	if err != nil {
		t.Fatal(err)
	}
	notify := func() portal.ContactNotify {
		c, err := w.Contact(ctx, "bo@example.com")
		if err != nil {
			t.Fatal(err)
		}
		return c.Notify
	}
	if _, err := w.NoticeOff(ctx, token); err != nil || notify() != portal.NotifyAll {
		t.Errorf("looking changed something, or failed: %v", err)
	}
	other := "c" + fmt.Sprint(w.ana.ID) + strings.TrimLeft(token, "c0123456789")
	for _, bad := range []string{"", "c1", token + "x", token[:len(token)-1], strings.ToUpper(token), strings.Replace(token, "participant", "digest", 1), other, "x.y.z"} {
		if _, err := w.TurnNoticeOff(ctx, bad); portal.KindOf(err) != portal.NotFound {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for range 2 {
		if link, err := w.TurnNoticeOff(ctx, token); err != nil || link.Kind != NoticesAsParticipant || notify() != portal.NotifyMine {
			t.Errorf("turning off: %+v, %v, and they hear of %s", link, err, notify())
		}
	}
	w.change(w.bo, func(c *portal.Contact) { c.Notify = portal.NotifyNone })
	if _, err := w.TurnNoticeOff(ctx, token); err != nil || notify() != portal.NotifyNone {
		t.Errorf("a link made a narrower choice wider: %v, %s", err, notify())
	}
	w.change(w.bo, func(c *portal.Contact) { c.Email = "bo@new.example" })
	if _, err := w.TurnNoticeOff(ctx, token); portal.KindOf(err) != portal.NotFound {
		t.Errorf("the link of an address they do not have any more: %v", err)
	}
}

// Whoever opened a ticket by mail and never was a member hears of its answers;
// a ticket from a page tells nobody who may not come in.
func TestAnswersReachWhoOnlyMails(t *testing.T) {
	w := newWorld(t, nil)
	for _, test := range []struct {
		name   string
		via    portal.TicketVia
		member portal.MemberStatus // "": never one
		told   bool
	}{
		{"by mail, never a member", portal.ViaMail, "", true},
		{"by mail, disabled since", portal.ViaMail, portal.Disabled, false},
		{"on a page, not let in any more", portal.ViaPortal, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w.write(func(ctx context.Context, tx *store.Tx) error {
				c := &portal.Contact{Email: strings.ReplaceAll(strings.Split(t.Name(), "/")[1], ",", "") + "@elsewhere.example", Name: "Outsider"}
				if err := tx.AddContact(ctx, c); err != nil {
					return err
				}
				if test.member != "" {
					if err := tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: c.ID, Status: test.member}); err != nil {
						return err
					}
				}
				k := &portal.Ticket{Subject: "Help", Status: portal.New, Priority: portal.Normal, Requester: c.ID, InboxID: w.portal.Tickets.InboxID, PortalID: w.portal.ID, Via: test.via}
				if err := tx.AddTicket(ctx, k); err != nil {
					return err
				}
				m := &portal.Message{Kind: portal.Public, Agent: w.agent.ID, Body: "Here it is.", Format: portal.Markdown}
				if err := tx.AddMessage(ctx, k, m); err != nil {
					return err
				}
				if err := tx.SaveTicket(ctx, k); err != nil {
					return err
				}
				mail := ticketMail(store.MailMessage, k, c)
				mail.Message = m.ID
				if err := w.queueMail(ctx, tx, mail); err != nil {
					return err
				}
				p, err := w.pack(ctx, tx, mail)
				if err == nil && (p.drop == "") != test.told {
					t.Errorf("dropped because %q; told: %v", p.drop, test.told)
				}
				return err
			})
		})
	}
}
