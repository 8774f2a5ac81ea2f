package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newContactsRemoveCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove [<e-mail>]",
		Short: "Remove a contact who opened no ticket",
		Long: `Remove a contact with memberships, sessions and links. Somebody who has opened
tickets stays; portalctl members disable keeps them out of the portal.`,
		Example: "  portalctl contacts remove ann@example.com --yes",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runContactsRemove(cmd.Context(), env, firstOf(args), yes)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func runContactsRemove(ctx context.Context, env *Env, address string, yes bool) error {
	if err := env.ask(ctx, &address, contactQuestion, contactPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		v, err := a.ShowContact(ctx, address)
		if err != nil {
			return err
		}
		if err := env.confirm(ctx, yes, fmt.Sprintf("Remove the contact %s?", v.Email)); err != nil {
			return err
		}
		if _, err := a.RemoveContact(ctx, v.Email); err != nil {
			return err
		}
		return env.outcome(contactColumns, contactRow(&v.ContactRow), "removed the contact %s", v.Email)
	})
}
