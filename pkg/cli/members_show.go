package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
)

func newMembersShowCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "show [<e-mail>]",
		Short:   "Show where a member stands, and since when",
		Example: "  portalctl members show ann@example.com",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMembersShow(cmd.Context(), env, firstOf(args))
		},
	}
}

var memberViewColumns = []output.Column{
	{Name: "email", Head: "E-mail"},
	{Name: "name", Head: "Name"},
	{Name: "company", Head: "Company"},
	{Name: "status", Head: "Status"},
	{Name: "status_at", Head: "Since"},
	{Name: "may_enter", Head: "May enter"},
	{Name: "why", Head: "Why"},
	{Name: "groups", Head: "Access groups"},
	{Name: "registered_in", Head: "Registered in"},
	{Name: "invited_at", Head: "Invited"},
	{Name: "recall_until", Head: "Can be recalled until"},
	{Name: "requested_at", Head: "Asked"},
	{Name: "registered_at", Head: "Registered"},
	{Name: "last_sign_in_at", Head: "Last sign-in"},
	{Name: "failed_at", Head: "Mail failed"},
	{Name: "disabled_at", Head: "Disabled"},
	{Name: "refused_at", Head: "Refused"},
	{Name: "refusal", Head: "Reason"},
}

func runMembersShow(ctx context.Context, env *Env, address string) error {
	if err := env.ask(ctx, &address, memberQuestion, memberPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.portal(ctx, a)
		if err != nil {
			return err
		}
		m, err := a.ShowMember(ctx, p, address)
		if err != nil {
			return err
		}
		return env.Printer().Object(memberViewColumns, []any{
			m.Email, m.Name, m.Company, status(m.Status), statusSince(&m.Member), m.Entry.Allowed, m.Entry.Why,
			append([]string{}, m.Groups...), append([]string{}, m.Elsewhere...),
			m.InvitedAt, env.recallUntil(&m.Member), m.RequestedAt, m.RegisteredAt, m.LastSignInAt, m.FailedAt, m.DisabledAt, m.RefusedAt, m.Refusal,
		})
	})
}
