package app

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/google/go-cmp/cmp"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
)

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
