package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Identity is who a contact is at an identity provider.
type Identity struct {
	Issuer, Subject string
	Contact         portal.ContactID
	CreatedAt       time.Time
	LastSignInAt    time.Time
}

const identityColumns = `issuer, subject, contact_id, created_at, last_sign_in_at`

func scanIdentity(r row) (i Identity, err error) {
	err = r.Scan(&i.Issuer, &i.Subject, &i.Contact, timeInto{&i.CreatedAt}, timeInto{&i.LastSignInAt})
	return i, err
}

// Identity finds whom a provider means by a subject; NotFound identity.none.
func (tx *Tx) Identity(ctx context.Context, issuer, subject string) (*Identity, error) {
	return find(ctx, tx, portal.NotFoundf("identity.none", "nobody is known by this subject"),
		`SELECT `+identityColumns+` FROM identity WHERE issuer = $1 AND subject = $2`, []any{issuer, subject}, scanIdentity)
}

// Identities returns who a contact is at all providers.
func (tx *Tx) Identities(ctx context.Context, c portal.ContactID) ([]Identity, error) {
	return list(ctx, tx, `SELECT `+identityColumns+` FROM identity WHERE contact_id = $1 ORDER BY issuer, subject`, []any{c}, scanIdentity)
}

// SaveIdentity links a subject to a contact, if it is not linked yet, and
// notes that they signed in just now.
func (tx *Tx) SaveIdentity(ctx context.Context, issuer, subject string, c portal.ContactID) error {
	return tx.do(ctx, `INSERT INTO identity (issuer, subject, contact_id, created_at, last_sign_in_at) VALUES ($1, $2, $3, $4, $4)
		ON CONFLICT (issuer, subject) DO UPDATE SET last_sign_in_at = excluded.last_sign_in_at`, issuer, subject, c, stamp(tx.Now))
}
