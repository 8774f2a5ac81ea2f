package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newDomainVerifyCmd(env *Env) *cobra.Command {
	var o domainCheckOptions
	cmd := &cobra.Command{
		Use:   "verify <host>",
		Short: "Check a domain's DNS records again",
		Long: `Look for a connected domain's records in DNS and compare them with what is
wanted; mistakes are named, with what to do about each. Exits with 4 while the
TXT record that proves ownership is not found. When a record that was found goes
away, the domain goes on for seven days; then nobody new signs in there until it
is found again. serve looks every day.`,
		Example: `  portalctl domain verify support.example.com
  portalctl domain verify support.example.com --wait --timeout 30m`,
		Args:        oneArg("the domain"),
		Annotations: zoneFormat,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := timeoutNeedsWait(cmd, o); err != nil {
				return err
			}
			o.Host = args[0]
			return runDomainVerify(cmd.Context(), env, o)
		},
	}
	checkFlags(cmd, &o)
	return cmd
}

func runDomainVerify(ctx context.Context, env *Env, o domainCheckOptions) error {
	return env.withApp(ctx, func(a *app.App) error {
		d, err := a.Domain(ctx, o.Host)
		if err != nil {
			return err
		}
		if d.Kind == portal.SystemDomain {
			return portal.Invalidf("domain.system", "", "the system domain is this machine's own address; there is nothing to verify")
		}
		if err := keepAddresses(ctx, a, o); err != nil {
			return err
		}
		if o.Wait {
			return checkDomain(ctx, env, a, d, o)
		}
		c, err := a.CheckDomain(ctx, d)
		if err != nil {
			return err
		}
		if err := printRecords(env, c); err != nil {
			return err
		}
		sayCheck(env, c)
		if !c.Proven {
			return notYet(c, "cannot be verified")
		}
		return nil
	})
}
