package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newMembersRefuseCmd(env *Env) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "refuse [<e-mail>...]",
		Short: "Refuse contacts who registered and await approval",
		Long: `Refuse contacts who registered and await approval. Each is told by mail in their
language, with the --reason word for word where one is given, and is disabled.
They can ask again after 30 days; before that, asking looks the same to them and
nothing comes of it. portalctl members approve lets them in after all.`,
		Example: `  portalctl members refuse eve@example.com --reason "We know no customer of that name."`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMembersRefuse(cmd.Context(), env, args, reason)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, in words for the person who asked; may be left out")
	return cmd
}

func runMembersRefuse(ctx context.Context, env *Env, addresses []string, reason string) error {
	addresses, err := env.askAll(ctx, addresses, memberQuestion, memberPass)
	if err != nil {
		return err
	}
	return changeMembers(ctx, env, addresses, "refused", func(a *app.App, p *portal.Portal) ([]app.MemberChange, error) {
		return a.RefuseMembers(ctx, p, addresses, reason)
	})
}
