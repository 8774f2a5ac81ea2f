package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newDomainSetCmd(env *Env) *cobra.Command {
	var o domainSetOptions
	var lang, proxied string
	cmd := &cobra.Command{
		Use:   "set <host>",
		Short: "Change a domain's language, proxy, HSTS or headers",
		Long: `Change the language a domain's portals appear in, whether a proxy stands before
it, and what browsers are told.

--proxied on says that visitors come through a proxy or a delivery network, so
that the domain has other addresses than this server.

--hsts says for how long browsers are to use TLS alone for the domain. By itself
(auto) that begins when the domain has been served well by TLS for a day, and
grows with the time it went well, up to a year. "on" is a year at once, "off"
has browsers forget it, and 30d is a time of your own. Hosts below the domain
are meant only with ",subdomains" behind it.

--header makes a security header stricter than it is by itself; what is not
certain to be stricter is refused. Without a value the usual comes back. Both
hold at the next request.`,
		Example: `  portalctl domain set support.example.com --language sv
  portalctl domain set system --language en
  portalctl domain set support.example.com --proxied on
  portalctl domain set support.example.com --hsts on
  portalctl domain set support.example.com --header "Permissions-Policy: fullscreen=()"
  portalctl domain set support.example.com --header "Content-Security-Policy: img-src 'none'"
  portalctl domain set support.example.com --header "Content-Security-Policy:"`,
		Args: oneArg("the domain"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.Changes, err = domainChanges(given(cmd, "language", lang), given(cmd, "proxied", proxied)); err != nil {
				return err
			}
			return runDomainSet(cmd.Context(), env, args[0], o)
		},
	}
	languageFlag(cmd, &lang, "the language portals on this domain appear in")
	cmd.Flags().StringVar(&proxied, "proxied", "", "whether visitors come through a proxy or delivery network, whose addresses the domain has: on or off")
	choices(cmd, "proxied", "on", "off")
	cmd.Flags().StringVar(&o.Security.HSTS, "hsts", "", "for how long browsers are to use TLS alone: auto, on, off or a time such as 30d")
	cmd.Flags().StringArrayVar(&o.Security.Headers, "header", nil, "a security `header` made stricter, as \"Name: value\"; may be given several times")
	return cmd
}

// domainSetOptions are what domain set changes.
type domainSetOptions struct {
	Changes  app.DomainChanges
	Security app.DomainSecurity
}

func domainChanges(lang, proxied *string) (c app.DomainChanges, err error) {
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

func runDomainSet(ctx context.Context, env *Env, name string, o domainSetOptions) error {
	security := o.Security.HSTS != "" || len(o.Security.Headers) > 0
	if o.Changes == (app.DomainChanges{}) && !security {
		return nothingGiven("--language, --proxied, --hsts or --header")
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
		if o.Changes != (app.DomainChanges{}) {
			var more []app.Change
			if d, more, err = a.SetDomain(ctx, name, o.Changes); err != nil {
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
