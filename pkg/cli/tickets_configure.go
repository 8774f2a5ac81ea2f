package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

// ticketFlags are the ticket settings as typed; nil was not given.
type ticketFlags struct {
	Inbox, Permissions, CompanyScope, CompanyAccess *string
	Rules                                           *[]string
	CustomersClose                                  *string
	ReopenDays                                      *int
	Columns                                         *[]string
	Fields, Label, ShowAgent                        *string
	MailContent, MailHistory, AskRating             *string
}

func newTicketsConfigureCmd(env *Env) *cobra.Command {
	var inbox, permissions, scope, access, closing, fields, label, agent, content, history, rating string
	var rules, columns []string
	var days int
	cmd := &cobra.Command{
		Use:   "configure",
		Short: "Say where tickets go, who sees them and what customers may do",
		Long: `Change a portal's ticket settings. What is not given stays; without flags the
settings are shown.

--permissions says which tickets a signed-in customer sees:
  contact  those they are requester of or participant in
  company  also every ticket of their primary company
           (--company-scope all: of all their companies)
  rules    company view only for contacts that match a --rule

A rule compares contact properties, joined by "and"; a contact that matches any
of several rules gets company view. The operators are equals, is-not, contains,
one-of, known, unknown, less-than, more-than, before and after. A confidential
ticket is seen by its requester and participants only, whatever is set here.

--fields gives the form for new tickets further fields, with commas between:
KEY[*][:LABEL[:TYPE[:OPTION|OPTION...]]]. A * makes a field required; a type is
text, long, number, date or choice.

--mail-content hidden is for matters that must not lie in mailboxes: mail to
customers and to agents then has no subject, no words, no names and no file
names of the ticket, only its number and the link.`,
		Example: `  portalctl tickets configure --permissions company --company-access read
  portalctl tickets configure --rule "department equals Finance and seniority one-of lead,manager"
  portalctl tickets configure --fields "priority,category:Area:choice:Billing|Technical,order_number*:Order number"
  portalctl tickets configure --reopen-days 30 --label Case:Cases`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runTicketsConfigure(cmd.Context(), env, ticketFlags{
				Inbox: given(cmd, "inbox", inbox), Permissions: given(cmd, "permissions", permissions),
				CompanyScope: given(cmd, "company-scope", scope), CompanyAccess: given(cmd, "company-access", access),
				Rules: given(cmd, "rule", rules), CustomersClose: given(cmd, "customers-close", closing),
				ReopenDays: given(cmd, "reopen-days", days), Columns: given(cmd, "columns", columns),
				Fields: given(cmd, "fields", fields), Label: given(cmd, "label", label), ShowAgent: given(cmd, "show-agent", agent),
				MailContent: given(cmd, "mail-content", content), MailHistory: given(cmd, "mail-history", history),
				AskRating: given(cmd, "ask-rating", rating),
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&inbox, "inbox", "", "the default inbox or help desk for new tickets")
	permissionFlags(cmd, &permissions, &scope, &access, &rules)
	f.StringVar(&closing, "customers-close", "", "on or off: whether customers may close tickets")
	f.IntVar(&days, "reopen-days", 0, "how many `days` a customer's answer reopens a closed ticket; 0 never")
	f.StringSliceVar(&columns, "columns", nil, "the columns of the ticket list: number, subject, status, priority, category, requester, company, assignee, created, updated")
	f.StringVar(&fields, "fields", "", "further fields of the form for new tickets; \"\" for none")
	f.StringVar(&label, "label", "", "the word customers read for ticket, as `ONE:MANY`; \"\" for the language's own")
	f.StringVar(&agent, "show-agent", "", "name or team: how customers read who answered")
	choices(cmd, "customers-close", "on", "off")
	f.StringVar(&content, "mail-content", "", "full or hidden: hidden mail says that there is an answer and shows nothing of it")
	f.StringVar(&history, "mail-history", "", "on or off: whether mail to customers quotes the messages before")
	choices(cmd, "show-agent", "name", "team")
	choices(cmd, "mail-content", "full", "hidden")
	choices(cmd, "mail-history", "on", "off")
	f.StringVar(&rating, "ask-rating", "", "on or off: whether whoever opened a ticket is asked, once it is closed, how it went")
	choices(cmd, "ask-rating", "on", "off")
	return cmd
}

// permissionFlags are those init has too.
func permissionFlags(cmd *cobra.Command, permissions, scope, access *string, rules *[]string) {
	f := cmd.Flags()
	f.StringVar(permissions, "permissions", "", "which tickets a customer sees: contact, company or rules")
	f.StringVar(scope, "company-scope", "", "primary or all: whose tickets company view shows")
	f.StringVar(access, "company-access", "", "read or reply: whether company view includes answering")
	f.StringArrayVar(rules, "rule", nil, "a `rule` over contact properties that gives company view; repeat it for \"or\"; \"\" removes all")
	choices(cmd, "permissions", "contact", "company", "rules")
	choices(cmd, "company-scope", "primary", "all")
	choices(cmd, "company-access", "read", "reply")
}

// changes reads the flags.
func (t *ticketFlags) changes() (c app.TicketChanges, err error) {
	c.Inbox, c.ReopenDays, c.Label = t.Inbox, t.ReopenDays, t.Label
	if c.Permissions, err = parsed(t.Permissions, portal.ParsePermissions); err != nil {
		return c, err
	}
	if c.CompanyScope, err = parsed(t.CompanyScope, portal.ParseCompanyScope); err != nil {
		return c, err
	}
	if c.CompanyAccess, err = parsed(t.CompanyAccess, portal.ParseCompanyAccess); err != nil {
		return c, err
	}
	if c.Rules, err = parsed(t.Rules, parseRules); err != nil {
		return c, err
	}
	if c.CustomersClose, err = parsed(t.CustomersClose, func(s string) (bool, error) { return onOff("customers-close", s) }); err != nil {
		return c, err
	}
	if c.Columns, err = parsed(t.Columns, portal.ParseColumns); err != nil {
		return c, err
	}
	if c.Fields, err = parsed(t.Fields, portal.ParseFields); err != nil {
		return c, err
	}
	if c.ShowAgent, err = parsed(t.ShowAgent, portal.ParseAgentDisplay); err != nil {
		return c, err
	}
	if c.MailContent, err = parsed(t.MailContent, portal.ParseMailContent); err != nil {
		return c, err
	}
	if c.MailHistory, err = parsed(t.MailHistory, func(s string) (bool, error) { return onOff("mail-history", s) }); err != nil {
		return c, err
	}
	c.AskRating, err = parsed(t.AskRating, func(s string) (bool, error) { return onOff("ask-rating", s) })
	return c, err
}

// parsed reads a flag that was given.
func parsed[S, T any](s *S, parse func(S) (T, error)) (*T, error) {
	if s == nil {
		return nil, nil
	}
	value, err := parse(*s)
	if err != nil {
		return nil, err
	}
	return &value, nil
}

// parseRules reads --rule flags; a lone empty one means no rules.
func parseRules(list []string) (portal.RuleSet, error) {
	if len(list) == 1 && list[0] == "" {
		return nil, nil
	}
	var rules portal.RuleSet
	for _, s := range list {
		group, err := portal.ParseRule(s)
		if err != nil {
			return nil, err
		}
		rules = append(rules, group)
	}
	return rules, nil
}

func runTicketsConfigure(ctx context.Context, env *Env, t ticketFlags) error {
	c, err := t.changes()
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.portal(ctx, a)
		if err != nil {
			return err
		}
		if t != (ticketFlags{}) {
			var changes []app.Change
			if p, changes, err = a.ConfigureTickets(ctx, p.ID, c); err != nil {
				return err
			}
			env.sayChanges(changes)
			if env.Config.Output == output.Table {
				return nil
			}
		}
		return showTicketSettings(ctx, env, a, p)
	})
}

