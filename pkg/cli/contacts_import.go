package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/transfer"
)

func newContactsImportCmd(env *Env) *cobra.Command {
	var flags importFlags
	cmd := &cobra.Command{
		Use:   "import [<file>]",
		Short: "Take contacts from a CSV file: our own or HubSpot's",
		Long: `Take contacts from what portalctl contacts export wrote, from HubSpot's export
of contacts as it comes, or from any CSV file with a column "email".

A contact is known by the id in the other system (Record ID, external_id), else
by e-mail address. Columns that have no place of their own become custom
properties. Companies that a row names are created where they are missing; a
row that lists all companies of a contact takes the others away. HubSpot's
"Company name", which contacts type into forms themselves, ties nobody to a
company: export its column "Associated Company" as well.

Rules of access groups may let contacts into a portal.
` + graceHelp + `
` + importHelp,
		Example: `  portalctl contacts import contacts.csv --dry-run
  portalctl contacts import hubspot-crm-exports-all-contacts.csv --time-zone Europe/Stockholm
  ssh crm cat contacts.csv | portalctl contacts import -`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				flags.file = args[0]
			}
			return runContactsImport(cmd.Context(), env, flags)
		},
	}
	flags.add(cmd)
	nowFlag(cmd, env)
	return cmd
}

func runContactsImport(ctx context.Context, env *Env, flags importFlags) error {
	return runImport(ctx, env, flags, app.ImportOptions{},
		func(ctx context.Context, a *app.App, src transfer.Source, size int64, o app.ImportOptions) (*app.ImportResult, error) {
			return a.ImportContacts(ctx, src, size, o)
		})
}
