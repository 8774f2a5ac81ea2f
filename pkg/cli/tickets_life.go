package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

// later reads a point in time to come: a day with or without a time, or how
// far ahead, such as 3d or 12h. A day alone means its morning.
func (e *Env) later(flag, s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if t, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		return t.Add(9 * time.Hour), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 10000 {
			return e.now().AddDate(0, 0, n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return e.now().Add(d), nil
	}
	return time.Time{}, portal.Invalidf("usage", flag, "%q is not a time to come for --%s; write it like 2026-12-01, \"2026-12-01 14:00\", 3d or 2h", s, flag)
}

func newTicketsTagCmd(env *Env) *cobra.Command {
	var add, remove, as string
	cmd := &cobra.Command{
		Use:     "tag <number>...",
		Short:   "Put tags on tickets, or take them off",
		Long:    "Put tags on tickets, or take them off. Customers do not see them.",
		Example: "  portalctl tickets tag T-1042 T-1043 --add refund,printer\n  portalctl tickets tag T-1042 --remove refund",
		RunE: func(cmd *cobra.Command, args []string) error {
			if add == "" && remove == "" {
				return nothingGiven("--add or --remove")
			}
			ctx := cmd.Context()
			return changeTickets(ctx, env, args, as, func(a *app.App, by portal.Actor) (ticketChange, error) {
				return ticketChange{
					Do: func(n portal.TicketNumber) (bool, error) {
						return a.TagTicket(ctx, app.CommandHand(by), n, add, remove)
					},
					Done: "changed the tags of %s", Already: "unchanged: the tags of %s",
				}, nil
			})
		},
	}
	cmd.Flags().StringVar(&add, "add", "", "tags to put on, with commas")
	cmd.Flags().StringVar(&remove, "remove", "", "tags to take off, with commas")
	asFlag(cmd, &as)
	return cmd
}

func newTicketsSnoozeCmd(env *Env) *cobra.Command {
	var until, as string
	cmd := &cobra.Command{
		Use:   "snooze <number>...",
		Short: "Take tickets out of the queues for a while",
		Long: `Take tickets out of the help desk's queues until a time, or until the customer
writes. Customers do not see it.`,
		Example: "  portalctl tickets snooze T-1042 --until 3d\n  portalctl tickets snooze T-1042 --until \"2026-12-01 14:00\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if err := env.ask(ctx, &until, "Until when?", "--until"); err != nil {
				return err
			}
			at, err := env.later("until", until)
			if err != nil {
				return err
			}
			return changeTickets(ctx, env, args, as, func(a *app.App, by portal.Actor) (ticketChange, error) {
				return ticketChange{
					Do:   func(n portal.TicketNumber) (bool, error) { return a.Snooze(ctx, app.CommandHand(by), n, at) },
					Done: "snoozed %s until " + clock(at), Already: "unchanged: %s is snoozed until then already",
				}, nil
			})
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "until when, such as 2026-12-01, \"2026-12-01 14:00\", 3d or 2h")
	asFlag(cmd, &as)
	return cmd
}

func newTicketsWakeCmd(env *Env) *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:     "wake <number>...",
		Short:   "Put snoozed tickets back into the queues",
		Example: "  portalctl tickets wake T-1042",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return changeTickets(ctx, env, args, as, func(a *app.App, by portal.Actor) (ticketChange, error) {
				return ticketChange{
					Do:   func(n portal.TicketNumber) (bool, error) { return a.Wake(ctx, app.CommandHand(by), n) },
					Done: "%s is back in the queues", Already: "unchanged: %s is not snoozed",
				}, nil
			})
		},
	}
	asFlag(cmd, &as)
	return cmd
}

type ticketsSetOptions struct {
	Subject, Priority, Category, Inbox, Promise, Confidential string
	Fields                                                    []string
	As                                                        string
	given                                                     func(flag string) bool
}

