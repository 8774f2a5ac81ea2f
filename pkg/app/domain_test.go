package app

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestParseHost(t *testing.T) {
	for _, tt := range []struct{ typed, want, refused string }{
		{typed: "support.example.com", want: "support.example.com"},
		{typed: " Support.Example.COM. ", want: "support.example.com"},
		{typed: "hjälp.exempel.se", want: "xn--hjlp-moa.exempel.se"},
		{typed: "xn--hjlp-moa.exempel.se", want: "xn--hjlp-moa.exempel.se"},
		{typed: "example.com", want: "example.com"},
		{typed: "a.b.co.uk", want: "a.b.co.uk"},
		{typed: "", refused: "missing"},
		{typed: "https://support.example.com/help", refused: "host name alone"},
		{typed: "support.example.com/help", refused: "more than a host name"},
		{typed: "support.example.com:8080", refused: "no port"},
		{typed: "203.0.113.7", refused: "IP address"},
		{typed: "[2001:db8::1]", refused: "IP address"},
		{typed: "2001:db8::1", refused: "IP address"},
		{typed: "localhost", refused: ".localhost"},
		{typed: "portal.local", refused: ".local"},
		{typed: "portal.localhost", refused: ".localhost"},
		{typed: "printer.home.arpa", refused: ".arpa"},
		{typed: "intranet", refused: "no dot"},
		{typed: "com", refused: "no dot"},
		{typed: "https://", refused: "begins with https://"},
		{typed: "co.uk", refused: "public suffix"},
		{typed: "github.io", refused: "public suffix"},
		{typed: "*.example.com", refused: "wildcard"},
		{typed: "under_score.example.com", refused: "valid host name"},
		{typed: "-dash.example.com", refused: "valid host name"},
		{typed: "two..dots.example.com", refused: "valid host name"},
		{typed: "sp ace.example.com", refused: "valid host name"},
		{typed: "a@example.com", refused: "more than a host name"},
		{typed: strings.Repeat("a", 64) + ".example.com", refused: "valid host name"},
		{typed: strings.Repeat("abcdefg.", 31) + "com", refused: "too long"},
		{typed: "example.123", refused: "number"},
		{typed: "a\x00b.example.com", refused: "valid host name"},
	} {
		got, err := ParseHost(tt.typed)
		if tt.refused == "" {
			if err != nil || got != tt.want {
				t.Errorf("ParseHost(%q) = %q, %v; want %q", tt.typed, got, err, tt.want)
			}
			continue
		}
		if portal.KindOf(err) != portal.Invalid || !strings.Contains(err.Error(), tt.refused) {
			t.Errorf("ParseHost(%q) = %q, %v; want Invalid with %q", tt.typed, got, err, tt.refused)
		}
	}
}

func FuzzParseHost(f *testing.F) {
	for _, s := range []string{"support.example.com", "HJÄLP.exempel.se.", "a..b", "xn--a.com", "1.2.3.4", "co.uk", "ß.example.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, err := ParseHost(s)
		if err != nil {
			return
		}
		if again, err := ParseHost(host); err != nil || again != host {
			t.Errorf("%q parsed as %q, which reads back as %q, %v", s, host, again, err)
		}
		if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || !strings.Contains(host, ".") {
			t.Errorf("%q parsed as %q", s, host)
		}
	})
}

// domainApp is an app on a new store that asks the DNS server given.
func domainApp(t *testing.T, base string, r *Resolver) (*App, *portaltest.Clock) {
	t.Helper()
	s, clock := portaltest.StoreClock(t)
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Store: s, Now: clock.Now, BaseURL: u, Resolver: r}), clock
}

func connect(t *testing.T, a *App, host string) *portal.Domain {
	t.Helper()
	d, created, _, err := a.ConnectDomain(t.Context(), host, "sv")
	if err != nil || !created || d.Verified() {
		t.Fatalf("connect %s: %+v, created %v, %v", host, d, created, err)
	}
	return d
}

