package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newCompaniesSetCmd(env *Env) *cobra.Command {
	var flags companyFlags
	cmd := &cobra.Command{
		Use:     "set [<name>]",
		Short:   "Change a company",
		Long:    "Change a company. What is not named stays as it is; empty text removes.",
		Example: "  portalctl companies set Acme --domain acme.example --property tier=1",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := anyGiven(cmd); err != nil {
				return err
			}
			in, err := flags.input(cmd)
			if err != nil {
				return err
			}
			return runCompaniesSet(cmd.Context(), env, firstOf(args), in)
		},
	}
	flags.add(cmd)
	return cmd
}

func runCompaniesSet(ctx context.Context, env *Env, name string, in app.CompanyInput) error {
	if err := env.ask(ctx, &name, companyQuestion, companyPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		c, changes, err := a.SetCompany(ctx, name, in)
		if err != nil {
			return err
		}
		return env.changed(companyColumns, companyRow(c), changes)
	})
}
