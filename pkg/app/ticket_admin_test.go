package app

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func (w *world) openFor(n int, requester string) (numbers []portal.TicketNumber) {
	w.t.Helper()
	for i := range n {
		w.clock.Add(time.Minute)
		number, err := w.OpenDeskTicket(w.t.Context(), w.portal, NewDeskTicket{Requester: requester, Subject: fmt.Sprintf("Matter %d", i), Body: "Text"})
		if err != nil {
			w.t.Fatal(err)
		}
		numbers = append(numbers, number)
	}
	return numbers
}

func numbersOf(rows []portal.TicketRow) (numbers []portal.TicketNumber) {
	for _, r := range rows {
		numbers = append(numbers, r.Number)
	}
	return numbers
}

func TestOperatorsListEveryTicketPageByPage(t *testing.T) {
	w := newWorld(t, nil)
	want := append(w.openFor(3, "ana@example.com"), w.openFor(4, "eve@example.com")...)
	slices.Reverse(want)
	var got []portal.TicketNumber
	q := DeskQuery{Limit: 2}
	for {
		list, err := w.DeskTickets(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, numbersOf(list.Rows)...)
		if q.After = list.Next; q.After == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v; want %v", got, want)
	}
	_, err := w.DeskTickets(t.Context(), DeskQuery{After: "!"})
	wantCode(t, err, "tickets.after")
}

func TestTicketFiltersOfOperators(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.openFor(2, "ana@example.com")
	eve := w.openFor(1, "eve@example.com")
	between := w.clock.Now()
	bo := w.openFor(1, "bo@example.com")
	if _, err := w.AssignTicket(t.Context(), portal.ByOperator, ana[0], w.agent.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.DeskClose(t.Context(), portal.ByOperator, eve[0]); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what string
		q    DeskQuery
		want []portal.TicketNumber
	}{
		{"requester", DeskQuery{Requester: "ana@example.com"}, ana},
		{"company", DeskQuery{Company: "ACME"}, append(slices.Clone(ana), bo...)},
		{"assignee", DeskQuery{Assignee: "agent@example.com"}, ana[:1]},
		{"unassigned and open", DeskQuery{Unassigned: true, Statuses: openStatuses}, []portal.TicketNumber{ana[1], bo[0]}},
		{"closed", DeskQuery{Statuses: []portal.Status{portal.Closed}}, eve},
		{"inbox", DeskQuery{Inbox: "support", Requester: "bo@example.com"}, bo},
		{"since", DeskQuery{Since: between.Add(time.Second), Requester: "bo@example.com"}, bo},
		{"until", DeskQuery{Until: between.Add(-30 * time.Second)}, ana},
		{"search", DeskQuery{Search: "matter 1"}, ana[1:]},
	} {
		list, err := w.DeskTickets(t.Context(), test.q)
		if err != nil {
			t.Errorf("%s: %v", test.what, err)
			continue
		}
		got := numbersOf(list.Rows)
		slices.Sort(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: listed %v; want %v", test.what, got, test.want)
		}
	}
	_, err := w.DeskTickets(t.Context(), DeskQuery{Requester: "x@example.com", Company: "y", Assignee: "z@example.com", Inbox: "i", Unassigned: true})
	if n := len(portal.Errors(err)); n != 5 {
		t.Errorf("got %d problems: %v; want all five", n, err)
	}
	_, err = w.DeskTickets(t.Context(), DeskQuery{Search: "x", After: "y.z"})
	wantCode(t, err, "tickets.after")
}

func TestShowingATicketKeepsInternalThingsApart(t *testing.T) {
	w := newWorld(t, nil)
	n := w.openFor(1, "ana@example.com")[0]
	for _, note := range []bool{true, false} {
		if err := w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: fmt.Sprintf("note is %v", note), Note: note}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := w.ShowTicket(t.Context(), n, true)
	if err != nil || len(all.Messages) != 3 || all.Messages[1].Kind != portal.Note || all.Portal == nil || all.RequesterEmail != "ana@example.com" {
		t.Errorf("the ticket is %+v, %v; want three messages, the second a note", all, err)
	}
	public, err := w.ShowTicket(t.Context(), n, false)
	if err != nil || len(public.Messages) != 2 || slices.ContainsFunc(public.Messages, func(m portal.Message) bool { return m.Kind != portal.Public }) {
		t.Errorf("in public the ticket is %+v, %v; want two public messages", public, err)
	}
	if slices.ContainsFunc(public.Events, func(e portal.Event) bool { return e.Kind.Internal() }) {
		t.Errorf("in public the history has internal events: %+v", public.Events)
	}
	_, err = w.ShowTicket(t.Context(), 9999, true)
	wantCode(t, err, "ticket.none")
}

func TestOpeningATicketTellsAllProblemsAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	_, err := w.OpenDeskTicket(t.Context(), w.portal, NewDeskTicket{
		Requester: "ghost@example.com", Body: " ", Priority: "huge", Inbox: "none", As: "ghost@example.com", Participants: []string{"bad"},
	})
	if n := len(portal.Errors(err)); n != 7 {
		t.Errorf("got %d problems: %v; want seven", n, err)
	}
	list, err := w.DeskTickets(t.Context(), DeskQuery{})
	if err != nil || len(list.Rows) != 0 {
		t.Errorf("there are %d tickets, %v; want none", len(list.Rows), err)
	}
}

func TestFailedMailIsRetriedAndDropped(t *testing.T) {
	w := newWorld(t, nil)
	w.openFor(2, "ana@example.com")
	list, err := w.Outbox(t.Context(), store.OutboxFilter{})
	if err != nil || len(list) == 0 {
		t.Fatalf("the outbox is %v, %v; want mail", list, err)
	}
	id := list[0].ID
	done, err := w.DropMails(t.Context(), []portal.MailID{id})
	if err != nil || !done[0].Changed || done[0].State() != store.MailDropped {
		t.Errorf("dropping gave %+v, %v", done, err)
	}
	for what, change := range map[string]func() ([]MailChange, error){
		"dropping again":        func() ([]MailChange, error) { return w.DropMails(t.Context(), []portal.MailID{id}) },
		"retrying what is gone": func() ([]MailChange, error) { return w.RetryMails(t.Context(), []portal.MailID{id}) },
	} {
		if done, err := change(); err != nil || done[0].Changed {
			t.Errorf("%s gave %+v, %v; want unchanged", what, done, err)
		}
	}
	_, err = w.RetryMails(t.Context(), []portal.MailID{list[1].ID, 999})
	wantCode(t, err, "mail.none")
	if n, err := w.RetryFailedMails(t.Context()); err != nil || n != 0 {
		t.Errorf("retrying all failed gave %d, %v; want none", n, err)
	}
}
