package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// System is how commands name the system domain, which has no host of its own.
const System = "system"

// metaAddress keeps where visitors of connected domains are to be sent: the
// addresses or host name an operator gave, separated by spaces.
const metaAddress = "address"

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

// Domains lists the system domain and the connected ones.
func (a *App) Domains(ctx context.Context) (list []portal.Domain, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.Domains(ctx)
		return err
	})
	return list, err
}

// Domain finds a domain by its host, or the system domain by the word system.
func (a *App) Domain(ctx context.Context, name string) (d *portal.Domain, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		d, err = domainByName(ctx, tx, name)
		return err
	})
	return d, err
}

func domainByName(ctx context.Context, tx *store.Tx, name string) (*portal.Domain, error) {
	if strings.EqualFold(strings.TrimSpace(name), System) {
		return tx.SystemDomain(ctx)
	}
	host, err := ParseHost(name)
	if err != nil {
		return nil, err
	}
	return tx.DomainByHost(ctx, host)
}

// newDomain is a connected domain that is yet to be proven.
func newDomain(host, language string) (*portal.Domain, error) {
	token, _, err := auth.NewToken()
	if err != nil {
		return nil, err
	}
	return &portal.Domain{Kind: portal.ConnectedDomain, Host: host, Language: language, Token: token}, nil
}

// ConnectDomain makes a connected domain that serves nothing until its
// ownership is proven. One that is there already keeps its proof; language ""
// means en for a new one and no change for the others.
func (a *App) ConnectDomain(ctx context.Context, name, language string) (d *portal.Domain, created bool, changes []Change, err error) {
	host, err := ParseHost(name)
	if err != nil {
		return nil, false, nil, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		created, changes = false, nil
		d, err = tx.DomainByHost(ctx, host)
		if portal.KindOf(err) == portal.NotFound {
			if d, err = newDomain(host, orDefault(language, defaultLanguage)); err != nil {
				return err
			}
			created = true
			if err := tx.AddDomain(ctx, d); err != nil {
				return err
			}
			return a.note(ctx, tx, portal.AuditDomainAdded, 0, aboutDomain(d.ID), domainFacts(d)...)
		}
		if err != nil {
			return err
		}
		changes, err = a.saveLanguage(ctx, tx, d, language)
		return err
	})
	return d, created, changes, err
}

// defaultLanguage is that of a domain nobody chose a language for.
const defaultLanguage = "en"

func orDefault(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (a *App) saveLanguage(ctx context.Context, tx *store.Tx, d *portal.Domain, language string) ([]Change, error) {
	if language == "" || language == d.Language {
		return nil, nil
	}
	changes := []Change{{"language", d.Language, language}}
	d.Language = language
	if err := tx.SaveDomain(ctx, d); err != nil {
		return nil, err
	}
	return changes, a.note(ctx, tx, portal.AuditDomainChanged, 0, aboutDomain(d.ID), changes...)
}

// SetDomainLanguage changes the language the domain's portals appear in.
func (a *App) SetDomainLanguage(ctx context.Context, name, language string) (d *portal.Domain, changes []Change, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if d, err = domainByName(ctx, tx, name); err != nil {
			return err
		}
		changes, err = a.saveLanguage(ctx, tx, d, language)
		return err
	})
	return d, changes, err
}

// MayRemoveDomain says what keeps a domain from being removed, if anything.
func (a *App) MayRemoveDomain(ctx context.Context, d *portal.Domain) error {
	return a.store.Read(ctx, func(tx *store.Tx) error { return mayRemoveDomain(ctx, tx, d) })
}

func mayRemoveDomain(ctx context.Context, tx *store.Tx, d *portal.Domain) error {
	if d.Kind == portal.SystemDomain {
		return portal.Conflictf("domain.system", "the system domain cannot be removed; it is the address of this machine")
	}
	portals, err := tx.Portals(ctx)
	if err != nil {
		return err
	}
	if users := portalsOn(portals, d.ID); len(users) > 0 {
		return portal.Conflictf("domain.in_use", "%s serves %s", d.Host, strings.Join(users, " and ")).
			WithHint("move it first: portalctl portal set --domain system")
	}
	return nil
}

// RemoveDomain removes a connected domain that no portal uses.
func (a *App) RemoveDomain(ctx context.Context, name string) error {
	return a.store.Write(ctx, func(tx *store.Tx) error {
		d, err := domainByName(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := mayRemoveDomain(ctx, tx, d); err != nil {
			return err
		}
		if err := tx.RemoveDomain(ctx, d.ID); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditDomainRemoved, 0, aboutDomain(d.ID), Change{Field: "host", From: d.Host})
	})
}

