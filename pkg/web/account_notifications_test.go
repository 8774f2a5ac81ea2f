package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func (w *world) notify(c *portal.Contact) portal.ContactNotify {
	w.t.Helper()
	fresh, err := w.app.Contact(w.t.Context(), c.Email)
	if err != nil {
		w.t.Fatal(err)
	}
	return fresh.Notify
}

func TestCustomersChooseOfWhatTheyHear(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	if page := ana.get("/help/account").body; !strings.Contains(page, `<option value="all" selected>`) || strings.Contains(page, "comes back") {
		t.Error("the account page does not show that Ana hears of everything")
	}
	if got := ana.post("/help/account/notifications", "notify", "digest"); got.StatusCode != http.StatusSeeOther || w.notify(w.ana) != portal.NotifyDigest {
		t.Errorf("choosing the digest answers %d and leaves %s", got.StatusCode, w.notify(w.ana))
	}
	if got := ana.post("/help/account/notifications", "notify", "sometimes"); got.StatusCode != http.StatusUnprocessableEntity || w.notify(w.ana) != portal.NotifyDigest {
		t.Errorf("a made-up choice answers %d and leaves %s", got.StatusCode, w.notify(w.ana))
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.MarkBounced(ctx, w.ana.ID, w.ana.Email, "550 no such user")
		return err
	})
	if page := ana.get("/help/account").body; !strings.Contains(page, "Mail to ana@example.com comes back") {
		t.Error("the account page does not tell that mail comes back")
	}
}

// Following the link changes nothing, however often; its button does, and so
// does what a mail program posts, which knows no session and no cookie.
func TestNoticesAreTurnedOffByPostOnly(t *testing.T) {
	w := newWorld(t, nil)
	path, err := w.app.NoticeOffPath(w.bo, app.NoticesAsParticipant)
	if err != nil {
		t.Fatal(err)
	}
	scanner := w.browser("")
	for range 2 {
		got := scanner.get("/help" + path)
		if got.StatusCode != http.StatusOK || !strings.Contains(got.body, `action="/help`+path+`"`) || strings.Contains(got.body, "bo@example.com") {
			t.Errorf("the page answers %d:\n%s", got.StatusCode, got.body)
		}
	}
	if got := w.notify(w.bo); got != portal.NotifyAll {
		t.Fatalf("following the link left %s", got)
	}
	got, err := http.Post(w.server.URL+"/help"+path, "application/x-www-form-urlencoded", strings.NewReader("List-Unsubscribe=One-Click"))
	if err != nil {
		t.Fatal(err)
	}
	_ = got.Body.Close()
	if got.StatusCode != http.StatusOK || w.notify(w.bo) != portal.NotifyMine {
		t.Errorf("one click answers %d and leaves %s", got.StatusCode, w.notify(w.bo))
	}
	for _, method := range []func() answer{
		func() answer { return scanner.get("/help" + path + "x") },
		func() answer { return scanner.post("/help" + path + "x") },
	} {
		if got := method(); got.StatusCode != http.StatusNotFound {
			t.Errorf("a made-up link answers %d", got.StatusCode)
		}
	}
	if strings.Contains(w.log.String(), strings.TrimPrefix(path, "/account/notifications/")) {
		t.Error("the log holds the link's key")
	}
}
