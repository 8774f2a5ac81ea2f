package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func threeTongues(p *portal.Portal) { p.Languages = []string{"sv", "fi"} }

// asking opens a page with what the browser says of its languages.
func (b *browser) asking(path, accept string) answer {
	b.w.t.Helper()
	r := b.request(http.MethodGet, path, nil)
	r.Header.Set("Accept-Language", accept)
	return b.do(r)
}

// lang is what a page says of its language, in its head and in the answer's.
func (a answer) lang(t *testing.T) string {
	t.Helper()
	for n := range a.dom(t).Descendants() {
		if n.Type == html.ElementNode && n.Data == "html" {
			if head := a.Header.Get("Content-Language"); head != attr(n, "lang") {
				t.Errorf("the answer says it is in %q, the page %q", head, attr(n, "lang"))
			}
			return attr(n, "lang")
		}
	}
	return ""
}

func TestBrowserChoosesAmongThePortalsLanguages(t *testing.T) {
	w := newWorld(t, threeTongues)
	for accept, want := range map[string]string{
		"": "en", "sv": "sv", "fi-FI,fi;q=0.9,en;q=0.8": "fi-FI", "sv-FI": "sv-FI",
		"de-DE,de;q=0.9,sv;q=0.8": "sv", "de": "en", "en-GB,sv;q=0.5": "en-GB", "en;q=0.2,fi;q=0.7": "fi",
		"*": "en", ";;": "en", "zz-ZZ": "en",
	} {
		got := w.browser("").asking("/help/sign-in", accept)
		if lang := got.lang(t); lang != want {
			t.Errorf("a browser that asks for %q reads %s, want %s", accept, lang, want)
		}
		if vary := got.Header.Get("Vary"); !strings.Contains(vary, "Accept-Language") || !strings.Contains(vary, "Cookie") {
			t.Errorf("Vary is %q", vary)
		}
	}
}

func TestOnePortalLanguageIsTheDomains(t *testing.T) {
	w := newWorld(t, nil)
	got := w.browser("").asking("/help/sign-in", "sv-SE,sv;q=0.9,en-US;q=0.5")
	if lang := got.lang(t); lang != "en-US" {
		t.Errorf("the page is in %s, want the domain's language with the reader's country, en-US", lang)
	}
	if len(find(got.dom(t), "class", "tongues")) > 0 || strings.Contains(got.body, "hreflang") {
		t.Error("a portal in one language offers a choice of languages")
	}
	if got := w.browser("").get("/help/sign-in?lang=sv"); got.lang(t) != "en" || len(got.Cookies()) > 0 {
		t.Errorf("asked for a language it does not offer, the page is in %s and sets %v", got.lang(t), got.Cookies())
	}
}

func TestVisitorsChooseInThePagesFoot(t *testing.T) {
	w := newWorld(t, threeTongues)
	b := w.browser("")
	got := b.asking("/help/sign-in?return_to=%2Fhelp%2Ftickets%2Fnew", "sv")
	menu := find(got.dom(t), "class", "tongues")
	if len(menu) != 1 {
		t.Fatalf("the page has %d menus of languages:\n%s", len(menu), got.body)
	}
	links := find(menu[0], "hreflang", "fi")
	if len(links) != 1 || textOf(links[0]) != "Suomi" || attr(links[0], "lang") != "fi" {
		t.Fatalf("Finnish is not offered under its own name:\n%s", got.body)
	}
	if here := find(menu[0], "aria-current", "true"); len(here) != 1 || textOf(here[0]) != "Svenska" {
		t.Error("the menu does not say that the page is in Swedish")
	}
	to := attr(links[0], "href")
	if got = b.asking(to, "sv"); got.lang(t) != "fi" {
		t.Fatalf("%s is in %s, want Finnish", to, got.lang(t))
	}
	if back := find(got.dom(t), "name", "return_to"); len(back) == 0 || attr(back[0], "value") != "/help/tickets/new" {
		t.Error("where the visitor was going is lost")
	}
	if got = b.asking("/help/reset", "sv"); got.lang(t) != "fi" {
		t.Errorf("the next page is in %s, want Finnish again", got.lang(t))
	}
	// A refused form comes back in the language, and its menu leads to the form.
	got = b.post("/help/sign-in", "email", "nobody@example.com", "password", "wrong")
	if got.lang(t) != "fi" || !strings.Contains(got.body, `href="/help/sign-in?lang=sv"`) {
		t.Errorf("after a refused sign-in the page is in %s:\n%s", got.lang(t), got.body)
	}
	got = b.post("/help/sign-in/link", "email", "not an address")
	if !strings.Contains(got.body, `href="/help/sign-in?lang=sv"`) {
		t.Errorf("the menu of a form that cannot be opened leads elsewhere:\n%s", got.body)
	}
}

