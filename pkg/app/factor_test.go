package app

import (
	"context"
	"encoding/base32"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// proveAgain has the visitor have proven again who they are, and returns the visit
// with the session that says so.
func (w *world) proveAgain(v *Visit) *Visit {
	w.t.Helper()
	in, err := w.haveProven(w.t.Context(), v, portal.MethodPassword, phone, func(*store.Tx) error { return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return w.visit(in.Token)
}

// authenticator is an app on a phone.
type authenticator struct {
	w   *world
	key []byte
}

func (a *authenticator) code() string {
	a.w.t.Helper()
	code, err := auth.TOTPCode(a.key, a.w.clock.Now())
	if err != nil {
		a.w.t.Fatal(err)
	}
	return code
}

// next is the code of the next time step, which is then.
func (a *authenticator) next() string {
	a.w.t.Helper()
	a.w.clock.Add(30 * time.Second)
	return a.code()
}

// install puts a key that is being set up into an app.
func (w *world) install(s *FactorSetup) *authenticator {
	w.t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(s.Key, " ", ""))
	if err != nil {
		w.t.Fatal(err)
	}
	return &authenticator{w, key}
}

// turnOn sets an app up for the visitor.
func (w *world) turnOn(v *Visit) (*authenticator, *NewFactor) {
	w.t.Helper()
	setup, err := w.SetUpFactor(w.t.Context(), v)
	if err != nil {
		w.t.Fatal(err)
	}
	app := w.install(setup)
	made, err := w.ConfirmFactor(w.t.Context(), v, app.code(), "", phone)
	if err != nil {
		w.t.Fatal(err)
	}
	return app, made
}

// half signs Ana in as far as the gate.
func (w *world) half() *Visit {
	w.t.Helper()
	v := w.as(w.ana)
	if v.Gate != GateFactor || v.SignedIn() || v.Arriving() != (portal.Person{Contact: w.ana.ID}) {
		w.t.Fatalf("Ana stands at the gate %q, signed in %t; want factor and not signed in", v.Gate, v.SignedIn())
	}
	return v
}

func TestSecondFactorIsAskedForOnceItIsOn(t *testing.T) {
	w := newWorld(t, nil)
	old := w.as(w.ana)
	if _, err := w.SetUpFactor(t.Context(), old); !hasErrorCode(err, "proof.needed") {
		t.Errorf("setting up without a fresh proof: %v; want proof.needed", err)
	}
	elsewhere := w.signIn(w.ana)
	v := w.proveAgain(w.as(w.ana))
	w.mails()
	app, made := w.turnOn(v)
	if got := w.mails(); len(got) != 1 || got[0] != "factor_on to ana@example.com" {
		t.Errorf("mails are %v, want that it is on", got)
	}
	if len(made.Codes) != 10 {
		t.Errorf("%d recovery codes were made, want 10", len(made.Codes))
	}
	if v := w.visit(made.Token); !v.SignedIn() || !v.Session.Factor {
		t.Errorf("after setting up, Ana stands at the gate %q", v.Gate)
	}
	if v := w.visit(elsewhere); v.Gate != GateFactor || v.SignedIn() {
		t.Errorf("another browser of Ana's is at the gate %q, signed in %t; want factor", v.Gate, v.SignedIn())
	}

	half := w.half()
	if _, err := w.GiveFactor(t.Context(), half, app.code(), "", phone); !hasErrorCode(err, "factor.used") {
		t.Errorf("the code that confirmed the app: %v; want factor.used", err)
	}
	code := app.next()
	in, err := w.GiveFactor(t.Context(), half, code[:3]+" "+code[3:], "/help/tickets/T-1001", phone)
	if err != nil || in.ReturnTo != "/help/tickets/T-1001" || in.Recovery {
		t.Fatalf("giving the next code: %+v, %v", in, err)
	}
	after := w.visit(in.Token)
	if !after.SignedIn() || after.Session.ID == half.Session.ID {
		t.Error("the code does not let Ana in with a fresh session")
	}
	if v := w.visit(""); v.SignedIn() {
		t.Error("a stranger is signed in")
	}
	if _, err := w.GiveFactor(t.Context(), after, app.next(), "", phone); !hasErrorCode(err, "factor.not_asked") {
		t.Errorf("a code nobody asks for: %v; want factor.not_asked", err)
	}
	if got := w.audited(portal.AuditFactorOn, portal.AuditRecoveryNew); got != 2 {
		t.Errorf("%d audit entries tell that it was turned on and codes were made, want 2", got)
	}
}

// audited counts the audit log's entries of the kinds.
func (w *world) audited(kinds ...portal.AuditKind) (n int) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for _, kind := range kinds {
			entries, err := tx.Audit(ctx, store.AuditFilter{Kinds: []portal.AuditKind{kind}, Limit: 1000})
			if err != nil {
				return err
			}
			n += len(entries)
		}
		return nil
	})
	return n
}

