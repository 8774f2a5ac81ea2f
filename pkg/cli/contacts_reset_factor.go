package cli

import (
	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newContactsResetFactorCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "reset-factor [<e-mail>]",
		Short: "Remove the second factor of a contact who has lost it",
		Long: `Remove a contact's authenticator app and recovery codes, for who has lost both;
they count in every portal. Make sure first that it is them who ask. Their
sessions and sign-in links end, they are told by mail, and the audit log keeps
who did it. Where a second factor is demanded they set up a new one when they
sign in next.`,
		Example: "  portalctl contacts reset-factor ann@example.com",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runResetFactor(cmd.Context(), env, firstOf(args), yes, contactQuestion, contactPass, (*app.App).ResetContactFactor)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}
