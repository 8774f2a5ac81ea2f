package app

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
	"github.com/portalctl/portalctl/pkg/store"
)

// stranger is somebody else's browser.
var stranger = Device{UserAgent: "stranger", Address: "198.51.100.9"}

func TestConfirmingAnAddressNamesTheNewOneAndTheOldMailboxLearnsNothing(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	v := w.provenAs(w.ana)
	text := mailed(t, w, server, func() {
		if err := w.ChangeEmail(t.Context(), v, "ana.new@example.com"); err != nil {
			t.Fatal(err)
		}
	})
	token := regexp.MustCompile(`/account/email/([\w-]{43})`).FindStringSubmatch(text)[1]
	state, err := w.PeekToken(t.Context(), v, store.TokenEmail, token)
	if err != nil || state.Email != "ana.new@example.com" {
		t.Errorf("the page asks to confirm %q, %v; want the new address", state.Email, err)
	}
	text = mailed(t, w, server, func() {
		if _, err := w.ConfirmEmail(t.Context(), v, token, phone); err != nil {
			t.Fatal(err)
		}
	})
	notMe := regexp.MustCompile(`/not-me/([\w-]{43})`).FindStringSubmatch(text)[1]
	state, err = w.PeekToken(t.Context(), w.visit(""), store.TokenNotMe, notMe)
	if err != nil || !state.Valid || state.Email != "ana@example.com" {
		t.Errorf("whoever reads the old mailbox is shown %q, %v; want only the address the notice went to", state.Email, err)
	}
}

func TestStrangersDoNotKeepTheOwnerFromProving(t *testing.T) {
	w := newWorld(t, nil)
	w.withPassword(w.ana)
	v := w.as(w.ana)
	for range 3 * freeFailures {
		_, _ = w.SignIn(t.Context(), w.visit(""), "ana@example.com", "a guess that is long", "", stranger)
		w.clock.Add(time.Second)
	}
	if _, err := w.SignIn(t.Context(), w.visit(""), "ana@example.com", goodPassword, "", phone); !hasErrorCode(err, "sign_in.slow") {
		t.Fatalf("the account is not slowed down: %v", err)
	}
	in, err := w.ProveByPassword(t.Context(), v, goodPassword, "", phone)
	if err != nil {
		t.Fatalf("whoever is signed in cannot prove who they are while strangers guess: %v", err)
	}
	v = w.visit(in.Token)
	if in, err = w.ChangePassword(t.Context(), v, goodPassword, "another lighthouse in the rain", phone); err != nil {
		t.Fatalf("nor change their password: %v", err)
	}
	v = w.visit(in.Token)
	for range freeFailures + 1 {
		_, _ = w.ProveByPassword(t.Context(), v, "wrong", "", phone)
	}
	if _, err := w.ProveByPassword(t.Context(), v, "another lighthouse in the rain", "", phone); !hasErrorCode(err, "sign_in.slow") {
		t.Errorf("guesses in a session left open are not slowed down: %v", err)
	}

	bo := w.as(w.bo)
	for range signInMails + 1 {
		if _, err := w.RequestLink(t.Context(), w.visit(""), "bo@example.com", "", stranger); err != nil {
			t.Fatal(err)
		}
	}
	for range signInMails {
		if _, err := w.MailProof(t.Context(), bo); err != nil {
			t.Fatalf("strangers who ask for links use up the codes of who is signed in: %v", err)
		}
	}
	_, err = w.MailProof(t.Context(), bo)
	wantCode(t, err, "limit.requests")
}

