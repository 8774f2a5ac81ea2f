package app

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"github.com/portalctl/portalctl/pkg/portal"
)

// hostProfile reads host names as registries take them: mapped to lower case,
// checked letter by letter, no underscores.
var hostProfile = idna.New(idna.MapForLookup(), idna.StrictDomainName(true), idna.VerifyDNSLength(true),
	idna.BidiRule(), idna.ValidateLabels(true), idna.CheckHyphens(true), idna.CheckJoiners(true), idna.Transitional(false))

// privateNames are top-level names that never lead anywhere on the internet
// (RFC 2606, RFC 6761, RFC 6762, RFC 7686, RFC 9476 and ICANN's internal).
var privateNames = []string{"localhost", "local", "invalid", "onion", "arpa", "alt", "internal"}

// ParseHost reads the host name of a domain to connect and returns it in its
// ASCII form, lower case, without the final dot. What cannot be an operator's
// own domain is refused with the reason.
func ParseHost(s string) (string, error) {
	bad := func(format string, args ...any) error {
		return portal.Invalidf("domain.host", "host", "%q cannot be connected: %s", s, fmt.Sprintf(format, args...))
	}
	name := strings.TrimSpace(s)
	if name == "" {
		return "", portal.Invalidf("domain.host", "host", "the domain is missing; write it like support.example.com")
	}
	if scheme, rest, ok := strings.Cut(name, "://"); ok {
		alone, _, _ := strings.Cut(rest, "/")
		alone, _, _ = strings.Cut(alone, ":")
		return "", portal.Invalidf("domain.host", "host", "%q begins with %s://; give the host name alone", s, scheme).
			WithHint("write it like %s", cmp.Or(alone, "support.example.com"))
	}
	if strings.ContainsAny(name, "/?#@") {
		return "", bad("it is more than a host name; the path belongs to the portal's slug")
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return "", bad("an IP address has no DNS records to prove it by").(*portal.Error).
			WithHint("use a host name, or the system domain with --base-url")
	}
	if strings.Contains(name, ":") {
		return "", bad("a domain has no port; give the host name alone")
	}
	if strings.HasPrefix(name, "*.") {
		return "", bad("a wildcard is not one address")
	}
	host, err := toASCII(name)
	if err != nil {
		return "", bad("it is not a valid host name; use letters, digits and hyphens between the dots")
	}
	return host, checkHost(host, bad)
}

// toASCII is the form a host name has in DNS. A form that does not read back
// as itself, which broken UTF-8 leads to, is none.
func toASCII(name string) (string, error) {
	host, err := hostProfile.ToASCII(strings.TrimSuffix(name, "."))
	if err != nil {
		return "", err
	}
	if again, err := hostProfile.ToASCII(host); err != nil || again != host || host == "" {
		return "", errors.New("not a host name")
	}
	return host, nil
}

func checkHost(host string, bad func(string, ...any) error) error {
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	switch {
	case slices.Contains(privateNames, last):
		return bad(".%s is not a name of the internet", last)
	case strings.Trim(last, "0123456789") == "":
		return bad("it ends in a number, like an IP address")
	case len(labels) == 1:
		return bad("it has no dot; give the full name, like support.example.com")
	case len(host) > 253-len("_portalctl."):
		return bad("it is too long to have a record that proves it")
	}
	suffix, managed := publicsuffix.PublicSuffix(host)
	if host == suffix && (managed || strings.Contains(suffix, ".")) || host == suffix && len(labels) == 1 {
		return bad("it is a public suffix, under which anybody can register; use a name below it, like support.example.%s", suffix)
	}
	return nil
}

// parseAllowDomain reads a mail domain that may register: example.com or
// @example.com.
func parseAllowDomain(s string) (string, error) {
	bad := func(format string, args ...any) error {
		return portal.Invalidf("access.allow_domain", "allow-domain", "%q is not a mail domain: %s", s, fmt.Sprintf(format, args...)).
			WithHint("write it like example.com")
	}
	host, err := toASCII(strings.TrimPrefix(strings.TrimSpace(s), "@"))
	if err != nil {
		return "", bad("it is not a host name")
	}
	if !strings.Contains(host, ".") {
		return "", bad("it has no dot")
	}
	if suffix, icann := publicsuffix.PublicSuffix(host); suffix == host && icann {
		return "", bad("it is a public suffix, under which anybody can register")
	}
	return host, nil
}

// DisplayHost is a host as people read it: Unicode where the name has any.
func DisplayHost(host string) string {
	if u, err := idna.Display.ToUnicode(host); err == nil {
		return u
	}
	return host
}
