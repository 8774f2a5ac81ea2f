package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
)

func newMembersLinkCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "link [<e-mail>]",
		Short: "Print a link to hand over instead of a mail",
		Long: `Print a link that lets one contact in, to hand over by other means than mail: an
invitation, or a link to sign in for somebody who has registered. It works
once, and whoever has it gets in: treat it like a password.`,
		Example: "  portalctl members link ann@example.com",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMembersLink(cmd.Context(), env, firstOf(args))
		},
	}
}

var linkColumns = []output.Column{{Name: "email"}, {Name: "url"}}

func runMembersLink(ctx context.Context, env *Env, address string) error {
	if err := env.ask(ctx, &address, memberQuestion, memberPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.portal(ctx, a)
		if err != nil {
			return err
		}
		to, url, err := a.LinkFor(ctx, p, address)
		if err != nil {
			return err
		}
		return env.printLink(to, url, "a link for "+to+", "+goodFor(url))
	})
}

// goodFor says how long a one-time link works.
func goodFor(url string) string {
	life := app.LinkLife(url)
	within := app.Counted(int(life/time.Minute), "minute", "minutes")
	if days := int(life / (24 * time.Hour)); days > 0 {
		within = app.Counted(days, "day", "days")
	}
	return "good for one use within " + within + ":"
}

// printLink prints a one-time link: the address alone where people read it,
// so that it can be piped on.
func (e *Env) printLink(email, url, about string) error {
	if e.Config.Output != output.Table {
		return e.Printer().Object(linkColumns, []any{email, url})
	}
	e.say("%s", about)
	return e.line(url)
}
