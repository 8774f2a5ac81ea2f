package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newPortalCmd(env *Env) *cobra.Command {
	cmd := noun("portal", "List, show, change and remove portals", "  portalctl portal list",
		newPortalListCmd(env),
		newPortalShowCmd(env),
		newPortalSetCmd(env),
		newPortalPreviewCmd(env),
		newPortalOpenCmd(env),
		newPortalAddressCmd(env),
		newPortalTextsCmd(env),
		newPortalRemoveCmd(env),
	)
	cmd.Aliases = []string{"portals"}
	return cmd
}

// portalColumns describe a portal, in lists and alone.
var portalColumns = append([]output.Column{
	{Name: "name", Head: "Name"},
	{Name: "url", Head: "URL", Keep: true},
	{Name: "state", Head: "State"},
	{Name: "domain"},
	{Name: "slug"},
	{Name: "language", Head: "Language", Spare: true},
	{Name: "languages"},
	{Name: "inbox", Head: "Inbox", Spare: true},
	{Name: "permissions", Head: "Permissions", Spare: true},
	{Name: "access", Head: "Access", Spare: true},
	{Name: "groups"},
	{Name: "accent"},
	{Name: "time_zone"},
	{Name: "created_at"},
	{Name: "updated_at"},
	{Name: "addresses"},
}, faceColumns...)

// portalRow looks up what a portal's row names.
func portalRow(ctx context.Context, a *app.App, p *portal.Portal) ([]any, error) {
	url, err := a.URL(ctx, p, "/")
	if err != nil {
		return nil, err
	}
	inbox := ""
	inboxes, err := a.Inboxes(ctx)
	if err != nil {
		return nil, err
	}
	for _, i := range inboxes {
		if i.ID == p.Tickets.InboxID {
			inbox = i.Name
		}
	}
	groups, err := a.GroupsOfPortal(ctx, p)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, g := range groups {
		names = append(names, g.Name)
	}
	addresses, err := a.Addresses(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	others := []string{}
	for i := range addresses {
		if addresses[i].LeadsTo != "" {
			others = append(others, addresses[i].Line())
		}
	}
	return append([]any{
		p.Name, url, string(p.State), domainName(&p.Domain), p.Slug, p.Language(), p.Offers(), inbox,
		string(p.Tickets.Permissions), string(p.Access.Mode), names, p.Accent, p.TimeZone, p.CreatedAt, p.UpdatedAt, others,
	}, faceRow(p)...), nil
}

// domainName is a domain as flags name it.
func domainName(d *portal.Domain) string {
	if d.Kind == portal.SystemDomain {
		return app.System
	}
	return d.Host
}

func newPortalListCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the portals of the store",
		Example: "  portalctl portal list\n  portalctl portal list --output json",
		Args:    upTo(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runPortalList(cmd.Context(), env) },
	}
}

func runPortalList(ctx context.Context, env *Env) error {
	return env.withApp(ctx, func(a *app.App) error {
		portals, err := a.Portals(ctx)
		if err != nil {
			return err
		}
		rows := make([][]any, len(portals))
		for i := range portals {
			if rows[i], err = portalRow(ctx, a, &portals[i]); err != nil {
				return err
			}
		}
		return env.Printer().List(portalColumns, rows, "There is no portal yet. Set one up with: portalctl init")
	})
}

func newPortalShowCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "show [<portal>]",
		Short:   "Show one portal: address, looks, settings, members",
		Long:    "Show one portal. It is named by its slug, its name or its address; with a single\nportal in the store, nothing has to be named.",
		Example: "  portalctl portal show\n  portalctl portal show help --output json",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPortalShow(cmd.Context(), env, firstOf(args))
		},
	}
}

// named is the portal an argument or --portal names.
func (e *Env) named(ctx context.Context, a *app.App, arg string) (*portal.Portal, error) {
	if arg != "" {
		return a.PortalNamed(ctx, arg)
	}
	return e.portal(ctx, a)
}

func runPortalShow(ctx context.Context, env *Env, name string) error {
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.named(ctx, a, name)
		if err != nil {
			return err
		}
		return showPortal(ctx, env, a, p)
	})
}

func showPortal(ctx context.Context, env *Env, a *app.App, p *portal.Portal) error {
	row, err := portalRow(ctx, a, p)
	if err != nil {
		return err
	}
	members, err := a.MemberCounts(ctx, p.ID)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for status, n := range members {
		counts[string(status)] = n
	}
	// A sheet has room for everything, so each line gets a heading.
	heads := []string{"Name", "URL", "State", "Domain", "Slug", "Language", "Languages", "Inbox", "Permissions", "Access", "Groups", "Accent", "Time zone", "Created", "Changed", "Also at"}
	heads = append(heads, faceHeads...)
	columns := make([]output.Column, len(portalColumns))
	for i, c := range portalColumns {
		columns[i] = output.Column{Name: c.Name, Head: heads[i]}
	}
	columns = append(columns, output.Column{Name: "members", Head: "Members"})
	return env.Printer().Object(columns, append(row, memberCounts(counts)))
}

// memberCounts are shown as words and given to scripts as numbers.
type memberCounts map[string]int

// String writes the counts in the order members go through them.
func (m memberCounts) String() string {
	s := ""
	for _, status := range []portal.MemberStatus{portal.Registered, portal.Invited, portal.Pending, portal.Failed, portal.Disabled} {
		if n := m[string(status)]; n > 0 {
			if s != "" {
				s += ", "
			}
			s += fmt.Sprintf("%d %s", n, status)
		}
	}
	if s == "" {
		return "none"
	}
	return s
}
