package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// opens opens a ticket of a contact's.
func (w *world) opens(c *portal.Contact, subject string, change ...func(*DeskTicket)) portal.TicketNumber {
	w.t.Helper()
	in := DeskTicket{Requester: c.ID, Portal: w.portal.ID, Subject: subject, Body: "body of " + subject}
	for _, do := range change {
		do(&in)
	}
	n, err := w.CreateTicket(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) stored(n portal.TicketNumber) (t *portal.Ticket) {
	w.t.Helper()
	w.read(func(ctx context.Context, tx *store.Tx) (err error) { t, err = tx.Ticket(ctx, n); return err })
	return t
}

// told lists what happened to a ticket, as kinds with their values.
func (w *world) told(n portal.TicketNumber) (list []string) {
	w.t.Helper()
	w.read(func(ctx context.Context, tx *store.Tx) error {
		events, err := tx.Events(ctx, n, true)
		for _, e := range events {
			list = append(list, strings.Trim(string(e.Kind)+" "+e.From+">"+e.To, " >"))
		}
		return err
	})
	return list
}

func (w *world) agentNamed(name string, inboxes ...portal.InboxID) *portal.Agent {
	w.t.Helper()
	agent := &portal.Agent{Email: name + "@desk.example", Name: name, Role: portal.RoleAgent, EveryInbox: len(inboxes) == 0, Inboxes: inboxes}
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.AddAgent(ctx, agent) })
	return agent
}

func (w *world) inboxNamed(name string) *portal.Inbox {
	w.t.Helper()
	i := &portal.Inbox{Name: name, Kind: portal.InboxHelpdesk}
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.AddInbox(ctx, i) })
	return i
}

// settings changes how the desk of the world's inbox works.
func (w *world) desk(change func(*portal.DeskSettings)) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		i, err := tx.Inbox(ctx, w.portal.Tickets.InboxID)
		if err != nil {
			return err
		}
		change(&i.Desk)
		return tx.SaveInbox(ctx, i)
	})
}

func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestTagsSnoozesPromisesAndLinks(t *testing.T) {
	w := newWorld(t, nil)
	ctx, h, yes := t.Context(), HandOf(w.asAgent()), must[bool](t)
	n, other := w.opens(w.ana, "one"), w.opens(w.bo, "two")

	if !yes(w.TagTicket(ctx, h, n, "Refund, VIP customer,refund", "")) || yes(w.TagTicket(ctx, h, n, "refund", "nothing")) {
		t.Error("tags were put on twice, or not at all")
	}
	if !yes(w.TagTicket(ctx, h, n, "", "refund")) {
		t.Error("a tag stayed")
	}
	_, err := w.TagTicket(ctx, h, n, "a<b", "")
	wantCode(t, err, "ticket.tag")
	_, err = w.TagTicket(ctx, h, n, "", "")
	wantCode(t, err, "field.required")
	var many []string
	for i := range portal.MaxTags {
		many = append(many, fmt.Sprint("t", i))
	}
	_, err = w.TagTicket(ctx, h, n, strings.Join(many, ","), "")
	wantCode(t, err, "ticket.tags_many")
	if tags := must[[]string](t)(w.Tags(ctx, h)); !slices.Equal(tags, []string{"vip-customer"}) {
		t.Errorf("known tags %q", tags)
	}

	until := w.clock.Now().Add(48 * time.Hour)
	if !yes(w.Snooze(ctx, h, n, until)) || yes(w.Snooze(ctx, h, n, until)) || !w.stored(n).SnoozedAt(w.clock.Now()) {
		t.Error("the ticket is not snoozed, or is twice")
	}
	_, err = w.Snooze(ctx, h, n, w.clock.Now())
	wantCode(t, err, "ticket.past")
	_, err = w.Snooze(ctx, h, n, w.clock.Now().AddDate(5, 0, 0))
	wantCode(t, err, "ticket.far")
	if !yes(w.Wake(ctx, h, n)) || yes(w.Wake(ctx, h, n)) {
		t.Error("the ticket woke twice, or not at all")
	}
	yes(w.Snooze(ctx, h, n, until))
	if err := w.Reply(ctx, w.as(w.ana), n, Answer{Body: "hello?"}); err != nil || !w.stored(n).SnoozedUntil.IsZero() {
		t.Errorf("the customer's answer did not wake the ticket: %v", err)
	}

	at := w.clock.Now().Add(24 * time.Hour)
	if !yes(w.Promise(ctx, h, n, at)) || yes(w.Promise(ctx, h, n, at)) || !w.stored(n).Turn(w.clock.Now()).Promised.Equal(at) {
		t.Error("nothing was promised, or twice")
	}
	_, err = w.Promise(ctx, h, n, w.clock.Now().Add(-time.Minute))
	wantCode(t, err, "ticket.past")
	if err := w.DeskReply(ctx, w.agent.ID, n, Answer{Body: "still on it", Note: true}); err != nil || w.stored(n).PromisedAt.IsZero() {
		t.Errorf("a note kept the promise: %v", err)
	}
	if err := w.DeskReply(ctx, w.agent.ID, n, Answer{Body: "here it is"}); err != nil || !w.stored(n).PromisedAt.IsZero() {
		t.Errorf("an answer did not keep the promise: %v", err)
	}
	if !yes(w.Promise(ctx, h, n, at)) || !yes(w.Promise(ctx, h, n, time.Time{})) || !w.stored(n).RemindAt.IsZero() {
		t.Error("the promise was not taken back")
	}

	if !yes(w.LinkTickets(ctx, h, n, portal.LinkBlocks, other)) || yes(w.LinkTickets(ctx, h, n, portal.LinkBlocks, other)) {
		t.Error("the tickets were linked twice, or not at all")
	}
	if links := must[*Properties](t)(w.Properties(ctx, h, other)).Links; len(links) != 1 || links[0].Kind != portal.LinkBlockedBy || links[0].Subject != "one" {
		t.Errorf("links of the other side %+v", links)
	}
	_, err = w.LinkTickets(ctx, h, n, portal.LinkRelated, n)
	wantCode(t, err, "ticket.self")
	if !yes(w.UnlinkTickets(ctx, h, other, n)) || yes(w.UnlinkTickets(ctx, h, n, other)) {
		t.Error("the tickets were unlinked twice, or not at all")
	}
	for _, want := range []string{"tagged >refund, vip-customer", "untagged refund", "snoozed", "woken", "promised", "linked blocks>" + other.String(), "unlinked"} {
		if !slices.ContainsFunc(w.told(n), func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("the history has no %q: %q", want, w.told(n))
		}
	}
	yes(w.DeskClose(ctx, portal.ByOperator, n))
	_, err = w.Snooze(ctx, h, n, until)
	wantCode(t, err, "ticket.closed_snooze")
	_, err = w.Promise(ctx, h, n, at)
	wantCode(t, err, "ticket.closed_promise")
}

