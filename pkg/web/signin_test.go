package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestOnlyTheButtonUsesALink(t *testing.T) {
	w := newWorld(t, nil)
	token := w.token(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID, Email: w.ana.Email, ReturnTo: "/help/tickets/" + w.anas.String()})
	path := "/help/sign-in/link/" + token
	scanner := w.browser("")
	for range 2 {
		got := scanner.get(path)
		if got.StatusCode != http.StatusOK || len(got.Header["Set-Cookie"]) > 0 || !strings.Contains(got.body, "ana@example.com") {
			t.Fatalf("looking at the link: %d, cookies %q; wanted the page and no cookie", got.StatusCode, got.Header["Set-Cookie"])
		}
		scanner.do(scanner.request(http.MethodHead, path, nil))
	}
	ana := w.browser("")
	got := ana.post(path)
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/help/tickets/"+w.anas.String() {
		t.Fatalf("the button: %d to %q, wanted 303 to the ticket", got.StatusCode, got.Header.Get("Location"))
	}
	cookie := got.Header.Get("Set-Cookie")
	for _, part := range []string{"portalctl=", "HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %q lacks %q", cookie, part)
		}
	}
	if got := ana.get("/help/tickets"); got.StatusCode != http.StatusOK {
		t.Errorf("signed in, the list answers %d, wanted 200", got.StatusCode)
	}
	if got := w.browser("").post(path); got.StatusCode != http.StatusGone || !strings.Contains(got.body, "already been used") {
		t.Errorf("the button a second time: %d, wanted 410", got.StatusCode)
	}
	if strings.Contains(w.log.String(), token) {
		t.Error("the log holds the token")
	}
	if !strings.Contains(w.log.String(), `"route":"POST /sign-in/link/{token}"`) {
		t.Errorf("the log does not name the route:\n%s", w.log)
	}
}

// The mail that brought somebody here was in their language.
func TestALinkSpeaksItsReadersLanguage(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Languages = []string{"sv"} })
	w.write(func(ctx context.Context, tx *store.Tx) error {
		c, err := tx.Contact(ctx, w.ana.ID)
		if err != nil {
			return err
		}
		c.Language = "sv"
		return tx.SaveContact(ctx, c)
	})
	for path, kind := range map[string]store.TokenKind{"sign-in/link": store.TokenSignIn, "reset": store.TokenReset, "invitation": store.TokenInvitation} {
		token := w.token(store.Token{Kind: kind, Contact: w.ana.ID, Email: w.ana.Email})
		got := w.browser("").get("/help/" + path + "/" + token)
		if got.StatusCode != http.StatusOK || !strings.Contains(got.body, `<html lang="sv"`) {
			t.Errorf("%s: %d, wanted the page in Swedish:\n%.200s", path, got.StatusCode, got.body)
		}
	}
}

func TestSignInByPassword(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser("")
	page := b.get("/help/sign-in?return_to=/help/tickets/" + w.anas.String())
	back := attr(find(page.dom(t), "name", "return_to")[0], "value")
	got := b.post("/help/sign-in", "email", "ana@example.com", "password", "wrong", "return_to", back)
	doc := got.dom(t)
	if got.StatusCode != http.StatusUnprocessableEntity || attr(find(doc, "id", "f-email")[0], "value") != "ana@example.com" {
		t.Errorf("a wrong password: %d, wanted 422 with the address still there", got.StatusCode)
	}
	if strings.Contains(got.body, `value="wrong"`) {
		t.Error("the password comes back in the page")
	}
	unknown := b.post("/help/sign-in", "email", "zoe@example.com", "password", "wrong", "return_to", back)
	if a, z := strings.ReplaceAll(got.body, "ana@", "x@"), strings.ReplaceAll(unknown.body, "zoe@", "x@"); a != z || got.StatusCode != unknown.StatusCode {
		t.Error("a known and an unknown address get different answers")
	}
	got = b.post("/help/sign-in", "email", "Ana@Example.com", "password", anasPassword, "return_to", back)
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/help/tickets/"+w.anas.String() {
		t.Errorf("the right password: %d to %q, wanted 303 to the ticket", got.StatusCode, got.Header.Get("Location"))
	}
}

