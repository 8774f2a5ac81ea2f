package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"

	"github.com/portalctl/portalctl/pkg/portal"
)

// testKey is an authenticator with one passkey.
type testKey struct {
	virtualwebauthn.Authenticator
	virtualwebauthn.Credential
}

// newTestKey makes one whose public key is written whole: the package leaves
// out leading zeros, and nobody may accept that.
func newTestKey() *testKey {
	const whole = 77
	for {
		k := &testKey{virtualwebauthn.NewAuthenticator(), virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)}
		if len(k.Key.AttestationData()) == whole {
			return k
		}
	}
}

func (w *world) relyingParty() virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{Name: w.portal.Name, ID: "localhost", Origin: w.server.URL}
}

// add makes the passkey of an account whose browser has proven who it is.
func (k *testKey) add(b *browser) answer {
	b.w.t.Helper()
	begun := b.post("/help/account/passkeys/begin")
	options, err := virtualwebauthn.ParseAttestationOptions(begun.body)
	if err != nil {
		b.w.t.Fatalf("%d, %v:\n%s", begun.StatusCode, err, begun.body)
	}
	k.Options.UserHandle = []byte(options.UserID)
	return b.post("/help/account/passkeys", "answer", virtualwebauthn.CreateAttestationResponse(b.w.relyingParty(), k.Authenticator, k.Credential, *options))
}

// ask begins something and returns what the authenticator answers.
func (k *testKey) ask(b *browser, path string) string {
	b.w.t.Helper()
	begun := b.post(path + "/begin")
	options, err := virtualwebauthn.ParseAssertionOptions(begun.body)
	if err != nil {
		b.w.t.Fatalf("%d, %v:\n%s", begun.StatusCode, err, begun.body)
	}
	k.Counter++
	return virtualwebauthn.CreateAssertionResponse(b.w.relyingParty(), k.Authenticator, k.Credential, *options)
}

// prove proves Ana again by her password.
func (b *browser) prove() {
	b.w.t.Helper()
	if got := b.post("/help/account/proof", "present", anasPassword); got.StatusCode != http.StatusSeeOther {
		b.w.t.Fatalf("the proof answers %d", got.StatusCode)
	}
}

func TestPasskeysAtTheAccount(t *testing.T) {
	w := newWorldAt(t, "localhost", nil)
	ana := w.browser(w.signIn(w.ana))
	toProof := "/help/account/proof?return_to=" + url.QueryEscape("/help/account/passkeys/new")
	for name, got := range map[string]answer{"page": ana.get("/help/account/passkeys/new"), "answer": ana.post("/help/account/passkeys", "answer", "{}")} {
		if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != toProof {
			t.Errorf("%s without a proof: %d to %q", name, got.StatusCode, got.Header.Get("Location"))
		}
	}
	if got := ana.post("/help/account/passkeys/begin"); got.StatusCode != http.StatusForbidden {
		t.Errorf("the script without a proof: %d, wanted 403", got.StatusCode)
	}
	ana.prove()
	page := ana.get("/help/account/passkeys/new")
	form := find(page.dom(t), "data-passkey", "create")
	if len(form) != 1 || attr(form[0], "data-begin") != "/help/account/passkeys/begin" {
		t.Fatalf("the page has no form to make one:\n%s", page.body)
	}
	begun := ana.post("/help/account/passkeys/begin")
	if got := begun.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("the script gets %q", got)
	}
	for _, want := range []string{`"residentKey":"required"`, `"userVerification":"required"`, `"attestation":"none"`, `"id":"localhost"`, `"timeout":300000`} {
		if !strings.Contains(begun.body, want) {
			t.Errorf("a passkey is not asked for with %s:\n%s", want, begun.body)
		}
	}
	k := newTestKey()
	if got := k.add(ana); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/help/account" {
		t.Fatalf("adding answers %d:\n%s", got.StatusCode, got.body)
	}
	if again := ana.post("/help/account/passkeys/begin"); !strings.Contains(again.body, "excludeCredentials") {
		t.Errorf("a second one may go into the same authenticator:\n%s", again.body)
	}
	account := ana.get("/help/account")
	if !strings.Contains(account.body, "Your passkey is ready") {
		t.Error("nothing says that it is ready")
	}
	path := regexp.MustCompile(`/help/account/passkeys/\d+`).FindString(account.body)
	if got := ana.post(path, "name", " "); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("no name answers %d", got.StatusCode)
	}
	if got := ana.post(path, "name", `<b>"blue"</b>`); got.StatusCode != http.StatusSeeOther {
		t.Errorf("a name answers %d", got.StatusCode)
	}
	if got := ana.get("/help/account").body; !strings.Contains(got, `&lt;b&gt;&#34;blue&#34;&lt;/b&gt;`) {
		t.Errorf("the name is not listed:\n%s", got)
	}
	bo := w.browser(w.signIn(w.bo))
	for name, got := range map[string]answer{"look": bo.get(path), "rename": bo.post(path, "name", "mine"), "none": bo.get("/help/account/passkeys/x")} {
		if got.StatusCode != http.StatusNotFound {
			t.Errorf("%s by Bo answers %d, wanted 404", name, got.StatusCode)
		}
	}
	if got := ana.post(path + "/remove"); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/help/account" {
		t.Errorf("removing answers %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	if got := ana.get(path); got.StatusCode != http.StatusNotFound {
		t.Errorf("the removed one answers %d", got.StatusCode)
	}
}

