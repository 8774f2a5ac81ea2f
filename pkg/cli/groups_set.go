package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newGroupsSetCmd(env *Env) *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:     "set [<name>]",
		Short:   "Rename an access group",
		Example: "  portalctl groups set customers --name clients",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGroupsSet(cmd.Context(), env, firstOf(args), to)
		},
	}
	cmd.Flags().StringVar(&to, "name", "", "the group's new name")
	return cmd
}

func runGroupsSet(ctx context.Context, env *Env, name, to string) error {
	if err := env.ask(ctx, &name, groupQuestion, groupPass); err != nil {
		return err
	}
	if err := env.ask(ctx, &to, "What is its new name?", "--name"); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		g, changes, err := a.RenameGroup(ctx, name, to)
		if err != nil {
			return err
		}
		view, err := a.ShowGroup(ctx, g.Name)
		if err != nil {
			return err
		}
		return env.changed(groupColumns, groupRow(view), changes)
	})
}
