package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newAgentsListCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List agents",
		Example: "  portalctl agents list",
		Args:    upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runAgentsList(cmd.Context(), env)
		},
	}
}

func runAgentsList(ctx context.Context, env *Env) error {
	return env.withApp(ctx, func(a *app.App) error {
		list, err := a.Agents(ctx)
		if err != nil {
			return err
		}
		names, err := inboxNames(ctx, a)
		if err != nil {
			return err
		}
		rows := make([][]any, len(list))
		for i := range list {
			rows[i] = agentRow(&list[i], names)
		}
		return env.Printer().List(agentColumns, rows, "no agents yet; add one with portalctl agents add")
	})
}
