package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// MarkBounced notes that mail to an address of the contact came back for good,
// and why. first is false when that was known, or the address is not theirs
// any more.
func (tx *Tx) MarkBounced(ctx context.Context, c portal.ContactID, address, why string) (first bool, err error) {
	n, err := tx.exec(ctx, `UPDATE contact SET bounced = $2, bounced_at = $3, bounced_why = $4
		WHERE id = $1 AND bounced <> $2 AND (email = $2 OR member_email = $2) AND erased_at IS NULL`, c, address, stamp(tx.Now), why)
	return n > 0, err
}

// MarkReachable forgets that mail to the address came back; with "" whichever
// it was.
func (tx *Tx) MarkReachable(ctx context.Context, c portal.ContactID, address string) error {
	return tx.do(ctx, `UPDATE contact SET bounced = '', bounced_at = NULL, bounced_why = ''
		WHERE id = $1 AND bounced <> '' AND (bounced = $2 OR $2 = '')`, c, address)
}
