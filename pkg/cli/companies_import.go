package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/transfer"
)

func newCompaniesImportCmd(env *Env) *cobra.Command {
	var flags importFlags
	cmd := &cobra.Command{
		Use:   "import [<file>]",
		Short: "Take companies from a CSV file: our own or HubSpot's",
		Long: `Take companies from what portalctl companies export wrote, from HubSpot's
export of companies as it comes, or from any CSV file with a column "name".

A company is known by the id in the other system (Record ID, external_id), else
by its domain, else by its name; two that have different ids stay two, whatever
they are called. Columns that have no place of their own become custom
properties.
` + importHelp,
		Example: `  portalctl companies import companies.csv --dry-run
  portalctl companies import hubspot-crm-exports-all-companies.csv`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				flags.file = args[0]
			}
			return runCompaniesImport(cmd.Context(), env, flags)
		},
	}
	flags.add(cmd)
	return cmd
}

func runCompaniesImport(ctx context.Context, env *Env, flags importFlags) error {
	return runImport(ctx, env, flags, app.ImportOptions{},
		func(ctx context.Context, a *app.App, src transfer.Source, size int64, o app.ImportOptions) (*app.ImportResult, error) {
			return a.ImportCompanies(ctx, src, size, o)
		})
}
