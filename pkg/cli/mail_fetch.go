package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/mail/source"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newMailFetchCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "fetch [<inbox>]",
		Short: "Fetch new mail once, from one inbox's mailbox or from all",
		Long: `Fetch new mail once and say what became of each. portalctl serve does so by
itself; this is for where no serve runs, and to see that it works. Both may
fetch from one mailbox: each mail is taken once.`,
		Example: "  portalctl mail fetch\n  portalctl mail fetch Support --output json",
		Args:    upTo(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runMailFetch(cmd.Context(), env, firstOf(args)) },
	}
}

func runMailFetch(ctx context.Context, env *Env, name string) error {
	return env.withApp(ctx, func(a *app.App) error {
		boxes, err := mailboxesToFetch(ctx, a, name)
		if err != nil {
			return err
		}
		var all []portal.LedgerEntry
		var problems []error
		for i := range boxes {
			r := source.FetchOnce(ctx, taker{a}, mailboxOf(&boxes[i]), source.Options{})
			for _, e := range r.Entries {
				all = append(all, *e)
			}
			if r.Waiting > 0 {
				env.say("%s: %s not be taken; fetching again tries once more", boxes[i].Name, app.Counted(r.Waiting, "mail could", "mails could"))
			}
			if r.Err != nil {
				problems = append(problems, fmt.Errorf("fetch for %s: %w", boxes[i].Name, r.Err))
			}
		}
		names, err := inboxNames(ctx, a)
		if err != nil {
			return err
		}
		rows := make([][]any, len(all))
		for i := range all {
			rows[i] = ledgerRow(&all[i], names)
		}
		return errors.Join(append(problems, env.Printer().List(ledgerColumns, rows, "no new mail"))...)
	})
}

// mailboxesToFetch are the mailbox of the inbox named, or all there are.
func mailboxesToFetch(ctx context.Context, a *app.App, name string) ([]app.Mailbox, error) {
	boxes, err := a.Mailboxes(ctx)
	if err != nil {
		return nil, err
	}
	none := portal.Conflictf("mail.no_mailbox", "mail is fetched from nowhere").
		WithHint("portalctl inbox set <inbox> --imap imaps://support@example.com@mail.example.com/INBOX")
	if strings.TrimSpace(name) == "" {
		if len(boxes) == 0 {
			return nil, none
		}
		return boxes, nil
	}
	inbox, err := a.Inbox(ctx, name)
	if err != nil {
		return nil, err
	}
	for _, box := range boxes {
		if box.Inbox == inbox.ID {
			return []app.Mailbox{box}, nil
		}
	}
	return nil, none
}
