package store

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// planOf is what SQLite would do for a query, one step a line.
func planOf(t *testing.T, tx *Tx, q *query) string {
	t.Helper()
	steps, err := list(t.Context(), tx, "EXPLAIN QUERY PLAN "+q.text(), q.args, func(r row) (step string, err error) {
		var id, parent, unused int
		return step, r.Scan(&id, &parent, &unused, &step)
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, q.text())
	}
	return strings.Join(steps, "\n")
}

// openHere opens a new store; portaltest imports this package, so tests
// inside it cannot use portaltest.
func openHere(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "portal.db"), Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// fewTickets fills the tables that the lists read, so that the planner's
// statistics have something to say: one big company, one big contact.
func fewTickets(t *testing.T, s *Store) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *Tx) error {
		ctx := context.Background()
		inbox := portal.Inbox{Name: "Support", Kind: portal.InboxHelpdesk}
		if err := tx.AddInbox(ctx, &inbox); err != nil {
			return err
		}
		agent := portal.Agent{Email: "a@desk.example", Role: portal.RoleAgent}
		if err := tx.AddAgent(ctx, &agent); err != nil {
			return err
		}
		for i := range 40 {
			k := portal.Company{Name: fmt.Sprint("company ", i)}
			if err := tx.AddCompany(ctx, &k); err != nil {
				return err
			}
			c := portal.Contact{Email: fmt.Sprintf("c%d@example.com", i), Primary: k.ID}
			if err := tx.AddContact(ctx, &c); err != nil {
				return err
			}
		}
		for i := range 2000 {
			who := int64(i%40 + 1)
			if i%4 == 0 {
				who = 1
			}
			k := portal.Ticket{
				Subject: "s", Status: portal.Statuses[i%4], Priority: portal.Normal, InboxID: inbox.ID,
				Requester: portal.ContactID(who), Company: portal.CompanyID(who), CreatedAt: tx.Now.Add(time.Duration(i) * time.Second),
			}
			if i%10 == 0 {
				k.Assignee, k.Participants = agent.ID, []portal.ContactID{2}
			}
			if err := tx.AddTicket(ctx, &k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryListIsReadFromACoveringIndexInItsOrder(t *testing.T) {
	s := openHere(t)
	t.Run("without statistics", func(t *testing.T) { checkPlans(t, s) })
	fewTickets(t, s)
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Run("with statistics", func(t *testing.T) { checkPlans(t, s) })
}

func checkPlans(t *testing.T, s *Store) {
	many := make([]portal.CompanyID, 8)
	for i := range many {
		many[i] = portal.CompanyID(i + 1)
	}
	viewers := map[string]*portal.Viewer{
		"agent": {Agent: 1}, "contact": {Contact: 1}, "company": {Contact: 1, Companies: many[:1]},
		"three companies": {Contact: 1, Companies: many[:3]}, "many companies": {Contact: 1, Companies: many},
	}
	open := []portal.Status{portal.New, portal.WaitingOnUs, portal.WaitingOnCustomer}
	filters := map[string]TicketFilter{
		"all": {}, "open": {Statuses: open}, "new": {Statuses: open[:1]}, "closed": {Statuses: []portal.Status{portal.Closed}},
		"requester": {Requester: 2}, "open of requester": {Requester: 2, Statuses: open}, "inbox": {Inbox: 1}, "unassigned": {Unassigned: true},
		"assignee": {Assignee: 1}, "company": {Company: 2}, "dates": {From: time.Now(), To: time.Now()},
	}
	place := &Cursor{UpdatedAt: time.Now(), Number: 1}
	pages := map[string]TicketPage{"first": {}, "after": {After: place}, "before": {Before: place}}
	for who, v := range viewers {
		for what, f := range filters {
			for which, p := range pages {
				f.Scope = ScopeCompany
				err := s.Read(t.Context(), func(tx *Tx) error {
					plan := planOf(t, tx, ticketsQuery(v, 0, f, p))
					name := who + ", " + what + ", " + which
					checkPlan(t, name, plan, v.Agent == 0)
					if len(f.Statuses) > 0 && what != "closed" && strings.Contains(strings.ReplaceAll(plan, "ticket_open_of_", ""), "ticket_of_") {
						t.Errorf("%s: reads closed tickets\n%s", name, plan)
					}
					if p.After == nil && p.Before == nil {
						checkPlan(t, name+", count", planOf(t, tx, countQuery(v, f, 10)), false)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func checkPlan(t *testing.T, name, plan string, merge bool) {
	t.Helper()
	if strings.Contains(plan, "TEMP B-TREE") {
		t.Errorf("%s: sorts\n%s", name, plan)
	}
	if merge && !strings.Contains(plan, "MERGE (UNION ALL)") {
		t.Errorf("%s: does not merge its arms\n%s", name, plan)
	}
	for line := range strings.Lines(plan) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "SCAN t") && !strings.HasPrefix(line, "SCAN t USING COVERING INDEX") {
			t.Errorf("%s: %q\n%s", name, line, plan)
		}
		// Tickets of participants are looked up one by one, by number.
		if strings.HasPrefix(line, "SEARCH t ") && !strings.Contains(line, "USING COVERING INDEX") && !strings.Contains(line, "INTEGER PRIMARY KEY") {
			t.Errorf("%s: %q\n%s", name, line, plan)
		}
	}
}
