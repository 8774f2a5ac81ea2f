package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

type accessExplainOptions struct{ Contact, Ticket string }

func newAccessExplainCmd(env *Env) *cobra.Command {
	var o accessExplainOptions
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Name the rule that shows a ticket or lets a contact in",
		Long: `Say whether a contact gets into the portal and sees a ticket, which rule
decides, the records behind the answer, and what would have to change. Without
--ticket it says whether the contact gets in, and what they see there. The
answer comes from the same rule that pages, lists, search, files and mail
follow.`,
		Example: `  portalctl access explain --contact anna@example.com --ticket T-1042
  portalctl access explain --contact anna@example.com --output json`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runAccessExplain(cmd.Context(), env, o) },
	}
	cmd.Flags().StringVar(&o.Contact, "contact", "", "the contact's e-mail address")
	cmd.Flags().StringVar(&o.Ticket, "ticket", "", "the ticket's number, like T-1042")
	return cmd
}

func runAccessExplain(ctx context.Context, env *Env, o accessExplainOptions) error {
	if o.Contact == "" {
		var err error
		if o.Contact, err = env.Prompt.Input(ctx, "Which contact?", "--contact", nil); err != nil {
			return err
		}
	}
	var number portal.TicketNumber
	if o.Ticket != "" {
		var err error
		if number, err = portal.ParseTicketNumber(o.Ticket); err != nil {
			return err
		}
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.portal(ctx, a)
		if err != nil {
			return err
		}
		x, err := a.Explain(ctx, p.ID, o.Contact, number)
		if err != nil {
			return err
		}
		return showExplanation(env, x)
	})
}

// explanationJSON is an explanation as scripts read it.
type explanationJSON struct {
	Portal  string     `json:"portal"`
	Contact string     `json:"contact"`
	Ticket  string     `json:"ticket,omitempty"`
	Enter   bool       `json:"enter"`
	See     bool       `json:"see"`
	Reply   bool       `json:"reply"`
	Rule    string     `json:"rule"`
	Why     string     `json:"why"`
	Change  string     `json:"change,omitempty"`
	Member  string     `json:"member"`
	Facts   []app.Fact `json:"facts"`
}

func showExplanation(env *Env, x *app.Explanation) error {
	if env.Config.Output == output.JSON {
		j := explanationJSON{
			Portal: x.Portal.Name, Contact: x.Contact.Email, Enter: x.Entry.Allowed, See: x.See, Reply: x.Reply,
			Rule: x.Rule, Why: x.Why, Change: x.Change, Member: x.MemberStatus(), Facts: x.Facts,
		}
		if x.Ticket != nil {
			j.Ticket = x.Ticket.Number.String()
		}
		return env.Printer().JSON(j)
	}
	columns := []output.Column{{Name: "answer", Head: "Answer"}, {Name: "rule", Head: "Rule"}, {Name: "why", Head: "Because"}}
	row := []any{answer(x), x.Rule, x.Why}
	if x.Change != "" || env.Config.Output == output.CSV {
		columns, row = append(columns, output.Column{Name: "change", Head: "To change it"}), append(row, x.Change)
	}
	if env.Config.Output == output.Table {
		for _, f := range x.Facts {
			columns, row = append(columns, output.Column{Name: f.Name, Head: upperFirst(f.Name)}), append(row, f.Value)
		}
	}
	return env.Printer().Object(columns, row)
}

// answer is the explanation in one line.
func answer(x *app.Explanation) string {
	who := x.Contact.Email
	switch {
	case x.Ticket == nil && x.See:
		return "yes, " + who + " gets into " + x.Portal.Name
	case x.Ticket == nil:
		return "no, " + who + " does not get into " + x.Portal.Name
	case x.See && x.Reply:
		return "yes, " + who + " sees " + x.Ticket.Number.String() + " and may answer"
	case x.See:
		return "yes, " + who + " sees " + x.Ticket.Number.String() + " and may read it only"
	}
	return "no, " + who + " does not see " + x.Ticket.Number.String()
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