// What an agent does not see is to them as if it did not exist, and what
// somebody who is no agent asks for as well.
func TestHandsReachNoFurtherThanTheirInboxes(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	billing := w.inboxNamed("Billing")
	n := w.opens(w.ana, "one")
	far := w.opens(w.ana, "far", func(in *DeskTicket) { in.Inbox = billing.ID })
	omar := w.agentNamed("omar", w.portal.Tickets.InboxID)
	later := w.clock.Now().Add(time.Hour)
	acts := map[string]func(Hand, portal.TicketNumber) error{
		"tag":     func(h Hand, n portal.TicketNumber) error { return failed(w.TagTicket(ctx, h, n, "x", "")) },
		"snooze":  func(h Hand, n portal.TicketNumber) error { return failed(w.Snooze(ctx, h, n, later)) },
		"wake":    func(h Hand, n portal.TicketNumber) error { return failed(w.Wake(ctx, h, n)) },
		"promise": func(h Hand, n portal.TicketNumber) error { return failed(w.Promise(ctx, h, n, later)) },
		"assign":  func(h Hand, n portal.TicketNumber) error { return failed(w.Assign(ctx, h, n, 0)) },
		"set": func(h Hand, n portal.TicketNumber) error {
			return failed(w.SetTicket(ctx, h, n, TicketPatch{Priority: new(portal.High)}))
		},
		"link": func(h Hand, n portal.TicketNumber) error {
			return failed(w.LinkTickets(ctx, h, n, portal.LinkRelated, portal.FirstTicketNumber))
		},
		"unlink": func(h Hand, n portal.TicketNumber) error {
			return failed(w.UnlinkTickets(ctx, h, n, portal.FirstTicketNumber))
		},
		"plan": func(h Hand, n portal.TicketNumber) error {
			return failed(w.PlanMerge(ctx, h, n, portal.FirstTicketNumber))
		},
		"merge":      func(h Hand, n portal.TicketNumber) error { return w.Merge(ctx, h, n, portal.FirstTicketNumber, "") },
		"merge into": func(h Hand, n portal.TicketNumber) error { return w.Merge(ctx, h, portal.FirstTicketNumber, n, "") },
		"split":      func(h Hand, n portal.TicketNumber) error { return failed(w.Split(ctx, h, n, 1, "")) },
		"choices":    func(h Hand, n portal.TicketNumber) error { return failed(w.SplitChoices(ctx, h, n)) },
		"properties": func(h Hand, n portal.TicketNumber) error { return failed(w.Properties(ctx, h, n)) },
	}
	for what, do := range acts {
		seen, missing := do(HandOf(&Visit{Agent: omar}), far), do(HandOf(&Visit{Agent: omar}), 9999)
		if portal.KindOf(seen) != portal.NotFound || portal.KindOf(missing) != portal.NotFound {
			t.Errorf("%s: %v in another inbox, %v for none", what, seen, missing)
		}
		if err := do(HandOf(w.as(w.ana)), n); portal.KindOf(err) != portal.NotFound {
			t.Errorf("%s by a customer: %v", what, err)
		}
	}
	// Nor does a link or a list of inboxes tell of what lies there.
	h := CommandHand(portal.ByOperator)
	must[bool](t)(w.LinkTickets(ctx, h, n, portal.LinkRelated, far))
	p := must[*Properties](t)(w.Properties(ctx, HandOf(&Visit{Agent: omar}), n))
	if len(p.Links) != 0 || len(p.Inboxes) != 1 {
		t.Errorf("omar reads links %+v, inboxes %d", p.Links, len(p.Inboxes))
	}
	_, err := w.SetTicket(ctx, HandOf(&Visit{Agent: omar}), n, TicketPatch{Inbox: &billing.ID})
	wantCode(t, err, "inbox.none")
	_, err = w.Assign(ctx, h, far, omar.ID)
	wantCode(t, err, "agent.not_their_inbox")

	// A ticket that leaves an inbox leaves those who do not see the other.
	must[bool](t)(w.Assign(ctx, h, n, omar.ID))
	changes := must[[]Change](t)(w.SetTicket(ctx, h, n, TicketPatch{Inbox: &billing.ID}))
	if len(changes) != 1 || w.stored(n).Assignee != 0 {
		t.Errorf("moved with %v, and %d has it", changes, w.stored(n).Assignee)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error { omar.Disabled = true; return tx.SaveAgent(ctx, omar) })
	wantCode(t, failed(w.TagTicket(ctx, HandOf(&Visit{Agent: omar}), n, "x", "")), "agent.disabled")
}

