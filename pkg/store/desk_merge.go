package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// MoveMessages moves a ticket's messages from one on (1: all of them) to
// another ticket, with their files, and with mail about them that waits. Their
// numbers stay, and with them their order among those already there. It
// updates LastPublic and FileCount of both tickets, which the caller saves;
// the search index lets find them who may see the other ticket.
func (tx *Tx) MoveMessages(ctx context.Context, from, to *portal.Ticket, first portal.MessageID) (moved int, err error) {
	n, err := tx.exec(ctx, `UPDATE message SET ticket = $2 WHERE ticket = $1 AND id >= $3`, from.Number, to.Number, first)
	if err != nil || n == 0 {
		return 0, err
	}
	for _, statement := range []string{
		`UPDATE file SET ticket = $2 WHERE ticket = $1 AND message_id >= $3`,
		`UPDATE outbox SET ticket = $2 WHERE ticket = $1 AND message_id >= $3 AND ` + unsent,
		`UPDATE incoming SET ticket = $2 WHERE ticket = $1 AND message_id >= $3`,
		`UPDATE mention SET ticket = $2 WHERE ticket = $1 AND message_id >= $3`,
	} {
		if err := tx.do(ctx, statement, from.Number, to.Number, first); err != nil {
			return 0, err
		}
	}
	for _, t := range []*portal.Ticket{from, to} {
		if err := tx.countMessages(ctx, t); err != nil {
			return 0, err
		}
	}
	return int(n), tx.reindex(ctx, to)
}

// countMessages works out what a ticket keeps of its public messages.
func (tx *Tx) countMessages(ctx context.Context, t *portal.Ticket) error {
	found, err := tx.one(ctx, `SELECT coalesce(max(m.id), 0),
			(SELECT count(*) FROM file f JOIN message p ON p.id = f.message_id WHERE f.ticket = $1 AND p.kind = 'public')
		FROM message m WHERE m.ticket = $1 AND m.kind = 'public'`, []any{t.Number},
		func(r row) error { return r.Scan(&t.LastPublic, &t.FileCount) })
	if !found {
		t.LastPublic, t.FileCount = 0, 0
	}
	return err
}

// CopyReadMarks gives everybody who has read part of a ticket the same mark on
// another, unless they have one there.
func (tx *Tx) CopyReadMarks(ctx context.Context, from, to portal.TicketNumber) error {
	return tx.do(ctx, `INSERT INTO read_mark (contact_id, ticket, message_id)
		SELECT contact_id, $2, message_id FROM read_mark WHERE ticket = $1 ON CONFLICT DO NOTHING`, from, to)
}

// LeadTo makes tickets that were merged into one lead to another, which that
// one was merged into.
func (tx *Tx) LeadTo(ctx context.Context, before, now portal.TicketNumber) error {
	return tx.do(ctx, `UPDATE ticket SET merged_into = $2 WHERE merged_into = $1`, before, now)
}

// MergedTicket is one that was merged into another.
type MergedTicket struct {
	Number  portal.TicketNumber
	Subject string
}

// Merged returns the tickets that were merged into one, as far as the viewer
// sees them.
func (tx *Tx) Merged(ctx context.Context, v *portal.Viewer, n portal.TicketNumber) ([]MergedTicket, error) {
	q := newQuery(`SELECT t.number, t.subject FROM ticket t WHERE `)
	q.add(`t.merged_into = ?`, n)
	q.seenBy(v, ScopeCompany)
	q.add(` ORDER BY t.number LIMIT 100`)
	return list(ctx, tx, q.text(), q.args, func(r row) (m MergedTicket, err error) { return m, r.Scan(&m.Number, &m.Subject) })
}

// MoveTags puts the tags of one ticket on another, too.
func (tx *Tx) MoveTags(ctx context.Context, from, to portal.TicketNumber) error {
	return tx.do(ctx, `INSERT INTO ticket_tag (ticket, tag) SELECT $2, tag FROM ticket_tag WHERE ticket = $1 ON CONFLICT DO NOTHING`, from, to)
}

// MoveLinks gives the links of one ticket to another that it was merged into.
func (tx *Tx) MoveLinks(ctx context.Context, from, to portal.TicketNumber) error {
	for _, statement := range []string{
		`INSERT INTO ticket_link (ticket, other, kind, at) SELECT $2, other, kind, at FROM ticket_link
			WHERE ticket = $1 AND other <> $2 ON CONFLICT DO NOTHING`,
		`INSERT INTO ticket_link (ticket, other, kind, at) SELECT ticket, $2, kind, at FROM ticket_link
			WHERE other = $1 AND ticket <> $2 ON CONFLICT DO NOTHING`,
	} {
		if err := tx.do(ctx, statement, from, to); err != nil {
			return err
		}
	}
	return tx.do(ctx, `DELETE FROM ticket_link WHERE ticket = $1 OR other = $1`, from)
}
