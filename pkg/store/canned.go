package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

const cannedQuery = `SELECT c.id, c.name, c.body, c.inbox_id, coalesce(i.name, ''), c.created_at, c.updated_at
	FROM canned c LEFT JOIN inbox i ON i.id = c.inbox_id`

func scanCanned(r row) (c portal.Canned, err error) {
	err = r.Scan(&c.ID, &c.Name, &c.Body, refInto(&c.Inbox), &c.InboxName, timeInto{&c.CreatedAt}, timeInto{&c.UpdatedAt})
	return c, err
}

func noCanned(name string) error {
	return portal.NotFoundf("canned.none", "there is no canned answer %q", name).With("Name", name).
		WithHint("`portalctl canned list` names them; add one with `portalctl canned set`")
}

// CannedAnswers returns every canned answer by name.
func (tx *Tx) CannedAnswers(ctx context.Context) ([]portal.Canned, error) {
	return list(ctx, tx, cannedQuery+` ORDER BY c.name_key`, nil, scanCanned)
}

// CannedNamed returns the canned answer with the name, in whatever case;
// NotFound canned.none.
func (tx *Tx) CannedNamed(ctx context.Context, name string) (*portal.Canned, error) {
	return find(ctx, tx, noCanned(name), cannedQuery+` WHERE c.name_key = $1`, []any{fold(name)}, scanCanned)
}

// Canned returns a canned answer; NotFound canned.none.
func (tx *Tx) Canned(ctx context.Context, id portal.CannedID) (*portal.Canned, error) {
	return find(ctx, tx, noCanned(""), cannedQuery+` WHERE c.id = $1`, []any{id}, scanCanned)
}

// SaveCanned writes a canned answer, a new one when its ID is 0; Conflict
// canned.exists when another has the name.
func (tx *Tx) SaveCanned(ctx context.Context, c *portal.Canned) error {
	c.UpdatedAt = tx.Now
	var err error
	if c.ID == 0 {
		c.CreatedAt = tx.Now
		err = tx.value(ctx, &c.ID, `INSERT INTO canned (name, name_key, body, inbox_id, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $5) RETURNING id`, c.Name, fold(c.Name), c.Body, ref(c.Inbox), stamp(tx.Now))
	} else {
		var n int64
		n, err = tx.exec(ctx, `UPDATE canned SET name = $2, name_key = $3, body = $4, inbox_id = $5, updated_at = $6 WHERE id = $1`,
			c.ID, c.Name, fold(c.Name), c.Body, ref(c.Inbox), stamp(tx.Now))
		err = oneChanged(n, err, noCanned(c.Name))
	}
	switch {
	case isUnique(err):
		return portal.Conflictf("canned.exists", "there is a canned answer %q already", c.Name).With("Name", c.Name)
	case isForeignKey(err):
		return noInbox()
	}
	return err
}

// RemoveCanned removes a canned answer; NotFound canned.none.
func (tx *Tx) RemoveCanned(ctx context.Context, id portal.CannedID) error {
	n, err := tx.exec(ctx, `DELETE FROM canned WHERE id = $1`, id)
	return oneChanged(n, err, noCanned(""))
}