func TestAccountsLanguageGoesBeforeTheBrowsers(t *testing.T) {
	w := newWorld(t, threeTongues)
	ana := w.browser(w.signIn(w.ana))
	if got := ana.asking("/help/tickets", "fi"); got.lang(t) != "fi" {
		t.Errorf("without a choice of her own Ana reads %s, want what her browser asks for", got.lang(t))
	}
	account := ana.get("/help/account")
	var offered []string
	for _, o := range find(find(account.dom(t), "id", "f-language")[0], "", "") {
		if o.Data == "option" {
			offered = append(offered, attr(o, "value"))
		}
	}
	if !slices.Equal(offered, []string{"", "en", "fi", "sv"}) {
		t.Errorf("the account page offers %v", offered)
	}
	save := func(language string) answer {
		return ana.post("/help/account/profile", "name", "Ana Berg", "language", language, "time_zone", "")
	}
	if got := save("de"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a language the portal does not offer is answered with %d", got.StatusCode)
	}
	if got := save("sv"); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("saving Swedish: %d", got.StatusCode)
	}
	for path, want := range map[string]string{"/help/tickets": "sv", "/help/tickets?lang=fi": "sv"} {
		if got := ana.asking(path, "fi"); got.lang(t) != want {
			t.Errorf("%s is in %s, want %s", path, got.lang(t), want)
		}
	}
	// A language taken away from the portal falls back at the next request, and
	// comes back with it.
	w.portal.Languages = []string{"fi"}
	w.savePortal()
	if got := ana.asking("/help/tickets", "de,fi;q=0.5"); got.lang(t) != "fi" {
		t.Errorf("without Swedish Ana reads %s, want what her browser asks for", got.lang(t))
	}
	if got := ana.get("/help/tickets"); got.lang(t) != "en" {
		t.Errorf("without Swedish Ana reads %s, want the domain's", got.lang(t))
	}
	w.portal.Languages = []string{"sv"}
	w.savePortal()
	if got := ana.asking("/help/tickets", "en"); got.lang(t) != "sv" {
		t.Errorf("with Swedish again Ana reads %s", got.lang(t))
	}
}

func TestCountryOfTheAccountStays(t *testing.T) {
	w := newWorld(t, threeTongues)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		c, err := tx.Contact(ctx, w.ana.ID)
		if err != nil {
			return err
		}
		c.Language = "en-US"
		return tx.SaveContact(ctx, c)
	})
	ana := w.browser(w.signIn(w.ana))
	if got := ana.asking("/help/tickets/"+w.anas.String(), "en-GB"); got.lang(t) != "en-US" || !strings.Contains(got.body, "10:30\u00a0AM") {
		t.Errorf("the page is in %s", got.lang(t))
	}
	account := ana.get("/help/account").dom(t)
	if chosen := find(find(account, "id", "f-language")[0], "value", "en"); len(chosen) != 1 || !hasAttr(chosen[0], "selected") {
		t.Error("the account page does not show English as chosen")
	}
	if got := ana.post("/help/account/profile", "name", "Ana Berg", "language", "en", "time_zone", ""); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("saving: %d", got.StatusCode)
	}
	if got := ana.get("/help/tickets"); got.lang(t) != "en-US" {
		t.Errorf("choosing English again made %s of en-US", got.lang(t))
	}
}

func hasAttr(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

func TestOpenPagesNameTheirOtherLanguages(t *testing.T) {
	w := newWorld(t, threeTongues)
	got := w.browser("").get("/help/sign-in?return_to=%2Fhelp%2Ftickets")
	want := map[string]string{
		"x-default": w.server.URL + "/help/sign-in", "en": w.server.URL + "/help/sign-in?lang=en",
		"sv": w.server.URL + "/help/sign-in?lang=sv", "fi": w.server.URL + "/help/sign-in?lang=fi",
	}
	links := find(got.dom(t), "rel", "alternate")
	if len(links) != len(want) {
		t.Errorf("the page names %d alternates, want %d", len(links), len(want))
	}
	for _, l := range links {
		if attr(l, "href") != want[attr(l, "hreflang")] {
			t.Errorf("in %s the page is said to be at %s, want %s", attr(l, "hreflang"), attr(l, "href"), want[attr(l, "hreflang")])
		}
	}
	// An address with a secret in it is not repeated as one to visit, and a
	// private page has none.
	token := w.token(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID, Email: w.ana.Email})
	for _, got := range []answer{w.browser("").get("/help/sign-in/link/" + token), w.browser(w.signIn(w.ana)).get("/help/tickets")} {
		if len(find(got.dom(t), "rel", "alternate")) > 0 {
			t.Errorf("%s names alternates", got.Request.URL.Path)
		}
	}
}

func TestDomainsLanguageHoldsAtTheNextRequest(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser("")
	if got := b.get("/help/sign-in"); got.lang(t) != "en" {
		t.Fatalf("at first the page is in %s", got.lang(t))
	}
	// Another process changes it, as a command does while the server runs.
	other := app.New(app.Options{Store: w.store, Now: w.clock.Now, Operator: "olle"})
	for _, language := range []string{"sv", "fi", "en-US", "en"} {
		if _, _, err := other.SetDomain(t.Context(), app.System, app.DomainChanges{Language: &language}); err != nil {
			t.Fatal(err)
		}
		if got := b.get("/help/sign-in"); got.lang(t) != language {
			t.Errorf("after domain set --language %s the page is in %s", language, got.lang(t))
		}
	}
}

