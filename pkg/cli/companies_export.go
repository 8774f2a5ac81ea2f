package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newCompaniesExportCmd(env *Env) *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all companies to a file that import reads back",
		Long:  "Write all companies, with a column for each custom property.\n" + exportHelp,
		Example: `  portalctl companies export --file companies.csv
  portalctl companies export --output json > companies.json`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runExport(cmd.Context(), env, flags, "company", "companies",
				func(ctx context.Context, a *app.App, w io.Writer, format app.ExportFormat) (int, error) {
					return a.ExportCompanies(ctx, w, format)
				})
		},
	}
	flags.add(cmd)
	return cmd
}
