package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// TestNobodyNewGetsInOnADomainWhoseProofIsLost: for seven days nothing changes;
// then who is signed in goes on, and nobody else begins.
func TestNobodyNewGetsInOnADomainWhoseProofIsLost(t *testing.T) {
	w := newWorld(t, nil)
	lose := func(ago time.Duration) {
		w.write(func(ctx context.Context, tx *store.Tx) error {
			d, err := tx.SystemDomain(ctx)
			if err != nil {
				return err
			}
			d.LostAt = time.Time{}
			if ago > 0 {
				d.LostAt = w.clock.Now().Add(-ago)
			}
			return tx.SaveDomain(ctx, d)
		})
	}
	ana, stranger := w.browser(w.signIn(w.ana)), w.browser("")
	link := "/help/sign-in/link/" + w.token(store.Token{Kind: store.TokenSignIn, Contact: w.bo.ID, Email: w.bo.Email})
	invitation := "/help/invitation/" + w.token(store.Token{Kind: store.TokenInvitation, Contact: w.eve.ID, Email: w.eve.Email})
	ways := []string{"/help/sign-in", "/help/register", "/help/reset", "/help/sso", link, invitation}

	lose(portal.ProofGrace - time.Minute)
	for _, path := range []string{"/help/sign-in", link} {
		if got := stranger.get(path); got.StatusCode != http.StatusOK {
			t.Errorf("within the grace %s answers %d, want 200", path, got.StatusCode)
		}
	}
	lose(portal.ProofGrace)
	for _, path := range ways {
		if got := stranger.get(path); got.StatusCode != http.StatusServiceUnavailable || !strings.Contains(got.body, "Nobody can sign in here for now") {
			t.Errorf("after the grace %s answers %d, want 503 with the reason", path, got.StatusCode)
		}
	}
	for _, path := range []string{"/help/sign-in", link} {
		if got := stranger.post(path, "email", w.ana.Email, "password", anasPassword); got.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("after the grace POST %s answers %d, want 503", path, got.StatusCode)
		}
	}
	ticket := "/help/tickets/" + w.anas.String()
	if got := stranger.get(ticket); got.Header.Get("Location") != "/help/sign-in?return_to="+url.QueryEscape(ticket) {
		t.Errorf("a link in a mail leads a stranger to %q", got.Header.Get("Location"))
	}
	if got := ana.get(ticket); got.StatusCode != http.StatusOK {
		t.Errorf("after the grace %s answers somebody signed in %d, want 200", ticket, got.StatusCode)
	}
	if got := ana.post(ticket+"/replies", "body", "Still here."); got.StatusCode != http.StatusSeeOther {
		t.Errorf("after the grace a reply is answered %d, want 303", got.StatusCode)
	}
	// No page is needed to be refused: the rule is not the page's.
	v := w.visit("")
	if _, err := w.app.SignIn(t.Context(), v, w.ana.Email, anasPassword, "", app.Device{}); portal.KindOf(err) != portal.Forbidden {
		t.Errorf("signing in past the page: %v, want Forbidden", err)
	}
	lose(0)
	if got := stranger.post("/help/sign-in", "email", w.ana.Email, "password", anasPassword); got.StatusCode != http.StatusSeeOther {
		t.Errorf("found again, signing in is answered %d, want 303", got.StatusCode)
	}
}

// TestALostDomainIsNoWayInByAnotherOne: a portal that is to move to a domain
// which is not proven yet stays on one whose proof is lost. Nobody new signs in
// there, as before.
func TestALostDomainIsNoWayInByAnotherOne(t *testing.T) {
	w := newWorld(t, nil)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.AddDomain(ctx, &portal.Domain{Kind: portal.ConnectedDomain, Host: "new.example.com", Language: "en", Token: "t"})
	})
	w.set(app.PortalChanges{Domain: new("new.example.com")})
	stranger := w.browser("")
	if got := stranger.get("/help/sign-in"); got.StatusCode != http.StatusOK {
		t.Fatalf("where it was, the portal answers %d", got.StatusCode)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		d, err := tx.SystemDomain(ctx)
		if err != nil {
			return err
		}
		d.LostAt = w.clock.Now().Add(-portal.ProofGrace)
		return tx.SaveDomain(ctx, d)
	})
	if got := stranger.post("/help/sign-in", "email", w.ana.Email, "password", anasPassword); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("signing in on a domain whose proof is lost is answered %d, want 503", got.StatusCode)
	}
	if _, err := w.app.SignIn(t.Context(), w.visit(""), w.ana.Email, anasPassword, "", app.Device{}); portal.KindOf(err) != portal.Forbidden {
		t.Errorf("signing in past the page: %v, want Forbidden", err)
	}
}
