package app

import (
	"slices"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestCannedAnswers(t *testing.T) {
	w := newDeskWorld(t)
	ctx := t.Context()
	if _, _, err := w.AddInbox(ctx, "Sales", portal.InboxHelpdesk, ""); err != nil {
		t.Fatal(err)
	}
	set := func(v *Visit, name, body, inbox string) (*portal.Canned, error) {
		c, _, _, err := w.SetCanned(ctx, v, CannedInput{Name: &name, Body: &body, Inbox: &inbox})
		return c, err
	}
	hello, err := set(w.ines, "Hello", "Hi {{ First_Name }}, about {{number}} “{{subject}}”: {{link}}. {{agent}}, {{portal}}, {{company}}, {{customer}}", "")
	if err != nil {
		t.Fatal(err)
	}
	sales, err := set(nil, "Prices", "See our list.", "Sales")
	if err != nil {
		t.Fatal(err)
	}
	_, err = set(w.ines, "Odd", "Dear {{firstname}}", "")
	wantCode(t, err, "canned.placeholder")
	_, err = set(w.ines, "HELLO", "Again", "")
	wantCode(t, err, "canned.exists")
	_, err = set(w.ines, "", "", "")
	wantCode(t, err, "field.required")

	// A customer's words must not become markup of the agent's.
	if _, _, err := w.SetContact(ctx, "ana@example.com", ContactInput{Name: new("[Ana](https://evil.example) *Lind*")}); err != nil {
		t.Fatal(err)
	}
	text, err := w.FillCanned(ctx, w.ines, w.n, hello.ID)
	want := `Hi \[Ana\](https://evil.example), about T-1001 “The pump leaks”: http://portal.test:8080/help/tickets/T-1001. Ines, Help, Acme, \[Ana\](https://evil.example) \*Lind\*`
	if err != nil || text != want {
		t.Errorf("filled:\n%s\nwant\n%s\n%v", text, want, err)
	}
	_, err = w.FillCanned(ctx, w.ines, w.n, sales.ID)
	wantCode(t, err, "canned.other_inbox")

	// An agent who is given one inbox uses what is for all and for it, and
	// changes the latter only.
	lim := w.agentVisit(w.addAgent("lim@example.com", "Lim", false, w.ticket().InboxID))
	names := func(v *Visit) (list []string) {
		all, err := w.CannedAnswers(ctx, v)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			list = append(list, c.Name)
		}
		return list
	}
	if got := names(lim); !slices.Equal(got, []string{"Hello"}) {
		t.Errorf("a limited agent finds %q", got)
	}
	if got := names(nil); !slices.Equal(got, []string{"Hello", "Prices"}) {
		t.Errorf("an operator finds %q", got)
	}
	_, _, _, err = w.SetCanned(ctx, lim, CannedInput{ID: hello.ID, Body: new("Changed")})
	wantCode(t, err, "canned.not_yours")
	_, _, _, err = w.SetCanned(ctx, lim, CannedInput{ID: sales.ID, Body: new("Changed")})
	wantCode(t, err, "canned.none")
	_, err = w.RemoveCanned(ctx, lim, hello.ID, "")
	wantCode(t, err, "canned.not_yours")
	own, err := set(lim, "Ours", "Ours", "Support")
	if err != nil {
		t.Fatal(err)
	}
	_, _, _, err = w.SetCanned(ctx, lim, CannedInput{ID: own.ID, Inbox: new("")})
	wantCode(t, err, "canned.not_yours")
	if _, _, changes, err := w.SetCanned(ctx, w.ines, CannedInput{ID: own.ID, Name: new("Theirs"), Inbox: new("")}); err != nil || len(changes) != 2 {
		t.Errorf("changed %v, %v", changes, err)
	}
	if _, _, changes, err := w.SetCanned(ctx, nil, CannedInput{Name: new("theirs"), Body: new("Ours")}); err != nil || len(changes) != 0 {
		t.Errorf("setting what is so changed %v, %v", changes, err)
	}
	if _, err := w.RemoveCanned(ctx, nil, 0, "theirs"); err != nil {
		t.Error(err)
	}
	_, err = w.RemoveCanned(ctx, nil, 0, "theirs")
	wantCode(t, err, "canned.none")
	_, _, _, err = w.SetCanned(ctx, w.as(w.ana), CannedInput{ID: hello.ID, Body: new("Mine")})
	wantCode(t, err, "desk.agents")
}

