package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

var domainColumns = []output.Column{
	{Name: "domain", Head: "Domain", Keep: true},
	{Name: "kind", Head: "Kind"},
	{Name: "language", Head: "Language"},
	{Name: "verified", Head: "Verified"},
	{Name: "verified_at", Head: "Since", Spare: true},
	{Name: "checked_at"},
	{Name: "proxied"},
	{Name: "lost_at", Head: "Proof lost", Spare: true},
	{Name: "lost_why"},
	{Name: "portals", Head: "Portals"},
}

// domainDetails are the columns of one domain, with what a list leaves out.
func domainDetails() []output.Column {
	columns := append(slices.Clone(domainColumns), output.Column{Name: "records", Head: "Records"})
	for i, head := range map[string]string{"checked_at": "Checked", "proxied": "Proxied", "lost_why": "Lost because"} {
		columns[slices.IndexFunc(columns, func(c output.Column) bool { return c.Name == i })].Head = head
	}
	return columns
}

func domainRow(d *portal.Domain, portals []portal.Portal) []any {
	names := []string{}
	for _, p := range portals {
		if p.DomainID == d.ID {
			names = append(names, p.Name)
		}
	}
	return []any{domainName(d), string(d.Kind), d.Language, d.Verified(), d.VerifiedAt, d.CheckedAt, d.Proxied, d.LostAt, d.LostWhy, names}
}

func newDomainListCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the system domain and the connected ones",
		Example: "  portalctl domain list\n  portalctl domain list --output csv",
		Args:    upTo(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDomainList(cmd.Context(), env) },
	}
}

func runDomainList(ctx context.Context, env *Env) error {
	return env.withApp(ctx, func(a *app.App) error {
		domains, err := a.Domains(ctx)
		if err != nil {
			return err
		}
		portals, err := a.Portals(ctx)
		if err != nil {
			return err
		}
		rows := make([][]any, len(domains))
		for i := range domains {
			rows[i] = domainRow(&domains[i], portals)
		}
		return env.Printer().List(domainColumns, rows, "")
	})
}

func newDomainShowCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:         "show <host>",
		Short:       "Show a domain and the DNS records it needs",
		Long:        "Show a domain and the DNS records it needs, without asking DNS. \"system\" names\nthe address of this machine. \"-o zone\" prints the records as lines of a zone file.",
		Example:     "  portalctl domain show support.example.com\n  portalctl domain show support.example.com -o zone\n  portalctl domain show system",
		Args:        oneArg("the domain"),
		Annotations: zoneFormat,
		RunE:        func(cmd *cobra.Command, args []string) error { return runDomainShow(cmd.Context(), env, args[0]) },
	}
}

func runDomainShow(ctx context.Context, env *Env, name string) error {
	return env.withApp(ctx, func(a *app.App) error {
		d, err := a.Domain(ctx, name)
		if err != nil {
			return err
		}
		c, err := a.DomainRecords(ctx, d)
		if err != nil {
			return err
		}
		portals, err := a.Portals(ctx)
		if err != nil {
			return err
		}
		if env.Config.Output == zoneOutput {
			return printRecords(env, c)
		}
		lines := []string{}
		for i := range c.Records {
			lines = append(lines, c.Records[i].Line())
		}
		var records any = lines
		if env.Config.Output == output.Table {
			records = strings.Join(lines, "\n")
		}
		return env.Printer().Object(domainDetails(), append(domainRow(d, portals), records))
	})
}

func newDomainSetCmd(env *Env) *cobra.Command {
	var lang, proxied string
	cmd := &cobra.Command{
		Use:   "set <host>",
		Short: "Change a domain's language, or that a proxy stands before it",
		Example: `  portalctl domain set support.example.com --language sv
  portalctl domain set support.example.com --proxied on
  portalctl domain set system --language en`,
		Args: oneArg("the domain"),
		RunE: func(cmd *cobra.Command, args []string) error {
			changes, err := domainChanges(given(cmd, "language", lang), given(cmd, "proxied", proxied))
			if err != nil {
				return err
			}
			return runDomainSet(cmd.Context(), env, args[0], changes)
		},
	}
	languageFlag(cmd, &lang, "the language portals on this domain appear in")
	cmd.Flags().StringVar(&proxied, "proxied", "", "whether visitors come through a proxy or delivery network, whose addresses the domain has: on or off")
	choices(cmd, "proxied", "on", "off")
	return cmd
}

func domainChanges(lang, proxied *string) (c app.DomainChanges, err error) {
	if lang == nil && proxied == nil {
		return c, nothingGiven("--language or --proxied")
	}
	if lang != nil {
		code, err := language(*lang)
		if err != nil {
			return c, err
		}
		c.Language = &code
	}
	if proxied != nil {
		on, err := onOff("proxied", *proxied)
		if err != nil {
			return c, err
		}
		c.Proxied = &on
	}
	return c, nil
}

func runDomainSet(ctx context.Context, env *Env, name string, c app.DomainChanges) error {
	return env.withApp(ctx, func(a *app.App) error {
		d, changes, err := a.SetDomain(ctx, name, c)
		if err != nil {
			return err
		}
		portals, err := a.Portals(ctx)
		if err != nil {
			return err
		}
		return env.changed(domainColumns, domainRow(d, portals), changes)
	})
}

// languageName is a language as people name it: "Svenska (sv)".
func languageName(code string) string {
	for _, l := range i18n.Languages() {
		if l.Code == code {
			return fmt.Sprintf("%s (%s)", l.Name, l.Code)
		}
	}
	return code
}

func newDomainRemoveCmd(env *Env) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "remove <host>",
		Short:   "Remove a connected domain that no portal uses",
		Example: "  portalctl domain remove support.example.com\n  portalctl domain remove support.example.com --yes",
		Args:    oneArg("the domain"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDomainRemove(cmd.Context(), env, args[0], yes)
		},
	}
	yesFlag(cmd, &yes)
	return cmd
}

func runDomainRemove(ctx context.Context, env *Env, name string, yes bool) error {
	return env.withApp(ctx, func(a *app.App) error {
		d, err := a.Domain(ctx, name)
		if err != nil {
			return err
		}
		if err := a.MayRemoveDomain(ctx, d); err != nil {
			return err
		}
		if err := env.confirm(ctx, yes, fmt.Sprintf("Remove the domain %s? To use it again it has to be proven anew.", d.Host)); err != nil {
			return err
		}
		if err := a.RemoveDomain(ctx, name); err != nil {
			return err
		}
		env.say("removed the domain %s", d.Host)
		return nil
	})
}
