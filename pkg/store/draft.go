package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Draft returns what the contact typed and has not sent: field names to
// values, nil when there is none. key is "new" or a ticket's number.
func (tx *Tx) Draft(ctx context.Context, c portal.ContactID, key string) (form map[string]string, err error) {
	err = tx.value(ctx, jsonInto{&form}, `SELECT form FROM draft WHERE contact_id = $1 AND key = $2`, c, key)
	return form, err
}

// SaveDraft keeps what the contact typed, in place of what was kept before.
func (tx *Tx) SaveDraft(ctx context.Context, c portal.ContactID, key string, form map[string]string) error {
	return tx.do(ctx, `INSERT INTO draft (contact_id, key, form, updated_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (contact_id, key) DO UPDATE SET form = excluded.form, updated_at = excluded.updated_at`,
		c, key, mapJSON(form), stamp(tx.Now))
}

// RemoveDraft forgets what the contact typed.
func (tx *Tx) RemoveDraft(ctx context.Context, c portal.ContactID, key string) error {
	return tx.do(ctx, `DELETE FROM draft WHERE contact_id = $1 AND key = $2`, c, key)
}
