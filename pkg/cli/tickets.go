package cli

import "github.com/spf13/cobra"

func newTicketsCmd(env *Env) *cobra.Command {
	cmd := noun("tickets", "Tickets: how customers use them, and answering them",
		`  portalctl tickets configure --permissions company
  portalctl tickets list
  portalctl tickets reply T-1042 "It is on its way."`,
		newTicketsListCmd(env),
		newTicketsShowCmd(env),
		newTicketsCreateCmd(env),
		newTicketsReplyCmd(env),
		newTicketsNoteCmd(env),
		newTicketsAssignCmd(env),
		newTicketsSetCmd(env),
		newTicketsTagCmd(env),
		newTicketsSnoozeCmd(env),
		newTicketsWakeCmd(env),
		newTicketsLinkCmd(env),
		newTicketsUnlinkCmd(env),
		newTicketsMergeCmd(env),
		newTicketsSplitCmd(env),
		newTicketsCloseCmd(env),
		newTicketsReopenCmd(env),
		newTicketsImportCmd(env),
		newTicketsExportCmd(env),
		newTicketsReportCmd(env),
		newTicketsConfigureCmd(env),
	)
	cmd.Aliases = []string{"ticket"}
	return cmd
}
