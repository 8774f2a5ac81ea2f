package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newTicketsExportCmd(env *Env) *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all tickets to a file that import reads back",
		Long: `Write all tickets with their conversations, internal messages included. In CSV
each message is a row, with the columns of its ticket repeated. Files are named,
but their bytes and the tickets' histories are not part of an export.
` + exportHelp,
		Example: `  portalctl tickets export --file tickets.csv
  portalctl tickets export --output json > tickets.json`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runExport(cmd.Context(), env, flags, "ticket", "tickets",
				func(ctx context.Context, a *app.App, w io.Writer, format app.ExportFormat) (int, error) {
					return a.ExportAllTickets(ctx, w, format)
				})
		},
	}
	flags.add(cmd)
	return cmd
}