func TestProvidersSessionIsNoneInAnotherPortal(t *testing.T) {
	w := newSSOWorld(t, nil)
	in, err := w.signInSSO()
	if err != nil {
		t.Fatal(err)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		p := *w.visit("").Portal
		p.ID, p.Slug, p.Access = 0, "other", portal.DefaultAccessSettings()
		p.Access.Mode, p.Access.SecondFactor = portal.ModeSelfRegister, portal.FactorRequired
		if err := tx.AddPortal(ctx, &p); err != nil {
			return err
		}
		return tx.SaveMember(ctx, &portal.Member{PortalID: p.ID, ContactID: w.ana.ID, Status: portal.Registered, RegisteredAt: tx.Now})
	})
	v, err := w.Enter(t.Context(), "portal.test:8080", "/other/tickets", in.Token)
	if err != nil {
		t.Fatal(err)
	}
	if v.SignedIn() || v.Gate != "" {
		t.Errorf("what one portal's provider says lets in where nobody asked it, past the second factor too")
	}
}

func TestOnlyWhoWasInLeavesADraftBehind(t *testing.T) {
	w := newWorld(t, nil)
	w.turnOn(w.proveAgain(w.as(w.ana)))
	half := w.signIn(w.ana)
	look := store.Session{Portal: w.portal.ID, Contact: w.bo.ID, Way: portal.MethodLink, OpenedBy: "operator", ExpiresAt: w.clock.Now().Add(SessionLife)}
	secret, hash, err := auth.NewToken()
	if err != nil {
		t.Fatal(err)
	}
	look.Hash = hash
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.AddSession(ctx, &look) })
	for name, c := range map[string]struct {
		token string
		owner *portal.Contact
	}{
		"who was asked for a second factor": {half, w.ana},
		"an operator who looked":            {secret, w.bo},
	} {
		if err := w.SignOut(t.Context(), w.visit(c.token)); err != nil {
			t.Fatal(err)
		}
		_ = w.KeepDraft(t.Context(), w.visit(c.token), "new", map[string]string{"body": "planted"})
		w.write(func(ctx context.Context, tx *store.Tx) error {
			form, err := tx.Draft(ctx, c.owner.ID, "new")
			if len(form) > 0 {
				t.Errorf("%s left %v in the contact's name", name, form)
			}
			return err
		})
	}
}

func TestAChangeOfAddressMailsFewStrangers(t *testing.T) {
	w := newWorld(t, nil)
	v := w.provenAs(w.ana)
	w.mails()
	var refused error
	for i := range 15 {
		if err := w.ChangeEmail(t.Context(), v, fmt.Sprintf("victim%d@else.example", i)); err != nil {
			refused = err
		}
	}
	wantCode(t, refused, "limit.requests")
	if got := len(w.mails()); got != 5 {
		t.Errorf("%d strangers were mailed, want 5", got)
	}
}

