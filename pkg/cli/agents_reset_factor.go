package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
)

func newAgentsResetFactorCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "reset-factor [<e-mail>]",
		Short: "Remove the second factor of an agent who has lost it",
		Long: `Remove an agent's authenticator app and recovery codes, for who has lost both.
Make sure first that it is them who ask. Their sessions and sign-in links end,
they are told by mail, and the audit log keeps who did it. Where a second factor
is demanded they set up a new one when they sign in next.`,
		Example: "  portalctl agents reset-factor sam@example.com",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runResetFactor(cmd.Context(), env, firstOf(args), yes, agentQuestion, agentPass, (*app.App).ResetAgentFactor)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

var resetColumns = []output.Column{{Name: "email"}, {Name: "reset"}, {Name: "sessions_ended"}}

func runResetFactor(ctx context.Context, env *Env, address string, yes bool, question, pass string,
	reset func(*app.App, context.Context, string) (*app.FactorReset, error),
) error {
	if err := env.ask(ctx, &address, question, pass); err != nil {
		return err
	}
	if err := env.confirm(ctx, yes, fmt.Sprintf("Remove the second factor of %s?", address)); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		r, err := reset(a, ctx, address)
		if err != nil {
			return err
		}
		row := []any{r.Email, r.Had, r.Ended}
		if !r.Had {
			return env.outcome(resetColumns, row, "unchanged: %s has no authenticator app", r.Email)
		}
		return env.outcome(resetColumns, row, "removed the second factor of %s; %s ended, a mail tells them", r.Email, app.Counted(r.Ended, "session", "sessions"))
	})
}
