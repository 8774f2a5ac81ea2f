package sso

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/portaltest/oidctest"
)

const (
	browser  = "what one browser holds"
	redirect = "https://support.example.com/help/sso/callback"
)

// world is a provider and a client that knows it.
type world struct {
	*oidctest.Provider
	t      *testing.T
	clock  *portaltest.Clock
	client *Client
	cfg    Config
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: portaltest.NewClock()}
	w.Provider, w.client = oidctest.New(t, w.clock.Now), New(w.clock.Now)
	w.cfg = Config{Issuer: w.Issuer, ClientID: oidctest.ClientID, Secret: oidctest.Secret, AllowPrivate: true}
	return w
}

func (w *world) journey(secret string) *Journey {
	w.t.Helper()
	j, err := NewJourney(secret, redirect)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// visit goes to the provider as a browser does and returns what it carries
// back.
func (w *world) visit(address string) url.Values {
	w.t.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := c.Get(address)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	back, err := answer.Location()
	if err != nil {
		w.t.Fatalf("GET %s answers %s and leads nowhere: %v", address, answer.Status, err)
	}
	return back.Query()
}

// signIn makes the whole journey.
func (w *world) signIn() (*Identity, error) {
	w.t.Helper()
	p, err := w.client.Provider(w.t.Context(), &w.cfg)
	if err != nil {
		return nil, err
	}
	j := w.journey(browser)
	return p.Finish(w.t.Context(), &w.cfg, j, w.visit(p.Begin(&w.cfg, j, "sv")))
}

func (w *world) wantReason(err error, want Reason) {
	w.t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Reason != want {
		w.t.Errorf("got %#v, wanted the reason %q", err, want)
	}
}

func TestJourneyEndsWithAnIdentity(t *testing.T) {
	w := newWorld(t)
	got, err := w.signIn()
	if err != nil {
		t.Fatal(err)
	}
	want := &Identity{
		Issuer: w.Issuer, Subject: "0001", Email: "ana@example.com", EmailVerified: true, Name: "Ana Lind", Locale: "sv-SE",
		Token: got.Token, EndSession: w.Issuer + "/logout",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if w.Asked("/userinfo") != 0 {
		t.Error("userinfo was asked although the ID token told everything")
	}
}

func TestUserInfoFillsIn(t *testing.T) {
	w := newWorld(t)
	w.InUserInfo = true
	w.cfg.GroupClaim = "realm_access.roles"
	w.Person["realm_access"] = map[string]any{"roles": []any{"staff", 7}}
	got, err := w.signIn()
	if err != nil {
		t.Fatal(err)
	}
	if got.Email != "ana@example.com" || !got.EmailVerified || got.Name != "Ana Lind" || !got.HasGroups || !cmp.Equal(got.Groups, []string{"staff"}) {
		t.Errorf("got %+v", got)
	}
}

func TestBeginAsksWithChallenge(t *testing.T) {
	w := newWorld(t)
	w.cfg.Scopes = []string{"groups", "email"}
	p, err := w.client.Provider(t.Context(), &w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(p.Begin(&w.cfg, w.journey(browser), "sv"))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"response_type": "code", "client_id": oidctest.ClientID, "redirect_uri": redirect, "scope": "openid email profile groups",
		"code_challenge_method": "S256", "ui_locales": "sv",
	} {
		if got := q.Get(name); got != want {
			t.Errorf("%s is %q, wanted %q", name, got, want)
		}
	}
	values := map[string]bool{}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if v := q.Get(name); len(v) != 43 || values[v] {
			t.Errorf("%s is %q, wanted 43 letters of its own", name, v)
		}
		values[q.Get(name)] = true
	}
	if strings.Contains(u.String(), "secret") {
		t.Errorf("the address %s carries the secret", u)
	}
}

// Every way in which an answer can be wrong ends in a reason and nothing else.
func TestAnswersAreChecked(t *testing.T) {
	set := func(name string, value any) func(*world) {
		return func(w *world) { w.Token = func(c map[string]any) { c[name] = value } }
	}
	unset := func(name string) func(*world) {
		return func(w *world) { w.Token = func(c map[string]any) { delete(c, name) } }
	}
	answer := func(name, value string) func(*world) {
		return func(w *world) { w.Answer = func(v url.Values) { v.Set(name, value) } }
	}
	after := func(name string, d time.Duration) func(*world) {
		return func(w *world) { w.Token = func(c map[string]any) { c[name] = w.clock.Now().Add(d).Unix() } }
	}
	tests := []struct {
		name string
		bend func(*world)
		want Reason
	}{
		{"wrong nonce", set("nonce", "of another question"), ReasonNonce},
		{"no nonce", unset("nonce"), ReasonNonce},
		{"wrong audience", set("aud", "somebody-else"), ReasonAudience},
		{"no audience", unset("aud"), ReasonAudience},
		{"wrong azp", set("azp", "somebody-else"), ReasonParty},
		{"several audiences without azp", set("aud", []string{oidctest.ClientID, "other"}), ReasonParty},
		{"wrong issuer in the token", set("iss", "https://evil.example"), ReasonIssuer},
		{"expired", after("exp", -Skew), ReasonExpired},
		{"no expiry", unset("exp"), ReasonExpired},
		{"issued in the future", after("iat", Skew+time.Second), ReasonFuture},
		{"no time of issue", unset("iat"), ReasonToken},
		{"not valid yet", after("nbf", Skew+time.Second), ReasonFuture},
		{"no subject", unset("sub"), ReasonSubject},
		{"endless subject", set("sub", strings.Repeat("x", 256)), ReasonSubject},
		{"wrong at_hash", set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), ReasonHash},
		{"alg none", func(w *world) { w.Sign = w.Unsigned }, ReasonSignature},
		{"HS256 with the client secret", func(w *world) {
			w.Sign = func(c map[string]any) string {
				return w.SignWith(jose.HS256, []byte(strings.Repeat(oidctest.Secret, 2)), c)
			}
			w.Discovery = func(d map[string]any) { d["id_token_signing_alg_values_supported"] = []string{"HS256", "RS256"} }
		}, ReasonSignature},
		{"HS256 with the public key", func(w *world) {
			w.Sign = func(c map[string]any) string {
				key := w.Key()
				public, err := json.Marshal(key.Public())
				if err != nil {
					w.t.Error(err)
				}
				return w.SignWith(jose.HS256, public, c)
			}
		}, ReasonSignature},
		{"a key of somebody else", func(w *world) {
			other := oidctest.New(w.t, w.clock.Now).Key()
			w.Sign = func(c map[string]any) string { return w.SignWith(jose.RS256, other, c) }
		}, ReasonSignature},
		{"an algorithm that is not in the description", func(w *world) {
			w.Sign = func(c map[string]any) string { return w.SignWith(jose.PS256, w.Key().Key, c) }
		}, ReasonSignature},
		{"no token", func(w *world) { w.Sign = func(map[string]any) string { return "" } }, ReasonToken},
		{"no JWT", func(w *world) { w.Sign = func(map[string]any) string { return "eyJ.x" } }, ReasonSignature},
		{"the iss of another", answer("iss", "https://evil.example"), ReasonIssuer},
		{"no iss although promised", func(w *world) { w.Answer = func(v url.Values) { v.Del("iss") } }, ReasonIssuer},
		{"another state", answer("state", "of-another-browser"), ReasonState},
		{"no state", func(w *world) { w.Answer = func(v url.Values) { v.Del("state") } }, ReasonState},
		{"two states", func(w *world) { w.Answer = func(v url.Values) { v.Add("state", "two") } }, ReasonState},
		{"two codes", func(w *world) { w.Answer = func(v url.Values) { v.Add("code", "two") } }, ReasonState},
		{"an error", answer("error", "access_denied"), ReasonProvider},
		{"no code", func(w *world) { w.Answer = func(v url.Values) { v.Del("code") } }, ReasonCode},
		{"a made-up code", answer("code", "made-up"), ReasonCode},
		{"userinfo of somebody else", func(w *world) {
			w.InUserInfo = true
			w.UserInfo = func(c map[string]any) { c["sub"] = "0002" }
		}, ReasonUserInfo},
		{"userinfo without a subject", func(w *world) {
			w.InUserInfo = true
			w.UserInfo = func(c map[string]any) { delete(c, "sub") }
		}, ReasonUserInfo},
		{"token endpoint broken", func(w *world) {
			w.Instead["/token"] = func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "<b>boom</b>", http.StatusBadGateway) }
		}, ReasonUnreachable},
		{"keys missing", func(w *world) { w.Instead["/keys"] = http.NotFound }, ReasonUnreachable},
		{"keys without end", func(w *world) { w.Instead["/keys"] = endless }, ReasonUnreachable},
		{"token answer without end", func(w *world) { w.Instead["/token"] = endless }, ReasonUnreachable},
		{"userinfo leads on", func(w *world) {
			w.InUserInfo = true
			w.Instead["/userinfo"] = http.RedirectHandler("/elsewhere", http.StatusFound).ServeHTTP
		}, ReasonUnreachable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.bend(w)
			got, err := w.signIn()
			w.wantReason(err, tt.want)
			if err == nil {
				t.Errorf("it vouches for %+v", got)
			} else if strings.Contains(err.Error(), oidctest.Secret) || strings.Contains(err.Error(), "boom") {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}

// endless answers for as long as anybody listens, up to 100 MB.
func endless(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	for range 100 {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// What is at the edge of the rules passes.
func TestAnswersAtTheEdgePass(t *testing.T) {
	tests := []struct {
		name string
		bend func(*world)
	}{
		{"two clocks two minutes apart", func(w *world) {
			w.Token = func(c map[string]any) {
				c["iat"], c["exp"] = w.clock.Now().Add(Skew).Unix(), w.clock.Now().Add(time.Second-Skew).Unix()
			}
		}},
		{"several audiences with azp", func(w *world) {
			w.Token = func(c map[string]any) {
				c["aud"], c["azp"] = []string{"other", oidctest.ClientID}, oidctest.ClientID
			}
		}},
		{"a provider that does not name itself", func(w *world) {
			w.Discovery = func(d map[string]any) { delete(d, "authorization_response_iss_parameter_supported") }
			w.Answer = func(v url.Values) { v.Del("iss") }
		}},
		{"a provider that says little", func(w *world) {
			w.Discovery = func(d map[string]any) {
				for _, name := range []string{"code_challenge_methods_supported", "id_token_signing_alg_values_supported", "response_types_supported"} {
					delete(d, name)
				}
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.bend(w)
			if _, err := w.signIn(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnswerOfAnotherBrowserIsRefused(t *testing.T) {
	w := newWorld(t)
	p, err := w.client.Provider(t.Context(), &w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	answer := w.visit(p.Begin(&w.cfg, w.journey(browser), ""))
	_, err = p.Finish(t.Context(), &w.cfg, w.journey("what another browser holds"), answer)
	w.wantReason(err, ReasonState)
	if w.Asked("/token") != 0 {
		t.Error("the code was handed in all the same")
	}
	// With the state set right, nonce and verifier are still the other's.
	other := w.journey("what another browser holds")
	answer.Set("state", other.state)
	_, err = p.Finish(t.Context(), &w.cfg, other, answer)
	w.wantReason(err, ReasonCode)
}

func TestCodeWorksOnce(t *testing.T) {
	w := newWorld(t)
	p, err := w.client.Provider(t.Context(), &w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	j := w.journey(browser)
	answer := w.visit(p.Begin(&w.cfg, j, ""))
	if _, err := p.Finish(t.Context(), &w.cfg, j, answer); err != nil {
		t.Fatal(err)
	}
	_, err = p.Finish(t.Context(), &w.cfg, j, answer)
	w.wantReason(err, ReasonCode)
}

func TestNewKeysAreFetched(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		if _, err := w.signIn(); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.Asked("/keys"); n != 1 {
		t.Errorf("the keys were fetched %d times for three sign-ins, wanted once", n)
	}
	old := w.Key()
	w.Rotate()
	if _, err := w.signIn(); err != nil {
		t.Errorf("after the keys changed: %v", err)
	}
	w.Sign = func(c map[string]any) string { return w.SignWith(jose.RS256, old, c) }
	_, err := w.signIn()
	w.wantReason(err, ReasonSignature)

	// Tokens with made-up keys do not make us ask for ever.
	before := w.Asked("/keys")
	for range 20 {
		_, err := w.signIn()
		w.wantReason(err, ReasonSignature)
	}
	if n := w.Asked("/keys") - before; n > keyFetches {
		t.Errorf("20 made-up keys made %d questions, wanted at most %d", n, keyFetches)
	}
	w.clock.Add(keyWindow)
	w.Sign = nil
	w.Rotate()
	if _, err := w.signIn(); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestKeyTakenBackDies(t *testing.T) {
	w := newWorld(t)
	if _, err := w.signIn(); err != nil {
		t.Fatal(err)
	}
	old := w.Key()
	w.Rotate()
	w.Sign = func(c map[string]any) string { return w.SignWith(jose.RS256, old, c) }
	// Nobody has seen the new key yet, so the old one is remembered.
	if _, err := w.signIn(); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(freshFor)
	_, err := w.signIn()
	w.wantReason(err, ReasonSignature)
}

func TestDescriptionIsChecked(t *testing.T) {
	set := func(name string, value any) func(*world) {
		return func(w *world) { w.Discovery = func(d map[string]any) { d[name] = value } }
	}
	const path = "/.well-known/openid-configuration"
	tests := []struct {
		name string
		bend func(*world)
		want Reason
	}{
		{"another issuer", set("issuer", "https://evil.example"), ReasonIssuer},
		{"a slash more", func(w *world) { w.Discovery = func(d map[string]any) { d["issuer"] = w.Issuer + "/" } }, ReasonIssuer},
		{"keys in the clear elsewhere", set("jwks_uri", "http://keys.example/keys"), ReasonDiscovery},
		{"a script to sign in", set("authorization_endpoint", "javascript:alert(1)"), ReasonDiscovery},
		{"no place for codes", set("token_endpoint", ""), ReasonDiscovery},
		{"a script to sign out", set("end_session_endpoint", "javascript:alert(1)"), ReasonDiscovery},
		{"plain PKCE only", set("code_challenge_methods_supported", []string{"plain"}), ReasonDiscovery},
		{"no code flow", set("response_types_supported", []string{"id_token"}), ReasonDiscovery},
		{"unsigned tokens only", set("id_token_signing_alg_values_supported", []string{"none", "HS256"}), ReasonDiscovery},
		{"leads on", func(w *world) {
			w.Instead[path] = http.RedirectHandler(w.Issuer+"/elsewhere", http.StatusMovedPermanently).ServeHTTP
		}, ReasonUnreachable},
		{"without end", func(w *world) { w.Instead[path] = endless }, ReasonUnreachable},
		{"no JSON", func(w *world) {
			w.Instead[path] = func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("<h1>Welcome</h1>")) }
		}, ReasonUnreachable},
		{"not there", func(w *world) { w.Instead[path] = http.NotFound }, ReasonUnreachable},
		{"off the network", func(w *world) { w.Stop() }, ReasonUnreachable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.bend(w)
			_, err := w.client.Discover(t.Context(), &w.cfg)
			w.wantReason(err, tt.want)
		})
	}
}

func TestProviderIsRemembered(t *testing.T) {
	const path = "/.well-known/openid-configuration"
	w := newWorld(t)
	first, err := w.client.Provider(t.Context(), &w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Add(freshFor - time.Second)
	if again, err := w.client.Provider(t.Context(), &w.cfg); err != nil || again != first || w.Asked(path) != 1 {
		t.Errorf("within the hour: %v, asked %d times", err, w.Asked(path))
	}
	w.Instead[path] = http.NotFound
	w.clock.Add(time.Second)
	if again, err := w.client.Provider(t.Context(), &w.cfg); err != nil || again != first || w.Asked(path) != 2 {
		t.Errorf("while it does not answer: %v, asked %d times", err, w.Asked(path))
	}
	if _, err := w.client.Provider(t.Context(), &w.cfg); err != nil || w.Asked(path) != 2 {
		t.Errorf("just after: %v, asked %d times, wanted to leave it alone", err, w.Asked(path))
	}
	w.clock.Add(staleFor)
	_, err = w.client.Provider(t.Context(), &w.cfg)
	w.wantReason(err, ReasonUnreachable)
	// A clock that was set back does not keep it away for years.
	w.clock.Add(-100 * 24 * time.Hour)
	delete(w.Instead, path)
	if _, err := w.client.Provider(t.Context(), &w.cfg); err != nil {
		t.Errorf("after the clock was set back: %v", err)
	}
}

// A provider that never ends its answer costs a bounded time.
func TestSlowProviderIsLeft(t *testing.T) {
	w := newWorld(t)
	hold := make(chan struct{})
	defer close(hold)
	w.Instead["/.well-known/openid-configuration"] = func(rw http.ResponseWriter, r *http.Request) {
		rw.(http.Flusher).Flush()
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}
	c := newHTTPClient("127.0.0.1")
	if c.Timeout != answerTime {
		t.Fatalf("the client waits %s, wanted %s", c.Timeout, answerTime)
	}
	// The same client with less patience, so that the test need not wait.
	c.Timeout = 50 * time.Millisecond
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := answer.Body.Read(make([]byte, 1)); err == nil {
		t.Error("a body that never comes was read")
	}
}

func TestOnlyThePublicInternetIsAsked(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1:248:1893:25c8:1946": true, "1.1.1.1": true,
		"127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false, "fe80::1": false, "fd00:ec2::254": false, "fc00::1": false, "0.0.0.0": false, "::": false,
		"100.64.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false,
		"2001:db8::1": false, "198.51.100.1": false, "::7f00:1": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("public(%s) is %t", address, got)
		}
	}
}

func TestPrivateHostNeedsLeave(t *testing.T) {
	w := newWorld(t)
	u, err := url.Parse(w.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	for private, want := range map[string]bool{"": false, "other.example": false, "127.0.0.1": true} {
		conn, err := dialer{private}.dial(t.Context(), "tcp", u.Host)
		if (err == nil) != want {
			t.Errorf("with %q open, dialling %s: %v", private, u.Host, err)
		}
		if err == nil {
			_ = conn.Close()
			continue
		}
		w.wantReason(err, ReasonUnreachable)
	}
	// Where clouds keep a machine's own keys stays shut. The address is
	// refused before a packet leaves.
	_, err = dialer{"169.254.169.254"}.dial(t.Context(), "tcp", "169.254.169.254:80")
	w.wantReason(err, ReasonUnreachable)
	// A name is no way around: what counts is where it leads.
	_, err = dialer{}.dial(t.Context(), "tcp", "localhost:"+u.Port())
	w.wantReason(err, ReasonUnreachable)
}

func TestCertificateIsChecked(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	_, err := New(time.Now).Discover(context.Background(), &Config{Issuer: s.URL, ClientID: "x", AllowPrivate: true})
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate nobody vouches for: got %v", err)
	}
}

func TestParseIssuer(t *testing.T) {
	for s, want := range map[string]struct{ without, with bool }{
		"https://login.example.com":            {true, true},
		"https://login.example.com/realms/a/":  {true, true},
		"https://login.example.com:8443":       {true, true},
		"http://login.example.com":             {false, false},
		"http://127.0.0.1:9998/":               {false, true},
		"http://localhost:9998/":               {false, true},
		"http://localhost.example.com":         {false, false},
		"https://user:pw@login.example.com":    {false, false},
		"https://login.example.com?tenant=a":   {false, false},
		"https://login.example.com?":           {false, false},
		"https://login.example.com#a":          {false, false},
		"https://":                             {false, false},
		"https://:443":                         {false, false},
		"login.example.com":                    {false, false},
		"ftp://login.example.com":              {false, false},
		"https://login.exämple.com":            {false, false},
		"https://login.example.com/a b":        {false, false},
		"":                                     {false, false},
		"https://" + strings.Repeat("a", 1000): {false, false},
	} {
		for allow, ok := range map[bool]bool{false: want.without, true: want.with} {
			got, err := ParseIssuer(s, allow)
			if (err == nil) != ok || ok && got != s {
				t.Errorf("ParseIssuer(%q, %t) is %q, %v", s, allow, got, err)
			}
		}
	}
}

func TestVerifiedAddress(t *testing.T) {
	const plainIssuer, entra = "https://login.example.com", "https://login.microsoftonline.com/t/v2.0"
	for _, tt := range []struct {
		issuer, claims string
		want           bool
	}{
		{plainIssuer, `{"email_verified":true}`, true},
		{plainIssuer, `{"email_verified":"true"}`, true},
		{plainIssuer, `{"email_verified":false}`, false},
		{plainIssuer, `{"email_verified":"false"}`, false},
		{plainIssuer, `{"email_verified":1}`, false},
		{plainIssuer, `{"email_verified":"yes"}`, false},
		{plainIssuer, `{"email_verified":["true"]}`, false},
		{plainIssuer, `{}`, false},
		{plainIssuer, `{"xms_edov":true}`, false},
		{entra, `{"xms_edov":true}`, true},
		{entra, `{"xms_edov":"1"}`, true},
		{entra, `{"xms_edov":false}`, false},
		{entra, `{}`, false},
	} {
		var c claims
		if err := json.Unmarshal([]byte(tt.claims), &c); err != nil {
			t.Fatal(err)
		}
		if got := verified(&c, tt.issuer); got != tt.want {
			t.Errorf("%s from %s: got %t", tt.claims, tt.issuer, got)
		}
	}
}

func TestSignOutURL(t *testing.T) {
	got := SignOutURL("https://login.example.com/logout?tenant=a", "token", "portal", "https://support.example.com/sso/signed-out", "s&t")
	u, err := url.Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"tenant": {"a"}, "id_token_hint": {"token"}, "client_id": {"portal"},
		"post_logout_redirect_uri": {"https://support.example.com/sso/signed-out"}, "state": {"s&t"},
	}
	if d := cmp.Diff(want, u.Query()); d != "" {
		t.Error(d)
	}
	if got := SignOutURL("", "token", "portal", "", ""); got != "" {
		t.Errorf("without a place to sign out: %q", got)
	}
}
