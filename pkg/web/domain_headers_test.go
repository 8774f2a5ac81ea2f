package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/web/page"
)

func TestWhatBrowsersAreToldOfADomain(t *testing.T) {
	w := newWorld(t, nil)
	base, err := url.Parse(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	// A proxy at 192.0.2.1 speaks TLS, as httptest's requests come from there.
	proxied := New(Options{
		App: w.app, BaseURL: base, Now: w.clock.Now, TempDir: t.TempDir(),
		Proxies: page.NewProxies([]netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}, false),
	}).Handler()
	ask := func(path, proto string) http.Header {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, w.server.URL+path, nil)
		r.Header.Set("X-Forwarded-Proto", proto)
		got := httptest.NewRecorder()
		proxied.ServeHTTP(got, r)
		if got.Code >= 400 {
			t.Fatalf("%s: %d", path, got.Code)
		}
		return got.Header()
	}
	hsts := func(proto string) string {
		t.Helper()
		return ask("/help/sign-in", proto).Get("Strict-Transport-Security")
	}
	set := func(s app.DomainSecurity) {
		t.Helper()
		if _, _, err := w.app.SetDomainSecurity(t.Context(), app.System, s); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.Add(48 * time.Hour)
	if got := hsts("http"); got != "" {
		t.Errorf("without TLS: %q", got)
	}
	w.clock.Add(48 * time.Hour)
	if got := hsts("https"); got != "" {
		t.Errorf("by TLS for the first time: %q; what went before was without", got)
	}
	w.clock.Add(23 * time.Hour)
	if got := hsts("https"); got != "" {
		t.Errorf("after 23 hours: %q", got)
	}
	w.clock.Add(time.Hour)
	if got := hsts("https"); got != "max-age=86400" {
		t.Errorf("after a day: %q", got)
	}
	if got := hsts("http"); got != "" {
		t.Errorf("without TLS after a day: %q", got)
	}
	w.clock.Add(9 * 24 * time.Hour)
	if got := hsts("https"); got != "max-age=864000" {
		t.Errorf("after ten days: %q", got)
	}
	// The proof is lost: nothing more is promised, and it begins anew.
	domain := func(change func(*portal.Domain)) {
		t.Helper()
		w.write(func(ctx context.Context, tx *store.Tx) error {
			d, err := tx.SystemDomain(ctx)
			if err != nil {
				return err
			}
			change(d)
			return tx.SaveDomain(ctx, d)
		})
	}
	domain(func(d *portal.Domain) { d.LostAt = w.clock.Now() })
	if got := hsts("https"); got != "" {
		t.Errorf("with the proof lost: %q", got)
	}
	domain(func(d *portal.Domain) { d.LostAt, d.ServedSince = time.Time{}, time.Time{} })
	if hsts("https"); hsts("https") != "" {
		t.Error("with the proof back, it does not begin anew")
	}
	// So it does after a certificate that browsers refuse, and not after one
	// whose renewal merely fails.
	w.clock.Add(72 * time.Hour)
	for _, tt := range []struct {
		left time.Duration
		want string
	}{{time.Hour, "max-age=259200"}, {0, ""}} {
		c := portal.Certificate{Host: "127.0.0.1", State: portal.CertificateFailing, NotAfter: w.clock.Now().Add(tt.left)}
		if err := w.app.NoteCertificate(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if got := hsts("https"); got != tt.want {
			t.Errorf("with a certificate for another %v: %q, want %q", tt.left, got, tt.want)
		}
	}
	set(app.DomainSecurity{HSTS: "on,subdomains"})
	if got := hsts("https"); got != "max-age=31536000; includeSubDomains" {
		t.Errorf("set to on: %q", got)
	}
	set(app.DomainSecurity{HSTS: "off"})
	if got := hsts("https"); got != "max-age=0" {
		t.Errorf("set to off: %q", got)
	}

	usual := ask("/help/sign-in", "https")
	set(app.DomainSecurity{Headers: []string{
		"Content-Security-Policy: img-src 'none'", "Permissions-Policy: fullscreen=()", "Cross-Origin-Embedder-Policy: require-corp", "Referrer-Policy: no-referrer",
	}})
	own := ask("/help/sign-in", "https")
	if got := own.Get("Content-Security-Policy"); !strings.Contains(got, "img-src 'none'") || strings.Contains(got, "img-src 'self'") || !strings.Contains(got, "script-src 'self'") {
		t.Errorf("the policy is %q", got)
	}
	if got := own.Get("Permissions-Policy"); !strings.Contains(got, "fullscreen=()") || !strings.Contains(got, "camera=()") {
		t.Errorf("the permissions are %q", got)
	}
	if got := own.Get("Cross-Origin-Embedder-Policy"); got != "require-corp" {
		t.Errorf("the embedder policy is %q", got)
	}
	if got := ask("/help/sign-in", "http").Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("without TLS the referrer policy is %q; forms would lose their origin", got)
	}
	set(app.DomainSecurity{Headers: []string{"Content-Security-Policy:", "Permissions-Policy:", "Cross-Origin-Embedder-Policy:", "Referrer-Policy:"}})
	back := ask("/help/sign-in", "https")
	for name := range own {
		if name != "Date" && name != "Set-Cookie" && back.Get(name) != usual.Get(name) {
			t.Errorf("%s is %q, and was %q before", name, back.Get(name), usual.Get(name))
		}
	}
}

// TestDomainsAnswerForThemselves: a portal whose new domain is not proven yet
// stays where it was. What goes well there says nothing of the new domain, and
// what the new domain is told to send is not sent there.
func TestDomainsAnswerForThemselves(t *testing.T) {
	w := newWorld(t, nil)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.AddDomain(ctx, &portal.Domain{
			Kind: portal.ConnectedDomain, Host: "new.example.com", Language: "en", Token: "t", HSTS: "on",
			Headers: map[string]string{"Cross-Origin-Embedder-Policy": "require-corp"},
		})
	})
	w.set(app.PortalChanges{Domain: new("new.example.com")})
	base, err := url.Parse(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxied := New(Options{
		App: w.app, BaseURL: base, Now: w.clock.Now, TempDir: t.TempDir(),
		Proxies: page.NewProxies([]netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}, false),
	}).Handler()
	r := httptest.NewRequest(http.MethodGet, w.server.URL+"/help/sign-in", nil)
	r.Header.Set("X-Forwarded-Proto", "https")
	got := httptest.NewRecorder()
	proxied.ServeHTTP(got, r)
	if got.Code != http.StatusOK {
		t.Fatalf("where it was, the portal answers %d", got.Code)
	}
	for _, name := range []string{"Strict-Transport-Security", "Cross-Origin-Embedder-Policy"} {
		if value := got.Header().Get(name); value != "" {
			t.Errorf("%s of the new domain is sent at the old one: %q", name, value)
		}
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		d, err := tx.DomainByHost(ctx, "new.example.com")
		if err == nil && !d.ServedSince.IsZero() {
			t.Errorf("a domain nobody has been at counts as served since %v", d.ServedSince)
		}
		system, err2 := tx.SystemDomain(ctx)
		if err2 == nil && system.ServedSince.IsZero() {
			t.Error("the domain that was visited does not count as served")
		}
		return err
	})
}
