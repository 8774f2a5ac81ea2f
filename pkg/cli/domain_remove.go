package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
)

func newDomainRemoveCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove <host>",
		Short: "Remove a connected domain and move its portals",
		Long: `Remove a connected domain. Portals that have their address there move to the
system domain, the address of this machine, with the slugs they have; addresses
there that lead to portals end. Links to the domain lead nowhere from then on.

What would move and end is said and asked first. To keep links alive, give the
portal another domain instead and leave this one connected: portalctl portal set
--domain.`,
		Example: "  portalctl domain remove support.example.com\n  portalctl domain remove support.example.com --yes",
		Args:    oneArg("the domain"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDomainRemove(cmd.Context(), env, args[0], yes)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func runDomainRemove(ctx context.Context, env *Env, name string, yes bool) error {
	return env.withApp(ctx, func(a *app.App) error {
		plan, err := a.PlanDomainRemoval(ctx, name)
		if err != nil {
			return err
		}
		if !yes {
			sayRemoval(env, plan)
		}
		if err := env.confirm(ctx, yes, fmt.Sprintf("Remove the domain %s? To use it again it has to be proven anew.", plan.Domain.Host)); err != nil {
			return err
		}
		r, err := a.RemoveDomain(ctx, name)
		if err != nil {
			return err
		}
		env.say("removed the domain %s", r.Domain.Host)
		for i := range r.Moved {
			moved := &r.Moved[i]
			env.say("%q is at %s now; links to %s lead nowhere any more", moved.Portal.Name, moved.Move.To, moved.Move.From)
			sayMoved(env, &moved.Portal, &moved.Move)
		}
		for i := range r.Ended {
			env.say("%s does not lead to %q any more", r.Ended[i].URL, r.Ended[i].Owner)
		}
		if env.Config.Output == output.Table {
			return nil
		}
		return env.Printer().Object(removalColumns, removalRow(r))
	})
}

// sayRemoval tells what removing a domain would do, before it is asked for.
func sayRemoval(env *Env, r *app.DomainRemoval) {
	for i := range r.Moved {
		env.say("%q moves to %s; links to %s will lead nowhere", r.Moved[i].Portal.Name, r.Moved[i].Move.To, r.Moved[i].Move.From)
		if app.MailWithheld(&r.Moved[i].Portal) {
			env.say("  there its access groups get no membership mail")
		}
	}
	for i := range r.Ended {
		env.say("%s, which leads to %q, will lead nowhere", r.Ended[i].URL, r.Ended[i].Owner)
	}
}

var removalColumns = []output.Column{{Name: "domain"}, {Name: "moved"}, {Name: "ended"}}

// removalRow names the portals that moved by where they are now, and the
// addresses that ended.
func removalRow(r *app.DomainRemoval) []any {
	moved, ended := []string{}, []string{}
	for i := range r.Moved {
		moved = append(moved, r.Moved[i].Move.To)
	}
	for i := range r.Ended {
		ended = append(ended, r.Ended[i].URL)
	}
	return []any{r.Domain.Host, moved, ended}
}
