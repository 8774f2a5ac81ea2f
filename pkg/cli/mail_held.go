package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newMailHeldCmd(env *Env) *cobra.Command {
	return noun("held", "Look at mail that is held, and decide about it",
		"  portalctl mail held list\n  portalctl mail held accept 17",
		newMailHeldListCmd(env),
		newMailHeldShowCmd(env),
		newMailHeldAcceptCmd(env),
		newMailHeldRefuseCmd(env),
	)
}

const heldQuestion = "Which mail? Its id:"

func newMailHeldListCmd(env *Env) *cobra.Command {
	var after string
	var limit int
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List mail that waits for somebody to look at it",
		Example: "  portalctl mail held list",
		Args:    upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runMailHeldList(cmd.Context(), env, after, limit)
		},
	}
	cmd.Flags().StringVar(&after, "after", "", "list from behind the mail with this id")
	cmd.Flags().IntVar(&limit, "limit", 50, "list at most this many")
	return cmd
}

func runMailHeldList(ctx context.Context, env *Env, after string, limit int) error {
	if err := limitFlag(limit); err != nil {
		return err
	}
	var before portal.LedgerID
	if after != "" {
		var err error
		if before, err = ledgerID(after); err != nil {
			return err
		}
	}
	return env.withApp(ctx, func(a *app.App) error {
		viewer := portal.OperatorViewer()
		list, err := a.HeldMails(ctx, &viewer, before, limit+1)
		if err != nil {
			return err
		}
		return env.listLedger(ctx, a, list, limit, "No mail is held.")
	})
}

func newMailHeldShowCmd(env *Env) *cobra.Command {
	var raw bool
	cmd := &cobra.Command{
		Use:   "show [<id>]",
		Short: "Show a mail that came in: what it says, and why it is held",
		Example: `  portalctl mail held show 17
  portalctl mail held show 17 --raw > message.eml`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMailHeldShow(cmd.Context(), env, firstOf(args), raw)
		},
	}
	cmd.Flags().BoolVar(&raw, "raw", false, "print its source as it came")
	return cmd
}

// heldOne asks for the id of a mail, unless it was given.
func (e *Env) heldOne(ctx context.Context, word string) (portal.LedgerID, error) {
	if err := e.ask(ctx, &word, heldQuestion, "the mail's id as an argument"); err != nil {
		return 0, err
	}
	return ledgerID(word)
}

func runMailHeldShow(ctx context.Context, env *Env, word string, raw bool) error {
	id, err := env.heldOne(ctx, word)
	if err != nil {
		return err
	}
	viewer := portal.OperatorViewer()
	return env.withApp(ctx, func(a *app.App) error {
		if raw {
			content, err := a.RawMail(ctx, &viewer, id)
			if err != nil {
				return err
			}
			defer func() { _ = content.Close() }()
			if env.Printer().Terminal {
				// What a stranger wrote must not steer it.
				source, err := io.ReadAll(content)
				if err != nil {
					return err
				}
				_, err = io.WriteString(env.Out, output.CleanText(string(source)))
				return err
			}
			_, err = io.Copy(env.Out, content)
			return err
		}
		h, err := a.HeldMail(ctx, &viewer, id)
		if err != nil {
			return err
		}
		names, err := inboxNames(ctx, a)
		if err != nil {
			return err
		}
		return env.showHeld(h, names)
	})
}

func (e *Env) showHeld(h *app.HeldMail, inboxes map[portal.InboxID]string) error {
	var contact, agent any
	if h.Contact != nil {
		contact = h.Contact.Email
	}
	if h.Agent != nil {
		agent = h.Agent.Email
	}
	columns := append(ledgerColumns[:len(ledgerColumns):len(ledgerColumns)],
		output.Column{Name: "contact", Head: "Contact"}, output.Column{Name: "agent", Head: "Agent"})
	row := append(ledgerRow(&h.LedgerEntry, inboxes), contact, agent)
	if e.Config.Output == output.JSON {
		line := map[string]any{}
		for i, c := range columns {
			line[c.Name] = row[i]
		}
		line["mail"] = nil
		if h.Mail != nil {
			line["mail"] = newIncomingJSON(h.Mail)
		}
		return e.Printer().JSON(line)
	}
	if err := e.Printer().Object(columns, row); err != nil || e.Config.Output != output.Table {
		return err
	}
	if h.Mail == nil {
		e.say("its source is not kept any more")
		return nil
	}
	if _, err := fmt.Fprintln(e.Out); err != nil {
		return err
	}
	return e.showIncoming(h.Mail)
}

func newMailHeldAcceptCmd(env *Env) *cobra.Command {
	var c app.HeldChoice
	var ticket string
	cmd := &cobra.Command{
		Use:   "accept [<id>]",
		Short: "Take a held mail in after all",
		Long: `Take a held mail in after all, as a message of the contact it is from: in the
ticket it points at, or in a new one. Look at it before: who it is from is now
your word.`,
		Example: `  portalctl mail held accept 17
  portalctl mail held accept 17 --create
  portalctl mail held accept 17 --as ann@example.com --ticket T-1042`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if ticket != "" {
				var err error
				if c.Ticket, err = portal.ParseTicketNumber(ticket); err != nil {
					return err
				}
			}
			return runMailHeldAccept(cmd.Context(), env, firstOf(args), c)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.As, "as", "", "the `ADDRESS` of the contact who sent it, if that is another")
	f.BoolVar(&c.Create, "create", false, "make a contact of a sender nobody knows")
	f.StringVar(&ticket, "ticket", "", "add it to this ticket, in which the sender takes part from then on")
	f.BoolVar(&c.New, "new", false, "open a new ticket, whatever it points at")
	f.StringVar(&c.Inbox, "inbox", "", "the inbox it belongs to, if none has its address")
	return cmd
}

func runMailHeldAccept(ctx context.Context, env *Env, word string, c app.HeldChoice) error {
	id, err := env.heldOne(ctx, word)
	if err != nil {
		return err
	}
	viewer := portal.OperatorViewer()
	return env.withApp(ctx, func(a *app.App) error {
		entry, err := a.AcceptHeld(ctx, &viewer, id, c)
		if err != nil {
			return err
		}
		return env.tookMail(ctx, a, entry)
	})
}

func newMailHeldRefuseCmd(env *Env) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:     "refuse [<id>]",
		Short:   "Set a held mail aside; its sender hears nothing",
		Example: "  portalctl mail held refuse 17 --reason \"an advertisement\"",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMailHeldRefuse(cmd.Context(), env, firstOf(args), reason)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	return cmd
}

func runMailHeldRefuse(ctx context.Context, env *Env, word, reason string) error {
	id, err := env.heldOne(ctx, word)
	if err != nil {
		return err
	}
	viewer := portal.OperatorViewer()
	return env.withApp(ctx, func(a *app.App) error {
		entry, err := a.RefuseHeld(ctx, &viewer, id, reason)
		if err != nil {
			return err
		}
		return env.tookMail(ctx, a, entry)
	})
}
