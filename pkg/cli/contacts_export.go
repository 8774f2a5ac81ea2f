package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newContactsExportCmd(env *Env) *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all contacts to a file that import reads back",
		Long:  "Write all contacts, with a column for each custom property.\n" + exportHelp,
		Example: `  portalctl contacts export --file contacts.csv
  portalctl contacts export --output json > contacts.json`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runExport(cmd.Context(), env, flags, "contact", "contacts",
				func(ctx context.Context, a *app.App, w io.Writer, format app.ExportFormat) (int, error) {
					return a.ExportContacts(ctx, w, format)
				})
		},
	}
	flags.add(cmd)
	return cmd
}
