package cli

import (
	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newAgentsCmd(env *Env) *cobra.Command {
	cmd := noun("agents", "Agents: the people who answer tickets",
		`  portalctl agents add --email sam@example.com --name "Sam Field"
  portalctl agents link sam@example.com`,
		newAgentsAddCmd(env),
		newAgentsListCmd(env),
		newAgentsSetCmd(env),
		newAgentsLinkCmd(env),
		newAgentsResetFactorCmd(env),
		newAgentsRemoveCmd(env),
	)
	cmd.Aliases = []string{"agent"}
	return cmd
}

const agentQuestion, agentPass = "Which agent? E-mail address:", "the agent's e-mail address as an argument"

var agentColumns = []output.Column{
	{Name: "email", Head: "E-mail", Keep: true},
	{Name: "name", Head: "Name"},
	{Name: "role", Head: "Role"},
	{Name: "disabled", Head: "Disabled"},
	{Name: "second_factor", Head: "Second factor"},
	{Name: "authenticator", Head: "App set up"},
	{Name: "created_at", Head: "Added", Spare: true},
}

func agentRow(a *portal.Agent) []any {
	return []any{a.Email, a.Name, string(a.Role), a.Disabled, string(app.FactorOf(a)), a.HasFactor, a.CreatedAt}
}
