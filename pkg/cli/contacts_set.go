package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newContactsSetCmd(env *Env) *cobra.Command {
	var flags contactFlags
	cmd := &cobra.Command{
		Use:   "set [<e-mail>]",
		Short: "Change a contact",
		Long: `Change a contact. What is not named stays as it is; empty text removes.
--company names all of the contact's companies anew. A new address signs the
contact out everywhere.

Rules of access groups may let the contact into a portal.
` + graceHelp,
		Example: `  portalctl contacts set ann@example.com --name "Ann Lee" --property plan=gold
  portalctl contacts set ann@example.com --company Acme --company Globex --primary-company Globex`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := anyGiven(cmd); err != nil {
				return err
			}
			in, err := flags.input(cmd)
			if err != nil {
				return err
			}
			return runContactsSet(cmd.Context(), env, firstOf(args), in)
		},
	}
	flags.add(cmd)
	nowFlag(cmd, env)
	return cmd
}

func runContactsSet(ctx context.Context, env *Env, address string, in app.ContactInput) error {
	if err := env.ask(ctx, &address, contactQuestion, contactPass); err != nil {
		return err
	}
	began := env.now()
	return env.withApp(ctx, func(a *app.App) error {
		c, changes, err := a.SetContact(ctx, address, in)
		if err != nil {
			return err
		}
		if err := env.sayWaiting(ctx, a, began); err != nil {
			return err
		}
		v, err := a.ShowContact(ctx, c.Email)
		if err != nil {
			return err
		}
		return env.changed(contactColumns, contactRow(&v.ContactRow), changes)
	})
}
