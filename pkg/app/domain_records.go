package app

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// metaAddress keeps where visitors of connected domains are to be sent: the
// addresses or host name an operator gave, separated by spaces.
const metaAddress = "address"

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
	// Absent is set when the record of ownership is not there, which is more
	// than that nobody could be asked.
	Absent bool
	// Arrives is set when visitors of the domain come to this server, or it
	// is not known where that is.
	Arrives bool
	// Findings are the mistakes found, the worst first.
	Findings []portal.Finding
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
	c.Records = []DomainRecord{proofRecord(d)}
	if d.Proxied {
		c.NoAddress = "visitors come through a proxy"
		return c, nil
	}
	targets, why, err := a.target(ctx)
	if err != nil {
		return nil, err
	}
	if c.NoAddress = why; why != "" {
		return c, nil
	}
	return c, a.addTargets(ctx, c, targets)
}

func proofRecord(d *portal.Domain) DomainRecord {
	return DomainRecord{Name: d.ProofName(), Type: "TXT", Value: d.ProofValue(), Proof: true}
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
	if err != nil {
		return nil, "", err
	}
	targets, why = targetOf(kept, base)
	return targets, why, nil
}

func targetOf(kept string, base *url.URL) (targets []string, why string) {
	if kept != "" {
		return strings.Fields(kept), ""
	}
	host := base.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() {
			return nil, fmt.Sprintf("the base URL %s is not reachable from outside", base)
		}
		return []string{ip.Unmap().String()}, ""
	}
	if host, err := ParseHost(host); err == nil {
		return []string{host}, ""
	}
	return nil, fmt.Sprintf("the base URL %s is not reachable from outside", base)
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
		found, err := a.resolver.Addresses(ctx, targets[0])
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
