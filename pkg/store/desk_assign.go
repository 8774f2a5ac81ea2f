package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// inTurn is the condition of agents whom a rule may give tickets of an inbox,
// the one with the number $1.
const inTurn = `a.disabled = 0 AND a.away = 0 AND (a.role = 'admin' OR a.every_inbox = 1
	OR EXISTS (SELECT 1 FROM agent_inbox ai WHERE ai.agent_id = a.id AND ai.inbox_id = $1))`

// Next order: whose turn was longest ago, and who never had one first.
const longestAgo = `coalesce(a.dealt_at, 0), a.id`

// NextAgent returns the agent of an inbox whom a rule gives the next ticket;
// nil when there is none at work. Call it in the transaction that writes the
// ticket and Deal.
func (tx *Tx) NextAgent(ctx context.Context, inbox portal.InboxID, rule portal.AssignRule) (*portal.Agent, error) {
	order := longestAgo
	if rule == portal.AssignLeastOpen {
		order = `(SELECT count(*) FROM ticket t WHERE t.assignee_id = a.id AND t.status <> 'closed'), ` + longestAgo
	}
	return tx.agentOrNone(ctx, `WHERE `+inTurn+` ORDER BY `+order+` LIMIT 1`, inbox)
}

// AgentInTurn returns the agent if a rule may give them tickets of the inbox,
// else nil.
func (tx *Tx) AgentInTurn(ctx context.Context, inbox portal.InboxID, id portal.AgentID) (*portal.Agent, error) {
	return tx.agentOrNone(ctx, `WHERE `+inTurn+` AND a.id = $2`, inbox, id)
}

func (tx *Tx) agentOrNone(ctx context.Context, where string, args ...any) (*portal.Agent, error) {
	found, err := list(ctx, tx, `SELECT `+agentColumns+` FROM agent a `+where, args, scanAgent)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// Deal notes that a rule gave an agent a ticket: everybody else comes before
// them now, however many are given in one moment.
func (tx *Tx) Deal(ctx context.Context, id portal.AgentID) error {
	return tx.do(ctx, `UPDATE agent SET dealt_at = max($2, (SELECT coalesce(max(dealt_at), 0) + 1 FROM agent)) WHERE id = $1`, id, stamp(tx.Now))
}

// AgentsOfInbox returns the agents who may see an inbox's tickets and are not
// disabled, by name.
func (tx *Tx) AgentsOfInbox(ctx context.Context, inbox portal.InboxID) ([]portal.Agent, error) {
	return list(ctx, tx, `SELECT `+agentColumns+` FROM agent a WHERE a.disabled = 0 AND (a.role = 'admin' OR a.every_inbox = 1
		OR EXISTS (SELECT 1 FROM agent_inbox ai WHERE ai.agent_id = a.id AND ai.inbox_id = $1)) ORDER BY lower(a.name), a.email`,
		[]any{inbox}, scanAgent)
}
