package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

type membersListOptions struct {
	Status string
	After  string
	Limit  int
}

func newMembersListCmd(env *Env) *cobra.Command {
	var opts membersListOptions
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List a portal's members with their status",
		Example: "  portalctl members list --status pending",
		Args:    upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runMembersList(cmd.Context(), env, opts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.Status, "status", "", "only invited, pending, registered, failed or disabled ones")
	f.StringVar(&opts.After, "after", "", "list from behind this address")
	f.IntVar(&opts.Limit, "limit", 50, "list at most this many")
	return cmd
}

var memberColumns = []output.Column{
	{Name: "email", Head: "E-mail", Keep: true},
	{Name: "name", Head: "Name"},
	{Name: "status", Head: "Status", Keep: true},
	{Name: "status_at", Head: "Since"},
	{Name: "last_sign_in_at", Head: "Last sign-in", Spare: true},
	{Name: "company", Head: "Company", Spare: true},
	{Name: "in_group"},
	{Name: "invited_at"},
	{Name: "requested_at"},
	{Name: "registered_at"},
	{Name: "failed_at"},
	{Name: "disabled_at"},
	{Name: "refused_at"},
	{Name: "refusal"},
	{Name: "recall_until"},
}

func runMembersList(ctx context.Context, env *Env, opts membersListOptions) error {
	if err := limitFlag(opts.Limit); err != nil {
		return err
	}
	f := store.MemberFilter{After: strings.ToLower(strings.TrimSpace(opts.After)), Limit: opts.Limit + 1}
	if opts.Status != "" {
		var err error
		if f.Status, err = portal.ParseMemberStatus(opts.Status); err != nil {
			return err
		}
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.portal(ctx, a)
		if err != nil {
			return err
		}
		f.Portal = p.ID
		list, err := a.Members(ctx, f)
		if err != nil {
			return err
		}
		list, more := cutTo(list, opts.Limit)
		rows := make([][]any, len(list))
		for i, m := range list {
			rows[i] = []any{
				m.Email, m.Name, string(m.Status), statusSince(&m.Member), m.LastSignInAt, m.Company, m.InGroup,
				m.InvitedAt, m.RequestedAt, m.RegisteredAt, m.FailedAt, m.DisabledAt,
				m.RefusedAt, m.Refusal, env.recallUntil(&m.Member),
			}
		}
		empty := "no members yet; access groups and invitations make them"
		if opts.Status != "" || opts.After != "" {
			empty = "no such members"
		}
		if err := env.Printer().List(memberColumns, rows, empty); err != nil {
			return err
		}
		if more {
			env.sayMore(more, list[len(list)-1].Email)
		}
		return nil
	})
}

// recallUntil is until when an invitation is sure not to go out, so that it
// can be taken back; zero when that is over.
func (e *Env) recallUntil(m *portal.Member) time.Time {
	if m.GraceUntil.After(e.now()) {
		return m.GraceUntil
	}
	return time.Time{}
}

// statusSince is when the member's status began.
func statusSince(m *portal.Member) time.Time {
	switch m.Status {
	case portal.Invited:
		return m.InvitedAt
	case portal.Pending:
		return m.RequestedAt
	case portal.Registered:
		return m.RegisteredAt
	case portal.Failed:
		return m.FailedAt
	case portal.Disabled:
		return m.DisabledAt
	}
	return time.Time{}
}
