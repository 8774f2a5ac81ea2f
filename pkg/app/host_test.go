package app

import (
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestParseHost(t *testing.T) {
	for _, tt := range []struct{ typed, want, refused string }{
		{typed: "support.example.com", want: "support.example.com"},
		{typed: " Support.Example.COM. ", want: "support.example.com"},
		{typed: "hjälp.exempel.se", want: "xn--hjlp-moa.exempel.se"},
		{typed: "xn--hjlp-moa.exempel.se", want: "xn--hjlp-moa.exempel.se"},
		{typed: "example.com", want: "example.com"},
		{typed: "a.b.co.uk", want: "a.b.co.uk"},
		{typed: "", refused: "missing"},
		{typed: "https://support.example.com/help", refused: "host name alone"},
		{typed: "support.example.com/help", refused: "more than a host name"},
		{typed: "support.example.com:8080", refused: "no port"},
		{typed: "203.0.113.7", refused: "IP address"},
		{typed: "[2001:db8::1]", refused: "IP address"},
		{typed: "2001:db8::1", refused: "IP address"},
		{typed: "localhost", refused: ".localhost"},
		{typed: "portal.local", refused: ".local"},
		{typed: "portal.localhost", refused: ".localhost"},
		{typed: "printer.home.arpa", refused: ".arpa"},
		{typed: "intranet", refused: "no dot"},
		{typed: "com", refused: "no dot"},
		{typed: "https://", refused: "begins with https://"},
		{typed: "co.uk", refused: "public suffix"},
		{typed: "github.io", refused: "public suffix"},
		{typed: "*.example.com", refused: "wildcard"},
		{typed: "under_score.example.com", refused: "valid host name"},
		{typed: "-dash.example.com", refused: "valid host name"},
		{typed: "two..dots.example.com", refused: "valid host name"},
		{typed: "sp ace.example.com", refused: "valid host name"},
		{typed: "a@example.com", refused: "more than a host name"},
		{typed: strings.Repeat("a", 64) + ".example.com", refused: "valid host name"},
		{typed: strings.Repeat("abcdefg.", 31) + "com", refused: "too long"},
		{typed: "example.123", refused: "number"},
		{typed: "a\x00b.example.com", refused: "valid host name"},
	} {
		got, err := ParseHost(tt.typed)
		if tt.refused == "" {
			if err != nil || got != tt.want {
				t.Errorf("ParseHost(%q) = %q, %v; want %q", tt.typed, got, err, tt.want)
			}
			continue
		}
		if portal.KindOf(err) != portal.Invalid || !strings.Contains(err.Error(), tt.refused) {
			t.Errorf("ParseHost(%q) = %q, %v; want Invalid with %q", tt.typed, got, err, tt.refused)
		}
	}
}

func FuzzParseHost(f *testing.F) {
	for _, s := range []string{"support.example.com", "HJÄLP.exempel.se.", "a..b", "xn--a.com", "1.2.3.4", "co.uk", "ß.example.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, err := ParseHost(s)
		if err != nil {
			return
		}
		if again, err := ParseHost(host); err != nil || again != host {
			t.Errorf("%q parsed as %q, which reads back as %q, %v", s, host, again, err)
		}
		if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || !strings.Contains(host, ".") {
			t.Errorf("%q parsed as %q", s, host)
		}
	})
}
