package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/config"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// initFlags are the answers given as flags.
type initFlags struct {
	Name, Slug, Accent, TimeZone             *string
	Domain, Language                         string
	Inbox, InboxKind, InboxAddress           string
	Permissions, CompanyScope, CompanyAccess *string
	Rules                                    *[]string
	Access                                   accessFlags
	Draft                                    bool
}

func newInitCmd(env *Env) *cobra.Command {
	var o initFlags
	var name, slug, accent, zone, permissions, scope, company, mode string
	var rules []string
	var access accessValues
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Set up a portal: a wizard on a terminal, flags in a script",
		Long: `Set up a portal in four steps: its name, its address, its tickets, who gets in.
On a terminal a wizard asks; nothing is created before its summary is agreed to.
In a script, --name, --domain, --slug, --inbox, --permissions and --access say
the same, and what is missing is named. The same set-up again changes nothing
and says "unchanged"; other answers for the same domain and slug change that
portal.

The store is created if there is none. Access groups that do not exist are made.
With a mail server configured, a test message to the inbox proves that mail
works.

` + graceHelp,
		Example: `  portalctl init
  portalctl init --name "Nordic Tools Support" --domain system --slug help \
    --inbox "Help desk" --inbox-kind helpdesk --permissions company \
    --access groups --group Customers
  portalctl init --name "Kundportal" --domain support.example.com --slug "" --language sv \
    --inbox Support --inbox-kind inbox --inbox-address support@example.com \
    --permissions contact --access self-register --allow-domain example.com`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Name, o.Slug = given(cmd, "name", name), given(cmd, "slug", slug)
			o.Accent, o.TimeZone = given(cmd, "accent", accent), given(cmd, "time-zone", zone)
			o.Permissions, o.Rules = given(cmd, "permissions", permissions), given(cmd, "rule", rules)
			o.CompanyScope, o.CompanyAccess = given(cmd, "company-scope", scope), given(cmd, "company-access", company)
			o.Access = access.given(cmd, given(cmd, "access", mode))
			return runInit(cmd.Context(), env, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "the title customers see in the browser tab")
	f.StringVar(&o.Domain, "domain", "", "a domain of your own, connected now if it is not yet, or system for the address of this machine")
	f.StringVar(&slug, "slug", "", "the end of the portal's address, like help; may be empty")
	languageFlag(cmd, &o.Language, "the language of the domain, and so of the portal (default en)")
	f.StringVar(&o.Inbox, "inbox", "", "the inbox or help desk new tickets go to; made if there is none of that name")
	f.StringVar(&o.InboxKind, "inbox-kind", "", "the kind of a new inbox: inbox (answered by mail) or helpdesk")
	f.StringVar(&o.InboxAddress, "inbox-address", "", "the mail address of a new inbox")
	permissionFlags(cmd, &permissions, &scope, &company, &rules)
	f.StringVar(&mode, "access", "", "who gets in: groups, self-register or sso")
	access.add(cmd)
	f.StringVar(&accent, "accent", "", "the colour of buttons and links, like #0f5fc2")
	f.StringVar(&zone, "time-zone", "", "the zone of times customers read, like Europe/Stockholm (default UTC)")
	f.BoolVar(&o.Draft, "draft", false, "leave the portal a draft, which only agents can open")
	choices(cmd, "inbox-kind", "inbox", "helpdesk")
	choices(cmd, "access", "groups", "self-register", "sso")
	config.Flags(f, "base-url", "resolver")
	mailFlags(cmd)
	nowFlag(cmd, env)
	return cmd
}

// setup turns flags into what app is asked for. What cannot be read is
// reported together.
func (o *initFlags) setup(env *Env) (app.Setup, error) {
	s := app.Setup{
		Domain: o.Domain, Slug: o.Slug, Name: o.Name, Accent: o.Accent, TimeZone: o.TimeZone, Draft: o.Draft,
		Inbox: app.InboxChoice{Name: o.Inbox, Address: o.InboxAddress},
	}
	var errs []error
	var err error
	if o.Language != "" {
		s.Language, err = language(o.Language)
		errs = append(errs, err)
	}
	if o.InboxKind != "" {
		s.Inbox.Kind, err = portal.ParseInboxKind(o.InboxKind)
		errs = append(errs, renamed(err, "inbox-kind"))
	}
	tickets := ticketFlags{Permissions: o.Permissions, CompanyScope: o.CompanyScope, CompanyAccess: o.CompanyAccess, Rules: o.Rules}
	s.Tickets, err = tickets.changes()
	errs = append(errs, err)
	s.Access, err = o.Access.changes(env)
	errs = append(errs, renamed(err, "access"))
	return s, errors.Join(errs...)
}

// renamed names the flag that init has for a field other commands take
// differently.
func renamed(err error, flag string) error {
	var e *portal.Error
	if errors.As(err, &e) && (e.Field == "kind" || e.Field == "mode") {
		e.Field = flag
	}
	return err
}

