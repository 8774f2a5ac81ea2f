package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
)

func newMailOutboxDropCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "drop [<id>...]",
		Short:   "Never send waiting or failed mail",
		Example: "  portalctl mail outbox drop 17 --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMailOutboxDrop(cmd.Context(), env, args, yes)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func runMailOutboxDrop(ctx context.Context, env *Env, words []string, yes bool) error {
	words, err := env.askAll(ctx, words, mailQuestion, "the mail's id as an argument")
	if err != nil {
		return err
	}
	if _, err := mailIDs(words); err != nil {
		return err
	}
	if err := env.confirm(ctx, yes, "Never send mail "+strings.Join(words, ", ")+"?"); err != nil {
		return err
	}
	return changeMails(ctx, env, words, "dropped", (*app.App).DropMails)
}
