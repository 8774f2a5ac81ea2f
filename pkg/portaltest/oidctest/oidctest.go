// Package oidctest is an OpenID Connect provider in the test's own process. It
// does everything right until a test tells it what to do wrong.
package oidctest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The client every Provider knows.
const (
	ClientID = "portal"
	Secret   = "a client secret of a test"
)

// Provider signs one person in, without asking. Set the fields before the
// request they shall bend; nil leaves everything as it should be.
type Provider struct {
	// Issuer is the provider's address, http on loopback.
	Issuer string
	// Person are the claims about who signs in.
	Person map[string]any
	// InUserInfo moves all claims but the subject to the userinfo endpoint.
	InUserInfo bool

	Discovery func(map[string]any)               // bends the description
	Answer    func(url.Values)                   // bends what the browser carries back
	Token     func(claims map[string]any)        // bends the ID token's claims
	Sign      func(claims map[string]any) string // writes the ID token instead
	UserInfo  func(claims map[string]any)        // bends what the userinfo endpoint says
	// Instead answers requests for a path in the provider's place.
	Instead map[string]http.HandlerFunc

	t      testing.TB
	now    func() time.Time
	server *httptest.Server

	mu    sync.Mutex
	keys  []jose.JSONWebKey // private; the last one signs
	codes map[string]grant
	asked map[string]int
}

// grant is what a code stands for.
type grant struct {
	nonce, challenge, redirect string
}

// New starts a provider that ends with the test.
func New(t testing.TB, now func() time.Time) *Provider {
	t.Helper()
	p := &Provider{
		Person: map[string]any{
			"sub": "0001", "email": "ana@example.com", "email_verified": true, "name": "Ana Lind", "locale": "sv-SE",
		},
		Instead: map[string]http.HandlerFunc{},
		t:       t, now: now, codes: map[string]grant{}, asked: map[string]int{},
	}
	p.Rotate()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /keys", p.keySet)
	mux.HandleFunc("GET /userinfo", p.userInfo)
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked[r.URL.Path]++
		other := p.Instead[r.URL.Path]
		p.mu.Unlock()
		if other != nil {
			other(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	// Known before anybody asks: the asker may be another process.
	p.Issuer = "http://" + p.server.Listener.Addr().String()
	p.server.Start()
	t.Cleanup(p.server.Close)
	return p
}

// Stop takes the provider off the network.
func (p *Provider) Stop() { p.server.Close() }

// Asked is how often a path was asked for.
func (p *Provider) Asked(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

// Describe sets Discovery while the provider may be asked by another process,
// whose requests the race detector cannot order.
func (p *Provider) Describe(bend func(map[string]any)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Discovery = bend
}

// Rotate signs with a new key from now on; the old one is gone.
func (p *Provider) Rotate() {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	id := make([]byte, 8)
	_, _ = rand.Read(id)
	p.keys = []jose.JSONWebKey{{Key: key, KeyID: base64.RawURLEncoding.EncodeToString(id), Algorithm: "RS256", Use: "sig"}}
}

// Key is the key that signs, private part included.
func (p *Provider) Key() jose.JSONWebKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[len(p.keys)-1]
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	d := map[string]any{
		"issuer":                                         p.Issuer,
		"authorization_endpoint":                         p.Issuer + "/authorize",
		"token_endpoint":                                 p.Issuer + "/token",
		"jwks_uri":                                       p.Issuer + "/keys",
		"userinfo_endpoint":                              p.Issuer + "/userinfo",
		"end_session_endpoint":                           p.Issuer + "/logout",
		"response_types_supported":                       []string{"code"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"RS256"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
	}
	p.mu.Lock()
	bend := p.Discovery
	p.mu.Unlock()
	if bend != nil {
		bend(d)
	}
	reply(w, http.StatusOK, d)
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// authorize sends the browser straight back, as a provider does that knows it.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" {
		http.Error(w, "not a request this provider takes", http.StatusBadRequest)
		return
	}
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Host == "" {
		http.Error(w, "no redirect_uri", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	code := "code-" + strconv.Itoa(len(p.codes)+1)
	p.codes[code] = grant{nonce: q.Get("nonce"), challenge: q.Get("code_challenge"), redirect: q.Get("redirect_uri")}
	p.mu.Unlock()
	answer := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.Issuer}}
	if p.Answer != nil {
		p.Answer(answer)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := r.BasicAuth()
	if ok {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	}
	if id != ClientID || secret != Secret {
		reply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	code := r.PostFormValue("code")
	p.mu.Lock()
	g, known := p.codes[code]
	if known {
		p.codes[code] = grant{}
	}
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || g.redirect == "" || g.redirect != r.PostFormValue("redirect_uri") || base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
		reply(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	now := p.now()
	claims := map[string]any{
		"iss": p.Issuer, "aud": ClientID, "nonce": g.nonce, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if p.InUserInfo {
		claims["sub"] = p.Person["sub"]
	} else {
		maps.Copy(claims, p.Person)
	}
	if p.Token != nil {
		p.Token(claims)
	}
	sign := p.Sign
	if sign == nil {
		sign = func(c map[string]any) string { return p.SignWith(jose.RS256, p.Key(), c) }
	}
	reply(w, http.StatusOK, map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 300, "id_token": sign(claims)})
}

// SignWith writes a token with an algorithm and key.
func (p *Provider) SignWith(alg jose.SignatureAlgorithm, key any, claims map[string]any) string {
	p.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		p.t.Errorf("sign: %v", err)
		return ""
	}
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Errorf("sign: %v", err)
		return ""
	}
	signed, err := signer.Sign(body)
	if err != nil {
		p.t.Errorf("sign: %v", err)
		return ""
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		p.t.Errorf("sign: %v", err)
	}
	return text
}

// Unsigned writes a token with the algorithm "none".
func (p *Provider) Unsigned(claims map[string]any) string {
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Errorf("write a token: %v", err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + enc(body) + "."
}

func (p *Provider) keySet(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	set := jose.JSONWebKeySet{}
	for _, k := range p.keys {
		set.Keys = append(set.Keys, k.Public())
	}
	p.mu.Unlock()
	reply(w, http.StatusOK, set)
}

func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer access" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	claims := maps.Clone(p.Person)
	if p.UserInfo != nil {
		p.UserInfo(claims)
	}
	reply(w, http.StatusOK, claims)
}
