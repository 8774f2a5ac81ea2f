package dns_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portalctl/portalctl/pkg/dns"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
)

// world is a small internet: a resolver, the servers of .com, those of
// example.com, and that of example.net, where the portal's own name is.
type world struct {
	net                         portaltest.Network
	resolver, com, one, two, ex *portaltest.DNS
}

const (
	proofName = "_portalctl.support.example.com"
	proof     = "portalctl-verification=Vq3zPz0m1c8yJbG5rT7uW9xA2dF4hK6nQ8sU0vX3yZ1"
	token     = "Vq3zPz0m1c8yJbG5rT7uW9xA2dF4hK6nQ8sU0vX3yZ1"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		resolver: portaltest.NewDNS(t), com: portaltest.NewDNS(t), one: portaltest.NewDNS(t), two: portaltest.NewDNS(t), ex: portaltest.NewDNS(t),
	}
	w.net = portaltest.Network{
		"192.0.2.53:53": w.resolver, "192.0.2.3:53": w.com, "192.0.2.1:53": w.one, "[2001:db8::1]:53": w.one, "192.0.2.2:53": w.two, "192.0.2.4:53": w.ex,
	}
	w.com.Zone("com", 900)
	w.com.Set("com", "NS", "a.nic.example.net")
	w.com.Set("example.com", "NS", "ns1.example.net", "ns2.example.net")
	w.ex.Zone("example.net", 3600)
	w.ex.Zone("example.org", 3600)
	w.ex.Set("example.net", "NS", "ns1.example.net")
	w.ex.Set("example.org", "NS", "ns.example.net")
	w.ex.Set("a.nic.example.net", "A", "192.0.2.3")
	w.ex.Set("ns.example.net", "A", "192.0.2.4")
	w.ex.Set("ns1.example.net", "A", "192.0.2.1")
	w.ex.Set("ns1.example.net", "AAAA", "2001:db8::1")
	w.ex.Set("ns2.example.net", "A", "192.0.2.2")
	w.ex.Set("ns2.example.net", "AAAA", "2001:db8::2")
	w.ex.Set("portal.example.net", "A", "203.0.113.7")
	w.ex.Set("portal.example.net", "AAAA", "2001:db8:7::7")
	for _, d := range []*portaltest.DNS{w.one, w.two} {
		d.Zone("example.com", 1800)
		d.SetTTL(3600)
		d.Set("example.com", "NS", "ns1.example.net", "ns2.example.net")
		d.Set("example.com", "MX", "mail.example.com")
		d.Set("www.example.com", "A", "198.51.100.80")
	}
	w.resolver.Recurse(w.com, w.one, w.ex)
	return w
}

func (w *world) dns() *dns.Resolver {
	return dns.New(dns.Options{Recursive: []string{"192.0.2.53:53"}, Dial: w.net.Dial, Wait: 500 * time.Millisecond})
}

// set changes a record on both servers of example.com.
func (w *world) set(name, kind string, values ...string) {
	w.one.Set(name, kind, values...)
	w.two.Set(name, kind, values...)
}

// good is a set-up without a mistake.
func (w *world) good() {
	w.set(proofName, "TXT", proof)
	w.set("support.example.com", "A", "203.0.113.7")
	w.set("support.example.com", "AAAA", "2001:db8:7::7")
}

