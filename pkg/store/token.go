package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// TokenKind is what a one-time link is for.
type TokenKind string

// The kinds of one-time link.
const (
	TokenSignIn     TokenKind = "sign_in"
	TokenInvitation TokenKind = "invitation"
	TokenRegister   TokenKind = "register"
	TokenReset      TokenKind = "reset"
	TokenEmail      TokenKind = "email"  // proves a contact's new address
	TokenView       TokenKind = "view"   // an operator's look as a contact
	TokenNotMe      TokenKind = "not_me" // ends the sessions a new device's notice tells of
)

// Token is a one-time link; only the hash of its secret is kept.
type Token struct {
	Hash      []byte
	Kind      TokenKind
	Portal    portal.PortalID
	Contact   portal.ContactID
	Agent     portal.AgentID
	Email     string
	ReturnTo  string
	Asked     []byte // hash of what the browser holds that asked for it; nil: no browser did
	Familiar  bool   // that browser is one its owner has signed in with before
	Code      []byte // hash of the short code shown there
	Tries     int    // wrong codes so far
	OpenedBy  string // the operator, of a TokenView
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // also set when a newer link, or EndTokens, voided it
}

const tokenColumns = `hash, kind, portal_id, contact_id, agent_id, email, return_to,
	asked, familiar, code, tries, opened_by, created_at, expires_at, used_at`

func scanToken(r row) (t Token, err error) {
	err = r.Scan(&t.Hash, &t.Kind, refInto(&t.Portal), refInto(&t.Contact), refInto(&t.Agent), &t.Email, &t.ReturnTo,
		&t.Asked, &t.Familiar, &t.Code, &t.Tries, &t.OpenedBy,
		timeInto{&t.CreatedAt}, timeInto{&t.ExpiresAt}, timeInto{&t.UsedAt})
	return t, err
}

func noToken() error { return portal.NotFoundf("token.unknown", "this link is not known") }

// AddToken keeps a new one-time link and sets its CreatedAt.
func (tx *Tx) AddToken(ctx context.Context, t *Token) error {
	t.CreatedAt = tx.Now
	return tx.do(ctx, `INSERT INTO token (hash, kind, portal_id, contact_id, agent_id, email, return_to,
			asked, familiar, code, opened_by, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		t.Hash, t.Kind, ref(t.Portal), ref(t.Contact), ref(t.Agent), t.Email, t.ReturnTo,
		t.Asked, flag(t.Familiar), t.Code, t.OpenedBy, stamp(tx.Now), stamp(t.ExpiresAt))
}

// Token looks without using: NotFound token.unknown; used and expired ones are
// returned as they are.
func (tx *Tx) Token(ctx context.Context, hash []byte) (*Token, error) {
	return find(ctx, tx, noToken(), `SELECT `+tokenColumns+` FROM token WHERE hash = $1`, []any{hash}, scanToken)
}

// UseToken marks it used, exactly once: Conflict token.used, token.expired;
// NotFound token.unknown, also for a link of another kind.
func (tx *Tx) UseToken(ctx context.Context, hash []byte, kind TokenKind) (*Token, error) {
	// One statement decides and marks, so that of two users one wins.
	used, err := list(ctx, tx, `UPDATE token SET used_at = $3 WHERE hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3
		RETURNING `+tokenColumns, []any{hash, kind, stamp(tx.Now)}, scanToken)
	if err != nil {
		return nil, err
	}
	if len(used) == 1 {
		return &used[0], nil
	}
	t, err := tx.Token(ctx, hash)
	switch {
	case err != nil:
		return nil, err
	case t.Kind != kind:
		return nil, noToken()
	case !t.UsedAt.IsZero():
		return nil, portal.Conflictf("token.used", "this link has been used already").WithHint("ask for a new one")
	}
	return nil, portal.Conflictf("token.expired", "this link has expired").WithHint("ask for a new one")
}

// CountTry counts a wrong code typed for the token and voids it at the last
// of most.
func (tx *Tx) CountTry(ctx context.Context, hash []byte, most int) error {
	return tx.do(ctx, `UPDATE token SET tries = tries + 1, used_at = CASE WHEN tries + 1 >= $2 THEN $3 ELSE used_at END
		WHERE hash = $1`, hash, most, stamp(tx.Now))
}

// EndOlderLinks voids the unused sign-in links of somebody who is about to get
// another. Only a link asked for in a browser of theirs voids those that were:
// strangers who ask for links in somebody's name cannot take away theirs.
func (tx *Tx) EndOlderLinks(ctx context.Context, p portal.Person, familiar bool) error {
	column, id := owner(p)
	return tx.do(ctx, `UPDATE token SET used_at = $3 WHERE `+column+` = $1 AND kind = 'sign_in' AND used_at IS NULL AND familiar <= $2`,
		id, flag(familiar), stamp(tx.Now))
}

// EndTokens voids unused tokens of a contact, agent or e-mail address of the
// kinds given (none: all kinds). A zero id or empty address names nobody.
func (tx *Tx) EndTokens(ctx context.Context, c portal.ContactID, a portal.AgentID, email string, kinds ...TokenKind) error {
	if len(kinds) == 0 {
		kinds = []TokenKind{TokenSignIn, TokenInvitation, TokenRegister, TokenReset, TokenEmail, TokenView}
	}
	for _, kind := range kinds {
		for _, who := range []struct {
			column string
			value  any
		}{{"contact_id", ref(c)}, {"agent_id", ref(a)}, {"email", text(email)}} {
			if who.value == nil {
				continue
			}
			err := tx.do(ctx, `UPDATE token SET used_at = $3 WHERE `+who.column+` = $1 AND kind = $2 AND used_at IS NULL`,
				who.value, kind, stamp(tx.Now))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// text is a text that names something, or nil for none.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}
