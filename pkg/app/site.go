package app

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// sites are the hosts visitors may ask for, and what lies there. They are made
// once for each version of the settings and never changed, because every
// request looks something up in them.
type sites struct {
	byHost map[string]*site
	// at tells on which domains a portal has an address: its own, or one that
	// leads to it.
	at map[portal.PortalID]map[portal.DomainID]bool
	// domains are those that are served.
	domains map[portal.DomainID]*portal.Domain
}

// site is one host.
type site struct {
	places map[string]place // by slug
	// only is the portal that whoever asks for the bare host is sent to; nil
	// when there are none or several.
	only *portal.Portal
	// onlySlug is where that one is found.
	onlySlug string
}

// place is what lies at one address.
type place struct {
	portal *portal.Portal
	domain portal.DomainID
	// own is set when it is the portal's own address. When it is not, moved is
	// set and visitors are sent on to that; but where nobody would reach the
	// own one, neither is set, and they find the portal here.
	own, moved bool
}

// newSites works out what lies where. An address belongs to one portal: to one
// whose own it is before one that is found there besides. The order of the
// lists plays no part.
func newSites(base *url.URL, domains []portal.Domain, portals []portal.Portal, addresses []portal.Address) sites {
	s := sites{map[string]*site{}, map[portal.PortalID]map[portal.DomainID]bool{}, map[portal.DomainID]*portal.Domain{}}
	hosts := map[portal.DomainID]string{}
	for i := range domains {
		if d := &domains[i]; d.Verified() {
			hosts[d.ID], s.domains[d.ID] = hostOf(d, base), d
			s.byHost[hosts[d.ID]] = &site{places: map[string]place{}}
		}
	}
	byID, served := map[portal.PortalID]*portal.Portal{}, map[portal.PortalID]bool{}
	for _, p := range inOrder(portals, comparePortals) {
		byID[p.ID] = p
		served[p.ID] = s.put(hosts, p.Slug, place{portal: p, domain: p.DomainID, own: true})
	}
	var further []*portal.Address
	for _, a := range inOrder(addresses, compareAddresses) {
		p := byID[a.Portal]
		if p != nil && s.put(hosts, a.Slug, place{portal: p, domain: a.Domain.ID, moved: served[p.ID]}) {
			further = append(further, a)
		}
	}
	s.putBelow(hosts, further, byID)
	for _, h := range s.byHost {
		h.only, h.onlySlug = h.onlyPortal()
	}
	return s
}

func hostOf(d *portal.Domain, base *url.URL) string {
	if d.Kind == portal.SystemDomain {
		return hostOnly(base.Host)
	}
	return d.Host
}

// inOrder points to the items of a list, sorted.
func inOrder[T any](list []T, compare func(a, b *T) int) []*T {
	sorted := make([]*T, len(list))
	for i := range list {
		sorted[i] = &list[i]
	}
	slices.SortFunc(sorted, compare)
	return sorted
}

// comparePortals has connected domains first: the base URL can be the name of
// one, and then two portals may ask for the same place.
func comparePortals(p, q *portal.Portal) int {
	return cmp.Or(cmp.Compare(p.Domain.Kind, q.Domain.Kind), cmp.Compare(p.ID, q.ID))
}

func compareAddresses(a, b *portal.Address) int {
	return cmp.Or(-cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Domain.Kind, b.Domain.Kind),
		cmp.Compare(a.Domain.ID, b.Domain.ID), cmp.Compare(a.Slug, b.Slug))
}

// put takes a free place.
func (s *sites) put(hosts map[portal.DomainID]string, slug string, at place) bool {
	h := s.byHost[hosts[at.domain]]
	if h == nil {
		return false
	}
	if s.at[at.portal.ID] == nil {
		s.at[at.portal.ID] = map[portal.DomainID]bool{}
	}
	s.at[at.portal.ID][at.domain] = true
	if _, taken := h.places[slug]; taken {
		return false
	}
	h.places[slug] = at
	return true
}

