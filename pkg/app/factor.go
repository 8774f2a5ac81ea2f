package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// The limits on guessing codes. A guess is right once in 333,000 times, since
// three time steps count; the pauses of failed sign-ins allow about a hundred
// a day, and factorWrongs ends that for good: then only a recovery code helps,
// or the operator.
const (
	factorTries  = 5   // wrong codes before a half sign-in ends
	factorWrongs = 100 // wrong codes in a row before the app's codes are refused
)

// recoveryCodes is how many there are.
const recoveryCodes = 10

// endFactor ends a session whose holder gave too many wrong codes.
const endFactor = "factor_failed"

// handshakeFactor is an authenticator app being set up.
const handshakeFactor store.HandshakeKind = "factor"

// FactorState is what somebody has for a second factor.
type FactorState struct {
	On       bool
	Since    time.Time
	Left     int // recovery codes
	Few      bool
	CodesOf  time.Time // when the codes were made
	Demanded bool      // it cannot be turned off
}

// Factor says what the visitor has for a second factor.
func (a *App) Factor(ctx context.Context, v *Visit) (s *FactorState, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		s, err = factorState(ctx, tx, v)
		return err
	})
	return s, err
}

func factorState(ctx context.Context, tx *store.Tx, v *Visit) (*FactorState, error) {
	s := &FactorState{Demanded: factorDemanded(v.Portal, v.Agent)}
	f, err := tx.SecondFactor(ctx, v.Person())
	if portal.KindOf(err) == portal.NotFound {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	s.On, s.Since = true, f.ConfirmedAt
	s.Left, s.CodesOf, err = tx.RecoveryCodes(ctx, v.Person())
	s.Few = s.Left <= portal.FewRecoveryCodes
	return s, err
}

// sealedFor names a person's authenticator key to the sealer, so that one
// person's sealed key is of no use in another's row.
func sealedFor(who portal.Person) string { return "authenticator of " + who.About() }

// GivenFactor is what passing the gate with a code did.
type GivenFactor struct {
	*SignedIn
	Recovery bool // it was a recovery code
	Left     int  // recovery codes, when it was
}

// GiveFactor passes the gate with a code of the authenticator app or with a
// recovery code. Wrong is Invalid factor.wrong, factor.recovery or, for a code
// that was used, factor.used; TooMany factor.slow and factor.locked. The fifth
// wrong one ends the half sign-in: Conflict factor.ended.
func (a *App) GiveFactor(ctx context.Context, v *Visit, code, returnTo string, d Device) (*GivenFactor, error) {
	who := v.Arriving()
	if v.Gate != GateFactor || who.None() {
		return nil, portal.Conflictf("factor.not_asked", "no code is asked for")
	}
	account, network := factorKey(who), "fail:net:"+d.network()
	if !auth.IsTOTP(digitsOnly(code)) {
		// Nobody guesses a recovery code, so guesses at codes of the app, by
		// somebody who knows the password, keep no owner out who has one. Nor
		// does what can be no code of the app keep those out.
		account = ""
	}
	given := &GivenFactor{}
	var refused error
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		refused, *given = nil, GivenFactor{}
		if err := slowedFactor(blockedIn(ctx, tx, account, network)); err != nil {
			return err
		}
		if refused = a.checkFactor(ctx, tx, v, who, code, given, d); refused != nil {
			if portal.KindOf(refused) != portal.Invalid {
				return refused
			}
			// What the wrong code counts for is kept, so this is no error yet.
			ended, err := a.wrongFactor(ctx, tx, v, who, account, network, refused, d)
			if ended {
				refused = portal.Conflictf("factor.ended", "too many wrong codes; sign in again")
			}
			return err
		}
		return a.passFactor(ctx, tx, v, who, given, returnTo, d)
	})
	a.wakeMail()
	if err = firstOf(err, refused); err != nil {
		return nil, err
	}
	return given, nil
}