func TestCredentialsOfAnOlderAddressDieWithIt(t *testing.T) {
	w := newWorld(t, nil)
	w.withPassword(w.ana)
	w.withPassword(w.bo)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.AddPasskey(ctx, &store.Passkey{Person: portal.Person{Contact: w.ana.ID}, Host: "portal.test", Credential: []byte("ana's"), Record: []byte("{}"), Name: "Phone"})
	})
	if _, _, err := w.SetContact(t.Context(), "ana@example.com", ContactInput{Email: new("successor@example.com")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.SignIn(t.Context(), w.visit(""), "successor@example.com", goodPassword, "", phone); !hasErrorCode(err, "sign_in.wrong") {
		t.Errorf("the password of who had the address before opens the new one: %v", err)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		keys, err := tx.Passkeys(ctx, portal.Person{Contact: w.ana.ID})
		if len(keys) != 0 {
			t.Errorf("so do their passkeys: %v", keys)
		}
		return err
	})
	if _, _, err := w.SetContact(t.Context(), "bo@example.com", ContactInput{Name: new("Bo Ek")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.SignIn(t.Context(), w.visit(""), "bo@example.com", goodPassword, "", phone); err != nil {
		t.Errorf("another name took Bo's password: %v", err)
	}
}

func TestEndingASessionIsWrittenDown(t *testing.T) {
	w := newWorld(t, nil)
	v, other := w.as(w.ana), w.as(w.ana)
	if err := w.EndSession(t.Context(), v, other.Session.ID); err != nil {
		t.Fatal(err)
	}
	if e := w.lastAudit(portal.AuditSessionsEnded); e == nil || e.About != portal.AboutContact(w.ana.ID) {
		t.Errorf("ending a session left %+v in the audit log", e)
	}
	if err := w.EndAllSessions(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if got := w.audited(portal.AuditSessionsEnded); got != 2 {
		t.Errorf("ending all of them makes %d entries, want 2", got)
	}
}

func TestWeakerWaysOfAnotherPortalDoNotCount(t *testing.T) {
	w := newWorld(t, nil)
	w.withPassword(w.ana)
	other := *w.portal
	other.ID, other.Slug, other.Access.Methods = 0, "other", []portal.SignInMethod{portal.MethodLink}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddPortal(ctx, &other); err != nil {
			return err
		}
		return tx.SaveMember(ctx, &portal.Member{PortalID: other.ID, ContactID: w.ana.ID, Status: portal.Registered, RegisteredAt: tx.Now})
	})
	in, err := w.SignIn(t.Context(), w.visit(""), "ana@example.com", goodPassword, "", phone)
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]bool{in.Token: false, w.signIn(w.ana): true} {
		v, err := w.Enter(t.Context(), "portal.test:8080", "/other/tickets", token)
		if err != nil || v.SignedIn() != want {
			t.Errorf("in a portal that takes links only, signed in by %s: %t, %v; want %t", w.visit(token).Session.Way, v.SignedIn(), err, want)
		}
	}
}

func TestProvidersSpellingOfAnAddressIsNotMadeSomebodyElses(t *testing.T) {
	w := newSSOWorld(t, nil)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.AddContact(ctx, &portal.Contact{Email: "mike@example.com"})
	})
	w.idp.Person["email"] = "mi\u212ae@example.com" // the sign for kelvin
	_, err := w.signInSSO()
	w.wantRefusal(err, "sso.refused", portal.AuditSignInRefused, "email")
}

func TestAnswersFromNowhereAreSlowedDown(t *testing.T) {
	w := newSSOWorld(t, nil)
	before := w.audited(portal.AuditSignInFailed)
	var err error
	for range 2 * freeNetFailures {
		_, err = w.FinishSSO(t.Context(), w.visit(""), "", url.Values{"state": {"x"}, "code": {"x"}}, "ref", stranger)
	}
	wantCode(t, err, "sign_in.slow")
	if got := w.audited(portal.AuditSignInFailed) - before; got != freeNetFailures {
		t.Errorf("%d made-up answers stand in the audit log, want %d", got, freeNetFailures)
	}
	if _, err := w.signInSSO(); err != nil {
		t.Errorf("from another network: %v", err)
	}
}

func TestNonsenseDoesNotLockTheOwnersApp(t *testing.T) {
	w := newWorld(t, nil)
	app, _ := w.turnOn(w.proveAgain(w.as(w.ana)))
	for i := range factorWrongs {
		from := Device{Address: fmt.Sprintf("198.51.100.%d", i/10)}
		_, err := w.GiveFactor(t.Context(), w.half(), "nonsense", "", from)
		wantCode(t, err, "factor.wrong")
	}
	if _, err := w.GiveFactor(t.Context(), w.half(), app.next(), "", phone); err != nil {
		t.Errorf("what can be no code of the app keeps the app's codes out: %v", err)
	}
}

func TestALookEndsNoSessionOfItsContact(t *testing.T) {
	w := newWorld(t, nil)
	v := w.as(w.ana)
	look := *v
	look.ReadOnly = true
	wantCode(t, w.EndSession(t.Context(), &look, v.Session.ID), "view.read_only")
	wantCode(t, w.EndAllSessions(t.Context(), &look), "view.read_only")
}
