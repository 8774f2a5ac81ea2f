package store

import (
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestEveryQueueIsFoundInACoveringIndexInItsOrder(t *testing.T) {
	s := openHere(t)
	t.Run("without statistics", func(t *testing.T) { checkDeskPlans(t, s) })
	fewTickets(t, s)
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Run("with statistics", func(t *testing.T) { checkDeskPlans(t, s) })
}

func checkDeskPlans(t *testing.T, s *Store) {
	viewers := map[string]*portal.Viewer{
		"agent": {Agent: 1}, "one inbox": {Agent: 1, Limited: true, Inboxes: []portal.InboxID{1}},
		"three inboxes": {Agent: 1, Limited: true, Inboxes: []portal.InboxID{1, 2, 3}},
	}
	filters := map[string]portal.DeskQuery{
		"": {}, " in an inbox": {Inbox: 1}, " of a colleague": {Assignee: 2}, " urgent": {Priority: portal.Urgent}, " new": {Status: portal.New},
	}
	place := &DeskCursor{1, 1}
	pages := map[string]DeskPage{"first": {}, "after": {After: place}, "before": {Before: place}}
	for who, v := range viewers {
		for _, queue := range portal.Queues {
			for _, sort := range portal.QueueSorts {
				for what, f := range filters {
					f.Queue, f.Sort = queue, sort
					f = f.Clean()
					for which, p := range pages {
						err := s.Read(t.Context(), func(tx *Tx) error {
							name := who + ", " + string(queue) + what + " by " + string(sort) + ", " + which
							checkDeskPlan(t, name, planOf(t, tx, deskQuery(v, f, p, time.Now())))
							if p.After == nil && p.Before == nil {
								checkDeskPlan(t, name+", count", planOf(t, tx, queuesQuery(v, []portal.DeskQuery{f}, 10, time.Now())))
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
	}
}

func checkDeskPlan(t *testing.T, name, plan string) {
	t.Helper()
	if strings.Contains(plan, "TEMP B-TREE") {
		t.Errorf("%s: sorts\n%s", name, plan)
	}
	for line := range strings.Lines(plan) {
		line = strings.TrimSpace(line)
		// SQLite calls no index covering that has a generated column in it, and
		// still takes from it what is there.
		line = strings.NewReplacer("USING INDEX ticket_desk_waits", "USING COVERING INDEX ticket_desk_waits",
			"USING INDEX ticket_desk_due", "USING COVERING INDEX ticket_desk_due").Replace(line)
		if (strings.HasPrefix(line, "SCAN t") || strings.HasPrefix(line, "SEARCH t ")) && !strings.Contains(line, "USING COVERING INDEX ticket_") {
			t.Errorf("%s: %q\n%s", name, line, plan)
		}
		for _, table := range []string{"r", "c", "k", "a", "i"} {
			if strings.HasPrefix(line, "SCAN "+table+" ") || line == "SCAN "+table {
				t.Errorf("%s: reads all of %s\n%s", name, table, plan)
			}
		}
	}
}
