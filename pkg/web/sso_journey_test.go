package web

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/oidctest"
	"github.com/portalctl/portalctl/pkg/store"
)

// ssoWorld is a world whose portal an identity provider lets people into.
type ssoWorld struct {
	*world
	idp *oidctest.Provider
}

func newSSOWorld(t *testing.T) *ssoWorld {
	t.Helper()
	w := &ssoWorld{world: newWorld(t, nil)}
	w.idp = oidctest.New(t, w.clock.Now)
	w.set(app.AccessChanges{Mode: new(portal.ModeSSO), SSO: app.SSOChanges{
		Issuer: &w.idp.Issuer, ClientID: new(oidctest.ClientID), Secret: new(oidctest.Secret),
		EmailDomains: &[]string{"example.com", "desk.example"}, AllowPrivate: new(true),
	}})
	return w
}

func (w *ssoWorld) set(c app.AccessChanges) {
	w.t.Helper()
	if _, err := w.app.SetAccess(w.t.Context(), w.portal.ID, c); err != nil {
		w.t.Fatal(err)
	}
}

// toProvider begins in a browser and returns the path the provider leads it
// back to.
func (b *browser) toProvider(begin string) string {
	b.w.t.Helper()
	res := b.get(begin)
	if res.StatusCode != http.StatusSeeOther {
		b.w.t.Fatalf("GET %s answers %d:\n%s", begin, res.StatusCode, res.body)
	}
	// Without the portal's cookies, as on another host.
	elsewhere := &http.Client{CheckRedirect: b.client.CheckRedirect}
	there, err := elsewhere.Get(res.Header.Get("Location"))
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer there.Body.Close()
	back, err := there.Location()
	if err != nil {
		b.w.t.Fatalf("the provider answers %s", there.Status)
	}
	return back.RequestURI()
}

func TestProviderSignsInAndLeadsBack(t *testing.T) {
	w := newSSOWorld(t)
	b := w.browser("")
	turned := b.get("/help/tickets/" + w.anas.String())
	page := b.get(turned.Header.Get("Location"))
	begin := regexp.MustCompile(`href="(/help/sso\?[^"]*)"`).FindStringSubmatch(page.body)
	if begin == nil || strings.Contains(page.body, "<form") {
		t.Fatalf("the sign-in page is not one button:\n%s", page.body)
	}
	back := b.toProvider(begin[1])
	in := b.get(back)
	if in.StatusCode != http.StatusSeeOther || in.Header.Get("Location") != "/help/tickets/"+w.anas.String() {
		t.Fatalf("back from the provider: %d to %q\n%s", in.StatusCode, in.Header.Get("Location"), in.body)
	}
	for _, c := range in.Cookies() {
		if c.Name == "portalctl-sso" && c.MaxAge >= 0 {
			t.Errorf("the journey's cookie stays: %v", c)
		}
	}
	if got := b.get(in.Header.Get("Location")); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "Ana Berg") {
		t.Errorf("the ticket answers %d", got.StatusCode)
	}
	if got := b.get(back); got.StatusCode == http.StatusOK {
		t.Error("the same answer works again")
	}
	for _, outside := range []string{"https://evil.example/", "//evil.example/", "/elsewhere"} {
		b := w.browser("")
		in := b.get(b.toProvider("/help/sso?return_to=" + url.QueryEscape(outside)))
		if to := in.Header.Get("Location"); to != "/help/tickets" {
			t.Errorf("return_to %s leads to %q", outside, to)
		}
	}
}

func TestSignOutGoesOnToTheProvider(t *testing.T) {
	w := newSSOWorld(t)
	b := w.browser("")
	b.get(b.toProvider("/help/sso"))
	out := b.post("/help/sign-out")
	to, _ := strings.CutPrefix(out.Header.Get("Refresh"), "0;url=")
	u, err := url.Parse(to)
	if err != nil || out.StatusCode != http.StatusOK || !strings.HasPrefix(to, w.idp.Issuer+"/logout?") {
		t.Fatalf("signed out: %d, on to %q\n%s", out.StatusCode, to, out.body)
	}
	if !strings.Contains(out.body, "id_token_hint=") {
		t.Error("the page has no link for browsers that do not go on by themselves")
	}
	if got := b.get("/help/tickets"); got.StatusCode == http.StatusOK {
		t.Error("the session goes on here")
	}
	back := b.get("/help/sso/signed-out?state=" + url.QueryEscape(u.Query().Get("state")))
	if got := b.get(back.Header.Get("Location")); !strings.Contains(got.body, "sign-in service.") {
		t.Errorf("back from the provider the page does not say so:\n%s", got.body)
	}
	back = b.get("/help/sso/signed-out?state=made-up")
	if got := b.get(back.Header.Get("Location")); back.Header.Get("Location") != "/help/sign-in" || strings.Contains(got.body, "sign-in service.") {
		t.Error("a made-up state is believed")
	}
	// Somebody who is not signed in by the provider is only signed out here.
	agent := w.browser(w.signInAgent())
	if got := agent.post("/help/sign-out"); got.StatusCode != http.StatusSeeOther || got.Header.Get("Refresh") != "" {
		t.Errorf("an agent signs out: %d, %q", got.StatusCode, got.Header.Get("Refresh"))
	}
}

