package app

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// hosts are the names a test's sites may have; the base URL is the first.
var testHosts = []string{"portal.test", "a.example.com", "www.a.example.com", "b.example.com"}

// town is what newSites is told.
type town struct {
	base      *url.URL
	domains   []portal.Domain
	portals   []portal.Portal
	addresses []portal.Address
}

func (w *town) settings() *settings {
	desk := portal.DeskPortal(portal.Domain{ID: 1, Kind: portal.SystemDomain})
	return &settings{base: w.base, desk: desk, sites: newSites(w.base, w.domains, w.portals, w.addresses)}
}

// backwards is the same in another order, which must not matter.
func (w *town) backwards() *settings {
	other := town{base: w.base, domains: slices.Clone(w.domains), portals: slices.Clone(w.portals), addresses: slices.Clone(w.addresses)}
	slices.Reverse(other.domains)
	slices.Reverse(other.portals)
	slices.Reverse(other.addresses)
	return other.settings()
}

// newTown has the system domain and those named, which are proven.
func newTown(hosts ...string) *town {
	w := &town{base: &url.URL{Scheme: "https", Host: testHosts[0]}}
	w.domains = []portal.Domain{{ID: 1, Kind: portal.SystemDomain}}
	for _, host := range hosts {
		w.domains = append(w.domains, portal.Domain{
			ID: portal.DomainID(len(w.domains) + 1), Kind: portal.ConnectedDomain, Host: host, VerifiedAt: time.Unix(1, 0),
		})
	}
	return w
}

func (w *town) domain(host string) *portal.Domain {
	for i := range w.domains {
		if w.domains[i].Host == host {
			return &w.domains[i]
		}
	}
	return &w.domains[0]
}

func (w *town) portal(name, host, slug string) *portal.Portal {
	d := w.domain(host)
	w.portals = append(w.portals, portal.Portal{
		ID: portal.PortalID(len(w.portals) + 1), Name: name, DomainID: d.ID, Domain: *d, Slug: slug, State: portal.Live,
	})
	return &w.portals[len(w.portals)-1]
}

func (w *town) address(p portal.PortalID, host, slug string, kind portal.AddressKind) {
	w.addresses = append(w.addresses, portal.Address{Portal: p, Domain: *w.domain(host), Slug: slug, Kind: kind})
}

// leads tells where a host and path lead: the portal's name, ">" in front of it
// when visitors are sent on, and the path below.
func leads(s *settings, host, path string) string {
	at, err := s.find(host, path)
	switch {
	case err != nil:
		return portal.Errors(err)[0].Code
	case at.only != nil && at.moved:
		return "only > " + s.ownAddress(at.only, host) + "/"
	case at.only != nil:
		return "only " + at.base + "/"
	case at.moved:
		return "> " + at.portal.Name + " " + at.rest
	}
	return at.portal.Name + " " + at.rest
}

