package sso

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// How long what was fetched counts.
const (
	// freshFor is how long a provider's description and keys are used without
	// asking again, so that a key the provider took back dies.
	freshFor = time.Hour
	// staleFor is how long they are used when asking again fails.
	staleFor = 24 * time.Hour
	// retryAfter is how long a provider that did not answer is left alone.
	retryAfter = 10 * time.Second
)

// Client knows the providers it has met. It is safe for concurrent use.
type Client struct {
	now func() time.Time

	mu    sync.Mutex
	known map[place]*entry
}

// place is what decides how a provider is fetched.
type place struct {
	issuer  string
	private bool
}

// entry is a provider, as it was last seen. Its lock is held while it is
// fetched, so that many people at once make one question.
type entry struct {
	mu        sync.Mutex
	provider  *Provider
	fetchedAt time.Time
	failedAt  time.Time
	err       error
}

// New returns a Client that has met nobody. now is the clock that tokens are
// checked with.
func New(now func() time.Time) *Client {
	return &Client{now: now, known: map[place]*entry{}}
}

// Provider is an identity provider as its discovery document describes it.
type Provider struct {
	now    func() time.Time
	oidc   *oidc.Provider
	client *http.Client
	keys   oidc.KeySet
	gate   *keyGate
	meta   metadataJSON
}

