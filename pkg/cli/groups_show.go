package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
)

func newGroupsShowCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "show [<name>]",
		Short:   "Show an access group",
		Example: "  portalctl groups show customers",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runGroupsShow(cmd.Context(), env, firstOf(args))
		},
	}
}

const groupQuestion, groupPass = "Which access group?", "the group's name as an argument"

func runGroupsShow(ctx context.Context, env *Env, name string) error {
	if err := env.ask(ctx, &name, groupQuestion, groupPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		g, err := a.ShowGroup(ctx, name)
		if err != nil {
			return err
		}
		if env.Config.Output == output.Table {
			return showGroup(env, g)
		}
		return env.Printer().Object(groupColumns, groupRow(g))
	})
}

// showGroup gives people each rule on a line of its own.
func showGroup(env *Env, g *app.GroupView) error {
	var columns []output.Column
	var row []any
	for i, value := range groupRow(g) {
		if groupColumns[i].Name != "rules" {
			columns, row = append(columns, groupColumns[i]), append(row, value)
			continue
		}
		for n, rule := range ruleTexts(g.Rules) {
			columns, row = append(columns, output.Column{Name: "rule", Head: fmt.Sprintf("Rule %d", n+1)}), append(row, rule)
		}
	}
	return env.Printer().Object(columns, row)
}