func portalsOn(portals []portal.Portal, id portal.DomainID) []string {
	var names []string
	for _, p := range portals {
		if p.DomainID == id {
			names = append(names, fmt.Sprintf("%q", p.Name))
		}
	}
	return names
}

// DomainRecord is a DNS record a domain needs, and what was found of it.
type DomainRecord struct {
	Name  string
	Type  string // TXT, A, AAAA, CNAME
	Value string
	// Proof marks the record ownership is proven by; the others send
	// visitors here.
	Proof bool
	Found []string
	By    string // who answered; "" when nobody was asked
	OK    bool
	Err   error // why nobody could be asked
}

// Line is the record as zone files have it, to be pasted.
func (r *DomainRecord) Line() string {
	value := r.Value
	switch r.Type {
	case "TXT":
		value = `"` + value + `"`
	case "CNAME":
		value += "."
	}
	return fmt.Sprintf("%s. 300 IN %s %s", r.Name, r.Type, value)
}

// DomainCheck is a look at a domain's records.
type DomainCheck struct {
	Domain  *portal.Domain
	Records []DomainRecord
	// NoAddress says why no record that sends visitors here is asked for;
	// "" when there is one.
	NoAddress string
	// Proven is set when the record of ownership was found now.
	Proven bool
	// Arrives is set when visitors of the domain come to this server, or it
	// is not known where that is.
	Arrives bool
}

// Holds reports whether every record is as wanted.
func (c *DomainCheck) Holds() bool { return c.Proven && c.Arrives }

// SetAddress keeps where visitors of connected domains are to be sent: IP
// addresses, or one host name. Nothing given forgets it.
func (a *App) SetAddress(ctx context.Context, addresses []string) error {
	checked, err := parseAddresses(addresses)
	if err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx *store.Tx) error {
		return a.setServer(ctx, tx, "address", metaAddress, strings.Join(checked, " "))
	})
}

func parseAddresses(list []string) ([]string, error) {
	var checked []string
	hosts := 0
	for _, s := range list {
		s = strings.TrimSpace(s)
		if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" && !ip.IsUnspecified() {
			checked = append(checked, ip.Unmap().String())
			continue
		}
		host, err := ParseHost(s)
		if err != nil {
			return nil, portal.Invalidf("domain.address", "address", "%q is neither an IP address nor a host name", s)
		}
		hosts++
		checked = append(checked, host)
	}
	if hosts > 0 && len(checked) > 1 {
		return nil, portal.Invalidf("domain.address", "address", "%s: give IP addresses or one host name, not both", strings.Join(checked, ", "))
	}
	return checked, nil
}

// DomainRecords says which records a domain needs, without asking DNS for
// them.
func (a *App) DomainRecords(ctx context.Context, d *portal.Domain) (*DomainCheck, error) {
	c := &DomainCheck{Domain: d}
	if d.Kind == portal.SystemDomain {
		c.NoAddress, c.Proven, c.Arrives = "the system domain needs no records of its own", true, true
		return c, nil
	}
	c.Records = []DomainRecord{{Name: d.ProofName(), Type: "TXT", Value: d.ProofValue(), Proof: true}}
	targets, why, err := a.target(ctx)
	if err != nil {
		return nil, err
	}
	if c.NoAddress = why; why != "" {
		return c, nil
	}
	return c, a.addTargets(ctx, c, targets)
}

// target returns where visitors are to be sent: what the operator said, else
// the base URL's host; or why that is not known.
func (a *App) target(ctx context.Context) (targets []string, why string, err error) {
	var kept string
	var base *url.URL
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		if base, err = a.base(ctx, tx); err != nil {
			return err
		}
		kept, err = tx.Meta(ctx, metaAddress)
		return err
	})
	if err != nil || kept != "" {
		return strings.Fields(kept), "", err
	}
	host := base.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() {
			return nil, fmt.Sprintf("the base URL %s is not reachable from outside", base), nil
		}
		return []string{ip.Unmap().String()}, "", nil
	}
	if host, err := ParseHost(host); err == nil {
		return []string{host}, "", nil
	}
	return nil, fmt.Sprintf("the base URL %s is not reachable from outside", base), nil
}

