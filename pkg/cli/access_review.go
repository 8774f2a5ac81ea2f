package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

type accessReviewOptions struct{ Marked bool }

func newAccessReviewCmd(env *Env) *cobra.Command {
	var o accessReviewOptions
	cmd := &cobra.Command{
		Use:   "review",
		Short: "List everyone with access, how, and what they see",
		Long: `List everyone who gets into each portal, or into the one --portal names: what
lets them in, which tickets they see and how many (up to 1000), and when they
last signed in. The answers come from the rule that pages and mail follow.

What should be looked at is marked:

  stale               no sign-in in 90 days; for somebody who never came, since
                      they were invited or became a member
  two_companies       the contact belongs to more than one company
  disabled_in_group   the member is disabled, so does not get in, but an access
                      group lists them: enabled again, they would

Agents see every ticket and are not in this list; "agents list" names them.`,
		Example: `  portalctl access review
  portalctl access review --marked
  portalctl access review --portal help --output csv > review.csv`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runAccessReview(cmd.Context(), env, o) },
	}
	cmd.Flags().BoolVar(&o.Marked, "marked", false, "only those with a mark")
	return cmd
}

func runAccessReview(ctx context.Context, env *Env, o accessReviewOptions) error {
	return env.withApp(ctx, func(a *app.App) error {
		portals, err := env.portals(ctx, a)
		if err != nil {
			return err
		}
		list := env.Printer().Stream(reviewColumns(len(portals) > 1))
		marked := 0
		err = a.Review(ctx, portals, func(r *app.ReviewRow) error {
			if len(r.Marks) > 0 {
				marked++
			} else if o.Marked {
				return nil
			}
			return list.Row(env.reviewRow(r)...)
		})
		if err != nil {
			return err
		}
		empty := "nobody has access; let contacts in with portalctl access set"
		if o.Marked {
			empty = "nobody is marked"
		}
		if err := list.Close(empty); err != nil {
			return err
		}
		for i := range portals {
			if portals[i].State != portal.Live && list.Count() > 0 {
				env.say("%s is %s: its customers see nothing until it is live", portals[i].Name, portals[i].State)
			}
		}
		if list.Count() > 0 {
			env.say("%s, %d marked", counted(list.Count(), "contact", "contacts"), marked)
		}
		return nil
	})
}

// portals are the one that --portal names, or all there are.
func (e *Env) portals(ctx context.Context, a *app.App) ([]portal.Portal, error) {
	if e.Config.Portal == "" {
		list, err := a.Portals(ctx)
		if err != nil || len(list) > 0 {
			return list, err
		}
	}
	p, err := e.portal(ctx, a)
	if err != nil {
		return nil, err
	}
	return []portal.Portal{*p}, nil
}

// reviewColumns are the columns of a review; tables name the portal only when
// there are several.
func reviewColumns(several bool) []output.Column {
	columns := []output.Column{
		{Name: "portal"},
		{Name: "email", Head: "E-mail", Keep: true},
		{Name: "name", Head: "Name", Spare: true},
		{Name: "company", Head: "Company", Spare: true},
		{Name: "companies"},
		{Name: "enters"},
		{Name: "how", Head: "How"},
		{Name: "rule"},
		{Name: "groups"},
		{Name: "status", Head: "Status", Spare: true},
		{Name: "sees", Head: "Sees"},
		{Name: "sees_companies"},
		{Name: "answers_company"},
		{Name: "tickets", Head: "Tickets"},
		{Name: "tickets_capped"},
		{Name: "last_sign_in_at", Head: "Signed in"},
		{Name: "marks", Head: "Marks", Keep: true},
	}
	if several {
		columns[0].Head = "Portal"
	}
	return columns
}

func (e *Env) reviewRow(r *app.ReviewRow) []any {
	company, how := "", r.How()
	if r.Contact.Primary != 0 {
		company = r.Companies[0]
	}
	marks := make([]string, len(r.Marks))
	for i, m := range r.Marks {
		marks[i] = string(m)
	}
	var tickets, lastSignIn any = r.Tickets, r.LastSignIn()
	if e.Config.Output == output.Table {
		// A table is narrow: it says less, in words.
		for i, m := range r.Marks {
			marks[i] = m.Text()
		}
		if r.Entry.Allowed {
			how = strings.TrimPrefix(how, "group ")
		}
		if r.Capped {
			tickets = fmt.Sprintf("%d+", r.Tickets)
		}
		lastSignIn = "never"
		if at := r.LastSignIn(); !at.IsZero() {
			lastSignIn = at.Local().Format(time.DateOnly)
		}
	}
	return []any{
		r.Portal.Name, r.Contact.Email, r.Contact.Name, company, r.Companies, r.Entry.Allowed, how, r.Entry.Code, r.Groups,
		r.Status(), r.Sees(), r.SeesCompanies(), r.Viewer.CompanyView() && r.Viewer.CompanyReply, tickets, r.Capped, lastSignIn, marks,
	}
}
