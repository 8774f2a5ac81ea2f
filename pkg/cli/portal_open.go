package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
)

type portalOpenOptions struct{ Portal, As string }

func newPortalOpenCmd(env *Env) *cobra.Command {
	var o portalOpenOptions
	cmd := &cobra.Command{
		Use:   "open [<portal>]",
		Short: "Look at a portal as one of its customers, without changing it",
		Long: `Print a link to look at a portal as a customer sees it, to help them. The link
opens once, within 10 minutes; the look ends after 15 minutes, at its button,
or when the customer may no longer enter.

Every page says who looks as whom. Nothing can be changed, nothing counts as
read, and the customer's account and what they typed but did not send stay
closed. That it was made, opened and ended stands in the audit log. A browser
that is signed in to the portal is signed out by it.`,
		Example: "  portalctl portal open --as ana@acme.example",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Portal = firstOf(args)
			return runPortalOpen(cmd.Context(), env, o)
		},
	}
	cmd.Flags().StringVar(&o.As, "as", "", "the customer, by e-mail address")
	return cmd
}

func runPortalOpen(ctx context.Context, env *Env, o portalOpenOptions) error {
	if err := env.ask(ctx, &o.As, "As which customer?", "--as with their e-mail address"); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.named(ctx, a, o.Portal)
		if err != nil {
			return err
		}
		link, err := a.OpenAs(ctx, p, o.As)
		if err != nil {
			return err
		}
		env.say("a look as %s, good for one use within 10 minutes; it ends after %d minutes:", link.Email, int(app.LookLife.Minutes()))
		if env.Config.Output == output.Table {
			return env.line(link.URL)
		}
		columns := []output.Column{{Name: "url"}, {Name: "contact"}, {Name: "expires_at"}}
		return env.Printer().Object(columns, []any{link.URL, link.Email, link.Expires.Truncate(time.Second)})
	})
}
