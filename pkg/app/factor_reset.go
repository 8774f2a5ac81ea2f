package app

import (
	"context"
	"fmt"
	"strconv"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// FactorReset is what resetting somebody's second factor did.
type FactorReset struct {
	Email string
	Had   bool // there was one
	Ended int  // sessions
}

// ResetContactFactor removes a contact's authenticator app and recovery codes,
// for who has lost both, and tells them by mail. Their sessions and links end:
// the phone may be in other hands.
func (a *App) ResetContactFactor(ctx context.Context, address string) (r *FactorReset, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		c, err := contactWith(ctx, tx, "email", address)
		if err != nil {
			return err
		}
		r, err = a.resetFactor(ctx, tx, portal.Person{Contact: c.ID}, c.Email)
		return err
	})
	return r, err
}

// ResetAgentFactor is ResetContactFactor for an agent.
func (a *App) ResetAgentFactor(ctx context.Context, address string) (r *FactorReset, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		agent, err := agentWith(ctx, tx, "email", address)
		if err != nil {
			return err
		}
		r, err = a.resetFactor(ctx, tx, portal.Person{Agent: agent.ID}, agent.Email)
		return err
	})
	return r, err
}

func (a *App) resetFactor(ctx context.Context, tx *store.Tx, who portal.Person, address string) (*FactorReset, error) {
	r := &FactorReset{Email: address}
	var err error
	if r.Had, err = tx.RemoveSecondFactor(ctx, who); err != nil || !r.Had {
		return r, err
	}
	if err := tx.ResetCounter(ctx, factorKey(who)); err != nil {
		return nil, err
	}
	if r.Ended, err = tx.EndSessions(ctx, who.Contact, who.Agent, 0, endFactor); err != nil {
		return nil, err
	}
	if err := tx.EndTokens(ctx, who.Contact, who.Agent, "", store.TokenSignIn, store.TokenReset); err != nil {
		return nil, err
	}
	if err := a.audit(ctx, tx, portal.AuditEntry{Kind: portal.AuditFactorOff, About: who.About()}); err != nil {
		return nil, fmt.Errorf("write down that the factor was reset: %w", err)
	}
	// The mail comes from no portal in particular: the factor is for all.
	return r, a.tellPerson(ctx, tx, &portal.Portal{}, who, store.MailFactorOff, map[string]string{"by": "operator"})
}

func (k *packing) factorOff(ctx context.Context) (string, error) {
	k.letter.Reset = k.mail.Data["by"] == "operator"
	return k.notMe(ctx)
}

func (k *packing) recoveryUsed(ctx context.Context) (string, error) {
	left, err := strconv.Atoi(k.mail.Data["left"])
	if err != nil {
		return "it does not say how many codes are left", nil
	}
	k.letter.Left = left
	return k.notMe(ctx)
}