func TestMentions(t *testing.T) {
	w := newDeskWorld(t)
	ctx := t.Context()
	w.addAgent("lim@example.com", "Lim Ho", false)
	note := func(text string) error { return w.SaveNote(ctx, w.ines, w.n, text, nil) }
	if err := note("Can you look, @Olle? Write to ana@example.com or @nobody."); err != nil {
		t.Fatal(err)
	}
	unseen := func(v *Visit) []portal.TicketNumber {
		list, err := w.QueueTickets(ctx, v, QueueQuery{DeskQuery: portal.DeskQuery{Queue: portal.QueueAll}})
		if err != nil {
			t.Fatal(err)
		}
		var called []portal.TicketNumber
		for i := range list.Rows {
			if list.Rows[i].Called {
				called = append(called, list.Rows[i].Number)
			}
		}
		return called
	}
	if got := unseen(w.olle); !slices.Equal(got, []portal.TicketNumber{w.n}) {
		t.Errorf("Olle is called to %v", got)
	}
	if got := w.mails(); !slices.Equal(got, []string{"agent_mention to olle@example.com"}) {
		t.Errorf("mails %q", got)
	}
	if got := unseen(w.ines); len(got) != 0 {
		t.Errorf("Ines is called to %v", got)
	}
	c, err := w.Conversation(ctx, w.olle, w.n, 0)
	if err != nil || len(c.Mentions) != 1 || !c.Mentions[0].Unseen {
		t.Errorf("the page says %+v, %v", c.Mentions, err)
	}
	if got := unseen(w.olle); len(got) != 0 {
		t.Errorf("read, and still called to %v", got)
	}
	if c, err = w.Conversation(ctx, w.olle, w.n, 0); err != nil || len(c.Mentions) != 1 || c.Mentions[0].Unseen {
		t.Errorf("the page says later %+v, %v", c.Mentions, err)
	}
	err = note("@lim@example.com, please")
	wantCode(t, err, "mention.no_access")
	w.addAgent("olle2@example.com", "Olle Berg", true)
	wantCode(t, note("@olle again"), "mention.ambiguous")
	if err := note("@Olle Ek again"); err != nil {
		t.Error(err)
	}
	// What the customer reads calls nobody.
	w.send(w.ines, "Ask @Olle Ek", DeskAnswer{})
	if c, err = w.Conversation(ctx, w.olle, w.n, 0); err != nil || len(c.Mentions) != 2 {
		t.Errorf("mentions %+v, %v", c.Mentions, err)
	}
}

func TestOpeningATicketForSomebody(t *testing.T) {
	w := newDeskWorld(t)
	ctx := t.Context()
	o, err := w.DeskOpening(ctx, w.ines, "ana")
	if err != nil || len(o.Found) != 1 || o.Found[0].Email != "ana@example.com" || len(o.Inboxes) != 1 {
		t.Errorf("offered %+v, %v", o, err)
	}
	w.mails()
	n, err := w.OpenFor(ctx, w.ines, NewForContact{Email: "Ana@Example.com", Subject: "By phone", Body: "It drips", AsAgent: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := w.ShowTicket(ctx, n, true)
	if err != nil || d.Requester != w.ana.ID || d.Messages[0].Agent != w.agent.ID || d.Status != portal.WaitingOnCustomer {
		t.Errorf("opened %+v, %v", d, err)
	}
	if got := w.mails(); !slices.Equal(got, []string{"message to ana@example.com"}) {
		t.Errorf("mails %q", got)
	}
	_, err = w.OpenFor(ctx, w.ines, NewForContact{Email: "new@example.com", Subject: "s", Body: "b"})
	wantCode(t, err, "desk.no_contact")
	_, err = w.OpenFor(ctx, w.ines, NewForContact{Email: "odd", Subject: "", Body: ""})
	for _, code := range []string{"field.email", "field.required"} {
		wantCode(t, err, code)
	}
	if n, err = w.OpenFor(ctx, w.ines, NewForContact{Email: "new@example.com", Name: "Nea", Add: true, Subject: "s", Body: "b"}); err != nil {
		t.Fatal(err)
	}
	if d, err = w.ShowTicket(ctx, n, true); err != nil || d.RequesterName != "Nea" || d.Messages[0].Contact != d.Requester {
		t.Errorf("opened %+v, %v", d.Ticket, err)
	}
	lim := w.agentVisit(w.addAgent("lim@example.com", "Lim", false))
	_, err = w.OpenFor(ctx, lim, NewForContact{Email: "ana@example.com", Subject: "s", Body: "b"})
	wantCode(t, err, "inbox.none")
	_, err = w.OpenFor(ctx, w.as(w.ana), NewForContact{Email: "bo@example.com", Subject: "s", Body: "b"})
	wantCode(t, err, "desk.agents")
}

func TestContactCardHoldsOnlyWhatTheReaderMaySee(t *testing.T) {
	w := newDeskWorld(t)
	ctx := t.Context()
	sales, _, err := w.AddInbox(ctx, "Sales", portal.InboxHelpdesk, "")
	if err != nil {
		t.Fatal(err)
	}
	for range 7 {
		if _, err := w.OpenFor(ctx, w.ines, NewForContact{Email: "ana@example.com", Subject: "Secret of sales", Body: "b", Inbox: sales.ID}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.OpenFor(ctx, w.ines, NewForContact{Email: "bo@example.com", Subject: "Bo's", Body: "b"}); err != nil {
		t.Fatal(err)
	}
	c, err := w.Conversation(ctx, w.ines, w.n, 0)
	if err != nil || len(c.Card.Tickets) != cardRows || c.Card.TicketsAll != 7 || len(c.Card.OfCompany) != 1 {
		t.Errorf("Ines finds %d of %d, %d of the company (%v)", len(c.Card.Tickets), c.Card.TicketsAll, len(c.Card.OfCompany), err)
	}
	lim := w.agentVisit(w.addAgent("lim@example.com", "Lim", false, w.ticket().InboxID))
	c, err = w.Conversation(ctx, lim, w.n, 0)
	if err != nil || len(c.Card.Tickets) != 0 || c.Card.TicketsAll != 0 || len(c.Card.OfCompany) != 1 {
		t.Errorf("Lim finds %+v (%v)", c.Card.Tickets, err)
	}
}
