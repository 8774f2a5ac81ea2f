package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// owner is the column and id by which the tables of credentials name
// somebody. Nobody is a contact that does not exist.
func owner(p portal.Person) (column string, id int64) {
	if p.Agent != 0 {
		return "agent_id", int64(p.Agent)
	}
	return "contact_id", int64(p.Contact)
}

// PasswordHash returns the person's password hash; "" when none is set.
func (tx *Tx) PasswordHash(ctx context.Context, p portal.Person) (hash string, err error) {
	column, id := owner(p)
	err = tx.value(ctx, &hash, `SELECT password_hash FROM credential WHERE `+column+` = $1`, id)
	return hash, err
}

// SetPasswordHash keeps the hash of a new password; "" removes the password.
func (tx *Tx) SetPasswordHash(ctx context.Context, p portal.Person, hash string) error {
	column, id := owner(p)
	if hash == "" {
		return tx.do(ctx, `DELETE FROM credential WHERE `+column+` = $1`, id)
	}
	return tx.do(ctx, `INSERT INTO credential (`+column+`, password_hash, changed_at) VALUES ($1, $2, $3)
		ON CONFLICT (`+column+`) DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at`,
		id, hash, stamp(tx.Now))
}

// HasFactor reports whether somebody has an authenticator app to be asked for.
func (tx *Tx) HasFactor(ctx context.Context, p portal.Person) (bool, error) {
	column, id := owner(p)
	return tx.exists(ctx, `SELECT 1 FROM second_factor WHERE `+column+` = $1 AND confirmed_at IS NOT NULL`, id)
}

// HasPasskey reports whether somebody has a passkey that works on the host.
func (tx *Tx) HasPasskey(ctx context.Context, p portal.Person, host string) (bool, error) {
	column, id := owner(p)
	return tx.exists(ctx, `SELECT 1 FROM passkey WHERE `+column+` = $1 AND host = $2`, id, host)
}
