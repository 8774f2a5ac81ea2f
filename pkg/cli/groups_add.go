package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newGroupsAddCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "add [<name>]",
		Short:   "Add an access group",
		Example: "  portalctl groups add customers",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGroupsAdd(cmd.Context(), env, firstOf(args))
		},
	}
}

// firstOf is the first argument, or "".
func firstOf(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func runGroupsAdd(ctx context.Context, env *Env, name string) error {
	if err := env.ask(ctx, &name, "What is the group called?", "the group's name as an argument"); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		g, added, err := a.AddGroup(ctx, name)
		if err != nil {
			return err
		}
		view, err := a.ShowGroup(ctx, g.Name)
		if err != nil {
			return err
		}
		if !added {
			return env.outcome(groupColumns, groupRow(view), "unchanged: there is an access group %q already", g.Name)
		}
		return env.outcome(groupColumns, groupRow(view), "added the access group %q; add contacts with portalctl groups members", g.Name)
	})
}
