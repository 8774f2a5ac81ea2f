package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newDomainCmd(env *Env) *cobra.Command {
	cmd := noun("domain", "Connect your own domain and prove that it is yours", "  portalctl domain connect support.example.com",
		newDomainConnectCmd(env),
		newDomainVerifyCmd(env),
		newDomainListCmd(env),
		newDomainShowCmd(env),
		newDomainSetCmd(env),
		newDomainRemoveCmd(env),
	)
	cmd.Aliases = []string{"domains"}
	return cmd
}

// domainCheckOptions are how connect and verify look at DNS.
type domainCheckOptions struct {
	Host      string
	Language  string
	Addresses []string // nil: as kept in the store
	Proxied   bool
	Wait      bool
	Timeout   time.Duration
}

func checkFlags(cmd *cobra.Command, o *domainCheckOptions) {
	f := cmd.Flags()
	f.BoolVar(&o.Wait, "wait", false, "keep checking until the records are found")
	f.DurationVar(&o.Timeout, "timeout", 10*time.Minute, "how long to wait, with --wait")
	f.StringSliceVar(&o.Addresses, "address", nil, "where visitors are to be sent: this server's public IP addresses, or one host name; kept for all domains")
	config.Flags(f, "resolver", "base-url")
}

// timeoutNeedsWait refuses a --timeout that nothing would wait for, before
// anything is changed.
func timeoutNeedsWait(cmd *cobra.Command, o domainCheckOptions) error {
	if o.Wait && o.Timeout <= 0 {
		return portal.Invalidf("usage", "timeout", "%v is no time to wait; write it like 10m", o.Timeout)
	}
	if o.Wait || !cmd.Flags().Changed("timeout") {
		return nil
	}
	return portal.Invalidf("usage", "timeout", "--timeout says how long --wait waits, which is not given").WithHint("add --wait")
}

func newDomainConnectCmd(env *Env) *cobra.Command {
	var o domainCheckOptions
	cmd := &cobra.Command{
		Use:   "connect [<host>]",
		Short: "Serve portals under your own domain",
		Long: `Connect a domain of your own. It is created, the DNS records to add are printed
(on standard output, ready to be pasted into a zone), and what DNS holds now is
compared with them (on standard error).

A TXT record proves that the domain is yours; until it is found, the domain
serves nothing. The other record sends visitors to this server. Where that is
follows from --base-url, or from --address when they differ. Behind a proxy or a
delivery network the domain has other addresses: --proxied asks for the proof
alone. "-o zone" prints the records as lines of a zone file.

All name servers responsible for the domain are asked, so that no old answer
misleads; --resolver asks another one instead. Mistakes are named, with what to
do about each.

Connecting a domain again checks it again and changes nothing else.`,
		Example: `  portalctl domain connect support.example.com --language sv
  portalctl domain connect support.example.com --address 203.0.113.7 --wait
  portalctl domain connect support.example.com -o zone >> example.com.zone`,
		Args:        upTo(1),
		Annotations: zoneFormat,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := timeoutNeedsWait(cmd, o); err != nil {
				return err
			}
			o.Host = firstOf(args)
			return runDomainConnect(cmd.Context(), env, o)
		},
	}
	checkFlags(cmd, &o)
	cmd.Flags().BoolVar(&o.Proxied, "proxied", false, "visitors come through a proxy or delivery network, whose addresses the domain has")
	languageFlag(cmd, &o.Language, "the language portals on this domain appear in (default en)")
	return cmd
}

// languageFlag adds --language with the languages there are.
func languageFlag(cmd *cobra.Command, value *string, usage string) {
	cmd.Flags().StringVar(value, "language", "", usage)
	choices(cmd, "language", i18n.Codes()...)
}

func runDomainConnect(ctx context.Context, env *Env, o domainCheckOptions) error {
	if err := askHost(ctx, env, &o); err != nil {
		return err
	}
	if o.Language != "" {
		var err error
		if o.Language, err = language(o.Language); err != nil {
			return err
		}
	}
	if _, err := app.ParseHost(o.Host); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		if err := keepAddresses(ctx, a, o); err != nil {
			return err
		}
		d, created, changes, err := a.ConnectDomain(ctx, o.Host, o.Language)
		if err != nil {
			return err
		}
		if o.Proxied {
			var more []app.Change
			if d, more, err = a.SetDomain(ctx, o.Host, app.DomainChanges{Proxied: &o.Proxied}); err != nil {
				return err
			}
			if !created {
				changes = append(changes, more...)
			}
		}
		switch {
		case created:
			env.say("connected %s; portals on it will appear in %s", d.Host, languageName(d.Language))
			if err := sayNeighbour(ctx, env, a, d); err != nil {
				return err
			}
		case len(changes) > 0:
			env.sayChanges(changes)
		case d.Verified():
			env.say("unchanged: %s is verified since %s", d.Host, d.VerifiedAt.Local().Format(time.DateOnly))
			if d.LostAt.IsZero() && o.Addresses == nil {
				c, err := a.DomainRecords(ctx, d)
				if err != nil {
					return err
				}
				return printRecords(env, c)
			}
		default:
			env.say("unchanged: %s is connected and not verified yet", d.Host)
		}
		return checkDomain(ctx, env, a, d, o)
	})
}

func askHost(ctx context.Context, env *Env, o *domainCheckOptions) (err error) {
	if o.Host != "" {
		return nil
	}
	o.Host, err = env.Prompt.Input(ctx, "Which domain?", "the domain as an argument", func(s string) error {
		_, err := app.ParseHost(s)
		return err
	})
	return err
}

func keepAddresses(ctx context.Context, a *app.App, o domainCheckOptions) error {
	if o.Addresses == nil {
		return nil
	}
	return a.SetAddress(ctx, o.Addresses)
}
