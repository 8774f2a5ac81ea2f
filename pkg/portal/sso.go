package portal

import (
	"slices"
	"strings"
)

// SSOSettings are what the mode sso adds to a portal's access settings. The
// client secret is not among them: it lies sealed in the store.
type SSOSettings struct {
	Issuer   string   `json:"issuer"`
	ClientID string   `json:"client_id"`
	Secret   bool     `json:"secret,omitempty"` // there is a client secret
	Scopes   []string `json:"scopes,omitempty"` // beside openid, email and profile
	// GroupClaim names the claim that lists somebody's groups; with Groups,
	// one of them must be in it.
	GroupClaim string   `json:"group_claim,omitempty"`
	Groups     []string `json:"groups,omitempty"`
	// EmailDomains are the mail domains whose addresses this provider may
	// vouch for; AnyDomain alone means all.
	EmailDomains []string `json:"email_domains"`
	Label        string   `json:"label,omitempty"` // whom the button names
	AllowPrivate bool     `json:"allow_private,omitempty"`
}

// AnyDomain among the mail domains of SSOSettings stands for all of them.
const AnyDomain = "any"

// DefaultGroupClaim is where providers usually list groups.
const DefaultGroupClaim = "groups"

// VouchesFor reports whether the provider may vouch for a mail address.
func (s *SSOSettings) VouchesFor(email string) bool {
	_, domain, ok := strings.Cut(email, "@")
	return ok && (slices.Contains(s.EmailDomains, AnyDomain) || slices.Contains(s.EmailDomains, strings.ToLower(domain)))
}

// Admits reports whether somebody in these groups of the provider gets in.
func (s *SSOSettings) Admits(groups []string) bool {
	return len(s.Groups) == 0 || slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(s.Groups, g) })
}

// SameDoor reports whether two settings let in the same people by the same
// provider, so that sessions begun under one may go on under the other.
func (s *SSOSettings) SameDoor(other *SSOSettings) bool {
	if s == nil || other == nil {
		return s == other
	}
	return s.Issuer == other.Issuer && s.ClientID == other.ClientID && s.GroupClaim == other.GroupClaim &&
		slices.Equal(s.Groups, other.Groups) && slices.Equal(s.EmailDomains, other.EmailDomains)
}