func want() dns.Want {
	return dns.Want{
		Host: "support.example.com", Proof: proofName, Value: proof, Registered: "example.com",
		Addresses: []netip.Addr{netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8:7::7")},
		Issuers:   []string{"letsencrypt.org"}, Issues: true,
	}
}

// target wants an alias instead of addresses.
func target(w *dns.Want) { w.Addresses, w.Target = nil, "portal.example.net" }

// mistakes are those people make, one at a time in a set-up that is good
// otherwise.
var mistakes = []struct {
	name   string
	make   func(*world)
	want   func(*dns.Want)
	codes  string // of the findings
	proven bool
	arrive bool
}{
	{name: "nothing is wrong", proven: true, arrive: true},
	{name: "the text is in several strings", make: func(w *world) {
		w.one.SetStrings(proofName, proof[:30], proof[30:])
		w.two.SetStrings(proofName, proof[:30], proof[30:])
	}, proven: true, arrive: true},
	{name: "several strings with a space between", make: func(w *world) {
		w.one.SetStrings(proofName, proof[:30]+" ", proof[30:])
		w.two.SetStrings(proofName, proof[:30]+" ", proof[30:])
	}, codes: "split", arrive: true},
	{name: "a space in the text", make: func(w *world) { w.set(proofName, "TXT", proof[:30]+" "+proof[30:]) }, codes: "spaces", arrive: true},
	{name: "quotes pasted along", make: func(w *world) { w.set(proofName, "TXT", `"`+proof+`"`) }, codes: "quotes", arrive: true},
	{name: "typographic quotes", make: func(w *world) { w.set(proofName, "TXT", "“"+proof+"”") }, codes: "quotes", arrive: true},
	{name: "escaped quotes", make: func(w *world) { w.set(proofName, "TXT", `\"`+proof+`\"`) }, codes: "quotes", arrive: true},
	{name: "without what stands before the token", make: func(w *world) { w.set(proofName, "TXT", token) }, codes: "no-prefix", arrive: true},
	{name: "another portal's token", make: func(w *world) {
		w.set(proofName, "TXT", "portalctl-verification=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	}, codes: "other-token", arrive: true},
	{name: "capital letters lost", make: func(w *world) { w.set(proofName, "TXT", strings.ToLower(proof)) }, codes: "case", arrive: true},
	{name: "the end cut off", make: func(w *world) { w.set(proofName, "TXT", proof[:50]) }, codes: "cut-off", arrive: true},
	{name: "the whole line of a zone file", make: func(w *world) {
		w.set(proofName, "TXT", proofName+`. 300 IN TXT "`+proof+`"`)
	}, codes: "too-much", arrive: true},
	{name: "other texts alone", make: func(w *world) { w.set(proofName, "TXT", "v=spf1 -all") }, codes: "proof-other", arrive: true},
	{name: "no proof", make: func(w *world) { w.set(proofName, "TXT") }, codes: "proof-missing", arrive: true},
	{name: "the proof at the host itself", make: func(w *world) {
		w.set(proofName, "TXT")
		w.set("support.example.com", "TXT", proof)
	}, codes: "at-host", arrive: true},
	{name: "the proof at _portalctl of the zone", make: func(w *world) {
		w.set(proofName, "TXT")
		w.set("_portalctl.example.com", "TXT", proof)
	}, codes: "at-zone", arrive: true},
	{name: "the underscore forgotten", make: func(w *world) {
		w.set(proofName, "TXT")
		w.set("portalctl.support.example.com", "TXT", proof)
	}, codes: "no-underscore", arrive: true},
	{name: "the zone added by the provider", make: func(w *world) {
		w.set(proofName, "TXT")
		w.set(proofName+".example.com", "TXT", proof)
	}, codes: "zone-appended", arrive: true},
	{name: "the proof's name is an alias of nothing", make: func(w *world) {
		w.set(proofName, "TXT")
		w.set(proofName, "CNAME", "proof.example.org")
	}, codes: "proof-alias", arrive: true},
	{name: "the proof behind an alias in another zone", make: func(w *world) {
		w.set(proofName, "TXT")
		w.set(proofName, "CNAME", "proof.example.org")
		w.ex.Set("proof.example.org", "TXT", proof)
	}, proven: true, arrive: true},
	{name: "the proof's aliases go in a circle", make: func(w *world) {
		w.set(proofName, "TXT")
		w.set(proofName, "CNAME", "proof.example.org")
		w.ex.Set("proof.example.org", "CNAME", proofName)
	}, codes: "alias-loop", arrive: true},
	{name: "a wildcard text answers", make: func(w *world) {
		w.set(proofName, "TXT")
		w.set("*.support.example.com", "TXT", "v=spf1 -all")
	}, codes: "wildcard", arrive: true},
	{name: "a wildcard holds the proof", make: func(w *world) {
		w.set(proofName, "TXT")
		w.set("*.support.example.com", "TXT", proof)
	}, codes: "wildcard", proven: true, arrive: true},

	{name: "no address", make: func(w *world) { w.set("support.example.com", "A"); w.set("support.example.com", "AAAA") }, codes: "address-missing", proven: true},
	{name: "the address under the name with the zone added", make: func(w *world) {
		w.set("support.example.com", "A")
		w.set("support.example.com", "AAAA")
		w.set("support.example.com.example.com", "A", "203.0.113.7")
	}, codes: "zone-appended", proven: true},
	{name: "another address", make: func(w *world) {
		w.set("support.example.com", "A", "198.51.100.9")
		w.set("support.example.com", "AAAA")
	}, codes: "elsewhere", proven: true},
	{name: "a wildcard address answers", make: func(w *world) {
		w.set("support.example.com", "A")
		w.set("support.example.com", "AAAA")
		w.set(proofName, "TXT")
		w.set("*.example.com", "A", "198.51.100.9")
	}, codes: "proof-missing wildcard"},
	{name: "IPv6 is stale", make: func(w *world) { w.set("support.example.com", "AAAA", "2001:db8:dead::9") }, codes: "ipv6-elsewhere", proven: true},
	{name: "IPv6 leads elsewhere and is not wanted", make: func(w *world) {}, want: func(w *dns.Want) { w.Addresses = w.Addresses[:1] }, codes: "ipv6-elsewhere", proven: true},
	{name: "IPv4 is stale", make: func(w *world) { w.set("support.example.com", "A", "198.51.100.9") }, codes: "ipv4-elsewhere", proven: true},
	{name: "IPv6 is missing", make: func(w *world) { w.set("support.example.com", "AAAA") }, codes: "ipv6-missing", proven: true, arrive: true},
	{name: "one address too many", make: func(w *world) {
		w.set("support.example.com", "A", "203.0.113.7", "198.51.100.9")
	}, codes: "ipv4-besides", proven: true, arrive: true},

	{name: "an alias over two zones", want: target, make: func(w *world) {
		w.alias("chain.example.org")
		w.ex.Set("chain.example.org", "CNAME", "portal.example.net")
	}, proven: true, arrive: true},
	{name: "the final dot is missing", want: target, make: func(w *world) { w.alias("portal.example.net.example.com") }, codes: "trailing-dot", proven: true},
	{name: "the final dot is missing under a wildcard", want: target, make: func(w *world) {
		w.alias("portal.example.net.example.com")
		w.set("*.example.com", "A", "198.51.100.9")
	}, codes: "trailing-dot", proven: true},
	{name: "the alias leads nowhere", want: target, make: func(w *world) { w.alias("gone.example.org") }, codes: "alias-nowhere", proven: true},
	{name: "the alias is right and its target has no address", want: func(w *dns.Want) { w.Addresses, w.Target = nil, "new.example.net" }, make: func(w *world) { w.alias("new.example.net") }, codes: "alias-nowhere", proven: true},
	{name: "aliases in a circle", want: target, make: func(w *world) {
		w.alias("a.example.org")
		w.ex.Set("a.example.org", "CNAME", "support.example.com")
	}, codes: "alias-loop", proven: true},
	{name: "an alias beside other records", want: target, make: func(w *world) {
		w.alias("portal.example.net")
		w.set("support.example.com", "TXT", "v=spf1 -all")
	}, codes: "cname-beside", proven: true, arrive: true},
	{name: "an alias at the top of the zone", want: func(w *dns.Want) {
		target(w)
		w.Host, w.Proof = "example.com", "_portalctl.example.com"
	}, make: func(w *world) {
		w.set("_portalctl.example.com", "TXT", proof)
		w.set("example.com", "CNAME", "portal.example.net")
	}, codes: "cname-apex", proven: true, arrive: true},
	{name: "behind a proxy, by its name", want: target, make: func(w *world) {
		w.alias("d111111abcdef8.cloudfront.net")
		w.ex.Zone("cloudfront.net", 60)
		w.ex.Set("cloudfront.net", "NS", "ns.example.net")
		w.ex.Set("d111111abcdef8.cloudfront.net", "A", "198.51.100.20")
	}, codes: "proxy", proven: true},
	{name: "behind a proxy, by its addresses", make: func(w *world) {
		w.set("support.example.com", "A", "104.16.1.2")
		w.set("support.example.com", "AAAA", "2606:4700::1")
	}, codes: "proxy", proven: true},
	{name: "behind a proxy, and said so", want: func(w *dns.Want) { w.Proxied = true }, make: func(w *world) {
		w.set("support.example.com", "A", "104.16.1.2")
	}, proven: true, arrive: true},
	{name: "a proxy that has no address yet", want: func(w *dns.Want) { w.Proxied = true }, make: func(w *world) {
		w.set("support.example.com", "A")
		w.set("support.example.com", "AAAA")
	}, codes: "address-missing", proven: true, arrive: true},

	{name: "the domain is not registered", want: func(w *dns.Want) {
		w.Host, w.Proof, w.Registered = "support.exmaple.com", "_portalctl.support.exmaple.com", "exmaple.com"
	}, codes: "no-zone"},
	{name: "the servers disagree", make: func(w *world) { w.two.Set(proofName, "TXT") }, codes: "servers-disagree", proven: true, arrive: true},
	{name: "the servers disagree about the address", make: func(w *world) { w.two.Set("support.example.com", "A", "198.51.100.9") }, codes: "ipv4-besides servers-disagree", proven: true, arrive: true},
	{name: "one server is lame", make: func(w *world) { w.net["192.0.2.2:53"] = w.ex }, codes: "lame", proven: true, arrive: true},
	{name: "one server is silent", make: func(w *world) { delete(w.net, "192.0.2.2:53") }, codes: "silent", proven: true, arrive: true},
	{name: "every server is lame", make: func(w *world) {
		w.net["192.0.2.1:53"], w.net["[2001:db8::1]:53"], w.net["192.0.2.2:53"] = w.ex, w.ex, w.ex
		w.resolver.Break("example.com")
		for _, name := range []string{proofName, "support.example.com"} {
			w.resolver.Break(name)
		}
	}, codes: "lame lame"},
	{name: "nobody can be asked", make: func(w *world) { clear(w.net) }, codes: "no-answer no-answer"},
	{name: "the signatures do not hold", make: func(w *world) {
		w.resolver.Spoil(proofName, 9, "no DNSKEY matches DS RRs of example.com")
		w.resolver.Spoil("support.example.com", 9, "no DNSKEY matches DS RRs of example.com")
	}, codes: "dnssec dnssec"},
	{name: "a signature has expired", make: func(w *world) { w.resolver.Spoil(proofName, 7, "") }, codes: "dnssec", arrive: true},

	{name: "CAA names another authority", make: func(w *world) {
		w.set("example.com", "CAA", `0 issue "ca.example.org"`, `0 iodef "mailto:security@example.com"`)
	}, codes: "caa", proven: true, arrive: true},
	{name: "CAA at the host forbids all", make: func(w *world) { w.set("support.example.com", "CAA", `0 issue ";"`) }, codes: "caa", proven: true, arrive: true},
	{name: "CAA allows it further down", make: func(w *world) {
		w.set("example.com", "CAA", `0 issue ";"`)
		w.set("support.example.com", "CAA", `0 issue "LetsEncrypt.org; validationmethods=http-01"`)
	}, proven: true, arrive: true},
	{name: "CAA allows only a method that is not used", make: func(w *world) {
		w.set("example.com", "CAA", `0 issue "letsencrypt.org; validationmethods=dns-01"`)
	}, codes: "caa", proven: true, arrive: true},
	{name: "CAA has a critical record nobody knows", make: func(w *world) {
		w.set("example.com", "CAA", `0 issue "letsencrypt.org"`, `128 tbs "unknown"`)
	}, codes: "caa", proven: true, arrive: true},
	{name: "CAA names wildcards alone", make: func(w *world) { w.set("example.com", "CAA", `0 issuewild ";"`) }, proven: true, arrive: true},
	{name: "CAA names one account", make: func(w *world) {
		w.set("example.com", "CAA", `0 issue "letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1"`)
	}, codes: "caa-account", proven: true, arrive: true},
	{name: "CAA where the host leads", want: target, make: func(w *world) {
		w.alias("portal.example.net")
		w.ex.Set("portal.example.net", "CAA", `0 issue "ca.example.org"`)
	}, codes: "caa", proven: true, arrive: true},
	{name: "CAA and another authority in use", want: func(w *dns.Want) { w.Issuers = []string{"ca.example.org", "ca2.example.org"} }, make: func(w *world) {
		w.set("example.com", "CAA", `0 issue "letsencrypt.org"`)
	}, codes: "caa", proven: true, arrive: true},
	{name: "CAA cannot be asked for", make: func(w *world) {
		w.set("support.example.com", "CAA")
		w.one.BreakCAA("support.example.com")
		w.two.BreakCAA("support.example.com")
		w.resolver.BreakCAA("support.example.com")
	}, codes: "caa-no-answer", proven: true, arrive: true},
}

// alias makes the host an alias.
func (w *world) alias(to string) {
	w.set("support.example.com", "A")
	w.set("support.example.com", "AAAA")
	w.set("support.example.com", "CNAME", to)
}

// TestEachMistakeIsNamed makes every mistake on purpose; the golden file pins
// what people are told.
func TestEachMistakeIsNamed(t *testing.T) {
	var b strings.Builder
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			w := newWorld(t)
			w.good()
			if m.make != nil {
				m.make(w)
			}
			asked := want()
			if m.want != nil {
				m.want(&asked)
			}
			rep := w.dns().Check(t.Context(), asked)
			var codes []string
			fmt.Fprintf(&b, "# %s\n", m.name)
			for _, f := range rep.Findings {
				codes = append(codes, f.Code)
				fmt.Fprintf(&b, "%s %s: %s\n  found:  %s\n  wanted: %s\n  do:     %s\n", f.Severity, f.Code, f.About, f.Found, f.Wanted, f.Todo)
				if f.Severity == portal.SeverityOK || f.Found == "" || f.Wanted == "" || f.Todo == "" {
					t.Errorf("a finding that is not whole: %+v", f)
				}
			}
			b.WriteString("\n")
			if got := strings.Join(codes, " "); got != m.codes || rep.Proven != m.proven || rep.Arrives != m.arrive {
				t.Errorf("findings %q, proven %v, arrives %v; want %q, %v, %v\n%+v", got, rep.Proven, rep.Arrives, m.codes, m.proven, m.arrive, rep)
			}
		})
	}
	golden(t, filepath.Join("testdata", "mistakes.txt"), b.String())
}

// golden compares a text with its file; UPDATE=1 writes the file anew.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), got); diff != "" {
		t.Errorf("%s has changed; look at it and run the test with UPDATE=1:\n%s", path, diff)
	}
}
