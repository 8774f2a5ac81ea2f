package app

import (
	"context"
	"regexp"
	"testing"

	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
	"github.com/portalctl/portalctl/pkg/store"
)

// TestMailsTellTheTimeOfTheirReader has it 9:30 in UTC: 10:30 in the portal's
// zone, 4:30 in Ana's and 18:30 in the agent's.
func TestMailsTellTheTimeOfTheirReader(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.ana.TimeZone, w.agent.TimeZone = "America/New_York", "Asia/Tokyo"
		if err := tx.SaveContact(ctx, w.ana); err != nil {
			return err
		}
		return tx.SaveAgent(ctx, w.agent)
	})
	n := w.open(w.as(w.ana), NewTicket{Participants: []string{"bo@example.com"}})
	if err := w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: "We look."}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Promise(t.Context(), HandOf(&Visit{Agent: w.agent}), n, w.clock.Now().AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	if err := w.Reply(t.Context(), w.as(w.ana), n, Answer{Body: "Thank you."}); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	times := regexp.MustCompile(`\b([0-9]{1,2})[:.]30(?:[^:0-9]|$)`)
	told := map[string]int{}
	hours := map[string]string{"ana@example.com": "4", "bo@example.com": "10", "agent@example.com": "18"}
	for _, m := range server.Mails() {
		text := mailBody(m)
		for _, hour := range times.FindAllStringSubmatch(text, -1) {
			told[m.To]++
			if want := hours[m.To]; want != "" && hour[1] != want && hour[1] != "0"+want {
				t.Errorf("a mail to %s tells of %s, wanted %s:30", m.To, hour[0], want)
			}
		}
	}
	for who := range hours {
		if told[who] == 0 {
			t.Errorf("no mail to %s tells a time", who)
		}
	}
}
