package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newMembersRecallCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "recall [<e-mail>...]",
		Short: "Take back invitations that have not gone out",
		Long: `Take back the invitations that a change of settings, groups or contacts has
caused: all of the portal's, or those of the contacts named. They wait two
minutes before they go out, longer while no serve runs. What is taken back was
never there: nobody is told, and the memberships are gone.

Groups stay as they are, and with them who may enter. To let nobody in either,
undo the change, which takes the invitations back as well:
portalctl groups members GROUP --remove ADDRESS. portalctl members invite
invites later.`,
		Example: `  portalctl members recall
  portalctl members recall ann@example.com`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMembersRecall(cmd.Context(), env, args)
		},
	}
}

func runMembersRecall(ctx context.Context, env *Env, addresses []string) error {
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.portal(ctx, a)
		if err != nil {
			return err
		}
		r, err := a.RecallInvitations(ctx, p, addresses)
		if err != nil {
			return err
		}
		rows := make([][]any, len(r.Changes))
		var lines []string
		for i, m := range r.Changes {
			rows[i] = []any{m.Email, status(m.Status), m.Changed, m.Mailed, m.Ended, m.Note}
			if len(addresses) > 0 && !m.Changed {
				lines = append(lines, fmt.Sprintf("unchanged: %s %s", m.Email, m.Note))
			}
		}
		if err := env.outcomes(memberChangeColumns, rows, lines); err != nil {
			return err
		}
		sayRecalled(env, r, len(addresses) > 0)
		return nil
	})
}

func sayRecalled(env *Env, r *app.RecallResult, named bool) {
	switch {
	case r.Back > 0:
		env.say("took back %s; nobody was told", counted(r.Back, "invitation", "invitations"))
	case named:
	case r.Gone > 0:
		env.say("unchanged: nothing can be taken back; %s out within the last hour", counted(r.Gone, "invitation has gone", "invitations have gone"))
	default:
		env.say("unchanged: no invitation waits to go out")
	}
	if r.InGroup > 0 {
		env.say("%s in an access group, which lets them in all the same", counted(r.InGroup, "of them is", "of them are"))
	}
}
