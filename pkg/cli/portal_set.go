package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
)

type portalSetOptions struct {
	Portal                       string
	Name, Slug, Domain, TimeZone *string
	Accent, State                *string
	Languages                    *[]string
	Face                         app.FaceChanges
}

func newPortalSetCmd(env *Env) *cobra.Command {
	var name, slug, domain, zone, state string
	var languages []string
	var face faceFlags
	cmd := &cobra.Command{
		Use:   "set [<portal>]",
		Short: "Change a portal's name, address, looks or state",
		Long: `Change a portal's name, address, looks or state. What is not given stays.

A portal is a draft (only agents can open it), live, or paused (customers see a
notice). Links to an address that a portal had before lead to its new one, until
"portalctl portal address remove" ends that or another portal takes the address.

A portal appears in its domain's language. With --languages it offers others
beside it: customers read the one they chose, else the one their browser asks
for, else the domain's.

Opening a draft lets in the contacts of its access groups.

` + graceHelp + "\n" + faceHelp,
		Example: `  portalctl portal set --name "Nordic Tools Support" --accent "#0f5fc2"
  portalctl portal set --logo logo.svg --logo-dark logo-dark.svg --font inter
  portalctl portal set --header-link "Company=https://example.com" --footer-link "Imprint=https://example.com/imprint"
  portalctl portal set --banner "We move house on Friday." --banner-until "2026-12-04 18:00"
  portalctl portal set help --state paused
  portalctl portal set --languages sv,en,fi
  portalctl portal set --domain support.example.com --slug ""`,
		Args: upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			changes, err := face.changes(cmd)
			if err != nil {
				return err
			}
			return runPortalSet(cmd.Context(), env, portalSetOptions{
				Portal: firstOf(args),
				Name:   given(cmd, "name", name), Slug: given(cmd, "slug", slug), Domain: given(cmd, "domain", domain),
				Accent: given(cmd, "accent", face.accent), TimeZone: given(cmd, "time-zone", zone), State: given(cmd, "state", state),
				Languages: given(cmd, "languages", languages),
				Face:      changes,
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "the title customers see in the browser tab")
	f.StringVar(&slug, "slug", "", "the end of the portal's address; may be empty")
	f.StringVar(&domain, "domain", "", "a connected domain, or system for the address of this machine")
	f.StringVar(&zone, "time-zone", "", "the zone of times customers read, like Europe/Stockholm")
	f.StringVar(&state, "state", "", "draft, live or paused")
	face.add(cmd)
	choices(cmd, "state", "draft", "live", "paused")
	f.StringSliceVar(&languages, "languages", nil, "the languages it offers beside its domain's; \"\" for that alone")
	choices(cmd, "languages", i18n.Codes()...)
	nowFlag(cmd, env)
	return cmd
}

func runPortalSet(ctx context.Context, env *Env, o portalSetOptions) error {
	c := app.PortalChanges{Name: o.Name, Slug: o.Slug, Domain: o.Domain, Accent: o.Accent, TimeZone: o.TimeZone, Languages: o.Languages, FaceChanges: o.Face}
	if o.State != nil {
		state, err := portal.ParsePortalState(*o.State)
		if err != nil {
			return err
		}
		c.State = &state
	}
	if c == (app.PortalChanges{}) {
		return nothingGiven("--name, --slug, --domain, --time-zone, --state, --languages, " + faceNames + " or another flag of `portalctl portal set --help`")
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.named(ctx, a, o.Portal)
		if err != nil {
			return err
		}
		r, err := a.SetPortal(ctx, p.ID, c)
		if err != nil {
			return err
		}
		row, err := portalRow(ctx, a, r.Portal)
		if err != nil {
			return err
		}
		env.sayFace(&c, r)
		if !r.Portal.Domain.Verified() && (r.Move == nil || !r.Move.Waits) {
			env.say("%s is not verified yet, so it serves nothing: portalctl domain verify %s", r.Portal.Domain.Host, r.Portal.Domain.Host)
		}
		if r.Move != nil {
			sayMove(env, r.Portal, r.Move)
		}
		env.sayInvitations(&r.Invitations)
		return env.changed(portalColumns, row, r.Changes)
	})
}

// sayMove tells what became of the address before, and what the move brings.
func sayMove(env *Env, p *portal.Portal, m *app.Move) {
	if m.Waits {
		env.say("%s is not verified yet. Until it is, %q stays at %s: portalctl domain verify %s", p.Domain.Host, p.Name, m.From, p.Domain.Host)
		env.say("%s leads to %s then; end that with: portalctl portal address remove %s", m.From, m.To, m.Kept)
	} else {
		env.say("%s leads to %s from now on; end that with: portalctl portal address remove %s", m.From, m.To, m.Kept)
	}
	sayMoved(env, p, m)
}

// sayMoved tells what people have to do again at a portal's new address.
func sayMoved(env *Env, p *portal.Portal, m *app.Move) {
	sayEnded(env, m.Ended)
	if m.OtherHost {
		env.say("Whoever is signed in has to sign in again: browsers keep sessions to the host they were made at.")
	}
	if m.Language != "" {
		env.say("It appears in %s, the language of its domain.", languageName(m.Language))
	}
	if m.Passkeys > 0 {
		env.say("Passkeys work only at the host they were made at: %s sign in another way and make new ones.",
			app.Counted(m.Passkeys, "member has to", "members have to"))
	}
	if m.SSO != nil {
		env.say("Until the identity provider knows the new address, nobody can sign in.")
		saySSO(env, m.SSO)
	}
	if m.MailWithheld {
		sayWithheld(env, p)
	}
}

// sayEnded tells which links stopped leading where they did.
func sayEnded(env *Env, ended *app.EndedAddress) {
	if ended != nil {
		env.say("links to %s, a former address of %q, do not lead there any more", ended.Name, ended.Portal)
	}
}

// anyGiven refuses a command that changes what its own flags say, and was given
// none.
func anyGiven(cmd *cobra.Command) error {
	var names []string
	given := false
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "now" {
			return // says how, not what
		}
		names, given = append(names, "--"+f.Name), given || f.Changed
	})
	if given {
		return nil
	}
	last := len(names) - 1
	return nothingGiven(strings.Join(names[:last], ", ") + " or " + names[last])
}

// nothingGiven is the error of a command that changes what its flags say, and
// was given none.
func nothingGiven(flags string) error {
	return portal.Invalidf("usage", "", "nothing to change was given").WithHint("pass %s", flags)
}

// choices completes a flag's values in the shell.
func choices(cmd *cobra.Command, flag string, values ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag does not exist: a mistake every test of the command shows
	}
}
