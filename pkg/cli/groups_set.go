package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

type groupsSetOptions struct {
	Name    string
	To      *string
	Rules   []string
	NoRules bool
	Preview bool
	Yes     bool
}

func newGroupsSetCmd(env *Env) *cobra.Command {
	var opts groupsSetOptions
	var to string
	cmd := &cobra.Command{
		Use:   "set [<name>]",
		Short: "Rename an access group, or change its rules",
		Long: `Rename an access group, or change the rules that decide who is in it. Whoever
gets into a live portal by new rules is invited; whoever can no longer enter is
signed out at once. With --preview they are listed, and nothing is changed.
` + graceHelp + `

A static group that gets rules keeps of its contacts those that match. With
--no-rules a group becomes static and keeps the contacts it has.

` + groupRuleHelp,
		Example: `  portalctl groups set customers --name clients
  portalctl groups set managers --rule 'role equals Manager and country one-of SE,NO' --preview
  portalctl groups set managers --no-rules`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Name, opts.To = firstOf(args), given(cmd, "name", to)
			if err := exclusive(cmd, "rule", "no-rules"); err != nil {
				return err
			}
			return runGroupsSet(cmd.Context(), env, opts)
		},
	}
	cmd.Flags().StringVar(&to, "name", "", "the group's new name")
	groupRuleFlag(cmd, &opts.Rules)
	cmd.Flags().BoolVar(&opts.NoRules, "no-rules", false, "make the group static, with the contacts it has")
	previewFlag(cmd, &opts.Preview)
	nowFlag(cmd, env)
	yesFlag(cmd, &opts.Yes)
	return cmd
}

func runGroupsSet(ctx context.Context, env *Env, opts groupsSetOptions) error {
	in, err := opts.input()
	if err != nil {
		return err
	}
	if err := env.ask(ctx, &opts.Name, groupQuestion, groupPass); err != nil {
		return err
	}
	if opts.Preview && in.Rules == nil {
		return portal.Invalidf("usage", "preview", "--preview shows what rules would do; give them with --rule")
	}
	if in.Name == nil && in.Rules == nil {
		in.Name = new(string)
		if err := env.ask(ctx, in.Name, "What is its new name?", "--name, --rule or --no-rules"); err != nil {
			return err
		}
	}
	return env.withApp(ctx, func(a *app.App) error {
		if opts.Preview {
			p, err := a.PreviewRules(ctx, opts.Name, *in.Rules)
			if err != nil {
				return err
			}
			return showGroupPreview(env, p)
		}
		if err := confirmRules(ctx, env, a, opts, in); err != nil {
			return err
		}
		g, changes, done, err := a.SetGroup(ctx, opts.Name, in)
		if err != nil {
			return err
		}
		view, err := a.ShowGroup(ctx, g.Name)
		if err != nil {
			return err
		}
		if err := sayRules(ctx, env, a, changes, in, done); err != nil {
			return err
		}
		return env.changed(groupColumns, groupRow(view), changes)
	})
}

func (o *groupsSetOptions) input() (in app.GroupInput, err error) {
	in.Name = o.To
	if len(o.Rules) == 0 && !o.NoRules {
		return in, nil
	}
	rules, err := groupRules(o.Rules)
	in.Rules = &rules
	return in, err
}

// confirmRules asks before rules replace a list that was made by hand.
func confirmRules(ctx context.Context, env *Env, a *app.App, opts groupsSetOptions, in app.GroupInput) error {
	if in.Rules == nil || len(*in.Rules) == 0 {
		return nil
	}
	g, err := a.ShowGroup(ctx, opts.Name)
	switch {
	case portal.KindOf(err) == portal.NotFound && in.Name != nil:
		return nil // renamed already, or SetGroup says that it is missing
	case err != nil:
		return err
	case g.ByRule() || g.Members == 0:
		return nil
	}
	return env.confirm(ctx, opts.Yes, fmt.Sprintf("The access group %q lists %s by hand. Keep only those that match a rule?",
		g.Name, app.Counted(g.Members, "contact", "contacts")))
}

// sayRules tells what new rules have done.
func sayRules(ctx context.Context, env *Env, a *app.App, changes []app.Change, in app.GroupInput, done *app.GroupChange) error {
	if len(changes) > 0 && in.Rules != nil {
		saySelfMade(env, *in.Rules)
	}
	if done.Joined > 0 {
		env.say("%s joined", counted(done.Joined, "contact", "contacts"))
	}
	if done.Left > 0 {
		env.say("%s left", counted(done.Left, "contact", "contacts"))
	}
	return sayGroupAccess(ctx, env, a, done)
}
