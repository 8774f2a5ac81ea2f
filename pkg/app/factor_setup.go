package app

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// setupLife is how long an app being set up is remembered: time to find one,
// install it and scan.
const setupLife = time.Hour

// FactorSetup is an authenticator app being set up: what goes into it.
type FactorSetup struct {
	Key     string // to type, in groups of four
	URL     string // otpauth:, for a QR code and for phones
	Account string // what the app will call it
	Issuer  string
	Passkey bool // at the gate: they have a passkey here, which would do instead
}

// settingUp is who sets an app up, and whether they may: at the gate somebody
// who has just signed in, else somebody who has just proven who they are. So
// a session left open gives nobody the means to lock its owner out.
func (a *App) settingUp(v *Visit) (portal.Person, error) {
	if v.Gate == GateEnrol {
		if since := a.now().Sub(v.Session.CreatedAt); since < 0 || since >= ProofLife {
			return portal.Person{}, portal.Forbiddenf("factor.sign_in_again", "to set up a second factor, sign in again first")
		}
		return v.Arriving(), nil
	}
	return v.Person(), a.proven(v)
}

// setupHash finds the app that a session's holder is setting up. It is bound
// to the session: whoever else begins one, knowing the password, sees another
// key, and the owner cannot confirm theirs by mistake.
func setupHash(s *store.Session) []byte {
	sum := sha256.Sum256(append([]byte("authenticator for session "), s.Hash...))
	return sum[:]
}

// SetUpFactor begins to set an authenticator app up, or shows again the one
// that this session began. Nothing holds before ConfirmFactor. Forbidden
// proof.needed or factor.sign_in_again when a fresh proof must come first.
func (a *App) SetUpFactor(ctx context.Context, v *Visit) (*FactorSetup, error) {
	key, err := a.keyBegun(ctx, v)
	if portal.KindOf(err) == portal.NotFound {
		key, err = a.beginKey(ctx, v)
	}
	if err != nil {
		return nil, err
	}
	s := setupOf(v, key)
	if v.Gate != GateEnrol {
		return s, nil
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		s.Passkey, err = a.hasPasskeyHere(ctx, tx, v, v.Arriving())
		return err
	})
	return s, err
}

// keyBegun is the key this session's holder is setting up; NotFound
// handshake.none. It needs no proof again: who began it gave one.
func (a *App) keyBegun(ctx context.Context, v *Visit) (key []byte, err error) {
	who := v.Person()
	if v.Gate == GateEnrol {
		who = v.Arriving()
	}
	if who.None() || v.ReadOnly {
		return nil, proofNeeded()
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		h, err := tx.Handshake(ctx, handshakeFactor, setupHash(v.Session))
		if err != nil {
			return err
		}
		key, err = a.sealer.Open(sealedFor(who), h.Data)
		return err
	})
	return key, err
}

func (a *App) beginKey(ctx context.Context, v *Visit) ([]byte, error) {
	who, err := a.settingUp(v)
	if err != nil {
		return nil, err
	}
	key := auth.NewTOTPKey()
	sealed, err := a.sealer.Seal(sealedFor(who), key)
	if err != nil {
		return nil, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		hash := setupHash(v.Session)
		// One that has run out may still lie there.
		if err := tx.RemoveHandshake(ctx, hash); err != nil {
			return err
		}
		return tx.AddHandshake(ctx, &store.Handshake{
			Hash: hash, Kind: handshakeFactor, Portal: v.Portal.ID, Person: who, Data: sealed, ExpiresAt: tx.Now.Add(setupLife),
		})
	})
	return key, err
}

func setupOf(v *Visit, key []byte) *FactorSetup {
	s := &FactorSetup{Issuer: v.Portal.Name}
	switch {
	case v.Contact != nil:
		s.Account = v.Contact.RegistrationEmail()
	case v.ArrivingContact != nil:
		s.Account = v.ArrivingContact.RegistrationEmail()
	case v.Agent != nil:
		s.Account = v.Agent.Email
	case v.ArrivingAgent != nil:
		s.Account = v.ArrivingAgent.Email
	}
	s.URL = auth.TOTPURL(key, s.Issuer, s.Account)
	text := auth.TOTPText(key)
	var groups []string
	for i := 0; i < len(text); i += 4 {
		groups = append(groups, text[i:min(i+4, len(text))])
	}
	s.Key = strings.Join(groups, " ")
	return s
}

// NewFactor is what confirming an app did: the recovery codes, which are shown
// once and kept nowhere, and the session's fresh token.
type NewFactor struct {
	*SignedIn
	Codes []string
}

