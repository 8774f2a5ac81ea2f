package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/transfer"
)

type ticketsImportOptions struct {
	importFlags
	statuses     []string
	descriptions string
}

func newTicketsImportCmd(env *Env) *cobra.Command {
	var opts ticketsImportOptions
	cmd := &cobra.Command{
		Use:   "import [<file>]",
		Short: "Take tickets from a CSV file: our own or HubSpot's",
		Long: `Take tickets from what portalctl tickets export wrote, from HubSpot's export of
tickets as it comes, or from any CSV file with a column "subject".

A ticket is known by the id in the other system (Ticket ID, external_id), else
by our own number, which is kept where it is free. A ticket that is here already
changes only when the file knows of a later change, so that an old file undoes
nothing. Nobody is mailed, and what was said before counts as read.

Import contacts and companies first. A requester who is missing is created from
the e-mail address in the file; without one the row is rejected. HubSpot's first
associated contact is the requester, the others are participants.

HubSpot's description becomes the first message. Customers see it when Source
says that they wrote it (Email, Form, Chat); otherwise it becomes an internal
note, unless --descriptions public says that all of them may be seen.

Rows that follow each other and name the same ticket are its messages, in the
columns message_at, message_kind (public or internal), message_by (contact,
agent or empty), message_author (an address), message_author_name,
message_format (text, markdown or html) and message_body. message_files names
files, whose bytes CSV cannot hold: they are not imported.
` + importHelp,
		Example: `  portalctl tickets import tickets.csv --dry-run
  portalctl tickets import hubspot-crm-exports-all-tickets.csv --map-status "In progress=waiting_on_us"`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				opts.file = args[0]
			}
			return runTicketsImport(cmd.Context(), env, opts)
		},
	}
	opts.add(cmd)
	cmd.Flags().StringArrayVar(&opts.statuses, "map-status", nil, "what a status in the file means, NAME=STATUS (repeatable)")
	cmd.Flags().StringVar(&opts.descriptions, "descriptions", "", "public or internal: who may read descriptions (default: as the ticket's source says)")
	return cmd
}

func runTicketsImport(ctx context.Context, env *Env, opts ticketsImportOptions) error {
	var o app.ImportOptions
	var err error
	if o.Transfer.Statuses, err = transfer.ParseStatuses(opts.statuses); err != nil {
		return err
	}
	if o.Transfer.Description, err = transfer.ParseDescription(opts.descriptions); err != nil {
		return err
	}
	return runImport(ctx, env, opts.importFlags, o,
		func(ctx context.Context, a *app.App, src transfer.Source, size int64, o app.ImportOptions) (result *app.ImportResult, err error) {
			if o.Portal, err = env.portal(ctx, a); err != nil {
				return nil, err
			}
			return a.ImportTickets(ctx, src, size, o)
		})
}
