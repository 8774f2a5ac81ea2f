package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

type ticketsAssignOptions struct {
	Numbers []string
	To      string
	Nobody  bool
	As      string
}

func newTicketsAssignCmd(env *Env) *cobra.Command {
	var opts ticketsAssignOptions
	cmd := &cobra.Command{
		Use:   "assign <number>...",
		Short: "Give tickets to an agent, or to nobody",
		Example: `  portalctl tickets assign T-1042 T-1043 --to sam@example.com
  portalctl tickets assign T-1042 --nobody`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := exclusive(cmd, "to", "nobody"); err != nil {
				return err
			}
			opts.Numbers = args
			return runTicketsAssign(cmd.Context(), env, opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.To, "to", "", "the agent, by e-mail address")
	f.BoolVar(&opts.Nobody, "nobody", false, "take it from whoever has it")
	asFlag(cmd, &opts.As)
	return cmd
}

// asFlag adds the flag that says who acts; without it the history names the
// operator.
func asFlag(cmd *cobra.Command, as *string) {
	cmd.Flags().StringVar(as, "as", "", "the agent who does it, by e-mail address (default: the operator)")
}

func runTicketsAssign(ctx context.Context, env *Env, opts ticketsAssignOptions) error {
	if !opts.Nobody {
		if err := env.ask(ctx, &opts.To, agentQuestion, "--to or --nobody"); err != nil {
			return err
		}
	}
	return changeTickets(ctx, env, opts.Numbers, opts.As, func(a *app.App, by portal.Actor) (ticketChange, error) {
		if opts.Nobody {
			return ticketChange{
				Do:   func(n portal.TicketNumber) (bool, error) { return a.AssignTicket(ctx, by, n, 0) },
				Done: "nobody has %s now", Already: "unchanged: nobody has %s",
			}, nil
		}
		agent, err := a.Agent(ctx, opts.To)
		if err != nil {
			return ticketChange{}, err
		}
		return ticketChange{
			Do:   func(n portal.TicketNumber) (bool, error) { return a.AssignTicket(ctx, by, n, agent.ID) },
			Done: agent.Name + " has %s now", Already: "unchanged: " + agent.Name + " has %s already",
		}, nil
	})
}
