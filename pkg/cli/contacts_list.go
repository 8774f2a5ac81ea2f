package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newContactsListCmd(env *Env) *cobra.Command {
	var q app.ContactQuery
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List contacts",
		Example: `  portalctl contacts list --search lee
  portalctl contacts list --company Acme --output csv`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runContactsList(cmd.Context(), env, q)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.Search, "search", "", "only those with this in their name or address")
	f.StringVar(&q.Company, "company", "", "only those of a company, by name or domain")
	f.StringVar(&q.Group, "group", "", "only those of an access group")
	f.StringVar(&q.After, "after", "", "list from behind this address")
	f.IntVar(&q.Limit, "limit", 50, "list at most this many")
	return cmd
}

func runContactsList(ctx context.Context, env *Env, q app.ContactQuery) error {
	if err := limitFlag(q.Limit); err != nil {
		return err
	}
	limit := q.Limit
	q.Limit++
	return env.withApp(ctx, func(a *app.App) error {
		list, err := a.Contacts(ctx, q)
		if err != nil {
			return err
		}
		list, more := cutTo(list, limit)
		rows := make([][]any, len(list))
		for i := range list {
			rows[i] = contactRow(&list[i])
		}
		empty := "no contacts yet; add one with portalctl contacts add"
		if q.Search != "" || q.Company != "" || q.Group != "" || q.After != "" {
			empty = "no such contacts"
		}
		if err := env.Printer().List(contactColumns, rows, empty); err != nil {
			return err
		}
		if more {
			env.sayMore(more, list[len(list)-1].Email)
		}
		return nil
	})
}
