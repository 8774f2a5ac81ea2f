package cli

import (
	"bytes"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

type ticketsReplyOptions struct {
	Number string
	Text   *string
	As     string
	Attach []string
	Close  bool
	Note   bool
}

func newTicketsReplyCmd(env *Env) *cobra.Command {
	var opts ticketsReplyOptions
	cmd := &cobra.Command{
		Use:   "reply <number> [<text>]",
		Short: "Answer the customer as an agent",
		Long: `Answer the customer. Requester and participants are told by mail. The text is
the second argument, or comes from standard input (also with - as argument), or
from the editor that EDITOR names. It may hold Markdown.`,
		Example: `  portalctl tickets reply T-1042 "The new part is on its way." --close
  portalctl tickets reply T-1042 --as sam@example.com --attach invoice.pdf < answer.md`,
		Args: upTo(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Number, opts.Text = numberAndText(args)
			return runTicketsReply(cmd.Context(), env, opts)
		},
	}
	opts.flags(cmd)
	cmd.Flags().BoolVar(&opts.Close, "close", false, "close the ticket with it")
	return cmd
}

func (o *ticketsReplyOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.As, "as", "", "the agent who writes, by e-mail address (default: the only one)")
	cmd.Flags().StringArrayVar(&o.Attach, "attach", nil, "attach a file (repeatable)")
}

func numberAndText(args []string) (number string, text *string) {
	if len(args) > 1 {
		text = &args[1]
	}
	return firstOf(args), text
}

const textPass = "the text as the second argument"

func runTicketsReply(ctx context.Context, env *Env, opts ticketsReplyOptions) error {
	if err := env.ask(ctx, &opts.Number, ticketQuestion, ticketPass); err != nil {
		return err
	}
	n, err := portal.ParseTicketNumber(opts.Number)
	if err != nil {
		return err
	}
	files, closeFiles, err := uploads(opts.Attach)
	defer closeFiles()
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		// All that can be refused is refused before somebody writes a text.
		agent, err := a.ActingAgent(ctx, opts.As)
		if err != nil {
			return err
		}
		t, err := a.ShowTicket(ctx, n, opts.Note)
		if err != nil {
			return err
		}
		text, err := env.messageText(ctx, opts.Text, textPass, env.lastMessages(t))
		if err != nil {
			return err
		}
		err = a.DeskReply(ctx, agent.ID, n, app.Answer{Body: text.Text, Files: files, Close: opts.Close, Note: opts.Note})
		if err := text.finish(err); err != nil {
			return err
		}
		return env.showReply(ctx, a, n, opts, agent)
	})
}

// lastMessages is what somebody wants to see while answering.
func (e *Env) lastMessages(t *app.TicketDetail) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s  %s\n", t.Number, output.Clean(t.Subject))
	for i := max(0, len(t.Messages)-3); i < len(t.Messages); i++ {
		e.message(&b, &t.Messages[i])
	}
	return b.String()
}

var ticketChangeColumns = []output.Column{{Name: "number"}, {Name: "status"}, {Name: "assignee"}, {Name: "changed"}}

func ticketChangeRow(t *app.TicketDetail, changed bool) []any {
	return []any{t.Number.String(), string(t.Status), t.AssigneeName, changed}
}

func (e *Env) showReply(ctx context.Context, a *app.App, n portal.TicketNumber, opts ticketsReplyOptions, agent *portal.Agent) error {
	t, err := a.ShowTicket(ctx, n, false)
	if err != nil {
		return err
	}
	if opts.Note {
		return e.outcome(ticketChangeColumns, ticketChangeRow(t, true), "noted on %s as %s; customers do not see it", n, agent.Name)
	}
	done := "answered"
	if opts.Close {
		done = "answered and closed"
	}
	if err := e.outcome(ticketChangeColumns, ticketChangeRow(t, true), "%s %s as %s", done, n, agent.Name); err != nil {
		return err
	}
	return e.sayIfNoMail(ctx, a, "")
}
