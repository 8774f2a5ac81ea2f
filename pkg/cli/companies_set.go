package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newCompaniesSetCmd(env *Env) *cobra.Command {
	var flags companyFlags
	var attach bool
	cmd := &cobra.Command{
		Use:   "set [<name>]",
		Short: "Change a company",
		Long: `Change a company. What is not named stays as it is; empty text removes.

` + companyRuleHelp + `
With --attach-existing those at the domain belong to the company at once,
whether or not they have ever proven their address.`,
		Example: `  portalctl companies set Acme --domain acme.example --property tier=1
  portalctl companies set Acme --attach-existing`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := anyGiven(cmd); err != nil {
				return err
			}
			in, err := flags.input(cmd)
			if err != nil {
				return err
			}
			in.AttachExisting = attach
			return runCompaniesSet(cmd.Context(), env, firstOf(args), in)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&attach, "attach-existing", false, "make contacts with an address at the company's domain belong to it")
	return cmd
}

func runCompaniesSet(ctx context.Context, env *Env, name string, in app.CompanyInput) error {
	if err := env.ask(ctx, &name, companyQuestion, companyPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		c, changes, match, err := a.SetCompany(ctx, name, in)
		if err != nil {
			return err
		}
		if len(changes) > 0 || match.Attached == 0 {
			env.sayChanges(changes)
		}
		if in.Domain != nil || in.AttachExisting {
			sayDomainMatch(env, c, match)
		}
		if env.Config.Output == output.Table {
			return nil
		}
		return env.Printer().Object(companyColumns, companyRow(c))
	})
}

// sayDomainMatch tells of contacts with an address at the company's domain.
func sayDomainMatch(env *Env, c *portal.Company, m app.DomainMatch) {
	if m.Attached > 0 {
		env.say("%s an address at %s and now %s to %q", app.Counted(m.Attached, "contact has", "contacts have"),
			app.DisplayHost(m.Domain), counts(m.Attached, "belongs", "belong"), c.Name)
	}
	if m.Left > 0 {
		env.say("%s an address at %s and %s not belong to %q; make them: portalctl companies set %s --attach-existing",
			app.Counted(m.Left, "contact has", "contacts have"), app.DisplayHost(m.Domain), counts(m.Left, "does", "do"), c.Name, shellWord(c.Name))
	}
}

// counts is the word that goes with a number.
func counts(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
