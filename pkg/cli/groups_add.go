package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

type groupsAddOptions struct {
	Name    string
	Rules   []string
	Preview bool
}

func newGroupsAddCmd(env *Env) *cobra.Command {
	var opts groupsAddOptions
	cmd := &cobra.Command{
		Use:   "add [<name>]",
		Short: "Add an access group",
		Long: `Add an access group: a static one, whose contacts are listed with "portalctl
groups members", or with --rule one that holds every contact whose properties
match. Rules are kept up with: whoever comes to match joins, and whoever no
longer does leaves, at once.

` + groupRuleHelp,
		Example: `  portalctl groups add customers
  portalctl groups add managers --rule 'role equals Manager' --rule 'team one-of board,audit'
  portalctl groups add managers --rule 'role equals Manager' --preview`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Name = firstOf(args)
			return runGroupsAdd(cmd.Context(), env, opts)
		},
	}
	groupRuleFlag(cmd, &opts.Rules)
	previewFlag(cmd, &opts.Preview)
	return cmd
}

// firstOf is the first argument, or "".
func firstOf(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func runGroupsAdd(ctx context.Context, env *Env, opts groupsAddOptions) error {
	rules, err := groupRules(opts.Rules)
	if err != nil {
		return err
	}
	if err := env.ask(ctx, &opts.Name, "What is the group called?", "the group's name as an argument"); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		if opts.Preview {
			p, err := a.PreviewGroup(ctx, opts.Name, rules)
			if err != nil {
				return err
			}
			return showGroupPreview(env, p)
		}
		g, added, err := a.AddGroup(ctx, opts.Name, rules)
		if err != nil {
			return err
		}
		view, err := a.ShowGroup(ctx, g.Name)
		if err != nil {
			return err
		}
		switch {
		case !added:
			return env.outcome(groupColumns, groupRow(view), "unchanged: there is an access group %q already", g.Name)
		case g.ByRule():
			saySelfMade(env, rules)
			return env.outcome(groupColumns, groupRow(view), "added the access group %q with %s", g.Name, app.Counted(view.Members, "contact", "contacts"))
		}
		return env.outcome(groupColumns, groupRow(view), "added the access group %q; add contacts with portalctl groups members", g.Name)
	})
}
