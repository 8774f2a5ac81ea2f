package dns

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Want is what a domain's records should be.
type Want struct {
	Host string
	// Proof is the name of the TXT record that proves ownership, and Value its
	// text: a word and =, which every such record has, then what is this
	// domain's own.
	Proof, Value string
	// Registered is the name the operator bought, such as example.com.
	Registered string
	// Addresses are where visitors are to be sent, or Target is the host name
	// that has them. With neither, where visitors arrive is not looked at.
	Addresses []netip.Addr
	Target    string
	// Proxied says that visitors reach a proxy first, whose addresses the host
	// has: only that there are some is looked at.
	Proxied bool
	// Issuers are the names of the certificate authority in use, as CAA
	// records have them. None: CAA is not looked at.
	Issuers []string
	// Issues is set when this server gets its certificates itself, so that it
	// cannot serve without one.
	Issues bool
}

// Report is what was found of a domain's records.
type Report struct {
	// Proof is what stands where the proof is wanted; ProofErr why nobody
	// could be asked.
	Proof    Found
	ProofErr error
	Proven   bool
	// Four and Six are the host's addresses, AddressErr why nobody could be
	// asked for them.
	Four, Six  Found
	AddressErr error
	// Leads are the addresses Target has.
	Leads []string
	// Arrives is set when visitors come to where they should, by IPv4 and by
	// IPv6, or it is not known where that is.
	Arrives bool
	// Findings are the mistakes, the worst first.
	Findings []portal.Finding
}

// check is one look at a domain.
type check struct {
	*session
	want Want
	rep  *Report

	guard    sync.Mutex
	findings [4][]portal.Finding // by part, so that their order is always the same
}

// The parts of a check, in the order in which they are told.
const (
	partZone = iota
	partProof
	partArrival
	partCAA
)

// Check looks at a domain's records and names what is wrong with them.
func (r *Resolver) Check(ctx context.Context, w Want) *Report {
	c := &check{session: r.session(), want: w, rep: &Report{}}
	var parts sync.WaitGroup
	parts.Go(func() { c.proof(ctx) })
	parts.Go(func() { c.arrival(ctx) })
	parts.Go(func() { c.certificates(ctx) })
	parts.Wait()
	c.zone()
	for _, list := range c.findings {
		for _, f := range list {
			if !slices.Contains(c.rep.Findings, f) {
				c.rep.Findings = append(c.rep.Findings, f)
			}
		}
	}
	portal.SortFindings(c.rep.Findings)
	return c.rep
}

// note adds a finding.
func (c *check) note(part int, f portal.Finding) {
	c.guard.Lock()
	defer c.guard.Unlock()
	c.findings[part] = append(c.findings[part], f)
}

// unanswered names why a name could not be looked up: a problem of its own,
// and never the same as that it is not there.
func (c *check) unanswered(part int, name, kind string, err error) {
	f := portal.Finding{Severity: portal.SeverityFail, About: name, Wanted: "the " + kind + " record of " + name}
	var loop *LoopError
	var signature *SignatureError
	var nobody *UnansweredError
	switch {
	case errors.As(err, &loop):
		f.Code, f.Found = "alias-loop", "its aliases (CNAME) lead in a circle: "+strings.Join(append([]string{loop.Name}, loop.Chain...), " -> ")
		f.Todo = fmt.Sprintf("remove the CNAME record of %s, or point it at the name that has the %s record", loop.Name, kind)
	case errors.As(err, &signature):
		f.Code, f.Found = "dnssec", signatureWords(signature)
		f.Todo = "have the zone signed anew, or take the DS record away at the registrar until it is; no checking resolver believes the zone before"
	case errors.As(err, &nobody) && len(nobody.Lame) > 0:
		f.Code, f.Found = "lame", fmt.Sprintf("%s should be responsible for %s, and %s", joined(nobody.Lame), nobody.Zone, notKnowing(nobody.Lame))
		f.Todo = fmt.Sprintf("at the registrar, name the servers that hold the zone %s, or set the zone up at these", nobody.Zone)
	default:
		f.Code, f.Found = "no-answer", "could not be looked up: "+err.Error()
		f.Todo = "check the network of this machine, or name a DNS server with --resolver; whether the record is there is not known"
	}
	c.note(part, f)
}

func notKnowing(servers []string) string {
	if len(servers) > 1 {
		return "know nothing of it"
	}
	return "knows nothing of it"
}

func signatureWords(e *SignatureError) string {
	words := "the zone's DNSSEC signatures do not hold, so resolvers refuse to give the record out"
	for _, r := range e.Reasons {
		words += ": " + r.String()
	}
	return words + " (says " + e.By + ")"
}

// signatures asks the machine's resolver whether it believes what the zone's
// own servers say. It is nil when it does, or does not check.
func (c *check) signatures(ctx context.Context, name string, t dnsmessage.Type) *SignatureError {
	if c.r.server != "" {
		return nil // asked already
	}
	one, err := c.recurse(ctx, name, t)
	if err != nil || !one.bogus {
		return nil
	}
	return &SignatureError{Name: name, By: one.server, Reasons: one.refused}
}