func TestDomainIsVerifiedOnceItsRecordIsThere(t *testing.T) {
	dns := portaltest.NewDNS(t)
	a, clock := domainApp(t, "https://portal.example.net", NewResolver(dns.Addr))
	d := connect(t, a, "support.example.com")

	c, err := a.CheckDomain(t.Context(), d)
	if err != nil || c.Proven || c.Domain.Verified() || !c.Domain.CheckedAt.Equal(clock.Now()) {
		t.Fatalf("nothing in DNS: %+v of %+v, %v; want not proven and checked now", c, c.Domain, err)
	}
	dns.Set(d.ProofName(), "TXT", "v=spf1 -all", "portalctl-verification=somebody-else")
	if c, err = a.CheckDomain(t.Context(), d); err != nil || c.Proven || len(c.Records[0].Found) != 2 {
		t.Fatalf("other texts in DNS: %+v, %v; want not proven, with both found", c, err)
	}
	at := clock.Add(time.Hour)
	dns.Paste(c.Records[0].Line())
	if c, err = a.CheckDomain(t.Context(), d); err != nil || !c.Proven || !c.Domain.VerifiedAt.Equal(at) {
		t.Fatalf("the record pasted: %+v, %v; want proven at %v", c, err, at)
	}
	if c.Arrives {
		t.Error("visitors arrive although the host has no address")
	}

	// The proof stays when the record goes.
	clock.Add(time.Hour)
	dns.Set(d.ProofName(), "TXT")
	if c, err = a.CheckDomain(t.Context(), d); err != nil || c.Proven || !c.Domain.VerifiedAt.Equal(at) {
		t.Errorf("the record gone: %+v, %v; want not proven now, and verified since %v", c, err, at)
	}
}

func TestRecordsThatSendVisitorsHere(t *testing.T) {
	dns := portaltest.NewDNS(t)
	dns.Set("portal.example.net", "A", "203.0.113.7")
	dns.Set("portal.example.net", "AAAA", "2001:db8::7")
	for _, tt := range []struct {
		name, base, host string
		address          []string
		set              func()
		want             []string // TYPE VALUE
		arrives          bool
	}{
		{name: "loopback", base: "http://127.0.0.1:8080", host: "a1.example.com", arrives: true},
		{name: "private", base: "http://10.0.0.5", host: "a2.example.com", arrives: true},
		{name: "localhost", base: "http://localhost:8080", host: "a3.example.com", arrives: true},
		{name: "the base URL is the domain", base: "https://a4.example.com", host: "a4.example.com", arrives: true},
		{name: "a host name", base: "https://portal.example.net", host: "a5.example.com", want: []string{"CNAME portal.example.net"}},
		{
			name: "an alias", base: "https://portal.example.net", host: "a6.example.com", want: []string{"CNAME portal.example.net"},
			set: func() { dns.Set("a6.example.com", "CNAME", "portal.example.net") }, arrives: true,
		},
		{
			name: "addresses in place of the alias", base: "https://portal.example.net", host: "a7.example.com", want: []string{"CNAME portal.example.net"},
			set: func() { dns.Set("a7.example.com", "A", "203.0.113.7") }, arrives: true,
		},
		{
			name: "an alias to somewhere else", base: "https://portal.example.net", host: "a8.example.com", want: []string{"CNAME portal.example.net"},
			set: func() { dns.Set("a8.example.com", "CNAME", "elsewhere.example.org") },
		},
		{
			name: "the top of a zone cannot be an alias", base: "https://portal.example.net", host: "example.com",
			want: []string{"A 203.0.113.7", "AAAA 2001:db8::7"},
		},
		{
			name: "a public address", base: "https://198.51.100.4", host: "b1.example.com", want: []string{"A 198.51.100.4"},
			set: func() { dns.Set("b1.example.com", "A", "198.51.100.4", "198.51.100.5") }, arrives: true,
		},
		{
			name: "addresses given", base: "http://127.0.0.1:8080", address: []string{"198.51.100.8", "2001:db8::8"}, host: "b2.example.com",
			want: []string{"A 198.51.100.8", "AAAA 2001:db8::8"},
			set:  func() { dns.Set("b2.example.com", "AAAA", "2001:db8::8") }, arrives: true,
		},
		{
			name: "a wrong address", base: "http://127.0.0.1:8080", address: []string{"198.51.100.8"}, host: "b3.example.com",
			want: []string{"A 198.51.100.8"}, set: func() { dns.Set("b3.example.com", "A", "192.0.2.1") },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := domainApp(t, tt.base, NewResolver(dns.Addr))
			if tt.address != nil {
				if err := a.SetAddress(t.Context(), tt.address); err != nil {
					t.Fatal(err)
				}
			}
			if tt.set != nil {
				tt.set()
			}
			c, err := a.CheckDomain(t.Context(), connect(t, a, tt.host))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range c.Records[1:] {
				got = append(got, r.Type+" "+r.Value)
			}
			if !slices.Equal(got, tt.want) || c.Arrives != tt.arrives {
				t.Errorf("records %q, arrives %v; want %q, %v", got, c.Arrives, tt.want, tt.arrives)
			}
			if (len(tt.want) == 0) != (c.NoAddress != "") {
				t.Errorf("records %q, reason for none %q", got, c.NoAddress)
			}
		})
	}
}

