package cli

import (
	"context"
	"fmt"
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
}

func domainRow(d *portal.Domain, portals []portal.Portal) []any {
	names := []string{}
	for _, p := range portals {
		if p.DomainID == d.ID {
			names = append(names, p.Name)
		}
	}
	return []any{domainName(d), string(d.Kind), d.Language, d.Verified(), d.VerifiedAt, d.CheckedAt, names}
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
		columns[5].Head = "Checked"
		var records any = lines
		if env.Config.Output == output.Table {
			records = strings.Join(lines, "\n")
		}
		return env.Printer().Object(columns, append(domainRow(d, portals), records))
	})
}

func newDomainSetCmd(env *Env) *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use:     "set <host>",
		Short:   "Change the language a domain's portals appear in",
		Example: "  portalctl domain set support.example.com --language sv\n  portalctl domain set system --language en",
		Args:    oneArg("the domain"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDomainSet(cmd.Context(), env, args[0], lang)
		},
	}
	languageFlag(cmd, &lang, "the language portals on this domain appear in")
	return cmd
}

func runDomainSet(ctx context.Context, env *Env, name, lang string) error {
	if lang == "" {
		return nothingGiven("--language")
	}
	code, err := language(lang)
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		d, changes, err := a.SetDomainLanguage(ctx, name, code)
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
