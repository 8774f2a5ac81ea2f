package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

type ticketsMergeOptions struct {
	From, Into, As string
	Yes            bool
}

func newTicketsMergeCmd(env *Env) *cobra.Command {
	var opts ticketsMergeOptions
	cmd := &cobra.Command{
		Use:   "merge <number>",
		Short: "Merge a ticket into another one",
		Long: `Merge a ticket into another one: its messages, notes and files move there, in
order of time; it is closed, and whoever opens it or answers a mail about it is
led to the other. Its requester and participants become participants there. Who
comes to read what they could not before is said first.`,
		Example: "  portalctl tickets merge T-1043 --into T-1042",
		Args:    oneArg("the ticket's number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.From = args[0]
			return runTicketsMerge(cmd.Context(), env, opts)
		},
	}
	cmd.Flags().StringVar(&opts.Into, "into", "", "the ticket that stays")
	yesFlag(cmd, &opts.Yes)
	asFlag(cmd, &opts.As)
	return cmd
}

var mergeColumns = []output.Column{
	{Name: "number", Head: "Number"}, {Name: "merged_into", Head: "Merged into"}, {Name: "joined", Head: "Joined"}, {Name: "readers", Head: "Readers"},
}

func runTicketsMerge(ctx context.Context, env *Env, opts ticketsMergeOptions) error {
	if err := env.ask(ctx, &opts.Into, "Into which ticket?", "--into"); err != nil {
		return err
	}
	from, err := portal.ParseTicketNumber(opts.From)
	if err != nil {
		return err
	}
	into, err := portal.ParseTicketNumber(opts.Into)
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		h, err := commandHand(ctx, a, opts.As)
		if err != nil {
			return err
		}
		plan, err := a.PlanMerge(ctx, h, from, into)
		if err != nil {
			return err
		}
		for _, line := range mergeEffects(plan) {
			env.say("%s", line)
		}
		if err := env.confirm(ctx, opts.Yes, fmt.Sprintf("Merge %s into %s?", from, into)); err != nil {
			return err
		}
		if err := a.Merge(ctx, h, from, into, plan.Seen); err != nil {
			return err
		}
		row := []any{from.String(), into.String(), addressesOf(plan.Joins), addressesOf(plan.Readers)}
		return env.outcome(mergeColumns, row, "merged %s into %s", from, into)
	})
}

// mergeEffects says what a merge does to who reads what.
func mergeEffects(p *app.MergePlan) []string {
	var list []string
	from, into := p.From.Number, p.Into.Number
	if len(p.Joins) > 0 {
		list = append(list, fmt.Sprintf("become participants of %s and read everything in it: %s", into, strings.Join(addressesOf(p.Joins), ", ")))
	}
	if len(p.Readers) > 0 {
		list = append(list, fmt.Sprintf("come to read the messages of %s: %s", from, strings.Join(addressesOf(p.Readers), ", ")))
	}
	if p.Colleagues != "" {
		list = append(list, fmt.Sprintf("everybody who sees the tickets of %s comes to read the messages of %s", p.Colleagues, from))
	}
	if p.Confidential {
		list = append(list, fmt.Sprintf("%s becomes confidential, as %s is", into, from))
	}
	if len(p.Loses) > 0 {
		list = append(list, "see less by company view: "+strings.Join(p.Loses, ", "))
	}
	if p.Reopens {
		list = append(list, fmt.Sprintf("%s is closed and opens again", into))
	}
	if p.OtherInbox {
		list = append(list, fmt.Sprintf("agents who see only the inbox %s lose %s", p.From.InboxName, from))
	}
	return list
}

func addressesOf(list []portal.Contact) []string {
	addresses := []string{}
	for _, c := range list {
		addresses = append(addresses, c.Email)
	}
	return addresses
}

type ticketsSplitOptions struct {
	Number, Subject, As string
	At                  int64
}

func newTicketsSplitCmd(env *Env) *cobra.Command {
	var opts ticketsSplitOptions
	cmd := &cobra.Command{
		Use:   "split <number>",
		Short: "Make a message and what follows it a ticket of its own",
		Long: `Make a public message of a ticket, and everything after it, a new ticket that is
linked to the old one. The same people see both. "tickets show --output csv"
lists the messages with their numbers.`,
		Example: "  portalctl tickets split T-1042 --at 318 --subject \"The other printer\"",
		Args:    oneArg("the ticket's number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Number = args[0]
			if !cmd.Flags().Changed("at") {
				return nothingGiven("--at with the number of a message")
			}
			return runTicketsSplit(cmd.Context(), env, opts)
		},
	}
	cmd.Flags().Int64Var(&opts.At, "at", 0, "the first message that goes, by its number")
	cmd.Flags().StringVar(&opts.Subject, "subject", "", "the new ticket's subject (default: the same)")
	asFlag(cmd, &opts.As)
	return cmd
}

func runTicketsSplit(ctx context.Context, env *Env, opts ticketsSplitOptions) error {
	n, err := portal.ParseTicketNumber(opts.Number)
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		h, err := commandHand(ctx, a, opts.As)
		if err != nil {
			return err
		}
		split, err := a.Split(ctx, h, n, portal.MessageID(opts.At), opts.Subject)
		if err != nil {
			return err
		}
		columns := []output.Column{{Name: "number", Head: "Number"}, {Name: "split_from", Head: "Split from"}}
		return env.outcome(columns, []any{split.String(), n.String()}, "split %s off from %s", split, n)
	})
}
