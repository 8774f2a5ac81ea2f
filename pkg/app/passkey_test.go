package app

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// keyWorld is a world served over https, where browsers have passkeys.
type keyWorld struct {
	*world
	site virtualwebauthn.RelyingParty
}

func newKeyWorld(t *testing.T, change func(*portal.Portal)) *keyWorld {
	t.Helper()
	w := &keyWorld{world: newWorld(t, change), site: virtualwebauthn.RelyingParty{Name: "Help", ID: "portal.test", Origin: "https://portal.test:8080"}}
	base, err := url.Parse(w.site.Origin)
	if err != nil {
		t.Fatal(err)
	}
	w.baseURL = base
	w.settings.Store(nil)
	return w
}

// testKey is an authenticator with one passkey.
type testKey struct {
	virtualwebauthn.Authenticator
	virtualwebauthn.Credential
}

// newCredential makes a key pair. The package leaves out leading zeros of a
// public key's coordinates, one key in 128, and nobody may accept those.
func newCredential() virtualwebauthn.Credential {
	const whole = 77 // bytes of a key with both coordinates of 32
	for {
		c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		if len(c.Key.AttestationData()) == whole {
			return c
		}
	}
}

// newAuthenticator makes a passkey nobody knows yet, for the person of a step.
func (w *keyWorld) newAuthenticator(step *PasskeyStep) (testKey, virtualwebauthn.AttestationOptions) {
	w.t.Helper()
	options, err := virtualwebauthn.ParseAttestationOptions(string(step.Options))
	if err != nil {
		w.t.Fatal(err)
	}
	k := testKey{virtualwebauthn.NewAuthenticator(), newCredential()}
	k.Options.UserHandle = []byte(options.UserID)
	k.Counter = 1
	return k, *options
}

// proven is a visitor who has just proven again who they are.
func (w *keyWorld) proven(v *Visit) *Visit {
	v.Session.ProvedAt = w.clock.Now()
	return v
}

// addKey gives the visitor a passkey.
func (w *keyWorld) addKey(v *Visit) testKey {
	w.t.Helper()
	step, err := w.BeginPasskey(w.t.Context(), w.proven(v), "", phone)
	if err != nil {
		w.t.Fatal(err)
	}
	k, options := w.newAuthenticator(step)
	answer := virtualwebauthn.CreateAttestationResponse(w.site, k.Authenticator, k.Credential, options)
	if err := w.AddPasskey(w.t.Context(), v, step.Held, answer, "Chrome on Windows", phone); err != nil {
		w.t.Fatal(err)
	}
	return k
}

func (w *keyWorld) begin() *PasskeyStep {
	w.t.Helper()
	step, err := w.BeginPasskeySignIn(w.t.Context(), w.visit(""), "", phone)
	if err != nil {
		w.t.Fatal(err)
	}
	return step
}

// answer is what the authenticator says to a step, with its counter one
// further.
func (w *keyWorld) answer(k *testKey, step *PasskeyStep) string {
	w.t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(string(step.Options))
	if err != nil {
		w.t.Fatal(err)
	}
	k.Counter++
	return virtualwebauthn.CreateAssertionResponse(w.site, k.Authenticator, k.Credential, *options)
}

func (w *keyWorld) signInWith(k *testKey) (*SignedIn, error) {
	w.t.Helper()
	step := w.begin()
	return w.SignInByPasskey(w.t.Context(), w.visit(""), step.Held, w.answer(k, step), "/help/tickets/T-1001", phone)
}

// lastEntry is the newest entry of the audit log as "kind about reason".
func (w *keyWorld) lastEntry() string {
	w.t.Helper()
	var rows []portal.AuditRow
	w.write(func(ctx context.Context, tx *store.Tx) (err error) {
		rows, err = tx.Audit(ctx, store.AuditFilter{Limit: 1})
		return err
	})
	if len(rows) == 0 {
		return ""
	}
	var detail portal.AuditDetail
	if err := json.Unmarshal(rows[0].Data, &detail); err != nil {
		w.t.Fatal(err)
	}
	words := []string{string(rows[0].Kind)}
	if rows[0].About != "" {
		words = append(words, rows[0].About)
	}
	for _, c := range detail.Changes {
		if c.Field == "reason" {
			words = append(words, c.To)
		}
	}
	return strings.Join(words, " ")
}

