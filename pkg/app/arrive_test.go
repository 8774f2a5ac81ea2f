package app

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
	"github.com/portalctl/portalctl/pkg/store"
)

var codeInMail = regexp.MustCompile(`\b\d{6}\b`)

// mailed asks for something that is mailed, and returns what the mail that
// came says.
func mailed(t *testing.T, w *world, server *smtptest.Server, ask func()) string {
	t.Helper()
	before := len(server.Mails())
	ask()
	w.deliver()
	mails := server.Mails()
	if len(mails) != before+1 {
		t.Fatalf("%d mails came, want one", len(mails)-before)
	}
	return mailBody(mails[before])
}

func (w *world) askForLink(server *smtptest.Server, d Device) (asked *AskedForLink, token string) {
	w.t.Helper()
	text := mailed(w.t, w, server, func() {
		var err error
		if asked, err = w.RequestLink(w.t.Context(), w.visit(""), "ana@example.com", "", d); err != nil {
			w.t.Fatal(err)
		}
	})
	link := linkInMail.FindStringSubmatch(text)
	if link == nil {
		w.t.Fatalf("there is no link in\n%s", text)
	}
	return asked, link[1]
}

func TestLinkOnAnotherDeviceAsksForTheCode(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	asked, link := w.askForLink(server, phone)
	if asked.Code != LinkCode(asked.Token) || !codeInMail.MatchString(asked.Code) {
		t.Fatalf("the code is %q, and %q of what the browser holds", asked.Code, LinkCode(asked.Token))
	}
	elsewhere := w.visit("")
	elsewhere.Device = Device{UserAgent: "laptop"}
	if state, err := w.PeekToken(t.Context(), elsewhere, store.TokenSignIn, link); err != nil || !state.NeedsCode {
		t.Fatalf("on another device: %+v, %v; want a code asked for", state, err)
	}
	_, err := w.UseLink(t.Context(), elsewhere, link, LinkAnswer{}, elsewhere.Device)
	wantCode(t, err, "link.code_needed")
	wrong := "000000"
	if asked.Code == wrong {
		wrong = "111111"
	}
	for range codeTries - 1 {
		_, err = w.UseLink(t.Context(), elsewhere, link, LinkAnswer{Code: wrong}, elsewhere.Device)
		wantCode(t, err, "link.code_wrong")
	}
	in, err := w.UseLink(t.Context(), elsewhere, link, LinkAnswer{Code: " " + asked.Code[:3] + "-" + asked.Code[3:]}, elsewhere.Device)
	if err != nil || !w.visit(in.Token).SignedIn() {
		t.Fatalf("the right code after %d wrong ones: %v", codeTries-1, err)
	}

	asked, link = w.askForLink(server, phone)
	for range codeTries {
		_, err = w.UseLink(t.Context(), elsewhere, link, LinkAnswer{Code: "12"}, elsewhere.Device)
		wantCode(t, err, "link.code_wrong")
	}
	_, err = w.UseLink(t.Context(), elsewhere, link, LinkAnswer{Code: asked.Code}, elsewhere.Device)
	wantCode(t, err, "token.used")
}

func TestLinkInTheBrowserThatAskedNeedsNoCode(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	asked, link := w.askForLink(server, phone)
	here := w.visit("")
	here.Device = phone
	here.Device.Asked = asked.Token
	if state, err := w.PeekToken(t.Context(), here, store.TokenSignIn, link); err != nil || state.NeedsCode {
		t.Fatalf("where it was asked for: %+v, %v", state, err)
	}
	if _, err := w.UseLink(t.Context(), here, link, LinkAnswer{}, here.Device); err != nil {
		t.Fatal(err)
	}
	// What another browser was given is not what this link wants.
	other, _ := w.askForLink(server, phone)
	_, link = w.askForLink(server, phone)
	there := phone
	there.Asked = other.Token
	_, err := w.UseLink(t.Context(), w.visit(""), link, LinkAnswer{Code: other.Code}, there)
	wantCode(t, err, "link.code_wrong")
}