func TestAskingForALinkTellsNothing(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"/help/sign-in/link", "/help/reset"} {
		var first answer
		for i, address := range []string{"ana@example.com", "nobody@example.com"} {
			got := w.browser("").post(path, "email", address)
			if i == 0 {
				first = got
			}
			if got.StatusCode != first.StatusCode || got.body != first.body || got.Header.Get("Location") != first.Header.Get("Location") {
				t.Errorf("%s answers a known and an unknown address differently: %d %q, %d %q", path,
					first.StatusCode, first.Header.Get("Location"), got.StatusCode, got.Header.Get("Location"))
			}
			if got.StatusCode != http.StatusSeeOther || !strings.HasSuffix(got.Header.Get("Location"), "/sent") {
				t.Errorf("%s: %d to %q, wanted 303 to the notice", path, got.StatusCode, got.Header.Get("Location"))
			}
		}
		if got := w.browser("").post(path, "email", "no address"); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, `value="no address"`) {
			t.Errorf("%s with nonsense: %d, wanted 422 with it still there", path, got.StatusCode)
		}
	}
}

func TestReturnTargetsStayInThePortal(t *testing.T) {
	w := newWorld(t, nil)
	for _, target := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "/help/../other", "/elsewhere", "javascript:alert(1)", "/help/\nx", "tickets"} {
		got := w.browser("").post("/help/sign-in", "email", "ana@example.com", "password", anasPassword, "return_to", target)
		if got.Header.Get("Location") != "/help/tickets" {
			t.Errorf("return_to %q leads to %q, wanted the list", target, got.Header.Get("Location"))
		}
		page := w.browser("").get("/help/sign-in?return_to=" + url.QueryEscape(target))
		if value := attr(find(page.dom(t), "name", "return_to")[0], "value"); value != "" {
			t.Errorf("return_to %q is put into the form as %q", target, value)
		}
	}
}

func TestSignOutEndsTheSession(t *testing.T) {
	w := newWorld(t, nil)
	session := w.signIn(w.ana)
	ana := w.browser(session)
	if got := ana.get("/help/sign-out"); got.StatusCode != http.StatusOK {
		t.Errorf("the page to sign out answers %d, wanted 200", got.StatusCode)
	}
	if got := ana.get("/help/tickets"); got.StatusCode != http.StatusOK {
		t.Fatalf("looking at the page signed Ana out: %d", got.StatusCode)
	}
	got := ana.post("/help/sign-out")
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Clear-Site-Data") == "" {
		t.Errorf("signing out: %d, Clear-Site-Data %q", got.StatusCode, got.Header.Get("Clear-Site-Data"))
	}
	if got := ana.get("/help/sign-in"); !strings.Contains(got.body, "You are signed out.") {
		t.Error("the sign-in page does not say that Ana is signed out")
	}
	if got := ana.get("/help/sign-in"); strings.Contains(got.body, "You are signed out.") {
		t.Error("the notice is shown twice")
	}
	if got := w.browser(session).get("/help/tickets"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the old cookie still answers %d", got.StatusCode)
	}
}

func TestWhatWasTypedOutlivesTheSession(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	w.clock.Add(2 * time.Hour)
	ticket := "/help/tickets/" + w.anas.String()
	got := ana.post(ticket+"/replies", "body", "A long answer I do not want to lose", "how", "send")
	to := got.Header.Get("Location")
	if got.StatusCode != http.StatusSeeOther || to != "/help/sign-in?return_to="+url.QueryEscape(ticket) {
		t.Fatalf("answering after the session: %d to %q, wanted the sign-in page that leads back", got.StatusCode, to)
	}
	if got := ana.get(to); !strings.Contains(got.body, "What you wrote is kept") {
		t.Error("the sign-in page does not say that the text is kept")
	}
	back := w.browser(w.signIn(w.ana)).get(ticket)
	if got := textOf(find(back.dom(t), "id", "f-body")[0]); got != "A long answer I do not want to lose" {
		t.Errorf("back on the ticket the field holds %q", got)
	}
	if strings.Contains(textOf(find(back.dom(t), "class", "thread")[0]), "A long answer") {
		t.Error("the answer was sent without a session")
	}
	stranger := w.browser("").post(ticket+"/replies", "body", "Who am I?")
	if stranger.StatusCode != http.StatusUnauthorized || textOf(find(stranger.dom(t), "id", "f-typed")[0]) != "Who am I?" {
		t.Errorf("without any session: %d, wanted 401 with the text to copy", stranger.StatusCode)
	}
}

