package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newTicketsReopenCmd(env *Env) *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:     "reopen <number>...",
		Short:   "Reopen closed tickets",
		Example: "  portalctl tickets reopen T-1042",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTicketsReopen(cmd.Context(), env, args, as)
		},
	}
	asFlag(cmd, &as)
	return cmd
}

func runTicketsReopen(ctx context.Context, env *Env, numbers []string, as string) error {
	return changeTickets(ctx, env, numbers, as, func(a *app.App, by portal.Actor) (ticketChange, error) {
		return ticketChange{
			Do:   func(n portal.TicketNumber) (bool, error) { return a.DeskReopen(ctx, by, n) },
			Done: "reopened %s", Already: "unchanged: %s is open already",
		}, nil
	})
}