// putBelow has a portal's slugs, present and former, lead to it below every
// bare host that does: whoever puts www in front of an address means the same
// page.
func (s *sites) putBelow(hosts map[portal.DomainID]string, addresses []*portal.Address, byID map[portal.PortalID]*portal.Portal) {
	slugs := map[portal.PortalID][]string{}
	for _, a := range addresses {
		if slugs[a.Portal] == nil {
			slugs[a.Portal] = []string{byID[a.Portal].Slug}
		}
		slugs[a.Portal] = append(slugs[a.Portal], a.Slug)
	}
	for _, a := range addresses {
		if a.Slug != "" {
			continue
		}
		at := s.byHost[hosts[a.Domain.ID]].places[""]
		for _, slug := range slugs[a.Portal] {
			s.put(hosts, slug, at) // not its own address, and so neither is at
		}
	}
}

// onlyPortal is the one that is no draft and lies here, or else the one that is
// sent on from here; and its slug.
func (h *site) onlyPortal() (only *portal.Portal, slug string) {
	several, moved := false, true
	for _, s := range slices.Sorted(maps.Keys(h.places)) {
		at := h.places[s]
		switch {
		case at.portal.State == portal.Draft, at.moved && !moved:
		case only == nil, moved && !at.moved:
			only, slug, several, moved = at.portal, s, false, at.moved
		case only != at.portal:
			several = true
		}
	}
	if several {
		return nil, ""
	}
	return only, slug
}

// spot is where a request leads.
type spot struct {
	place
	base string // the address's path: "" or "/help"
	rest string // of the path, below base; it starts with a slash
	// only is the portal a visitor to the bare host belongs at; it lies at base,
	// unless it has moved.
	only *portal.Portal
}

// find returns what lies at a host and path. A host nobody serves is
// host.unknown.
func (s *settings) find(host, path string) (spot, error) {
	host = hostOnly(host)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	first, base, rest := path[1:], path, "/"
	if i := strings.IndexByte(first, '/'); i >= 0 {
		first, base, rest = first[:i], path[:1+i], path[1+i:]
	}
	if first == s.desk.Slug && host == hostOnly(s.base.Host) {
		return spot{place: place{portal: s.desk, domain: s.desk.DomainID}, base: base, rest: rest}, nil
	}
	h := s.byHost[host]
	if h == nil {
		return spot{}, portal.NotFoundf("host.unknown", "%q is not served here", host)
	}
	if first != "" {
		if at, ok := h.places[first]; ok {
			return spot{place: at, base: base, rest: rest}, nil
		}
		if at, ok := h.places[strings.ToLower(first)]; ok {
			// Telephones begin with a capital letter what is typed by hand.
			at.moved = at.moved || at.own
			return spot{place: at, base: base, rest: rest}, nil
		}
	}
	if at, ok := h.places[""]; ok {
		return spot{place: at, rest: path}, nil
	}
	if path == "/" && h.only != nil {
		return spot{place: place{moved: h.places[h.onlySlug].moved}, base: "/" + h.onlySlug, only: h.only}, nil
	}
	return spot{}, portal.NotFoundf("portal.none", "no portal lies at this address")
}

// domainOf is the domain a place lies on.
func (s *settings) domainOf(at spot) *portal.Domain {
	if d := s.domains[at.domain]; d != nil {
		return d
	}
	return &at.portal.Domain // the help desk of a store without a system domain
}

// ownAddress is a portal's own address without a slash at its end: a path when
// it is on the host, and otherwise with scheme and host.
func (s *settings) ownAddress(p *portal.Portal, host string) string {
	if hostOf(&p.Domain, s.base) == hostOnly(host) {
		return p.BasePath()
	}
	return siteURL(p, s.base) + p.BasePath()
}

// counts reports whether a session made in one portal counts in another where
// a visitor is: cookies belong to a host, and so do sessions.
func (s *settings) counts(from portal.PortalID, at spot) bool {
	return from == 0 || from == at.portal.ID || s.at[from][at.domain]
}