func TestSetTicketChangesAllOrNothing(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) {
		p.Tickets.Fields = []portal.TicketField{{Key: "order", Label: "Order", Type: portal.FieldNumber, Required: true}, {Key: "category", Type: portal.FieldChoice, Options: []string{"Billing", "Delivery"}}}
	})
	w.desk(func(s *portal.DeskSettings) {
		s.SetTarget(portal.Normal, portal.Target{Answer: 4 * time.Hour, Resolve: 40 * time.Hour})
		s.SetTarget(portal.Urgent, portal.Target{Answer: time.Hour, Resolve: 8 * time.Hour})
	})
	ctx, h := t.Context(), HandOf(w.asAgent())
	n := w.opens(w.ana, "one")
	if got := w.stored(n).AnswerDueAt.Sub(w.clock.Now()); got != 4*time.Hour {
		t.Errorf("a new ticket is to be answered in %s", got)
	}
	_, err := w.SetTicket(ctx, h, n, TicketPatch{Priority: new(portal.Urgent), Fields: map[string]string{"order": "x"}})
	wantCode(t, err, "field.number")
	_, err = w.SetTicket(ctx, h, n, TicketPatch{Fields: map[string]string{"unknown": "x"}})
	wantCode(t, err, "ticket.field")
	if w.stored(n).Priority != portal.Normal {
		t.Error("half of a refused change was made")
	}
	before := w.stored(n).UpdatedAt
	w.clock.Add(time.Minute)
	changes := must[[]Change](t)(w.SetTicket(ctx, h, n, TicketPatch{
		Priority: new(portal.Urgent), Category: new("Billing"), Subject: new("better"), Confidential: new(true), Fields: map[string]string{"order": "12"},
	}))
	k := w.stored(n)
	if len(changes) != 5 || k.Fields["order"] != "12" || !k.Confidential || k.Subject != "better" || !k.AnswerDueAt.Equal(k.CreatedAt.Add(time.Hour)) || !k.UpdatedAt.Equal(before) {
		t.Errorf("%v made %+v", changes, k)
	}
	if again := must[[]Change](t)(w.SetTicket(ctx, h, n, TicketPatch{Category: new("Billing"), Fields: map[string]string{"order": "12"}})); len(again) != 0 {
		t.Errorf("the same again changed %v", again)
	}
	// The history repeats no words that may be the customer's.
	for _, line := range w.told(n) {
		if strings.Contains(line, "12") || strings.Contains(line, "better") {
			t.Errorf("the history says %q", line)
		}
	}
	if got := must[*Properties](t)(w.Properties(ctx, h, n)); len(got.Fields) != 1 || got.Fields[0].Value != "12" || len(got.Categories) != 2 {
		t.Errorf("fields %+v, categories %v", got.Fields, got.Categories)
	}
}

