package cli

import (
	"slices"
	"strings"

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
		newAgentsShowCmd(env),
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
	{Name: "inboxes", Head: "Inboxes", Spare: true},
	{Name: "language", Head: "Language", Spare: true},
	{Name: "time_zone", Head: "Time zone", Spare: true},
	{Name: "notify", Head: "Mail", Spare: true},
	{Name: "away", Head: "Away", Spare: true},
}

// agentRow is an agent's line. names are the inboxes by their numbers.
func agentRow(a *portal.Agent, names map[portal.InboxID]string) []any {
	inboxes := []string{}
	for _, id := range a.Inboxes {
		inboxes = append(inboxes, names[id])
	}
	slices.Sort(inboxes)
	if a.EveryInbox {
		inboxes = []string{app.EveryInbox}
	}
	return []any{
		a.Email, a.Name, string(a.Role), a.Disabled, string(app.FactorOf(a)), a.HasFactor, a.CreatedAt,
		strings.Join(inboxes, ", "), a.Language, a.TimeZone, string(a.Notify), a.Away,
	}
}