func showTicketSettings(ctx context.Context, env *Env, a *app.App, p *portal.Portal) error {
	inboxes, err := a.Inboxes(ctx)
	if err != nil {
		return err
	}
	inbox := ""
	for _, i := range inboxes {
		if i.ID == p.Tickets.InboxID {
			inbox = i.Name
		}
	}
	s := &p.Tickets
	rules := []string{}
	for _, group := range s.Rules {
		rules = append(rules, portal.FormatRule(group))
	}
	columns := []string{}
	for _, c := range s.Columns {
		columns = append(columns, string(c))
	}
	label := ""
	if s.LabelOne != "" {
		label = s.LabelOne + ":" + s.LabelMany
	}
	return env.Printer().Object([]output.Column{
		{Name: "portal", Head: "Portal"},
		{Name: "inbox", Head: "Inbox"},
		{Name: "permissions", Head: "Permissions"},
		{Name: "rules", Head: "Rules"},
		{Name: "company_scope", Head: "Company scope"},
		{Name: "company_access", Head: "Company access"},
		{Name: "customers_close", Head: "Customers close"},
		{Name: "reopen_days", Head: "Reopen days"},
		{Name: "columns", Head: "Columns"},
		{Name: "fields", Head: "Fields"},
		{Name: "label", Head: "Label"},
		{Name: "show_agent", Head: "Show agent"},
		{Name: "mail_content", Head: "Mail content"},
		{Name: "mail_history", Head: "Mail history"},
		{Name: "ask_rating", Head: "Ask rating"},
	}, []any{
		p.Name, inbox, string(s.Permissions), rules, string(s.CompanyScope), string(s.CompanyAccess),
		s.CustomersClose, s.ReopenDays, columns, portal.FormatFields(s.Fields), label, string(s.ShowAgent),
		s.MailContent.String(), s.MailHistory, s.AskRating,
	})
}