func TestRulesGiveTicketsToAgents(t *testing.T) {
	w := newWorld(t, nil)
	ctx, h := t.Context(), CommandHand(portal.ByOperator)
	inbox := w.portal.Tickets.InboxID
	omar, lena := w.agentNamed("omar", inbox), w.agentNamed("lena")
	away, gone, elsewhere := w.agentNamed("away"), w.agentNamed("gone"), w.agentNamed("elsewhere", w.inboxNamed("Billing").ID)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		away.Away, gone.Disabled = true, true
		if err := tx.SaveAgent(ctx, away); err != nil {
			return err
		}
		return tx.SaveAgent(ctx, gone)
	})
	if k := w.stored(w.opens(w.ana, "none")); k.Assignee != 0 {
		t.Errorf("without a rule %d has it", k.Assignee)
	}
	w.mails()
	w.desk(func(s *portal.DeskSettings) { s.Assign = portal.AssignRoundRobin })
	var got []portal.AgentID
	for i := range 6 {
		got = append(got, w.stored(w.opens(w.ana, fmt.Sprint("turn ", i))).Assignee)
	}
	if want := []portal.AgentID{w.agent.ID, omar.ID, lena.ID, w.agent.ID, omar.ID, lena.ID}; !slices.Equal(got, want) {
		t.Errorf("turns went to %v, want %v", got, want)
	}
	if mails := strings.Join(w.mails(), ", "); strings.Count(mails, "agent_assigned to omar@desk.example") != 2 || strings.Contains(mails, "agent_ticket to omar") || strings.Contains(mails, "away@") {
		t.Errorf("mails %s", mails)
	}

	w.desk(func(s *portal.DeskSettings) { s.Assign = portal.AssignLeastOpen })
	last := w.opens(w.ana, "least")
	w.opens(w.ana, "least again")
	w.opens(w.ana, "and again")
	if _, err := w.DeskClose(ctx, portal.ByOperator, last); err != nil {
		t.Fatal(err)
	}
	freed := w.stored(last).Assignee
	if k := w.stored(w.opens(w.ana, "least of all")); k.Assignee != freed {
		t.Errorf("%d has it, though %d has fewer", k.Assignee, freed)
	}
	counts := map[portal.AgentID]int{}
	w.read(func(ctx context.Context, tx *store.Tx) error {
		v := portal.OperatorViewer()
		for _, id := range []portal.AgentID{w.agent.ID, omar.ID, lena.ID, elsewhere.ID} {
			n, err := tx.CountTickets(ctx, &v, store.TicketFilter{Assignee: id, Statuses: openStatuses}, 100)
			if err != nil {
				return err
			}
			counts[id] = n
		}
		return nil
	})
	if counts[elsewhere.ID] != 0 || max(counts[w.agent.ID], counts[omar.ID], counts[lena.ID])-min(counts[w.agent.ID], counts[omar.ID], counts[lena.ID]) > 1 {
		t.Errorf("open tickets by agent %v", counts)
	}

	// A company's own agent comes first, unless they are away.
	w.desk(func(s *portal.DeskSettings) {
		s.Assign, s.AssignCompany = portal.AssignNone, map[portal.CompanyID]portal.AgentID{w.acme.ID: lena.ID, w.eve.Primary: away.ID}
	})
	if k := w.stored(w.opens(w.bo, "of Acme")); k.Assignee != lena.ID {
		t.Errorf("Acme's ticket has %d, want %d", k.Assignee, lena.ID)
	}
	if k := w.stored(w.opens(w.eve, "of Beta")); k.Assignee != 0 {
		t.Errorf("Beta's ticket has %d, who is away", k.Assignee)
	}
	// One that was opened again and that nobody has, too.
	n := w.opens(w.bo, "again")
	if _, err := w.Assign(ctx, h, n, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := w.DeskClose(ctx, portal.ByOperator, n); err != nil {
		t.Fatal(err)
	}
	if err := w.Reply(ctx, w.as(w.bo), n, Answer{Body: "no, still"}); err != nil || w.stored(n).Assignee != lena.ID {
		t.Errorf("opened again it has %d, %v", w.stored(n).Assignee, err)
	}
}