func TestWhereHostsAndPathsLead(t *testing.T) {
	w := newTown("a.example.com", "www.a.example.com", "b.example.com", "empty.example.com", "two.example.com")
	w.portal("help", "a.example.com", "help")
	w.portal("desk", "a.example.com", "help-desk")
	w.portal("short", "a.example.com", "a")
	w.portal("longer", "a.example.com", "ab")
	w.portal("root", "a.example.com", "")
	moved := w.portal("moved", "b.example.com", "now")
	w.address(moved.ID, "", "then", portal.FormerAddress)
	w.address(moved.ID, "a.example.com", "was-here", portal.FormerAddress)
	w.address(moved.ID, "www.a.example.com", "", portal.FurtherAddress)
	w.portal("one", "two.example.com", "one")
	w.portal("two", "two.example.com", "two")
	w.address(moved.ID, "two.example.com", "three", portal.FormerAddress)
	set, back := w.settings(), w.backwards()
	for _, tt := range []struct{ host, path, want string }{
		{"a.example.com", "/help", "help /"},
		{"a.example.com", "/help/", "help /"},
		{"a.example.com", "/help/tickets/T-7", "help /tickets/T-7"},
		{"a.example.com", "/help//tickets", "help //tickets"},
		{"A.Example.COM:8443", "/help-desk/x", "desk /x"},
		{"a.example.com.", "/help-desk", "desk /"},
		{"a.example.com", "/a", "short /"},
		{"a.example.com", "/ab", "longer /"},
		{"a.example.com", "/abc", "root /abc"},
		{"a.example.com", "/hel", "root /hel"},
		{"a.example.com", "/help-", "root /help-"},
		{"a.example.com", "/Help/tickets", "> help /tickets"},
		{"a.example.com", "/tickets", "root /tickets"},
		{"a.example.com", "/", "root /"},
		{"a.example.com", "", "root /"},
		{"a.example.com", "//help", "root //help"},
		{"a.example.com", "/was-here/tickets", "> moved /tickets"},
		{"a.example.com", "/helpdesk", "root /helpdesk"},
		{"portal.test", "/helpdesk/tickets", "Help desk /tickets"},
		{"portal.test", "/then/x", "> moved /x"},
		{"portal.test", "/", "only > https://b.example.com/now/"},
		{"portal.test", "/other", "portal.none"},
		{"b.example.com", "/", "only /now/"},
		{"b.example.com", "/then", "portal.none"},
		{"www.a.example.com", "/tickets", "> moved /tickets"},
		{"www.a.example.com", "/now/tickets", "> moved /tickets"},
		{"www.a.example.com", "/was-here", "> moved /"},
		{"two.example.com", "/", "portal.none"},
		{"empty.example.com", "/", "portal.none"},
		{"nowhere.example.com", "/help", "host.unknown"},
		{"", "/help", "host.unknown"},
	} {
		if got := leads(set, tt.host, tt.path); got != tt.want {
			t.Errorf("%s%s leads to %q, want %q", tt.host, tt.path, got, tt.want)
		}
		if got := leads(back, tt.host, tt.path); got != tt.want {
			t.Errorf("%s%s leads to %q when the store lists it the other way round, want %q", tt.host, tt.path, got, tt.want)
		}
	}
}

func TestAPortalStaysUntilItsNewDomainIsProven(t *testing.T) {
	w := newTown("a.example.com", "b.example.com")
	w.domains[2].VerifiedAt = time.Time{}
	p := w.portal("help", "b.example.com", "help")
	w.address(p.ID, "a.example.com", "old", portal.FormerAddress)
	set := w.settings()
	for path, want := range map[string]string{"/old/tickets": "help /tickets", "/OLD/tickets": "help /tickets", "/": "only /old/"} {
		if got := leads(set, "a.example.com", path); got != want {
			t.Errorf("%s leads to %q, want %q", path, got, want)
		}
	}
	if got := leads(set, "b.example.com", "/help"); got != "host.unknown" {
		t.Errorf("a domain that is not proven leads to %q", got)
	}
	w.domains[2].VerifiedAt, w.portals[0].Domain.VerifiedAt = time.Unix(2, 0), time.Unix(2, 0)
	if got := leads(w.settings(), "a.example.com", "/old/tickets"); got != "> help /tickets" {
		t.Errorf("once the new domain is proven, the old address leads to %q, want the new one", got)
	}
}