func TestNewDeviceIsToldOfOnce(t *testing.T) {
	w := newWorld(t, nil)
	signIn := func(d Device) *SignedIn {
		t.Helper()
		in, err := w.UseLink(t.Context(), w.visit(""), w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID}), LinkAnswer{}, d)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	first := signIn(Device{UserAgent: "first"})
	if got := w.mails(); len(got) != 0 || first.Device == "" {
		t.Errorf("the first sign-in ever mailed %v, gave the browser %q", got, first.Device)
	}
	if again := signIn(Device{Token: first.Device}); again.Device != "" || len(w.mails()) != 0 {
		t.Errorf("the same browser counts as new")
	}
	if in := signIn(Device{UserAgent: "stolen cookie value", Token: "forged"}); in.Device == "" || in.Device == "forged" {
		t.Errorf("a forged token was kept: %q", in.Device)
	}
	if got := strings.Join(w.mails(), ", "); got != "new_device to ana@example.com" {
		t.Errorf("a new browser mailed %q", got)
	}
}

func TestNotMeSignsOutEverywhereOnce(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	signIn := func(d Device) string {
		in, err := w.UseLink(t.Context(), w.visit(""), w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID}), LinkAnswer{}, d)
		if err != nil {
			t.Fatal(err)
		}
		return in.Token
	}
	mine := signIn(phone)
	var theirs string
	text := mailed(t, w, server, func() { theirs = signIn(Device{UserAgent: "Firefox/140 (Windows)", Address: "203.0.113.9"}) })
	for _, fact := range []string{"Firefox on Windows", "203.0.113.9"} {
		if !strings.Contains(text, fact) {
			t.Errorf("the notice does not say %q:\n%s", fact, text)
		}
	}
	left := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	token := regexp.MustCompile(`/not-me/([\w-]{43})`).FindStringSubmatch(text)
	if token == nil {
		t.Fatalf("there is no link in\n%s", text)
	}
	if _, err := w.NotMe(t.Context(), w.visit(""), token[1], phone); err != nil {
		t.Fatal(err)
	}
	if w.visit(mine).SignedIn() || w.visit(theirs).SignedIn() {
		t.Error("a session outlived it")
	}
	_, err := w.UseLink(t.Context(), w.visit(""), left, LinkAnswer{}, phone)
	wantCode(t, err, "token.used")
	_, err = w.NotMe(t.Context(), w.visit(""), token[1], phone)
	wantCode(t, err, "token.used")
}

func TestFreshProofIsAskedForAndRunsOut(t *testing.T) {
	w := newWorld(t, nil)
	w.withPassword(w.ana)
	v := w.as(w.ana)
	wantCode(t, w.ChangeEmail(t.Context(), v, "ana.new@example.com"), "proof.needed")
	_, err := w.ProveByPassword(t.Context(), v, "wrong", "", phone)
	wantCode(t, err, "password.present_wrong")
	in, err := w.ProveByPassword(t.Context(), v, goodPassword, "", phone)
	if err != nil {
		t.Fatal(err)
	}
	if w.visit(in.Token).Session.ID == v.Session.ID || !w.visit(in.Token).SignedIn() {
		t.Error("the proof did not give a fresh session")
	}
	old := *v
	if got := w.visit(""); got.SignedIn() {
		t.Error("nobody is signed in")
	}
	_, err = w.ProveByPassword(t.Context(), &old, goodPassword, "", phone)
	wantCode(t, err, "session.none")
	v = w.visit(in.Token)
	if !w.Proven(v) {
		t.Fatal("the proof does not hold")
	}
	w.clock.Add(ProofLife)
	if w.Proven(w.visit(in.Token)) {
		t.Error("the proof holds for ever")
	}
	w.clock.Add(-2 * ProofLife)
	if w.Proven(v) {
		t.Error("a proof of the future holds")
	}
}

