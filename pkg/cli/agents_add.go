package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

type agentsAddOptions struct {
	Email, Name string
	Role        *string
	Factor      *string
}

func newAgentsAddCmd(env *Env) *cobra.Command {
	var opts agentsAddOptions
	var role, factor string
	cmd := &cobra.Command{
		Use:     "add [<e-mail>]",
		Short:   "Add an agent",
		Example: `  portalctl agents add --email sam@example.com --name "Sam Field" --role admin`,
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			email, err := argOrFlag(cmd, args, "email", opts.Email)
			if err != nil {
				return err
			}
			opts.Email = email
			opts.Role, opts.Factor = given(cmd, "role", role), given(cmd, "second-factor", factor)
			return runAgentsAdd(cmd.Context(), env, opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Email, "email", "", "the agent's e-mail address")
	f.StringVar(&opts.Name, "name", "", "the agent's name, as customers read it")
	f.StringVar(&role, "role", "agent", "agent or admin")
	f.StringVar(&factor, "second-factor", "optional", "required: the agent gets in only with a second factor")
	choices(cmd, "second-factor", "optional", "required")
	return cmd
}

func runAgentsAdd(ctx context.Context, env *Env, opts agentsAddOptions) error {
	rule, err := parsed(opts.Factor, portal.ParseFactorRule)
	if err != nil {
		return err
	}
	if err := env.ask(ctx, &opts.Email, "What is the agent's e-mail address?", "--email"); err != nil {
		return err
	}
	if err := env.ask(ctx, &opts.Name, "What is the agent's name?", "--name"); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		agent, added, err := a.AddAgent(ctx, app.AgentInput{Email: &opts.Email, Name: &opts.Name, Role: opts.Role, SecondFactor: rule})
		if err != nil {
			return err
		}
		names, err := inboxNames(ctx, a)
		if err != nil {
			return err
		}
		if !added {
			return env.outcome(agentColumns, agentRow(agent, names), "unchanged: %s is an agent already", agent.Email)
		}
		return env.outcome(agentColumns, agentRow(agent, names), "added the agent %s <%s>", agent.Name, agent.Email)
	})
}
