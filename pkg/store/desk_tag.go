package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Tags returns the tags of a ticket, in order.
func (tx *Tx) Tags(ctx context.Context, n portal.TicketNumber) ([]string, error) {
	return list(ctx, tx, `SELECT tag FROM ticket_tag WHERE ticket = $1 ORDER BY tag`, []any{n},
		func(r row) (tag string, err error) { return tag, r.Scan(&tag) })
}

// AddTag puts a tag on a ticket and reports whether it was not there yet.
func (tx *Tx) AddTag(ctx context.Context, n portal.TicketNumber, tag string) (bool, error) {
	changed, err := tx.exec(ctx, `INSERT INTO ticket_tag (ticket, tag) VALUES ($1, $2) ON CONFLICT DO NOTHING`, n, tag)
	return changed > 0, err
}

// RemoveTag takes a tag from a ticket and reports whether it was there.
func (tx *Tx) RemoveTag(ctx context.Context, n portal.TicketNumber, tag string) (bool, error) {
	changed, err := tx.exec(ctx, `DELETE FROM ticket_tag WHERE ticket = $1 AND tag = $2`, n, tag)
	return changed > 0, err
}

// KnownTags returns tags in use on tickets the viewer sees, those on the most
// of the newest tagged tickets first: at most limit.
func (tx *Tx) KnownTags(ctx context.Context, v *portal.Viewer, limit int) ([]string, error) {
	const newest = 5000 // bounds the cost, however many tickets have tags
	q := newQuery(`SELECT tag FROM (SELECT g.tag FROM ticket_tag g JOIN ticket t ON t.number = g.ticket WHERE 1 = 1`)
	q.seenBy(v, ScopeCompany)
	q.add(` ORDER BY g.ticket DESC LIMIT ?) recent GROUP BY tag ORDER BY count(*) DESC, tag LIMIT ?`, newest, limit)
	return list(ctx, tx, q.text(), q.args, func(r row) (tag string, err error) { return tag, r.Scan(&tag) })
}