func TestMailedCodeProvesWhoItWasMailedFor(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	ana := w.as(w.ana)
	ask := func() (token, code string) {
		text := mailed(t, w, server, func() {
			var err error
			if token, err = w.MailProof(t.Context(), ana); err != nil {
				t.Fatal(err)
			}
		})
		return token, codeInMail.FindString(text)
	}
	token, code := ask()
	bo := w.as(w.bo)
	_, err := w.ProveByMail(t.Context(), bo, token, code, "", phone)
	wantCode(t, err, "proof.expired")
	_, err = w.ProveByMail(t.Context(), ana, token, "x", "", phone)
	wantCode(t, err, "proof.code_wrong")
	in, err := w.ProveByMail(t.Context(), ana, token, code, "", phone)
	if err != nil || !w.Proven(w.visit(in.Token)) {
		t.Fatalf("the right code: %v", err)
	}
	ana = w.visit(in.Token)
	_, err = w.ProveByMail(t.Context(), ana, token, code, "", phone)
	wantCode(t, err, "proof.expired")

	token, code = ask()
	for range codeTries {
		_, err = w.ProveByMail(t.Context(), ana, token, "000", "", phone)
		wantCode(t, err, "proof.code_wrong")
	}
	_, err = w.ProveByMail(t.Context(), ana, token, code, "", phone)
	wantCode(t, err, "proof.expired")

	token, code = ask()
	w.clock.Add(ProofLife)
	ana = w.visit(in.Token)
	_, err = w.ProveByMail(t.Context(), ana, token, code, "", phone)
	wantCode(t, err, "proof.expired")
}

// proven returns a contact's visit after a fresh proof.
func (w *world) provenAs(c *portal.Contact) *Visit {
	w.t.Helper()
	w.withPassword(c)
	in, err := w.ProveByPassword(w.t.Context(), w.as(c), goodPassword, "", phone)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.visit(in.Token)
}

func TestAddressChangesWhenTheNewOneIsProven(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	elsewhere := w.signIn(w.ana)
	v := w.provenAs(w.ana)
	link := regexp.MustCompile(`/account/email/([\w-]{43})`)
	text := mailed(t, w, server, func() {
		if err := w.ChangeEmail(t.Context(), v, " Ana.New@Example.com "); err != nil {
			t.Fatal(err)
		}
	})
	if mails := server.Mails(); mails[len(mails)-1].To != "ana.new@example.com" || strings.Contains(text, "ana\r\n") {
		t.Errorf("the proof went to %s:\n%s", mails[len(mails)-1].To, text)
	}
	token := link.FindStringSubmatch(text)
	if token == nil {
		t.Fatalf("there is no link in\n%s", text)
	}
	_, err := w.ConfirmEmail(t.Context(), w.as(w.bo), token[1], phone)
	wantCode(t, err, "token.unknown")
	text = mailed(t, w, server, func() {
		in, err := w.ConfirmEmail(t.Context(), v, token[1], phone)
		if err != nil {
			t.Fatal(err)
		}
		if v = w.visit(in.Token); v.Contact == nil || v.Contact.Email != "ana.new@example.com" {
			t.Errorf("after it the visit is %+v", v)
		}
	})
	if mails := server.Mails(); mails[len(mails)-1].To != "ana@example.com" || !strings.Contains(text, "/not-me/") {
		t.Errorf("the old address was not told: %s\n%s", mails[len(mails)-1].To, text)
	}
	if w.visit(elsewhere).SignedIn() {
		t.Error("another session outlived the change")
	}
}

func TestAddressOfSomebodyElseIsNotTakenNorTold(t *testing.T) {
	w := newWorld(t, nil)
	v := w.provenAs(w.ana)
	for _, taken := range []string{"bo@example.com", "agent@example.com"} {
		if err := w.ChangeEmail(t.Context(), v, taken); err != nil {
			t.Errorf("%s: %v; want the same answer as for a free one", taken, err)
		}
	}
	if got := w.mails(); len(got) != 0 {
		t.Errorf("mails went out: %v", got)
	}
	// Free when asked, taken when followed.
	token := w.link(store.Token{Kind: store.TokenEmail, Contact: w.ana.ID, Email: "late@example.com"})
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.AddContact(ctx, &portal.Contact{Email: "late@example.com"})
	})
	_, err := w.ConfirmEmail(t.Context(), v, token, phone)
	wantCode(t, err, "token.unknown")
}

