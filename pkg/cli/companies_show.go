package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
)

func newCompaniesShowCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "show [<name>]",
		Short:   "Show a company with its contacts and tickets",
		Example: "  portalctl companies show Acme\n  portalctl companies show '#12'",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCompaniesShow(cmd.Context(), env, firstOf(args))
		},
	}
}

var companyViewColumns = []output.Column{
	{Name: "id"},
	{Name: "name", Head: "Name"},
	{Name: "domain", Head: "Domain"},
	{Name: "contacts", Head: "Contacts"},
	{Name: "contact_emails", Head: "E-mails"},
	{Name: "tickets", Head: "Tickets"},
	{Name: "tickets_open", Head: "Of these open"},
	{Name: "properties", Head: "Properties"},
	{Name: "external_id", Head: "External id"},
	{Name: "created_at", Head: "Added"},
	{Name: "updated_at", Head: "Changed"},
}

func runCompaniesShow(ctx context.Context, env *Env, name string) error {
	if err := env.ask(ctx, &name, companyQuestion, companyPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		c, err := a.ShowCompany(ctx, name)
		if err != nil {
			return err
		}
		var people []string
		for _, p := range c.People {
			people = append(people, p.Email)
		}
		err = env.Printer().Object(companyViewColumns, []any{
			int64(c.ID), c.Name, c.Domain, c.Contacts, people,
			count{c.Tickets, c.TicketsCapped},
			count{c.Open, c.OpenCapped},
			c.Properties, c.ExternalID, c.CreatedAt, c.UpdatedAt,
		})
		if err == nil && c.MorePeople {
			env.say("the first %d e-mails only; all: portalctl contacts list --company %s", len(people), shellWord(c.Name))
		}
		return err
	})
}
