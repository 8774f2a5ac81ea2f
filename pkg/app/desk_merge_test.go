package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// planned returns the plan of a merge that has to be possible.
func (w *world) planned(from, into portal.TicketNumber) *MergePlan {
	w.t.Helper()
	return must[*MergePlan](w.t)(w.PlanMerge(w.t.Context(), CommandHand(portal.ByOperator), from, into))
}

func namesOf(list []portal.Contact) (names []string) {
	for _, c := range list {
		names = append(names, c.Name)
	}
	return names
}

func TestMergingSaysWhatItShowsToWhom(t *testing.T) {
	w := newWorld(t, nil)
	confidential := func(in *DeskTicket) { in.Confidential = true }
	with := func(c *portal.Contact) func(*DeskTicket) {
		return func(in *DeskTicket) { in.Participants = []portal.ContactID{c.ID} }
	}
	anas, another, bos := w.opens(w.ana, "a"), w.opens(w.ana, "b"), w.opens(w.bo, "c")
	eves, secret, shared := w.opens(w.eve, "d"), w.opens(w.ana, "e", confidential), w.opens(w.ana, "f", with(w.eve))
	for name, test := range map[string]struct {
		from, into     portal.TicketNumber
		joins, readers string
		colleagues     string
		confidential   bool
		loses          string
	}{
		"of one person":                        {anas, another, "", "", "", false, ""},
		"of a colleague":                       {anas, bos, "ana", "bo", "", false, ""},
		"of another company":                   {anas, eves, "ana", "eve", "Beta", false, "Acme"},
		"a confidential one into an open one":  {secret, anas, "", "", "", true, "Acme"},
		"an open one into a confidential one":  {anas, secret, "", "", "", false, "Acme"},
		"a confidential one, another company":  {secret, eves, "ana", "eve", "", true, "Beta"},
		"one with a participant":               {shared, anas, "eve", "", "", false, ""},
		"into one with a participant":          {anas, shared, "", "eve", "", false, ""},
		"of a participant into the common one": {eves, shared, "", "ana", "Acme", false, "Beta"},
	} {
		p := w.planned(test.from, test.into)
		got := []string{strings.Join(namesOf(p.Joins), " "), strings.Join(namesOf(p.Readers), " "), p.Colleagues, fmt.Sprint(p.Confidential), strings.Join(p.Loses, " ")}
		want := []string{test.joins, test.readers, test.colleagues, fmt.Sprint(test.confidential), test.loses}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	// What was agreed to is what is done, or nothing.
	h := CommandHand(portal.ByOperator)
	plan := w.planned(anas, bos)
	if err := w.AddParticipant(t.Context(), w.as(w.ana), anas, "eve@example.com"); portal.KindOf(err) != portal.Invalid {
		t.Fatal(err)
	}
	if err := w.AddParticipant(t.Context(), w.asAgent(), anas, "eve@example.com"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.Merge(t.Context(), h, anas, bos, plan.Seen), "ticket.merge_changed")
	wantCode(t, w.Merge(t.Context(), h, anas, bos, ""), "ticket.merge_changed")
	wantCode(t, w.Merge(t.Context(), h, anas, anas, ""), "ticket.self")
	if w.stored(anas).Status == portal.Closed {
		t.Error("a refused merge closed the ticket")
	}
}

func TestMergedTicketsLeadOn(t *testing.T) {
	w := newWorld(t, nil)
	ctx, h := t.Context(), HandOf(w.asAgent())
	into := w.opens(w.bo, "into")
	w.clock.Add(time.Minute)
	from := w.opens(w.ana, "from")
	if err := w.DeskReply(ctx, w.agent.ID, from, Answer{Body: "answer in from", Files: []Upload{{Name: "a.txt", Content: strings.NewReader("a")}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.DeskReply(ctx, w.agent.ID, from, Answer{Body: "secret note", Note: true}); err != nil {
		t.Fatal(err)
	}
	if err := w.Reply(ctx, w.as(w.bo), into, Answer{Body: "newest in into"}); err != nil {
		t.Fatal(err)
	}
	must[bool](t)(w.TagTicket(ctx, h, from, "refund", ""))
	third := w.opens(w.bo, "third")
	must[bool](t)(w.LinkTickets(ctx, h, from, portal.LinkBlocks, third))
	promised := w.clock.Now().Add(5 * time.Hour)
	must[bool](t)(w.Promise(ctx, h, from, promised))
	asAna := w.as(w.ana)
	w.mails()
	if err := w.Merge(ctx, h, from, into, w.planned(from, into).Seen); err != nil {
		t.Fatal(err)
	}
	if got := w.mails(); !slices.Equal(got, []string{"participant_added to ana@example.com"}) {
		t.Errorf("merging told %q", got)
	}
	view := must[*TicketView](t)(w.Ticket(ctx, asAna, into))
	var bodies []string
	for _, m := range view.Messages {
		bodies = append(bodies, m.Body+" by "+m.AuthorName)
	}
	if want := []string{"body of into by bo", "body of from by ana", "answer in from by Ines", "newest in into by bo"}; !slices.Equal(bodies, want) {
		t.Errorf("messages %q, want %q", bodies, want)
	}
	if len(view.Messages[2].Files) != 1 {
		t.Error("the file did not come along")
	} else if _, _, err := w.File(ctx, asAna, view.Messages[2].Files[0].ID); err != nil {
		t.Errorf("the file cannot be read: %v", err)
	}
	old := must[*TicketView](t)(w.Ticket(ctx, asAna, from))
	if old.LeadsTo != into || len(old.Messages) != 0 {
		t.Errorf("the merged ticket leads to %s with %d messages", old.LeadsTo, len(old.Messages))
	}
	p := must[*Properties](t)(w.Properties(ctx, h, into))
	if len(p.Merged) != 1 || p.Merged[0].Subject != "from" || !slices.Equal(p.Tags, []string{"refund"}) || len(p.Links) != 1 || p.Links[0].Other != third || !p.Ticket.PromisedAt.Equal(promised) {
		t.Errorf("properties %+v", p)
	}
	if k := w.stored(into); k.Status != portal.New && k.Status != portal.WaitingOnUs || k.AnsweredAt.IsZero() {
		t.Errorf("after the merge the ticket is %s, answered at %s", k.Status, k.AnsweredAt)
	}
	// Nothing is done to the merged one any more.
	wantCode(t, w.Reply(ctx, asAna, from, Answer{Body: "late"}), "ticket.merged")
	wantCode(t, w.DeskReply(ctx, w.agent.ID, from, Answer{Body: "late"}), "ticket.merged")
	wantCode(t, w.ReopenTicket(ctx, asAna, from), "ticket.merged")
	wantCode(t, failed(w.DeskReopen(ctx, portal.ByOperator, from)), "ticket.merged")
	wantCode(t, failed(w.TagTicket(ctx, h, from, "x", "")), "ticket.merged")
	wantCode(t, failed(w.PlanMerge(ctx, h, third, from)), "ticket.merged")
	// Merging on leads all of them to the end.
	if err := w.Merge(ctx, h, into, third, w.planned(into, third).Seen); err != nil {
		t.Fatal(err)
	}
	if k := w.stored(from); k.MergedInto != third {
		t.Errorf("%s leads to %s, want %s", from, k.MergedInto, third)
	}
}

func TestMergingIntoAClosedTicketOpensIt(t *testing.T) {
	w := newWorld(t, nil)
	ctx, h := t.Context(), CommandHand(portal.ByOperator)
	w.desk(func(s *portal.DeskSettings) { s.SetTarget(portal.Normal, portal.Target{Resolve: 10 * time.Hour}) })
	into, from := w.opens(w.ana, "into"), w.opens(w.ana, "from")
	must[bool](t)(w.DeskClose(ctx, portal.ByOperator, into))
	w.clock.Add(time.Hour)
	plan := w.planned(from, into)
	if !plan.Reopens || plan.ShowsMore() {
		t.Errorf("plan %+v", plan)
	}
	if err := w.Merge(ctx, h, from, into, plan.Seen); err != nil {
		t.Fatal(err)
	}
	if k := w.stored(into); k.Status != portal.WaitingOnUs || !k.ClosedAt.IsZero() || !k.ResolveDueAt.Equal(w.clock.Now().Add(10*time.Hour)) {
		t.Errorf("it is %s, closed %s, due %s", k.Status, k.ClosedAt, k.ResolveDueAt)
	}
	if told := w.told(into); !slices.Contains(told, "reopened") || !slices.Contains(told, "merged "+from.String()) {
		t.Errorf("history %q", told)
	}
}

func TestSplittingKeepsWhoSeesWhat(t *testing.T) {
	w := newWorld(t, nil)
	ctx, h := t.Context(), HandOf(w.asAgent())
	n := w.opens(w.ana, "one", func(in *DeskTicket) { in.Participants = []portal.ContactID{w.eve.ID} })
	for _, step := range []func() error{
		func() error { return w.DeskReply(ctx, w.agent.ID, n, Answer{Body: "answered"}) },
		func() error { return w.Reply(ctx, w.as(w.eve), n, Answer{Body: "something else"}) },
		func() error { return w.DeskReply(ctx, w.agent.ID, n, Answer{Body: "a note", Note: true}) },
	} {
		w.clock.Add(time.Minute)
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	must[bool](t)(w.TagTicket(ctx, h, n, "refund", ""))
	k, choices, err := w.SplitChoices(ctx, h, n)
	if err != nil || len(choices) != 2 || k.Number != n {
		t.Fatalf("choices %+v, %v", choices, err)
	}
	_, err = w.Split(ctx, h, n, choices[0].ID-1, "")
	wantCode(t, err, "ticket.split_first")
	_, err = w.Split(ctx, h, n, 9999, "")
	wantCode(t, err, "ticket.split_message")
	_, err = w.Split(ctx, h, n, choices[1].ID, "\x00")
	wantCode(t, err, "field.control")
	split := must[portal.TicketNumber](t)(w.Split(ctx, h, n, choices[1].ID, "Eve's matter"))
	was, is := w.stored(n), w.stored(split)
	if is.Requester != w.eve.ID || !slices.Equal(is.Participants, []portal.ContactID{w.ana.ID}) || is.Company != was.Company || is.Subject != "Eve's matter" || is.Status != portal.New {
		t.Errorf("the new ticket is %+v", is)
	}
	if was.Status != portal.WaitingOnCustomer || was.Requester != w.ana.ID {
		t.Errorf("the old ticket is %+v", was)
	}
	p := must[*Properties](t)(w.Properties(ctx, h, split))
	if len(p.Links) != 1 || p.Links[0].Other != n || !slices.Equal(p.Tags, []string{"refund"}) {
		t.Errorf("properties %+v", p)
	}
	view := must[*TicketView](t)(w.Ticket(ctx, w.asAgent(), split))
	if len(view.Messages) != 2 || view.Messages[1].Kind != portal.Note {
		t.Errorf("messages %+v", view.Messages)
	}
	// Erasing who wrote it replaces the subject, which holds their words.
	if told := w.told(split); !slices.Equal(told, []string{"created", "split " + n.String()}) {
		t.Errorf("history %q", told)
	}
}

// readable says which messages each viewer reads, by their bodies, and checks
// that search finds exactly those.
func (w *world) readable(viewers map[string]*portal.Viewer, bodies []string) map[string][]string {
	w.t.Helper()
	all := map[string][]string{}
	w.read(func(ctx context.Context, tx *store.Tx) error {
		for name, v := range viewers {
			rows, err := tx.Tickets(ctx, v, 0, store.TicketFilter{Scope: store.ScopeCompany}, store.TicketPage{Limit: 500})
			if err != nil {
				return err
			}
			for i := range rows {
				t, err := tx.TicketFor(ctx, v, rows[i].Number)
				if err != nil {
					return err
				}
				messages, err := tx.Messages(ctx, t, false)
				if err != nil {
					return err
				}
				for _, m := range messages {
					all[name] = append(all[name], m.Body)
				}
			}
			slices.Sort(all[name])
			for _, body := range bodies {
				found, err := tx.SearchTickets(ctx, v, 0, body, store.TicketFilter{Scope: store.ScopeCompany}, 10)
				if err != nil {
					return err
				}
				if reads := slices.Contains(all[name], body); reads != (len(found) > 0) {
					w.t.Errorf("%s reads %q: %v, finds it in %v", name, body, reads, found)
				}
			}
		}
		return nil
	})
	return all
}

// Whatever is merged and split, nobody comes to read a message whom the plan
// did not name, and search, list and page agree about it.
func TestNobodyGainsSightUnnamed(t *testing.T) {
	w := newWorld(t, nil)
	r := rand.New(rand.NewPCG(7, 11))
	ctx, h := t.Context(), CommandHand(portal.ByOperator)
	contacts := []*portal.Contact{w.ana, w.bo, w.eve}
	company := map[portal.CompanyID]string{w.acme.ID: "Acme", w.eve.Primary: "Beta"}
	viewers, person := map[string]*portal.Viewer{}, map[string]*portal.Contact{}
	for _, c := range contacts {
		for name, s := range map[string]portal.TicketSettings{
			"alone": {Permissions: portal.PermitContact}, "company": {Permissions: portal.PermitCompany, CompanyScope: portal.PrimaryCompany},
		} {
			v := portal.NewViewer(c, &s)
			viewers[c.Name+" "+name], person[c.Name+" "+name] = &v, c
		}
	}
	var open []portal.TicketNumber
	var bodies []string
	for i := range 24 {
		c := contacts[r.IntN(3)]
		n := w.opens(c, fmt.Sprint("subject", i), func(in *DeskTicket) {
			in.Body, in.Confidential = fmt.Sprintf("wordno%dx", i), r.IntN(4) == 0
			if other := contacts[r.IntN(3)]; other != c && r.IntN(2) == 0 {
				in.Participants = []portal.ContactID{other.ID}
			}
		})
		open, bodies = append(open, n), append(bodies, fmt.Sprintf("wordno%dx", i))
	}
	before := w.readable(viewers, bodies)
	for round := range 20 {
		a, b := r.IntN(len(open)), r.IntN(len(open))
		if a == b {
			continue
		}
		from, into := open[a], open[b]
		plan := w.planned(from, into)
		if err := w.Merge(ctx, h, from, into, plan.Seen); err != nil {
			t.Fatal(err)
		}
		open = slices.Delete(open, a, a+1)
		after := w.readable(viewers, bodies)
		for name := range viewers {
			c := person[name]
			named := slices.ContainsFunc(append(slices.Clone(plan.Joins), plan.Readers...), func(p portal.Contact) bool { return p.ID == c.ID }) ||
				plan.Colleagues != "" && plan.Colleagues == company[c.Primary]
			for _, body := range after[name] {
				if !slices.Contains(before[name], body) && !named {
					t.Fatalf("round %d: %s reads %q after merging %s into %s, and was not named: %+v", round, name, body, from, into, plan)
				}
			}
			if party := plan.From.Party(c.ID) || plan.Into.Party(c.ID); !party {
				continue
			}
			for _, body := range before[name] { // parties lose nothing
				if !slices.Contains(after[name], body) {
					t.Fatalf("round %d: %s, a party, lost %q", round, name, body)
				}
			}
		}
		before = after
		if _, choices, err := w.SplitChoices(ctx, h, into); err == nil && len(choices) > 1 && r.IntN(2) == 0 {
			n, err := w.Split(ctx, h, into, choices[r.IntN(len(choices))].ID, "")
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, n)
			after := w.readable(viewers, bodies)
			for name := range viewers {
				if !slices.Equal(after[name], before[name]) {
					t.Fatalf("round %d: splitting %s changed what %s reads from %v to %v", round, into, name, before[name], after[name])
				}
			}
			before = after
		}
	}
}
