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

// connect makes verified domains.
func (w *world) connect(hosts ...string) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for _, host := range hosts {
			d := &portal.Domain{Kind: portal.ConnectedDomain, Host: host, Language: "en", Token: host, VerifiedAt: tx.Now}
			if err := tx.AddDomain(ctx, d); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *world) set(c app.PortalChanges) {
	w.t.Helper()
	r, err := w.app.SetPortal(w.t.Context(), w.portal.ID, c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.portal = r.Portal
}

// at is a request to another of the server's hosts, as its own page would make.
func (b *browser) at(host, method, path, form string) answer {
	b.w.t.Helper()
	r := b.request(method, path, strings.NewReader(form))
	r.Host = host + ":" + r.URL.Port()
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://"+r.Host)
	}
	return b.do(r)
}

func (w *world) site(host string) string {
	u, err := url.Parse(w.server.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	return "http://" + host + ":" + u.Port()
}

func TestFormerAddressesLeadOn(t *testing.T) {
	w := newWorld(t, nil)
	w.connect("support.example.com", "www.example.com")
	w.set(app.PortalChanges{Slug: new("support")})
	w.set(app.PortalChanges{Domain: new("support.example.com")})
	w.set(app.PortalChanges{Slug: new("")})
	if _, _, _, err := w.app.AddAddress(t.Context(), w.portal.ID, "www.example.com"); err != nil {
		t.Fatal(err)
	}
	stranger, home := w.browser(""), w.site("support.example.com")
	for _, tt := range []struct{ host, path, to string }{
		{"127.0.0.1", "/help/tickets/T-1001?q=a%20b&sort=x", home + "/tickets/T-1001?q=a%20b&sort=x"},
		{"127.0.0.1", "/help", home + "/"},
		{"127.0.0.1", "/help/", home + "/"},
		{"127.0.0.1", "/support/files/7/a%2Fb%20c.png", home + "/files/7/a%2Fb%20c.png"},
		{"127.0.0.1", "/SUPPORT/sign-in", home + "/sign-in"},
		{"127.0.0.1", "/help/sign-in/link/abcdef", home + "/sign-in/link/abcdef"},
		{"127.0.0.1", "/help/sign-in?return_to=%2Fhelp%2Ftickets%2FT-7", home + "/sign-in?return_to=%2Ftickets%2FT-7"},
		{"127.0.0.1", "/help/sign-in?return_to=%2F%2Fevil.example", home + "/sign-in?return_to=%2F%2Fevil.example"},
		{"127.0.0.1", "/help//evil.example/x", home + "/evil.example/x"},
		{"127.0.0.1", "/help/%2F%2Fevil.example", home + "/evil.example"},
		{"support.example.com", "/support/tickets", "/tickets"},
		{"support.example.com", "/support", "/"},
		{"support.example.com", "/support//evil.example/x", "/evil.example/x"},
		{"support.example.com", "/support/%2Fevil.example", "/evil.example"},
		{"www.example.com", "/tickets/T-1001", home + "/tickets/T-1001"},
		// Whoever puts www in front of an address means the same page.
		{"www.example.com", "/support/tickets/T-1001", home + "/tickets/T-1001"},
		{"www.example.com", "/help", home + "/"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			got := stranger.at(tt.host, method, tt.path, "")
			if got.StatusCode != http.StatusTemporaryRedirect || got.Header.Get("Location") != tt.to {
				t.Errorf("%s %s%s: %d to %q, wanted 307 to %q", method, tt.host, tt.path, got.StatusCode, got.Header.Get("Location"), tt.to)
			}
			// Kept by a browser, it would lead in circles once the address is
			// taken back.
			if cache := got.Header.Get("Cache-Control"); cache != "private, no-store" {
				t.Errorf("%s %s%s may be kept: %q", method, tt.host, tt.path, cache)
			}
		}
	}
	// The bare host knows where its only portal went.
	if got := stranger.at("127.0.0.1", http.MethodGet, "/", ""); got.Header.Get("Location") != home+"/" {
		t.Errorf("the bare host leads to %q, wanted %s/", got.Header.Get("Location"), home)
	}
	for _, path := range []string{"/help/tickets", "/", "/tickets"} {
		if got := stranger.at("elsewhere.example", http.MethodGet, path, ""); got.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("an unknown host answers %d at %s, wanted 421", got.StatusCode, path)
		}
	}
	if strings.Contains(w.log.String(), "abcdef") {
		t.Error("the log has a token of a path")
	}
	// Taken back, the old address is the portal's own again: no circle.
	w.set(app.PortalChanges{Slug: new("support")})
	if got := stranger.at("support.example.com", http.MethodGet, "/support/sign-in", ""); got.StatusCode != http.StatusOK {
		t.Errorf("the address taken back answers %d, wanted 200", got.StatusCode)
	}
	if got := stranger.at("support.example.com", http.MethodGet, "/tickets", ""); got.Header.Get("Location") != "/support/tickets" {
		t.Errorf("the address in between leads to %q, wanted /support/tickets", got.Header.Get("Location"))
	}
}

func TestADraftsFormerAddressTellsNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.set(app.PortalChanges{Slug: new("secret")})
	agent := w.browser(w.signInAgentAt("secret"))
	w.portal.State = portal.Draft
	w.savePortal()
	if got := w.browser("").get("/help/tickets"); got.StatusCode != http.StatusNotFound || strings.Contains(got.body+got.Header.Get("Location"), "secret") {
		t.Errorf("a draft's former address answers a stranger %d to %q, wanted 404", got.StatusCode, got.Header.Get("Location"))
	}
	if got := agent.get("/help/tickets"); got.Header.Get("Location") != "/secret/tickets" {
		t.Errorf("a draft's former address leads an agent to %q, wanted /secret/tickets", got.Header.Get("Location"))
	}
}

// signInAt signs Ana in at a portal that lies elsewhere by now.
func (w *world) signInAt(host, path string) string {
	w.t.Helper()
	return w.useAt(host, path, w.token(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID, Email: w.ana.Email}))
}

// signInAgentAt signs the agent in at a portal that lies elsewhere by now.
func (w *world) signInAgentAt(slug string) string {
	w.t.Helper()
	token := w.token(store.Token{Kind: store.TokenSignIn, Agent: w.agent.ID, Email: w.agent.Email})
	return w.useAt("127.0.0.1", "/"+slug+"/", token)
}

func (w *world) useAt(host, path, token string) string {
	w.t.Helper()
	v, err := w.app.Enter(w.t.Context(), host, path, "")
	if err != nil {
		w.t.Fatal(err)
	}
	in, err := w.app.UseLink(w.t.Context(), v, token, app.LinkAnswer{Agree: true}, app.Device{UserAgent: "Firefox", Address: "192.0.2.7"})
	if err != nil {
		w.t.Fatal(err)
	}
	return in.Token
}

// messages counts those of a ticket that have a text.
func (w *world) messages(n portal.TicketNumber, text string) (count int) {
	w.t.Helper()
	v, err := w.app.ShowTicket(w.t.Context(), n, false)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range v.Messages {
		if v.Messages[i].Body == text {
			count++
		}
	}
	return count
}

func TestAFormOfAPageThatStoodOpenIsTaken(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	w.set(app.PortalChanges{Slug: new("support")})
	got := ana.post("/help/tickets/"+w.anas.String()+"/replies", "body", "Typed before the move.")
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/support/tickets/"+w.anas.String()+"#end" {
		t.Fatalf("the answer leads to %d %q, wanted 303 to the ticket at the new address", got.StatusCode, got.Header.Get("Location"))
	}
	if n := w.messages(w.anas, "Typed before the move."); n != 1 {
		t.Errorf("the answer is there %d times, wanted once", n)
	}
	refused := ana.post("/help/tickets/new", "subject", "", "body", "Typed too.")
	if refused.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(refused.body, `action="/support/tickets/new"`) || !strings.Contains(refused.body, "Typed too.") {
		t.Errorf("a refused form comes back with %d, wanted what was typed, in a form for the new address", refused.StatusCode)
	}
}

