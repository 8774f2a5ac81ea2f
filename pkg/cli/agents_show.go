package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newAgentsShowCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "show [<e-mail>]",
		Short:   "Show an agent, with the inboxes they see",
		Example: "  portalctl agents show sam@example.com",
		Args:    upTo(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return runAgentsShow(cmd.Context(), env, firstOf(args)) },
	}
}

func runAgentsShow(ctx context.Context, env *Env, address string) error {
	if err := env.ask(ctx, &address, agentQuestion, agentPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		agent, err := a.Agent(ctx, address)
		if err != nil {
			return err
		}
		names, err := inboxNames(ctx, a)
		if err != nil {
			return err
		}
		return env.Printer().Object(agentColumns, agentRow(agent, names))
	})
}

// agentDeskFlags are how an agent works at the help desk.
type agentDeskFlags struct {
	inbox                      string
	language, timeZone, notify string
	away                       bool
}

func (d *agentDeskFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&d.inbox, "inbox", "", "the inboxes whose tickets they see, separated by commas; or all")
	f.StringVar(&d.language, "language", "", "of the help desk and its mail")
	f.StringVar(&d.timeZone, "time-zone", "", "times are shown in, such as Europe/Stockholm")
	f.StringVar(&d.notify, "notify", "", "of which tickets they hear by mail: all, mine or none")
	f.BoolVar(&d.away, "away", false, "they are away and get no tickets by rule; --away=false: back")
	choices(cmd, "notify", "all", "mine", "none")
}

// into puts what was given into an input.
func (d *agentDeskFlags) into(cmd *cobra.Command, in *app.AgentInput) {
	in.Language, in.TimeZone, in.Notify = given(cmd, "language", d.language), given(cmd, "time-zone", d.timeZone), given(cmd, "notify", d.notify)
	if inbox := given(cmd, "inbox", d.inbox); inbox != nil {
		names := strings.Split(*inbox, ",")
		in.Inboxes = &names
	}
	if cmd.Flags().Changed("away") {
		in.Away = &d.away
	}
}