// metadataJSON is what of the discovery document the library does not tell.
type metadataJSON struct {
	Issuer        string   `json:"issuer"`
	AuthURL       string   `json:"authorization_endpoint"`
	TokenURL      string   `json:"token_endpoint"`
	KeysURL       string   `json:"jwks_uri"`
	UserInfoURL   string   `json:"userinfo_endpoint"`
	EndSessionURL string   `json:"end_session_endpoint"`
	ResponseTypes []string `json:"response_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	TokenAuth     []string `json:"token_endpoint_auth_methods_supported"`
	Challenges    []string `json:"code_challenge_methods_supported"`
	NamesItself   bool     `json:"authorization_response_iss_parameter_supported"`
}

// algorithms are those an ID token may be signed with: public-key ones only.
// With "none" anybody could write tokens, and with HS256 everybody who has a
// public client's identifier, or a key that is public anyway.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512,
	oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// SignsOut reports whether the provider can be asked to end its session too.
func (p *Provider) SignsOut() bool { return p.meta.EndSessionURL != "" }

// Discover asks the provider now, whatever is remembered of it.
func (c *Client) Discover(ctx context.Context, cfg *Config) (*Provider, error) {
	e := c.entry(cfg)
	e.mu.Lock()
	defer e.mu.Unlock()
	return c.fetch(ctx, e, cfg)
}

// Provider returns the provider, asking when nothing fresh is remembered.
func (c *Client) Provider(ctx context.Context, cfg *Config) (*Provider, error) {
	e := c.entry(cfg)
	e.mu.Lock()
	defer e.mu.Unlock()
	now := c.now()
	if e.provider != nil && within(now, e.fetchedAt, freshFor) {
		return e.provider, nil
	}
	if e.err == nil || !within(now, e.failedAt, retryAfter) {
		if p, err := c.fetch(ctx, e, cfg); err == nil {
			return p, nil
		}
	}
	if e.provider != nil && within(now, e.fetchedAt, staleFor) {
		return e.provider, nil
	}
	return nil, e.err
}

// within reports whether less than d has passed since then. A time in the
// future comes from a clock that was set back, and counts as long ago.
func within(now, then time.Time, d time.Duration) bool {
	passed := now.Sub(then)
	return passed >= 0 && passed < d
}

func (c *Client) entry(cfg *Config) *entry {
	at := place{cfg.Issuer, cfg.AllowPrivate}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[at] == nil {
		c.known[at] = &entry{}
	}
	return c.known[at]
}

func (c *Client) fetch(ctx context.Context, e *entry, cfg *Config) (*Provider, error) {
	// A visitor who goes away must not spoil the answer for those who wait.
	p, err := c.discover(context.WithoutCancel(ctx), cfg)
	if err != nil {
		e.failedAt, e.err = c.now(), err
		return nil, err
	}
	e.provider, e.fetchedAt, e.err = p, c.now(), nil
	return p, nil
}

func (c *Client) discover(ctx context.Context, cfg *Config) (*Provider, error) {
	if _, err := ParseIssuer(cfg.Issuer, cfg.AllowPrivate); err != nil {
		return nil, failf(ReasonDiscovery, "%v", err)
	}
	private := ""
	if cfg.AllowPrivate {
		u, err := url.Parse(cfg.Issuer)
		if err != nil {
			return nil, failf(ReasonDiscovery, "%v", err)
		}
		private = u.Hostname()
	}
	p := &Provider{now: c.now, client: newHTTPClient(private)}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), cfg.Issuer)
	var other *oidc.IssuerMismatchError
	switch {
	case errors.As(err, &other):
		return nil, failf(ReasonIssuer, "the provider at %s calls itself %q; use exactly what it calls itself", cfg.Issuer, other.Discovered)
	case err != nil:
		return nil, failed(ReasonUnreachable, "read "+cfg.Issuer+"'s description of itself", err)
	}
	p.oidc = found
	if err := found.Claims(&p.meta); err != nil {
		return nil, failed(ReasonDiscovery, "read "+cfg.Issuer+"'s description of itself", err)
	}
	if err := p.meta.check(private); err != nil {
		return nil, err
	}
	// Its own client, whose answers are counted.
	p.gate = &keyGate{next: p.client.Transport, now: c.now}
	keys := &http.Client{Timeout: p.client.Timeout, CheckRedirect: p.client.CheckRedirect, Transport: p.gate}
	p.keys = oidc.NewRemoteKeySet(oidc.ClientContext(ctx, keys), p.meta.KeysURL)
	return p, nil
}

// check says what about a provider's description makes it unusable.
func (m *metadataJSON) check(private string) error {
	for _, e := range []struct {
		name, address string
		needed        bool
	}{
		{"authorization_endpoint", m.AuthURL, true},
		{"token_endpoint", m.TokenURL, true},
		{"jwks_uri", m.KeysURL, true},
		{"userinfo_endpoint", m.UserInfoURL, false},
		{"end_session_endpoint", m.EndSessionURL, false},
	} {
		if e.address == "" && !e.needed {
			continue
		}
		u, err := url.Parse(e.address)
		if err != nil || u.Host == "" || u.User != nil || strings.ContainsFunc(e.address, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return failf(ReasonDiscovery, "its %s is %q, which is not a usable address", e.name, e.address)
		}
		plainText := u.Scheme == "http" && private != "" && strings.EqualFold(u.Hostname(), private) && loopbackHost(private)
		if u.Scheme != "https" && !plainText {
			return failf(ReasonDiscovery, "its %s is %q, which is not encrypted", e.name, e.address)
		}
	}
	switch {
	case len(m.ResponseTypes) > 0 && !slices.Contains(m.ResponseTypes, "code"):
		return failf(ReasonDiscovery, "it does not offer the authorization code flow")
	// Some providers know S256 and do not say so; one that names others only
	// would ignore our challenge.
	case len(m.Challenges) > 0 && !slices.Contains(m.Challenges, "S256"):
		return failf(ReasonDiscovery, "it does not offer PKCE with S256")
	case len(m.Algorithms) > 0 && !slices.ContainsFunc(m.Algorithms, func(a string) bool { return slices.Contains(algorithms, a) }):
		return failf(ReasonDiscovery, "it signs with %s only; portalctl takes %s", strings.Join(m.Algorithms, ", "), strings.Join(algorithms, ", "))
	}
	return nil
}

// tokenAuth is how the client proves itself when it hands in a code. Trying
// one way after the other, as the library would, can use the code up.
func (p *Provider) tokenAuth(cfg *Config) oauth2.AuthStyle {
	if cfg.Secret == "" {
		return oauth2.AuthStyleInParams
	}
	// Basic is what a provider takes that does not say.
	if len(p.meta.TokenAuth) > 0 && !slices.Contains(p.meta.TokenAuth, "client_secret_basic") && slices.Contains(p.meta.TokenAuth, "client_secret_post") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// The bound on questions for keys: so many in so long.
const (
	keyFetches = 5
	keyWindow  = time.Minute
)

// keyGate bounds how often a provider's keys are fetched. A token that names
// an unknown key makes the library ask for new ones, which is how keys rotate;
// tokens with made-up keys must not make us a nuisance. Above the bound the
// last answer is given again.
type keyGate struct {
	next http.RoundTripper
	now  func() time.Time

	mu      sync.Mutex
	asked   []time.Time
	body    []byte
	header  http.Header
	fetched bool
	err     error // of the last question
}

// down returns why the keys could not be had, which the library does not pass
// on; nil when they could.
func (g *keyGate) down() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// RoundTrip asks the provider, or answers from memory.
func (g *keyGate) RoundTrip(r *http.Request) (*http.Response, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	g.asked = slices.DeleteFunc(g.asked, func(at time.Time) bool { return !within(now, at, keyWindow) })
	if len(g.asked) < keyFetches {
		g.asked = append(g.asked, now)
		if g.err = g.fetch(r); g.err != nil {
			return nil, g.err
		}
	}
	if !g.fetched {
		return nil, failf(ReasonUnreachable, "%s did not answer just now and is left alone for a while", r.URL.Redacted())
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: g.header, Body: io.NopCloser(bytes.NewReader(g.body)), ContentLength: int64(len(g.body)), Request: r,
	}, nil
}

func (g *keyGate) fetch(r *http.Request) error {
	answer, err := g.next.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	g.body, g.header, g.fetched = body, answer.Header, true
	return nil
}
