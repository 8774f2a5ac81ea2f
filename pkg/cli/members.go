package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newMembersCmd(env *Env) *cobra.Command {
	cmd := noun("members", "Members: contacts who may sign in to a portal",
		`  portalctl members list
  portalctl members invite ann@example.com
  portalctl members link ann@example.com`,
		newMembersListCmd(env),
		newMembersShowCmd(env),
		newMembersInviteCmd(env),
		newMembersRecallCmd(env),
		newMembersLinkCmd(env),
		newMembersApproveCmd(env),
		newMembersRefuseCmd(env),
		newMembersDisableCmd(env),
		newMembersRemoveCmd(env),
	)
	cmd.Aliases = []string{"member"}
	return cmd
}

const memberQuestion, memberPass = "Whose e-mail address?", "the e-mail address as an argument"

var memberChangeColumns = []output.Column{
	{Name: "email"}, {Name: "status"}, {Name: "changed"}, {Name: "mailed"}, {Name: "sessions_ended"}, {Name: "note"},
}

// changeMembers does one thing to the members named and tells what came of it.
func changeMembers(ctx context.Context, env *Env, addresses []string, done string,
	change func(*app.App, *portal.Portal) ([]app.MemberChange, error),
) error {
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.portal(ctx, a)
		if err != nil {
			return err
		}
		list, err := change(a, p)
		if err != nil {
			return err
		}
		mailed := false
		rows, lines := make([][]any, len(list)), make([]string, len(list))
		for i, m := range list {
			mailed = mailed || m.Mailed
			rows[i] = []any{m.Email, status(m.Status), m.Changed, m.Mailed, m.Ended, m.Note}
			lines[i] = memberLine(m, done)
		}
		if err := env.outcomes(memberChangeColumns, rows, lines); err != nil || !mailed {
			return err
		}
		return env.sayIfNoMail(ctx, a, membersLinkHint)
	})
}

func memberLine(m app.MemberChange, done string) string {
	if !m.Changed {
		return fmt.Sprintf("unchanged: %s %s", m.Email, m.Note)
	}
	line := fmt.Sprintf("%s %s", done, m.Email)
	switch {
	case m.Mailed:
		line += "; a mail is queued"
	case m.Note != "":
		line += "; " + m.Note
	}
	if m.Ended > 0 {
		line += "; " + app.Counted(m.Ended, "session", "sessions") + " ended"
	}
	return line
}

// status is nil for no status, so that JSON has null.
func status(s portal.MemberStatus) any {
	if s == "" {
		return nil
	}
	return string(s)
}
