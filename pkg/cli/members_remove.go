package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newMembersRemoveCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove [<e-mail>...]",
		Short: "Forget memberships; contacts and tickets stay",
		Long: `Forget that contacts are members of the portal and sign them out. Contacts and
tickets stay. Somebody whom an access group lets in has to leave the group
first; portalctl members disable keeps them out all the same.`,
		Example: "  portalctl members remove ann@example.com --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMembersRemove(cmd.Context(), env, args, yes)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func runMembersRemove(ctx context.Context, env *Env, addresses []string, yes bool) error {
	addresses, err := env.askAll(ctx, addresses, memberQuestion, memberPass)
	if err != nil {
		return err
	}
	if err := env.confirm(ctx, yes, fmt.Sprintf("Remove the membership of %s?", named(addresses))); err != nil {
		return err
	}
	return changeMembers(ctx, env, addresses, "removed", func(a *app.App, p *portal.Portal) ([]app.MemberChange, error) {
		return a.RemoveMembers(ctx, p, addresses)
	})
}