// ConfirmFactor turns the second factor on, with a code that shows that the
// app works; an app that was there before is replaced, and so are its recovery
// codes. Invalid factor.wrong leaves the app to be confirmed; the fifth wrong
// code ends it: NotFound handshake.none, as after an hour.
func (a *App) ConfirmFactor(ctx context.Context, v *Visit, code, returnTo string, d Device) (*NewFactor, error) {
	key, err := a.keyBegun(ctx, v)
	if err != nil {
		return nil, err
	}
	step, ok := auth.CheckTOTP(key, digitsOnly(code), a.now(), 0)
	if !ok {
		err := a.store.Write(ctx, func(tx *store.Tx) error { return tx.CountHandshakeTry(ctx, setupHash(v.Session), factorTries) })
		if err != nil {
			return nil, err
		}
		return nil, portal.Invalidf("factor.setup_wrong", "code", "the code is not the one the app shows for this key")
	}
	who, gate := v.Person(), v.Gate == GateEnrol
	if gate {
		who = v.Arriving()
	}
	sealed, err := a.sealer.Seal(sealedFor(who), key)
	if err != nil {
		return nil, err
	}
	made := &NewFactor{}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.TakeHandshake(ctx, handshakeFactor, setupHash(v.Session)); err != nil {
			return err
		}
		if has, err := tx.HasFactor(ctx, who); err != nil || has && gate {
			return firstOf(err, portal.Conflictf("factor.elsewhere", "an authenticator app was set up elsewhere meanwhile"))
		}
		if err := tx.SetSecondFactor(ctx, who, sealed, step); err != nil {
			return err
		}
		if made.Codes, err = a.newRecoveryCodes(ctx, tx, v, who, d); err != nil {
			return err
		}
		if err := a.auditPerson(ctx, tx, v.Portal, who, portal.AuditFactorOn, d); err != nil {
			return err
		}
		if err := a.tellPerson(ctx, tx, v.Portal, who, store.MailFactorOn, nil); err != nil {
			return err
		}
		if made.SignedIn, _, err = a.rise(ctx, tx, v, func(s *store.Session) { s.Factor = true }); err != nil {
			return err
		}
		made.ReturnTo = LocalPath(returnTo)
		if !gate {
			return nil
		}
		return a.settleIn(ctx, tx, v.Portal, arrival{who: who, way: v.Session.Way, factor: true, device: d}, made.SignedIn)
	})
	a.wakeMail()
	if err != nil {
		return nil, err
	}
	return made, nil
}

// newRecoveryCodes makes codes in place of all older ones.
func (a *App) newRecoveryCodes(ctx context.Context, tx *store.Tx, v *Visit, who portal.Person, d Device) ([]string, error) {
	codes, hashes := make([]string, recoveryCodes), make([][]byte, recoveryCodes)
	for i := range codes {
		codes[i], hashes[i] = auth.NewRecoveryCode()
	}
	if err := tx.SetRecoveryCodes(ctx, who, hashes); err != nil {
		return nil, err
	}
	return codes, a.auditPerson(ctx, tx, v.Portal, who, portal.AuditRecoveryNew, d)
}

// NewRecoveryCodes makes new recovery codes for the visitor, who must have
// proven again who they are; older ones work no more. Conflict factor.none
// without an authenticator app.
func (a *App) NewRecoveryCodes(ctx context.Context, v *Visit, d Device) (codes []string, err error) {
	if err := a.proven(v); err != nil {
		return nil, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if has, err := tx.HasFactor(ctx, v.Person()); err != nil || !has {
			return firstOf(err, portal.Conflictf("factor.none", "no authenticator app is set up"))
		}
		codes, err = a.newRecoveryCodes(ctx, tx, v, v.Person(), d)
		return err
	})
	return codes, err
}

// TurnOffFactor removes the visitor's authenticator app and recovery codes.
// They must have proven again who they are; Forbidden factor.demanded where
// one is demanded of them.
func (a *App) TurnOffFactor(ctx context.Context, v *Visit, d Device) error {
	if err := a.proven(v); err != nil {
		return err
	}
	if factorDemanded(v.Portal, v.Agent) {
		return portal.Forbiddenf("factor.demanded", "a second factor is demanded here; set up another app instead")
	}
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		had, err := tx.RemoveSecondFactor(ctx, v.Person())
		if err != nil || !had {
			return err
		}
		if err := a.auditPerson(ctx, tx, v.Portal, v.Person(), portal.AuditFactorOff, d); err != nil {
			return err
		}
		return a.tellPerson(ctx, tx, v.Portal, v.Person(), store.MailFactorOff, nil)
	})
	a.wakeMail()
	return err
}
