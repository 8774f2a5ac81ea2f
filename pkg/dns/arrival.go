package dns

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/portalctl/portalctl/pkg/portal"
)

// arrival looks where visitors of the host arrive.
func (c *check) arrival(ctx context.Context) {
	w, rep := &c.want, c.rep
	if len(w.Addresses) == 0 && w.Target == "" && !w.Proxied {
		rep.Arrives = true
		return
	}
	var fourErr, sixErr error
	var asking sync.WaitGroup
	asking.Go(func() { rep.Four, fourErr = c.look(ctx, w.Host, dnsmessage.TypeA) })
	asking.Go(func() { rep.Six, sixErr = c.look(ctx, w.Host, dnsmessage.TypeAAAA) })
	asking.Wait()
	for _, one := range []struct {
		kind string
		err  error
	}{{"A", fourErr}, {"AAAA", sixErr}} {
		if one.err == nil {
			continue
		}
		if rep.AddressErr == nil {
			c.unanswered(partArrival, w.Host, one.kind, one.err)
		}
		rep.AddressErr = one.err
	}
	if rep.AddressErr != nil {
		return
	}
	if e := c.signatures(ctx, w.Host, dnsmessage.TypeA); e != nil {
		rep.AddressErr = e
		c.unanswered(partArrival, w.Host, "A", e)
		return
	}
	c.aliasMistakes(ctx)
	if len(rep.Four.Values)+len(rep.Six.Values) == 0 {
		c.noAddress(ctx)
		// A proxy may take its address up later than the proof is there.
		rep.Arrives = w.Proxied
		return
	}
	if w.Proxied {
		rep.Arrives = true
		return
	}
	c.compare(ctx)
}

// alias is where a CNAME of the host points.
func (c *check) alias() string {
	if c.rep.Four.Alias != "" {
		return c.rep.Four.Alias
	}
	return c.rep.Six.Alias
}

func (c *check) chain() []string {
	if len(c.rep.Four.Chain) > 0 {
		return c.rep.Four.Chain
	}
	return c.rep.Six.Chain
}

// aliasMistakes names a CNAME where none may be: at the top of a zone, and
// beside other records (RFC 1034 section 3.6.2, RFC 2181 section 10.1).
func (c *check) aliasMistakes(ctx context.Context) {
	alias, host := c.alias(), c.want.Host
	if alias == "" {
		return
	}
	var beside []string
	apex := false
	for _, t := range []dnsmessage.Type{dnsmessage.TypeSOA, dnsmessage.TypeNS, dnsmessage.TypeMX, dnsmessage.TypeTXT, dnsmessage.TypeA, dnsmessage.TypeAAAA} {
		a, err := c.ask(ctx, host, t)
		if err != nil {
			continue
		}
		apex = apex || a.zone == host && a.authoritative
		for _, one := range a.replies {
			if len(one.at(host, t)) == 0 {
				continue
			}
			apex = apex || t == dnsmessage.TypeSOA
			if !slices.Contains(beside, typeName(t)) {
				beside = append(beside, typeName(t))
			}
		}
	}
	f := portal.Finding{Severity: portal.SeverityFail, About: host, Found: "a CNAME record to " + alias}
	switch {
	case apex:
		f.Code, f.Wanted = "cname-apex", "A and AAAA records"
		f.Found += " at the top of the zone, where there cannot be one: it hides the zone's mail and name servers"
		f.Todo = fmt.Sprintf("replace the CNAME record of %s by %s; some providers call a record that does it ALIAS or ANAME", host, c.addressRecords(ctx))
	case len(beside) > 0:
		f.Code, f.Wanted = "cname-beside", "a CNAME record alone, or none"
		f.Found += fmt.Sprintf(" and beside it %s, which no name with a CNAME may have; some servers show one, some the other", joined(beside))
		f.Todo = fmt.Sprintf("remove either the CNAME record of %s or its %s", host, joined(beside))
	default:
		return
	}
	c.note(partArrival, f)
}

// addressRecords are the records to add, in words.
func (c *check) addressRecords(ctx context.Context) string {
	four, six := c.wanted(ctx)
	var words []string
	if len(four) > 0 {
		words = append(words, "an A record with "+joined(four))
	}
	if len(six) > 0 {
		words = append(words, "an AAAA record with "+joined(six))
	}
	if len(words) == 0 {
		return "A and AAAA records with the addresses of " + c.want.Target
	}
	return strings.Join(words, " and ")
}

// record is the record that sends visitors here, in words.
func (c *check) record(ctx context.Context) string {
	if c.want.Target != "" {
		return "a CNAME record to " + c.want.Target + "."
	}
	return c.addressRecords(ctx)
}

