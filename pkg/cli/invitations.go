package cli

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

// graceHelp tells of the pause before invitations that a change causes.
const graceHelp = `Whoever gets in by the change is invited two minutes later. Until then the
change can be undone, or portalctl members recall takes the invitations back,
and nobody is told. --now sends them at once.`

// nowFlag adds --now to a command whose change may invite people.
func nowFlag(cmd *cobra.Command, env *Env) {
	cmd.Flags().BoolVar(&env.inviteNow, "now", false, "send invitations at once, without the two minutes in which they can be taken back")
}

// sayInvitations tells whom a change has invited, until when that can be taken
// back, and what was.
func (e *Env) sayInvitations(inv *app.Invitations) {
	silent := inv.Invited - inv.Mails
	if silent > 0 {
		e.say("%s without a mail", counted(silent, "contact became a member", "contacts became members"))
	}
	if n := inv.Registered; n > 0 {
		e.say("%s in another portal already and %s no invitation: they sign in with what they have",
			counted(n, "contact is registered", "contacts are registered"), counts(n, "needs", "need"))
	}
	switch who := counted(inv.Mails, "contact is invited", "contacts are invited"); {
	case inv.Mails == 0:
	case inv.Until.IsZero():
		e.say("%s; the mail leaves at once, by `portalctl serve`", who)
	default:
		e.say("%s; the mail goes out at %s", who, timeOfDay(inv.Until))
	}
	if !inv.Until.IsZero() {
		e.say("nobody is told until %s: undo the change, or take %s back with portalctl members recall", timeOfDay(inv.Until),
			counts(inv.Invited, "the invitation", "the invitations"))
	}
	if n := inv.TakenBack; n > 0 {
		e.say("%s taken back; nobody was told", counted(n, "invitation was", "invitations were"))
	}
	if n := inv.Told; n > 0 {
		e.say("%s out already; %s", counted(n, "invitation had gone", "invitations had gone"), counts(n, "it leads nowhere any more", "they lead nowhere any more"))
	}
}

// timeOfDay is the time of day of something that happens soon.
func timeOfDay(t time.Time) string { return t.Local().Format(time.TimeOnly) }

// sayWaiting tells of invitations that rules have caused since a command
// began, because contacts changed.
func (e *Env) sayWaiting(ctx context.Context, a *app.App, since time.Time) error {
	list, err := a.WaitingInvitations(ctx, since)
	if err != nil {
		return err
	}
	for _, w := range list {
		e.say("rules let %s into %q; nobody is told until %s: portalctl members recall --portal %s takes it back",
			counted(w.Count, "contact", "contacts"), w.Portal.Name, timeOfDay(w.Until), shellWord(cmp.Or(w.Portal.Slug, w.Portal.Name)))
	}
	return nil
}
