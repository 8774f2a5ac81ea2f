package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

// Customers read whose turn it is and when they hear again, and nothing of
// what the desk does by itself; a merged ticket leads on.
func TestCustomersReadWhoseTurnItIs(t *testing.T) {
	w := newWorld(t, nil)
	ctx, h := t.Context(), app.CommandHand(portal.ByOperator)
	n := w.open(w.ana, app.NewTicket{Subject: "Whose turn", Body: "x"})
	other := w.open(w.ana, app.NewTicket{Subject: "The other", Body: "y"})
	ana := w.browser(w.signIn(w.ana))
	if got := ana.get("/help/tickets/" + n.String()); !strings.Contains(got.body, "Our turn") || strings.Contains(got.body, "You will hear") {
		t.Errorf("the page of a new ticket does not say whose turn it is\n%s", got.body)
	}
	if _, err := w.app.Promise(ctx, h, n, w.clock.Now().Add(26*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.app.TagTicket(ctx, h, n, "grumpy", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.app.Snooze(ctx, h, n, w.clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/help/tickets", "/help/tickets/" + n.String()} {
		got := ana.get(path)
		if !strings.Contains(got.body, "You will hear from us by") {
			t.Errorf("%s does not say what was promised\n%s", path, got.body)
		}
		if strings.Contains(got.body, "grumpy") || strings.Contains(strings.ToLower(got.body), "snooze") {
			t.Errorf("%s tells what only the desk knows", path)
		}
	}
	w.clock.Add(27 * time.Hour)
	ana = w.browser(w.signIn(w.ana))
	if got := ana.get("/help/tickets/" + n.String()); !strings.Contains(got.body, "You should have heard from us by") {
		t.Error("a broken promise reads as if it held")
	}
	plan, err := w.app.PlanMerge(ctx, h, n, other)
	if err == nil {
		err = w.app.Merge(ctx, h, n, other, plan.Seen)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := ana.get("/help/tickets/" + n.String()); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/help/tickets/"+other.String() {
		t.Errorf("a merged ticket answers %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	// An answer typed before that is not lost.
	late := ana.post("/help/tickets/"+n.String()+"/replies", "body", "typed before the merge", "how", "send")
	if late.StatusCode != http.StatusConflict || !strings.Contains(late.body, "typed before the merge") || !strings.Contains(late.body, other.String()) {
		t.Errorf("an answer to a merged ticket gets %d\n%s", late.StatusCode, late.body)
	}
}
