package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// AddMention notes that a message names an agent.
func (tx *Tx) AddMention(ctx context.Context, agent portal.AgentID, m *portal.Message) error {
	return tx.do(ctx, `INSERT INTO mention (agent_id, message_id, ticket, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		agent, m.ID, m.Ticket, stamp(m.At))
}

// SeeMentions notes that an agent has seen what a ticket says to them.
func (tx *Tx) SeeMentions(ctx context.Context, agent portal.AgentID, n portal.TicketNumber) error {
	return tx.do(ctx, `UPDATE mention SET seen_at = $3 WHERE agent_id = $1 AND ticket = $2 AND seen_at IS NULL`, agent, n, stamp(tx.Now))
}

// Mention is a message that names an agent.
type Mention struct {
	Message portal.MessageID
	Unseen  bool
}

// MentionsIn returns the messages of a ticket that name an agent.
func (tx *Tx) MentionsIn(ctx context.Context, agent portal.AgentID, n portal.TicketNumber) ([]Mention, error) {
	return list(ctx, tx, `SELECT message_id, seen_at IS NULL FROM mention WHERE ticket = $1 AND agent_id = $2 ORDER BY message_id`, []any{n, agent},
		func(r row) (m Mention, err error) { return m, r.Scan(&m.Message, &m.Unseen) })
}
