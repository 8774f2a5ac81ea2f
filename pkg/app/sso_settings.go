package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/sso"
	"github.com/portalctl/portalctl/pkg/store"
)

// SSOChanges are what `access set sso` changes beside AccessChanges, whose
// Groups are values of the group claim in that mode; nil leaves a setting as
// it is.
type SSOChanges struct {
	Issuer, ClientID *string
	Secret           *string // "" for a public client, which has none
	Scopes           *[]string
	GroupClaim       *string
	EmailDomains     *[]string
	Label            *string
	AllowPrivate     *bool
	// Offline leaves the provider unasked.
	Offline bool
}

// given reports whether anything belongs to the mode sso.
func (c *SSOChanges) given() bool {
	n := *c
	n.Offline = false
	return n != SSOChanges{}
}

// SSOAddresses are what the operator registers at the provider.
type SSOAddresses struct {
	Redirect, SignedOut string
	// Asked is set when the provider was reached, and SignsOut when it can end
	// its own session too.
	Asked, SignsOut bool
}

// The paths of a portal that the provider leads back to.
const (
	SSOCallbackPath  = "/sso/callback"
	SSOSignedOutPath = "/sso/signed-out"
)

// SSOAddresses are the addresses of a portal that a provider has to know.
func (a *App) SSOAddresses(ctx context.Context, p *portal.Portal) (*SSOAddresses, error) {
	redirect, err := a.URL(ctx, p, SSOCallbackPath)
	if err != nil {
		return nil, err
	}
	out, err := a.URL(ctx, p, SSOSignedOutPath)
	return &SSOAddresses{Redirect: redirect, SignedOut: out}, err
}

// dropSSO forgets the settings of the mode sso in another mode, and refuses
// options that would have no effect.
func (c *AccessChanges) dropSSO(s *portal.AccessSettings, l *changeList) error {
	if c.SSO.given() {
		return portal.Invalidf("access.options", "issuer", "--issuer and the other options of an identity provider belong to the mode sso")
	}
	if s.SSO != nil {
		l.note("issuer", s.SSO.Issuer, "")
		s.SSO = nil
	}
	return nil
}

// applySSO changes a copy of the settings: others may be reading them.
func (c *AccessChanges) applySSO(s *portal.AccessSettings, groups []portal.Group, l *changeList) error {
	switch {
	case c.AllowDomains != nil && len(*c.AllowDomains) > 0:
		return portal.Invalidf("access.options", "allow-domain", "--allow-domain belongs to self-register; with sso, --email-domain says whose addresses the provider may vouch for")
	case c.Approval != nil && *c.Approval:
		return portal.Invalidf("access.options", "approval", "--approval belongs to self-register; with sso the provider decides")
	case c.Methods != nil:
		return portal.Invalidf("access.options", "methods", "--methods says how members sign in without an identity provider; sso stands alone")
	}
	if c.SecondFactor != nil && *c.SecondFactor == portal.FactorRequired {
		return portal.Invalidf("access.options", "second-factor", "--second-factor is asked for by portalctl; with sso, demand one at the provider")
	}
	none, off := []string(nil), false
	change(l, "allow-domain", &s.AllowDomains, &none)
	change(l, "approval", &s.Approval, &off)
	if len(s.Groups) > 0 {
		l.note("access-group", groupNames(s.Groups, groups), "")
		s.Groups = nil
	}
	next := portal.SSOSettings{GroupClaim: portal.DefaultGroupClaim}
	if s.SSO != nil {
		next = *s.SSO
	}
	if err := c.SSO.apply(&next, c.Groups, l); err != nil {
		return err
	}
	s.SSO = &next
	return nil
}

func (c *SSOChanges) apply(s *portal.SSOSettings, groups *[]string, l *changeList) error {
	before := *s
	change(l, "allow-private-issuer", &s.AllowPrivate, c.AllowPrivate)
	if c.Issuer != nil {
		issuer, err := sso.ParseIssuer(*c.Issuer, s.AllowPrivate)
		if err != nil {
			return err
		}
		change(l, "issuer", &s.Issuer, &issuer)
	}
	for _, f := range []struct {
		field string
		into  *string
		want  *string
	}{
		{"client-id", &s.ClientID, c.ClientID},
		{"group-claim", &s.GroupClaim, c.GroupClaim},
		{"sso-label", &s.Label, c.Label},
	} {
		if f.want == nil {
			continue
		}
		text, err := line(f.field, *f.want)
		if err != nil {
			return err
		}
		change(l, f.field, f.into, &text)
	}
	if err := c.applyLists(s, groups, l); err != nil {
		return err
	}
	return errors.Join(checkSSO(s), c.applySecret(s, &before))
}

func (c *SSOChanges) applyLists(s *portal.SSOSettings, groups *[]string, l *changeList) error {
	for _, f := range []struct {
		field string
		into  *[]string
		want  *[]string
		read  func(string) (string, error)
	}{
		{"group", &s.Groups, groups, func(v string) (string, error) { return requiredLine("group", v) }},
		{"scope", &s.Scopes, c.Scopes, parseScope},
		{"email-domain", &s.EmailDomains, c.EmailDomains, parseVouchDomain},
	} {
		if f.want == nil {
			continue
		}
		var list []string
		for _, v := range *f.want {
			word, err := f.read(v)
			if err != nil {
				return err
			}
			if !slices.Contains(list, word) {
				list = append(list, word)
			}
		}
		slices.Sort(list)
		change(l, f.field, f.into, &list)
	}
	return nil
}

