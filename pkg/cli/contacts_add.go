package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newContactsAddCmd(env *Env) *cobra.Command {
	var flags contactFlags
	cmd := &cobra.Command{
		Use:     "add [<e-mail>]",
		Short:   "Add a contact",
		Long:    "Add a contact. Rules of access groups may let them into a portal.\n" + graceHelp,
		Example: `  portalctl contacts add --email ann@example.com --name "Ann Lee" --company Acme --property plan=gold`,
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := flags.input(cmd)
			if err != nil {
				return err
			}
			email, err := argOrFlag(cmd, args, "email", flags.email)
			if err != nil {
				return err
			}
			in.Email = &email
			return runContactsAdd(cmd.Context(), env, in)
		},
	}
	flags.add(cmd)
	nowFlag(cmd, env)
	return cmd
}

func runContactsAdd(ctx context.Context, env *Env, in app.ContactInput) error {
	if err := env.ask(ctx, in.Email, "What is the contact's e-mail address?", "--email"); err != nil {
		return err
	}
	began := env.now()
	return env.withApp(ctx, func(a *app.App) error {
		c, added, err := a.AddContact(ctx, in)
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
		if !added {
			return env.outcome(contactColumns, contactRow(&v.ContactRow), "unchanged: %s is a contact already", c.Email)
		}
		return env.outcome(contactColumns, contactRow(&v.ContactRow), "added the contact %s", c.Email)
	})
}
