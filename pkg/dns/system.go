package dns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// askSystem asks the operating system where it does not tell which servers it
// asks. It knows no SOA and no CAA, and does not tell why it failed.
func (r *Resolver) askSystem(ctx context.Context, name string, t dnsmessage.Type) (*message, error) {
	m := &message{}
	add := func(body dnsmessage.ResourceBody) {
		owner, err := dnsmessage.NewName(name + ".")
		if err == nil {
			m.answers = append(m.answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: owner, Type: t, Class: dnsmessage.ClassINET}, Body: body})
		}
	}
	var err error
	switch t {
	case dnsmessage.TypeTXT:
		var texts []string
		texts, err = r.system.LookupTXT(ctx, name+".")
		for _, text := range texts {
			add(&dnsmessage.TXTResource{TXT: []string{text}})
		}
	case dnsmessage.TypeNS:
		var servers []*net.NS
		servers, err = r.system.LookupNS(ctx, name+".")
		for _, s := range servers {
			if host, nameErr := dnsmessage.NewName(s.Host); nameErr == nil {
				add(&dnsmessage.NSResource{NS: host})
			}
		}
	case dnsmessage.TypeA, dnsmessage.TypeAAAA:
		var addresses []netip.Addr
		addresses, err = r.system.LookupNetIP(ctx, map[dnsmessage.Type]string{dnsmessage.TypeA: "ip4", dnsmessage.TypeAAAA: "ip6"}[t], name+".")
		for _, ip := range addresses {
			if ip = ip.Unmap(); ip.Is4() {
				add(&dnsmessage.AResource{A: ip.As4()})
			} else {
				add(&dnsmessage.AAAAResource{AAAA: ip.As16()})
			}
		}
	default:
		return nil, fmt.Errorf("the operating system cannot be asked for %s records; name a DNS server with --resolver", typeName(t))
	}
	if isAbsent(err) {
		m.rcode = dnsmessage.RCodeNameError
		return m, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", machineName, err)
	}
	return m, nil
}

// typeName is a type as people write it.
func typeName(t dnsmessage.Type) string {
	if t == typeCAA {
		return "CAA"
	}
	return strings.TrimPrefix(t.String(), "Type")
}