// However many tickets come in one moment, nobody gets two more than others.
func TestTurnsGoRoundUnderLoad(t *testing.T) {
	w := newWorld(t, nil)
	agents := []*portal.Agent{w.agent, w.agentNamed("omar"), w.agentNamed("lena")}
	w.desk(func(s *portal.DeskSettings) { s.Assign = portal.AssignRoundRobin })
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			in := DeskTicket{Requester: w.ana.ID, Portal: w.portal.ID, Subject: fmt.Sprint("ticket ", i), Body: "x"}
			if _, err := w.CreateTicket(t.Context(), in); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	least, most := 50, 0
	w.read(func(ctx context.Context, tx *store.Tx) error {
		v := portal.OperatorViewer()
		for _, a := range agents {
			n, err := tx.CountTickets(ctx, &v, store.TicketFilter{Assignee: a.ID}, 100)
			if err != nil {
				return err
			}
			least, most = min(least, n), max(most, n)
		}
		return nil
	})
	if most-least > 1 || least != 16 {
		t.Errorf("of 50 tickets one has %d and another %d", most, least)
	}
}

func TestPromisesAreRemindedOfOnce(t *testing.T) {
	w := newWorld(t, nil)
	ctx, h := t.Context(), CommandHand(portal.ByOperator)
	n, nobodys := w.opens(w.ana, "one"), w.opens(w.ana, "nobody's")
	must[bool](t)(w.Assign(ctx, h, n, w.agent.ID))
	for _, k := range []portal.TicketNumber{n, nobodys} {
		must[bool](t)(w.Promise(ctx, h, k, w.clock.Now().Add(4*time.Hour)))
	}
	snoozed := w.opens(w.ana, "snoozed")
	must[bool](t)(w.Assign(ctx, h, snoozed, w.agent.ID))
	must[bool](t)(w.Snooze(ctx, h, snoozed, w.clock.Now().Add(90*time.Minute)))
	w.mails()
	for _, step := range []struct {
		pass time.Duration
		want []string
	}{
		{time.Hour, nil},
		{time.Hour, []string{"agent_snoozed to agent@example.com"}},
		{time.Hour, []string{"agent_promise to agent@example.com"}},
		{time.Hour, nil},
	} {
		w.clock.Add(step.pass)
		if err := w.LookAfterDesk(ctx); err != nil {
			t.Fatal(err)
		}
		if got := w.mails(); !slices.Equal(got, step.want) {
			t.Errorf("after %s more: %q, want %q", step.pass, got, step.want)
		}
	}
	if got := w.told(snoozed); got[len(got)-1] != "woken" {
		t.Errorf("history %q", got)
	}
	// Of a time too near, half passes before the reminder.
	must[bool](t)(w.Promise(ctx, h, n, w.clock.Now().Add(30*time.Minute)))
	if got := w.stored(n).RemindAt.Sub(w.clock.Now()); got != 15*time.Minute {
		t.Errorf("reminded in %s of half an hour", got)
	}
}

func TestFirstAnswersAreNoted(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	n, byDesk := w.opens(w.ana, "one"), w.opens(w.ana, "two", func(in *DeskTicket) { in.By = w.agent.ID })
	if err := w.DeskReply(ctx, w.agent.ID, n, Answer{Body: "a note", Note: true}); err != nil || !w.stored(n).AnsweredAt.IsZero() {
		t.Errorf("a note is an answer: %v", err)
	}
	w.clock.Add(time.Hour)
	at := w.clock.Now()
	for range 2 {
		if err := w.DeskReply(ctx, w.agent.ID, n, Answer{Body: "an answer"}); err != nil {
			t.Fatal(err)
		}
		w.clock.Add(time.Hour)
	}
	if k := w.stored(n); !k.AnsweredAt.Equal(at) {
		t.Errorf("answered at %s, want %s", k.AnsweredAt, at)
	}
	if k := w.stored(byDesk); k.AnsweredAt.IsZero() || !k.AnswerDueAt.IsZero() {
		t.Errorf("the desk wrote first, and owes an answer: %+v", k)
	}
}