// firstOf is err, or what else is wrong when that is nil.
func firstOf(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// passFactor lets somebody through who gave a right code.
func (a *App) passFactor(ctx context.Context, tx *store.Tx, v *Visit, who portal.Person, given *GivenFactor, returnTo string, d Device) error {
	if err := tx.ResetCounter(ctx, factorKey(who)); err != nil {
		return err
	}
	in, _, err := a.rise(ctx, tx, v, func(s *store.Session) { s.Factor = true })
	if err != nil {
		return err
	}
	in.ReturnTo = LocalPath(returnTo)
	given.SignedIn = in
	return a.settleIn(ctx, tx, v.Portal, arrival{who: who, way: v.Session.Way, factor: true, device: d}, in)
}

func factorKey(who portal.Person) string { return "fail:factor:" + who.About() }

// slowedFactor gives the refusal of a slowed account the words that fit here.
func slowedFactor(err error) error {
	var e *portal.Error
	if errors.As(err, &e) && e.Code == "sign_in.slow" {
		e.Code, e.Field = "factor.slow", "code"
	}
	return err
}

// checkFactor checks a code and uses it up.
func (a *App) checkFactor(ctx context.Context, tx *store.Tx, v *Visit, who portal.Person, code string, given *GivenFactor, d Device) error {
	if compact := digitsOnly(code); auth.IsTOTP(compact) {
		return a.checkTOTP(ctx, tx, who, compact)
	}
	hash, err := auth.ParseRecoveryCode(code)
	if err != nil {
		return portal.Invalidf("factor.wrong", "code", "the code is wrong")
	}
	err = tx.UseRecoveryCode(ctx, who, hash)
	if portal.KindOf(err) == portal.NotFound {
		return portal.Invalidf("factor.recovery", "code", "the recovery code is wrong or was used")
	}
	if err != nil {
		return err
	}
	if given.Left, _, err = tx.RecoveryCodes(ctx, who); err != nil {
		return err
	}
	given.Recovery = true
	left := fmt.Sprint(given.Left)
	if err := a.auditPerson(ctx, tx, v.Portal, who, portal.AuditRecoveryUsed, d, portal.AuditChange{Field: "left", To: left}); err != nil {
		return err
	}
	return a.tellPerson(ctx, tx, v.Portal, who, store.MailRecoveryUsed, map[string]string{"left": left})
}

// digitsOnly takes out the spaces that apps show and people type.
func digitsOnly(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\u00a0' || r == '\u202f' || r == '-' {
			return -1
		}
		return r
	}, strings.TrimSpace(s))
}

// checkTOTP checks a code of the person's app and notes its time step, in the
// same transaction: of two who bring the same code, one gets in.
func (a *App) checkTOTP(ctx context.Context, tx *store.Tx, who portal.Person, code string) error {
	f, err := tx.SecondFactor(ctx, who)
	if portal.KindOf(err) == portal.NotFound {
		return portal.Conflictf("factor.not_asked", "no code is asked for any more")
	}
	if err != nil {
		return err
	}
	if f.Wrong >= factorWrongs {
		return portal.Forbiddenf("factor.locked", "too many wrong codes; only a recovery code helps now")
	}
	key, err := a.sealer.Open(sealedFor(who), f.Secret)
	if err != nil {
		return fmt.Errorf("open the authenticator key of %s: %w", who.About(), err)
	}
	step, ok := auth.CheckTOTP(key, code, tx.Now, f.LastStep)
	if !ok {
		if _, used := auth.CheckTOTP(key, code, tx.Now, 0); used {
			return portal.Invalidf("factor.used", "code", "the code was used already; wait for the next one")
		}
		return portal.Invalidf("factor.wrong", "code", "the code is wrong")
	}
	accepted, err := tx.AcceptStep(ctx, who, step)
	if err == nil && !accepted {
		err = portal.Invalidf("factor.used", "code", "the code was used already; wait for the next one")
	}
	return err
}

// wrongFactor counts a wrong code: against the network, the half sign-in, which
// the last of its tries ends, and, unless account is "", the person and the app.
func (a *App) wrongFactor(ctx context.Context, tx *store.Tx, v *Visit, who portal.Person, account, network string, why error, d Device) (ended bool, err error) {
	e := a.failedSignIn(v, who, "", v.Session.Way, d)
	for _, one := range portal.Errors(why) {
		e.Changes = append(e.Changes, portal.AuditChange{Field: "reason", To: one.Code})
	}
	if err := a.failedIn(ctx, tx, account, network, e); err != nil {
		return false, err
	}
	if account != "" {
		if _, err := tx.CountWrongCode(ctx, who); err != nil {
			return false, err
		}
	}
	c, err := tx.Count(ctx, fmt.Sprintf("factor:session:%d", v.Session.ID), SessionLife)
	if err != nil || c.Count < factorTries {
		return false, err
	}
	err = tx.EndSession(ctx, who.Contact, who.Agent, v.Session.ID, endFactor)
	if err != nil && portal.KindOf(err) != portal.NotFound {
		return true, err
	}
	return true, a.tellOfTries(ctx, tx, v, who)
}

// tellOfTries tells somebody that wrong codes were given in their name: who
// did it got past the first step. Once a day is enough.
func (a *App) tellOfTries(ctx context.Context, tx *store.Tx, v *Visit, who portal.Person) error {
	c, err := tx.Count(ctx, "factor:told:"+who.About(), failureWindow)
	if err != nil || c.Count > 1 {
		return err
	}
	return a.tellPerson(ctx, tx, v.Portal, who, store.MailFactorTried, nil)
}
