package web

import (
	"context"
	"encoding/base32"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// keyOf reads the key of an authenticator app from the page that sets it up.
func keyOf(t *testing.T, a answer) []byte {
	t.Helper()
	found := find(a.dom(t), "class", "secret-key")
	if len(found) != 1 {
		t.Fatalf("the page (%d) shows %d keys, want one:\n%s", a.StatusCode, len(found), a.body)
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(textOf(found[0]), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (w *world) code(key []byte) string {
	w.t.Helper()
	code, err := auth.TOTPCode(key, w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

var recoveryCode = regexp.MustCompile(`<code>([0-9A-Z]{6}(?:-[0-9A-Z]{6}){3})</code>`)

func codesOf(a answer) (codes []string) {
	for _, m := range recoveryCode.FindAllStringSubmatch(a.body, -1) {
		codes = append(codes, m[1])
	}
	return codes
}

// demand has the portal demand a second factor, and every agent's as well.
func (w *world) demand() {
	w.t.Helper()
	required := portal.FactorRequired
	if _, err := w.app.SetAccess(w.t.Context(), w.portal.ID, app.AccessChanges{SecondFactor: &required}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.app.SetAgentsFactor(w.t.Context(), required); err != nil {
		w.t.Fatal(err)
	}
}

// withApp gives somebody an authenticator app.
func (w *world) withApp(who portal.Person) []byte {
	w.t.Helper()
	key := auth.NewTOTPKey()
	sealer := auth.NewSealer(w.store.KeyPath())
	sealed, err := sealer.Seal("authenticator of "+who.About(), key)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.SetSecondFactor(ctx, who, sealed, 0) })
	return key
}

func TestNothingButTheGateAnswersBeforeTheSecondFactor(t *testing.T) {
	for _, gate := range []string{"/sign-in/factor", "/sign-in/enrol"} {
		w := newWorld(t, nil)
		if gate == "/sign-in/enrol" {
			w.demand()
		} else {
			w.withApp(portal.Person{Contact: w.ana.ID})
			w.withApp(portal.Person{Agent: w.agent.ID})
		}
		sessions := map[string]string{"Ana": w.signIn(w.ana), "the agent": w.signInAgent()}
		walk(t, w, func(t *testing.T, rt route, method, path string) {
			if rt.who == anyone || rt.who == arriving {
				t.Skip("open to strangers as well")
			}
			for name, session := range sessions {
				b := w.browser(session)
				var got answer
				if method == http.MethodGet {
					got = b.get(path)
				} else {
					got = b.post(path, "subject", "x", "code", "nonsense")
				}
				to := got.Header.Get("Location")
				here := strings.HasSuffix(rt.pattern, " "+gate)
				switch {
				case here && method == http.MethodGet && got.StatusCode == http.StatusOK:
				case here && method == http.MethodPost && (got.StatusCode == http.StatusUnprocessableEntity || got.StatusCode == http.StatusSeeOther):
				case !here && got.StatusCode == http.StatusSeeOther && (to == "/help"+gate || strings.HasPrefix(to, "/help"+gate+"?return_to=%2Fhelp%2F")):
				case strings.HasSuffix(path, "/draft") && got.StatusCode == http.StatusUnauthorized:
				case rt.pattern == "POST /consent" && to == "/help/tickets": // it did nothing, and leads back to the gate
				default:
					t.Errorf("at %s %s gets %d to %q from %s", gate, name, got.StatusCode, to, rt.pattern)
				}
				for _, secret := range []string{"scanner", "log.txt", "Invoice"} {
					if strings.Contains(got.body, secret) {
						t.Errorf("at %s %s sees %q from %s", gate, name, secret, rt.pattern)
					}
				}
			}
		})
		for name, session := range sessions {
			if got := w.browser(session).post("/help/sign-out"); got.StatusCode != http.StatusSeeOther {
				t.Errorf("at %s %s cannot sign out: %d", gate, name, got.StatusCode)
			}
		}
	}
}

func TestEnrolmentLeadsToRecoveryCodesAndOn(t *testing.T) {
	w := newWorld(t, nil)
	w.demand()
	for name, session := range map[string]string{"Ana": w.signIn(w.ana), "the agent": w.signInAgent()} {
		b := w.browser(session)
		ticket := "/help/tickets/" + w.anas.String()
		to := b.get(ticket).Header.Get("Location")
		if to != "/help/sign-in/enrol?return_to="+url.QueryEscape(ticket) {
			t.Fatalf("%s is led to %q", name, to)
		}
		setup := b.get(to)
		key := keyOf(t, setup)
		for _, want := range []string{`href="otpauth://totp/`, `class="qr"`, `autocomplete="one-time-code"`, `inputmode="numeric"`} {
			if !strings.Contains(setup.body, want) {
				t.Errorf("the page does not have %s", want)
			}
		}
		if strings.Contains(setup.body, `style="`) {
			t.Error("the page has a style of its own, which its policy forbids")
		}
		wrong := b.post("/help/sign-in/enrol", "code", "nonsense", "return_to", ticket)
		if wrong.StatusCode != http.StatusUnprocessableEntity || string(keyOf(t, wrong)) != string(key) {
			t.Errorf("a wrong code answers %d, want 422 and the same key again", wrong.StatusCode)
		}
		done := b.post("/help/sign-in/enrol", "code", w.code(key), "return_to", ticket)
		codes := codesOf(done)
		if done.StatusCode != http.StatusOK || len(codes) != 10 || !strings.Contains(done.body, `href="`+ticket+`"`) {
			t.Fatalf("%s: the right code answers %d with %d recovery codes", name, done.StatusCode, len(codes))
		}
		if file := find(done.dom(t), "download", "recovery-codes.txt"); len(file) != 1 || !strings.Contains(attr(file[0], "href"), codes[9]) {
			t.Error("the codes cannot be downloaded")
		}
		if got := b.get(ticket); got.StatusCode != http.StatusOK {
			t.Errorf("%s is not in afterwards: %d", name, got.StatusCode)
		}
		account := b.get("/help/account/factor")
		if account.StatusCode != http.StatusOK || len(codesOf(account)) != 0 || strings.Contains(account.body, "/account/factor/off") {
			t.Errorf("%s: the account answers %d, shows %d codes and may be turned off", name, account.StatusCode, len(codesOf(account)))
		}
		w.clock.Add(time.Minute)
	}
}

func TestTheCodePageTakesCodesAndRecoveryCodes(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	w.prove(ana)
	key := keyOf(t, ana.get("/help/account/factor/set-up"))
	codes := codesOf(ana.post("/help/account/factor/set-up", "code", w.code(key)))
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	w.clock.Add(30 * time.Second)
	b := w.browser(w.signIn(w.ana))
	page := b.get("/help/sign-in/factor?return_to=%2Fhelp%2Faccount")
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, `autocomplete="one-time-code"`) {
		t.Fatalf("the code page answers %d", page.StatusCode)
	}
	if other := b.get("/help/sign-in/factor?recovery=yes&return_to=%2Fhelp%2Faccount"); !strings.Contains(other.body, "Recovery code") || strings.Contains(other.body, "numeric") {
		t.Error("the page for recovery codes offers a keyboard of digits")
	}
	wrong := b.post("/help/sign-in/factor", "code", "000000", "return_to", "/help/account")
	if wrong.StatusCode != http.StatusUnprocessableEntity || strings.Contains(wrong.body, "000000") || !strings.Contains(wrong.body, `value="/help/account"`) {
		t.Errorf("a wrong code answers %d; it is not shown again and the way back is kept", wrong.StatusCode)
	}
	in := b.post("/help/sign-in/factor", "code", w.code(key), "return_to", "/help/account")
	if in.StatusCode != http.StatusSeeOther || in.Header.Get("Location") != "/help/account" {
		t.Fatalf("the right code answers %d to %q", in.StatusCode, in.Header.Get("Location"))
	}
	b = w.browser(w.signIn(w.ana))
	if in := b.post("/help/sign-in/factor", "code", codes[0], "recovery", "yes", "return_to", "//evil.example"); in.StatusCode != http.StatusSeeOther || in.Header.Get("Location") != "/help/tickets" {
		t.Errorf("a recovery code answers %d to %q", in.StatusCode, in.Header.Get("Location"))
	}
	if got := b.get("/help/tickets"); !strings.Contains(got.body, "signed in with a recovery code") {
		t.Error("nobody says that a recovery code was used")
	}
	if got := b.get("/help/account"); !strings.Contains(got.body, "9 codes left") {
		t.Error("the account does not say how many are left")
	}

	// The fifth wrong code signs out; a fresh half sign-in is slowed down.
	b = w.browser(w.signIn(w.ana))
	var last answer
	bad := "000000"
	if w.code(key) == bad {
		bad = "000001"
	}
	for range 5 {
		last = b.post("/help/sign-in/factor", "code", bad)
	}
	if last.StatusCode != http.StatusSeeOther || last.Header.Get("Location") != "/help/sign-in" {
		t.Errorf("the fifth wrong code answers %d to %q", last.StatusCode, last.Header.Get("Location"))
	}
	if got := b.get("/help/sign-in"); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "too many wrong codes") {
		t.Errorf("afterwards the sign-in page answers %d", got.StatusCode)
	}
	b = w.browser(w.signIn(w.ana))
	if got := b.post("/help/sign-in/factor", "code", w.code(key)); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
		t.Errorf("slowed down, a code answers %d", got.StatusCode)
	}
}

// prove proves again, by her password, that it is Ana.
func (w *world) prove(ana *browser) {
	w.t.Helper()
	if got := ana.post("/help/account/proof", "present", anasPassword); got.StatusCode != http.StatusSeeOther {
		w.t.Fatalf("proving answers %d:\n%s", got.StatusCode, got.body)
	}
}

func TestTheAccountAsksForAFreshProof(t *testing.T) {
	w := newWorld(t, nil)
	w.withApp(portal.Person{Agent: w.agent.ID})
	ana := w.browser(w.signIn(w.ana))
	for _, path := range []string{"/help/account/factor/set-up"} {
		if got := ana.get(path); got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "/help/account/proof?return_to=") {
			t.Errorf("%s answers %d to %q, want the proof page", path, got.StatusCode, got.Header.Get("Location"))
		}
	}
	for _, path := range []string{"/help/account/factor/codes", "/help/account/factor/off"} {
		if got := ana.post(path); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/help/account/proof?return_to="+url.QueryEscape("/help/account/factor") {
			t.Errorf("%s answers %d to %q, want the proof page", path, got.StatusCode, got.Header.Get("Location"))
		}
	}
	w.prove(ana)
	key := keyOf(t, ana.get("/help/account/factor/set-up"))
	ana.post("/help/account/factor/set-up", "code", w.code(key))
	if codes := codesOf(ana.post("/help/account/factor/codes")); len(codes) != 10 {
		t.Errorf("new codes: %d, want 10", len(codes))
	}
	if got := ana.post("/help/account/factor/off"); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/help/account/factor" {
		t.Errorf("turning off answers %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	if got := ana.get("/help/account/factor"); !strings.Contains(got.body, "is turned off") || !strings.Contains(got.body, "Set up an app") {
		t.Error("the page does not say that it is off")
	}
}
