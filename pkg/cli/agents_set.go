package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newAgentsSetCmd(env *Env) *cobra.Command {
	var email, name, role string
	var disable, enable bool
	cmd := &cobra.Command{
		Use:   "set [<e-mail>]",
		Short: "Change an agent, or keep one out",
		Long: `Change an agent. A disabled agent is signed out at once and cannot come back in
or be written as; what they wrote stays. A new address and a new role sign out
too.`,
		Example: `  portalctl agents set sam@example.com --name "Sam Field"
  portalctl agents set sam@example.com --disable`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(exclusive(cmd, "disable", "enable"), anyGiven(cmd)); err != nil {
				return err
			}
			in := app.AgentInput{Email: given(cmd, "email", email), Name: given(cmd, "name", name), Role: given(cmd, "role", role)}
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
		if err := env.changed(agentColumns, agentRow(agent), changes); err != nil {
			return err
		}
		if ended > 0 {
			env.say("%s ended", app.Counted(ended, "session", "sessions"))
		}
		return nil
	})
}