// wanted are the addresses visitors are to arrive at.
func (c *check) wanted(ctx context.Context) (four, six []string) {
	if c.want.Target != "" {
		if f, err := c.look(ctx, c.want.Target, dnsmessage.TypeA); err == nil {
			four = f.Values
		}
		if f, err := c.look(ctx, c.want.Target, dnsmessage.TypeAAAA); err == nil {
			six = f.Values
		}
		return four, six
	}
	for _, ip := range c.want.Addresses {
		if ip.Is4() {
			four = append(four, ip.String())
		} else {
			six = append(six, ip.String())
		}
	}
	return four, six
}

// noAddress names why the host leads nowhere.
func (c *check) noAddress(ctx context.Context) {
	w, f := &c.want, &c.rep.Four
	n := portal.Finding{Code: "address-missing", Severity: portal.SeverityFail, About: w.Host, Found: "there is no address", Wanted: c.record(ctx)}
	n.Todo = fmt.Sprintf("add %s at %s", n.Wanted, w.Host)
	if w.Proxied {
		n.Severity, n.Wanted = portal.SeverityWarn, "the address of the proxy"
		n.Todo = fmt.Sprintf("add the record the proxy asks for at %s; visitors do not arrive before", w.Host)
	}
	zone := c.zoneName(f)
	switch alias := c.alias(); {
	case c.missingZone(*f):
		n = c.noZone(*f)
	case alias != "":
		c.aliasNowhere(&n, alias, zone)
	case c.appended(ctx, zone):
		n.Code, n.Found = "zone-appended", fmt.Sprintf("the record is at %s.%s: the provider added %s to the name a second time", w.Host, zone, zone)
		n.Todo = fmt.Sprintf("rename it to %s; in a form that adds %s itself, enter %s as its name", w.Host, zone, relative(w.Host, zone))
	}
	c.note(partArrival, n)
}

// aliasNowhere names an alias whose end has no address.
func (c *check) aliasNowhere(n *portal.Finding, alias, zone string) {
	w := &c.want
	if target, ok := strings.CutSuffix(alias, "."+zone); ok && (target == w.Target || w.Target == "" && strings.Contains(target, ".")) {
		n.Code, n.Found = "trailing-dot", fmt.Sprintf("the CNAME record points to %s: the final dot is missing, so the zone was added", alias)
		n.Wanted, n.Todo = "a CNAME record to "+target+".", fmt.Sprintf("write the target of %s with a dot at the end: %s.", w.Host, target)
		return
	}
	chain := append([]string{w.Host}, c.chain()...)
	n.Code, n.Found = "alias-nowhere", fmt.Sprintf("the alias (CNAME) leads nowhere: %s has no address", strings.Join(chain, " -> "))
	if alias == w.Target {
		n.About, n.Wanted = w.Target, "A and AAAA records with the addresses of this server"
		n.Todo = fmt.Sprintf("give %s its addresses in DNS, or name others with --address", w.Target)
		return
	}
	n.Todo = fmt.Sprintf("replace the CNAME record of %s by %s", w.Host, n.Wanted)
}

// appended reports whether the host's records are there under a name to which
// the zone was added.
func (c *check) appended(ctx context.Context, zone string) bool {
	name := c.want.Host + "." + zone
	if len(name) > 253 {
		return false
	}
	for _, t := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA} {
		f, err := c.look(ctx, name, t)
		if err == nil && (len(f.Values) > 0 || f.Alias != "") {
			return c.wildcard(ctx, f, t) == ""
		}
	}
	return false
}

// family is one kind of address: what the host has of it, and what it should.
type family struct {
	name, kind, code string
	t                dnsmessage.Type
	found            *Found
	wanted           []string
	right, wrong     []string
}

func newFamily(name, kind, code string, t dnsmessage.Type, found *Found, wanted []string) *family {
	f := &family{name: name, kind: kind, code: code, t: t, found: found, wanted: wanted}
	for _, v := range found.Values {
		if slices.Contains(wanted, v) {
			f.right = append(f.right, v)
		} else {
			f.wrong = append(f.wrong, v)
		}
	}
	return f
}

// compare holds the addresses found against those wanted, by family: a
// visitor's machine takes the one it has a way to, and no other.
func (c *check) compare(ctx context.Context) {
	w, rep := &c.want, c.rep
	four, six := c.wanted(ctx)
	rep.Leads = append(slices.Clone(four), six...)
	if w.Target != "" && slices.Contains(c.chain(), w.Target) {
		rep.Arrives = true
		c.disagreeAbout(four, six)
		return
	}
	if w.Target != "" && len(rep.Leads) == 0 {
		c.note(partArrival, portal.Finding{
			Code: "target-nowhere", Severity: portal.SeverityFail, About: w.Target, Found: "it has no address",
			Wanted: "A and AAAA records with the addresses of this server",
			Todo:   fmt.Sprintf("give %s its addresses in DNS, or name others with --address", w.Target),
		})
		return
	}
	v4 := newFamily("IPv4", "A", "ipv4", dnsmessage.TypeA, &rep.Four, four)
	v6 := newFamily("IPv6", "AAAA", "ipv6", dnsmessage.TypeAAAA, &rep.Six, six)
	if len(v4.right)+len(v6.right) == 0 {
		c.elsewhere(ctx)
		return
	}
	rep.Arrives = true
	for _, f := range []*family{v4, v6} {
		c.family(f)
		if len(f.wrong) > 0 && len(f.right) == 0 {
			rep.Arrives = false
		}
	}
	c.disagreeAbout(four, six)
}

