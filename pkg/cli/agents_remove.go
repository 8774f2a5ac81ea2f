package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newAgentsRemoveCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove [<e-mail>]",
		Short: "Remove an agent who wrote nothing",
		Long: `Remove an agent who wrote no message and has no ticket. Others can be kept out
with portalctl agents set --disable.`,
		Example: "  portalctl agents remove sam@example.com --yes",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAgentsRemove(cmd.Context(), env, firstOf(args), yes)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func runAgentsRemove(ctx context.Context, env *Env, address string, yes bool) error {
	if err := env.ask(ctx, &address, agentQuestion, agentPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		agent, err := a.Agent(ctx, address)
		if err != nil {
			return err
		}
		if err := env.confirm(ctx, yes, fmt.Sprintf("Remove the agent %s <%s>?", agent.Name, agent.Email)); err != nil {
			return err
		}
		if _, err := a.RemoveAgent(ctx, agent.Email); err != nil {
			return err
		}
		names, err := inboxNames(ctx, a)
		if err != nil {
			return err
		}
		return env.outcome(agentColumns, agentRow(agent, names), "removed the agent %s <%s>", agent.Name, agent.Email)
	})
}
