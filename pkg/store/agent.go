package store

import (
	"cmp"
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// agentColumns end with the ids of the inboxes an agent is given, in one text.
const agentColumns = `a.id, a.email, a.name, a.role, a.disabled, a.must_factor, a.every_inbox, a.language, a.time_zone, a.notify, a.signature, a.away, a.no_shortcuts,
	EXISTS (SELECT 1 FROM second_factor f WHERE f.agent_id = a.id), a.created_at,
	(SELECT string_agg(CAST(ai.inbox_id AS TEXT), ',') FROM agent_inbox ai WHERE ai.agent_id = a.id)`

func agentInto(a *portal.Agent) []any {
	return []any{
		&a.ID, &a.Email, &a.Name, &a.Role, &a.Disabled, &a.MustFactor, &a.EveryInbox, &a.Language, &a.TimeZone, &a.Notify, &a.Signature, &a.Away, &a.NoShortcuts,
		&a.HasFactor,
		timeInto{&a.CreatedAt},
		idsInto[portal.InboxID]{&a.Inboxes},
	}
}

func scanAgent(r row) (a portal.Agent, err error) {
	err = r.Scan(agentInto(&a)...)
	return a, err
}

func noAgent() error { return portal.NotFoundf("agent.none", "there is no such agent") }

// Agents returns every agent, disabled ones included, by e-mail.
func (tx *Tx) Agents(ctx context.Context) ([]portal.Agent, error) {
	return list(ctx, tx, `SELECT `+agentColumns+` FROM agent a ORDER BY a.email`, nil, scanAgent)
}

// Agent returns an agent; NotFound agent.none.
func (tx *Tx) Agent(ctx context.Context, id portal.AgentID) (*portal.Agent, error) {
	return find(ctx, tx, noAgent(), `SELECT `+agentColumns+` FROM agent a WHERE a.id = $1`, []any{id}, scanAgent)
}

// AgentByEmail returns the agent with the address, in lower case; NotFound
// agent.none.
func (tx *Tx) AgentByEmail(ctx context.Context, email string) (*portal.Agent, error) {
	return find(ctx, tx, portal.NotFoundf("agent.none", "%s is not an agent", email).With("Email", email),
		`SELECT `+agentColumns+` FROM agent a WHERE a.email = $1`, []any{email}, scanAgent)
}

// AddAgent writes a new agent and sets its ID and CreatedAt; Conflict
// agent.exists.
func (tx *Tx) AddAgent(ctx context.Context, a *portal.Agent) error {
	a.CreatedAt, a.Notify = tx.Now, cmp.Or(a.Notify, portal.AgentNotifyMine)
	err := tx.value(ctx, &a.ID, `INSERT INTO agent (email, name, role, disabled, must_factor, every_inbox, language, time_zone, notify, signature, away, no_shortcuts, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`,
		a.Email, a.Name, a.Role, flag(a.Disabled), flag(a.MustFactor), flag(a.EveryInbox), a.Language, a.TimeZone, a.Notify, a.Signature,
		flag(a.Away), flag(a.NoShortcuts), stamp(tx.Now))
	if err != nil {
		return agentExists(err, a)
	}
	return tx.giveInboxes(ctx, a)
}

// giveInboxes writes which inboxes an agent is given.
func (tx *Tx) giveInboxes(ctx context.Context, a *portal.Agent) error {
	if err := tx.do(ctx, `DELETE FROM agent_inbox WHERE agent_id = $1`, a.ID); err != nil {
		return err
	}
	for _, id := range a.Inboxes {
		err := tx.do(ctx, `INSERT INTO agent_inbox (agent_id, inbox_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, a.ID, id)
		if isForeignKey(err) {
			return noInbox()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// SaveAgent writes a changed agent.
func (tx *Tx) SaveAgent(ctx context.Context, a *portal.Agent) error {
	n, err := tx.exec(ctx, `UPDATE agent SET email = $2, name = $3, role = $4, disabled = $5, must_factor = $6, every_inbox = $7, language = $8,
			time_zone = $9, notify = $10, signature = $11, away = $12, no_shortcuts = $13 WHERE id = $1`,
		a.ID, a.Email, a.Name, a.Role, flag(a.Disabled), flag(a.MustFactor), flag(a.EveryInbox), a.Language, a.TimeZone,
		cmp.Or(a.Notify, portal.AgentNotifyMine), a.Signature, flag(a.Away), flag(a.NoShortcuts))
	if err := oneChanged(n, agentExists(err, a), noAgent()); err != nil {
		return err
	}
	return tx.giveInboxes(ctx, a)
}

func agentExists(err error, a *portal.Agent) error {
	if isUnique(err) {
		return portal.Conflictf("agent.exists", "%s is an agent already", a.Email).With("Email", a.Email)
	}
	return err
}

// RemoveAgent removes an agent with their sessions and links; Conflict
// agent.in_use while a ticket is assigned to them or names them as author,
// whose name would be lost: disable them then.
func (tx *Tx) RemoveAgent(ctx context.Context, id portal.AgentID) error {
	used, err := tx.exists(ctx, `SELECT 1 WHERE EXISTS (SELECT 1 FROM ticket WHERE assignee_id = $1)
		OR EXISTS (SELECT 1 FROM message WHERE agent_id = $1) OR EXISTS (SELECT 1 FROM event WHERE agent_id = $1)
		OR EXISTS (SELECT 1 FROM pending_answer WHERE agent_id = $1)`, id)
	if err != nil {
		return err
	}
	if used {
		return portal.Conflictf("agent.in_use", "the agent has answered tickets, or has some assigned").
			WithHint("disable the agent instead; their name stays with what they wrote")
	}
	n, err := tx.exec(ctx, `DELETE FROM agent WHERE id = $1`, id)
	return oneChanged(n, err, noAgent())
}