func TestErrorPagesSpeakTheVisitorsLanguage(t *testing.T) {
	w := newWorld(t, threeTongues)
	for path, want := range map[string]string{"/help/nothing": "fi", "/nothing": "fi"} {
		got := w.browser("").asking(path, "fi")
		if got.StatusCode != http.StatusNotFound || got.lang(t) != want {
			t.Errorf("%s: %d in %s, want 404 in %s", path, got.StatusCode, got.lang(t), want)
		}
	}
}

func TestLanguageCookieSaysNothingElse(t *testing.T) {
	w := newWorld(t, threeTongues)
	got := w.browser("").get("/help/sign-in?lang=sv")
	if len(got.Cookies()) != 1 {
		t.Fatalf("the answer sets %v", got.Cookies())
	}
	c := got.Cookies()[0]
	if c.Value != "sv" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("the cookie is %v", c)
	}
	for _, value := range []string{"tlh", "sv-SE", "../..", strings.Repeat("s", 99), "SV", "%00"} {
		b := w.browser("")
		u, _ := url.Parse(w.server.URL)
		b.client.Jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Value: value, Path: "/"}})
		if got := b.get("/help/sign-in"); got.lang(t) != "en" || got.StatusCode != http.StatusOK {
			t.Errorf("with the cookie %q the page is in %s, %d", value, got.lang(t), got.StatusCode)
		}
		if got := b.get("/help/sign-in?lang=" + url.QueryEscape(value)); len(got.Cookies()) > 0 || got.lang(t) != "en" {
			t.Errorf("asked for %q, the answer sets %v", value, got.Cookies())
		}
	}
}

func TestOperatorsWordsHoldAtTheNextRequest(t *testing.T) {
	w := newWorld(t, threeTongues)
	b := w.browser("")
	other := app.New(app.Options{Store: w.store, Now: w.clock.Now, Operator: "olle", Texts: &app.Texts{
		Languages: i18n.Codes(), Canonical: i18n.Canonical, Check: i18n.Check,
	}})
	heading := func(accept string) string {
		t.Helper()
		for n := range b.asking("/help/sign-in", accept).dom(t).Descendants() {
			if n.Type == html.ElementNode && n.Data == "h1" {
				return textOf(n)
			}
		}
		return ""
	}
	set := func(language string, text portal.Text) {
		t.Helper()
		if _, err := other.SetTexts(t.Context(), w.portal.ID, language, map[string]portal.Text{"sign_in.heading": text}); err != nil {
			t.Fatal(err)
		}
	}
	before := heading("en")
	set("en", portal.Text{"other": "Good to see you at {{.Portal}} <b>&"})
	for accept, want := range map[string]string{"en": "Good to see you at Nordlys Help <b>&", "en-US": "Good to see you at Nordlys Help <b>&", "sv": "Logga in på Nordlys Help"} {
		if got := heading(accept); got != want {
			t.Errorf("in %s the heading is %q, want %q", accept, got, want)
		}
	}
	set("sv", portal.Text{"other": "Hej"})
	if got := heading("sv-FI"); got != "Hej" {
		t.Errorf("in Swedish the heading is %q", got)
	}
	set("en", nil)
	if got := heading("en"); got != before {
		t.Errorf("given back the heading is %q, want %q", got, before)
	}
}

// TestLanguagesLeadNowhereElse: what a stranger put into the address of a page
// that does not exist stands in its links to other languages. Browsers take a
// backslash for a slash and pass over tabs, so that /\evil.example could be a
// link to another site, and a question mark would end the path.
func TestLanguagesLeadNowhereElse(t *testing.T) {
	w := newWorld(t, threeTongues)
	w.connect("support.example.com")
	w.set(app.PortalChanges{Domain: new("support.example.com")})
	w.set(app.PortalChanges{Slug: new("")})
	for path, want := range map[string]string{
		"/%5Cevil.example/sign-in": "/%5Cevil.example/sign-in?lang=fi",
		"/%09/evil.example":        "/%09/evil.example?lang=fi",
		"/%0A%5Cevil.example":      "/%0A%5Cevil.example?lang=fi",
		"/none%3Fx=1%23top":        "/none%3Fx=1%23top?lang=fi",
	} {
		got := w.browser("").at("support.example.com", http.MethodGet, path, "")
		if got.StatusCode != http.StatusNotFound {
			t.Fatalf("%s answers %d, want 404", path, got.StatusCode)
		}
		links := find(got.dom(t), "hreflang", "fi")
		if len(links) == 0 {
			t.Errorf("%s offers no Finnish", path)
		}
		for _, n := range links {
			to := strings.TrimPrefix(attr(n, "href"), w.site("support.example.com"))
			if to != want {
				t.Errorf("%s leads to %q in Finnish, want %q (<%s>)", path, attr(n, "href"), want, n.Data)
			}
		}
	}
}