// addTargets adds the records that send visitors to the targets. The top of
// a zone cannot be an alias (RFC 1034 section 3.6.2), so there the addresses
// behind a host name are wanted.
func (a *App) addTargets(ctx context.Context, c *DomainCheck, targets []string) error {
	host := c.Domain.Host
	if len(targets) == 1 && targets[0] == host {
		c.NoAddress = "the base URL is this very name"
		return nil
	}
	ips := targets
	if _, err := netip.ParseAddr(targets[0]); err != nil {
		if top, err := publicsuffix.EffectiveTLDPlusOne(host); err != nil || top != host {
			c.Records = append(c.Records, DomainRecord{Name: host, Type: "CNAME", Value: targets[0]})
			return nil
		}
		found, err := a.dns().Addresses(ctx, targets[0])
		if err != nil || len(found.Values) == 0 {
			c.NoAddress = fmt.Sprintf("the addresses of %s cannot be found", targets[0])
			return nil
		}
		ips = found.Values
	}
	for _, ip := range ips {
		kind := "A"
		if strings.Contains(ip, ":") {
			kind = "AAAA"
		}
		c.Records = append(c.Records, DomainRecord{Name: host, Type: kind, Value: ip})
	}
	return nil
}

// dns is the resolver the App was given, or one that asks the responsible
// servers.
func (a *App) dns() *Resolver {
	if a.resolver == nil {
		return NewResolver("")
	}
	return a.resolver
}

// CheckDomain asks DNS for the domain's records and keeps a proof that is
// found. A proof once given stays: a record that is gone is told, but takes no
// portal down.
func (a *App) CheckDomain(ctx context.Context, d *portal.Domain) (*DomainCheck, error) {
	c, err := a.DomainRecords(ctx, d)
	if err != nil || d.Kind == portal.SystemDomain {
		return c, err
	}
	a.checkProof(ctx, &c.Records[0])
	c.Proven = c.Records[0].OK
	a.checkArrival(ctx, c)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c, a.store.Write(ctx, func(tx *store.Tx) error {
		now, err := tx.Domain(ctx, d.ID)
		if err != nil {
			return err
		}
		if now.Token != d.Token {
			return portal.Conflictf("domain.changed", "%s was connected anew in the meantime; check again", d.Host)
		}
		now.CheckedAt = tx.Now
		if c.Proven && now.VerifiedAt.IsZero() {
			now.VerifiedAt = tx.Now
			if err := a.note(ctx, tx, portal.AuditDomainProven, 0, aboutDomain(now.ID), fact("host", now.Host)); err != nil {
				return err
			}
		}
		c.Domain = now
		return tx.SaveDomain(ctx, now)
	})
}

func (a *App) checkProof(ctx context.Context, r *DomainRecord) {
	found, err := a.dns().TXT(ctx, r.Name)
	r.Found, r.By, r.Err = found.Values, found.By, err
	r.OK = slices.ContainsFunc(found.Values, func(v string) bool { return strings.TrimSpace(v) == r.Value })
}

// checkArrival compares where the host leads with where it should. Any wanted
// address will do: one host can be behind several, and only some may be ours.
func (a *App) checkArrival(ctx context.Context, c *DomainCheck) {
	records := c.Records[1:]
	if len(records) == 0 {
		c.Arrives = true
		return
	}
	found, err := a.dns().Addresses(ctx, c.Domain.Host)
	for i := range records {
		r := &records[i]
		r.By, r.Err = found.By, err
		if err != nil {
			continue
		}
		if r.Type == "CNAME" {
			a.checkAlias(ctx, r, found)
		} else {
			r.Found = slices.DeleteFunc(slices.Clone(found.Values), func(v string) bool {
				return strings.Contains(v, ":") != (r.Type == "AAAA")
			})
			r.OK = slices.Contains(r.Found, r.Value)
		}
		c.Arrives = c.Arrives || r.OK
	}
}

// checkAlias accepts addresses in place of the CNAME, as long as they are
// those of its target: some providers write aliases that way.
func (a *App) checkAlias(ctx context.Context, r *DomainRecord, found Found) {
	r.Found = found.Values
	if found.Alias != "" {
		r.Found = []string{found.Alias}
		r.OK = found.Alias == r.Value
	}
	if r.OK || len(found.Values) == 0 {
		return
	}
	target, err := a.dns().Addresses(ctx, r.Value)
	r.OK = err == nil && slices.ContainsFunc(found.Values, func(v string) bool { return slices.Contains(target.Values, v) })
}

// WaitForDomain checks until every record holds or the time is over, telling
// progress of each look. The last look is returned in both cases.
func (a *App) WaitForDomain(ctx context.Context, d *portal.Domain, every, timeout time.Duration, progress func(*DomainCheck)) (*DomainCheck, error) {
	end := time.NewTimer(timeout)
	defer end.Stop()
	for {
		c, err := a.CheckDomain(ctx, d)
		if err != nil || c.Holds() {
			return c, err
		}
		progress(c)
		next := time.NewTimer(every)
		select {
		case <-ctx.Done():
			next.Stop()
			return nil, ctx.Err()
		case <-end.C:
			next.Stop()
			return c, nil
		case <-next.C:
		}
	}
}
