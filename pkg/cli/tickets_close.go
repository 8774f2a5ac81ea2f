package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newTicketsCloseCmd(env *Env) *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:     "close <number>...",
		Short:   "Close tickets",
		Long:    "Close tickets. Requester and participants are told by mail.",
		Example: "  portalctl tickets close T-1042 T-1043",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTicketsClose(cmd.Context(), env, args, as)
		},
	}
	asFlag(cmd, &as)
	return cmd
}

func runTicketsClose(ctx context.Context, env *Env, numbers []string, as string) error {
	return changeTickets(ctx, env, numbers, as, func(a *app.App, by portal.Actor) (ticketChange, error) {
		return ticketChange{
			Do:   func(n portal.TicketNumber) (bool, error) { return a.DeskClose(ctx, by, n) },
			Done: "closed %s", Already: "unchanged: %s is closed already",
		}, nil
	})
}

// ticketChange is one thing to do to several tickets, and how to tell it. %s
// stands for the number.
type ticketChange struct {
	Do            func(portal.TicketNumber) (changed bool, err error)
	Done, Already string
}

// changeTickets does one thing to each of the tickets. What can be done is
// done, and told, even when some of them cannot be changed.
func changeTickets(ctx context.Context, env *Env, words []string, as string,
	prepare func(*app.App, portal.Actor) (ticketChange, error),
) error {
	words, err := env.askAll(ctx, words, ticketQuestion, ticketPass)
	if err != nil {
		return err
	}
	numbers, err := ticketNumbers(words)
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		by := portal.ByOperator
		if as != "" {
			agent, err := a.ActingAgent(ctx, as)
			if err != nil {
				return err
			}
			by = portal.ByAgent(agent.ID)
		}
		change, err := prepare(a, by)
		if err != nil {
			return err
		}
		var rows [][]any
		var lines []string
		var problems []error
		for _, n := range numbers {
			changed, err := change.Do(n)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			t, err := a.ShowTicket(ctx, n, false)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			line := change.Already
			if changed {
				line = change.Done
			}
			rows, lines = append(rows, ticketChangeRow(t, changed)), append(lines, strings.Replace(line, "%s", n.String(), 1))
		}
		return errors.Join(append([]error{env.outcomes(ticketChangeColumns, rows, lines)}, problems...)...)
	})
}
