package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newCompaniesAddCmd(env *Env) *cobra.Command {
	var flags companyFlags
	cmd := &cobra.Command{
		Use:     "add [<name>]",
		Short:   "Add a company",
		Long:    "Add a company.\n\n" + companyRuleHelp,
		Example: "  portalctl companies add --name Acme --domain acme.example",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := flags.input(cmd)
			if err != nil {
				return err
			}
			name, err := argOrFlag(cmd, args, "name", flags.name)
			if err != nil {
				return err
			}
			in.Name = &name
			return runCompaniesAdd(cmd.Context(), env, in)
		},
	}
	flags.add(cmd)
	return cmd
}

func runCompaniesAdd(ctx context.Context, env *Env, in app.CompanyInput) error {
	if err := env.ask(ctx, in.Name, "What is the company called?", "--name"); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		c, added, match, err := a.AddCompany(ctx, in)
		if err != nil {
			return err
		}
		if !added {
			return env.outcome(companyColumns, companyRow(c), "unchanged: there is a company %q already", c.Name)
		}
		if err := env.outcome(companyColumns, companyRow(c), "added the company %q", c.Name); err != nil {
			return err
		}
		sayDomainMatch(env, c, match)
		return nil
	})
}
