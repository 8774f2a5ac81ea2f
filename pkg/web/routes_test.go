package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// walk calls visit for every route with a path that exists as far as it can:
// Ana's ticket and file, and links that are good.
func walk(t *testing.T, w *world, visit func(t *testing.T, rt route, method, path string)) {
	t.Helper()
	s := New(Options{App: w.app, Now: w.clock.Now})
	for _, rt := range s.routes() {
		method, path, _ := strings.Cut(rt.pattern, " ")
		path = strings.NewReplacer(
			"{$}", "", "{number}", w.anas.String(), "{name}", "photo.png",
			"/files/{id}", fmt.Sprintf("/files/%d", w.anasFile),
			"/participants/{id}", fmt.Sprintf("/participants/%d", w.bo.ID), "{id}", "1",
		).Replace(path)
		if strings.Contains(path, "{token}") {
			kind := store.TokenSignIn
			switch {
			case strings.HasPrefix(path, "/invitation"):
				kind = store.TokenInvitation
			case strings.HasPrefix(path, "/register"):
				kind = store.TokenRegister
			case strings.HasPrefix(path, "/reset"):
				kind = store.TokenReset
			}
			path = strings.ReplaceAll(path, "{token}", w.token(store.Token{Kind: kind, Contact: w.bo.ID, Email: w.bo.Email}))
		}
		t.Run(rt.pattern, func(t *testing.T) { visit(t, rt, method, "/help"+path) })
	}
}

func TestStrangersReachOnlyWhatIsOpen(t *testing.T) {
	w := newWorld(t, nil)
	open := []string{
		"GET /{$}", "GET /sign-in", "POST /sign-in", "POST /sign-in/link", "GET /sign-in/sent", "GET /sign-in/link/{token}",
		"POST /sign-in/link/{token}", "GET /sign-out", "POST /sign-out", "GET /register", "POST /register", "GET /register/sent",
		"GET /register/pending", "GET /register/{token}", "POST /register/{token}", "GET /invitation/{token}",
		"POST /invitation/{token}", "GET /reset", "POST /reset", "GET /reset/sent", "GET /reset/{token}", "POST /reset/{token}",
		"GET /not-me/{token}", "POST /not-me/{token}",
		"GET /view/{token}", "POST /view/{token}",
		"GET /rate/{token}", "POST /rate/{token}",
		"GET /account/notifications/{token}", "POST /account/notifications/{token}",
		"GET /sso", "GET /sso/callback", "GET /sso/signed-out",
		"POST /sign-in/passkey/begin", "POST /sign-in/passkey",
	}
	walk(t, w, func(t *testing.T, rt route, method, path string) {
		stranger := w.browser("")
		var got answer
		if method == http.MethodGet {
			got = stranger.get(path)
		} else {
			got = stranger.post(path, "subject", "x")
		}
		if got.StatusCode >= 500 {
			t.Fatalf("%s answers %d:\n%s", rt.pattern, got.StatusCode, w.log)
		}
		if slices.Contains(open, rt.pattern) {
			if rt.who != anyone && rt.who != arriving {
				t.Errorf("%s is listed here as open and is not in routes()", rt.pattern)
			}
			return
		}
		if rt.who == anyone || rt.who == arriving {
			t.Errorf("%s is open to strangers; is it meant to be? Then list it here", rt.pattern)
		}
		toSignIn := got.StatusCode == http.StatusSeeOther && strings.HasPrefix(got.Header.Get("Location"), "/help/sign-in")
		if !toSignIn && got.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s answers a stranger %d to %q, wanted the sign-in page or 401", rt.pattern, got.StatusCode, got.Header.Get("Location"))
		}
		for _, secret := range []string{"scanner", "Ana Berg", "ana@example.com"} {
			if strings.Contains(got.body, secret) {
				t.Errorf("%s shows a stranger %q", rt.pattern, secret)
			}
		}
	})
}

