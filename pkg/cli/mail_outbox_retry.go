package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func newMailOutboxRetryCmd(env *Env) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "retry [<id>...]",
		Short: "Send waiting or failed mail at the next opportunity",
		Example: `  portalctl mail outbox retry 17
  portalctl mail outbox retry --all`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMailOutboxRetry(cmd.Context(), env, args, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every failed mail")
	return cmd
}

const mailQuestion = "Which mail? Its id:"

func runMailOutboxRetry(ctx context.Context, env *Env, words []string, all bool) error {
	if all && len(words) > 0 {
		return portal.Invalidf("usage", "all", "--all and ids exclude each other")
	}
	if all {
		return env.withApp(ctx, func(a *app.App) error {
			n, err := a.RetryFailedMails(ctx)
			if err != nil {
				return err
			}
			if n == 0 {
				return env.outcome(retriedColumns, []any{n}, "unchanged: no mail has failed")
			}
			if err := env.outcome(retriedColumns, []any{n}, "%s due again", app.Counted(n, "mail is", "mails are")); err != nil {
				return err
			}
			return env.sayIfNoMail(ctx, a, "")
		})
	}
	words, err := env.askAll(ctx, words, mailQuestion, "the mail's id as an argument, or --all")
	if err != nil {
		return err
	}
	return changeMails(ctx, env, words, "due again", (*app.App).RetryMails)
}

var retriedColumns = []output.Column{{Name: "retried"}}

// changeMails does one thing to the mails named and tells what came of it.
func changeMails(ctx context.Context, env *Env, words []string, done string,
	change func(*app.App, context.Context, []portal.MailID) ([]app.MailChange, error),
) error {
	ids, err := mailIDs(words)
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		list, err := change(a, ctx, ids)
		if err != nil {
			return err
		}
		rows, lines := make([][]any, len(list)), make([]string, len(list))
		for i := range list {
			m := &list[i]
			rows[i] = append(mailRow(&m.Mail), m.Changed)
			lines[i] = fmt.Sprintf("mail %d to %s: %s", m.ID, m.Recipient, done)
			if !m.Changed {
				lines[i] = fmt.Sprintf("unchanged: mail %d to %s is %s", m.ID, m.Recipient, mailIs(&m.Mail))
			}
		}
		columns := append(mailColumns[:len(mailColumns):len(mailColumns)], output.Column{Name: "changed"})
		return env.outcomes(columns, rows, lines)
	})
}

// mailIs says where a mail stands that could not be changed.
func mailIs(m *store.Mail) string {
	if m.State() == store.MailWaiting {
		return "being sent right now"
	}
	return string(m.State())
}
