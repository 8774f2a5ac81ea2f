package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newGroupsShowCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "show [<name>]",
		Short:   "Show an access group",
		Example: "  portalctl groups show customers",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGroupsShow(cmd.Context(), env, firstOf(args))
		},
	}
}

const groupQuestion, groupPass = "Which access group?", "the group's name as an argument"

func runGroupsShow(ctx context.Context, env *Env, name string) error {
	if err := env.ask(ctx, &name, groupQuestion, groupPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		g, err := a.ShowGroup(ctx, name)
		if err != nil {
			return err
		}
		return env.Printer().Object(groupColumns, groupRow(g))
	})
}
