package app

import (
	"cmp"
	"context"
	"errors"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// LinkState is what a mailed link would do, without doing it.
type LinkState struct {
	Valid         bool
	Code          string // token.unknown, token.used or token.expired when not valid
	Email         string // whom it is for
	Name          string
	Language      string // theirs; "" when they chose none
	NeedsPassword bool   // the portal takes passwords and the person has none: offer to choose one
	MustPassword  bool   // it takes nothing else
	Consent       string // the text to agree to; "" when there is none or it was agreed to
	ReturnTo      string
	NeedsCode     bool // it was asked for in another browser, which shows the code
}

// PeekToken looks at a one-time link. GET pages use it; nothing is used up.
func (a *App) PeekToken(ctx context.Context, v *Visit, kind store.TokenKind, token string) (*LinkState, error) {
	state := &LinkState{}
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		t, err := validToken(ctx, tx, v, kind, token)
		var e *portal.Error
		if errors.As(err, &e) && e.Kind != portal.Internal {
			state.Code = e.Code
			return nil
		}
		if err != nil {
			return err
		}
		state.Valid, state.Email, state.ReturnTo = true, t.Email, t.ReturnTo
		state.NeedsCode = !askedHere(t, v.Device)
		access := &v.Portal.Access
		if t.Agent != 0 {
			agent, err := tx.Agent(ctx, t.Agent)
			if err != nil {
				return err
			}
			state.Email, state.Name = cmp.Or(t.Email, agent.Email), agent.Name
			return nil
		}
		agreed := 0
		state.NeedsPassword = access.Allows(portal.MethodPassword)
		c, err := contactOfToken(ctx, tx, t)
		if err != nil {
			return err
		}
		if c != nil {
			// The address it was mailed to, which may be a new one or an older
			// one of theirs: nobody learns another by holding a link.
			state.Email, state.Name, state.Language = cmp.Or(t.Email, c.RegistrationEmail()), c.Name, c.Language
			hash, err := tx.PasswordHash(ctx, portal.Person{Contact: c.ID})
			if err != nil {
				return err
			}
			state.NeedsPassword = state.NeedsPassword && hash == ""
			if agreed, err = tx.ConsentVersion(ctx, c.ID, v.Portal.ID); err != nil {
				return err
			}
		}
		state.MustPassword = state.NeedsPassword && !access.Allows(portal.MethodLink)
		if access.Consent != "" && agreed < access.ConsentVersion && kind != store.TokenReset {
			state.Consent = access.Consent
		}
		return nil
	})
	return state, err
}

// contactOfToken is whom a one-time link is for; nil when it proves an address
// nobody has yet.
func contactOfToken(ctx context.Context, tx *store.Tx, t *store.Token) (*portal.Contact, error) {
	if t.Contact != 0 {
		return tx.Contact(ctx, t.Contact)
	}
	c, err := tx.ContactForSignIn(ctx, t.Email)
	if portal.KindOf(err) == portal.NotFound {
		return nil, nil
	}
	return c, err
}

// validToken returns a token of the portal that could be used now, without
// using it.
func validToken(ctx context.Context, tx *store.Tx, v *Visit, kind store.TokenKind, token string) (*store.Token, error) {
	unknown := portal.NotFoundf("token.unknown", "the link is not valid")
	hash, err := auth.ParseToken(token)
	if err != nil {
		return nil, unknown
	}
	t, err := tx.Token(ctx, hash)
	if err != nil {
		return nil, err
	}
	switch {
	case t.Kind != kind || t.Portal != v.Portal.ID:
		return nil, unknown
	case !t.UsedAt.IsZero():
		return nil, portal.Conflictf("token.used", "the link was used already")
	case !tx.Now.Before(t.ExpiresAt):
		return nil, portal.Conflictf("token.expired", "the link has expired")
	}
	return t, nil
}

// LinkAnswer is what the page behind a sign-in link asks for.
type LinkAnswer struct {
	Agree bool   // to LinkState.Consent
	Code  string // when LinkState.NeedsCode
}

// UseLink signs in with a mailed link, once. Invalid consent.needed,
// link.code_needed or link.code_wrong when an answer is missing or wrong; the
// link is not used up by that, but the fifth wrong code voids it.
func (a *App) UseLink(ctx context.Context, v *Visit, token string, answer LinkAnswer, d Device) (*SignedIn, error) {
	var in *SignedIn
	var wrong bool
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		t, err := validToken(ctx, tx, v, store.TokenSignIn, token)
		if err != nil {
			return err
		}
		if wrong, err = checkLinkCode(ctx, tx, t, answer.Code, d); err != nil {
			return err
		}
		who := portal.Person{Contact: t.Contact, Agent: t.Agent}
		if wrong {
			return a.auditPerson(ctx, tx, v.Portal, who, portal.AuditSignInFailed, d,
				portal.AuditChange{Field: "way", To: string(portal.MethodLink)}, portal.AuditChange{Field: "reason", To: "code"})
		}
		if t.Agent != 0 {
			agent, err := tx.Agent(ctx, t.Agent)
			if err != nil {
				return err
			}
			if agent.Disabled {
				return portal.NotFoundf("token.unknown", "the link is not valid")
			}
		} else if err := a.enterByLink(ctx, tx, v, t, answer.Agree); err != nil {
			return err
		}
		if _, err := tx.UseToken(ctx, t.Hash, store.TokenSignIn); err != nil {
			return err
		}
		if err := tx.EndTokens(ctx, t.Contact, t.Agent, "", store.TokenSignIn); err != nil {
			return err
		}
		in, err = a.arrive(ctx, tx, v, arrival{who: who, way: portal.MethodLink, returnTo: t.ReturnTo, device: d})
		return err
	})
	if err == nil && wrong {
		return nil, portal.Invalidf("link.code_wrong", "code", "the code is not the one shown where the link was asked for")
	}
	return in, err
}

// enterByLink lets a contact in whose address a link has just proven: entry
// is asked again, consent taken, and an invited contact becomes registered.
func (a *App) enterByLink(ctx context.Context, tx *store.Tx, v *Visit, t *store.Token, agree bool) error {
	id := t.Contact
	entry, member, err := entryOf(ctx, tx, v.Portal, id)
	if err != nil {
		return err
	}
	if !entry.Allowed || v.Portal.Access.Mode == portal.ModeSSO {
		return portal.NotFoundf("token.unknown", "the link is not valid")
	}
	if err := takeConsent(ctx, tx, v, id, agree, v.Portal.Language()); err != nil {
		return err
	}
	c, err := tx.Contact(ctx, id)
	if err != nil {
		return err
	}
	if err := provesAddress(ctx, tx, t, c); err != nil {
		return err
	}
	return register(ctx, tx, v.Portal, id, member)
}
