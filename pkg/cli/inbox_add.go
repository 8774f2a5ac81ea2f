package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/portal"
)

// mailFlags adds the settings of the mail server.
func mailFlags(cmd *cobra.Command) {
	config.Flags(cmd.Flags(), "smtp", "smtp-password-file", "mail-from", "dkim-key", "dkim-domain", "dkim-selector")
}

type inboxAddOptions struct{ Name, Kind, Address string }

func newInboxAddCmd(env *Env) *cobra.Command {
	var o inboxAddOptions
	cmd := &cobra.Command{
		Use:   "add <name>",
		Short: "Add an inbox (answered by mail) or a help desk",
		Long: `Add a place new tickets go to. One of kind "inbox" has a mail address and is
answered by mail; one of kind "helpdesk" is answered with "portalctl tickets
reply". A help desk may have an address too, which is told of new tickets.`,
		Example: `  portalctl inbox add Support --kind inbox --address support@example.com
  portalctl inbox add "Help desk" --kind helpdesk`,
		Args: oneArg("the inbox's name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Name = args[0]
			return runInboxAdd(cmd.Context(), env, o)
		},
	}
	cmd.Flags().StringVar(&o.Kind, "kind", "", "inbox (answered by mail) or helpdesk; inbox when an --address is given")
	cmd.Flags().StringVar(&o.Address, "address", "", "the mail address")
	choices(cmd, "kind", "inbox", "helpdesk")
	return cmd
}

func runInboxAdd(ctx context.Context, env *Env, o inboxAddOptions) error {
	if o.Kind == "" {
		if o.Address == "" {
			return portal.Invalidf("inbox.kind", "kind", "what kind of inbox %q is was not given", o.Name).
				WithHint("pass --kind helpdesk, or --kind inbox with --address")
		}
		o.Kind = string(portal.InboxMail)
	}
	kind, err := portal.ParseInboxKind(o.Kind)
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		i, created, err := a.AddInbox(ctx, o.Name, kind, o.Address)
		if err != nil {
			return err
		}
		portals, err := a.Portals(ctx)
		if err != nil {
			return err
		}
		if !created {
			return env.changed(inboxColumns, inboxRow(i, portals), nil)
		}
		return env.outcome(inboxColumns, inboxRow(i, portals), "added the inbox %s", i)
	})
}