func TestPasskeySignsInAndProves(t *testing.T) {
	w := newWorldAt(t, "localhost", nil)
	ana := w.browser(w.signIn(w.ana))
	ana.prove()
	k := newTestKey()
	if got := k.add(ana); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("adding answers %d:\n%s", got.StatusCode, got.body)
	}
	b := w.browser("")
	page := b.get("/help/sign-in?return_to=/help/tickets/new")
	form := find(page.dom(t), "action", "/help/sign-in/passkey")
	if len(form) != 1 || len(find(page.dom(t), "autocomplete", "username webauthn")) != 1 {
		t.Fatalf("the sign-in page offers no passkeys:\n%s", page.body)
	}
	answer := k.ask(b, "/help/sign-in/passkey")
	thief := w.browser("")
	thief.post("/help/sign-in/passkey/begin")
	refused := thief.post("/help/sign-in/passkey", "answer", answer)
	if refused.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(refused.body, "did not work") || strings.Contains(refused.body, "data-offer") {
		t.Errorf("another browser gets %d:\n%s", refused.StatusCode, refused.body)
	}
	if got := thief.get("/help/tickets"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("and then reads tickets: %d", got.StatusCode)
	}
	got := b.post("/help/sign-in/passkey", "answer", answer, "return_to", "/help/tickets/new")
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/help/tickets/new" {
		t.Fatalf("signing in answers %d to %q:\n%s", got.StatusCode, got.Header.Get("Location"), got.body)
	}
	if got := b.get("/help/account"); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "ana@example.com") {
		t.Errorf("signed in, the account answers %d", got.StatusCode)
	}
	if got := b.get("/help/account/proof"); !strings.Contains(got.body, "/help/account/proof/passkey") {
		t.Error("the proof cannot be given by passkey")
	}
	got = b.post("/help/account/proof/passkey", "answer", k.ask(b, "/help/account/proof/passkey"), "return_to", "/help/account/passkeys/new")
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/help/account/passkeys/new" {
		t.Errorf("the proof answers %d to %q:\n%s", got.StatusCode, got.Header.Get("Location"), got.body)
	}
	if got := b.get("/help/account/passkeys/new"); got.StatusCode != http.StatusOK {
		t.Errorf("proven, the page answers %d", got.StatusCode)
	}
	if got := b.post("/help/account/proof/passkey", "answer", "{}"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("no proof answers %d", got.StatusCode)
	}
}

func TestPasskeysAreNotOfferedWhereTheyCannotBe(t *testing.T) {
	offers := func(w *world, path string) bool {
		return strings.Contains(w.browser("").get(path).body, "data-passkey")
	}
	if w := newWorld(t, nil); offers(w, "/help/sign-in") {
		t.Error("offered at a number without TLS")
	} else if ana := w.browser(w.signIn(w.ana)); strings.Contains(ana.get("/help/account").body, "s-passkeys") || ana.get("/help/account/passkeys/new").StatusCode != http.StatusNotFound {
		t.Error("they can be added at a number without TLS")
	}
	w := newWorldAt(t, "localhost", func(p *portal.Portal) { p.Access.Methods = []portal.SignInMethod{portal.MethodPassword} })
	if offers(w, "/help/sign-in") {
		t.Error("offered to members of a portal that does not take them")
	}
	if page := w.browser("").get("/help/sign-in").body; !strings.Contains(page, "/help/sign-in?team=1") {
		t.Error("agents find no way to sign in without a password")
	}
	if !offers(w, "/help/sign-in?team=1") || !strings.Contains(w.browser("").get("/help/sign-in?team=1").body, "/sign-in/link") {
		t.Error("agents cannot sign in by passkey and link")
	}
	if again := w.browser("").post("/help/sign-in", "team", "1", "email", "ines@desk.example", "password", "wrong"); again.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(again.body, "data-passkey") {
		t.Errorf("after a wrong password the team's page is gone: %d", again.StatusCode)
	}
}

func TestAgentsHaveAnAccount(t *testing.T) {
	w := newWorldAt(t, "localhost", func(p *portal.Portal) { p.Access.Methods = []portal.SignInMethod{portal.MethodLink} })
	ines := w.browser(w.signInAgent())
	page := ines.get("/help/account")
	for _, want := range []string{"Ines Holm", "ines@desk.example", "s-passkeys", "s-password", "s-sessions"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("an agent's account lacks %s", want)
		}
	}
	if strings.Contains(page.body, "/account/profile") {
		t.Error("an agent's name can be changed here")
	}
	if got := ines.post("/help/account/profile", "name", "Nobody"); got.StatusCode != http.StatusNotFound {
		t.Errorf("an agent's profile answers %d", got.StatusCode)
	}
	other := w.browser(w.signInAgent())
	if got := ines.post("/help/account/sessions/end"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("signing out everywhere answers %d", got.StatusCode)
	}
	if got := other.get("/help/tickets"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the other browser still reads: %d", got.StatusCode)
	}
}
