package portal

import (
	"strings"
	"testing"
	"time"
)

func TestHeadersCanOnlyBeMadeStricter(t *testing.T) {
	for line, want := range map[string]string{
		"Referrer-Policy: no-referrer":                                 "Referrer-Policy: no-referrer",
		"referrer-policy:NO-REFERRER":                                  "Referrer-Policy: no-referrer",
		"Content-Security-Policy: img-src 'none'":                      "Content-Security-Policy: img-src 'none'",
		"content-security-policy: IMG-SRC  'none' ; script-src 'none'": "Content-Security-Policy: img-src 'none'; script-src 'none'",
		"Content-Security-Policy: img-src 'self'":                      "Content-Security-Policy: img-src 'self'",
		"Content-Security-Policy: font-src 'none'":                     "Content-Security-Policy: font-src 'none'",
		"Content-Security-Policy: style-src-attr 'none'":               "Content-Security-Policy: style-src-attr 'none'",
		"Content-Security-Policy: upgrade-insecure-requests":           "Content-Security-Policy: upgrade-insecure-requests",
		"Permissions-Policy: fullscreen=(), clipboard-write = ()":      "Permissions-Policy: fullscreen=(), clipboard-write=()",
		"Cross-Origin-Embedder-Policy: require-corp":                   "Cross-Origin-Embedder-Policy: require-corp",
		"X-Frame-Options: deny":                                        "X-Frame-Options: DENY",
		"X-Frame-Options:":                                             "X-Frame-Options: ",
		"Content-Security-Policy: ":                                    "Content-Security-Policy: ",
	} {
		name, value, err := ParseHeader(line)
		if got := name + ": " + value; err != nil || got != want {
			t.Errorf("%q is kept as %q, %v; want %q", line, got, err, want)
		}
		if value == "" {
			continue
		}
		if _, again, err := ParseHeader(name + ": " + value); err != nil || again != value {
			t.Errorf("%q read again is %q, %v", value, again, err)
		}
	}
	for line, want := range map[string]string{
		"no-referrer":                                                "is not a header",
		"Referrer-Policy: same-origin":                               `"same-origin" is weaker than "no-referrer"`,
		"Referrer-Policy: unsafe-url":                                "is weaker",
		"X-Frame-Options: SAMEORIGIN":                                `weaker than "DENY"`,
		"X-Frame-Options: ALLOWALL":                                  "weaker",
		"X-Content-Type-Options: none":                               "weaker",
		"Cross-Origin-Opener-Policy: same-origin-allow-popups":       "weaker",
		"Cross-Origin-Resource-Policy: cross-origin":                 "weaker",
		"Cross-Origin-Embedder-Policy: unsafe-none":                  "weaker",
		"Origin-Agent-Cluster: ?0":                                   "weaker",
		"Access-Control-Allow-Origin: *":                             "is not a header that can be made stricter",
		"Set-Cookie: a=b":                                            "is not a header",
		"X-Frame-Options\r\nSet-Cookie: a":                           "is not a header",
		"Cache-Control: public":                                      "is not a header",
		"Strict-Transport-Security: max-age=0":                       "has a setting of its own",
		"Content-Security-Policy: img-src *":                         "may be more than pages have",
		"Content-Security-Policy: img-src 'self' data:":              "may be more",
		"Content-Security-Policy: img-src https://a.example":         "write img-src 'none'",
		"Content-Security-Policy: img-src":                           "without a value may be more",
		"Content-Security-Policy: script-src 'unsafe-inline'":        "may be more",
		"Content-Security-Policy: script-src 'self' 'nonce-x'":       "may be more",
		"Content-Security-Policy: default-src 'self'":                "may be more",
		"Content-Security-Policy: worker-src *":                      "may be more",
		"Content-Security-Policy: frame-ancestors https://a.example": "may be more",
		"Content-Security-Policy: frame-ancestors 'self'":            "may be more",
		"Content-Security-Policy: form-action https://a.example":     "may be more",
		"Content-Security-Policy: form-action 'none'":                "nobody can sign in",
		"Content-Security-Policy: sandbox allow-scripts":             `"sandbox" is no directive`,
		"Content-Security-Policy: report-uri https://a.example":      `"report-uri" is no directive`,
		"Content-Security-Policy: img-src 'none'; img-src 'none'":    "twice",
		"Content-Security-Policy: upgrade-insecure-requests 1":       "is no directive",
		"Permissions-Policy: camera=(self)":                          "only be withdrawn; write camera=()",
		"Permissions-Policy: camera=*":                               "only be withdrawn",
		"Permissions-Policy: camera":                                 "only be withdrawn",
		"Permissions-Policy: Camera()=()":                            "is not a feature",
		"Permissions-Policy: camera=(),":                             "is not a feature",
	} {
		if name, value, err := ParseHeader(line); err == nil || !strings.Contains(err.Error(), want) || KindOf(err) != Invalid {
			t.Errorf("%q is kept as %q %q, %v; want it refused: %s", line, name, value, err, want)
		}
	}
}

