package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
)

func newAuditRetentionCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "retention [<days>]",
		Short: "Show or set how long entries are kept",
		Long: `Show or set how long entries of the audit log are kept: 30d to 36500d, or off,
which keeps them for ever and is the default. Older ones go once a day while
"portalctl serve" runs. Their removal is an entry itself, from which "audit
verify" then starts; a head noted before it can no longer be compared.`,
		Example: `  portalctl audit retention
  portalctl audit retention 365d
  portalctl audit retention off`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAuditRetention(cmd.Context(), env, firstOf(args))
		},
	}
}

func runAuditRetention(ctx context.Context, env *Env, to string) error {
	wanted := 0
	if to != "" {
		var err error
		if wanted, err = app.ParseRetention(to); err != nil {
			return err
		}
	}
	return env.withApp(ctx, func(a *app.App) error {
		if to != "" {
			changes, err := a.SetAuditRetention(ctx, wanted)
			if err != nil {
				return err
			}
			env.sayChanges(changes)
			if env.Config.Output == output.Table {
				return nil
			}
		}
		days, err := a.AuditRetention(ctx)
		if err != nil {
			return err
		}
		if env.Config.Output == output.Table {
			return env.line(app.FormatRetention(days))
		}
		return env.Printer().Object([]output.Column{{Name: "retention"}, {Name: "days"}}, []any{app.FormatRetention(days), days})
	})
}