func TestAddressesToSendVisitorsTo(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	for _, bad := range [][]string{{"nonsense"}, {"0.0.0.0"}, {"fe80::1%eth0"}, {"192.0.2.1", "host.example.com"}, {"a.example.com", "b.example.com"}} {
		if err := a.SetAddress(t.Context(), bad); portal.KindOf(err) != portal.Invalid {
			t.Errorf("address %q: %v, want Invalid", bad, err)
		}
	}
}

func TestDNSThatCannotBeAskedIsNotAbsence(t *testing.T) {
	dns := portaltest.NewDNS(t)
	a, _ := domainApp(t, DefaultBaseURL, NewResolver(dns.Addr))
	d := connect(t, a, "support.example.com")
	dns.Break(d.ProofName())
	c, err := a.CheckDomain(t.Context(), d)
	if err != nil || c.Proven || c.Records[0].Err == nil || !strings.Contains(c.Records[0].Err.Error(), "SERVFAIL") {
		t.Errorf("a failing server: %+v, %v; want the record's error to say SERVFAIL", c, err)
	}

	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r := NewResolver(silent.LocalAddr().String())
	r.wait = 20 * time.Millisecond
	if _, err := r.TXT(t.Context(), "example.com"); err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("a silent server: %v, want no answer in time", err)
	}
}

func TestWaitingEndsWhenTheRecordsAreThere(t *testing.T) {
	dns := portaltest.NewDNS(t)
	a, _ := domainApp(t, DefaultBaseURL, NewResolver(dns.Addr))
	d := connect(t, a, "support.example.com")
	looks := 0
	c, err := a.WaitForDomain(t.Context(), d, time.Millisecond, time.Minute, func(c *DomainCheck) {
		if looks++; looks == 3 {
			dns.Paste(c.Records[0].Line())
		}
	})
	if err != nil || !c.Holds() || looks != 3 {
		t.Errorf("waiting: %+v after %d looks, %v; want it to hold after 3", c, looks, err)
	}

	other := connect(t, a, "other.example.com")
	if c, err = a.WaitForDomain(t.Context(), other, time.Millisecond, 20*time.Millisecond, func(*DomainCheck) {}); err != nil || c.Holds() {
		t.Errorf("waiting in vain: %+v, %v; want a last look that does not hold", c, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = a.WaitForDomain(ctx, other, time.Hour, time.Hour, func(*DomainCheck) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("waiting given up: %v, want canceled", err)
	}
}

func TestConnectingAgainChangesOnlyTheLanguage(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	first := connect(t, a, "support.example.com")
	d, created, changes, err := a.ConnectDomain(t.Context(), "SUPPORT.example.com.", "")
	if err != nil || created || len(changes) > 0 || d.Token != first.Token || d.Language != "sv" {
		t.Errorf("again: %+v, created %v, changes %v, %v; want the same", d, created, changes, err)
	}
	d, created, changes, err = a.ConnectDomain(t.Context(), "support.example.com", "en")
	if err != nil || created || len(changes) != 1 || d.Language != "en" || d.Token != first.Token {
		t.Errorf("in English: %+v, created %v, changes %v, %v; want one change", d, created, changes, err)
	}
}

func TestDomainInUseIsNotRemoved(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	d := connect(t, a, "support.example.com")
	p := setUp(t, a, Setup{Domain: d.Host})
	err := a.RemoveDomain(t.Context(), d.Host)
	if portal.KindOf(err) != portal.Conflict || !strings.Contains(err.Error(), p.Name) {
		t.Errorf("remove a domain in use: %v, want Conflict naming %q", err, p.Name)
	}
	if err := a.RemoveDomain(t.Context(), System); portal.KindOf(err) != portal.Conflict {
		t.Errorf("remove the system domain: %v, want Conflict", err)
	}
	system := System
	if _, err := a.SetPortal(t.Context(), p.ID, PortalChanges{Domain: &system}); err != nil {
		t.Fatal(err)
	}
	if err := a.RemoveDomain(t.Context(), d.Host); err != nil {
		t.Errorf("remove a free domain: %v", err)
	}
	if _, err := a.Domain(t.Context(), d.Host); portal.KindOf(err) != portal.NotFound {
		t.Errorf("a removed domain: %v, want NotFound", err)
	}
}

// system is a machine's resolver that asks the DNS server of the test.
func system(d *portaltest.DNS) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, network, d.Addr)
	}}
}

