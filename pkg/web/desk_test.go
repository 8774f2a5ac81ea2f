package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestAgentsSignInAtTheHelpDesk(t *testing.T) {
	w := newWorld(t, nil)
	if got := w.browser("").get("/helpdesk/sign-in"); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "Help desk") || strings.Contains(got.body, "/register") {
		t.Fatalf("the desk's sign-in page answers %d:\n%s", got.StatusCode, got.body)
	}
	var token string
	w.write(func(ctx context.Context, tx *store.Tx) (err error) {
		var hash []byte
		if token, hash, err = auth.NewToken(); err != nil {
			return err
		}
		return tx.AddToken(ctx, &store.Token{Kind: store.TokenSignIn, Agent: w.agent.ID, Hash: hash, CreatedAt: tx.Now, ExpiresAt: tx.Now.Add(time.Minute)})
	})
	ines := w.browser("")
	if got := ines.post("/helpdesk/sign-in/link/" + token); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/helpdesk/tickets" {
		t.Fatalf("the link answers %d to %q, wanted 303 to /helpdesk/tickets", got.StatusCode, got.Header.Get("Location"))
	}
	for path, want := range map[string]int{
		"/helpdesk/account": http.StatusOK, "/help/tickets": http.StatusOK,
		// Customers' pages are none of the desk's.
		"/helpdesk/tickets": http.StatusNotFound, "/helpdesk/register": http.StatusNotFound, "/helpdesk/consent": http.StatusNotFound,
	} {
		if got := ines.get(path); got.StatusCode != want {
			t.Errorf("the agent's GET %s answers %d, wanted %d", path, got.StatusCode, want)
		}
	}
}

func TestCustomersDoNotReachTheHelpDesk(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	for _, path := range []string{"/helpdesk/account", "/helpdesk/files/1/photo.png"} {
		if got := ana.get(path); got.StatusCode == http.StatusOK {
			t.Errorf("a customer's GET %s answers 200", path)
		}
	}
	if got := ana.post("/helpdesk/sign-in", "email", "ana@example.com", "password", anasPassword); got.StatusCode == http.StatusSeeOther {
		t.Errorf("a customer signs in at the desk and is led to %q", got.Header.Get("Location"))
	}
}
