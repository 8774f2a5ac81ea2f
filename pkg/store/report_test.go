package store

import (
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestReportsAreReadFromIndexes(t *testing.T) {
	s := openHere(t)
	fewTickets(t, s)
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, limited := portal.OperatorViewer(), portal.Viewer{Agent: 1, Limited: true, Inboxes: []portal.InboxID{1}}
	f := FactFilter{From: time.Now().AddDate(0, 0, -30), To: time.Now()}
	err := s.Read(t.Context(), func(tx *Tx) error {
		for kind, index := range map[FactKind]string{FactOpened: "ticket_opened", FactClosed: "ticket_closed", FactRated: "ticket_rated"} {
			for _, v := range []*portal.Viewer{&all, &limited} {
				for _, inbox := range []portal.InboxID{0, 1} {
					f.Inbox = inbox
					if plan := planOf(t, tx, factQuery(v, kind, f)); !strings.Contains(plan, "USING COVERING INDEX "+index+" ") {
						t.Errorf("%s, limited %v, inbox %d: not read from its index\n%s", kind, v.Limited, inbox, plan)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
