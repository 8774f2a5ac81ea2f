package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newAccessCmd(env *Env) *cobra.Command {
	return noun("access", "Say who gets in, and see why", "  portalctl access set groups --group Customers",
		newAccessSetCmd(env),
		newAccessShowCmd(env),
		newAccessExplainCmd(env),
		newAccessTestCmd(env),
		newAccessReviewCmd(env),
	)
}

// accessFlags are the access settings as typed; nil was not given.
type accessFlags struct {
	Mode                 *string
	Groups, Domains      *[]string
	Approval             *bool
	Methods              *[]string
	SecondFactor         *string
	IdleTimeout, Consent *string
	SSO                  ssoFlags
}

// accessValues hold the flags' values until it is known which were given.
type accessValues struct {
	groups, domains, methods []string
	secondFactor             string
	idleTimeout, consent     string
	approval                 bool
	sso                      ssoValues
}

func (v *accessValues) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&v.groups, "group", nil, "an access group whose contacts get in; repeat it for several (mode groups); with sso, a value of the provider's group claim, \"\" for everybody it knows")
	f.StringSliceVar(&v.domains, "allow-domain", nil, "a mail domain that may register, like example.com; repeat it for several, \"\" for any (mode self-register)")
	f.BoolVar(&v.approval, "approval", false, "somebody approves each registration; --approval=false: nobody has to (mode self-register)")
	f.StringSliceVar(&v.methods, "methods", nil, "how members sign in: password, link, passkey or several; passkey not alone (default all three)")
	f.StringVar(&v.secondFactor, "second-factor", "", "whether members need an authenticator app or a passkey: optional or required (default optional)")
	f.StringVar(&v.idleTimeout, "idle-timeout", "", "when a session nobody uses ends, like 20m or 24h (default 40m)")
	f.StringVar(&v.consent, "consent", "", "a `FILE` with a text that must be agreed to when registering, - for standard input; \"\" for none")
	choices(cmd, "second-factor", "optional", "required")
	choices(cmd, "methods", "password", "link", "password,link", "link,passkey", "password,link,passkey")
	v.sso.add(cmd)
}

func (v *accessValues) given(cmd *cobra.Command, mode *string) accessFlags {
	return accessFlags{
		Mode: mode, Groups: given(cmd, "group", v.groups), Domains: given(cmd, "allow-domain", v.domains),
		Approval: given(cmd, "approval", v.approval), Methods: given(cmd, "methods", v.methods),
		SecondFactor: given(cmd, "second-factor", v.secondFactor),
		IdleTimeout:  given(cmd, "idle-timeout", v.idleTimeout), Consent: given(cmd, "consent", v.consent),
		SSO: v.sso.given(cmd),
	}
}

// changes reads the flags, and the consent text from its file.
func (f *accessFlags) changes(env *Env) (c app.AccessChanges, err error) {
	c.Groups, c.AllowDomains, c.Approval = withoutEmpty(f.Groups), withoutEmpty(f.Domains), f.Approval
	if c.Mode, err = parsed(f.Mode, portal.ParseAccessMode); err != nil {
		return c, err
	}
	if c.SSO, err = f.SSO.changes(env, c.Mode); err != nil {
		return c, err
	}
	if c.Methods, err = parsed(f.Methods, portal.ParseMethods); err != nil {
		return c, err
	}
	if c.SecondFactor, err = parsed(f.SecondFactor, portal.ParseFactorRule); err != nil {
		return c, err
	}
	if c.IdleTimeout, err = parsed(f.IdleTimeout, portal.ParseIdleTimeout); err != nil {
		return c, err
	}
	c.Consent, err = parsed(f.Consent, func(file string) (string, error) { return readText(env, "consent", file) })
	return c, err
}

// withoutEmpty drops empty words, so that --allow-domain "" means none.
func withoutEmpty(list *[]string) *[]string {
	if list == nil {
		return nil
	}
	kept := []string{}
	for _, s := range *list {
		if strings.TrimSpace(s) != "" {
			kept = append(kept, s)
		}
	}
	return &kept
}

