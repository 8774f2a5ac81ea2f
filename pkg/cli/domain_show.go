package cli

import (
	"context"
	"fmt"
	"maps"
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
	{Name: "hsts"},
	{Name: "served_since"},
	{Name: "headers"},
}

// domainDetails are the columns of one domain, with what a list leaves out.
func domainDetails() []output.Column {
	columns := append(slices.Clone(domainColumns), output.Column{Name: "records", Head: "Records", Keep: true})
	for name, head := range map[string]string{"checked_at": "Checked", "proxied": "Proxied", "lost_why": "Lost because", "hsts": "HSTS", "served_since": "TLS since", "headers": "Headers"} {
		columns[slices.IndexFunc(columns, func(c output.Column) bool { return c.Name == name })].Head = head
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
	return []any{domainName(d), string(d.Kind), d.Language, d.Verified(), d.VerifiedAt, d.CheckedAt, d.Proxied, d.LostAt, d.LostWhy, names, d.HSTS, d.ServedSince, headersOf(d)}
}

// headersOf are a domain's own headers as they are given to domain set.
func headersOf(d *portal.Domain) []string {
	lines := []string{}
	for _, name := range slices.Sorted(maps.Keys(d.Headers)) {
		lines = append(lines, name+": "+d.Headers[name])
	}
	return lines
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
		Long:        "Show a domain and the DNS records it needs, without asking DNS. \"system\" names\nthe address of this machine. \"-o zone\" prints the records as zone files have\nthem.",
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

// languageName is a language as people name it: "Svenska (sv)".
func languageName(code string) string {
	for _, l := range i18n.Languages() {
		if l.Code == portal.LanguageCode(code) {
			return fmt.Sprintf("%s (%s)", l.Name, code)
		}
	}
	return code
}
