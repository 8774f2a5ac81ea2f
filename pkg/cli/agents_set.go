package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newAgentsSetCmd(env *Env) *cobra.Command {
	var email, name, role, factor string
	var desk agentDeskFlags
	var disable, enable, all bool
	cmd := &cobra.Command{
		Use:   "set [<e-mail>]",
		Short: "Change an agent, or keep one out",
		Long: `Change an agent. A disabled agent is signed out at once and cannot come back in
or be written as; what they wrote stays. A new address and a new role sign out
too. A second factor that is required holds at the agent's next page: who has
no authenticator app sets one up there. --all demands it of every agent there
is.

--inbox names the inboxes whose tickets the agent sees, separated by commas, or
all; an admin sees every ticket whatever it says. The rest is what agents set
for themselves on the help desk's settings page.`,
		Example: `  portalctl agents set sam@example.com --name "Sam Field"
  portalctl agents set sam@example.com --disable
  portalctl agents set sam@example.com --inbox Support,Billing --notify mine
  portalctl agents set --all --second-factor required`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(exclusive(cmd, "disable", "enable"), anyGiven(cmd)); err != nil {
				return err
			}
			rule, err := parsed(given(cmd, "second-factor", factor), portal.ParseFactorRule)
			if err != nil {
				return err
			}
			if all {
				return runAgentsSetAll(cmd, env, args, rule)
			}
			in := app.AgentInput{Email: given(cmd, "email", email), Name: given(cmd, "name", name), Role: given(cmd, "role", role), SecondFactor: rule}
			desk.into(cmd, &in)
			switch {
			case disable:
				in.Disabled = new(true)
			case enable:
				in.Disabled = new(false)
			}
			return runAgentsSet(cmd.Context(), env, firstOf(args), in)
		},
	}
	f := cmd.Flags()
	f.StringVar(&email, "email", "", "another e-mail address")
	f.StringVar(&name, "name", "", "another name")
	f.StringVar(&role, "role", "", "agent or admin")
	f.StringVar(&factor, "second-factor", "", "required: the agent gets in only with a second factor; or optional")
	desk.add(cmd)
	f.BoolVar(&all, "all", false, "every agent; with --second-factor only")
	choices(cmd, "second-factor", "optional", "required")
	f.BoolVar(&disable, "disable", false, "keep the agent out")
	f.BoolVar(&enable, "enable", false, "let the agent in again")
	return cmd
}

func runAgentsSet(ctx context.Context, env *Env, address string, in app.AgentInput) error {
	if err := env.ask(ctx, &address, agentQuestion, agentPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		agent, changes, ended, err := a.SetAgent(ctx, address, in)
		if err != nil {
			return err
		}
		names, err := inboxNames(ctx, a)
		if err != nil {
			return err
		}
		if err := env.changed(agentColumns, agentRow(agent, names), changes); err != nil {
			return err
		}
		if ended > 0 {
			env.say("%s ended", app.Counted(ended, "session", "sessions"))
		}
		return nil
	})
}

// runAgentsSetAll demands a second factor of every agent, or of none. Nothing
// else of an agent is the same for all.
func runAgentsSetAll(cmd *cobra.Command, env *Env, args []string, rule *portal.FactorRule) error {
	for _, flag := range []string{"email", "name", "role", "disable", "enable", "inbox", "language", "time-zone", "notify", "away"} {
		if len(args) > 0 || rule == nil || cmd.Flags().Changed(flag) {
			return portal.Invalidf("usage", "all", "--all goes with --second-factor alone, and without an address")
		}
	}
	ctx := cmd.Context()
	return env.withApp(ctx, func(a *app.App) error {
		agents, err := a.SetAgentsFactor(ctx, *rule)
		if err != nil {
			return err
		}
		names, err := inboxNames(ctx, a)
		if err != nil {
			return err
		}
		rows, lines := [][]any{}, []string{}
		for i := range agents {
			rows = append(rows, agentRow(&agents[i], names))
			lines = append(lines, agents[i].Email+": a second factor is "+string(*rule))
		}
		if len(agents) == 0 {
			lines = append(lines, "unchanged")
		}
		return env.outcomes(agentColumns, rows, lines)
	})
}
