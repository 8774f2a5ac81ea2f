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
	{Name: "portals", Head: "Portals"},
	{Name: "hsts"},
	{Name: "served_since"},
	{Name: "headers"},
}

func domainRow(d *portal.Domain, portals []portal.Portal) []any {
	names := []string{}
	for _, p := range portals {
		if p.DomainID == d.ID {
			names = append(names, p.Name)
		}
	}
	return []any{domainName(d), string(d.Kind), d.Language, d.Verified(), d.VerifiedAt, d.CheckedAt, names, d.HSTS, d.ServedSince, headersOf(d)}
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
		Use:     "show <host>",
		Short:   "Show a domain and the DNS records it needs",
		Long:    "Show a domain and the DNS records it needs, without asking DNS. \"system\" names\nthe address of this machine.",
		Example: "  portalctl domain show support.example.com\n  portalctl domain show system",
		Args:    oneArg("the domain"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runDomainShow(cmd.Context(), env, args[0]) },
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
		lines := make([]string, len(c.Records))
		for i := range c.Records {
			lines[i] = c.Records[i].Line()
		}
		columns := append(domainColumns[:len(domainColumns):len(domainColumns)], output.Column{Name: "records", Head: "Records"})
		columns[5].Head, columns[7].Head, columns[8].Head, columns[9].Head = "Checked", "HSTS", "TLS since", "Headers"
		var records any = lines
		if env.Config.Output == output.Table {
			records = strings.Join(lines, "\n")
		}
		return env.Printer().Object(columns, append(domainRow(d, portals), records))
	})
}

func newDomainSetCmd(env *Env) *cobra.Command {
	var o domainSetOptions
	cmd := &cobra.Command{
		Use:   "set <host>",
		Short: "Change a domain's language and what browsers are told of it",
		Long: `Change the language a domain's portals appear in, and what browsers are told.

--hsts says for how long browsers are to use TLS alone for the domain. By itself
(auto) that begins when the domain has been served well by TLS for a day, and
grows with the time it went well, up to a year. "on" is a year at once, "off" has
browsers forget it, and 30d is a time of your own. Hosts below the domain are
meant only with ",subdomains" behind it.

--header makes a security header stricter than it is by itself; what is not
certain to be stricter is refused. Without a value the usual comes back. Both
hold at the next request.`,
		Example: `  portalctl domain set support.example.com --language sv
  portalctl domain set system --language en
  portalctl domain set support.example.com --hsts on
  portalctl domain set support.example.com --header "Permissions-Policy: fullscreen=()"
  portalctl domain set support.example.com --header "Content-Security-Policy: img-src 'none'"
  portalctl domain set support.example.com --header "Content-Security-Policy:"`,
		Args: oneArg("the domain"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDomainSet(cmd.Context(), env, args[0], o)
		},
	}
	languageFlag(cmd, &o.Language, "the language portals on this domain appear in")
	cmd.Flags().StringVar(&o.Security.HSTS, "hsts", "", "for how `long` browsers are to use TLS alone: auto, on, off or a time such as 30d")
	cmd.Flags().StringArrayVar(&o.Security.Headers, "header", nil, "a security `header` made stricter, as \"Name: value\"; may be given several times")
	return cmd
}

// domainSetOptions are what domain set changes.
type domainSetOptions struct {
	Language string
	Security app.DomainSecurity
}

func runDomainSet(ctx context.Context, env *Env, name string, o domainSetOptions) error {
	security := o.Security.HSTS != "" || len(o.Security.Headers) > 0
	if o.Language == "" && !security {
		return nothingGiven("--language, --hsts or --header")
	}
	var code string
	if o.Language != "" {
		var err error
		if code, err = language(o.Language); err != nil {
			return err
		}
	}
	return env.withApp(ctx, func(a *app.App) error {
		var d *portal.Domain
		var changes []app.Change
		var err error
		if security {
			// What may be refused comes first.
			if d, changes, err = a.SetDomainSecurity(ctx, name, o.Security); err != nil {
				return err
			}
		}
		if code != "" {
			var more []app.Change
			if d, more, err = a.SetDomainLanguage(ctx, name, code); err != nil {
				return err
			}
			changes = append(changes, more...)
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
		if l.Code == portal.LanguageCode(code) {
			return fmt.Sprintf("%s (%s)", l.Name, code)
		}
	}
	return code
}
