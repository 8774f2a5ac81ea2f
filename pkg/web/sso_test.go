package web

import (
	"net/http"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestOtherSitesSignNobodyInAtTheProvider(t *testing.T) {
	w := newWorld(t, nil)
	w.portal.Access.Mode = portal.ModeSSO
	w.portal.Access.SSO = &portal.SSOSettings{Issuer: "https://127.0.0.1:9", ClientID: "portal"}
	w.savePortal()
	for from, want := range map[string]int{
		"cross-site": http.StatusSeeOther, "same-site": http.StatusSeeOther,
		// Nothing listens there, which is how far a journey gets that is begun.
		"same-origin": http.StatusServiceUnavailable, "none": http.StatusServiceUnavailable, "": http.StatusServiceUnavailable,
	} {
		b := w.browser("")
		r := b.request(http.MethodGet, "/help/sso?return_to=/help/tickets/new", nil)
		if from != "" {
			r.Header.Set("Sec-Fetch-Site", from)
		}
		got := b.do(r)
		if got.StatusCode != want {
			t.Errorf("led here by %q: %d, want %d", from, got.StatusCode, want)
		}
		if to := got.Header.Get("Location"); want == http.StatusSeeOther && to != "/help/sign-in?return_to=%2Fhelp%2Ftickets%2Fnew" {
			t.Errorf("led here by %q: on to %q, want the page with the button", from, to)
		}
	}
}
