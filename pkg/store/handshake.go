package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// HandshakeKind is what a browser began.
type HandshakeKind string

// Handshake is something one browser began and has to come back with. Only
// the hash of what the browser holds is kept.
type Handshake struct {
	Hash      []byte
	Kind      HandshakeKind
	Portal    portal.PortalID
	Person    portal.Person // whose; nobody while that is not known
	Data      []byte
	Tries     int
	CreatedAt time.Time
	ExpiresAt time.Time
}

func noHandshake() error {
	return portal.NotFoundf("handshake.none", "this step has run out or was taken already").WithHint("begin again")
}

const handshakeColumns = `hash, kind, portal_id, contact_id, agent_id, data, tries, created_at, expires_at`

func scanHandshake(r row) (h Handshake, err error) {
	err = r.Scan(&h.Hash, &h.Kind, refInto(&h.Portal), refInto(&h.Person.Contact), refInto(&h.Person.Agent), &h.Data, &h.Tries,
		timeInto{&h.CreatedAt}, timeInto{&h.ExpiresAt})
	return h, err
}

// AddHandshake keeps a new handshake and sets its CreatedAt.
func (tx *Tx) AddHandshake(ctx context.Context, h *Handshake) error {
	h.CreatedAt = tx.Now
	return tx.do(ctx, `INSERT INTO handshake (hash, kind, portal_id, contact_id, agent_id, data, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		h.Hash, h.Kind, ref(h.Portal), ref(h.Person.Contact), ref(h.Person.Agent), h.Data, stamp(tx.Now), stamp(h.ExpiresAt))
}

// Handshake looks without taking: NotFound handshake.none, also for one that
// has run out and for another kind.
func (tx *Tx) Handshake(ctx context.Context, kind HandshakeKind, hash []byte) (*Handshake, error) {
	return find(ctx, tx, noHandshake(), `SELECT `+handshakeColumns+` FROM handshake WHERE hash = $1 AND kind = $2 AND expires_at > $3`,
		[]any{hash, kind, stamp(tx.Now)}, scanHandshake)
}

// TakeHandshake returns a live handshake and removes it, so that it counts
// once; NotFound handshake.none.
func (tx *Tx) TakeHandshake(ctx context.Context, kind HandshakeKind, hash []byte) (*Handshake, error) {
	return find(ctx, tx, noHandshake(), `DELETE FROM handshake WHERE hash = $1 AND kind = $2 AND expires_at > $3 RETURNING `+handshakeColumns,
		[]any{hash, kind, stamp(tx.Now)}, scanHandshake)
}

// RemoveHandshake removes a handshake, also one that has run out.
func (tx *Tx) RemoveHandshake(ctx context.Context, hash []byte) error {
	return tx.do(ctx, `DELETE FROM handshake WHERE hash = $1`, hash)
}

// EndHandshakes removes all that a contact has begun in browsers.
func (tx *Tx) EndHandshakes(ctx context.Context, c portal.ContactID) error {
	return tx.do(ctx, `DELETE FROM handshake WHERE contact_id = $1`, c)
}

// EndPortalHandshakes removes all that was begun at a portal, by whomever.
func (tx *Tx) EndPortalHandshakes(ctx context.Context, p portal.PortalID) error {
	return tx.do(ctx, `DELETE FROM handshake WHERE portal_id = $1 AND agent_id IS NULL`, p)
}

// CountHandshakeTry counts a wrong answer and removes the handshake at the
// last of most.
func (tx *Tx) CountHandshakeTry(ctx context.Context, hash []byte, most int) error {
	if err := tx.do(ctx, `UPDATE handshake SET tries = tries + 1 WHERE hash = $1`, hash); err != nil {
		return err
	}
	return tx.do(ctx, `DELETE FROM handshake WHERE hash = $1 AND tries >= $2`, hash, most)
}

// SetHandshakeData replaces the data of a live handshake; NotFound
// handshake.none.
func (tx *Tx) SetHandshakeData(ctx context.Context, kind HandshakeKind, hash, data []byte) error {
	n, err := tx.exec(ctx, `UPDATE handshake SET data = $3 WHERE hash = $1 AND kind = $2 AND expires_at > $4`, hash, kind, data, stamp(tx.Now))
	return oneChanged(n, err, noHandshake())
}
