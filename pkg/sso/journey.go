package sso

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Skew is how far the clocks of this machine and of the provider may be
// apart: two minutes are more than machines with NTP ever are, and less than
// would make an expired token worth stealing.
const Skew = 2 * time.Minute

// Journey is one browser's way to a provider and back.
type Journey struct {
	state, nonce, verifier string
	redirect               string
}

// NewJourney makes a journey of the secret that one browser holds. State,
// nonce and PKCE verifier are derived from it, so that they are bound to that
// browser and nobody has to keep them. redirect is where the provider sends
// the browser back to.
func NewJourney(secret, redirect string) (*Journey, error) {
	j := &Journey{redirect: redirect}
	for name, into := range map[string]*string{"state": &j.state, "nonce": &j.nonce, "verifier": &j.verifier} {
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, "portalctl sso "+name, 32)
		if err != nil {
			return nil, err
		}
		*into = base64.RawURLEncoding.EncodeToString(key)
	}
	return j, nil
}

// Matches reports whether an answer carries this journey's state.
func (j *Journey) Matches(answer url.Values) bool {
	return len(answer["state"]) == 1 && same(answer.Get("state"), j.state)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (p *Provider) oauth(cfg *Config, j *Journey) *oauth2.Config {
	end := p.oidc.Endpoint()
	end.AuthStyle = p.tokenAuth(cfg)
	scopes := []string{oidc.ScopeOpenID, oidc.ScopeEmail, oidc.ScopeProfile}
	for _, s := range cfg.Scopes {
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return &oauth2.Config{ClientID: cfg.ClientID, ClientSecret: cfg.Secret, Endpoint: end, RedirectURL: j.redirect, Scopes: scopes}
}

// Begin is the address to send the browser to. language is what the visitor
// reads, as a wish.
func (p *Provider) Begin(cfg *Config, j *Journey, language string) string {
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(j.verifier), oidc.Nonce(j.nonce)}
	if language != "" {
		options = append(options, oauth2.SetAuthURLParam("ui_locales", language))
	}
	return p.oauth(cfg, j).AuthCodeURL(j.state, options...)
}

// longestParam is the longest value of an answer that is looked at.
const longestParam = 4096

// Finish checks the provider's answer, hands in the code, and returns whom
// the provider vouches for. Every failure is an *Error.
func (p *Provider) Finish(ctx context.Context, cfg *Config, j *Journey, answer url.Values) (*Identity, error) {
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(answer[name]) > 1 || len(answer.Get(name)) > longestParam {
			return nil, failf(ReasonState, "the answer carries %s more than once or far too long", name)
		}
	}
	if !j.Matches(answer) {
		return nil, failf(ReasonState, "the answer does not belong to what this browser asked")
	}
	// RFC 9207: an answer of another provider, brought here by a mix-up, must
	// not have its code handed to this one. Errors carry the name as well.
	switch iss, there := answer["iss"]; {
	case there && iss[0] != cfg.Issuer:
		return nil, failf(ReasonIssuer, "the answer comes from %q, not from %s", iss[0], cfg.Issuer)
	case !there && p.meta.NamesItself:
		return nil, failf(ReasonIssuer, "the answer does not say who sent it, which the provider promised")
	}
	if code := answer.Get("error"); code != "" {
		return nil, failf(ReasonProvider, "the provider answers %q", code)
	}
	if answer.Get("code") == "" {
		return nil, failf(ReasonCode, "the answer carries no code")
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := p.oauth(cfg, j).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(j.verifier))
	if err != nil {
		return nil, exchangeFailed(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		return nil, failf(ReasonToken, "the provider sent no ID token")
	}
	id, err := p.verify(ctx, cfg, j, raw, token.AccessToken)
	if err != nil {
		return nil, err
	}
	who := &Identity{Issuer: cfg.Issuer, Subject: id.Subject, Token: raw, EndSession: p.meta.EndSessionURL}
	if err := who.read(id.Claims, cfg); err != nil {
		return nil, err
	}
	if who.complete(cfg) || p.meta.UserInfoURL == "" {
		return who, nil
	}
	return who, p.ask(ctx, cfg, token, who)
}

// exchangeFailed keeps the error's code of a refusal and leaves its text, and
// whatever else the provider wrote, behind.
func exchangeFailed(err error) *Error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		status := ""
		if refused.Response != nil {
			status = refused.Response.Status
			if refused.Response.StatusCode >= http.StatusInternalServerError {
				return failf(ReasonUnreachable, "the provider answers %s when handed the code", status)
			}
		}
		return failf(ReasonCode, "the provider does not take the code: %q (%s)", refused.ErrorCode, status)
	}
	return failed(ReasonUnreachable, "hand in the code", err)
}

