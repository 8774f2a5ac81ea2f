package app

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

const goodPassword = "correct horse battery staple"

// withPassword gives a contact a password.
func (w *world) withPassword(c *portal.Contact) {
	w.t.Helper()
	hash, err := w.hasher.Hash(w.t.Context(), goodPassword)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SetPasswordHash(ctx, portal.Person{Contact: c.ID}, hash)
	})
}

func TestLinkSignsInOnce(t *testing.T) {
	w := newWorld(t, nil)
	token := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID, ReturnTo: "/help/tickets/T-1001"})
	state, err := w.PeekToken(t.Context(), w.visit(""), store.TokenSignIn, token)
	if err != nil || !state.Valid || state.Email != "ana@example.com" {
		t.Fatalf("peek: %+v, %v", state, err)
	}
	in, err := w.UseLink(t.Context(), w.visit(""), token, LinkAnswer{}, phone)
	if err != nil {
		t.Fatal(err)
	}
	if in.ReturnTo != "/help/tickets/T-1001" {
		t.Errorf("return to %q", in.ReturnTo)
	}
	if v := w.visit(in.Token); v.Contact == nil || v.Contact.ID != w.ana.ID || v.Member.Status != portal.Registered {
		t.Errorf("after the link the visit is %+v", v)
	}
	_, err = w.UseLink(t.Context(), w.visit(""), token, LinkAnswer{}, phone)
	wantCode(t, err, "token.used")
}

func TestLinkEnds(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	old := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	w.clock.Add(SignInLinkLife)
	_, err := w.UseLink(ctx, w.visit(""), old, LinkAnswer{}, phone)
	wantCode(t, err, "token.expired")

	reset := w.link(store.Token{Kind: store.TokenReset, Contact: w.ana.ID})
	_, err = w.UseLink(ctx, w.visit(""), reset, LinkAnswer{}, phone)
	wantCode(t, err, "token.unknown")

	for _, odd := range []string{"", "x", strings.Repeat("a", 43), strings.Repeat("a", 100000), "\x00"} {
		_, err = w.UseLink(ctx, w.visit(""), odd, LinkAnswer{}, phone)
		wantCode(t, err, "token.unknown")
	}

	left := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	w.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.RemoveFromGroup(ctx, w.group.ID, w.ana.ID)
		return err
	})
	_, err = w.UseLink(ctx, w.visit(""), left, LinkAnswer{}, phone)
	wantCode(t, err, "token.unknown")
}

func TestFiftyUsesOfOneLinkGiveOneSession(t *testing.T) {
	w := newWorld(t, nil)
	token := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	visit := w.visit("")
	var got atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := w.UseLink(context.Background(), visit, token, LinkAnswer{}, phone); err == nil {
				got.Add(1)
			}
		})
	}
	all.Wait()
	if got.Load() != 1 {
		t.Errorf("%d of 50 uses signed in, want 1", got.Load())
	}
}

func TestPasswordSignInTellsNothingApart(t *testing.T) {
	w := newWorld(t, nil)
	w.withPassword(w.ana)
	ctx := t.Context()
	for _, c := range []struct{ address, password string }{
		{"ana@example.com", "wrong"}, {"nobody@example.com", "wrong"}, {"bo@example.com", ""}, {"agent@example.com", "x"},
	} {
		_, err := w.SignIn(ctx, w.visit(""), c.address, c.password, "", phone)
		wantCode(t, err, "sign_in.wrong")
		if e := portal.Errors(err); len(e) == 1 && strings.Contains(e[0].Msg, "@") {
			t.Errorf("the refusal names somebody: %q", e[0].Msg)
		}
	}
	in, err := w.SignIn(ctx, w.visit(""), " ANA@Example.com ", goodPassword, "//evil.example", phone)
	if err != nil {
		t.Fatal(err)
	}
	if in.ReturnTo != "" {
		t.Errorf("a foreign return target was kept: %q", in.ReturnTo)
	}
	if !w.visit(in.Token).SignedIn() {
		t.Error("the session does not sign in")
	}
}