func TestPasskeySignsIn(t *testing.T) {
	w := newKeyWorld(t, nil)
	k := w.addKey(w.as(w.ana))
	if got := w.mails(); len(got) != 1 || got[0] != "passkey_added to ana@example.com" {
		t.Errorf("adding a passkey mails %q", got)
	}
	in, err := w.signInWith(&k)
	if err != nil {
		t.Fatal(err)
	}
	if in.ReturnTo != "/help/tickets/T-1001" {
		t.Errorf("leads to %q", in.ReturnTo)
	}
	v := w.visit(in.Token)
	if v.Contact == nil || v.Contact.ID != w.ana.ID {
		t.Fatalf("signed in as %+v", v.Contact)
	}
	if v.Session.Way != portal.MethodPasskey || !v.Session.Factor || !v.Session.ProvedAt.IsZero() {
		t.Errorf("the session came by %q, with two factors %v, proved at %v", v.Session.Way, v.Session.Factor, v.Session.ProvedAt)
	}
	acc, err := w.Account(t.Context(), v)
	if err != nil || len(acc.Passkeys) != 1 || !acc.Passkeys[0].UsedAt.Equal(w.clock.Now()) || acc.Passkeys[0].Synced || acc.Passkeys[0].Host != "portal.test" {
		t.Errorf("the account lists %+v, %v", acc.Passkeys, err)
	}
	if _, err := w.signInWith(&k); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

func TestPasskeyCountsAsTwoFactors(t *testing.T) {
	w := newKeyWorld(t, func(p *portal.Portal) { p.Access.SecondFactor = portal.FactorRequired })
	v := w.visit(w.signIn(w.ana))
	if v.Gate != GateEnrol {
		t.Fatalf("a link alone leads to the gate %q", v.Gate)
	}
	// Before that was demanded, she made a passkey.
	w.portal.Access.SecondFactor = portal.FactorOptional
	w.savePortal()
	k := w.addKey(w.as(w.ana))
	w.portal.Access.SecondFactor = portal.FactorRequired
	w.savePortal()
	in, err := w.signInWith(&k)
	if err != nil {
		t.Fatal(err)
	}
	if v := w.visit(in.Token); v.Contact == nil || v.Gate != "" {
		t.Errorf("signed in as %v, with the gate %q", v.Contact, v.Gate)
	}
}

func (w *keyWorld) savePortal() {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.SavePortal(ctx, w.portal) })
}

// removeKeys removes all passkeys of a contact.
func (w *keyWorld) removeKeys(c *portal.Contact) {
	w.t.Helper()
	v := w.proven(w.as(c))
	acc, err := w.Account(w.t.Context(), v)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, k := range acc.Passkeys {
		if err := w.RemovePasskey(w.t.Context(), v, k.ID, phone); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestPasskeyCopyDoesNotLockOutItsOwner(t *testing.T) {
	w := newKeyWorld(t, nil)
	k := w.addKey(w.as(w.ana))
	duplicate := k
	k.Counter = 10
	if _, err := w.signInWith(&k); err != nil {
		t.Fatal(err)
	}
	if _, err := w.signInWith(&duplicate); err == nil {
		t.Error("the copy signs in")
	}
	if _, err := w.signInWith(&k); err != nil {
		t.Errorf("the owner's own: %v", err)
	}
}

func TestSyncedPasskeyCountsNothing(t *testing.T) {
	w := newKeyWorld(t, nil)
	v := w.proven(w.as(w.ana))
	step, err := w.BeginPasskey(t.Context(), v, "", phone)
	if err != nil {
		t.Fatal(err)
	}
	k, options := w.newAuthenticator(step)
	k.Options.BackupEligible, k.Counter = true, 0
	answer := virtualwebauthn.CreateAttestationResponse(w.site, k.Authenticator, k.Credential, options)
	if err := w.AddPasskey(t.Context(), v, step.Held, answer, "Phone", phone); err != nil {
		t.Fatal(err)
	}
	synced := func() bool {
		acc, err := w.Account(t.Context(), v)
		if err != nil || len(acc.Passkeys) != 1 {
			t.Fatalf("the account lists %+v, %v", acc.Passkeys, err)
		}
		return acc.Passkeys[0].Synced
	}
	if synced() {
		t.Error("it counts as synced before it is")
	}
	k.Options.BackupState = true
	for range 2 {
		step := w.begin()
		options, err := virtualwebauthn.ParseAssertionOptions(string(step.Options))
		if err != nil {
			t.Fatal(err)
		}
		answer := virtualwebauthn.CreateAssertionResponse(w.site, k.Authenticator, k.Credential, *options)
		if _, err := w.SignInByPasskey(t.Context(), w.visit(""), step.Held, answer, "", phone); err != nil {
			t.Fatal(err)
		}
	}
	if !synced() {
		t.Error("it does not count as synced once it is")
	}
}

func TestPasskeyAnswerCountsOnce(t *testing.T) {
	w := newKeyWorld(t, nil)
	k := w.addKey(w.as(w.ana))
	step := w.begin()
	answer := w.answer(&k, step)
	v := w.visit("")
	var mu sync.Mutex
	var entered int
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, err := w.SignInByPasskey(t.Context(), v, step.Held, answer, "", Device{UserAgent: "phone", Address: "192.0.2.7"})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				entered++
			}
		})
	}
	all.Wait()
	if entered != 1 {
		t.Errorf("one answer signed in %d times", entered)
	}
}