func hasErrorCode(err error, code string) bool {
	return slices.ContainsFunc(portal.Errors(err), func(e *portal.Error) bool { return e.Code == code })
}

func TestNoCodeWorksTwiceHoweverManyTryAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	app, made := w.turnOn(w.proveAgain(w.as(w.ana)))
	for name, code := range map[string]string{"a code of the app": app.next(), "a recovery code": made.Codes[3]} {
		visits := make([]*Visit, 50)
		for i := range visits {
			visits[i] = w.half()
		}
		var in, refused atomic.Int32
		var all sync.WaitGroup
		for i, v := range visits {
			all.Go(func() {
				// Each from a network of its own, so that only the code decides.
				d := Device{Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}).String()}
				_, err := w.GiveFactor(t.Context(), v, code, "", d)
				switch {
				case err == nil:
					in.Add(1)
				case hasErrorCode(err, "factor.used"), hasErrorCode(err, "factor.recovery"), hasErrorCode(err, "factor.slow"):
					refused.Add(1)
				default:
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		all.Wait()
		if in.Load() != 1 || refused.Load() != 49 {
			t.Errorf("%s let %d in and was refused %d times, want 1 and 49", name, in.Load(), refused.Load())
		}
		w.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.ResetCounter(ctx, factorKey(portal.Person{Contact: w.ana.ID}))
		})
		w.mails()
	}
	state, err := w.Factor(t.Context(), w.proveAgain(w.visit(mustGive(w, app.next()))))
	if err != nil || state.Left != 9 {
		t.Errorf("%d recovery codes are left (%v), want 9", state.Left, err)
	}
}

// mustGive signs Ana in with a code.
func mustGive(w *world, code string) string {
	w.t.Helper()
	in, err := w.GiveFactor(w.t.Context(), w.half(), code, "", phone)
	if err != nil {
		w.t.Fatal(err)
	}
	return in.Token
}

func TestRecoveryCodesLetInOnceAndAreToldOf(t *testing.T) {
	w := newWorld(t, nil)
	_, made := w.turnOn(w.proveAgain(w.as(w.ana)))
	w.mails()
	half := w.half()
	in, err := w.GiveFactor(t.Context(), half, strings.ToLower(strings.ReplaceAll(made.Codes[0], "-", " ")), "", phone)
	if err != nil || !in.Recovery || in.Left != 9 {
		t.Fatalf("a recovery code: %+v, %v; want in, with 9 left", in, err)
	}
	if got := w.mails(); len(got) != 1 || got[0] != "recovery_used to ana@example.com" {
		t.Errorf("mails are %v, want that a code was used", got)
	}
	if _, err := w.GiveFactor(t.Context(), w.half(), made.Codes[0], "", phone); !hasErrorCode(err, "factor.recovery") {
		t.Errorf("the same code again: %v; want factor.recovery", err)
	}
	v := w.visit(in.Token)
	if _, err := w.NewRecoveryCodes(t.Context(), v, phone); !hasErrorCode(err, "proof.needed") {
		t.Errorf("new codes without a fresh proof: %v; want proof.needed", err)
	}
	codes, err := w.NewRecoveryCodes(t.Context(), w.proveAgain(v), phone)
	if err != nil || len(codes) != 10 {
		t.Fatalf("new codes: %d, %v; want 10", len(codes), err)
	}
	if _, err := w.GiveFactor(t.Context(), w.half(), made.Codes[1], "", phone); !hasErrorCode(err, "factor.recovery") {
		t.Errorf("an older code after new ones: %v; want factor.recovery", err)
	}
	mustGive(w, codes[9])
	if got := w.audited(portal.AuditRecoveryUsed); got != 2 {
		t.Errorf("%d audit entries tell of used codes, want 2", got)
	}
}

