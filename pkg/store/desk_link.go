package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Links returns the tickets one has to do with, as far as the viewer sees
// them, by number.
func (tx *Tx) Links(ctx context.Context, v *portal.Viewer, n portal.TicketNumber) ([]portal.Link, error) {
	q := newQuery(`SELECT l.kind, t.number, t.subject, t.status FROM ticket_link l JOIN ticket t ON t.number = l.other WHERE l.ticket = `)
	q.add(`?`, n)
	q.seenBy(v, ScopeCompany)
	q.add(` ORDER BY t.number`)
	return list(ctx, tx, q.text(), q.args, func(r row) (l portal.Link, err error) {
		return l, r.Scan(&l.Kind, &l.Other, &l.Subject, &l.Status)
	})
}

// LinkBetween returns what one ticket is to another; "" when they have no
// link.
func (tx *Tx) LinkBetween(ctx context.Context, n, other portal.TicketNumber) (kind portal.LinkKind, err error) {
	err = tx.value(ctx, &kind, `SELECT coalesce((SELECT kind FROM ticket_link WHERE ticket = $1 AND other = $2), '')`, n, other)
	return kind, err
}

// SetLink links two tickets, from both sides, instead of the link they have.
func (tx *Tx) SetLink(ctx context.Context, n, other portal.TicketNumber, kind portal.LinkKind) error {
	const set = `INSERT INTO ticket_link (ticket, other, kind, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (ticket, other) DO UPDATE SET kind = excluded.kind, at = excluded.at`
	if err := tx.do(ctx, set, n, other, kind, stamp(tx.Now)); err != nil {
		return err
	}
	return tx.do(ctx, set, other, n, kind.Inverse(), stamp(tx.Now))
}

// RemoveLink removes the link between two tickets and reports whether there
// was one.
func (tx *Tx) RemoveLink(ctx context.Context, n, other portal.TicketNumber) (bool, error) {
	changed, err := tx.exec(ctx, `DELETE FROM ticket_link WHERE ticket = $1 AND other = $2 OR ticket = $2 AND other = $1`, n, other)
	return changed > 0, err
}

// CountLinks counts the tickets one has to do with.
func (tx *Tx) CountLinks(ctx context.Context, n portal.TicketNumber) (count int, err error) {
	err = tx.value(ctx, &count, `SELECT count(*) FROM ticket_link WHERE ticket = $1`, n)
	return count, err
}
