// Package sso is the customer's side of OpenID Connect: it finds a provider,
// sends a browser there, and checks everything that comes back. It keeps no
// state but what it fetched; who somebody is to the portal is app's business.
package sso

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Config is what an operator agreed on with a provider.
type Config struct {
	Issuer   string
	ClientID string
	Secret   string   // "" for a public client
	Scopes   []string // beside openid, email and profile
	// GroupClaim names the claim that lists groups; "" when nobody asks.
	GroupClaim string
	// AllowPrivate lets the issuer's own host lie in a private network, or on
	// this machine without TLS. Other hosts stay refused.
	AllowPrivate bool
}

// Reason says in one stable word what was wrong with an answer, for the audit
// log and the operator. Customers read none of it.
type Reason string

// The reasons.
const (
	ReasonUnreachable Reason = "unreachable"    // no answer, or none of HTTP's
	ReasonDiscovery   Reason = "discovery"      // the provider describes itself in a way that cannot be used
	ReasonIssuer      Reason = "issuer"         // somebody else than the provider asked
	ReasonState       Reason = "state"          // the answer is not for this browser's question
	ReasonProvider    Reason = "provider_error" // the provider said no
	ReasonCode        Reason = "code"           // no code, or one the provider does not take
	ReasonToken       Reason = "id_token"       // none, or one that cannot be read
	ReasonSignature   Reason = "signature"      // wrong key, or an algorithm that is not on the list
	ReasonAudience    Reason = "audience"       // made for another client
	ReasonParty       Reason = "authorized_party"
	ReasonExpired     Reason = "expired"
	ReasonFuture      Reason = "issued_in_future"
	ReasonNonce       Reason = "nonce"
	ReasonHash        Reason = "access_token_hash"
	ReasonSubject     Reason = "subject"
	ReasonUserInfo    Reason = "userinfo"
)

// Error is a sign-in that did not come about. Its text is for operators and
// may repeat, shortened and harmless, what the provider sent.
type Error struct {
	Reason Reason
	Msg    string
}

// Error returns the text.
func (e *Error) Error() string { return e.Msg }

func failf(r Reason, format string, args ...any) *Error {
	return &Error{Reason: r, Msg: plain(fmt.Sprintf(format, args...))}
}

// failed makes an error of a library an Error, with what was being done before
// it. One that is an Error already keeps its reason.
func failed(r Reason, doing string, err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	return failf(r, "%s: %v", doing, err)
}

// longestReason is how much of a foreign text an error repeats.
const longestReason = 300

// plain makes a text that holds foreign words fit for a line of the audit log.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > longestReason {
		s = strings.ToValidUTF8(s[:longestReason], "") + "…"
	}
	return s
}

// ParseIssuer checks the address of a provider and returns it as it was
// written: the provider must name itself in exactly these letters. It is
// https, without query and fragment; http only on this machine's own loopback
// and with allowPrivate.
func ParseIssuer(s string, allowPrivate bool) (string, error) {
	const code, field = "access.issuer", "issuer"
	issuer := strings.TrimSpace(s)
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(issuer, "#") || len(issuer) > 500 ||
		strings.ContainsFunc(issuer, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", portal.Invalidf(code, field, "%q is not the address of a provider; write it as the provider does, like https://login.example.com", s)
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme != "http":
		return "", portal.Invalidf(code, field, "%q does not begin with https://", s)
	case !loopbackHost(u.Hostname()):
		return "", portal.Invalidf(code, field, "%q is not encrypted: everybody on the way could sign in as anybody; use https", s)
	case !allowPrivate:
		return "", portal.Invalidf(code, field, "%q is on this machine and not encrypted", s).
			WithHint("to try a provider out on this machine, add --allow-private-issuer")
	}
	return issuer, nil
}

// loopbackHost reports whether a host's name can only mean this machine.
func loopbackHost(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback()
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}