func TestWrongCodesEndTheHalfSignInAndSlowTheAccount(t *testing.T) {
	w := newWorld(t, nil)
	app, made := w.turnOn(w.proveAgain(w.as(w.ana)))
	half := w.half()
	for i := 1; i <= 4; i++ {
		if _, err := w.GiveFactor(t.Context(), half, "000000", "", phone); !hasErrorCode(err, "factor.wrong") {
			t.Fatalf("wrong code %d: %v; want factor.wrong", i, err)
		}
	}
	if _, err := w.GiveFactor(t.Context(), half, "000000", "", phone); !hasErrorCode(err, "factor.ended") {
		t.Errorf("the fifth: %v; want factor.ended", err)
	}
	if _, err := w.GiveFactor(t.Context(), half, app.code(), "", phone); !hasErrorCode(err, "factor.slow") {
		t.Errorf("a code in the half sign-in that ended: %v; want factor.slow", err)
	}
	if _, err := w.GiveFactor(t.Context(), half, made.Codes[1], "", phone); !hasErrorCode(err, "session.none") {
		t.Errorf("a recovery code there: %v; want session.none", err)
	}
	if got := w.mails(); !slices.Contains(got, "factor_tried to ana@example.com") {
		t.Errorf("mails are %v, want that wrong codes were given", got)
	}
	if got := w.audited(portal.AuditSignInFailed); got != 5 {
		t.Errorf("%d audit entries tell of failures, want 5", got)
	}

	// The app's codes are slowed down now, from wherever; recovery codes, which
	// nobody guesses, let the owner in all the same.
	half = w.half()
	elsewhere := Device{Address: "198.51.100.9"}
	_, err := w.GiveFactor(t.Context(), half, app.code(), "", elsewhere)
	if !hasErrorCode(err, "factor.slow") || portal.KindOf(err) != portal.TooMany {
		t.Errorf("a right code while slowed: %v; want TooMany factor.slow", err)
	}
	if _, err := w.GiveFactor(t.Context(), half, made.Codes[0], "", elsewhere); err != nil {
		t.Errorf("a recovery code while slowed: %v", err)
	}
}

func TestCodesAreRefusedForGoodAfterAHundredWrongOnes(t *testing.T) {
	w := newWorld(t, nil)
	app, made := w.turnOn(w.proveAgain(w.as(w.ana)))
	guess := func(code string) error {
		w.clock.Add(longestPause)
		_, err := w.GiveFactor(t.Context(), w.half(), code, "", phone)
		return err
	}
	for i := range factorWrongs {
		if err := guess(wrongCode(app)); !hasErrorCode(err, "factor.wrong") {
			t.Fatalf("guess %d: %v; want factor.wrong", i+1, err)
		}
	}
	w.clock.Add(longestPause)
	if err := guess(app.code()); !hasErrorCode(err, "factor.locked") {
		t.Errorf("a right code after %d wrong ones: %v; want factor.locked", factorWrongs, err)
	}
	if err := guess(made.Codes[0]); err != nil {
		t.Errorf("a recovery code: %v", err)
	}
	w.clock.Add(longestPause)
	if _, err := w.GiveFactor(t.Context(), w.half(), app.code(), "", phone); err != nil {
		t.Errorf("a right code after a recovery code: %v", err)
	}
}

// wrongCode is a code that the app shows at no step near now.
func wrongCode(a *authenticator) string {
	for i := range 1000 {
		code := fmt.Sprintf("%06d", i)
		later := a.w.clock.Now().Add(longestPause)
		if _, ok := auth.CheckTOTP(a.key, code, later, 0); !ok {
			return code
		}
	}
	panic("every code is right")
}

func TestDemandedFactorLetsNobodyPastEnrolment(t *testing.T) {
	w := newWorld(t, nil)
	token := w.signIn(w.ana)
	required := portal.FactorRequired
	if _, err := w.SetAccess(t.Context(), w.portal.ID, AccessChanges{SecondFactor: &required}); err != nil {
		t.Fatal(err)
	}
	v := w.visit(token)
	if v.Gate != GateEnrol || v.SignedIn() {
		t.Fatalf("a live session stands at the gate %q, signed in %t; want enrol", v.Gate, v.SignedIn())
	}
	w.clock.Add(ProofLife)
	if _, err := w.SetUpFactor(t.Context(), w.visit(token)); !hasErrorCode(err, "factor.sign_in_again") {
		t.Errorf("setting up in an older session: %v; want factor.sign_in_again", err)
	}
	first, second := w.as(w.ana), w.as(w.ana)
	app, made := w.turnOn(first)
	if v := w.visit(made.Token); !v.SignedIn() {
		t.Errorf("after enrolling, Ana stands at the gate %q", v.Gate)
	}
	if _, err := w.ConfirmFactor(t.Context(), second, app.next(), "", phone); !hasErrorCode(err, "handshake.none") {
		t.Errorf("confirming another session's app: %v; want handshake.none", err)
	}
	if err := w.TurnOffFactor(t.Context(), w.proveAgain(w.visit(made.Token)), phone); !hasErrorCode(err, "factor.demanded") {
		t.Errorf("turning off what is demanded: %v; want factor.demanded", err)
	}
}

