package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newInboxCmd(env *Env) *cobra.Command {
	cmd := noun("inbox", "Say where new tickets go", "  portalctl inbox add Support --kind inbox --address support@example.com",
		newInboxAddCmd(env),
		newInboxListCmd(env),
		newInboxShowCmd(env),
		newInboxSetCmd(env),
		newInboxTestCmd(env),
		newInboxRemoveCmd(env),
	)
	cmd.Aliases = []string{"inboxes"}
	return cmd
}

var inboxColumns = []output.Column{
	{Name: "name", Head: "Name"},
	{Name: "kind", Head: "Kind"},
	{Name: "address", Head: "Address", Keep: true},
	{Name: "portals", Head: "Default of"},
	{Name: "created_at"},
}

func inboxRow(i *portal.Inbox, portals []portal.Portal) []any {
	return []any{i.Name, string(i.Kind), i.Address, app.PortalsOfInbox(portals, i.ID), i.CreatedAt}
}

func newInboxListCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List inboxes and help desks",
		Example: "  portalctl inbox list",
		Args:    upTo(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runInboxList(cmd.Context(), env) },
	}
}

func runInboxList(ctx context.Context, env *Env) error {
	return env.withApp(ctx, func(a *app.App) error {
		inboxes, err := a.Inboxes(ctx)
		if err != nil {
			return err
		}
		portals, err := a.Portals(ctx)
		if err != nil {
			return err
		}
		rows := make([][]any, len(inboxes))
		for i := range inboxes {
			rows[i] = inboxRow(&inboxes[i], portals)
		}
		return env.Printer().List(inboxColumns, rows, "There is no inbox yet. Add one with: portalctl inbox add Support --kind helpdesk")
	})
}

func newInboxShowCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "show <inbox>",
		Short:   "Show one inbox, by name or address",
		Example: "  portalctl inbox show Support",
		Args:    oneArg("the inbox"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runInboxShow(cmd.Context(), env, args[0]) },
	}
}

func runInboxShow(ctx context.Context, env *Env, name string) error {
	return env.withApp(ctx, func(a *app.App) error {
		i, err := a.Inbox(ctx, name)
		if err != nil {
			return err
		}
		portals, err := a.Portals(ctx)
		if err != nil {
			return err
		}
		columns, row, err := inboxSheet(ctx, a, i, portals)
		if err != nil {
			return err
		}
		return env.Printer().Object(columns, row)
	})
}

func newInboxRemoveCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "remove <inbox>",
		Short:   "Remove an inbox that no portal and no ticket uses",
		Example: "  portalctl inbox remove Sales\n  portalctl inbox remove Sales --yes",
		Args:    oneArg("the inbox"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runInboxRemove(cmd.Context(), env, args[0], yes)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func runInboxRemove(ctx context.Context, env *Env, name string, yes bool) error {
	return env.withApp(ctx, func(a *app.App) error {
		i, err := a.Inbox(ctx, name)
		if err != nil {
			return err
		}
		if err := env.confirm(ctx, yes, fmt.Sprintf("Remove the inbox %s?", i)); err != nil {
			return err
		}
		if err := a.RemoveInbox(ctx, name); err != nil {
			return err
		}
		env.say("removed the inbox %q", i.Name)
		return nil
	})
}

func newInboxTestCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test [<inbox>]",
		Short: "Send a test message to an inbox's address",
		Long: `Send a test message to the address of an inbox, to prove that the mail server
takes mail. Without a name it goes to the portal's default inbox. That it was
delivered to the mail server is told; whether it arrived, only its reader knows.`,
		Example: "  portalctl inbox test Support --smtp smtp://portal@mail.example.com:587",
		Args:    upTo(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runInboxTest(cmd.Context(), env, firstOf(args)) },
	}
	mailFlags(cmd)
	return cmd
}

func runInboxTest(ctx context.Context, env *Env, name string) error {
	sender, err := env.sender()
	if err != nil {
		return err
	}
	if sender == nil {
		return portal.Invalidf("mail.server", "smtp", "no mail server is configured, so nothing can be sent").
			WithHint("pass --smtp smtp://user@mail.example.com:587, or set PORTALCTL_SMTP")
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, i, err := inboxToTest(ctx, env, a, name)
		if err != nil {
			return err
		}
		if i.Address == "" {
			return portal.Invalidf("inbox.address", "", "the help desk %q has no address to send to", i.Name).
				WithHint("give it one, which is told of new tickets: portalctl inbox set %q --address desk@example.com", i.Name)
		}
		if _, err := sendTest(ctx, a, sender, p, i); err != nil {
			return err
		}
		env.say("the mail server took a test message from %s to %s", sender.From(), i.Address)
		return nil
	})
}

// inboxToTest finds the inbox, and the portal in whose name the test is sent.
func inboxToTest(ctx context.Context, env *Env, a *app.App, name string) (*portal.Portal, *portal.Inbox, error) {
	if name == "" {
		p, err := env.portal(ctx, a)
		if err != nil {
			return nil, nil, err
		}
		inboxes, err := a.Inboxes(ctx)
		if err != nil {
			return nil, nil, err
		}
		for i := range inboxes {
			if inboxes[i].ID == p.Tickets.InboxID {
				return p, &inboxes[i], nil
			}
		}
		return nil, nil, portal.NotFoundf("inbox.none", "the portal %q has no default inbox", p.Name)
	}
	i, err := a.Inbox(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	portals, err := a.Portals(ctx)
	if err != nil {
		return nil, nil, err
	}
	for n := range portals {
		if portals[n].Tickets.InboxID == i.ID {
			return &portals[n], i, nil
		}
	}
	p, err := env.portal(ctx, a)
	return p, i, err
}
