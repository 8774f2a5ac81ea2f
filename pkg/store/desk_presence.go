package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// KeepPresence notes that an agent has a ticket's page open; changed reports
// whether others would notice a difference.
func (tx *Tx) KeepPresence(ctx context.Context, agent portal.AgentID, n portal.TicketNumber, mode portal.DeskMode) (changed bool, err error) {
	same, err := tx.exists(ctx, `SELECT 1 FROM presence WHERE ticket = $1 AND agent_id = $2 AND mode = $3 AND seen_at > $4`,
		n, agent, mode, stamp(tx.Now.Add(-portal.PresentFor)))
	if err != nil {
		return false, err
	}
	return !same, tx.do(ctx, `INSERT INTO presence (ticket, agent_id, mode, seen_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (ticket, agent_id) DO UPDATE SET mode = excluded.mode, seen_at = excluded.seen_at`, n, agent, mode, stamp(tx.Now))
}

// EndPresence notes that an agent has left a ticket's page; changed reports
// whether they counted as there.
func (tx *Tx) EndPresence(ctx context.Context, agent portal.AgentID, n portal.TicketNumber) (changed bool, err error) {
	gone, err := tx.exec(ctx, `DELETE FROM presence WHERE ticket = $1 AND agent_id = $2`, n, agent)
	return gone > 0, err
}

// Present returns the other agents who have a ticket's page open, those who
// write first.
func (tx *Tx) Present(ctx context.Context, n portal.TicketNumber, but portal.AgentID) ([]portal.Presence, error) {
	return list(ctx, tx, `SELECT p.agent_id, a.name, p.mode, p.seen_at FROM presence p JOIN agent a ON a.id = p.agent_id
		WHERE p.ticket = $1 AND p.agent_id <> $2 AND p.seen_at > $3 AND p.seen_at <= $4 AND a.disabled = 0 ORDER BY p.mode, a.name, a.id`,
		[]any{n, but, stamp(tx.Now.Add(-portal.PresentFor)), stamp(tx.Now.Add(portal.PresentFor))}, func(r row) (p portal.Presence, err error) {
			err = r.Scan(&p.Agent, &p.Name, &p.Mode, timeInto{&p.SeenAt})
			return p, err
		})
}
