package web

import (
	"archive/zip"
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// proven returns Ana's browser after she has proven again who she is.
func (w *world) proven(session string) *browser {
	w.t.Helper()
	b := w.browser(session)
	if a := b.post("/help/account/proof", "present", anasPassword, "return_to", "/help/account"); a.StatusCode != http.StatusSeeOther {
		w.t.Fatalf("the proof was answered with %d: %s", a.StatusCode, textOf(a.dom(w.t)))
	}
	return b
}

func TestTakeOutAsksForProofFirst(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) {
		p.Access.Methods = []portal.SignInMethod{portal.MethodPassword, portal.MethodLink}
	})
	session := w.signIn(w.ana)
	a := w.browser(session).post("/help/account/data")
	if a.StatusCode != http.StatusSeeOther || !strings.Contains(a.Header.Get("Location"), "/help/account/proof") {
		t.Fatalf("without a proof: %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
	b := w.proven(session)
	if a := b.get("/help/account/data"); a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET was answered with %d", a.StatusCode)
	}
	foreign := b.request(http.MethodPost, "/help/account/data", strings.NewReader(""))
	foreign.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	foreign.Header.Set("Origin", "https://evil.example")
	if a := b.do(foreign); a.StatusCode != http.StatusForbidden {
		t.Errorf("a form from another site was answered with %d", a.StatusCode)
	}
	a = b.post("/help/account/data")
	for header, want := range map[string]string{
		"Content-Type": "application/zip", "Content-Disposition": `attachment; filename="help-data-2026-03-04.zip"`,
		"Cache-Control": "private, no-store", "Content-Encoding": "", "X-Content-Type-Options": "nosniff",
	} {
		if got := a.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	z, err := zip.NewReader(bytes.NewReader([]byte(a.body)), int64(len(a.body)))
	if err != nil || len(z.File) != 4 {
		t.Fatalf("the answer of %d bytes is no zip of four files: %v", len(a.body), err)
	}
	for range 2 {
		if a := b.post("/help/account/data"); a.StatusCode != http.StatusOK {
			t.Errorf("another one was answered with %d", a.StatusCode)
		}
	}
	if a := b.post("/help/account/data"); a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" {
		t.Errorf("the fourth in an hour was answered with %d", a.StatusCode)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		p, err := tx.Personal(ctx, w.ana.ID)
		n := 0
		for _, l := range p.Log {
			if l.Kind == portal.AuditExport && l.By == "you" {
				n++
			}
		}
		if n != 3 {
			t.Errorf("the audit log has %d take-outs; want 3", n)
		}
		return err
	})
}

func TestConsentIsShownAndWithdrawn(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) {
		p.Access.Consent, p.Access.ConsentVersion = "You agree to <b>this</b>.", 1
	})
	first, second := w.signIn(w.ana), w.signIn(w.ana)
	b := w.browser(first)
	a := b.get("/help/account")
	if a.StatusCode != http.StatusOK || !strings.Contains(a.body, "You agree to &lt;b&gt;this") || len(find(a.dom(t), "action", "/help/account/consent/withdraw")) != 1 {
		t.Fatalf("the account (%d) does not offer to withdraw the text: %s", a.StatusCode, textOf(a.dom(t)))
	}
	w.clock.Add(time.Hour / 4)
	if a := b.post("/help/account/consent/withdraw"); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/help/sign-in" {
		t.Fatalf("withdrawing was answered with %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
	for name, session := range map[string]string{"this": first, "the other": second} {
		if w.visit(session).SignedIn() {
			t.Errorf("%s session still opens the portal", name)
		}
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		all, err := tx.Consents(ctx, w.ana.ID)
		if len(all) != 1 || !all[0].WithdrawnAt.Equal(tx.Now) {
			t.Errorf("the consents kept are %+v; want one, withdrawn now", all)
		}
		p, perr := tx.Personal(ctx, w.ana.ID)
		if perr != nil {
			return perr
		}
		if last := p.Log[len(p.Log)-1]; last.Kind != portal.AuditConsentBack || last.By != "you" {
			t.Errorf("the log ends with %s by %s", last.Kind, last.By)
		}
		return err
	})
	// Signing in asks anew, and does not let in before.
	token := w.token(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID, Email: w.ana.Email})
	if a := w.browser("").get("/help/sign-in/link/" + token); !strings.Contains(a.body, "You agree to") {
		t.Errorf("the sign-in does not ask again: %s", textOf(a.dom(t)))
	}
	again := w.browser(w.signIn(w.ana))
	a = again.get("/help/account")
	if a.StatusCode != http.StatusOK || strings.Count(a.body, "You agree to") != 2 {
		t.Errorf("after agreeing anew the account (%d) lists: %s", a.StatusCode, textOf(a.dom(t)))
	}
}

// A browser signed in by way of another portal of the host, or by password, is
// asked at the gate.
func TestWithdrawnConsentStopsAtTheGate(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Access.Consent, p.Access.ConsentVersion = "The terms.", 1 })
	session := w.signIn(w.ana)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.WithdrawConsent(ctx, w.ana.ID, w.portal.ID)
		return err
	})
	if a := w.browser(session).get("/help/tickets"); a.StatusCode != http.StatusSeeOther || !strings.Contains(a.Header.Get("Location"), "/help/consent") {
		t.Errorf("a session without consent was answered with %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
}

func TestNothingOfPrivacyWorksInAReadOnlyView(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Access.Consent, p.Access.ConsentVersion = "The terms.", 1 })
	session := w.signIn(w.ana)
	v := w.visit(session)
	v.ReadOnly = true
	if err := w.app.WithdrawConsent(t.Context(), v); portal.KindOf(err) != portal.Forbidden {
		t.Errorf("withdrawing: %v", err)
	}
	if _, err := w.app.TakeOutOwn(t.Context(), v); portal.KindOf(err) != portal.Forbidden {
		t.Errorf("taking out: %v", err)
	}
}
