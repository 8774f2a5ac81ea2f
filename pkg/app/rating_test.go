package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// closedTicket is one of ana's that the desk closed.
func closedTicket(t *testing.T, w *world) *portal.Ticket {
	t.Helper()
	n, err := w.OpenTicket(t.Context(), w.as(w.ana), NewTicket{Subject: "Loose screw", Body: "It fell off."})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.DeskClose(t.Context(), portal.ByAgent(w.agent.ID), n); err != nil {
		t.Fatal(err)
	}
	return w.kept(n)
}

func TestRatingByLinkNeedsNoSession(t *testing.T) {
	w := newWorld(t, nil)
	k := closedTicket(t, w)
	path, err := w.RatingPath(w.portal, k)
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimPrefix(path, "/rate/")
	stranger := w.visit("")
	for range 2 { // looking changes nothing
		got, err := w.PeekRating(t.Context(), stranger, token)
		if err != nil || got.Stars != 0 || got.Subject != "Loose screw" {
			t.Fatalf("the link is about %+v, %v", got, err)
		}
	}
	for _, say := range []struct {
		stars, text string
		want        int
	}{{"2", "Slow", 2}, {"5", "", 5}} { // a second thought replaces the first
		if err := w.Rate(t.Context(), stranger, token, say.stars, say.text); err != nil {
			t.Fatal(err)
		}
		if got := w.kept(k.Number); got.Rating != say.want || got.RatingText != say.text {
			t.Errorf("rated %s %q; the ticket has %d %q", say.stars, say.text, got.Rating, got.RatingText)
		}
	}
}

func TestRatingIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	k := closedTicket(t, w)
	path, err := w.RatingPath(w.portal, k)
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimPrefix(path, "/rate/")
	other := *k
	other.Requester = w.bo.ID
	forged, err := w.RatingPath(w.portal, &other)
	if err != nil {
		t.Fatal(err)
	}
	silent := *w.portal
	silent.Tickets.AskRating = false
	visit := w.visit("")
	rate := func(v *Visit, token, stars string) error { return w.Rate(t.Context(), v, token, stars, "") }
	tests := []struct {
		name, code string
		err        error
	}{
		{"no stars", "rating.stars", rate(visit, token, "")},
		{"six stars", "rating.stars", rate(visit, token, "6")},
		{"half a star", "rating.stars", rate(visit, token, "0.5")},
		{"another ticket", "rating.link", rate(visit, strings.Replace(token, "t", "t1", 1), "3")},
		{"no key", "rating.link", rate(visit, token[:len(token)-16], "3")},
		{"the link of somebody else", "rating.link", rate(visit, strings.TrimPrefix(forged, "/rate/"), "3")},
		{"a portal that does not ask", "rating.off", rate(&Visit{Portal: &silent}, token, "3")},
		{"a participant", "ticket.none", w.RateTicket(t.Context(), w.as(w.eve), k.Number, "3", "")},
		{"a colleague", "ticket.none", w.RateTicket(t.Context(), w.as(w.bo), k.Number, "3", "")},
	}
	w.clock.Add(portal.RatingWindow + time.Hour)
	tests = append(tests, struct {
		name, code string
		err        error
	}{"too late", "rating.late", rate(w.visit(""), token, "3")})
	if _, err := w.DeskReopen(t.Context(), portal.ByAgent(w.agent.ID), k.Number); err != nil {
		t.Fatal(err)
	}
	tests = append(tests, struct {
		name, code string
		err        error
	}{"open again", "rating.open", rate(w.visit(""), token, "3")})
	for _, test := range tests {
		if list := portal.Errors(test.err); len(list) != 1 || list[0].Code != test.code {
			t.Errorf("%s: %v, wanted %s", test.name, test.err, test.code)
		}
	}
	if got := w.kept(k.Number); got.Rating != 0 {
		t.Errorf("the ticket is rated %d all the same", got.Rating)
	}
}

func TestUsualAnswerIsTheMedianOfTheLastDays(t *testing.T) {
	w := newWorld(t, nil)
	usual := func() (d time.Duration) {
		t.Helper()
		err := w.store.Read(t.Context(), func(tx *store.Tx) (err error) {
			d, err = w.usualAnswer(t.Context(), tx, w.portal.Tickets.InboxID)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	answered := func(after ...time.Duration) {
		t.Helper()
		w.write(func(ctx context.Context, tx *store.Tx) error {
			for _, d := range after {
				k := &portal.Ticket{
					Subject: "s", Status: portal.Closed, Priority: portal.Normal, Requester: w.ana.ID, InboxID: w.portal.Tickets.InboxID,
					CreatedAt: tx.Now, AnsweredAt: tx.Now.Add(d),
				}
				if err := tx.AddTicket(ctx, k); err != nil {
					return err
				}
			}
			return nil
		})
	}
	answered(time.Minute, time.Minute, time.Hour, time.Hour)
	if got := usual(); got != 0 {
		t.Errorf("four tickets tell of %s; they are too few to tell anything", got)
	}
	w.clock.Add(usualFresh)
	answered(130*time.Minute, 3*time.Hour, 40*time.Hour)
	// 1m 1m 1h 1h 2h10m 3h 40h
	if got := usual(); got != time.Hour {
		t.Errorf("usual answer %s, wanted 1h", got)
	}
	answered(5*time.Hour, 6*time.Hour, 7*time.Hour, 8*time.Hour)
	if got := usual(); got != time.Hour {
		t.Errorf("usual answer %s a moment later; wanted what was worked out, 1h", got)
	}
	w.clock.Add(usualFresh)
	if got := usual(); got != 3*time.Hour {
		t.Errorf("usual answer %s, wanted 3h, the sixth of eleven", got)
	}
	w.clock.Add(31 * 24 * time.Hour)
	if got := usual(); got != 0 {
		t.Errorf("a month later the usual answer is %s; nothing is known any more", got)
	}
}

func TestUsualAnswerIsSaidAsPeopleSayIt(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		0: 30 * time.Minute, 29 * time.Minute: 30 * time.Minute, 31 * time.Minute: time.Hour, time.Hour: time.Hour,
		61 * time.Minute: 2 * time.Hour, 12 * time.Hour: 12 * time.Hour, 13 * time.Hour: 24 * time.Hour, 25 * time.Hour: 48 * time.Hour,
	} {
		if got := roundUp(d); got != want {
			t.Errorf("%s is said as %s, wanted %s", d, got, want)
		}
	}
}

// kept is the ticket as it stands in the store.
func (w *world) kept(n portal.TicketNumber) (k *portal.Ticket) {
	w.t.Helper()
	err := w.store.Read(w.t.Context(), func(tx *store.Tx) (err error) {
		k, err = tx.Ticket(context.Background(), n)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}