// checkSSO says what a provider cannot be used without.
func checkSSO(s *portal.SSOSettings) error {
	var errs []error
	if s.Issuer == "" {
		errs = append(errs, missing("issuer", "the address of the identity provider, as it writes it itself"))
	} else if _, err := sso.ParseIssuer(s.Issuer, s.AllowPrivate); err != nil {
		errs = append(errs, err)
	}
	if s.ClientID == "" {
		errs = append(errs, missing("client-id", "the name the provider gave this portal"))
	}
	if len(s.EmailDomains) == 0 {
		errs = append(errs, missing("email-domain", "the mail domains whose addresses the provider may vouch for, or any"))
	}
	if len(s.Groups) > 0 && s.GroupClaim == "" {
		errs = append(errs, missing("group-claim", "the claim that lists groups, as --group narrows who gets in"))
	}
	return errors.Join(errs...)
}

// applySecret notes whether there is a client secret. One that was meant for
// another provider or client is never sent to the new one.
func (c *SSOChanges) applySecret(s, before *portal.SSOSettings) error {
	if c.Secret != nil {
		s.Secret = *c.Secret != ""
		return nil
	}
	if before.Issuer != "" && before.Issuer == s.Issuer && before.ClientID == s.ClientID {
		return nil
	}
	return missing("client-secret-file", `the client secret that belongs to this issuer and client, in a file; "" for a public client, which has none`)
}

// parseScope reads one scope: RFC 6749 section 3.3.
func parseScope(s string) (string, error) {
	scope := strings.TrimSpace(s)
	if scope == "" || len(scope) > 200 || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
		return "", portal.Invalidf("access.scope", "scope", "%q is not a scope; write one like groups, and repeat --scope for several", s)
	}
	return scope, nil
}

// parseVouchDomain reads a mail domain a provider may vouch for, or any.
func parseVouchDomain(s string) (string, error) {
	if strings.EqualFold(strings.TrimSpace(s), portal.AnyDomain) {
		return portal.AnyDomain, nil
	}
	domain, err := parseAllowDomain(s)
	var e *portal.Error
	if errors.As(err, &e) {
		e.Field = "email-domain"
	}
	return domain, err
}

// CheckVouchDomains says what is wrong with mail domains a provider may vouch
// for.
func CheckVouchDomains(list []string) error {
	for _, s := range list {
		if _, err := parseVouchDomain(s); err != nil {
			return err
		}
	}
	return nil
}

// CheckIssuer says what is wrong with the address of a provider.
func CheckIssuer(s string, allowPrivate bool) error {
	_, err := sso.ParseIssuer(s, allowPrivate)
	return err
}

// ssoConfig is what package sso needs of the settings; the secret is read only
// when a code is handed in.
func ssoConfig(s *portal.SSOSettings, secret string) *sso.Config {
	c := &sso.Config{Issuer: s.Issuer, ClientID: s.ClientID, Secret: secret, Scopes: s.Scopes, AllowPrivate: s.AllowPrivate}
	if len(s.Groups) > 0 {
		c.GroupClaim = s.GroupClaim
	}
	return c
}

// askProvider proves that the provider can be used, before anything is saved.
// It reports whether the provider was asked and whether it signs out, too.
func (a *App) askProvider(ctx context.Context, s *portal.AccessSettings, c *SSOChanges) (asked, signsOut bool, err error) {
	if s.Mode != portal.ModeSSO || s.SSO == nil || c.Offline {
		return false, false, nil
	}
	p, err := a.sso.Discover(ctx, ssoConfig(s.SSO, ""))
	if err != nil {
		return false, false, portal.Invalidf("access.provider", "issuer", "the identity provider cannot be used: %v", err).
			WithHint("see that it is right and can be reached from here; --offline sets it without asking")
	}
	return true, p.SignsOut(), nil
}

// clientSecret names a portal's client secret in the store, and what it is
// sealed for.
func clientSecret(p portal.PortalID) string { return fmt.Sprintf("sso/%d/client-secret", p) }

// keepClientSecret brings the sealed secret in line with the settings, and
// says what changed.
func (a *App) keepClientSecret(ctx context.Context, tx *store.Tx, p *portal.Portal, secret *string) ([]Change, error) {
	name := clientSecret(p.ID)
	sealed, err := tx.Secret(ctx, name)
	if err != nil {
		return nil, err
	}
	var l changeList
	switch {
	case p.Access.SSO == nil || !p.Access.SSO.Secret:
		if sealed == nil {
			return nil, nil
		}
		l.note("client-secret", "set", "")
		return l, tx.SaveSecret(ctx, name, nil)
	case secret == nil:
		return nil, nil
	}
	from := ""
	if sealed != nil {
		from = "the one before"
		// One that cannot be opened any more is as good as another.
		if old, err := a.sealer.Open(name, sealed); err == nil && string(old) == *secret {
			return nil, nil
		}
	}
	if sealed, err = a.sealer.Seal(name, []byte(*secret)); err != nil {
		return nil, err
	}
	l.note("client-secret", from, "set")
	return l, tx.SaveSecret(ctx, name, sealed)
}

// shutOldDoor ends the sessions that a provider's word opened when other
// people may come in now, or by another provider. It reports how many.
func shutOldDoor(ctx context.Context, tx *store.Tx, p *portal.Portal, before *portal.SSOSettings) (sessions int, err error) {
	if before == nil || before.SameDoor(p.Access.SSO) {
		return 0, nil
	}
	return tx.EndSessionsByWay(ctx, p.ID, portal.MethodSSO, endProvider)
}

// endProvider is why sessions end when the identity provider, or what it says
// of somebody, changed.
const endProvider = "identity_provider"
