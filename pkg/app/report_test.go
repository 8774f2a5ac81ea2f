package app

import (
	"context"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// history writes tickets of the past: hours after the beginning when they were
// opened, answered, closed and rated; 0 is never.
func (w *world) history(start time.Time, list ...struct {
	who                      *portal.Contact
	agent                    portal.AgentID
	opened, answered, closed int
	stars                    int
},
) {
	w.t.Helper()
	at := func(hours int) time.Time {
		if hours == 0 {
			return time.Time{}
		}
		return start.Add(time.Duration(hours) * time.Hour)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for _, h := range list {
			k := &portal.Ticket{
				Subject: "s", Status: portal.New, Priority: portal.Normal, Requester: h.who.ID, Company: h.who.Primary,
				InboxID: w.portal.Tickets.InboxID, Assignee: h.agent, CreatedAt: at(h.opened), AnsweredAt: at(h.answered), ClosedAt: at(h.closed),
				AnswerDueAt: at(h.opened + 4),
			}
			if h.closed != 0 {
				k.Status = portal.Closed
			}
			if h.stars != 0 {
				k.Rating, k.RatedAt = h.stars, at(h.closed+1)
			}
			if err := tx.AddTicket(ctx, k); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestReportCountsWhereThingsHappened(t *testing.T) {
	w := newWorld(t, nil)
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	monday := time.Date(2026, 10, 19, 0, 0, 0, 0, zone) // the clocks go back on the Sunday after
	type row = struct {
		who                      *portal.Contact
		agent                    portal.AgentID
		opened, answered, closed int
		stars                    int
	}
	w.history(monday,
		row{w.ana, w.agent.ID, 1, 2, 24, 5},
		row{w.bo, w.agent.ID, 2, 12, 200, 2}, // closed in the second week
		row{w.eve, 0, 168, 0, 0, 0},          // Sunday 23:00 by the wall: one hour was there twice
		row{w.eve, 0, 169, 171, 172, 0},      // the second week
	)
	q := ReportQuery{From: monday, To: monday.AddDate(0, 0, 14), Zone: zone, Week: time.Monday}
	r, err := w.OperatorReport(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 2 || !r.Rows[1].Start.Equal(time.Date(2026, 10, 26, 0, 0, 0, 0, zone)) {
		t.Fatalf("the weeks are %+v", r.Rows)
	}
	first, second := r.Rows[0], r.Rows[1]
	if first.Opened != 3 || first.Answered != 2 || first.Closed != 1 || first.Rated != 1 || first.Stars != 5 {
		t.Errorf("the first week: %+v", first)
	}
	if second.Opened != 1 || second.Closed != 2 || second.Rated != 1 || second.Stars != 2 {
		t.Errorf("the second week: %+v", second)
	}
	if first.FirstAnswer.Median != time.Hour || first.FirstAnswer.Most != 10*time.Hour || first.AnswerTarget != (portal.Share{Of: 3, Met: 1}) {
		t.Errorf("first answers of the first week: %+v, targets %+v", first.FirstAnswer, first.AnswerTarget)
	}
	if r.Total.Opened != 4 || r.Total.Closed != 3 || r.Total.Stars != 3.5 || r.Total.StarCounts != [5]int{0, 1, 0, 0, 1} {
		t.Errorf("in all: %+v", r.Total)
	}
	q.By = portal.ReportByCompany
	if r, err = w.OperatorReport(t.Context(), q); err != nil || len(r.Rows) != 2 || r.Rows[0].Name != "Acme" || r.Rows[0].Opened != 2 || r.Rows[1].Name != "Beta" {
		t.Errorf("by company: %+v, %v", r, err)
	}
	q.By = portal.ReportByAgent
	if r, err = w.OperatorReport(t.Context(), q); err != nil || len(r.Rows) != 2 || r.Rows[0].Opened+r.Rows[1].Opened != 4 {
		t.Errorf("by agent: %+v, %v", r, err)
	}
}

func TestReportKeepsToTheAgentsInboxes(t *testing.T) {
	w := newWorld(t, nil)
	closedTicket(t, w)
	limited := *w.agent
	limited.EveryInbox = false
	for inboxes, want := range map[portal.InboxID]int{w.portal.Tickets.InboxID: 1, w.portal.Tickets.InboxID + 1: 0} {
		limited.Inboxes = []portal.InboxID{inboxes}
		v := portal.AgentViewer(&limited)
		r, err := w.Report(t.Context(), &v, ReportQuery{To: w.clock.Now().Add(time.Hour), By: portal.ReportByInbox})
		if err != nil {
			t.Fatal(err)
		}
		if r.Total.Opened != want || r.Total.Closed != want {
			t.Errorf("an agent of inbox %d reads of %d tickets, wanted %d", inboxes, r.Total.Opened, want)
		}
	}
}

func TestReportRefusesWhatCannotBeTold(t *testing.T) {
	w := newWorld(t, nil)
	now := w.clock.Now()
	for code, q := range map[string]ReportQuery{
		"report.range": {From: now, To: now.Add(-time.Hour)},
		"report.long":  {From: now.AddDate(-3, 0, 0), To: now},
		"inbox.none":   {Inbox: "nowhere"},
	} {
		if _, err := w.OperatorReport(t.Context(), q); len(portal.Errors(err)) != 1 || portal.Errors(err)[0].Code != code {
			t.Errorf("%+v: %v, wanted %s", q, err, code)
		}
	}
}
