package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newPortalRemoveCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove <portal>",
		Short: "Remove a portal and its members; contacts and tickets stay",
		Long: `Remove a portal with its members, sessions and settings. Contacts, companies and
tickets stay in the store and show in other portals. To close the door for a
while only, use "portalctl portal set --state paused".`,
		Example: "  portalctl portal remove help\n  portalctl portal remove help --yes",
		Args:    oneArg("the portal's slug or name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPortalRemove(cmd.Context(), env, args[0], yes)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func runPortalRemove(ctx context.Context, env *Env, name string, yes bool) error {
	return env.withApp(ctx, func(a *app.App) error {
		p, err := a.PortalNamed(ctx, name)
		if err != nil {
			return err
		}
		if err := env.confirm(ctx, yes, fmt.Sprintf("Remove the portal %q with its members?", p.Name)); err != nil {
			return err
		}
		if err := a.RemovePortal(ctx, p.ID); err != nil {
			return err
		}
		env.say("removed the portal %q", p.Name)
		return nil
	})
}