func newTicketsSetCmd(env *Env) *cobra.Command {
	var opts ticketsSetOptions
	cmd := &cobra.Command{
		Use:   "set <number>...",
		Short: "Change priority, category, fields, inbox or promise of tickets",
		Long: `Change what tickets are. Another priority or inbox means other targets. A
promise is a time by which the customer hears again: they read it, an agent's
next answer keeps it, and whoever has the ticket is reminded before it passes.`,
		Example: `  portalctl tickets set T-1042 --priority urgent --category Billing
  portalctl tickets set T-1042 --field order_number=4711 --inbox Billing
  portalctl tickets set T-1042 --promise "2026-12-01 14:00"
  portalctl tickets set T-1042 --promise none`,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.given = cmd.Flags().Changed
			return runTicketsSet(cmd.Context(), env, args, opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Subject, "subject", "", "the new subject")
	f.StringVar(&opts.Priority, "priority", "", "low, normal, high or urgent")
	f.StringVar(&opts.Category, "category", "", "the category; empty: none")
	f.StringVar(&opts.Inbox, "inbox", "", "another inbox, by name or address")
	f.StringVar(&opts.Promise, "promise", "", "when the customer hears again, such as 2d or \"2026-12-01 14:00\"; none takes it back")
	f.StringVar(&opts.Confidential, "confidential", "", "on: requester and participants only; off")
	f.StringArrayVar(&opts.Fields, "field", nil, "a custom field, as key=value; empty removes it (repeatable)")
	choices(cmd, "priority", "low", "normal", "high", "urgent")
	choices(cmd, "confidential", "on", "off")
	asFlag(cmd, &opts.As)
	return cmd
}

// patch reads what is to be changed.
func (o *ticketsSetOptions) patch(ctx context.Context, a *app.App) (p app.TicketPatch, err error) {
	if o.given("subject") {
		p.Subject = &o.Subject
	}
	if o.given("category") {
		p.Category = &o.Category
	}
	if o.given("priority") {
		priority, err := portal.ParsePriority(o.Priority)
		if err != nil {
			return p, err
		}
		p.Priority = &priority
	}
	if o.given("confidential") {
		if o.Confidential != "on" && o.Confidential != "off" {
			return p, portal.Invalidf("usage", "confidential", "%q is neither on nor off", o.Confidential)
		}
		p.Confidential = new(o.Confidential == "on")
	}
	if o.given("inbox") {
		inbox, err := a.Inbox(ctx, o.Inbox)
		if err != nil {
			return p, err
		}
		p.Inbox = &inbox.ID
	}
	if o.given("field") {
		p.Fields = map[string]string{}
		for _, s := range o.Fields {
			key, value, ok := strings.Cut(s, "=")
			if !ok || strings.TrimSpace(key) == "" {
				return p, portal.Invalidf("ticket.field", "field", "%q is not a field; write it like order_number=4711", s)
			}
			p.Fields[strings.TrimSpace(key)] = value
		}
	}
	return p, nil
}

func runTicketsSet(ctx context.Context, env *Env, numbers []string, opts ticketsSetOptions) error {
	some := false
	for _, flag := range []string{"subject", "priority", "category", "inbox", "promise", "confidential", "field"} {
		some = some || opts.given(flag)
	}
	if !some {
		return nothingGiven("--priority, --category, --field, --inbox, --promise, --subject or --confidential")
	}
	var promise time.Time
	if opts.given("promise") && opts.Promise != "none" {
		var err error
		if promise, err = env.later("promise", opts.Promise); err != nil {
			return err
		}
	}
	return changeTickets(ctx, env, numbers, opts.As, func(a *app.App, by portal.Actor) (ticketChange, error) {
		patch, err := opts.patch(ctx, a)
		if err != nil {
			return ticketChange{}, err
		}
		h := app.CommandHand(by)
		return ticketChange{
			Do: func(n portal.TicketNumber) (bool, error) {
				changes, err := a.SetTicket(ctx, h, n, patch)
				if err != nil || !opts.given("promise") {
					return len(changes) > 0, err
				}
				promised, err := a.Promise(ctx, h, n, promise)
				return promised || len(changes) > 0, err
			},
			Done: "changed %s", Already: "unchanged: %s",
		}, nil
	})
}

func newTicketsLinkCmd(env *Env) *cobra.Command {
	var kind, as string
	cmd := &cobra.Command{
		Use:     "link <number> <other>",
		Short:   "Say what a ticket has to do with another one",
		Example: "  portalctl tickets link T-1042 T-1007\n  portalctl tickets link T-1042 T-1007 --kind duplicate_of",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := portal.ParseLinkKind(kind)
			if err != nil {
				return err
			}
			return runTicketsLink(cmd.Context(), env, args, as, func(ctx context.Context, a *app.App, h app.Hand, n, other portal.TicketNumber) (string, string, error) {
				changed, err := a.LinkTickets(ctx, h, n, k, other)
				return said(changed, fmt.Sprintf("%s is %s %s", n, strings.ReplaceAll(string(k), "_", " "), other)), string(k), err
			})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", string(portal.LinkRelated), "what the first is to the other: related, blocks, blocked_by, duplicate_of or duplicated_by")
	choices(cmd, "kind", "related", "blocks", "blocked_by", "duplicate_of", "duplicated_by")
	asFlag(cmd, &as)
	return cmd
}

func newTicketsUnlinkCmd(env *Env) *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:     "unlink <number> <other>",
		Short:   "Remove the link between two tickets",
		Example: "  portalctl tickets unlink T-1042 T-1007",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTicketsLink(cmd.Context(), env, args, as, func(ctx context.Context, a *app.App, h app.Hand, n, other portal.TicketNumber) (string, string, error) {
				changed, err := a.UnlinkTickets(ctx, h, n, other)
				return said(changed, fmt.Sprintf("%s and %s have no link any more", n, other)), "", err
			})
		},
	}
	asFlag(cmd, &as)
	return cmd
}

// said is how a change of one thing is told.
func said(changed bool, what string) string {
	if changed {
		return what
	}
	return "unchanged: " + what
}

var ticketLinkColumns = []output.Column{{Name: "ticket", Head: "Ticket"}, {Name: "other", Head: "Other"}, {Name: "kind", Head: "Kind"}}

func runTicketsLink(ctx context.Context, env *Env, args []string, as string,
	do func(context.Context, *app.App, app.Hand, portal.TicketNumber, portal.TicketNumber) (told, kind string, err error),
) error {
	n, err := portal.ParseTicketNumber(args[0])
	if err != nil {
		return err
	}
	other, err := portal.ParseTicketNumber(args[1])
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		h, err := commandHand(ctx, a, as)
		if err != nil {
			return err
		}
		told, kind, err := do(ctx, a, h, n, other)
		if err != nil {
			return err
		}
		return env.outcome(ticketLinkColumns, []any{n.String(), other.String(), kind}, "%s", told)
	})
}

// commandHand is the hand of a command, in the name of an agent when one is
// named.
func commandHand(ctx context.Context, a *app.App, as string) (app.Hand, error) {
	if as == "" {
		return app.CommandHand(portal.ByOperator), nil
	}
	agent, err := a.ActingAgent(ctx, as)
	if err != nil {
		return app.Hand{}, err
	}
	return app.CommandHand(portal.ByAgent(agent.ID)), nil
}
