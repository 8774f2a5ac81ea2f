package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newGroupsListCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List access groups",
		Example: "  portalctl groups list",
		Args:    upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runGroupsList(cmd.Context(), env)
		},
	}
}

func runGroupsList(ctx context.Context, env *Env) error {
	return env.withApp(ctx, func(a *app.App) error {
		list, err := a.Groups(ctx)
		if err != nil {
			return err
		}
		rows := make([][]any, len(list))
		for i := range list {
			rows[i] = groupRow(&list[i])
		}
		return env.Printer().List(groupColumns, rows, "no access groups yet; add one with portalctl groups add")
	})
}