func TestAFormOfAPageOnTheHostBeforeIsTaken(t *testing.T) {
	w := newWorld(t, nil)
	w.connect("support.example.com")
	ana := w.browser(w.signIn(w.ana))
	link := "/help/sign-in/link/" + w.token(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID, Email: w.ana.Email})
	w.set(app.PortalChanges{Domain: new("support.example.com"), Slug: new("")})
	home := w.site("support.example.com")
	ticket := "/help/tickets/" + w.anas.String()

	// No redirect: browsers would not follow one to another host after a form.
	got := ana.post(ticket+"/replies", "body", "Typed before the move.")
	if got.StatusCode != http.StatusOK || !strings.Contains(got.body, `href="`+home+"/tickets/"+w.anas.String()+`#end"`) ||
		!strings.Contains(got.body, "This portal has moved") || !strings.Contains(got.body, "Your message is sent.") {
		t.Errorf("the answer leads to %d %s, wanted a page that tells of the move", got.StatusCode, got.body)
	}
	if n := w.messages(w.anas, "Typed before the move."); n != 1 {
		t.Errorf("the answer is there %d times, wanted once", n)
	}
	// A refused form can be sent again from where it came back.
	refused := ana.post("/help/tickets/new", "subject", "", "body", "Typed too.")
	if refused.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(refused.body, `action="/help/tickets/new"`) {
		t.Errorf("a refused form comes back with %d, wanted one for the address it was sent to", refused.StatusCode)
	}
	// What is kept without being sent is kept as ever.
	if got := ana.post(ticket+"/draft", "body", "Half a sent"); got.StatusCode != http.StatusNoContent {
		t.Errorf("keeping a draft answers %d, wanted 204", got.StatusCode)
	}
	// What is good for one use is not used up for a session nobody needs.
	stranger := w.browser("")
	got = stranger.post(link)
	at := home + strings.TrimPrefix(link, "/help")
	if got.StatusCode != http.StatusOK || !strings.Contains(got.body, `href="`+at+`"`) || len(got.Cookies()) > 0 {
		t.Errorf("a sign-in link at the old host answers %d with %v, wanted the way to the new one", got.StatusCode, got.Cookies())
	}
	if got := stranger.at("support.example.com", http.MethodPost, strings.TrimPrefix(link, "/help"), ""); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the link answers %d at the new host, wanted 303", got.StatusCode)
	}
	if got := stranger.post("/help/sign-in", "email", w.ana.Email, "password", anasPassword); got.StatusCode != http.StatusOK || len(got.Cookies()) > 0 {
		t.Errorf("a password at the old host answers %d with %v, wanted the way to the new one", got.StatusCode, got.Cookies())
	}
	// The page's script loads the page again on this answer.
	if got := stranger.post("/help/sign-in/passkey/begin"); got.StatusCode != http.StatusForbidden {
		t.Errorf("a passkey at the old host answers %d, wanted 403", got.StatusCode)
	}
	// A session that ended meanwhile: the text is kept for the next one.
	w.clock.Add(w.portal.Access.IdleTimeout + time.Minute)
	got = ana.post(ticket+"/replies", "body", "Typed much too late.")
	if got.StatusCode != http.StatusOK || !strings.Contains(got.body, home+"/sign-in?return_to=%2Ftickets%2F"+w.anas.String()) ||
		!strings.Contains(got.body, "kept") {
		t.Errorf("an answer after the session's end gets %d %s, wanted the way to sign in", got.StatusCode, got.body)
	}
	back := w.browser("")
	r := back.request(http.MethodGet, "/tickets/"+w.anas.String(), nil)
	r.Host = strings.TrimPrefix(home, "http://")
	r.AddCookie(&http.Cookie{Name: "portalctl", Value: w.signInAt("support.example.com", "/")})
	if got := back.do(r); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "Typed much too late.") {
		t.Errorf("the ticket answers %d, wanted what was typed in its form", got.StatusCode)
	}
	foreign := ana.request(http.MethodPost, ticket+"/replies", strings.NewReader("body=forged"))
	foreign.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	foreign.Header.Set("Origin", home)
	if got := ana.do(foreign); got.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another host answers %d, wanted 403", got.StatusCode)
	}
}
