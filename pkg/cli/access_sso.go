package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/prompt"
)

// clientSecretEnv holds a client secret in scripts. A flag's value would end
// up in the shell's history and in lists of processes.
const clientSecretEnv = "PORTALCTL_SSO_CLIENT_SECRET" // #nosec G101 -- the name of a variable

// ssoFlags are the settings of an identity provider as typed; nil was not
// given.
type ssoFlags struct {
	Issuer, ClientID, SecretFile *string
	GroupClaim, Label            *string
	Scopes, EmailDomains         *[]string
	AllowPrivate                 *bool
	Offline                      bool
}

// ssoValues hold the flags' values until it is known which were given.
type ssoValues struct {
	issuer, clientID, secretFile string
	groupClaim, label            string
	scopes, emailDomains         []string
	allowPrivate, offline        bool
}

func (v *ssoValues) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&v.issuer, "issuer", "", "the address of the identity provider, exactly as it names itself (mode sso)")
	f.StringVar(&v.clientID, "client-id", "", "the name the provider gave this portal (mode sso)")
	f.StringVar(&v.secretFile, "client-secret-file", "", "a `FILE` with the client secret, - for standard input; \"\" for a public client, which has none; or "+clientSecretEnv+" (mode sso)")
	f.StringSliceVar(&v.emailDomains, "email-domain", nil, "a mail domain whose addresses the provider may vouch for, or any; repeat it for several (mode sso)")
	f.StringVar(&v.groupClaim, "group-claim", "", "the claim that lists somebody's groups at the provider (default groups; mode sso)")
	f.StringArrayVar(&v.scopes, "scope", nil, "a scope to ask for beside openid, email and profile; repeat it for several (mode sso)")
	f.StringVar(&v.label, "sso-label", "", "whom the button names: \"Acme\" makes it \"Sign in with Acme\" (mode sso)")
	f.BoolVar(&v.allowPrivate, "allow-private-issuer", false, "the provider may lie in a private network, or on this machine without TLS (mode sso)")
	f.BoolVar(&v.offline, "offline", false, "do not ask the provider whether it is there (mode sso)")
}

func (v *ssoValues) given(cmd *cobra.Command) ssoFlags {
	return ssoFlags{
		Issuer: given(cmd, "issuer", v.issuer), ClientID: given(cmd, "client-id", v.clientID),
		SecretFile: given(cmd, "client-secret-file", v.secretFile), GroupClaim: given(cmd, "group-claim", v.groupClaim),
		Label: given(cmd, "sso-label", v.label), Scopes: given(cmd, "scope", v.scopes),
		EmailDomains: given(cmd, "email-domain", v.emailDomains), AllowPrivate: given(cmd, "allow-private-issuer", v.allowPrivate),
		Offline: v.offline,
	}
}

// changes reads the flags, and the client secret from its file. The variable
// counts for commands that name a provider, and for no others.
func (f *ssoFlags) changes(env *Env, mode *portal.AccessMode) (c app.SSOChanges, err error) {
	c = app.SSOChanges{
		Issuer: f.Issuer, ClientID: f.ClientID, GroupClaim: f.GroupClaim, Label: f.Label,
		Scopes: withoutEmpty(f.Scopes), EmailDomains: withoutEmpty(f.EmailDomains), AllowPrivate: f.AllowPrivate, Offline: f.Offline,
	}
	if f.SecretFile != nil {
		c.Secret, err = parsed(f.SecretFile, func(file string) (string, error) {
			if file == "" {
				return "", nil
			}
			return readSecret(env, "client-secret-file", file, "client secret")
		})
		return c, err
	}
	names := f.Issuer != nil || f.ClientID != nil || mode != nil && *mode == portal.ModeSSO
	if secret := env.Getenv(clientSecretEnv); secret != "" && names {
		c.Secret = &secret
	}
	return c, nil
}

// asksSecret reports whether all that is missing is the client secret, which a
// person can be asked for.
func asksSecret(err error) bool {
	var e *portal.Error
	return onlyMissing(err) && len(portal.Errors(err)) == 1 && errors.As(err, &e) && e.Field == "client-secret-file"
}

// setAccess changes the settings, and asks for the client secret if that is
// all that is missing.
func setAccess(ctx context.Context, env *Env, a *app.App, id portal.PortalID, c app.AccessChanges) (*app.AccessResult, error) {
	r, err := a.SetAccess(ctx, id, c)
	if !asksSecret(err) || !env.Prompt.Interactive() {
		return r, err
	}
	secret, err := env.Prompt.Password(ctx, "What is the client secret? (empty for a public client)", "--client-secret-file", nil)
	if err != nil {
		return nil, err
	}
	c.SSO.Secret = &secret
	return a.SetAccess(ctx, id, c)
}