func TestSomebodyElsesTicketIsLikeNone(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Tickets.Permissions = portal.PermitCompany })
	eve := w.browser(w.signIn(w.eve))
	const none = "T-999999"
	walk(t, w, func(t *testing.T, rt route, method, path string) {
		if !strings.Contains(rt.pattern, "{number}") && !strings.HasPrefix(path, "/help/files/") {
			t.Skip("not about one ticket")
		}
		ask := func(path string) answer {
			if method == http.MethodGet {
				return eve.get(path)
			}
			return eve.post(path, "body", "hello", "participant", "eve@example.com", "confidential", "on")
		}
		nowhere := strings.NewReplacer(w.anas.String(), none, fmt.Sprintf("/files/%d/", w.anasFile), "/files/999999/").Replace(path)
		got, want := ask(path), ask(nowhere)
		if strings.HasSuffix(rt.pattern, "/draft") {
			// A draft belongs to who writes it, whether or not there is a ticket.
			if got.StatusCode != want.StatusCode {
				t.Errorf("%s: %d for Ana's ticket, %d for none", rt.pattern, got.StatusCode, want.StatusCode)
			}
			return
		}
		if got.StatusCode != http.StatusNotFound || want.StatusCode != http.StatusNotFound {
			t.Errorf("%s: Eve gets %d for Ana's ticket and %d for none, wanted 404 for both", rt.pattern, got.StatusCode, want.StatusCode)
		}
		if got.body != want.body {
			t.Errorf("%s: Ana's ticket and none answer with different pages", rt.pattern)
		}
	})
	if got := eve.get("/help/tickets?view=company&status=all").body; strings.Contains(got, "scanner") {
		t.Error("Eve's list shows Ana's ticket")
	}
	if got := eve.get("/help/tickets.csv?view=company&status=all").body; strings.Contains(got, "scanner") {
		t.Error("Eve's CSV shows Ana's ticket")
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	foreign := []struct{ header, value string }{
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
	}
	walk(t, w, func(t *testing.T, rt route, method, path string) {
		if method == http.MethodGet {
			t.Skip("reads change nothing")
		}
		for _, from := range foreign {
			r := ana.request(method, path, strings.NewReader("body=x"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(from.header, from.value)
			if got := ana.do(r); got.StatusCode != http.StatusForbidden {
				t.Errorf("%s with %s %q answers %d, wanted 403", rt.pattern, from.header, from.value, got.StatusCode)
			}
		}
	})
	if got := ana.get("/help/account"); got.StatusCode != http.StatusOK {
		t.Errorf("after all that Ana's session answers %d, wanted 200", got.StatusCode)
	}
}

func TestWritesTakeFormsOnly(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	r := ana.request(http.MethodPost, "/help/tickets/"+w.anas.String()+"/replies", strings.NewReader(`{"body":"x"}`))
	r.Header.Set("Content-Type", "application/json")
	if got := ana.do(r); got.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("JSON answers %d, wanted 415", got.StatusCode)
	}
	if got := ana.do(ana.request(http.MethodDelete, "/help/tickets", nil)); got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("DELETE answers %d, Allow %q; wanted 405 and GET, HEAD", got.StatusCode, got.Header.Get("Allow"))
	}
}

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	w := newWorld(t, nil)
	stranger, ana := w.browser(""), w.browser(w.signIn(w.ana))
	assets := ana.get("/help/tickets")
	css := attr(find(assets.dom(t), "rel", "stylesheet")[0], "href")
	file := fmt.Sprintf("/help/files/%d/photo.png", w.anasFile)
	wrongHost := stranger.request(http.MethodGet, "/help/", nil)
	wrongHost.Host = "elsewhere.example"
	answers := map[string]answer{
		"sign-in": stranger.get("/help/sign-in"), "list": assets, "not found": ana.get("/help/nowhere"),
		"ticket": ana.get("/help/tickets/" + w.anas.String()), "refused": ana.post("/help/tickets/new"),
		"redirect": stranger.get("/help/tickets"), "file": ana.get(file), "file shown": ana.get(file + "?inline"),
		"asset": stranger.get(css), "no asset": stranger.get("/-/assets/none.css"), "theme": stranger.get("/-/theme/none"),
		"health": stranger.get("/-/health"), "robots": stranger.get("/robots.txt"), "other host": stranger.do(wrongHost),
		"csv": ana.get("/help/tickets.csv"), "above the portal": stranger.get("/"), "no portal": stranger.get("/nothing"),
	}
	for name, got := range answers {
		csp := got.Header.Get("Content-Security-Policy")
		want := "default-src 'none'; script-src 'self'"
		if name == "file" || name == "file shown" {
			want = "default-src 'none'; sandbox"
		}
		if !strings.HasPrefix(csp, want) || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: Content-Security-Policy is %q", name, csp)
		}
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"X-Frame-Options": "DENY", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "same-origin",
		} {
			if h := got.Header.Get(header); h != want {
				t.Errorf("%s: %s is %q, wanted %q", name, header, h, want)
			}
		}
		if got.Header.Get("Permissions-Policy") == "" {
			t.Errorf("%s: no Permissions-Policy", name)
		}
		public := name == "asset"
		if cache := got.Header.Get("Cache-Control"); public != strings.Contains(cache, "public") || !public && !strings.Contains(cache, "no-store") {
			t.Errorf("%s: Cache-Control is %q", name, cache)
		}
		if got.Header.Get("Server") != "" || got.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: has a banner or CORS: %v", name, got.Header)
		}
		if kind := got.Header.Get("Content-Type"); strings.HasPrefix(kind, "text/") && !strings.Contains(kind, "charset=utf-8") {
			t.Errorf("%s: Content-Type %q names no charset", name, kind)
		}
	}
	if got := answers["other host"].StatusCode; got != http.StatusMisdirectedRequest {
		t.Errorf("an unknown host gets %d, wanted 421", got)
	}
}