func TestTwoPagesOfOneBrowserWaitAtOnce(t *testing.T) {
	w := newKeyWorld(t, nil)
	k := w.addKey(w.as(w.ana))
	first := w.begin()
	second, err := w.BeginPasskeySignIn(t.Context(), w.visit(""), first.Held, phone)
	if err != nil || second.Held != first.Held {
		t.Fatalf("the second page has the browser hold %q, %v; want %q still", second.Held, err, first.Held)
	}
	for _, step := range []*PasskeyStep{second, first} {
		if _, err := w.SignInByPasskey(t.Context(), w.visit(""), second.Held, w.answer(&k, step), "", phone); err != nil {
			t.Error(err)
		}
	}
}

func TestAgentsHavePasskeysWhateverThePortalOffers(t *testing.T) {
	w := newKeyWorld(t, func(p *portal.Portal) { p.Access.Methods = []portal.SignInMethod{portal.MethodPassword} })
	k := w.addKey(w.asAgent())
	if got := w.mails(); len(got) != 1 || got[0] != "passkey_added to agent@example.com" {
		t.Errorf("adding a passkey mails %q", got)
	}
	in, err := w.signInWith(&k)
	if err != nil {
		t.Fatal(err)
	}
	v := w.visit(in.Token)
	if v.Agent == nil || v.Agent.ID != w.agent.ID {
		t.Fatalf("signed in as %+v", v.Agent)
	}
	if _, err := w.BeginPasskey(t.Context(), w.proven(w.visit(w.signInByPassword(w.ana))), "", phone); portal.KindOf(err) != portal.NotFound {
		t.Errorf("a member of a portal without passkeys begins one: %v", err)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.agent.Disabled = true
		return tx.SaveAgent(ctx, w.agent)
	})
	_, err = w.signInWith(&k)
	wantCode(t, err, "passkey.failed")
	if got, want := w.lastEntry(), "sign_in.refused "+portal.AboutAgent(w.agent.ID)+" disabled"; got != want {
		t.Errorf("the audit log says %q, want %q", got, want)
	}
}

// signInByPassword gives a contact a password and signs in with it.
func (w *keyWorld) signInByPassword(c *portal.Contact) string {
	w.t.Helper()
	const password = "a lighthouse in the rain"
	hash, err := w.hasher.Hash(w.t.Context(), password)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SetPasswordHash(ctx, portal.Person{Contact: c.ID}, hash)
	})
	in, err := w.SignIn(w.t.Context(), w.visit(""), c.Email, password, "", phone)
	if err != nil {
		w.t.Fatal(err)
	}
	return in.Token
}

