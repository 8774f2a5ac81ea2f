package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newCompaniesListCmd(env *Env) *cobra.Command {
	var q app.CompanyQuery
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List companies",
		Example: "  portalctl companies list --search acme",
		Args:    upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runCompaniesList(cmd.Context(), env, q)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.Search, "search", "", "only those with this in their name or domain")
	f.StringVar(&q.After, "after", "", "list from behind this company")
	f.IntVar(&q.Limit, "limit", 50, "list at most this many")
	return cmd
}

func runCompaniesList(ctx context.Context, env *Env, q app.CompanyQuery) error {
	if err := limitFlag(q.Limit); err != nil {
		return err
	}
	limit := q.Limit
	q.Limit++
	return env.withApp(ctx, func(a *app.App) error {
		list, err := a.Companies(ctx, q)
		if err != nil {
			return err
		}
		list, more := cutTo(list, limit)
		rows := make([][]any, len(list))
		for i := range list {
			rows[i] = companyRow(&list[i])
		}
		empty := "no companies yet; add one with portalctl companies add"
		if q.Search != "" || q.After != "" {
			empty = "no such companies"
		}
		if err := env.Printer().List(companyColumns, rows, empty); err != nil {
			return err
		}
		if more {
			env.sayMore(more, app.CompanyPlace(&list[len(list)-1]))
		}
		return nil
	})
}