func TestFailuresSlowTheAccountButNeverTheMailedLink(t *testing.T) {
	w := newWorld(t, nil)
	w.withPassword(w.ana)
	ctx := t.Context()
	for range freeFailures {
		_, err := w.SignIn(ctx, w.visit(""), "ana@example.com", "wrong", "", phone)
		wantCode(t, err, "sign_in.wrong")
	}
	elsewhere := Device{Address: "198.51.100.1"}
	_, err := w.SignIn(ctx, w.visit(""), "ana@example.com", goodPassword, "", elsewhere)
	wantCode(t, err, "sign_in.slow")
	_, err = w.SignIn(ctx, w.visit(""), "nobody@example.com", "wrong", "", phone)
	wantCode(t, err, "sign_in.wrong")
	if !w.as(w.ana).SignedIn() {
		t.Error("the mailed link is locked as well")
	}
	w.clock.Add(firstPause + time.Second)
	if _, err := w.SignIn(ctx, w.visit(""), "ana@example.com", goodPassword, "", elsewhere); err != nil {
		t.Errorf("after the pause: %v", err)
	}
}

func TestRequestLinkAnswersTheSameForEverybody(t *testing.T) {
	w := newWorld(t, nil)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: w.bo.ID, Status: portal.Disabled})
	})
	for _, address := range []string{"ana@example.com", "bo@example.com", "nobody@example.com", "agent@example.com"} {
		if _, err := w.RequestLink(t.Context(), w.visit(""), address, "", phone); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	want := "sign_in to ana@example.com, sign_in to agent@example.com"
	if got := strings.Join(w.mails(), ", "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for range 10 {
		if _, err := w.RequestLink(t.Context(), w.visit(""), "ana@example.com", "", phone); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.mails()); n != signInMails-1 {
		t.Errorf("%d more mails to one address, want %d", n, signInMails-1)
	}
}

func TestMemberEmailIsTheAddressToSignInWith(t *testing.T) {
	w := newWorld(t, nil)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.ana.MemberEmail = "ana.private@example.org"
		return tx.SaveContact(ctx, w.ana)
	})
	for _, address := range []string{"ana@example.com", "ana.private@example.org"} {
		if _, err := w.RequestLink(t.Context(), w.visit(""), address, "", phone); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(w.mails(), ", "); got != "sign_in to ana.private@example.org" {
		t.Errorf("got %s", got)
	}
}

func TestSessionEnds(t *testing.T) {
	for name, end := range map[string]func(w *world){
		"idle":      func(w *world) { w.clock.Add(portal.DefaultIdleTimeout + time.Second) },
		"clock far": func(w *world) { w.clock.Add(SessionLife + time.Hour) },
		"left the group": func(w *world) {
			w.write(func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.RemoveFromGroup(ctx, w.group.ID, w.ana.ID)
				return err
			})
		},
		"disabled": func(w *world) {
			w.write(func(ctx context.Context, tx *store.Tx) error {
				return tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: w.ana.ID, Status: portal.Disabled})
			})
		},
		"portal takes another group": func(w *world) {
			w.write(func(ctx context.Context, tx *store.Tx) error {
				p, err := tx.Portal(ctx, w.portal.ID)
				if err != nil {
					return err
				}
				p.Access.Groups = nil
				return tx.SavePortal(ctx, p)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			token := w.signIn(w.ana)
			if !w.visit(token).SignedIn() {
				t.Fatal("not signed in to begin with")
			}
			end(w)
			if v := w.visit(token); v.SignedIn() {
				t.Errorf("still signed in: %+v", v.Entry)
			}
		})
	}
}

func TestUseKeepsASessionFromGoingIdle(t *testing.T) {
	w := newWorld(t, nil)
	token := w.signIn(w.ana)
	for range 10 {
		w.clock.Add(portal.DefaultIdleTimeout / 2)
		if !w.visit(token).SignedIn() {
			t.Fatal("a session in use went idle")
		}
	}
}

