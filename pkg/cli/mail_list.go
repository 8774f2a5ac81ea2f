package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

type mailListOptions struct {
	Decision                     []string
	Inbox, Sender, Ticket, Since string
	After                        string
	Limit                        int
}

func newMailListCmd(env *Env) *cobra.Command {
	var o mailListOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List mail that came in and what became of it",
		Long: `List mail that came in, newest first: each has one line with its decision and
the reason for it. Sources are kept for 30 days, see "portalctl mail held show".`,
		Example: `  portalctl mail list --since 1d
  portalctl mail list --decision ignored --output json`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runMailList(cmd.Context(), env, o) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.Decision, "decision", nil, "only created, appended, held, ignored, duplicate or rejected mail (repeatable)")
	f.StringVar(&o.Inbox, "inbox", "", "only mail to this inbox, by name or address")
	f.StringVar(&o.Sender, "sender", "", "only mail from this address")
	f.StringVar(&o.Ticket, "ticket", "", "only mail about this ticket")
	f.StringVar(&o.Since, "since", "", "arrived since, such as 2026-01-31, 7d or 12h")
	f.StringVar(&o.After, "after", "", "list from behind the mail with this id")
	f.IntVar(&o.Limit, "limit", 50, "list at most this many")
	return cmd
}

var mailDecisions = []portal.MailDecision{
	portal.MailCreated, portal.MailAppended, portal.MailHeld, portal.MailIgnored, portal.MailDuplicate, portal.MailRejected,
}

func (o *mailListOptions) filter(ctx context.Context, env *Env, a *app.App) (store.LedgerFilter, error) {
	f := store.LedgerFilter{Sender: strings.ToLower(strings.TrimSpace(o.Sender)), Limit: o.Limit + 1}
	problems := []error{limitFlag(o.Limit)}
	for _, word := range o.Decision {
		d := portal.MailDecision(strings.ToLower(strings.TrimSpace(word)))
		if !slices.Contains(mailDecisions, d) {
			problems = append(problems, portal.Invalidf("usage", "decision", "%q is not a decision; use created, appended, held, ignored, duplicate or rejected", word))
		}
		f.Decisions = append(f.Decisions, d)
	}
	var err error
	if o.Ticket != "" {
		f.Ticket, err = portal.ParseTicketNumber(o.Ticket)
		problems = append(problems, err)
	}
	f.Since, err = env.moment("since", o.Since, false)
	problems = append(problems, err)
	if o.After != "" {
		f.Before, err = ledgerID(o.After)
		problems = append(problems, err)
	}
	if o.Inbox != "" {
		inbox, err := a.Inbox(ctx, o.Inbox)
		if err == nil {
			f.Inbox = inbox.ID
		}
		problems = append(problems, err)
	}
	return f, errors.Join(problems...)
}

func ledgerID(word string) (portal.LedgerID, error) {
	id, err := strconv.ParseInt(strings.TrimSpace(word), 10, 64)
	if err != nil || id <= 0 {
		return 0, portal.Invalidf("usage", "id", "%q is not the id of a mail that came in; portalctl mail list has them", word)
	}
	return portal.LedgerID(id), nil
}

func runMailList(ctx context.Context, env *Env, o mailListOptions) error {
	return env.withApp(ctx, func(a *app.App) error {
		f, err := o.filter(ctx, env, a)
		if err != nil {
			return err
		}
		list, err := a.Ledger(ctx, f)
		if err != nil {
			return err
		}
		return env.listLedger(ctx, a, list, o.Limit, "no such mail")
	})
}

var ledgerColumns = []output.Column{
	{Name: "id", Head: "ID", Keep: true},
	{Name: "at", Head: "Arrived", Keep: true},
	{Name: "decision", Head: "Decision", Keep: true},
	{Name: "reason", Head: "Reason", Keep: true},
	{Name: "sender", Head: "From", Keep: true},
	{Name: "subject", Head: "Subject"},
	{Name: "ticket", Head: "Ticket", Keep: true},
	{Name: "inbox", Head: "Inbox", Spare: true},
	{Name: "proof"},
	{Name: "source"},
	{Name: "message_id"},
	{Name: "size"},
	{Name: "sha256"},
	{Name: "duplicate_of"},
	{Name: "bounced_mail"},
	{Name: "decided_at"},
	{Name: "kept_until"},
}

// inboxNames are the inboxes' names by number.
func inboxNames(ctx context.Context, a *app.App) (map[portal.InboxID]string, error) {
	inboxes, err := a.Inboxes(ctx)
	names := map[portal.InboxID]string{}
	for _, i := range inboxes {
		names[i.ID] = i.Name
	}
	return names, err
}

func ledgerRow(e *portal.LedgerEntry, inboxes map[portal.InboxID]string) []any {
	var ticket, of, bounced any
	if e.Ticket != 0 {
		ticket = e.Ticket.String()
	}
	if e.Of != 0 {
		of = int64(e.Of)
	}
	if e.Mail != 0 {
		bounced = int64(e.Mail)
	}
	return []any{
		int64(e.ID), e.At, string(e.Decision), string(e.Reason), e.Sender, e.Subject, ticket, inboxes[e.Inbox], string(e.Proof), string(e.Source),
		e.MessageID, e.Size, e.SHA256, of, bounced, e.DecidedAt, e.KeptUntil,
	}
}

func (e *Env) listLedger(ctx context.Context, a *app.App, list []portal.LedgerEntry, limit int, empty string) error {
	names, err := inboxNames(ctx, a)
	if err != nil {
		return err
	}
	list, more := cutTo(list, limit)
	rows := make([][]any, len(list))
	for i := range list {
		rows[i] = ledgerRow(&list[i], names)
	}
	if err := e.Printer().List(ledgerColumns, rows, empty); err != nil {
		return err
	}
	if more {
		e.sayMore(more, fmt.Sprint(list[len(list)-1].ID))
	}
	return nil
}

// tookMail tells what became of one mail.
func (e *Env) tookMail(ctx context.Context, a *app.App, entry *portal.LedgerEntry) error {
	names, err := inboxNames(ctx, a)
	if err != nil {
		return err
	}
	ticket := ""
	if entry.Ticket != 0 {
		ticket = " " + entry.Ticket.String()
	}
	return e.outcome(ledgerColumns, ledgerRow(entry, names), "mail %d: %s%s (%s)", entry.ID, entry.Decision, ticket, entry.Reason)
}
