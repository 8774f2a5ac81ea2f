package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newMembersInviteCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "invite [<e-mail>...]",
		Short: "Invite contacts, or send an invitation again",
		Long: `Make contacts members of the portal and mail them an invitation. Somebody who
was invited before gets a new one, and the old one ends; somebody who was
disabled may come back. A portal on the system domain mails no invitations to
access groups; there, hand over what portalctl members link prints.`,
		Example: "  portalctl members invite ann@example.com",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMembersInvite(cmd.Context(), env, args)
		},
	}
}

func runMembersInvite(ctx context.Context, env *Env, addresses []string) error {
	addresses, err := env.askAll(ctx, addresses, memberQuestion, memberPass)
	if err != nil {
		return err
	}
	return changeMembers(ctx, env, addresses, "invited", func(a *app.App, p *portal.Portal) ([]app.MemberChange, error) {
		return a.InviteMembers(ctx, p, addresses)
	})
}
