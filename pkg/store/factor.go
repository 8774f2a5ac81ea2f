package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// SecondFactor is somebody's authenticator app.
type SecondFactor struct {
	Secret      []byte // sealed
	LastStep    int64  // the newest time step a code was accepted of
	Wrong       int    // wrong codes since the last right one
	ConfirmedAt time.Time
}

// SecondFactor returns the person's authenticator app; NotFound factor.none.
func (tx *Tx) SecondFactor(ctx context.Context, p portal.Person) (*SecondFactor, error) {
	column, id := owner(p)
	return find(ctx, tx, portal.NotFoundf("factor.none", "no authenticator app is set up"),
		`SELECT secret, last_step, wrong, confirmed_at FROM second_factor WHERE `+column+` = $1`, []any{id},
		func(r row) (f SecondFactor, err error) {
			return f, r.Scan(&f.Secret, &f.LastStep, &f.Wrong, timeInto{&f.ConfirmedAt})
		})
}

// SetSecondFactor keeps the sealed secret of an app that has just given the
// code of a time step, in place of any other.
func (tx *Tx) SetSecondFactor(ctx context.Context, p portal.Person, secret []byte, step int64) error {
	column, id := owner(p)
	return tx.do(ctx, `INSERT INTO second_factor (`+column+`, secret, last_step, confirmed_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (`+column+`) DO UPDATE SET secret = excluded.secret, last_step = excluded.last_step, wrong = 0,
			confirmed_at = excluded.confirmed_at`, id, secret, step, stamp(tx.Now))
}

// AcceptStep notes that the code of a time step was given. It reports false,
// and changes nothing, when that step or a later one was accepted before.
func (tx *Tx) AcceptStep(ctx context.Context, p portal.Person, step int64) (bool, error) {
	column, id := owner(p)
	n, err := tx.exec(ctx, `UPDATE second_factor SET last_step = $2, wrong = 0 WHERE `+column+` = $1 AND last_step < $2`, id, step)
	return n > 0, err
}

// CountWrongCode counts a wrong code and returns how many there are in a row.
func (tx *Tx) CountWrongCode(ctx context.Context, p portal.Person) (wrong int, err error) {
	column, id := owner(p)
	err = tx.value(ctx, &wrong, `UPDATE second_factor SET wrong = wrong + 1 WHERE `+column+` = $1 RETURNING wrong`, id)
	return wrong, err
}

// RemoveSecondFactor removes the app and its recovery codes. It reports
// whether there was one.
func (tx *Tx) RemoveSecondFactor(ctx context.Context, p portal.Person) (bool, error) {
	column, id := owner(p)
	if err := tx.do(ctx, `DELETE FROM recovery_code WHERE `+column+` = $1`, id); err != nil {
		return false, err
	}
	n, err := tx.exec(ctx, `DELETE FROM second_factor WHERE `+column+` = $1`, id)
	return n > 0, err
}

// SetRecoveryCodes keeps the hashes of new codes; older ones, used or not,
// work no more.
func (tx *Tx) SetRecoveryCodes(ctx context.Context, p portal.Person, hashes [][]byte) error {
	column, id := owner(p)
	if err := tx.do(ctx, `DELETE FROM recovery_code WHERE `+column+` = $1`, id); err != nil {
		return err
	}
	for _, hash := range hashes {
		if err := tx.do(ctx, `INSERT INTO recovery_code (`+column+`, hash, created_at) VALUES ($1, $2, $3)`, id, hash, stamp(tx.Now)); err != nil {
			return err
		}
	}
	return nil
}

// UseRecoveryCode uses up a code of the person; NotFound factor.recovery for
// one that is not theirs or was used. A right one forgives the wrong codes
// before it.
func (tx *Tx) UseRecoveryCode(ctx context.Context, p portal.Person, hash []byte) error {
	column, id := owner(p)
	n, err := tx.exec(ctx, `UPDATE recovery_code SET used_at = $3 WHERE `+column+` = $1 AND hash = $2 AND used_at IS NULL`, id, hash, stamp(tx.Now))
	if err := oneChanged(n, err, portal.NotFoundf("factor.recovery", "the recovery code is wrong or was used")); err != nil {
		return err
	}
	return tx.do(ctx, `UPDATE second_factor SET wrong = 0 WHERE `+column+` = $1`, id)
}

// RecoveryCodes says how many codes the person has left, and since when they
// have them: zero for none.
func (tx *Tx) RecoveryCodes(ctx context.Context, p portal.Person) (left int, since time.Time, err error) {
	column, id := owner(p)
	_, err = tx.one(ctx, `SELECT count(*) - count(used_at), max(created_at) FROM recovery_code WHERE `+column+` = $1`, []any{id},
		func(r row) error { return r.Scan(&left, timeInto{&since}) })
	return left, since, err
}

// MembersWithoutFactor counts, up to limit, the portal's registered members who
// have no authenticator app.
func (tx *Tx) MembersWithoutFactor(ctx context.Context, p portal.PortalID, limit int) (n int, err error) {
	err = tx.value(ctx, &n, `SELECT count(*) FROM (SELECT 1 FROM member m WHERE m.portal_id = $1 AND m.status = $2
		AND NOT EXISTS (SELECT 1 FROM second_factor f WHERE f.contact_id = m.contact_id) LIMIT $3)`, p, portal.Registered, limit)
	return n, err
}