func TestPasskeyProvesAgain(t *testing.T) {
	w := newKeyWorld(t, nil)
	v := w.as(w.ana)
	if _, err := w.BeginPasskeyProof(t.Context(), v, "", phone); portal.KindOf(err) != portal.NotFound {
		t.Errorf("a proof by passkey begins without one: %v", err)
	}
	k, bos := w.addKey(v), w.addKey(w.as(w.bo))
	v.Session.ProvedAt = time.Time{}
	step, err := w.BeginPasskeyProof(t.Context(), v, "", phone)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.ProveByPasskey(t.Context(), v, step.Held, w.answer(&bos, step), phone)
	wantCode(t, err, "passkey.failed")
	if got, want := w.lastEntry(), "proof.failed "+portal.AboutContact(w.ana.ID)+" unknown"; got != want {
		t.Errorf("the audit log says %q, want %q", got, want)
	}
	if step, err = w.BeginPasskeyProof(t.Context(), v, step.Held, phone); err != nil {
		t.Fatal(err)
	}
	_, err = w.ProveByPasskey(t.Context(), w.as(w.bo), step.Held, w.answer(&bos, step), phone)
	wantCode(t, err, "passkey.failed")
	if step, err = w.BeginPasskeyProof(t.Context(), v, step.Held, phone); err != nil {
		t.Fatal(err)
	}
	// Authenticators that were asked for certain passkeys need not name whose.
	k.Options.UserHandle = nil
	in, err := w.ProveByPasskey(t.Context(), v, step.Held, w.answer(&k, step), phone)
	if err != nil {
		t.Fatal(err)
	}
	if now := w.visit(in.Token); !w.Proven(now) {
		t.Error("the new session does not count as proven")
	}
	if old := w.visit(w.signIn(w.ana)); w.Proven(old) {
		t.Error("a sign-in counts as proven")
	}
}

func TestFailedPasskeysSlowTheNetworkDownAndNoLink(t *testing.T) {
	w := newKeyWorld(t, nil)
	k := w.addKey(w.as(w.ana))
	k.Options.UserNotVerified = true
	for range freeNetFailures {
		if _, err := w.signInWith(&k); portal.KindOf(err) != portal.Invalid {
			t.Fatalf("got %v, want passkey.failed", err)
		}
	}
	k.Options.UserNotVerified = false
	_, err := w.signInWith(&k)
	if portal.KindOf(err) != portal.TooMany {
		t.Errorf("after %d failures: %v, want a pause", freeNetFailures, err)
	}
	step := w.begin()
	if _, err := w.SignInByPasskey(t.Context(), w.visit(""), step.Held, w.answer(&k, step), "", Device{Address: "198.51.100.4"}); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	if v := w.as(w.ana); v.Contact == nil {
		t.Error("the link does not work any more")
	}
}

func TestPasskeyHost(t *testing.T) {
	for site, want := range map[string]string{
		"https://Help.Example.com":     "help.example.com",
		"https://help.example.com:444": "help.example.com",
		"http://help.example.com":      "",
		"http://localhost:8080":        "localhost",
		"http://help.localhost":        "help.localhost",
		"http://127.0.0.1:8080":        "",
		"https://192.0.2.1":            "",
		"https://[2001:db8::1]":        "",
		"://":                          "",
		"":                             "",
	} {
		if got := PasskeyHost(site); got != want {
			t.Errorf("passkeys at %q are bound to %q, want %q", site, got, want)
		}
	}
}

func TestPasskeysAreHiddenWithoutTLS(t *testing.T) {
	w := newWorld(t, nil)
	v := w.as(w.ana)
	v.Session.ProvedAt = w.clock.Now()
	if offered, err := w.OffersPasskeys(t.Context(), v); err != nil || offered {
		t.Errorf("offered %v, %v", offered, err)
	}
	if _, err := w.BeginPasskey(t.Context(), v, "", phone); portal.KindOf(err) != portal.NotFound {
		t.Errorf("begins: %v", err)
	}
	if _, err := w.BeginPasskeySignIn(t.Context(), w.visit(""), "", phone); portal.KindOf(err) != portal.NotFound {
		t.Errorf("asks: %v", err)
	}
}
