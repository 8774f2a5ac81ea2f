package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is part of the tree of names, and who is responsible for it.
type zone struct {
	name    string
	servers []nameserver
}

type nameserver struct {
	name      string
	addresses []netip.Addr // as the zone above gives them; none: to be looked up
}

// Limits on how far one question goes.
const (
	maxServers   = 8 // asked for one zone
	maxAddresses = 4 // of one server
	maxReferrals = 8
)

var errNoZone = errors.New("no responsible name server was found")

// askZone asks all servers responsible for a name. Where the machine's
// resolver knows only a zone further up, as with a delegation that leads
// nowhere, the way down is gone from there.
func (s *session) askZone(ctx context.Context, name string, t dnsmessage.Type) (*said, error) {
	var lame, silent []string
	z, err := s.zoneOf(ctx, name)
	for range maxReferrals {
		if err != nil {
			break
		}
		a := s.askServers(ctx, z, name, t)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		lame, silent = a.lame, a.silent
		if len(a.replies) > 0 {
			return a.said, nil
		}
		if a.below == nil {
			break
		}
		z = *a.below
	}
	// Nobody responsible answers: what the machine's resolver has is better
	// than nothing.
	one, err := s.recurse(ctx, name, t)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &UnansweredError{Name: name, Zone: z.name, Lame: lame, Silent: silent, Err: err}
	}
	if one.bogus {
		return nil, &SignatureError{Name: name, By: one.server, Reasons: one.refused}
	}
	a := ofResolver(one)
	a.authoritative, a.lame, a.silent = false, lame, silent
	if a.zone == "" {
		a.zone = z.name
	}
	return a, nil
}

// zoneOf finds the zone a name lies in, as far as the machine's resolver
// knows, from the name upwards.
func (s *session) zoneOf(ctx context.Context, name string) (zone, error) {
	for at := name; at != ""; {
		one, err := s.recurse(ctx, at, dnsmessage.TypeNS)
		if err := ctx.Err(); err != nil {
			return zone{}, err
		}
		up := parent(at)
		if err == nil {
			if servers := nameservers(one.at(at, dnsmessage.TypeNS), one.additional); len(servers) > 0 {
				return zone{name: at, servers: servers}, nil
			}
			// The zone whose SOA proves that there is nothing is the next to ask.
			if top, _ := one.soa(); top != "" && top != at && within(at, top) && one.alias(at) == "" {
				up = top
			}
		}
		at = up
	}
	return zone{}, errNoZone
}

// nameservers reads NS records, with the addresses that came along.
func nameservers(records, glue []dnsmessage.Resource) []nameserver {
	var list []nameserver
	for _, name := range values(records) {
		n := nameserver{name: name}
		for _, r := range glue {
			if v, ok := valueOf(r); ok && sameName(r.Header.Name, name) {
				if ip, err := netip.ParseAddr(v); err == nil {
					n.addresses = append(n.addresses, ip)
				}
			}
		}
		list = append(list, n)
	}
	return list[:min(len(list), maxServers)]
}

// zoneSays is what a zone's servers say: answers, or who to ask further down.
type zoneSays struct {
	*said
	below *zone
}

// askServers asks all servers of a zone at once, at each of their addresses.
func (s *session) askServers(ctx context.Context, z zone, name string, t dnsmessage.Type) *zoneSays {
	heard := make([]serverSays, len(z.servers))
	var asking sync.WaitGroup
	for i, server := range z.servers {
		asking.Go(func() { heard[i] = s.askServer(ctx, z, server, name, t) })
	}
	asking.Wait()
	a := &zoneSays{said: &said{zone: z.name, authoritative: true}}
	for i, h := range heard {
		switch {
		case len(h.replies) > 0:
			a.replies = append(a.replies, h.replies...)
		case h.below != nil:
			a.below = h.below
		case h.lame:
			a.lame = append(a.lame, z.servers[i].name)
		default:
			a.silent = append(a.silent, z.servers[i].name)
		}
	}
	for _, one := range a.replies {
		// One server may hold a zone and the one below it.
		if top, _ := one.soa(); within(name, top) && len(top) > len(a.zone) {
			a.zone = top
		}
	}
	return a
}

// serverSays is what one server says.
type serverSays struct {
	replies []reply // one for each address that knows the zone
	below   *zone   // who it sends on to
	lame    bool    // it answers, and does not know the zone
}

func (s *session) askServer(ctx context.Context, z zone, server nameserver, name string, t dnsmessage.Type) (h serverSays) {
	addresses := server.addresses
	if len(addresses) == 0 {
		addresses = s.addressesOf(ctx, server.name)
	}
	addresses = addresses[:min(len(addresses), maxAddresses)]
	heard := make([]*message, len(addresses))
	var asking sync.WaitGroup
	for i, ip := range addresses {
		address := net.JoinHostPort(ip.Unmap().String(), "53")
		if s.isSilent(address) {
			continue
		}
		asking.Go(func() {
			m, err := s.r.exchange(ctx, address, query{name: name, kind: t})
			if err != nil {
				s.setSilent(address)
				return
			}
			heard[i] = m
		})
	}
	asking.Wait()
	for i, m := range heard {
		switch {
		case m == nil || m.rcode == dnsmessage.RCodeServerFailure:
			// It may well be responsible, and says nothing of use.
		case m.authoritative && m.failure() == nil:
			h.replies = append(h.replies, reply{message: m, server: server.name})
		default:
			h.below = m.referral(z.name, name)
			h.lame = h.lame || h.below == nil
		}
		if n := len(h.replies); n > 1 && i > 0 && !slices.Equal(values(h.replies[n-1].at(name, t)), values(h.replies[0].at(name, t))) {
			h.replies[n-1].server = fmt.Sprintf("%s (%s)", server.name, addresses[i])
		}
	}
	return h
}

// addressesOf returns the addresses of a name server, as the machine's
// resolver has them.
func (s *session) addressesOf(ctx context.Context, name string) []netip.Addr {
	var list []netip.Addr
	for _, t := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA} {
		one, err := s.recurse(ctx, name, t)
		if err != nil {
			continue
		}
		for _, r := range one.answers {
			if v, ok := valueOf(r); ok && r.Header.Type == t {
				if ip, err := netip.ParseAddr(v); err == nil {
					list = append(list, ip)
				}
			}
		}
	}
	return list
}

// referral returns the zone further down that a server sends on to; nil when
// it does not, or leads upwards, as servers do that know nothing.
func (m *message) referral(from, name string) *zone {
	if m.failure() != nil || len(m.answers) > 0 {
		return nil
	}
	for _, r := range m.authority {
		top := plainName(r.Header.Name)
		if r.Header.Type != dnsmessage.TypeNS || top == from || !within(top, from) || !within(name, top) {
			continue
		}
		var records []dnsmessage.Resource
		for _, other := range m.authority {
			if other.Header.Type == dnsmessage.TypeNS && sameName(other.Header.Name, top) {
				records = append(records, other)
			}
		}
		return &zone{name: top, servers: nameservers(records, m.additional)}
	}
	return nil
}
