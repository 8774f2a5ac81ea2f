package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

type ticketsListOptions struct {
	app.DeskQuery
	Status       []string
	Queue        string
	Since, Until string
}

func newTicketsListCmd(env *Env) *cobra.Command {
	var opts ticketsListOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List tickets, newest change first",
		Long: `List the store's tickets, newest change first; closed ones only when asked for.
A table tells whose turn it is; JSON and CSV have the status by its name.`,
		Example: `  portalctl tickets list --status waiting_on_us --unassigned
  portalctl tickets list --status all --company Acme --since 30d --output csv
  portalctl tickets list --search "invoice 4711"`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.Left = !cmd.Flags().Changed("status") && opts.After == "" && opts.Queue == ""
			if opts.Queue != "" && cmd.Flags().Changed("status") {
				return portal.Invalidf("usage", "status", "--queue and --status exclude each other")
			}
			return runTicketsList(cmd.Context(), env, opts)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&opts.Status, "status", []string{"open"}, "new, waiting_on_us, waiting_on_customer, closed, open or all (repeatable)")
	f.StringVar(&opts.Requester, "requester", "", "only those of a contact, by e-mail address")
	f.StringVar(&opts.Company, "company", "", "only those of a company, by name or domain")
	f.StringVar(&opts.Assignee, "assignee", "", "only those of an agent, by e-mail address")
	f.BoolVar(&opts.Unassigned, "unassigned", false, "only those nobody has")
	f.StringVar(&opts.Inbox, "inbox", "", "only those of an inbox, by name or address")
	f.StringVar(&opts.Tag, "tag", "", "only those with a tag")
	f.StringVar(&opts.Queue, "queue", "", "as the help desk shows it: mine (with --assignee), unassigned, us, customer, snoozed, closed or all")
	f.BoolVar(&opts.Overdue, "overdue", false, "only those whose first answer or solution is late")
	f.BoolVar(&opts.Snoozed, "snoozed", false, "only those that are snoozed")
	choices(cmd, "queue", "mine", "unassigned", "us", "customer", "snoozed", "closed", "all")
	f.StringVar(&opts.Search, "search", "", "only those with all of these words")
	f.StringVar(&opts.Since, "since", "", "changed since, such as 2026-01-31, 7d or 12h")
	f.StringVar(&opts.Until, "until", "", "changed until, such as 2026-01-31, 7d or 12h")
	f.StringVar(&opts.After, "after", "", "list from behind this place, as the page before gave it")
	f.IntVar(&opts.Limit, "limit", 50, "list at most this many")
	return cmd
}

// statusFilter reads --status. Nothing means any.
func statusFilter(words []string) ([]portal.Status, error) {
	var list []portal.Status
	var problems []error
	for _, word := range words {
		switch strings.ToLower(strings.TrimSpace(word)) {
		case "all":
			return nil, errors.Join(problems...)
		case "open":
			list = append(list, portal.New, portal.WaitingOnUs, portal.WaitingOnCustomer)
		default:
			s, err := portal.ParseStatus(word)
			if err != nil {
				err = portal.Invalidf("ticket.status", "status", "%q is not a ticket status; use new, waiting_on_us, waiting_on_customer, closed, open or all", word)
			}
			list, problems = append(list, s), append(problems, err)
		}
	}
	return list, errors.Join(problems...)
}

func (o *ticketsListOptions) query(env *Env) (app.DeskQuery, error) {
	q := o.DeskQuery
	var problems [5]error
	if o.Queue != "" {
		q.Queue, problems[4] = portal.ParseQueue(o.Queue)
	}
	problems[0] = limitFlag(q.Limit)
	q.Statuses, problems[1] = statusFilter(o.Status)
	q.Since, problems[2] = env.moment("since", o.Since, false)
	q.Until, problems[3] = env.moment("until", o.Until, true)
	return q, errors.Join(problems[:]...)
}

var ticketColumns = []output.Column{
	{Name: "number", Head: "Number", Keep: true},
	{Name: "subject", Head: "Subject"},
	{Name: "status", Head: "Status", Keep: true},
	{Name: "requester", Head: "Requester"},
	{Name: "updated_at", Head: "Updated", Keep: true},
	{Name: "assignee", Head: "Assignee", Spare: true},
	{Name: "priority", Head: "Priority", Spare: true},
	{Name: "company", Head: "Company", Spare: true},
	{Name: "requester_email"},
	{Name: "category"},
	{Name: "inbox"},
	{Name: "confidential"},
	{Name: "created_at"},
	{Name: "status_at"},
}

func runTicketsList(ctx context.Context, env *Env, opts ticketsListOptions) error {
	q, err := opts.query(env)
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		list, err := a.DeskTickets(ctx, q)
		if err != nil {
			return err
		}
		rows := make([][]any, len(list.Rows))
		for i := range list.Rows {
			r := &list.Rows[i]
			rows[i] = []any{
				r.Number.String(), r.Subject, env.statusWord(r.Status), r.RequesterName, r.UpdatedAt, r.AssigneeName,
				string(r.Priority), r.CompanyName, list.Emails[r.Requester], r.Category, r.InboxName, r.Confidential, r.CreatedAt, r.StatusAt,
			}
		}
		if err := env.Printer().List(ticketColumns, rows, "no such tickets"); err != nil {
			return err
		}
		env.sayMore(list.Next != "", list.Next)
		if list.More {
			env.say("there are more hits: raise --limit or narrow the search")
		}
		if list.Closed > 0 {
			env.say("%s left out; --status all lists them, too", app.Counted(list.Closed, "closed ticket is", "closed tickets are"))
		}
		return nil
	})
}

// statusWord is a status in a table as whose turn it is, which is shorter and
// what an operator looks for; otherwise its name.
func (e *Env) statusWord(s portal.Status) string {
	if e.Config.Output != output.Table {
		return string(s)
	}
	switch s {
	case portal.WaitingOnUs:
		return "our turn"
	case portal.WaitingOnCustomer:
		return "their turn"
	}
	return string(s)
}
