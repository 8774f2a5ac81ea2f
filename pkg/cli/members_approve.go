package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newMembersApproveCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "approve [<e-mail>...]",
		Short:   "Let in contacts who registered and await approval",
		Long:    `Let in contacts who registered and await approval. Each is told by mail.`,
		Example: "  portalctl members approve ann@example.com",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMembersApprove(cmd.Context(), env, args)
		},
	}
}

func runMembersApprove(ctx context.Context, env *Env, addresses []string) error {
	addresses, err := env.askAll(ctx, addresses, memberQuestion, memberPass)
	if err != nil {
		return err
	}
	return changeMembers(ctx, env, addresses, "approved", func(a *app.App, p *portal.Portal) ([]app.MemberChange, error) {
		return a.ApproveMembers(ctx, p, addresses)
	})
}