func TestAgentsOfWhomAFactorIsDemandedEnrol(t *testing.T) {
	w := newWorld(t, nil)
	token := w.signInAgent()
	if changed, err := w.SetAgentsFactor(t.Context(), portal.FactorRequired); err != nil || len(changed) != 1 {
		t.Fatalf("demanding a factor of all agents: %d changed, %v", len(changed), err)
	}
	if v := w.visit(token); v.Gate != GateEnrol || v.SignedIn() {
		t.Fatalf("the agent stands at the gate %q, signed in %t; want enrol", v.Gate, v.SignedIn())
	}
	_, made := w.turnOn(w.visit(token))
	if v := w.visit(made.Token); v.Agent == nil {
		t.Errorf("after enrolling, the agent stands at the gate %q", v.Gate)
	}
	if v := w.asAgent(); v.Gate != GateFactor {
		t.Errorf("at the next sign-in the agent stands at %q, want factor", v.Gate)
	}
	w.mails()
	r, err := w.ResetAgentFactor(t.Context(), w.agent.Email)
	if err != nil || !r.Had || r.Ended == 0 {
		t.Fatalf("resetting: %+v, %v", r, err)
	}
	if v := w.visit(made.Token); v.Session != nil {
		t.Error("a session outlives the reset of the factor")
	}
	if v := w.asAgent(); v.Gate != GateEnrol {
		t.Errorf("after the reset the agent stands at %q, want enrol", v.Gate)
	}
	if got := w.mails(); len(got) != 1 || got[0] != "factor_off to agent@example.com" {
		t.Errorf("mails are %v, want that it is off", got)
	}
	if r, err := w.ResetAgentFactor(t.Context(), w.agent.Email); err != nil || r.Had {
		t.Errorf("resetting again: %+v, %v; want nothing to reset", r, err)
	}
}

func TestAnAppBeingSetUpBelongsToOneSession(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	mine, theirs := w.proveAgain(w.as(w.ana)), w.proveAgain(w.as(w.ana))
	first, err := w.SetUpFactor(ctx, mine)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.SetUpFactor(ctx, mine)
	if err != nil || again.Key != first.Key {
		t.Errorf("the same session sees %v (%v) when it looks again, want the same key", again, err)
	}
	other, err := w.SetUpFactor(ctx, theirs)
	if err != nil || other.Key == first.Key {
		t.Errorf("another session of hers sees the same key (%v)", err)
	}
	if _, err := w.ConfirmFactor(ctx, mine, w.install(other).code(), "", phone); !hasErrorCode(err, "factor.setup_wrong") {
		t.Errorf("a code of the other session's key: %v; want factor.setup_wrong", err)
	}
	w.clock.Add(setupLife)
	if _, err := w.ConfirmFactor(ctx, w.proveAgain(w.as(w.ana)), w.install(first).code(), "", phone); !hasErrorCode(err, "handshake.none") {
		t.Errorf("after an hour: %v; want handshake.none", err)
	}
}

func TestTurningOffAndMovingToAnotherPhone(t *testing.T) {
	w := newWorld(t, nil)
	old, made := w.turnOn(w.proveAgain(w.as(w.ana)))
	v := w.proveAgain(w.visit(made.Token))
	w.clock.Add(time.Minute)
	next, moved := w.turnOn(v)
	if _, err := w.GiveFactor(t.Context(), w.half(), old.next(), "", phone); !hasErrorCode(err, "factor.wrong") {
		t.Errorf("a code of the old phone: %v; want factor.wrong", err)
	}
	if _, err := w.GiveFactor(t.Context(), w.half(), made.Codes[0], "", phone); !hasErrorCode(err, "factor.recovery") {
		t.Errorf("a recovery code of the old phone: %v; want factor.recovery", err)
	}
	mustGive(w, next.next())
	w.clock.Add(ProofLife)
	if err := w.TurnOffFactor(t.Context(), w.visit(moved.Token), phone); !hasErrorCode(err, "proof.needed") {
		t.Errorf("turning off without a fresh proof: %v; want proof.needed", err)
	}
	w.mails()
	if err := w.TurnOffFactor(t.Context(), w.proveAgain(w.visit(moved.Token)), phone); err != nil {
		t.Fatal(err)
	}
	if got := w.mails(); len(got) != 1 || got[0] != "factor_off to ana@example.com" {
		t.Errorf("mails are %v, want that it is off", got)
	}
	if v := w.as(w.ana); !v.SignedIn() {
		t.Errorf("without a factor Ana stands at %q", v.Gate)
	}
}

func TestASealedKeyIsOfNoUseInAnotherRow(t *testing.T) {
	w := newWorld(t, nil)
	app, _ := w.turnOn(w.proveAgain(w.as(w.ana)))
	ana, bo := portal.Person{Contact: w.ana.ID}, portal.Person{Contact: w.bo.ID}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		f, err := tx.SecondFactor(ctx, ana)
		if err != nil {
			return err
		}
		if strings.Contains(string(f.Secret), string(app.key)) {
			t.Error("the key lies in the store as it is")
		}
		return tx.SetSecondFactor(ctx, bo, f.Secret, 0)
	})
	v := w.as(w.bo)
	if _, err := w.GiveFactor(t.Context(), v, app.next(), "", phone); err == nil || portal.KindOf(err) != portal.Internal {
		t.Errorf("a key moved to another row: %v; want an internal error", err)
	}
}