func TestNewConsentTextAsksEverybodyAgain(t *testing.T) {
	w := newWorld(t, nil)
	session := w.signIn(w.ana)
	set := func(text string, version int) {
		w.write(func(ctx context.Context, tx *store.Tx) error {
			p, err := tx.Portal(ctx, w.portal.ID)
			if err != nil {
				return err
			}
			p.Access.Consent, p.Access.ConsentVersion = text, version
			return tx.SavePortal(ctx, p)
		})
	}
	set("Be kind.", 1)
	v := w.visit(session)
	if v.SignedIn() || v.Gate != GateConsent || v.Arriving().Contact != w.ana.ID {
		t.Fatalf("a live session passes a new text: %+v", v)
	}
	wantCode(t, w.Agree(t.Context(), v, 1, false), "consent.needed")
	wantCode(t, w.Agree(t.Context(), v, 0, true), "consent.changed")
	if err := w.Agree(t.Context(), v, 1, true); err != nil {
		t.Fatal(err)
	}
	if v = w.visit(session); !v.SignedIn() {
		t.Errorf("agreement does not let in: %+v", v)
	}
	set("Be kinder.", 2)
	if w.visit(session).SignedIn() {
		t.Error("agreement to version 1 counts for version 2")
	}
	if w.visit(w.signInAgent()).Agent == nil {
		t.Error("agents are asked")
	}
}

func TestAgentSignsInByPasswordOfTheirOwn(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, func(p *portal.Portal) { p.Access.Methods = []portal.SignInMethod{portal.MethodLink} }).through(server)
	text := mailed(t, w, server, func() {
		if err := w.RequestReset(t.Context(), w.visit(""), "agent@example.com", phone); err != nil {
			t.Fatal(err)
		}
	})
	token := regexp.MustCompile(`/reset/([\w-]{43})`).FindStringSubmatch(text)
	if token == nil {
		t.Fatalf("there is no link in\n%s", text)
	}
	if _, err := w.Reset(t.Context(), w.visit(""), token[1], goodPassword, phone); err != nil {
		t.Fatal(err)
	}
	in, err := w.SignIn(t.Context(), w.visit(""), "agent@example.com", goodPassword, "", phone)
	if err != nil || w.visit(in.Token).Agent == nil {
		t.Fatalf("the agent's password: %v", err)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.agent.Disabled = true
		return tx.SaveAgent(ctx, w.agent)
	})
	_, err = w.SignIn(t.Context(), w.visit(""), "agent@example.com", goodPassword, "", phone)
	wantCode(t, err, "sign_in.wrong")
}

func TestModeSSOEndsOtherWaysAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	w.withPassword(w.ana)
	session, link := w.signIn(w.ana), w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	w.write(func(ctx context.Context, tx *store.Tx) error {
		p, err := tx.Portal(ctx, w.portal.ID)
		if err != nil {
			return err
		}
		p.Access.Mode = portal.ModeSSO
		return tx.SavePortal(ctx, p)
	})
	if w.visit(session).SignedIn() {
		t.Error("a session begun by link outlives the change to single sign-on")
	}
	_, err := w.UseLink(t.Context(), w.visit(""), link, LinkAnswer{}, phone)
	wantCode(t, err, "token.unknown")
	_, err = w.SignIn(t.Context(), w.visit(""), "ana@example.com", goodPassword, "", phone)
	wantCode(t, err, "sign_in.wrong")
	if w.visit(w.signInAgent()).Agent == nil {
		t.Error("agents cannot get in by link")
	}
}