// family names what is wrong with one family when the other is right.
func (c *check) family(f *family) {
	n := portal.Finding{About: c.want.Host, Severity: portal.SeverityWarn, Wanted: f.kind + " " + joined(f.wanted)}
	switch {
	case len(f.wrong) > 0 && len(f.right) == 0 && len(f.wanted) == 0:
		n.Code, n.Severity, n.Wanted = f.code+"-elsewhere", portal.SeverityFail, "no "+f.kind+" record"
		n.Found = fmt.Sprintf("visitors with %s arrive elsewhere, at %s", f.name, joined(f.wrong))
		n.Todo = fmt.Sprintf("remove the %s record of %s, or add this server's %s address with --address", f.kind, c.want.Host, f.name)
	case len(f.wrong) > 0 && len(f.right) == 0:
		n.Code, n.Severity = f.code+"-elsewhere", portal.SeverityFail
		n.Found = fmt.Sprintf("visitors with %s arrive elsewhere, at %s", f.name, joined(f.wrong))
		n.Todo = fmt.Sprintf("change the %s record of %s to %s", f.kind, c.want.Host, joined(f.wanted))
	case len(f.wrong) > 0:
		n.Code = f.code + "-besides"
		n.Found = fmt.Sprintf("some visitors with %s arrive at %s", f.name, joined(f.wrong))
		n.Todo = fmt.Sprintf("remove the %s record with %s, or name that address with --address if it is this portal's too", f.kind, joined(f.wrong))
	case len(f.right) == 0 && len(f.wanted) > 0:
		n.Code = f.code + "-missing"
		n.Found = fmt.Sprintf("there is no %s record; visitors with %s alone do not arrive", f.kind, f.name)
		n.Todo = fmt.Sprintf("add an %s record with %s at %s", f.kind, joined(f.wanted), c.want.Host)
	default:
		return
	}
	if len(f.wrong) > 0 {
		n.Todo += howLong(f.found.Remembered)
	}
	c.note(partArrival, n)
}

func (c *check) disagreeAbout(four, six []string) {
	host := c.want.Host
	for _, f := range []*family{
		{kind: "A", found: &c.rep.Four, wanted: four},
		{kind: "AAAA", found: &c.rep.Six, wanted: six},
	} {
		c.disagree(partArrival, host, f.kind, *f.found, func(values []string) bool {
			return slices.ContainsFunc(values, func(v string) bool {
				return slices.Contains(f.wanted, v) || v == "alias of "+c.want.Target
			})
		})
	}
}

// elsewhere names where visitors arrive, and who that is if it can be told.
func (c *check) elsewhere(ctx context.Context) {
	w, rep := &c.want, c.rep
	all := append(slices.Clone(rep.Four.Values), rep.Six.Values...)
	n := portal.Finding{Code: "elsewhere", Severity: portal.SeverityFail, About: w.Host, Wanted: c.record(ctx)}
	n.Found = "visitors arrive at " + joined(all)
	if chain := c.chain(); len(chain) > 0 {
		n.Found = "visitors arrive at " + strings.Join(chain, " -> ") + " (" + joined(all) + ")"
	}
	n.Todo = fmt.Sprintf("change the record of %s to %s", w.Host, n.Wanted)
	found, t := &rep.Four, dnsmessage.TypeA
	if len(found.Values) == 0 {
		found, t = &rep.Six, dnsmessage.TypeAAAA
	}
	zone := c.zoneName(found)
	star := c.wildcard(ctx, *found, t)
	who := proxyOf(c.chain(), all)
	switch {
	case star != "":
		n.Code = "wildcard"
		n.Found = fmt.Sprintf("there is no record of its own; the wildcard %s answers, and visitors arrive at %s", star, joined(all))
		n.Todo = fmt.Sprintf("add %s at %s; it goes before the wildcard", n.Wanted, w.Host)
	case c.alias() == w.Target+"."+zone:
		c.aliasNowhere(&n, c.alias(), zone)
	case who != "":
		n.Code = "proxy"
		n.Found += ", which is " + who
		n.Todo = fmt.Sprintf("if %s is to stand before the portal, pass --proxied; otherwise %s", who, n.Todo)
	default:
		n.Todo += "; if a proxy or CDN is to stand before the portal, pass --proxied instead"
	}
	n.Todo += howLong(max(rep.Four.Remembered, rep.Six.Remembered))
	c.note(partArrival, n)
}