func TestResolverAsksTheResponsibleServers(t *testing.T) {
	recursive, authority := portaltest.NewDNS(t), portaltest.NewDNS(t)
	_, port, err := net.SplitHostPort(authority.Addr)
	if err != nil {
		t.Fatal(err)
	}
	recursive.Set("example.com", "NS", "ns1.example.net")
	recursive.Set("ns1.example.net", "A", "127.0.0.1")
	// The machine's resolver still remembers an older answer.
	recursive.Set("_portalctl.support.example.com", "TXT", "old")
	authority.Set("_portalctl.support.example.com", "TXT", "new")
	r := &Resolver{system: system(recursive), port: port, wait: time.Second}

	found, err := r.TXT(t.Context(), "_portalctl.support.example.com")
	if err != nil || !slices.Equal(found.Values, []string{"new"}) || found.By != "ns1.example.net" {
		t.Errorf("asked the responsible server: %+v, %v; want new by ns1.example.net", found, err)
	}
	// A server that is not responsible after all does not count.
	authority.Disown("_portalctl.support.example.com")
	found, err = r.TXT(t.Context(), "_portalctl.support.example.com")
	if err != nil || !slices.Equal(found.Values, []string{"old"}) || found.By != "the machine's resolver" {
		t.Errorf("no responsible server: %+v, %v; want old by the machine's resolver", found, err)
	}
}

func TestResolverFollowsAliases(t *testing.T) {
	dns := portaltest.NewDNS(t)
	dns.Set("a.example.com", "CNAME", "b.example.net")
	dns.Set("b.example.net", "CNAME", "c.example.org")
	dns.Set("c.example.org", "A", "192.0.2.1")
	dns.Set("c.example.org", "AAAA", "2001:db8::1")
	dns.Set("circle.example.com", "CNAME", "circle.example.com")
	r := NewResolver(dns.Addr)
	found, err := r.Addresses(t.Context(), "a.example.com")
	if err != nil || found.Alias != "b.example.net" || !slices.Equal(found.Values, []string{"192.0.2.1", "2001:db8::1"}) {
		t.Errorf("an alias: %+v, %v", found, err)
	}
	if found, err := r.Addresses(t.Context(), "circle.example.com"); err == nil && len(found.Values) > 0 {
		t.Errorf("a circle: %+v, %v; want no addresses", found, err)
	}
	if found, err := r.Addresses(t.Context(), "nothing.example.com"); err != nil || len(found.Values) != 0 {
		t.Errorf("no such name: %+v, %v; want none and no error", found, err)
	}
}

func TestLongAnswersComeByTCP(t *testing.T) {
	dns := portaltest.NewDNS(t)
	var want []string
	for i := range 20 {
		want = append(want, strings.Repeat(string(rune('a'+i)), 300))
	}
	dns.Set("_portalctl.example.com", "TXT", want...)
	found, err := NewResolver(dns.Addr).TXT(t.Context(), "_portalctl.example.com")
	if err != nil || !slices.Equal(found.Values, want) {
		t.Errorf("a long answer: %d values, %v; want %d", len(found.Values), err, len(want))
	}
}

// kept is a portal as the store has it.
func kept(t *testing.T, a *App, id portal.PortalID) *portal.Portal {
	t.Helper()
	var p *portal.Portal
	err := a.store.Read(t.Context(), func(tx *store.Tx) (err error) {
		p, err = tx.Portal(t.Context(), id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