// zone tells what is wrong with the servers of the zone, or that it does not
// exist at all.
func (c *check) zone() {
	f := c.rep.Proof
	if c.rep.ProofErr != nil {
		return
	}
	if c.missingZone(f) {
		return
	}
	if len(f.Lame) > 0 {
		c.note(partZone, portal.Finding{
			Code: "lame", Severity: portal.SeverityWarn, About: f.Zone,
			Found:  fmt.Sprintf("%s should be responsible for %s, and %s", joined(f.Lame), f.Zone, notKnowing(f.Lame)),
			Wanted: "every name server of the zone to hold it",
			Todo:   fmt.Sprintf("take %s from the name servers of %s at the registrar, or set the zone up there; who asks them is told nothing", joined(f.Lame), f.Zone),
		})
	}
	if f.Authoritative && len(f.Silent) > 0 {
		c.note(partZone, portal.Finding{
			Code: "silent", Severity: portal.SeverityWarn, About: f.Zone,
			Found:  fmt.Sprintf("%s: no usable answer", joined(f.Silent)),
			Wanted: "every name server of the zone to answer",
			Todo:   "see whether it runs; some visitors wait for it in vain",
		})
	}
}

// missingZone reports whether the answer came from above the name that was
// bought, because that one does not exist.
func (c *check) missingZone(f Found) bool {
	return !f.Exists && f.Name != "" && f.Zone != c.want.Registered && within(c.want.Registered, f.Zone) && f.Zone != "" && f.Alias == ""
}

// noZone is the finding for it.
func (c *check) noZone(f Found) portal.Finding {
	name := c.want.Registered
	return portal.Finding{
		Code: "no-zone", Severity: portal.SeverityFail, About: name,
		Found:  fmt.Sprintf("%s does not exist, say the servers of .%s", name, f.Zone),
		Wanted: "a registered domain with name servers",
		Todo:   fmt.Sprintf("register %s, or have the registrar enter its name servers; check the spelling, and whether the registration has run out", name),
	}
}

// disagree is the finding for servers that do not hold the same.
func (c *check) disagree(part int, name, kind string, f Found, right func(values []string) bool) {
	if len(f.Differing) == 0 {
		return
	}
	var words, late []string
	for _, s := range f.Differing {
		switch {
		case right(s.Values):
			words = append(words, s.Server+" has it")
		case len(s.Values) == 0:
			words, late = append(words, s.Server+" not yet"), append(late, s.Server)
		default:
			words, late = append(words, s.Server+" has "+strings.Join(s.Values, ", ")), append(late, s.Server)
		}
	}
	if len(late) == 0 {
		return
	}
	c.note(part, portal.Finding{
		Code: "servers-disagree", Severity: portal.SeverityWarn, About: name,
		Found:  strings.Join(words, ", "),
		Wanted: "the same " + kind + " record on every name server of the zone",
		Todo:   fmt.Sprintf("wait a few minutes; if it stays so, see why %s does not take over the zone's changes (does its serial number rise?)", joined(late)),
	})
}

// wildcard returns the wildcard that answers for a name which has nothing of
// its own; "" when none does. What it answers for a label nobody chose it
// answers for every name.
func (c *check) wildcard(ctx context.Context, f Found, t dnsmessage.Type) string {
	if len(f.Values) == 0 && f.Alias == "" {
		return ""
	}
	above := parent(f.Name)
	if above == "" {
		return ""
	}
	label := "portalctl-" + strings.ToLower(rand.Text()[:12])
	other, err := c.look(ctx, label+"."+above, t)
	if err != nil || !slices.Equal(other.Values, f.Values) || other.Alias != f.Alias {
		return ""
	}
	// A name with a star that is not there is answered by the wildcard above,
	// too: the last one that answers is the one there is.
	last := above
	for at := above; at != ""; at = parent(at) {
		star, err := c.look(ctx, "*."+at, t)
		if err != nil || !slices.Equal(star.Values, f.Values) || star.Alias != f.Alias {
			break
		}
		last = at
	}
	return "*." + last
}

// relative is a name as forms take it that add the zone themselves.
func relative(name, zone string) string {
	if zone == "" || !within(name, zone) {
		return name
	}
	if name == zone {
		return "@"
	}
	return strings.TrimSuffix(name, "."+zone)
}

// howLong tells how long others may remember what is there now.
func howLong(d time.Duration) string {
	switch {
	case d <= time.Second:
		return ""
	case d < 2*time.Minute:
		return fmt.Sprintf("; the old answer may be remembered for %d seconds", int(d/time.Second))
	case d < 2*time.Hour:
		return fmt.Sprintf("; the old answer may be remembered for %d minutes", int(d.Round(time.Minute)/time.Minute))
	}
	return fmt.Sprintf("; the old answer may be remembered for %d hours", int(d.Round(time.Hour)/time.Hour))
}
