package app

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

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
