package app

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/dns"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// domainApp is an app on a new store that asks the DNS server given.
func domainApp(t *testing.T, base string, r *dns.Resolver) (*App, *portaltest.Clock) {
	t.Helper()
	s, clock := portaltest.StoreClock(t)
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Store: s, Now: clock.Now, BaseURL: u, Resolver: r}), clock
}

// asking is a resolver that asks the name server of the test and no other.
func asking(d *portaltest.DNS) *dns.Resolver { return dns.New(dns.Options{Server: d.Addr}) }

func connect(t *testing.T, a *App, host string) *portal.Domain {
	t.Helper()
	d, created, _, err := a.ConnectDomain(t.Context(), host, "sv")
	if err != nil || !created || d.Verified() {
		t.Fatalf("connect %s: %+v, created %v, %v", host, d, created, err)
	}
	return d
}

func TestDomainIsVerifiedOnceItsRecordIsThere(t *testing.T) {
	names := portaltest.NewDNS(t)
	a, clock := domainApp(t, "https://portal.example.net", asking(names))
	d := connect(t, a, "support.example.com")

	c, err := a.CheckDomain(t.Context(), d)
	if err != nil || c.Proven || c.Domain.Verified() || !c.Domain.CheckedAt.Equal(clock.Now()) {
		t.Fatalf("nothing in DNS: %+v of %+v, %v; want not proven and checked now", c, c.Domain, err)
	}
	names.Set(d.ProofName(), "TXT", "v=spf1 -all", "portalctl-verification=somebody-else")
	if c, err = a.CheckDomain(t.Context(), d); err != nil || c.Proven || len(c.Records[0].Found) != 2 {
		t.Fatalf("other texts in DNS: %+v, %v; want not proven, with both found", c, err)
	}
	at := clock.Add(time.Hour)
	names.Paste(c.Records[0].Line())
	if c, err = a.CheckDomain(t.Context(), d); err != nil || !c.Proven || !c.Domain.VerifiedAt.Equal(at) {
		t.Fatalf("the record pasted: %+v, %v; want proven at %v", c, err, at)
	}
	if c.Arrives {
		t.Error("visitors arrive although the host has no address")
	}

	// The proof stays when the record goes.
	clock.Add(time.Hour)
	names.Set(d.ProofName(), "TXT")
	if c, err = a.CheckDomain(t.Context(), d); err != nil || c.Proven || !c.Domain.VerifiedAt.Equal(at) {
		t.Errorf("the record gone: %+v, %v; want not proven now, and verified since %v", c, err, at)
	}
}

func TestRecordsThatSendVisitorsHere(t *testing.T) {
	names := portaltest.NewDNS(t)
	names.Set("portal.example.net", "A", "203.0.113.7")
	names.Set("portal.example.net", "AAAA", "2001:db8::7")
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
			set: func() { names.Set("a6.example.com", "CNAME", "portal.example.net") }, arrives: true,
		},
		{
			name: "addresses in place of the alias", base: "https://portal.example.net", host: "a7.example.com", want: []string{"CNAME portal.example.net"},
			set: func() { names.Set("a7.example.com", "A", "203.0.113.7") }, arrives: true,
		},
		{
			name: "an alias to somewhere else", base: "https://portal.example.net", host: "a8.example.com", want: []string{"CNAME portal.example.net"},
			set: func() { names.Set("a8.example.com", "CNAME", "elsewhere.example.org") },
		},
		{
			name: "the top of a zone cannot be an alias", base: "https://portal.example.net", host: "example.com",
			want: []string{"A 203.0.113.7", "AAAA 2001:db8::7"},
		},
		{
			name: "a public address", base: "https://198.51.100.4", host: "b1.example.com", want: []string{"A 198.51.100.4"},
			set: func() { names.Set("b1.example.com", "A", "198.51.100.4", "198.51.100.5") }, arrives: true,
		},
		{
			name: "addresses given", base: "http://127.0.0.1:8080", address: []string{"198.51.100.8", "2001:db8::8"}, host: "b2.example.com",
			want: []string{"A 198.51.100.8", "AAAA 2001:db8::8"},
			set:  func() { names.Set("b2.example.com", "AAAA", "2001:db8::8") }, arrives: true,
		},
		{
			name: "a wrong address", base: "http://127.0.0.1:8080", address: []string{"198.51.100.8"}, host: "b3.example.com",
			want: []string{"A 198.51.100.8"}, set: func() { names.Set("b3.example.com", "A", "192.0.2.1") },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := domainApp(t, tt.base, asking(names))
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
	names := portaltest.NewDNS(t)
	a, _ := domainApp(t, DefaultBaseURL, asking(names))
	d := connect(t, a, "support.example.com")
	names.Break(d.ProofName())
	c, err := a.CheckDomain(t.Context(), d)
	if err != nil || c.Proven || c.Records[0].Err == nil || !strings.Contains(c.Records[0].Err.Error(), "SERVFAIL") {
		t.Errorf("a failing server: %+v, %v; want the record's error to say SERVFAIL", c, err)
	}
}

func TestWaitingEndsWhenTheRecordsAreThere(t *testing.T) {
	names := portaltest.NewDNS(t)
	a, _ := domainApp(t, DefaultBaseURL, asking(names))
	d := connect(t, a, "support.example.com")
	looks := 0
	c, err := a.WaitForDomain(t.Context(), d, time.Millisecond, time.Minute, func(c *DomainCheck) {
		if looks++; looks == 3 {
			names.Paste(c.Records[0].Line())
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
