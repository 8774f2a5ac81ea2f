package cli

import (
	"github.com/spf13/cobra"
)

func newTicketsNoteCmd(env *Env) *cobra.Command {
	opts := ticketsReplyOptions{Note: true}
	cmd := &cobra.Command{
		Use:   "note <number> [<text>]",
		Short: "Write an internal note that customers do not see",
		Long: `Write an internal note: no customer sees it or is told of it. The text is the
second argument, or comes from standard input (also with - as argument), or from
the editor that EDITOR names.`,
		Example: `  portalctl tickets note T-1042 "Spoke on the phone, waits for the part."`,
		Args:    upTo(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Number, opts.Text = numberAndText(args)
			return runTicketsReply(cmd.Context(), env, opts)
		},
	}
	opts.flags(cmd)
	return cmd
}
