package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// MeetDevice notes that somebody signed in with the browser that holds the
// secret with this hash. known is false the first time; first is set when it
// is the first browser of theirs at all.
func (tx *Tx) MeetDevice(ctx context.Context, p portal.Person, hash []byte) (known, first bool, err error) {
	n, err := tx.exec(ctx, `UPDATE device SET seen_at = $4 WHERE contact_id = $1 AND agent_id = $2 AND hash = $3`,
		p.Contact, p.Agent, hash, stamp(tx.Now))
	if err != nil || n > 0 {
		return true, false, err
	}
	any, err := tx.exists(ctx, `SELECT 1 FROM device WHERE contact_id = $1 AND agent_id = $2`, p.Contact, p.Agent)
	if err != nil {
		return false, false, err
	}
	return false, !any, tx.do(ctx, `INSERT INTO device (hash, contact_id, agent_id, created_at, seen_at) VALUES ($1, $2, $3, $4, $4)`,
		hash, p.Contact, p.Agent, stamp(tx.Now))
}

// KnowsDevice reports whether somebody has signed in before with the browser
// that holds the secret with this hash.
func (tx *Tx) KnowsDevice(ctx context.Context, p portal.Person, hash []byte) (bool, error) {
	return tx.exists(ctx, `SELECT 1 FROM device WHERE contact_id = $1 AND agent_id = $2 AND hash = $3`, p.Contact, p.Agent, hash)
}

// ForgetDevices forgets every browser of somebody, so that the next sign-in
// from each is told of.
func (tx *Tx) ForgetDevices(ctx context.Context, p portal.Person) error {
	return tx.do(ctx, `DELETE FROM device WHERE contact_id = $1 AND agent_id = $2`, p.Contact, p.Agent)
}
