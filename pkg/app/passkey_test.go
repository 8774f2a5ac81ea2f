package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/google/go-cmp/cmp"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
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

func TestPasskeySignInIsRefused(t *testing.T) {
	anaEntry := " contact:"
	cases := []struct {
		name   string
		reason string // in the audit log
		try    func(w *keyWorld, k *testKey) error
	}{
		{"challenge reused", "challenge", func(w *keyWorld, k *testKey) error {
			step := w.begin()
			answer := w.answer(k, step)
			if _, err := w.SignInByPasskey(w.t.Context(), w.visit(""), step.Held, answer, "", phone); err != nil {
				w.t.Fatal(err)
			}
			_, err := w.SignInByPasskey(w.t.Context(), w.visit(""), step.Held, answer, "", phone)
			return err
		}},
		{"challenge used up by a wrong answer", "challenge", func(w *keyWorld, k *testKey) error {
			step := w.begin()
			good := w.answer(k, step)
			k.Options.UserNotVerified = true
			if _, err := w.SignInByPasskey(w.t.Context(), w.visit(""), step.Held, w.answer(k, step), "", phone); err == nil {
				w.t.Fatal("an answer without verification counts")
			}
			_, err := w.SignInByPasskey(w.t.Context(), w.visit(""), step.Held, good, "", phone)
			return err
		}},
		{"challenge expired", "challenge", func(w *keyWorld, k *testKey) error {
			step := w.begin()
			w.clock.Add(5 * time.Minute)
			_, err := w.SignInByPasskey(w.t.Context(), w.visit(""), step.Held, w.answer(k, step), "", phone)
			return err
		}},
		{"another browser's cookie", "challenge", func(w *keyWorld, k *testKey) error {
			step, other := w.begin(), w.begin()
			_, err := w.SignInByPasskey(w.t.Context(), w.visit(""), other.Held, w.answer(k, step), "", phone)
			return err
		}},
		{"no cookie", "challenge", func(w *keyWorld, k *testKey) error {
			_, err := w.SignInByPasskey(w.t.Context(), w.visit(""), "", w.answer(k, w.begin()), "", phone)
			return err
		}},
		{"challenge of a proof", "challenge", func(w *keyWorld, k *testKey) error {
			step, err := w.BeginPasskeyProof(w.t.Context(), w.as(w.ana), "", phone)
			if err != nil {
				w.t.Fatal(err)
			}
			_, err = w.SignInByPasskey(w.t.Context(), w.visit(""), step.Held, w.answer(k, step), "", phone)
			return err
		}},
		{"wrong origin", "origin", func(w *keyWorld, k *testKey) error {
			w.site.Origin = "https://portal.test.evil.example:8080"
			_, err := w.signInWith(k)
			return err
		}},
		{"wrong port", "origin", func(w *keyWorld, k *testKey) error {
			w.site.Origin = "https://portal.test"
			_, err := w.signInWith(k)
			return err
		}},
		{"without TLS", "origin", func(w *keyWorld, k *testKey) error {
			w.site.Origin = "http://portal.test:8080"
			_, err := w.signInWith(k)
			return err
		}},
		{"wrong relying party", "signature", func(w *keyWorld, k *testKey) error {
			w.site.ID = "test"
			_, err := w.signInWith(k)
			return err
		}},
		{"person not verified", "verification", func(w *keyWorld, k *testKey) error {
			k.Options.UserNotVerified = true
			_, err := w.signInWith(k)
			return err
		}},
		{"nobody present", "signature", func(w *keyWorld, k *testKey) error {
			k.Options.UserNotPresent = true
			_, err := w.signInWith(k)
			return err
		}},
		{"another person's name", "unknown", func(w *keyWorld, k *testKey) error {
			k.Options.UserHandle = w.addKey(w.as(w.bo)).Options.UserHandle
			_, err := w.signInWith(k)
			return err
		}},
		{"no name", "unknown", func(w *keyWorld, k *testKey) error {
			k.Options.UserHandle = nil
			_, err := w.signInWith(k)
			return err
		}},
		{"another person's key", "signature", func(w *keyWorld, k *testKey) error {
			k.Key = w.addKey(w.as(w.bo)).Key
			_, err := w.signInWith(k)
			return err
		}},
		{"passkey nobody knows", "unknown", func(w *keyWorld, k *testKey) error {
			k.Credential = newCredential()
			_, err := w.signInWith(k)
			return err
		}},
		{"passkey removed", "unknown", func(w *keyWorld, k *testKey) error {
			w.removeKeys(w.ana)
			_, err := w.signInWith(k)
			return err
		}},
		{"passkey of another host", "unknown", func(w *keyWorld, k *testKey) error {
			base, _ := url.Parse("https://help.example")
			w.baseURL, w.site.ID, w.site.Origin = base, "help.example", "https://help.example"
			w.settings.Store(nil)
			v, err := w.Enter(w.t.Context(), "help.example", "/help/sign-in", "")
			if err != nil {
				w.t.Fatal(err)
			}
			step, err := w.BeginPasskeySignIn(w.t.Context(), v, "", phone)
			if err != nil {
				w.t.Fatal(err)
			}
			_, err = w.SignInByPasskey(w.t.Context(), v, step.Held, w.answer(k, step), "", phone)
			return err
		}},
		{"counter stands still", "counter", func(w *keyWorld, k *testKey) error {
			if _, err := w.signInWith(k); err != nil {
				w.t.Fatal(err)
			}
			k.Counter--
			_, err := w.signInWith(k)
			return err
		}},
		{"counter goes back", "counter", func(w *keyWorld, k *testKey) error {
			k.Counter = 40
			if _, err := w.signInWith(k); err != nil {
				w.t.Fatal(err)
			}
			k.Counter = 7
			_, err := w.signInWith(k)
			return err
		}},
		{"member disabled", "entry.disabled", func(w *keyWorld, k *testKey) error {
			if _, err := w.DisableMembers(w.t.Context(), w.portal, []string{w.ana.Email}); err != nil {
				w.t.Fatal(err)
			}
			_, err := w.signInWith(k)
			return err
		}},
		{"portal without passkeys", "method", func(w *keyWorld, k *testKey) error {
			w.portal.Access.Methods = []portal.SignInMethod{portal.MethodLink}
			w.savePortal()
			_, err := w.signInWith(k)
			return err
		}},
		{"no answer at all", "answer", func(w *keyWorld, k *testKey) error {
			_, err := w.SignInByPasskey(w.t.Context(), w.visit(""), w.begin().Held, "{}", "", phone)
			return err
		}},
		{"an answer far too long", "answer", func(w *keyWorld, k *testKey) error {
			step := w.begin()
			_, err := w.SignInByPasskey(w.t.Context(), w.visit(""), step.Held, w.answer(k, step)+strings.Repeat(" ", 1<<16), "", phone)
			return err
		}},
	}
	var said []string
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newKeyWorld(t, nil)
			k := w.addKey(w.as(w.ana))
			err := c.try(w, &k)
			if err == nil {
				t.Fatal("it counts")
			}
			var e *portal.Error
			if !errors.As(err, &e) || e.Kind != portal.Invalid || e.Code != "passkey.failed" {
				t.Fatalf("got %v, want passkey.failed", err)
			}
			said = append(said, e.Error()+e.Hint)
			got := w.lastEntry()
			want := "sign_in.failed " + c.reason
			if c.reason == "entry.disabled" || c.reason == "method" {
				want = "sign_in.refused" + anaEntry + strings.TrimPrefix(portal.AboutContact(w.ana.ID), "contact:") + " " + c.reason
			}
			if got != want {
				t.Errorf("the audit log says %q, want %q", got, want)
			}
		})
	}
	for _, s := range said {
		if s != said[0] {
			t.Errorf("a stranger reads %q here and %q there", said[0], s)
		}
	}
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

func TestAddingAPasskeyIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, code string
		try        func(w *keyWorld, v *Visit) error
	}{
		{"no fresh proof", "proof.needed", func(w *keyWorld, v *Visit) error {
			_, err := w.BeginPasskey(w.t.Context(), v, "", phone)
			return err
		}},
		{"the proof has run out", "proof.needed", func(w *keyWorld, v *Visit) error {
			return w.tryAdd(w.proven(v), func(*PasskeyStep, *testKey) { v.Session.ProvedAt = w.clock.Now().Add(-ProofLife) })
		}},
		{"challenge expired", "passkey.not_added", func(w *keyWorld, v *Visit) error {
			return w.tryAdd(w.proven(v), func(*PasskeyStep, *testKey) { w.clock.Add(5 * time.Minute) })
		}},
		{"another browser's cookie", "passkey.not_added", func(w *keyWorld, v *Visit) error {
			return w.tryAdd(w.proven(v), func(s *PasskeyStep, _ *testKey) { s.Held = w.begin().Held })
		}},
		{"wrong origin", "passkey.not_added", func(w *keyWorld, v *Visit) error {
			return w.tryAdd(w.proven(v), func(*PasskeyStep, *testKey) { w.site.Origin = "https://evil.example" })
		}},
		{"wrong relying party", "passkey.not_added", func(w *keyWorld, v *Visit) error {
			return w.tryAdd(w.proven(v), func(*PasskeyStep, *testKey) { w.site.ID = "evil.example" })
		}},
		{"person not verified", "passkey.not_added", func(w *keyWorld, v *Visit) error {
			return w.tryAdd(w.proven(v), func(_ *PasskeyStep, k *testKey) { k.Options.UserNotVerified = true })
		}},
		{"another person's passkey", "passkey.known", func(w *keyWorld, v *Visit) error {
			bos := w.addKey(w.as(w.bo))
			return w.tryAdd(w.proven(v), func(_ *PasskeyStep, k *testKey) { k.Credential = bos.Credential })
		}},
		{"one too many", "passkey.many", func(w *keyWorld, v *Visit) error {
			for range maxPasskeys {
				w.addKey(v)
			}
			return w.tryAdd(w.proven(v), func(*PasskeyStep, *testKey) {})
		}},
		{"nothing that came from a browser", "passkey.not_added", func(w *keyWorld, v *Visit) error {
			return w.AddPasskey(w.t.Context(), w.proven(v), w.begin().Held, "{}", "x", phone)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newKeyWorld(t, nil)
			v := w.as(w.ana)
			before := func() int {
				acc, err := w.Account(t.Context(), v)
				if err != nil {
					t.Fatal(err)
				}
				return len(acc.Passkeys)
			}
			wantCode(t, c.try(w, v), c.code)
			if n := before(); n != 0 && c.code != "passkey.many" || n > maxPasskeys {
				t.Errorf("the account has %d passkeys", n)
			}
		})
	}
}