// readText reads a text from the file a flag names, from standard input for -,
// and nothing for "".
func readText(env *Env, flag, file string) (string, error) {
	var text []byte
	var err error
	switch file {
	case "":
		return "", nil
	case "-":
		text, err = io.ReadAll(io.LimitReader(env.In, 2*portal.MaxBody))
	default:
		text, err = readLimited(file)
	}
	if err != nil {
		return "", &portal.Error{
			Kind: portal.Invalid, Code: "usage", Field: flag, Err: err,
			Msg: fmt.Sprintf("the file for --%s cannot be read: %v", flag, err),
		}
	}
	if strings.TrimSpace(string(text)) == "" {
		return "", portal.Invalidf("usage", flag, "the file for --%s is empty", flag)
	}
	return strings.TrimPrefix(string(text), "\ufeff"), nil
}

func readLimited(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, 2*portal.MaxBody))
}

func newAccessSetCmd(env *Env) *cobra.Command {
	var v accessValues
	cmd := &cobra.Command{
		Use:   "set [groups|self-register|sso]",
		Short: "Say who gets into the portal and how they sign in",
		Long: `Say who gets into a portal.

  groups         only contacts of the named access groups, each invited by mail
  self-register  anyone who proves an e-mail address; --allow-domain limits it,
                 --approval puts somebody in between
  sso            whoever your identity provider (OpenID Connect) vouches for;
                 --group narrows it, --email-domain says whose addresses count

There is no public mode: customers always sign in. --methods says how: with a
password, a link sent by mail, a passkey. Passkeys need another method beside
them, and show only where browsers have them: over https, or at localhost.
Agents may use all three, whatever the portal offers. Without a mode the one
that is set stays and only the options change. Options of the other mode are
dropped when the mode changes. A second factor that is required holds at the
next page of those who are signed in: who has none sets one up there. A portal
on the system domain mails nobody of an access group; hand over links with
"portalctl members link" instead.

With sso the provider is asked whether it is there, and the addresses to
register with it are printed. Its client secret comes from --client-secret-file,
from PORTALCTL_SSO_CLIENT_SECRET or from a question, and is kept sealed. People
are known by the provider's own name for them; an e-mail address counts when the
provider says it was proven, and leads to the contact that has it, once.

` + graceHelp,
		Example: `  portalctl access set groups --group Customers --group Partners
  portalctl access set self-register --allow-domain example.com --approval
  portalctl access set sso --issuer https://login.example.com --client-id portal \
    --client-secret-file secret.txt --email-domain example.com
  portalctl access set --methods link,passkey --idle-timeout 20m`,
		Args:      upTo(1),
		ValidArgs: []string{"groups", "self-register", "sso"},
		RunE: func(cmd *cobra.Command, args []string) error {
			var mode *string
			if len(args) == 1 {
				mode = &args[0]
			}
			return runAccessSet(cmd.Context(), env, v.given(cmd, mode))
		},
	}
	v.add(cmd)
	nowFlag(cmd, env)
	return cmd
}

func runAccessSet(ctx context.Context, env *Env, f accessFlags) error {
	if f == (accessFlags{}) {
		return nothingGiven("groups, self-register or sso, or an option such as --methods")
	}
	c, err := f.changes(env)
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.portal(ctx, a)
		if err != nil {
			return err
		}
		r, err := setAccess(ctx, env, a, p.ID, c)
		if err != nil {
			return err
		}
		env.sayChanges(r.Changes)
		sayWithheld(env, r.Portal)
		env.sayInvitations(&r.Invitations)
		if r.Ended > 0 {
			env.say("%s ended", counted(r.Ended, "session", "sessions"))
		}
		sayEmptyGroups(env, r.Groups)
		saySSO(env, r.SSO)
		sayPublicDomains(env, r.Changes, r.Portal)
		sayFactor(env, f.SecondFactor != nil, r)
		if f.Methods != nil {
			if err := sayPasskeysHidden(ctx, env, a, r.Portal); err != nil {
				return err
			}
		}
		if r.Outside > 0 {
			env.say("%s in none of the groups and cannot get in any more; portalctl groups members lets them in again",
				app.Counted(r.Outside, "member is", "members are"))
		}
		if env.Config.Output == output.Table {
			return nil
		}
		return showAccess(ctx, env, a, r.Portal)
	})
}

// sayWithheld tells that the system domain keeps invitations back.
func sayWithheld(env *Env, p *portal.Portal) {
	if app.MailWithheld(p) {
		env.say("The portal is on the system domain, so its access groups get no membership mail.")
		env.say("Hand over links instead: portalctl members link NAME@EXAMPLE.COM")
	}
}