func TestSignOutEverywhereEndsEverySession(t *testing.T) {
	w := newWorld(t, nil)
	one, two := w.signIn(w.ana), w.signIn(w.ana)
	if err := w.EndAllSessions(t.Context(), w.visit(one)); err != nil {
		t.Fatal(err)
	}
	for i, token := range []string{one, two} {
		if v := w.visit(token); v.SignedIn() || v.Ended != 0 {
			t.Errorf("session %d goes on: %+v", i+1, v)
		}
	}
	other := w.visit(w.signIn(w.bo))
	v := w.as(w.ana)
	err := w.EndSession(t.Context(), other, v.Session.ID)
	wantCode(t, err, "session.none")
}

func TestInvitationMakesAMember(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Access.Consent, p.Access.ConsentVersion = "Be kind.", 3 })
	ctx := t.Context()
	url, err := w.MemberLink(ctx, w.portal, w.ana.ID)
	if err != nil {
		t.Fatal(err)
	}
	prefix := "http://portal.test:8080/help/invitation/"
	token, ok := strings.CutPrefix(url, prefix)
	if !ok {
		t.Fatalf("link %s does not begin with %s", url, prefix)
	}
	state, err := w.PeekToken(ctx, w.visit(""), store.TokenInvitation, token)
	if err != nil || !state.Valid || state.Consent != "Be kind." || !state.NeedsPassword || state.MustPassword {
		t.Fatalf("peek: %+v, %v", state, err)
	}
	_, _, err = w.Join(ctx, w.visit(""), store.TokenInvitation, token, Joining{Name: " ", Password: "short"}, phone)
	for _, code := range []string{"field.required", "consent.needed", "password.too_short"} {
		wantCode(t, err, code)
	}
	in, pending, err := w.Join(ctx, w.visit(""), store.TokenInvitation, token, Joining{Name: "Ana Berg", Password: goodPassword, Agree: true, Language: "sv"}, phone)
	if err != nil || pending {
		t.Fatal(err, pending)
	}
	v := w.visit(in.Token)
	if v.Contact == nil || v.Contact.Name != "Ana Berg" || v.Member.Status != portal.Registered {
		t.Errorf("visit %+v", v)
	}
	_, _, err = w.Join(ctx, w.visit(""), store.TokenInvitation, token, Joining{Name: "Mallory", Agree: true}, phone)
	wantCode(t, err, "token.used")
	if _, err := w.SignIn(ctx, w.visit(""), "ana@example.com", goodPassword, "", phone); err != nil {
		t.Errorf("the chosen password does not sign in: %v", err)
	}
}

func TestRegistration(t *testing.T) {
	self := func(p *portal.Portal) {
		p.Access.Mode, p.Access.Groups = portal.ModeSelfRegister, nil
		p.Access.AllowDomains = []string{"example.com", "acme.test"}
	}
	w := newWorld(t, self)
	ctx := t.Context()
	err := w.Register(ctx, w.visit(""), "x@gmail.com", "", phone)
	wantCode(t, err, "register.domain")
	for range 3 {
		if err := w.Register(ctx, w.visit(""), "new@acme.test", "", phone); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(w.mails(), ", "); got != "register to new@acme.test" {
		t.Errorf("an address nobody proved got: %s", got)
	}
	token := w.link(store.Token{Kind: store.TokenRegister, Email: "new@acme.test", ExpiresAt: w.clock.Now().Add(RegistrationLife)})
	in, pending, err := w.Join(ctx, w.visit(""), store.TokenRegister, token, Joining{Name: "New"}, phone)
	if err != nil || pending {
		t.Fatal(err, pending)
	}
	if v := w.visit(in.Token); v.Contact == nil || v.Contact.Email != "new@acme.test" || v.Contact.Primary != 0 {
		t.Errorf("visit %+v", v)
	}
	if err := w.Register(ctx, w.visit(""), "new@acme.test", "", phone); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.mails(), ", "); got != "register_known to new@acme.test" {
		t.Errorf("a member got: %s", got)
	}
}

