package dns_test

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/dns"
	"github.com/portalctl/portalctl/pkg/portaltest"
)

// only asks the name server of the test and no other.
func only(d *portaltest.DNS) *dns.Resolver { return dns.New(dns.Options{Server: d.Addr}) }

func TestResolverAsksTheResponsibleServers(t *testing.T) {
	w := newWorld(t)
	// The machine's resolver still remembers an older answer.
	w.resolver.Set(proofName, "TXT", "old")
	w.set(proofName, "TXT", "new")
	found, err := w.dns().TXT(t.Context(), proofName)
	if err != nil || !slices.Equal(found.Values, []string{"new"}) || found.By != "ns1.example.net and ns2.example.net" || !found.Authoritative || found.Zone != "example.com" {
		t.Errorf("asked the responsible servers: %+v, %v; want new by ns1 and ns2.example.net", found, err)
	}
	// Servers that are not responsible after all do not count.
	w.one.Disown(proofName)
	w.two.Disown(proofName)
	found, err = w.dns().TXT(t.Context(), proofName)
	if err != nil || !slices.Equal(found.Values, []string{"old"}) || found.By != "the machine's resolver" || found.Authoritative || len(found.Lame) != 2 {
		t.Errorf("no responsible server: %+v, %v; want old by the machine's resolver", found, err)
	}
}

// TestResolverGoesDownWhereTheMachinesOneFails: a resolver that gives up on a
// zone does not hide who is responsible for it.
func TestResolverGoesDownWhereTheMachinesOneFails(t *testing.T) {
	w := newWorld(t)
	w.set(proofName, "TXT", "new")
	for _, name := range []string{proofName, "support.example.com", "example.com"} {
		w.resolver.Break(name)
	}
	found, err := w.dns().TXT(t.Context(), proofName)
	if err != nil || !slices.Equal(found.Values, []string{"new"}) || found.Zone != "example.com" {
		t.Errorf("from .com downwards: %+v, %v; want new, in the zone example.com", found, err)
	}
}

func TestResolverFollowsAliases(t *testing.T) {
	names := portaltest.NewDNS(t)
	names.Set("a.example.com", "CNAME", "b.example.net")
	names.Set("b.example.net", "CNAME", "c.example.org")
	names.Set("c.example.org", "A", "192.0.2.1")
	names.Set("c.example.org", "AAAA", "2001:db8::1")
	names.Set("circle.example.com", "CNAME", "circle.example.com")
	r := only(names)
	found, err := r.Addresses(t.Context(), "a.example.com")
	if err != nil || found.Alias != "b.example.net" || !slices.Equal(found.Chain, []string{"b.example.net", "c.example.org"}) ||
		!slices.Equal(found.Values, []string{"192.0.2.1", "2001:db8::1"}) {
		t.Errorf("an alias: %+v, %v", found, err)
	}
	var loop *dns.LoopError
	if _, err := r.Addresses(t.Context(), "circle.example.com"); !errors.As(err, &loop) || len(loop.Chain) != 1 {
		t.Errorf("a circle: %v; want it named", err)
	}
	if found, err := r.Addresses(t.Context(), "nothing.example.com"); err != nil || len(found.Values) != 0 || found.Exists {
		t.Errorf("no such name: %+v, %v; want none and no error", found, err)
	}
	names.Set("example.com", "MX", "mail.example.com")
	if found, err := r.MX(t.Context(), "example.com"); err != nil || !slices.Equal(found.Values, []string{"10 mail.example.com"}) {
		t.Errorf("mail servers: %+v, %v", found, err)
	}
}

func TestAliasesThatLeadOnAndOnEnd(t *testing.T) {
	names := portaltest.NewDNS(t)
	for i := range 30 {
		names.Set("a"+strings.Repeat("b", i)+".example.com", "CNAME", "a"+strings.Repeat("b", i+1)+".example.com")
	}
	var loop *dns.LoopError
	if found, err := only(names).TXT(t.Context(), "a.example.com"); !errors.As(err, &loop) {
		t.Errorf("thirty aliases: %+v, %v; want an end", found, err)
	}
}

func TestLongAnswersComeByTCP(t *testing.T) {
	names := portaltest.NewDNS(t)
	var want []string
	for i := range 20 {
		want = append(want, strings.Repeat(string(rune('a'+i)), 300))
	}
	names.Set("_portalctl.example.com", "TXT", want...)
	found, err := only(names).TXT(t.Context(), "_portalctl.example.com")
	if err != nil || !slices.Equal(found.Values, want) {
		t.Errorf("a long answer: %d values, %v; want %d", len(found.Values), err, len(want))
	}
}

func TestSilenceAndFailureAreNoAbsence(t *testing.T) {
	names := portaltest.NewDNS(t)
	names.Break("example.com")
	if _, err := only(names).TXT(t.Context(), "example.com"); err == nil || !strings.Contains(err.Error(), "SERVFAIL") {
		t.Errorf("a failing server: %v, want SERVFAIL", err)
	}
	names.Spoil("signed.example.com", 7, "\x1b[31mexpired\n")
	var signature *dns.SignatureError
	if _, err := only(names).TXT(t.Context(), "signed.example.com"); !errors.As(err, &signature) ||
		!strings.Contains(err.Error(), "a signature has expired ([31mexpired)") {
		t.Errorf("a resolver that refuses: %v, want its reason, harmless", err)
	}
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r := dns.New(dns.Options{Server: silent.LocalAddr().String(), Wait: 20 * time.Millisecond})
	if _, err := r.TXT(t.Context(), "example.com"); err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("a silent server: %v, want no answer in time", err)
	}
	if _, err := only(names).TXT(t.Context(), strings.Repeat("a", 64)+".example.com"); err == nil {
		t.Error("a name that is none was looked up")
	}
}

// TestOneLookAsksOnce: what one check says rests on the same answers, and a
// zone's servers are not asked twice for one of them.
func TestOneLookAsksOnce(t *testing.T) {
	w := newWorld(t)
	w.good()
	w.dns().Check(t.Context(), want())
	// For the proof, two kinds of address, a wildcard of either and three CAA
	// records; each of the first server's two addresses.
	if asked := w.one.Asked(); asked > 20 {
		t.Errorf("one check asked the first server %d questions", asked)
	}
}