// tryAdd adds a passkey; spoil may change what goes to and fro.
func (w *keyWorld) tryAdd(v *Visit, spoil func(*PasskeyStep, *testKey)) error {
	step, err := w.BeginPasskey(w.t.Context(), v, "", phone)
	if err != nil {
		return err
	}
	k, options := w.newAuthenticator(step)
	spoil(step, &k)
	answer := virtualwebauthn.CreateAttestationResponse(w.site, k.Authenticator, k.Credential, options)
	return w.AddPasskey(w.t.Context(), v, step.Held, answer, "x", phone)
}

func TestPasskeysOfOnePersonShareAName(t *testing.T) {
	w := newKeyWorld(t, nil)
	v := w.as(w.ana)
	first, second, bos := w.addKey(v), w.addKey(v), w.addKey(w.as(w.bo))
	if !bytes.Equal(first.Options.UserHandle, second.Options.UserHandle) || bytes.Equal(first.Options.UserHandle, bos.Options.UserHandle) {
		t.Error("authenticators do not know Ana by one name that is hers alone")
	}
	if n := len(first.Options.UserHandle); n != 64 {
		t.Errorf("the name has %d bytes, want 64", n)
	}
	acc, err := w.Account(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range acc.Passkeys {
		names = append(names, k.Name)
	}
	if diff := cmp.Diff([]string{"Chrome on Windows", "Chrome on Windows 2"}, names); diff != "" {
		t.Error(diff)
	}
	if err := w.RenamePasskey(t.Context(), v, acc.Passkeys[0].ID, " The blue phone "); err != nil {
		t.Fatal(err)
	}
	if err := w.RenamePasskey(t.Context(), w.as(w.bo), acc.Passkeys[0].ID, "mine"); portal.KindOf(err) != portal.NotFound {
		t.Errorf("Bo renames Ana's passkey: %v", err)
	}
	wantCode(t, w.RenamePasskey(t.Context(), v, acc.Passkeys[0].ID, " "), "field.required")
	k, err := w.Passkey(t.Context(), v, acc.Passkeys[0].ID)
	if err != nil || k.Name != "The blue phone" {
		t.Errorf("it is called %+v, %v", k, err)
	}
	if _, err := w.Passkey(t.Context(), w.as(w.bo), acc.Passkeys[0].ID); portal.KindOf(err) != portal.NotFound {
		t.Errorf("Bo reads Ana's passkey: %v", err)
	}
}

func TestRemovingAPasskeySignsOutElsewhere(t *testing.T) {
	w := newKeyWorld(t, nil)
	v := w.as(w.ana)
	k := w.addKey(v)
	elsewhere, err := w.signInWith(&k)
	if err != nil {
		t.Fatal(err)
	}
	w.mails()
	acc, err := w.Account(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	id := acc.Passkeys[0].ID
	if err := w.RemovePasskey(t.Context(), w.proven(w.as(w.bo)), id, phone); portal.KindOf(err) != portal.NotFound {
		t.Errorf("Bo removes Ana's passkey: %v", err)
	}
	v.Session.ProvedAt = time.Time{}
	wantCode(t, w.RemovePasskey(t.Context(), v, id, phone), "proof.needed")
	if err := w.RemovePasskey(t.Context(), w.proven(v), id, phone); err != nil {
		t.Fatal(err)
	}
	if got := w.visit(elsewhere.Token); got.Contact != nil {
		t.Error("the other browser is still signed in")
	}
	if got := w.mails(); len(got) != 1 || got[0] != "passkey_removed to ana@example.com" {
		t.Errorf("removing a passkey mails %q", got)
	}
	if got, want := w.lastEntry(), "passkey.removed "+portal.AboutContact(w.ana.ID); got != want {
		t.Errorf("the audit log says %q, want %q", got, want)
	}
}

func TestNotMeTakesTheAddedPasskeyAway(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newKeyWorld(t, nil)
	w.through(server)
	v := w.as(w.ana)
	mine := w.addKey(v)
	w.mails()
	var theirs testKey
	text := mailed(t, w.world, server, func() { theirs = w.addKey(v) })
	for _, fact := range []string{"A passkey was added", "Chrome on Windows 2", phone.Address, "removes the passkey"} {
		if !strings.Contains(text, fact) {
			t.Errorf("the notice does not say %q:\n%s", fact, text)
		}
	}
	token := regexp.MustCompile(`/not-me/([\w-]{43})`).FindStringSubmatch(text)
	if token == nil {
		t.Fatalf("there is no link in\n%s", text)
	}
	removed, err := w.NotMe(t.Context(), w.visit(""), token[1], phone)
	if err != nil || removed != "Chrome on Windows 2" {
		t.Errorf("removed %q, %v", removed, err)
	}
	_, err = w.signInWith(&theirs)
	wantCode(t, err, "passkey.failed")
	if _, err := w.signInWith(&mine); err != nil {
		t.Errorf("her own passkey: %v", err)
	}
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
