package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newPortalAddressCmd(env *Env) *cobra.Command {
	cmd := noun("address", "Let a portal be found at further addresses", "  portalctl portal address add www.example.com",
		newPortalAddressAddCmd(env),
		newPortalAddressListCmd(env),
		newPortalAddressRemoveCmd(env),
	)
	cmd.Aliases = []string{"addresses"}
	return cmd
}

var addressColumns = []output.Column{
	{Name: "address", Head: "Address", Keep: true},
	{Name: "kind", Head: "Kind"},
	{Name: "portal", Head: "Portal"},
	{Name: "leads_to", Head: "Leads to", Keep: true, Spare: true},
	{Name: "served", Head: "Served"},
	{Name: "url"},
	{Name: "created_at", Head: "Since", Spare: true},
}

func addressRow(v *app.AddressView) []any {
	return []any{v.Name, string(v.Kind), v.Owner, v.LeadsTo, v.Served, v.URL, v.CreatedAt}
}

func newPortalAddressAddCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "add <host>[/<slug>]",
		Short: "Have a portal found at a further address",
		Long: `Have a portal found at a further address. Visitors are sent on from there to the
same page at the portal's own address, which is the one links in mail have. The
host has to be a connected domain; "system" is the address of this machine.

A former address, which "portal set --slug" and "--domain" leave behind, can be
kept for good this way.`,
		Example: "  portalctl portal address add www.example.com\n  portalctl portal address add support.example.com/hjalp --portal help",
		Args:    oneArg("the address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPortalAddressAdd(cmd.Context(), env, args[0])
		},
	}
}

func runPortalAddressAdd(ctx context.Context, env *Env, address string) error {
	if _, _, err := app.ParseAddress(address); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.portal(ctx, a)
		if err != nil {
			return err
		}
		v, added, ended, err := a.AddAddress(ctx, p.ID, address)
		if err != nil {
			return err
		}
		if ended != "" {
			env.say("links to %s that led to %q lead to %q from now on", v.Name, ended, p.Name)
		}
		if d := &v.Domain; !d.Verified() {
			env.say("%s is not verified yet, so it serves nothing: portalctl domain verify %s", d.Host, d.Host)
		}
		if !added {
			return env.outcome(addressColumns, addressRow(v), "unchanged: %s leads to %s", v.URL, v.LeadsTo)
		}
		return env.outcome(addressColumns, addressRow(v), "%s leads to %s", v.URL, v.LeadsTo)
	})
}

func newPortalAddressListCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List where portals are found, now and formerly",
		Long: `List where portals are found. A portal's own address is the one links lead to;
from a further one, which somebody added, and a former one, which it had before,
visitors are sent on to that. --portal shows those of one portal.`,
		Example: "  portalctl portal address list\n  portalctl portal address list --portal help --output json",
		Args:    upTo(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runPortalAddressList(cmd.Context(), env) },
	}
}

func runPortalAddressList(ctx context.Context, env *Env) error {
	return env.withApp(ctx, func(a *app.App) error {
		id, err := env.chosenPortal(ctx, a)
		if err != nil {
			return err
		}
		list, err := a.Addresses(ctx, id)
		if err != nil {
			return err
		}
		rows := make([][]any, len(list))
		for i := range list {
			rows[i] = addressRow(&list[i])
		}
		return env.Printer().List(addressColumns, rows, "There is no portal yet. Set one up with: portalctl init")
	})
}

// chosenPortal is the portal --portal names; 0 without the flag.
func (e *Env) chosenPortal(ctx context.Context, a *app.App) (portal.PortalID, error) {
	if e.Config.Portal == "" {
		return 0, nil
	}
	p, err := e.portal(ctx, a)
	if err != nil {
		return 0, err
	}
	return p.ID, nil
}

func newPortalAddressRemoveCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove <host>[/<slug>]",
		Short: "End a further or former address; links to it lead nowhere then",
		Example: "  portalctl portal address remove www.example.com\n" +
			"  portalctl portal address remove support.example.com/help --yes",
		Args: oneArg("the address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runPortalAddressRemove(cmd.Context(), env, args[0], yes)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func runPortalAddressRemove(ctx context.Context, env *Env, address string, yes bool) error {
	return env.withApp(ctx, func(a *app.App) error {
		id, err := env.chosenPortal(ctx, a)
		if err != nil {
			return err
		}
		v, err := a.Address(ctx, id, address)
		if err != nil {
			return err
		}
		if err := env.confirm(ctx, yes, "End the "+string(v.Kind)+" address "+v.URL+"? Links to it, also those in mail sent before, lead nowhere then."); err != nil {
			return err
		}
		if v, err = a.RemoveAddress(ctx, id, address); err != nil {
			return err
		}
		return env.outcome(addressColumns, addressRow(v), "ended the %s address %s", v.Kind, v.URL)
	})
}

// sayNeighbour offers a domain that was just connected as a further address of
// portals whose host differs from it by a www in front.
func sayNeighbour(ctx context.Context, env *Env, a *app.App, d *portal.Domain) error {
	n, err := a.Neighbour(ctx, d.Host)
	if err != nil || n == nil {
		return err
	}
	for i := range n.Portals {
		p := &n.Portals[i]
		address, flag := d.Host, ""
		if len(n.Portals) > 1 {
			address, flag = app.AddressName(d, p.Slug), " --portal "+app.AddressName(&p.Domain, p.Slug)
		}
		env.say("To have %s lead to %q at %s: portalctl portal address add %s%s", address, p.Name, n.Domain.Host, address, flag)
	}
	return nil
}
