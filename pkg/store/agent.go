package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

const agentColumns = `id, email, name, role, disabled, must_factor,
	EXISTS (SELECT 1 FROM second_factor f WHERE f.agent_id = agent.id), created_at`

func scanAgent(r row) (a portal.Agent, err error) {
	err = r.Scan(&a.ID, &a.Email, &a.Name, &a.Role, &a.Disabled, &a.MustFactor, &a.HasFactor, timeInto{&a.CreatedAt})
	return a, err
}

func noAgent() error { return portal.NotFoundf("agent.none", "there is no such agent") }

// Agents returns every agent, disabled ones included, by e-mail.
func (tx *Tx) Agents(ctx context.Context) ([]portal.Agent, error) {
	return list(ctx, tx, `SELECT `+agentColumns+` FROM agent ORDER BY email`, nil, scanAgent)
}

// Agent returns an agent; NotFound agent.none.
func (tx *Tx) Agent(ctx context.Context, id portal.AgentID) (*portal.Agent, error) {
	return find(ctx, tx, noAgent(), `SELECT `+agentColumns+` FROM agent WHERE id = $1`, []any{id}, scanAgent)
}

// AgentByEmail returns the agent with the address, in lower case; NotFound
// agent.none.
func (tx *Tx) AgentByEmail(ctx context.Context, email string) (*portal.Agent, error) {
	return find(ctx, tx, portal.NotFoundf("agent.none", "%s is not an agent", email).With("Email", email),
		`SELECT `+agentColumns+` FROM agent WHERE email = $1`, []any{email}, scanAgent)
}

// AddAgent writes a new agent and sets its ID and CreatedAt; Conflict
// agent.exists.
func (tx *Tx) AddAgent(ctx context.Context, a *portal.Agent) error {
	a.CreatedAt = tx.Now
	err := tx.value(ctx, &a.ID, `INSERT INTO agent (email, name, role, disabled, must_factor, created_at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
		a.Email, a.Name, a.Role, flag(a.Disabled), flag(a.MustFactor), stamp(tx.Now))
	return agentExists(err, a)
}

// SaveAgent writes a changed agent.
func (tx *Tx) SaveAgent(ctx context.Context, a *portal.Agent) error {
	n, err := tx.exec(ctx, `UPDATE agent SET email = $2, name = $3, role = $4, disabled = $5, must_factor = $6 WHERE id = $1`,
		a.ID, a.Email, a.Name, a.Role, flag(a.Disabled), flag(a.MustFactor))
	return oneChanged(n, agentExists(err, a), noAgent())
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
		OR EXISTS (SELECT 1 FROM message WHERE agent_id = $1) OR EXISTS (SELECT 1 FROM event WHERE agent_id = $1)`, id)
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