func TestStricterHeadersKeepWhatThePageForbids(t *testing.T) {
	for _, tt := range []struct{ name, page, own, want string }{
		{
			"Content-Security-Policy", "default-src 'none'; img-src 'self'; script-src 'self'", "img-src 'none'; font-src 'none'; script-src 'self'; upgrade-insecure-requests",
			"default-src 'none'; img-src 'none'; script-src 'self'; font-src 'none'; upgrade-insecure-requests",
		},
		// A page that forbids more than others keeps doing so, whatever lies in the store.
		{"Content-Security-Policy", "default-src 'none'; img-src 'none'", "img-src *; script-src 'unsafe-inline'", "default-src 'none'; img-src 'none'"},
		{"Permissions-Policy", "camera=(), fullscreen=(self)", "fullscreen=(), midi=()", "camera=(), fullscreen=(), midi=()"},
		{"Permissions-Policy", "camera=()", "camera=*", "camera=()"},
		// Without TLS no-referrer would take the origin from every form.
		{"Referrer-Policy", "same-origin", "no-referrer", "same-origin"},
		{"Cross-Origin-Embedder-Policy", "", "require-corp", "require-corp"},
	} {
		if got := StricterHeader(tt.name, tt.page, tt.own); got != tt.want {
			t.Errorf("%s: %q with %q is %q, want %q", tt.name, tt.page, tt.own, got, tt.want)
		}
	}
}

func TestHSTSGrowsWithWhatWentWell(t *testing.T) {
	now := time.Date(2026, time.March, 4, 9, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		setting string
		served  time.Duration // since when; 0: never
		lost    bool
		want    string
	}{
		{"auto", 0, false, ""},
		{"", 0, false, ""},
		{"auto", time.Hour, false, ""},
		{"auto", 24*time.Hour - time.Second, false, ""},
		{"auto", 24 * time.Hour, false, "max-age=86400"},
		{"auto", 47 * time.Hour, false, "max-age=86400"},
		{"auto", 30*24*time.Hour + time.Hour, false, "max-age=2592000"},
		{"auto", 30 * 24 * time.Hour, true, ""},
		{"auto", 900 * 24 * time.Hour, false, "max-age=31536000"},
		{"auto", -time.Hour, false, ""}, // the clock went back
		{"auto,subdomains", 48 * time.Hour, false, "max-age=172800; includeSubDomains"},
		{"on", 0, false, "max-age=31536000"},
		{"on,subdomains", 0, false, "max-age=31536000; includeSubDomains"},
		{"off", 48 * time.Hour, false, "max-age=0"},
		{"30d", 0, false, "max-age=2592000"},
		{"nonsense", 48 * time.Hour, false, ""},
	} {
		d := Domain{HSTS: tt.setting}
		if tt.served != 0 {
			d.ServedSince = now.Add(-tt.served)
		}
		if tt.lost {
			d.LostAt = now
		}
		if got := d.StrictTransport(now); got != tt.want {
			t.Errorf("%q, served for %v, lost %v: %q, want %q", tt.setting, tt.served, tt.lost, got, tt.want)
		}
	}
}

func TestParseHSTS(t *testing.T) {
	for s, want := range map[string]string{
		"auto": "auto", "AUTO": "auto", "on": "on", "365d": "on", "off": "off", "30d": "30d", "720h": "30d", "90m": "1h30m0s",
		"730d": "730d", "on,subdomains": "on,subdomains", "30d , subdomains": "30d,subdomains", "auto,subdomains": "auto,subdomains",
	} {
		h, err := ParseHSTS(s)
		if err != nil || h.String() != want {
			t.Errorf("%q reads as %q, %v; want %q", s, h, err, want)
		}
		if again, err := ParseHSTS(h.String()); err != nil || again != h {
			t.Errorf("%q reads back as %v, %v", h, again, err)
		}
	}
	for _, s := range []string{"yes", "731d", "-1d", "0d", "0", "1s", "off,subdomains", "on,preload", "on,", ",subdomains", "99999999999999999999d"} {
		if h, err := ParseHSTS(s); err == nil {
			t.Errorf("%q reads as %v", s, h)
		}
	}
}
