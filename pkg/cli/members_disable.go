package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newMembersDisableCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "disable [<e-mail>...]",
		Short: "Keep members out at once",
		Long: `Keep members out. Their sessions, links and invitations in this portal end at
once. portalctl members invite lets them back in.`,
		Example: "  portalctl members disable ann@example.com",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMembersDisable(cmd.Context(), env, args)
		},
	}
}

func runMembersDisable(ctx context.Context, env *Env, addresses []string) error {
	addresses, err := env.askAll(ctx, addresses, memberQuestion, memberPass)
	if err != nil {
		return err
	}
	return changeMembers(ctx, env, addresses, "disabled", func(a *app.App, p *portal.Portal) ([]app.MemberChange, error) {
		return a.DisableMembers(ctx, p, addresses)
	})
}