// verify checks an ID token: OpenID Connect Core section 3.1.3.7. Times are
// compared here, as the library allows no skew for them.
func (p *Provider) verify(ctx context.Context, cfg *Config, j *Journey, raw, access string) (*oidc.IDToken, error) {
	signed := slices.DeleteFunc(slices.Clone(p.meta.Algorithms), func(a string) bool { return !slices.Contains(algorithms, a) })
	id, err := oidc.NewVerifier(cfg.Issuer, p.keys, &oidc.Config{
		ClientID: cfg.ClientID, SupportedSigningAlgs: signed, SkipExpiryCheck: true,
		// Issuer and audience are compared below, where each has its reason.
		SkipIssuerCheck: true, SkipClientIDCheck: true,
	}).Verify(ctx, raw)
	if err != nil {
		if down := p.gate.down(); down != nil {
			return nil, failed(ReasonUnreachable, "fetch the provider's keys", down)
		}
		return nil, failed(ReasonSignature, "check the ID token's signature", err)
	}
	var extra struct {
		Party     *string `json:"azp"`
		NotBefore *json64 `json:"nbf"`
	}
	if err := id.Claims(&extra); err != nil {
		return nil, failed(ReasonToken, "read the ID token", err)
	}
	now := p.now()
	switch {
	case id.Issuer != cfg.Issuer:
		return nil, failf(ReasonIssuer, "the ID token was issued by %q, not by %s", id.Issuer, cfg.Issuer)
	case !slices.Contains(id.Audience, cfg.ClientID):
		return nil, failf(ReasonAudience, "the ID token is for %q, not for %s", id.Audience, cfg.ClientID)
	case extra.Party != nil && *extra.Party != cfg.ClientID:
		return nil, failf(ReasonParty, "the ID token was given to %q, not to %s", *extra.Party, cfg.ClientID)
	case extra.Party == nil && len(id.Audience) > 1:
		return nil, failf(ReasonParty, "the ID token is for several, %q, and does not say to whom it was given", id.Audience)
	case !now.Before(id.Expiry.Add(Skew)):
		return nil, failf(ReasonExpired, "the ID token expired at %s and it is %s here; are both clocks right?", stamp(id.Expiry), stamp(now))
	case id.IssuedAt.Unix() <= 0:
		return nil, failf(ReasonToken, "the ID token does not say when it was issued")
	case id.IssuedAt.After(now.Add(Skew)):
		return nil, failf(ReasonFuture, "the ID token was issued at %s and it is %s here; are both clocks right?", stamp(id.IssuedAt), stamp(now))
	case extra.NotBefore != nil && time.Unix(int64(*extra.NotBefore), 0).After(now.Add(Skew)):
		return nil, failf(ReasonFuture, "the ID token counts from %s and it is %s here; are both clocks right?", stamp(time.Unix(int64(*extra.NotBefore), 0)), stamp(now))
	case !same(id.Nonce, j.nonce):
		return nil, failf(ReasonNonce, "the ID token is not for what this browser asked")
	case !goodSubject(id.Subject):
		return nil, failf(ReasonSubject, "the ID token names nobody, or in more than 255 letters")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(access); err != nil {
			return nil, failed(ReasonHash, "compare the access token", err)
		}
	}
	return id, nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// goodSubject holds a subject to what the standard allows: up to 255 letters
// of ASCII, compared byte by byte.
func goodSubject(s string) bool {
	return s != "" && len(s) <= 255 && !slices.ContainsFunc([]byte(s), func(b byte) bool { return b < ' ' || b > '~' })
}

// ask fills in from the userinfo endpoint what the ID token left open.
func (p *Provider) ask(ctx context.Context, cfg *Config, token *oauth2.Token, who *Identity) error {
	info, err := p.oidc.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return failed(ReasonUserInfo, "ask about the person", err)
	}
	// Without this, a token that was swapped tells of somebody else.
	if info.Subject != who.Subject {
		return failf(ReasonUserInfo, "asked about the person, the provider tells of somebody else")
	}
	return who.read(info.Claims, cfg)
}
