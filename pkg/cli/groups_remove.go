package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newGroupsRemoveCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "remove [<name>]",
		Short:   "Remove an access group that no portal uses",
		Long:    "Remove an access group. Its contacts stay. A group that lets people into a\nportal has to be taken out of the portal's access first.",
		Example: "  portalctl groups remove customers --yes",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGroupsRemove(cmd.Context(), env, firstOf(args), yes)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func runGroupsRemove(ctx context.Context, env *Env, name string, yes bool) error {
	if err := env.ask(ctx, &name, groupQuestion, groupPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		g, err := a.ShowGroup(ctx, name)
		if err != nil {
			return err
		}
		question := fmt.Sprintf("Remove the access group %q with %s?", g.Name, app.Counted(g.Members, "contact", "contacts"))
		if err := env.confirm(ctx, yes, question); err != nil {
			return err
		}
		if _, err := a.RemoveGroup(ctx, g.Name); err != nil {
			return err
		}
		return env.outcome(groupColumns, groupRow(g), "removed the access group %q", g.Name)
	})
}
