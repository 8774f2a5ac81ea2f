package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func newMailCmd(env *Env) *cobra.Command {
	return noun("mail", "Mail: what comes in, what is to be sent and what became of it",
		"  portalctl mail outbox --failed",
		newMailOutboxCmd(env),
		newMailParseCmd(env),
		newMailDKIMCmd(env),
		newMailIngestCmd(env),
		newMailFetchCmd(env),
		newMailListCmd(env),
		newMailHeldCmd(env),
	)
}

type mailOutboxOptions struct {
	State  []string
	Failed bool
	To     string
	After  string
	Limit  int
}

func newMailOutboxCmd(env *Env) *cobra.Command {
	var opts mailOutboxOptions
	cmd := &cobra.Command{
		Use:   "outbox",
		Short: "List outgoing mail, retry it or drop it",
		Long: `List outgoing mail, newest first. Mail leaves while portalctl serve runs with a
mail server; what fails for a passing reason is tried again for two days.`,
		Example: `  portalctl mail outbox --failed
  portalctl mail outbox retry --all`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runMailOutbox(cmd.Context(), env, opts)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&opts.State, "state", nil, "only waiting, sent, failed or dropped mail (repeatable)")
	f.BoolVar(&opts.Failed, "failed", false, "only failed mail, as --state failed")
	f.StringVar(&opts.To, "to", "", "only mail to this address")
	f.StringVar(&opts.After, "after", "", "list from behind the mail with this id")
	f.IntVar(&opts.Limit, "limit", 50, "list at most this many")
	cmd.AddCommand(newMailOutboxRetryCmd(env), newMailOutboxDropCmd(env))
	return cmd
}

var mailColumns = []output.Column{
	{Name: "id", Head: "ID", Keep: true},
	{Name: "kind", Head: "Kind"},
	{Name: "to", Head: "To"},
	{Name: "ticket", Head: "Ticket", Keep: true},
	{Name: "state", Head: "State", Keep: true},
	{Name: "attempts", Head: "Tries"},
	{Name: "error", Head: "Error"},
	{Name: "next_at", Head: "Next", Spare: true},
	{Name: "created_at"},
	{Name: "sent_at"},
	{Name: "message_id"},
}

func mailRow(m *store.Mail) []any {
	var ticket, next any
	if m.Ticket != 0 {
		ticket = m.Ticket.String()
	}
	if m.State() == store.MailWaiting {
		next = m.DueAt
	}
	return []any{
		int64(m.ID), string(m.Kind), m.Recipient, ticket, string(m.State()), m.Attempts, m.LastError, next,
		m.CreatedAt, m.SentAt, m.HeaderID,
	}
}

var mailStates = []store.MailState{store.MailWaiting, store.MailSent, store.MailFailed, store.MailDropped}

func (o *mailOutboxOptions) filter() (store.OutboxFilter, error) {
	f := store.OutboxFilter{Recipient: strings.ToLower(strings.TrimSpace(o.To)), Limit: o.Limit + 1}
	problems := []error{limitFlag(o.Limit)}
	for _, word := range o.State {
		s, err := mailState(word)
		f.States, problems = append(f.States, s), append(problems, err)
	}
	if o.Failed {
		f.States = append(f.States, store.MailFailed)
	}
	if o.After != "" {
		id, err := mailID(o.After)
		f.Before, problems = id, append(problems, err)
	}
	return f, errors.Join(problems...)
}

func mailState(word string) (store.MailState, error) {
	for _, s := range mailStates {
		if strings.EqualFold(strings.TrimSpace(word), string(s)) {
			return s, nil
		}
	}
	return "", portal.Invalidf("mail.state", "state", "%q is not a state of mail; use waiting, sent, failed or dropped", word)
}

func mailID(word string) (portal.MailID, error) {
	id, err := strconv.ParseInt(strings.TrimSpace(word), 10, 64)
	if err != nil || id <= 0 {
		return 0, portal.Invalidf("mail.id", "id", "%q is not the id of a mail; portalctl mail outbox lists them", word)
	}
	return portal.MailID(id), nil
}

func mailIDs(words []string) ([]portal.MailID, error) {
	var ids []portal.MailID
	var problems []error
	for _, word := range words {
		id, err := mailID(word)
		ids, problems = append(ids, id), append(problems, err)
	}
	return ids, errors.Join(problems...)
}

func runMailOutbox(ctx context.Context, env *Env, opts mailOutboxOptions) error {
	f, err := opts.filter()
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		list, err := a.Outbox(ctx, f)
		if err != nil {
			return err
		}
		list, more := cutTo(list, opts.Limit)
		rows := make([][]any, len(list))
		for i := range list {
			rows[i] = mailRow(&list[i])
		}
		if err := env.Printer().List(mailColumns, rows, "no such mail"); err != nil {
			return err
		}
		if more {
			env.sayMore(more, fmt.Sprint(list[len(list)-1].ID))
		}
		return nil
	})
}
