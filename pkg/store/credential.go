package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// PasswordHash returns the contact's password hash; "" when none is set.
func (tx *Tx) PasswordHash(ctx context.Context, c portal.ContactID) (hash string, err error) {
	err = tx.value(ctx, &hash, `SELECT password_hash FROM credential WHERE contact_id = $1`, c)
	return hash, err
}

// SetPasswordHash keeps the hash of a new password; "" removes the password.
func (tx *Tx) SetPasswordHash(ctx context.Context, c portal.ContactID, hash string) error {
	if hash == "" {
		return tx.do(ctx, `DELETE FROM credential WHERE contact_id = $1`, c)
	}
	return tx.do(ctx, `INSERT INTO credential (contact_id, password_hash, changed_at) VALUES ($1, $2, $3)
		ON CONFLICT (contact_id) DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at`,
		c, hash, stamp(tx.Now))
}
