package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
)

type ticketsCreateOptions struct {
	app.NewDeskTicket
	Body   *string
	Attach []string
}

func newTicketsCreateCmd(env *Env) *cobra.Command {
	var opts ticketsCreateOptions
	var body string
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Open a ticket for a contact",
		Long: `Open a ticket for a contact, as if the contact had written it, or with --as as
an agent's message to the contact. The text is --body, or comes from standard
input (also with --body -), or from the editor that EDITOR names. Prints the
number.`,
		Example: `  portalctl tickets create --requester ann@example.com --subject "Part is missing" --body "It was not in the box."
  portalctl tickets create --requester ann@example.com --subject "Your order" --as sam@example.com < text.md`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Body = given(cmd, "body", body)
			return runTicketsCreate(cmd.Context(), env, opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Requester, "requester", "", "the contact, by e-mail address")
	f.StringVar(&opts.Subject, "subject", "", "what it is about, in one line")
	f.StringVar(&body, "body", "", "the text (- for standard input)")
	f.StringVar(&opts.Priority, "priority", "", "low, normal, high or urgent (default normal)")
	f.StringVar(&opts.Category, "category", "", "the category")
	f.StringVar(&opts.As, "as", "", "the agent who writes, by e-mail address (default: the contact wrote it)")
	f.StringArrayVar(&opts.Attach, "attach", nil, "attach a file (repeatable)")
	f.BoolVar(&opts.Confidential, "confidential", false, "requester and participants only")
	f.StringSliceVar(&opts.Participants, "participant", nil, "a further contact, by e-mail address (repeatable)")
	f.StringVar(&opts.Inbox, "inbox", "", "an inbox by name or address (default: the portal's)")
	return cmd
}

func runTicketsCreate(ctx context.Context, env *Env, opts ticketsCreateOptions) error {
	if err := env.ask(ctx, &opts.Requester, "Whose ticket is it? E-mail address:", "--requester"); err != nil {
		return err
	}
	if err := env.ask(ctx, &opts.Subject, "What is it about?", "--subject"); err != nil {
		return err
	}
	files, closeFiles, err := uploads(opts.Attach)
	defer closeFiles()
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.portal(ctx, a)
		if err != nil {
			return err
		}
		text, err := env.messageText(ctx, opts.Body, "--body", opts.Requester+": "+opts.Subject)
		if err != nil {
			return err
		}
		in := opts.NewDeskTicket
		in.Body, in.Files = text.Text, files
		n, err := a.OpenDeskTicket(ctx, p, in)
		if err := text.finish(err); err != nil {
			return err
		}
		if env.Config.Output == output.Table {
			env.say("opened a ticket for %s", opts.Requester)
			return env.line(n.String())
		}
		t, err := a.ShowTicket(ctx, n, true)
		if err != nil {
			return err
		}
		if env.Config.Output == output.JSON {
			return env.Printer().JSON(newTicketJSON(t, false))
		}
		return env.Printer().Object(ticketChangeColumns, ticketChangeRow(t, true))
	})
}