func runInit(ctx context.Context, env *Env, o initFlags) error {
	setup, err := o.setup(env)
	if err != nil {
		return err
	}
	sender, err := env.sender()
	if err != nil {
		return err
	}
	known, base, err := env.known(ctx)
	if err != nil {
		return err
	}
	err = setup.Check(known)
	if onlyMissing(err) && env.Prompt.Interactive() {
		setup, err = newWizard(setup, known, base, sender != nil).ask(ctx, env)
	}
	if err != nil {
		return err
	}
	return env.openApp(ctx, store.Options{Create: true, Now: env.Now}, env.operator(), func(a *app.App) error {
		r, err := a.SetUp(ctx, setup)
		if err != nil {
			return err
		}
		tested := ""
		if r.Created || changed(r.Changes, "inbox", "inbox-address") {
			tested = env.proveMail(ctx, a, r)
		}
		return showSetup(ctx, env, a, r, tested)
	})
}

// known reads what there is to choose from, and where the system domain lies.
// A store that is yet to be made is not made for that.
func (e *Env) known(ctx context.Context) (k *app.Known, base string, err error) {
	err = e.withApp(ctx, func(a *app.App) error {
		if k, err = a.Known(ctx); err != nil {
			return err
		}
		base, err = a.BaseURL(ctx)
		return err
	})
	var none *portal.Error
	if errors.As(err, &none) && none.Code == "store.none" {
		base = app.DefaultBaseURL
		if u := e.baseURL(); u != nil {
			base = strings.TrimSuffix(u.String(), "/")
		}
		return app.NewKnown(), base, nil
	}
	return k, base, err
}

// onlyMissing reports whether all that is wrong is that something was not
// said, so that a person can be asked for it.
func onlyMissing(err error) bool {
	if err == nil {
		return false
	}
	for _, one := range apart(err) {
		var e *portal.Error
		if !errors.As(one, &e) || e.Code != app.CodeMissing {
			return false
		}
	}
	return true
}

func changed(changes []app.Change, fields ...string) bool {
	for _, c := range changes {
		for _, f := range fields {
			if c.Field == f {
				return true
			}
		}
	}
	return false
}

// proveMail sends a test message to the portal's inbox and tells how that
// went. The set-up stands whatever comes of it.
func (e *Env) proveMail(ctx context.Context, a *app.App, r *app.SetupResult) string {
	sender, err := e.sender()
	switch {
	case err != nil || sender == nil:
		return "no mail server"
	case r.Inbox == nil || r.Inbox.Address == "":
		e.say("No test message was sent: the help desk has no mail address.")
		return "no address"
	}
	e.say("sending a test message to %s ...", r.Inbox.Address)
	if _, err := sendTest(ctx, a, sender, r.Portal, r.Inbox); err != nil {
		e.say("Mail does not work yet: %v", err)
		e.say("The portal is set up all the same. Try again with: portalctl inbox test %s", shellWord(r.Inbox.Name))
		return "failed"
	}
	e.say("The mail server took it.")
	return "delivered"
}

func showSetup(ctx context.Context, env *Env, a *app.App, r *app.SetupResult, tested string) error {
	p := r.Portal
	row, err := portalRow(ctx, a, p)
	if err != nil {
		return err
	}
	result := "changed"
	switch {
	case r.Created:
		result = "created"
		env.say("The portal %q is set up.", p.Name)
	case r.Unchanged():
		result = "unchanged"
		env.say("unchanged")
	default:
		for _, c := range r.Changes {
			env.say("%s", c)
		}
	}
	for _, g := range r.NewGroups {
		env.say("Made the access group %q.", g)
	}
	sayEnded(env, r.EndedAddress)
	if env.Config.Output != output.Table {
		columns := append(portalColumns[:len(portalColumns):len(portalColumns)], output.Column{Name: "result"}, output.Column{Name: "mail_test"})
		var mailTest any
		if tested != "" {
			mailTest = tested
		}
		if err := env.Printer().Object(columns, append(row, result, mailTest)); err != nil {
			return err
		}
	} else if err := env.line(fmt.Sprint(row[1])); err != nil {
		return err
	}
	if r.Unchanged() {
		return nil
	}
	if r.Created || changed(r.Changes, "access", "group", "domain") {
		sayWithheld(env, p)
	}
	if r.Created || changed(r.Changes, "allow-domain") {
		sayPublicDomains(env, []app.Change{{Field: "allow-domain"}}, p)
	}
	env.sayInvitations(&r.Invitations)
	saySSO(env, r.SSO)
	if !p.Domain.Verified() {
		if err := sayRecords(ctx, env, a, &p.Domain); err != nil {
			return err
		}
	}
	if !r.Created {
		return nil
	}
	return sayNext(ctx, env, a)
}

// sayRecords tells which records a domain that was connected on the way needs.
func sayRecords(ctx context.Context, env *Env, a *app.App, d *portal.Domain) error {
	c, err := a.DomainRecords(ctx, d)
	if err != nil {
		return err
	}
	env.say("\nAdd these records to the DNS zone of %s:", d.Host)
	for i := range c.Records {
		env.say("  %s", c.Records[i].Line())
	}
	return nil
}

// sayNext tells what is missing before customers can come, and how to host.
func sayNext(ctx context.Context, env *Env, a *app.App) error {
	s, err := a.Status(ctx, env.Config.SMTP.Configured())
	if err != nil {
		return err
	}
	env.say("\nNext:")
	for _, m := range s.Missing {
		if !strings.HasPrefix(m.Command, "portalctl serve") {
			env.say("  # %s\n  %s", m.What, m.Command)
		}
	}
	host := "host the portal"
	if !env.Config.SMTP.Configured() {
		host += "; with --smtp it sends mail, too"
	}
	env.say("  # %s\n  portalctl serve", host)
	return nil
}
