package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

const deskViewColumns = `v.id, v.agent_id, v.name, v.shared, v.query`

func scanDeskView(r row) (v portal.DeskView, err error) {
	err = r.Scan(&v.ID, &v.Agent, &v.Name, &v.Shared, jsonInto{&v.Query})
	return v, err
}

// DeskViews returns the views an agent has: their own and then what others
// share, each in the order their owners gave them.
func (tx *Tx) DeskViews(ctx context.Context, a portal.AgentID) ([]portal.DeskView, error) {
	return list(ctx, tx, `SELECT `+deskViewColumns+` FROM desk_view v WHERE v.agent_id = $1 OR v.shared = 1
		ORDER BY v.agent_id <> $1, v.place, v.id`, []any{a}, scanDeskView)
}

// DeskView returns a view an agent has; NotFound view.none for others' and
// for those that do not exist.
func (tx *Tx) DeskView(ctx context.Context, a portal.AgentID, id int64) (*portal.DeskView, error) {
	return find(ctx, tx, portal.NotFoundf("desk_view.none", "there is no such view"),
		`SELECT `+deskViewColumns+` FROM desk_view v WHERE v.id = $2 AND (v.agent_id = $1 OR v.shared = 1)`, []any{a, id}, scanDeskView)
}

// AddDeskView keeps a new view behind the agent's others and sets its ID.
func (tx *Tx) AddDeskView(ctx context.Context, v *portal.DeskView) error {
	return tx.value(ctx, &v.ID, `INSERT INTO desk_view (agent_id, name, shared, query, place, created_at)
		VALUES ($1, $2, $3, $4, (SELECT coalesce(max(place), 0) + 1 FROM desk_view), $5) RETURNING id`,
		v.Agent, v.Name, flag(v.Shared), jsonOf(v.Query), stamp(tx.Now))
}

// SaveDeskView writes a changed view.
func (tx *Tx) SaveDeskView(ctx context.Context, v *portal.DeskView) error {
	return tx.do(ctx, `UPDATE desk_view SET name = $2, shared = $3, query = $4 WHERE id = $1`, v.ID, v.Name, flag(v.Shared), jsonOf(v.Query))
}

// SwapDeskViews lets two views change places.
func (tx *Tx) SwapDeskViews(ctx context.Context, one, other int64) error {
	var places [2]int64
	for i, id := range []int64{one, other} {
		if err := tx.value(ctx, &places[i], `SELECT place FROM desk_view WHERE id = $1`, id); err != nil {
			return err
		}
	}
	if err := tx.do(ctx, `UPDATE desk_view SET place = $2 WHERE id = $1`, one, places[1]); err != nil {
		return err
	}
	return tx.do(ctx, `UPDATE desk_view SET place = $2 WHERE id = $1`, other, places[0])
}

// RemoveDeskView removes a view.
func (tx *Tx) RemoveDeskView(ctx context.Context, id int64) error {
	return tx.do(ctx, `DELETE FROM desk_view WHERE id = $1`, id)
}

// CountHeld counts the mails that wait for somebody's decision, in the
// inboxes a viewer sees, to max.
func (tx *Tx) CountHeld(ctx context.Context, v *portal.Viewer, max int) (n int, err error) {
	q := newQuery(`SELECT count(*) FROM (SELECT 1 FROM incoming m WHERE m.decision = 'held'`)
	if v.Limited {
		in, args := inList(v.Inboxes)
		q.add(` AND m.inbox_id `+in, args...)
	}
	q.add(` LIMIT ?)`, max)
	err = tx.value(ctx, &n, q.text(), q.args...)
	return n, err
}
