package portal

import "time"

// DomainKind tells the machine's own address from the operator's domains.
type DomainKind string

// The kinds of domain.
const (
	SystemDomain    DomainKind = "system"
	ConnectedDomain DomainKind = "connected"
)

// Domain is a host name portals are served under. The system domain is there
// from the start; its host is empty and its address is the base URL.
type Domain struct {
	ID         DomainID
	Kind       DomainKind
	Host       string // ASCII form, lower case; empty for the system domain
	Language   string
	Token      string    // what the TXT record at _portalctl.HOST must hold
	VerifiedAt time.Time // zero: ownership not proven; serves nothing
	CheckedAt  time.Time // the last look at DNS
	// Proxied is set when visitors come through a proxy or a delivery network,
	// whose addresses are not ours: the proof alone connects the domain.
	Proxied bool
	LostAt  time.Time // since when the proof is not found any more; zero: it is there
	LostWhy string    // what was found in its place
	HSTS    string    // AutoHSTS, or on, off, a duration
	// ServedSince is since when it has been served by TLS without a fault.
	ServedSince time.Time
	// Headers are security headers made stricter than the usual ones, by name.
	Headers   map[string]string
	CreatedAt time.Time
}

// AutoHSTS lets browsers remember to use TLS for as long as a domain has been
// served well by it.
const AutoHSTS = "auto"

// ProofGrace is how long a domain whose proof is lost goes on as before; after
// it nobody new signs in there.
const ProofGrace = 7 * 24 * time.Hour

// ProofExpired reports whether the proof has been lost for so long that nobody
// new may sign in.
func (d *Domain) ProofExpired(now time.Time) bool {
	return !d.LostAt.IsZero() && now.Sub(d.LostAt) >= ProofGrace
}

// Verified reports whether the domain may serve: proven, or the system domain.
func (d *Domain) Verified() bool { return d.Kind == SystemDomain || !d.VerifiedAt.IsZero() }

// ProofName is the DNS name of the record that proves ownership.
func (d *Domain) ProofName() string { return "_portalctl." + d.Host }

// ProofValue is the text that record must hold.
func (d *Domain) ProofValue() string { return "portalctl-verification=" + d.Token }

// AddressKind says why visitors find a portal at an address that is not its own.
type AddressKind string

// The kinds: an operator added it, or the portal lay there once.
const (
	FurtherAddress AddressKind = "further"
	FormerAddress  AddressKind = "former"
)

// Address is where else a portal is found; visitors are sent on to its own.
type Address struct {
	Portal    PortalID
	Domain    Domain
	Slug      string
	Kind      AddressKind
	CreatedAt time.Time
}