// Whatever is wrong, the visitor reads the same few words with a reference,
// nothing that came from the provider, and stays outside; the operator finds
// the reason under the reference.
func TestHostileProviderSaysNothingToVisitors(t *testing.T) {
	claim := func(name string, value any) func(*ssoWorld) {
		return func(w *ssoWorld) { w.idp.Token = func(c map[string]any) { c[name] = value } }
	}
	answer := func(name, value string) func(*ssoWorld) {
		return func(w *ssoWorld) { w.idp.Answer = func(v url.Values) { v.Set(name, value) } }
	}
	tests := []struct {
		name   string
		bend   func(*ssoWorld)
		reason string
		status int
	}{
		{"wrong nonce", claim("nonce", "<b>x</b>"), "nonce", 403},
		{"wrong audience", claim("aud", "<b>x</b>"), "audience", 403},
		{"wrong azp", claim("azp", "<b>x</b>"), "authorized_party", 403},
		{"missing azp", claim("aud", []string{oidctest.ClientID, "<b>x</b>"}), "authorized_party", 403},
		{"expired", claim("exp", 1), "expired", 403},
		{"issued in the future", claim("iat", 1<<40), "issued_in_future", 403},
		{"wrong issuer in the token", claim("iss", "<b>x</b>"), "issuer", 403},
		{"wrong iss", answer("iss", "<b>x</b>"), "issuer", 403},
		{"alg none", func(w *ssoWorld) { w.idp.Sign = w.idp.Unsigned }, "signature", 403},
		{"HS256 with the client secret", func(w *ssoWorld) {
			w.idp.Sign = func(c map[string]any) string {
				return w.idp.SignWith(jose.HS256, []byte(strings.Repeat(oidctest.Secret, 2)), c)
			}
		}, "signature", 403},
		{"an error with words", func(w *ssoWorld) {
			w.idp.Answer = func(v url.Values) { v.Set("error", "access_denied"); v.Set("error_description", "<b>x</b>") }
		}, "provider_error", 403},
		{"state of another browser", answer("state", strings.Repeat("A", 43)), "state", 403},
		{"a code it does not take", answer("code", "code-0"), "code", 403},
		{"unverified address", func(w *ssoWorld) { w.idp.Person["email_verified"] = false }, "email_unverified", 403},
		{"address of an agent", func(w *ssoWorld) { w.idp.Person["email"] = "ines@desk.example" }, "email_of_agent", 403},
		{"group missing", func(w *ssoWorld) { w.set(app.AccessChanges{Groups: &[]string{"portal"}}) }, "group_missing", 403},
		{"userinfo of somebody else", func(w *ssoWorld) {
			w.idp.InUserInfo = true
			w.idp.UserInfo = func(c map[string]any) { c["sub"] = "<b>x</b>" }
		}, "userinfo", 403},
		{"endless answer", func(w *ssoWorld) {
			w.idp.Instead["/token"] = func(rw http.ResponseWriter, _ *http.Request) {
				for range 100 {
					if _, err := rw.Write(make([]byte, 1<<20)); err != nil {
						return
					}
				}
			}
		}, "unreachable", 503},
		{"broken", func(w *ssoWorld) {
			w.idp.Instead["/token"] = func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "<b>x</b>", http.StatusBadGateway) }
		}, "unreachable", 503},
	}
	// Three texts, and no more, whatever the reason.
	words := map[string][]string{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newSSOWorld(t)
			tt.bend(w)
			b := w.browser("")
			got := b.get(b.toProvider("/help/sso"))
			if got.StatusCode != tt.status {
				t.Errorf("answers %d, wanted %d", got.StatusCode, tt.status)
			}
			for _, secret := range []string{"<b>x", "&lt;b&gt;x", w.idp.Issuer, oidctest.Secret, "ines@", "0001"} {
				if strings.Contains(got.body, secret) {
					t.Errorf("the page shows %q", secret)
				}
			}
			ref := regexp.MustCompile(`Reference: ([A-Z0-9]{4}-[A-Z0-9]{4})`).FindStringSubmatch(got.body)
			if ref == nil {
				t.Fatalf("the page gives no reference:\n%s", got.body)
			}
			main := regexp.MustCompile(`(?s)<main.*</main>`).FindString(got.body)
			text := strings.ReplaceAll(main, ref[1], "REF")
			if !slices.Contains(words[got.Status], text) {
				words[got.Status] = append(words[got.Status], text)
			}
			if in := b.get("/help/tickets"); in.StatusCode == http.StatusOK {
				t.Error("and lets in all the same")
			}
			w.wantReason(ref[1], tt.reason)
		})
	}
	if n := len(words["403 Forbidden"]) + len(words["503 Service Unavailable"]); n != 3 {
		t.Errorf("there are %d texts, wanted 3: %v", n, words)
	}
}

// wantReason finds the audit entry a reference leads to.
func (w *ssoWorld) wantReason(ref, reason string) {
	w.t.Helper()
	var rows []portal.AuditRow
	err := w.store.Read(w.t.Context(), func(tx *store.Tx) (err error) {
		rows, err = tx.Audit(w.t.Context(), store.AuditFilter{Kinds: []portal.AuditKind{portal.AuditSignInFailed, portal.AuditSignInRefused}})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range rows {
		e := rows[i].Entry()
		if slices.Contains(e.Changes, portal.AuditChange{Field: "reference", To: ref}) {
			if !slices.Contains(e.Changes, portal.AuditChange{Field: "reason", To: reason}) {
				w.t.Errorf("the audit log says %+v, wanted the reason %q", e.Changes, reason)
			}
			return
		}
	}
	w.t.Errorf("the audit log knows no reference %s", ref)
}
