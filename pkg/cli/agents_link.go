package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newAgentsLinkCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "link [<e-mail>]",
		Short: "Print a link that signs an agent in",
		Long: `Print a link that signs an agent in to the help desk; with --portal, to that
portal as its customers see it. It works once and for a short time, and whoever
has it gets in: treat it like a password.`,
		Example: "  portalctl agents link sam@example.com",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAgentsLink(cmd.Context(), env, firstOf(args))
		},
	}
}

func runAgentsLink(ctx context.Context, env *Env, address string) error {
	if err := env.ask(ctx, &address, agentQuestion, agentPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		lead := a.Desk
		if env.Config.Portal != "" {
			lead = func(ctx context.Context) (*portal.Portal, error) { return env.portal(ctx, a) }
		}
		p, err := lead(ctx)
		if err != nil {
			return err
		}
		// Disabled agents are refused here, with what to do about it.
		agent, err := a.ActingAgent(ctx, address)
		if err != nil {
			return err
		}
		url, err := a.AgentLink(ctx, p, agent.ID)
		if err != nil {
			return err
		}
		return env.printLink(agent.Email, url, "a sign-in link for "+agent.Email+", "+goodFor(url))
	})
}