// sayPublicDomains warns when a limit to some domains is hardly one.
func sayPublicDomains(env *Env, changes []app.Change, p *portal.Portal) {
	if !changed(changes, "allow-domain") {
		return
	}
	for _, d := range app.PublicDomains(p.Access.AllowDomains) {
		env.say("%s gives an address to anybody, so anybody with one may register", app.DisplayHost(d))
	}
}

func sayEmptyGroups(env *Env, groups []portal.Group) {
	for _, g := range groups {
		if g.Members == 0 {
			env.say("The access group %q is empty: portalctl groups members %q --add NAME@EXAMPLE.COM", g.Name, g.Name)
		}
	}
}

// sayFactor tells what a rule for second factors means for those who are
// members already.
func sayFactor(env *Env, given bool, r *app.AccessResult) {
	if given && r.Portal.Access.Mode == portal.ModeSSO {
		env.say("With the mode sso a second factor is the identity provider's matter; the portal asks for none.")
	}
	if r.WithoutFactor > 0 {
		env.say("%s no authenticator app yet; they are asked to set one up at their next page",
			app.Counted(r.WithoutFactor, "member has", "members have"))
	}
}

// passkeysOffered reports whether members can sign in by passkey: the portal
// takes them, and browsers have them where it is served.
func passkeysOffered(ctx context.Context, a *app.App, p *portal.Portal) (bool, error) {
	if !p.Access.Allows(portal.MethodPasskey) {
		return false, nil
	}
	return a.PasskeysWork(ctx, p)
}

// sayPasskeysHidden tells that passkeys were chosen and cannot be used.
func sayPasskeysHidden(ctx context.Context, env *Env, a *app.App, p *portal.Portal) error {
	offered, err := passkeysOffered(ctx, a, p)
	if err != nil || offered || !p.Access.Allows(portal.MethodPasskey) {
		return err
	}
	at, err := a.URL(ctx, p, "/")
	if err == nil {
		env.say("Passkeys stay hidden at %s: browsers have them over https, or at http://localhost, only", at)
	}
	return err
}

func newAccessShowCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "show",
		Short:   "Show who gets into the portal and how they sign in",
		Example: "  portalctl access show\n  portalctl access show --output json",
		Args:    upTo(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runAccessShow(cmd.Context(), env) },
	}
}

func runAccessShow(ctx context.Context, env *Env) error {
	return env.withApp(ctx, func(a *app.App) error {
		p, err := env.portal(ctx, a)
		if err != nil {
			return err
		}
		return showAccess(ctx, env, a, p)
	})
}

func showAccess(ctx context.Context, env *Env, a *app.App, p *portal.Portal) error {
	groups, err := a.GroupsOfPortal(ctx, p)
	if err != nil {
		return err
	}
	names := []string{}
	for _, g := range groups {
		names = append(names, g.Name)
	}
	methods := []string{}
	for _, m := range p.Access.Methods {
		methods = append(methods, string(m))
	}
	if p.Access.Mode == portal.ModeSSO {
		// The others are kept for the day another mode is set.
		methods = []string{string(portal.MethodSSO)}
	}
	passkeys, err := passkeysOffered(ctx, a, p)
	if err != nil {
		return err
	}
	s := &p.Access
	var consent any
	if s.Consent != "" {
		consent = s.ConsentVersion
	}
	columns := []output.Column{
		{Name: "portal", Head: "Portal"},
		{Name: "mode", Head: "Mode"},
		{Name: "groups", Head: "Groups"},
		{Name: "allow_domains", Head: "Allowed domains"},
		{Name: "approval", Head: "Approval"},
		{Name: "methods", Head: "Sign-in methods"},
		{Name: "passkeys_offered", Head: "Passkeys shown"},
		{Name: "second_factor", Head: "Second factor"},
		{Name: "idle_timeout", Head: "Idle timeout"},
		{Name: "consent_version", Head: "Consent version"},
		{Name: "consent", Head: "Consent text"},
		{Name: "membership_mail", Head: "Membership mail"},
	}
	row := []any{
		p.Name, string(s.Mode), names, append([]string{}, s.AllowDomains...), s.Approval, methods, passkeys,
		string(s.SecondFactor.OrDefault()), shortDuration(s.IdleTimeout),
		consent, s.Consent, !app.MailWithheld(p),
	}
	if s.SSO != nil {
		at, err := a.SSOAddresses(ctx, p)
		if err != nil {
			return err
		}
		columns, row = append(columns, ssoColumns...), append(row, ssoRow(s.SSO, at)...)
	}
	return env.Printer().Object(columns, row)
}