func TestApprovalStandsBetween(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) {
		p.Access.Mode, p.Access.Groups, p.Access.Approval = portal.ModeSelfRegister, nil, true
	})
	token := w.link(store.Token{Kind: store.TokenRegister, Email: "new@acme.test"})
	in, pending, err := w.Join(t.Context(), w.visit(""), store.TokenRegister, token, Joining{Name: "New", Password: goodPassword}, phone)
	if err != nil || !pending || in != nil {
		t.Fatalf("got %v, %v, %v", in, pending, err)
	}
	_, err = w.SignIn(t.Context(), w.visit(""), "new@acme.test", goodPassword, "", phone)
	wantCode(t, err, "sign_in.wrong")
	if got := strings.Join(w.mails(), ", "); got != "desk_pending to support@example.com" {
		t.Errorf("got %s", got)
	}
	c, err := w.Contact(t.Context(), "new@acme.test")
	if err != nil {
		t.Fatal(err)
	}
	if link, err := w.MemberLink(t.Context(), w.portal, c.ID); portal.KindOf(err) != portal.Conflict {
		t.Errorf("a link past the approval: %q, %v", link, err)
	}
}

func TestResetEndsEverySession(t *testing.T) {
	w := newWorld(t, nil)
	w.withPassword(w.ana)
	old := w.signIn(w.ana)
	pendingLink := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	token := w.link(store.Token{Kind: store.TokenReset, Contact: w.ana.ID})
	_, err := w.Reset(t.Context(), w.visit(""), token, "ana@example.com ana", phone)
	wantCode(t, err, "password.names")
	in, err := w.Reset(t.Context(), w.visit(""), token, "another quite long phrase", phone)
	if err != nil {
		t.Fatal(err)
	}
	if w.visit(old).SignedIn() || !w.visit(in.Token).SignedIn() {
		t.Error("the old session goes on, or the new one does not")
	}
	_, err = w.UseLink(t.Context(), w.visit(""), pendingLink, LinkAnswer{}, phone)
	if err == nil {
		t.Error("a link mailed before the reset still signs in")
	}
	if got := strings.Join(w.mails(), ", "); got != "password_changed to ana@example.com" {
		t.Errorf("got %s", got)
	}
}

func TestChangePasswordAsksForThePresentOne(t *testing.T) {
	w := newWorld(t, nil)
	w.withPassword(w.ana)
	here, there := w.signIn(w.ana), w.signIn(w.ana)
	_, err := w.ChangePassword(t.Context(), w.visit(here), "guess", "another quite long phrase", phone)
	wantCode(t, err, "password.present_wrong")
	in, err := w.ChangePassword(t.Context(), w.visit(here), goodPassword, "another quite long phrase", phone)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"this": here, "the other": there} {
		if w.visit(token).SignedIn() {
			t.Errorf("%s session keeps its old token", name)
		}
	}
	if !w.visit(in.Token).SignedIn() {
		t.Error("the new session does not sign in")
	}
}

func TestLocalPath(t *testing.T) {
	for _, ok := range []string{"/", "/help/tickets?status=all#top", "/a//b"} {
		if LocalPath(ok) != ok {
			t.Errorf("%q was refused", ok)
		}
	}
	for _, bad := range []string{"", "help", "//evil.example", `/\evil.example`, "https://evil.example", "/a\nb", "/%0d\r", `/a\b`, "/" + strings.Repeat("a", 3000), "javascript:alert(1)"} {
		if got := LocalPath(bad); got != "" {
			t.Errorf("%q was kept as %q", bad, got)
		}
	}
}

func TestDeviceNetworkIsAnAddressOrASlash64(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "odd": "unknown",
	} {
		if got := (Device{Address: in}).network(); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
