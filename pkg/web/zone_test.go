package web

import (
	"context"
	"fmt"
	"regexp"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// clockTimes are the times of day a text shows. Those meant for programs are
// in UTC, with a T in front.
var clockTimes = regexp.MustCompile(`(?:^|[^T0-9])([0-9]{1,2})[:.]30\b`)

// TestTimesAreThoseOfTheReadersZone has it 9:30 in UTC: 10:30 in the portal's
// zone, 4:30 in Ana's and 18:30 in the agent's.
func TestTimesAreThoseOfTheReadersZone(t *testing.T) {
	w := newWorld(t, nil)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.ana.TimeZone, w.agent.TimeZone = "America/New_York", "Asia/Tokyo"
		if err := tx.SaveContact(ctx, w.ana); err != nil {
			return err
		}
		return tx.SaveAgent(ctx, w.agent)
	})
	for name, tt := range map[string]struct {
		session string
		ticket  portal.TicketNumber
		hour    string
	}{
		"Ana, in New York":        {w.signIn(w.ana), w.anas, "4"},
		"Bo, where the portal is": {w.signIn(w.bo), w.bos, "10"},
		"the agent, in Tokyo":     {w.signInAgent(), w.anas, "18"},
	} {
		b := w.browser(tt.session)
		for _, path := range []string{"/help/tickets?status=all", fmt.Sprintf("/help/tickets/%s", tt.ticket), "/help/tickets.csv?status=all"} {
			got := b.get(path)
			if got.StatusCode != 200 {
				t.Errorf("%s: %s answers %d", name, path, got.StatusCode)
				continue
			}
			shown := clockTimes.FindAllStringSubmatch(got.body, -1)
			if len(shown) == 0 {
				t.Errorf("%s: %s shows no time", name, path)
			}
			for _, hour := range shown {
				if hour[1] != tt.hour && hour[1] != "0"+tt.hour {
					t.Errorf("%s: %s shows %q, wanted %s:30", name, path, hour[0], tt.hour)
				}
			}
		}
	}
}
