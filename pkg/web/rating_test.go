package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestCustomersRateAClosedTicketOnItsPage(t *testing.T) {
	w := newWorld(t, nil)
	ana, path := w.browser(w.signIn(w.ana)), "/help/tickets/"+w.anas.String()
	if page := ana.get(path).body; strings.Contains(page, "/rating") {
		t.Error("an open ticket can be rated")
	}
	if _, err := w.app.DeskClose(t.Context(), portal.ByAgent(w.agent.ID), w.anas); err != nil {
		t.Fatal(err)
	}
	if page := ana.get(path).body; !strings.Contains(page, `action="`+path+`/rating"`) {
		t.Fatalf("a closed ticket cannot be rated:\n%s", page)
	}
	again := ana.post(path+"/rating", "rating", "9", "comment", "Ines was quick <b>")
	if again.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(again.body, "Ines was quick &lt;b&gt;") || !strings.Contains(again.body, "Choose one to five stars.") {
		t.Errorf("nine stars answer %d; wanted the form with what was typed", again.StatusCode)
	}
	if got := ana.post(path+"/rating", "rating", "4", "comment", "Ines was quick"); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("four stars answer %d:\n%s", got.StatusCode, got.body)
	}
	page := ana.get(path).body
	if !strings.Contains(page, `value="4" checked`) || !strings.Contains(page, "Ines was quick") {
		t.Error("the page does not show what was said")
	}
	if strings.Contains(page, "4 of 5 stars") {
		t.Error("the history tells customers of the rating, which is for the desk")
	}
}

func TestRatingLinkAsksBeforeItCounts(t *testing.T) {
	w := newWorld(t, nil)
	nobody := w.browser("")
	got := nobody.get("/help/rate/t1001.c1.kaaaaaaaaaaaaaaaa")
	if got.StatusCode != http.StatusNotFound || !strings.Contains(got.body, "This link is incomplete") {
		t.Errorf("a made-up link answers %d:\n%s", got.StatusCode, got.body)
	}
	if got := nobody.post("/help/rate/t1001.c1.kaaaaaaaaaaaaaaaa", "rating", "5"); got.StatusCode != http.StatusNotFound {
		t.Errorf("a made-up link takes a rating: %d", got.StatusCode)
	}
}

func TestRatingLinkOfAMail(t *testing.T) {
	w := newWorld(t, nil)
	if _, err := w.app.DeskClose(t.Context(), portal.ByAgent(w.agent.ID), w.anas); err != nil {
		t.Fatal(err)
	}
	below, err := w.app.RatingPath(w.portal, &portal.Ticket{Number: w.anas, Requester: w.ana.ID})
	if err != nil {
		t.Fatal(err)
	}
	scanner, path := w.browser(""), "/help"+below
	for range 2 {
		if got := scanner.get(path + "?stars=2"); got.StatusCode != http.StatusOK || !strings.Contains(got.body, `value="2" checked`) {
			t.Fatalf("the link answers %d; wanted the form with two stars chosen", got.StatusCode)
		}
	}
	if page := w.browser("").get(path).body; strings.Contains(page, "checked") {
		t.Error("following the link counted as a rating")
	}
	for _, stars := range []string{"2", "5"} {
		if got := w.browser("").post(path, "rating", stars, "comment", ""); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "Thank you") {
			t.Fatalf("%s stars answer %d:\n%s", stars, got.StatusCode, got.body)
		}
	}
	if page := w.browser("").get(path).body; !strings.Contains(page, `value="5" checked`) {
		t.Error("the second rating did not replace the first")
	}
}