func TestSessionTellsWhereItWasLastSeen(t *testing.T) {
	w := newWorld(t, nil)
	token := w.signIn(w.ana)
	moved := phone
	moved.Address = "198.51.100.4"
	where := func() string {
		v := w.visit(token)
		acc, err := w.Account(t.Context(), v)
		if err != nil || len(acc.Sessions) != 1 {
			t.Fatalf("the account shows %+v, %v", acc, err)
		}
		return acc.Sessions[0].Address
	}
	v, err := w.Enter(t.Context(), "portal.test:8080", "/help/tickets", token)
	if err != nil {
		t.Fatal(err)
	}
	w.Seen(v, moved)
	if got := where(); got != phone.Address {
		t.Errorf("within a minute the session moved to %s: a write at each request", got)
	}
	w.clock.Add(touchEvery)
	if v, err = w.Enter(t.Context(), "portal.test:8080", "/help/tickets", token); err != nil {
		t.Fatal(err)
	}
	w.Seen(v, moved)
	if got := where(); got != moved.Address {
		t.Errorf("the session was last seen at %s, want %s", got, moved.Address)
	}
}

// Whoever has an authenticator app gives its code as well when they prove
// again who they are: the password alone, in a session left open, must not
// turn the second factor off.
func TestFreshProofAsksForTheSecondFactorToo(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	w := newWorld(t, nil).through(server)
	ctx := t.Context()
	w.withPassword(w.ana)
	app, made := w.turnOn(w.proveAgain(w.as(w.ana)))
	w.deliver()
	v := w.visit(made.Token)
	if ways, err := w.ProofWays(ctx, v); err != nil || !ways.Factor {
		t.Fatalf("the proof asks for %+v, %v; want the second factor in it", ways, err)
	}
	// The proof that the app's set-up asked for has run out.
	w.clock.Add(ProofLife)
	v = w.visit(made.Token)
	for code, want := range map[string]string{"": "factor.missing", "000000": "factor.wrong", "nonsense": "factor.wrong"} {
		_, err := w.ProveByPassword(ctx, v, goodPassword, code, phone)
		wantCode(t, err, want)
		if e := portal.Errors(err); len(e) == 1 && e[0].Field != "factor" {
			t.Errorf("%q: the problem stands at the field %q", code, e[0].Field)
		}
	}
	code := app.next()
	if _, err := w.ProveByPassword(ctx, v, "wrong", code, phone); !hasErrorCode(err, "password.present_wrong") {
		t.Errorf("a wrong password with a right code: %v", err)
	}
	in, err := w.ProveByPassword(ctx, v, goodPassword, code, phone)
	if err != nil || !w.Proven(w.visit(in.Token)) {
		t.Fatalf("both right: %v", err)
	}
	v = w.visit(in.Token)
	_, err = w.ProveByPassword(ctx, v, goodPassword, code, phone)
	wantCode(t, err, "factor.used")
	if in, err = w.ProveByPassword(ctx, v, goodPassword, made.Codes[0], phone); err != nil {
		t.Fatalf("a recovery code: %v", err)
	}
	w.deliver()

	// By mail as well; a wrong code of the app does not use up the mailed one.
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SetPasswordHash(ctx, portal.Person{Contact: w.ana.ID}, "")
	})
	v = w.visit(in.Token)
	var token string
	mailedCode := codeInMail.FindString(mailed(t, w, server, func() {
		if token, err = w.MailProof(ctx, v); err != nil {
			t.Fatal(err)
		}
	}))
	_, err = w.ProveByMail(ctx, v, token, mailedCode, "", phone)
	wantCode(t, err, "factor.missing")
	if in, err = w.ProveByMail(ctx, v, token, mailedCode, app.next(), phone); err != nil {
		t.Fatal(err)
	}

	// Guessing ends the session.
	w.withPassword(w.ana)
	v = w.visit(in.Token)
	for range factorTries {
		_, err = w.ProveByPassword(ctx, v, goodPassword, "no such code", phone)
	}
	wantCode(t, err, "factor.ended")
	if w.visit(in.Token).SignedIn() {
		t.Error("the session outlived its guesses")
	}
}