// saySSO tells what has to be registered at the provider.
func saySSO(env *Env, s *app.SSOAddresses) {
	if s == nil {
		return
	}
	if s.Asked {
		env.say("The identity provider answers and can be used.")
	}
	env.say("Register at the provider:")
	env.say("  redirect URI              %s", s.Redirect)
	if s.SignsOut || !s.Asked {
		env.say("  post-logout redirect URI  %s", s.SignedOut)
	}
	if s.Asked && !s.SignsOut {
		env.say("It has no place to sign out: signing out ends the session here only.")
	}
}

// ssoColumns are what `access show` tells of an identity provider.
var ssoColumns = []output.Column{
	{Name: "issuer", Head: "Issuer"},
	{Name: "client_id", Head: "Client ID"},
	{Name: "client_secret", Head: "Client secret"},
	{Name: "scopes", Head: "Scopes"},
	{Name: "group_claim", Head: "Group claim"},
	{Name: "provider_groups", Head: "Groups at the provider"},
	{Name: "email_domains", Head: "Vouches for addresses of"},
	{Name: "sso_label", Head: "Button"},
	{Name: "redirect_uri", Head: "Redirect URI"},
	{Name: "post_logout_redirect_uri", Head: "Post-logout URI"},
	{Name: "allow_private_issuer", Head: "Private address"},
}

// ssoRow is the row for ssoColumns. The secret is told only to be there.
func ssoRow(s *portal.SSOSettings, at *app.SSOAddresses) []any {
	return []any{
		s.Issuer, s.ClientID, s.Secret, append([]string{}, s.Scopes...), s.GroupClaim, append([]string{}, s.Groups...),
		append([]string{}, s.EmailDomains...), s.Label, at.Redirect, at.SignedOut, s.AllowPrivate,
	}
}

// ssoAnswers are the wizard's answers about an identity provider.
type ssoAnswers struct {
	issuer, clientID, secret string
	emailDomains, groups     string
}

func newSSOAnswers(c *app.AccessChanges) ssoAnswers {
	return ssoAnswers{
		issuer: valueOf(c.SSO.Issuer), clientID: valueOf(c.SSO.ClientID),
		emailDomains: strings.Join(valueOf(c.SSO.EmailDomains), ", "), groups: strings.Join(valueOf(c.Groups), ", "),
	}
}

// ssoFields ask about an identity provider.
func (w *wizard) ssoFields() []prompt.Field {
	not := func() bool { return w.mode != string(portal.ModeSSO) }
	return []prompt.Field{
		{
			Title: "What is the address of the identity provider?", Pass: "--issuer", Text: &w.sso.issuer,
			Placeholder: "https://login.example.com", Hide: not, Help: prompt.Says("Its issuer, exactly as it writes it itself."),
			Check: func(s string) error { return app.CheckIssuer(s, valueOf(w.setup.Access.SSO.AllowPrivate)) },
		},
		{Title: "What is the client ID?", Pass: "--client-id", Text: &w.sso.clientID, Hide: not},
		{
			Title: "What is the client secret?", Pass: "--client-secret-file", Text: &w.sso.secret, Secret: true, Optional: true,
			Hide: func() bool { return not() || w.setup.Access.SSO.Secret != nil }, Help: prompt.Says("Empty for a public client, which has none."),
		},
		{
			Title: "Whose addresses may it vouch for?", Pass: "--email-domain", Text: &w.sso.emailDomains,
			Placeholder: "example.com, example.org", Hide: not, Help: prompt.Says("Mail domains with commas between, or any."),
			Check: func(s string) error { return app.CheckVouchDomains(words(s)) },
		},
		{
			Title: "Only people in certain groups there?", Pass: "--group", Text: &w.sso.groups, Optional: true,
			Hide: not, Help: prompt.Says("Values of the claim groups, with commas between; empty for everybody it knows."),
		},
	}
}

// ssoChanges puts the answers into the changes.
func (w *wizard) ssoChanges(c *app.AccessChanges) {
	domains := words(w.sso.emailDomains)
	var groups []string
	for g := range strings.SplitSeq(w.sso.groups, ",") {
		if g = strings.TrimSpace(g); g != "" {
			groups = append(groups, g)
		}
	}
	c.SSO.Issuer, c.SSO.ClientID, c.SSO.EmailDomains, c.Groups = &w.sso.issuer, &w.sso.clientID, &domains, &groups
	if c.SSO.Secret == nil {
		c.SSO.Secret = &w.sso.secret
	}
}
