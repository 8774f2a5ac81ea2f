package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newCompaniesRemoveCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "remove [<name>]",
		Short:   "Remove a company; its contacts and tickets stay",
		Example: "  portalctl companies remove Acme --yes",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCompaniesRemove(cmd.Context(), env, firstOf(args), yes)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func runCompaniesRemove(ctx context.Context, env *Env, name string, yes bool) error {
	if err := env.ask(ctx, &name, companyQuestion, companyPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		v, err := a.ShowCompany(ctx, name)
		if err != nil {
			return err
		}
		question := fmt.Sprintf("Remove the company %q? %s and %s stay, without it.", v.Name,
			app.Counted(v.Contacts, "contact", "contacts"), app.Counted(v.Tickets, "ticket", "tickets"))
		if err := env.confirm(ctx, yes, question); err != nil {
			return err
		}
		c, err := a.RemoveCompany(ctx, v.Name)
		if err != nil {
			return err
		}
		return env.outcome(companyColumns, companyRow(c), "removed the company %q", c.Name)
	})
}
