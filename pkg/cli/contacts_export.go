package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newContactsExportCmd(env *Env) *cobra.Command {
	var flags exportFlags
	var person takeOutOptions
	cmd := &cobra.Command{
		Use:   "export [<e-mail> --all-data]",
		Short: "Write all contacts to a file, or all data of one",
		Long: `Write all contacts, with a column for each custom property.
` + exportHelp + `

With an address and --all-data: everything the store holds about one person, as
the law of many countries lets them ask for (GDPR, articles 15 and 20). The zip
has data.json for programs, index.html to read, which opens without a network,
and the files of the person's conversations. Of tickets they take part in it
has what they may see: no internal notes and nobody else's address.`,
		Example: `  portalctl contacts export --file contacts.csv
  portalctl contacts export --output json > contacts.json
  portalctl contacts export ann@example.com --all-data --file ann.zip`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			person.email, person.file = firstOf(args), flags.file
			if err := person.check(); err != nil {
				return err
			}
			if person.allData {
				return runContactsTakeOut(cmd.Context(), env, person)
			}
			return runExport(cmd.Context(), env, flags, "contact", "contacts",
				func(ctx context.Context, a *app.App, w io.Writer, format app.ExportFormat) (int, error) {
					return a.ExportContacts(ctx, w, format)
				})
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&person.allData, "all-data", false, "everything about one person, as a zip file")
	return cmd
}