func TestInvitationIsAcceptedOnce(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Access.Consent, p.Access.ConsentVersion = "Be kind <b>always</b>.", 1 })
	token := w.token(store.Token{Kind: store.TokenInvitation, Contact: w.eve.ID, Email: w.eve.Email, ExpiresAt: w.clock.Now().Add(time.Hour)})
	path := "/help/invitation/" + token
	b := w.browser("")
	if got := b.get(path); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "Be kind &lt;b&gt;always&lt;/b&gt;.") {
		t.Fatalf("the invitation answers %d, wanted 200 with the consent text", got.StatusCode)
	}
	got := b.post(path, "name", "Eve L. Lind", "password", "short")
	doc := got.dom(t)
	if got.StatusCode != http.StatusUnprocessableEntity || attr(find(doc, "id", "f-name")[0], "value") != "Eve L. Lind" ||
		attr(find(doc, "id", "f-password")[0], "aria-invalid") != "true" || attr(find(doc, "id", "f-agree")[0], "aria-invalid") != "true" {
		t.Errorf("a bad form: %d, wanted 422 with the name kept and both problems marked:\n%s", got.StatusCode, got.body)
	}
	if got = b.post(path, "name", "Eve L. Lind", "password", "three rivers and a kettle", "agree", "yes"); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("a good form: %d, wanted 303:\n%s", got.StatusCode, got.body)
	}
	if got := b.get("/help/tickets"); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "Your account is ready") || !strings.Contains(got.body, "Eve L. Lind") {
		t.Errorf("the list answers %d, wanted 200 with a welcome", got.StatusCode)
	}
	if got := w.browser("").get(path); got.StatusCode != http.StatusGone {
		t.Errorf("the invitation again: %d, wanted 410", got.StatusCode)
	}
}

func TestPagesSpeakThePortalsLanguageAndThenTheReaders(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Languages = []string{"sv"} })
	ana := w.browser(w.signIn(w.ana))
	if got := ana.post("/help/account/profile", "name", "Ana Berg", "language", "sv", "time_zone", "America/New_York"); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("saving the profile: %d\n%s", got.StatusCode, got.body)
	}
	got := ana.get("/help/tickets")
	for _, want := range []string{`lang="sv"`, "Ärenden", "Skapa ärende", "America/New York", "4 mars 2026 kl. 04:30"} {
		if !strings.Contains(got.body, want) {
			t.Errorf("Ana's list in Swedish lacks %q", want)
		}
	}
	if got := w.browser("").get("/help/sign-in"); !strings.Contains(got.body, `lang="en"`) {
		t.Error("strangers do not get the portal's language")
	}
}

func TestPasswordChangeEndsOtherSessions(t *testing.T) {
	w := newWorld(t, nil)
	other, ana := w.browser(w.signIn(w.ana)), w.browser(w.signIn(w.ana))
	got := ana.post("/help/account/password", "present", "wrong", "password", "three rivers and a kettle")
	if got.StatusCode != http.StatusUnprocessableEntity || attr(find(got.dom(t), "id", "f-present")[0], "aria-invalid") != "true" {
		t.Errorf("a wrong present password: %d, wanted 422 and the field marked", got.StatusCode)
	}
	if got = ana.post("/help/account/password", "present", anasPassword, "password", "three rivers and a kettle"); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("changing the password: %d, wanted 303:\n%s", got.StatusCode, got.body)
	}
	if got := ana.get("/help/account"); got.StatusCode != http.StatusOK {
		t.Errorf("this browser is signed out: %d", got.StatusCode)
	}
	if got := other.get("/help/account"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the other browser is still signed in: %d", got.StatusCode)
	}
	if got := ana.post("/help/account/sessions/end"); got.StatusCode != http.StatusSeeOther || ana.get("/help/account").StatusCode != http.StatusSeeOther {
		t.Errorf("signing out everywhere: %d, and then the account answers %d", got.StatusCode, ana.get("/help/account").StatusCode)
	}
}
