package app

import (
	"context"
	"errors"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// BeginPasskeySignIn asks whoever sits there for a passkey of theirs. held is
// what the browser kept from an earlier time, or "".
func (a *App) BeginPasskeySignIn(ctx context.Context, v *Visit, held string, d Device) (*PasskeyStep, error) {
	return a.askPasskeys(ctx, v, handshakePasskeySignIn, portal.Person{}, held, d)
}

// SignInByPasskey signs in with the answer of an authenticator. It counts as
// two factors: what somebody has, and how they unlocked it. Whatever is wrong
// is one Invalid error (passkey.failed); TooMany sign_in.slow while the
// network is slowed down.
func (a *App) SignInByPasskey(ctx context.Context, v *Visit, held, answer, returnTo string, d Device) (*SignedIn, error) {
	network := "fail:net:" + d.network()
	if err := a.blocked(ctx, network); err != nil {
		return nil, err
	}
	var in *SignedIn
	k, err := a.checkPasskey(ctx, v, handshakePasskeySignIn, portal.Person{}, held, answer)
	if err == nil {
		err = a.store.Write(ctx, func(tx *store.Tx) error {
			// Of many guesses at once, the right one must not count either.
			if err := blockedIn(ctx, tx, network); err != nil {
				return err
			}
			if err := a.enterByPasskey(ctx, tx, v, k); err != nil {
				return err
			}
			in, err = a.arrive(ctx, tx, v, arrival{who: k.Person, way: portal.MethodPasskey, factor: true, returnTo: returnTo, device: d})
			return err
		})
	}
	var refused passkeyRefused
	if !errors.As(err, &refused) {
		return in, err
	}
	e := a.failedSignIn(v, portal.Person{}, "", portal.MethodPasskey, d)
	if k != nil {
		e = a.failedSignIn(v, k.Person, "", portal.MethodPasskey, d)
		e.Kind = portal.AuditSignInRefused
	}
	e.Changes = append(e.Changes, portal.AuditChange{Field: "reason", To: string(refused)})
	if err := a.failed(ctx, "", network, e); err != nil {
		return nil, err
	}
	return nil, passkeyFailed()
}

func passkeyFailed() error {
	return portal.Invalidf("passkey.failed", "", "the passkey was not accepted").WithHint("try again, or use another way")
}

// enterByPasskey lets in whose passkey has just been proven, if they may
// enter.
func (a *App) enterByPasskey(ctx context.Context, tx *store.Tx, v *Visit, k *provenKey) error {
	if err := usePasskey(ctx, tx, k); err != nil {
		return err
	}
	if k.Person.Agent != 0 {
		agent, err := tx.Agent(ctx, k.Person.Agent)
		if err == nil && agent.Disabled {
			return passkeyRefused("disabled")
		}
		return err
	}
	if !v.Portal.Access.Allows(portal.MethodPasskey) {
		return passkeyRefused("method")
	}
	if v.Portal.State != portal.Live {
		return passkeyRefused("portal")
	}
	entry, member, err := entryOf(ctx, tx, v.Portal, k.Person.Contact)
	if err != nil {
		return err
	}
	if !entry.Allowed {
		return passkeyRefused(entry.Code)
	}
	if err := takeConsentIfNew(ctx, tx, v, k.Person.Contact, member); err != nil {
		return err
	}
	return register(ctx, tx, v.Portal, k.Person.Contact, member)
}

// usePasskey keeps the passkey's new state. It may have been removed, or used
// elsewhere, since it was checked.
func usePasskey(ctx context.Context, tx *store.Tx, k *provenKey) error {
	err := tx.UsePasskey(ctx, k.ID, k.Record, k.now)
	if portal.KindOf(err) == portal.NotFound {
		return passkeyRefused("unknown")
	}
	return err
}

// BeginPasskeyProof asks the visitor for one of their passkeys, to prove again
// who they are; NotFound passkey.none when they have none here.
func (a *App) BeginPasskeyProof(ctx context.Context, v *Visit, held string, d Device) (*PasskeyStep, error) {
	who := v.Person()
	if who.None() {
		return nil, proofNeeded()
	}
	return a.askPasskeys(ctx, v, handshakePasskeyProof, who, held, d)
}

// ProveByPasskey takes the visitor's passkey as the proof. The visit gets a
// new session token.
func (a *App) ProveByPasskey(ctx context.Context, v *Visit, held, answer string, d Device) (*SignedIn, error) {
	who := v.Person()
	if who.None() {
		return nil, proofNeeded()
	}
	network := "fail:net:" + d.network()
	if err := a.blocked(ctx, network); err != nil {
		return nil, err
	}
	var in *SignedIn
	k, err := a.checkPasskey(ctx, v, handshakePasskeyProof, who, held, answer)
	if err == nil {
		in, err = a.haveProven(ctx, v, portal.MethodPasskey, d, func(tx *store.Tx) error { return usePasskey(ctx, tx, k) })
	}
	var refused passkeyRefused
	if !errors.As(err, &refused) {
		return in, err
	}
	e := a.failedProof(v, portal.MethodPasskey, d)
	e.Changes = append(e.Changes, portal.AuditChange{Field: "reason", To: string(refused)})
	if err := a.failed(ctx, "", network, e); err != nil {
		return nil, err
	}
	return nil, passkeyFailed()
}