// Sessions count on the hosts a browser keeps them at: where the portal they
// were made in has, or had, an address.
func TestSessionsCountOnTheHostTheyWereMadeAt(t *testing.T) {
	w := newTown("a.example.com", "b.example.com")
	gone, stays, other := w.portal("gone", "b.example.com", "x"), w.portal("stays", "a.example.com", "y"), w.portal("other", "", "z")
	w.address(gone.ID, "a.example.com", "x", portal.FormerAddress)
	set := w.settings()
	for _, tt := range []struct {
		from portal.PortalID
		host string
		path string
		want bool
	}{
		{stays.ID, "a.example.com", "/x/tickets", true},
		{gone.ID, "a.example.com", "/y", true},
		{gone.ID, "b.example.com", "/x", true},
		{stays.ID, "b.example.com", "/x", false},
		{other.ID, "a.example.com", "/y", false},
		{other.ID, "a.example.com", "/x", false},
	} {
		at, err := set.find(tt.host, tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := set.counts(tt.from, at); got != tt.want {
			t.Errorf("a session made in portal %d counts at %s%s: %v, want %v", tt.from, tt.host, tt.path, got, tt.want)
		}
	}
}

// randomTown reads a town from bytes: what domains, portals and addresses there
// are, as the store's rules allow.
func randomTown(data []byte) *town {
	next := func(n int) int {
		if len(data) == 0 {
			return 0
		}
		b := int(data[0])
		data = data[1:]
		return b % n
	}
	slugs := []string{"", "help", "help-desk", "a", "ab"}
	w := newTown(testHosts[1:]...)
	if next(4) == 0 {
		w.base.Host = testHosts[1] + ":8443" // the base URL can be a connected domain's name
	}
	for i := range w.domains[1:] {
		if next(3) == 0 {
			w.domains[i+1].VerifiedAt = time.Time{}
		}
	}
	type key struct {
		domain portal.DomainID
		slug   string
	}
	taken := map[key]bool{}
	for range next(7) {
		d := w.domains[next(len(w.domains))]
		at := key{d.ID, slugs[next(len(slugs))]}
		if !taken[at] {
			taken[at] = true
			p := w.portal(fmt.Sprint(len(w.portals)+1), d.Host, at.slug)
			p.State = []portal.PortalState{portal.Live, portal.Live, portal.Draft, portal.Paused}[next(4)]
		}
	}
	for range next(9) {
		d := w.domains[next(len(w.domains))]
		at, kind := key{d.ID, slugs[next(len(slugs))]}, []portal.AddressKind{portal.FurtherAddress, portal.FormerAddress}[next(2)]
		if len(w.portals) > 0 && !taken[at] {
			taken[at] = true
			w.address(portal.PortalID(next(len(w.portals))+1), d.Host, at.slug, kind)
		}
	}
	return w
}

func FuzzFind(f *testing.F) {
	f.Add([]byte{1, 1, 1, 1, 4, 1, 1, 0, 1, 0, 0, 2, 3, 0, 4, 2, 0, 1, 1, 3, 2, 1, 2}, "a.example.com", "/help/tickets")
	f.Add([]byte{0, 1, 1, 1, 3, 0, 1, 0, 1, 1, 0, 3, 3, 2, 2, 1, 0, 1, 1, 1}, "A.example.com:8443", "/HELP//x")
	f.Add([]byte{1, 0, 1, 1, 2, 1, 1, 0, 2, 2, 0, 3, 0, 0, 1, 1, 0, 0, 0}, "portal.test", "/")
	f.Add([]byte{}, "portal.test", "helpdesk")
	f.Fuzz(func(t *testing.T, data []byte, host, path string) {
		w := randomTown(data)
		set, back := w.settings(), w.backwards()
		visit := func(host, path string) {
			at, err := set.find(host, path)
			if one, other := leads(set, host, path), leads(back, host, path); one != other {
				t.Fatalf("%s%s leads to %q or to %q, depending on the order of lists", host, path, one, other)
			}
			if err != nil {
				return
			}
			if at.only != nil {
				to, landed := splitAddress(set, at.only, host, at.base+"/", at.moved)
				if again, err := set.find(to, landed); err != nil || again.portal != at.only || at.moved && !again.own {
					t.Fatalf("the bare host %s leads to %s%s, where %q lies (%v)", host, to, landed, leads(set, to, landed), err)
				}
				return
			}
			if path := strings.TrimPrefix(path, "/"); strings.TrimPrefix(at.base+at.rest, "/") != path && at.base+at.rest != "/"+path+"/" {
				t.Fatalf("%s%s is taken apart into %q and %q", host, path, at.base, at.rest)
			}
			if !at.moved {
				return
			}
			// The one step on leads to the portal's own address, and there to
			// the same page.
			to, landed := splitAddress(set, at.portal, host, at.portal.BasePath()+at.rest, true)
			again, err := set.find(to, landed)
			if err != nil || again.portal != at.portal || !again.own || again.moved || again.rest != at.rest {
				t.Fatalf("%s%s leads on to %s%s, where %q lies (%v)", host, path, to, landed, leads(set, to, landed), err)
			}
		}
		visit(host, path)
		for _, host := range testHosts {
			for _, path := range []string{path, "/", "/help" + path, "/AB/x", "/a/tickets/T-1", "/help-desk/"} {
				visit(host, path)
			}
		}
		// Each portal lies at its own address, unless that of a connected
		// domain is the same one as the base URL's.
		for i := range w.portals {
			p := &w.portals[i]
			at, err := set.find(hostOf(&p.Domain, w.base), p.BasePath()+"/tickets")
			if p.Domain.Verified() && (err != nil || at.portal != p && p.Domain.Kind == portal.ConnectedDomain || at.moved) {
				t.Fatalf("at the own address of portal %d lies %+v, %v", p.ID, at, err)
			}
		}
	})
}

// splitAddress is where somebody is sent: the host, and the path there.
func splitAddress(set *settings, p *portal.Portal, host, path string, moved bool) (string, string) {
	if moved {
		host = hostOf(&p.Domain, set.base)
	}
	return host, path
}