func TestHostsAndPaths(t *testing.T) {
	w := newWorld(t, nil)
	stranger := w.browser("")
	for _, tt := range []struct {
		path     string
		status   int
		location string
	}{
		{"/", http.StatusSeeOther, "/help/"},
		{"/help", http.StatusSeeOther, "/help/sign-in"},
		{"/help/sign-in/", http.StatusPermanentRedirect, "/help/sign-in"},
		{"/help//tickets?q=a", http.StatusPermanentRedirect, "/help/tickets?q=a"},
		{"/help/nowhere", http.StatusNotFound, ""},
		{"/other", http.StatusNotFound, ""},
		{"/-/health", http.StatusOK, ""},
		{"/-/ready", http.StatusOK, ""},
		{"/-/nothing", http.StatusNotFound, ""},
	} {
		got := stranger.get(tt.path)
		if got.StatusCode != tt.status || got.Header.Get("Location") != tt.location {
			t.Errorf("GET %s: %d to %q, wanted %d to %q", tt.path, got.StatusCode, got.Header.Get("Location"), tt.status, tt.location)
		}
	}
	r := stranger.request(http.MethodGet, "/-/health", nil)
	r.Host = "elsewhere.example"
	if got := stranger.do(r); got.StatusCode != http.StatusOK {
		t.Errorf("health under another host answers %d, wanted 200", got.StatusCode)
	}
}

func TestPausedAndDraftPortals(t *testing.T) {
	w := newWorld(t, nil)
	ana, agent := w.browser(w.signIn(w.ana)), w.browser(w.signInAgent())
	set := func(state portal.PortalState) {
		w.portal.State = state
		w.write(func(ctx context.Context, tx *store.Tx) error { return tx.SavePortal(ctx, w.portal) })
	}
	set(portal.Paused)
	if got := ana.get("/help/tickets"); got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" || !strings.Contains(got.body, "short break") {
		t.Errorf("a paused portal answers a customer %d, wanted 503 with the notice", got.StatusCode)
	}
	if got := agent.get("/help/tickets"); got.StatusCode != http.StatusOK {
		t.Errorf("a paused portal answers an agent %d, wanted 200", got.StatusCode)
	}
	set(portal.Draft)
	link := "/help/sign-in/link/" + w.token(store.Token{Kind: store.TokenSignIn, Agent: w.agent.ID, Email: w.agent.Email})
	for path, want := range map[string]int{"/help/tickets": 404, "/help/sign-in": 404, "/help/sign-in/link/unknown": 404, link: 200} {
		got := w.browser("").get(path)
		if got.StatusCode != want || want == 404 && strings.Contains(got.body, w.portal.Name) {
			t.Errorf("a draft answers a stranger %d at %s, wanted %d and not its name", got.StatusCode, path, want)
		}
	}
	if got := agent.get("/help/tickets"); got.StatusCode != http.StatusOK {
		t.Errorf("a draft answers an agent %d, wanted 200", got.StatusCode)
	}
}
