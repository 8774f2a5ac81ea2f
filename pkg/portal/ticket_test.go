package portal_test

import (
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestReplyReopensClosedTicketWithinTheWindow(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		status     portal.Status
		closedAgo  time.Duration
		reopenDays int
		want       portal.Status
		reopened   bool
		kind       portal.Kind
	}{
		"a new one stays new":                {portal.New, 0, 14, portal.New, false, 0},
		"an answered one waits on the desk":  {portal.WaitingOnCustomer, 0, 14, portal.WaitingOnUs, false, 0},
		"closed yesterday reopens":           {portal.Closed, day, 14, portal.WaitingOnUs, true, 0},
		"closed at the window's end reopens": {portal.Closed, 14 * day, 14, portal.WaitingOnUs, true, 0},
		"closed too long ago does not":       {portal.Closed, 14*day + time.Second, 14, portal.Closed, false, portal.Conflict},
		"reopening turned off":               {portal.Closed, time.Second, 0, portal.Closed, false, portal.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			ticket := &portal.Ticket{Number: 1042, Status: c.status}
			if c.status == portal.Closed {
				ticket.ClosedAt = noon.Add(-c.closedAgo)
			}
			reopened, err := ticket.CustomerMessage(noon, &portal.TicketSettings{ReopenDays: c.reopenDays})
			if ticket.Status != c.want || reopened != c.reopened || portal.KindOf(err) != c.kind {
				t.Errorf("got %s, reopened %v, %v; want %s, %v, %v", ticket.Status, reopened, err, c.want, c.reopened, c.kind)
			}
			if err == nil && !ticket.ClosedAt.IsZero() {
				t.Error("an open ticket keeps its closing time")
			}
		})
	}
}

func TestAgentMessageHandsTheTicketToTheCustomer(t *testing.T) {
	ticket := &portal.Ticket{Status: portal.WaitingOnUs, StatusAt: noon.Add(-time.Hour)}
	ticket.AgentMessage(noon)
	if ticket.Status != portal.WaitingOnCustomer || !ticket.StatusAt.Equal(noon) {
		t.Errorf("got %s since %v", ticket.Status, ticket.StatusAt)
	}
	later := noon.Add(time.Hour)
	ticket.AgentMessage(later)
	if !ticket.StatusAt.Equal(noon) || !ticket.UpdatedAt.Equal(later) {
		t.Errorf("a second answer moves the start of the wait to %v", ticket.StatusAt)
	}
}

func TestParseFieldsReadsBackWhatItWrote(t *testing.T) {
	in := "priority,category:Area:choice:Billing|Technical issue,order_number*:Order number,device:Device:choice:Phone|Laptop,since:Since:date"
	fields, err := portal.ParseFields(in)
	if err != nil {
		t.Fatal(err)
	}
	again, err := portal.ParseFields(portal.FormatFields(fields))
	if err != nil {
		t.Fatal(err)
	}
	if portal.FormatFields(again) != portal.FormatFields(fields) || len(fields) != 5 || !fields[2].Required {
		t.Errorf("%q became %q", in, portal.FormatFields(again))
	}
	for _, bad := range []string{"category", "x:Y:colour", "a,a", "subject", "x:Y:text:a|b", "p:Q:choice", "ä"} {
		if _, err := portal.ParseFields(bad); portal.KindOf(err) != portal.Invalid {
			t.Errorf("%q was accepted: %v", bad, err)
		}
	}
}

func TestFieldCheck(t *testing.T) {
	date := portal.TicketField{Key: "since", Type: portal.FieldDate}
	choice := portal.TicketField{Key: "device", Type: portal.FieldChoice, Options: []string{"Phone"}, Required: true}
	for _, c := range []struct {
		field portal.TicketField
		value string
		ok    bool
	}{
		{date, "2026-02-28", true},
		{date, "2026-02-30", false},
		{date, "", true},
		{choice, "Phone", true},
		{choice, "Laptop", false},
		{choice, "", false},
	} {
		if _, err := c.field.Check(c.value); (err == nil) != c.ok {
			t.Errorf("%s=%q: %v", c.field.Key, c.value, err)
		}
	}
}
