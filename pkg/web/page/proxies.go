package page

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose word about a visitor counts.
type Proxies struct {
	nets []netip.Prefix
	unix bool // whoever comes by a Unix socket
}

// NewProxies trusts the proxies in the networks and, when unix is set, whoever
// comes by a Unix socket; with neither, nobody.
func NewProxies(nets []netip.Prefix, unix bool) *Proxies { return &Proxies{nets, unix} }

// Trusts reports whether the other end of a connection is a trusted proxy.
func (p *Proxies) Trusts(peer net.Addr) bool {
	if isUnix(peer) {
		return p.unix
	}
	return p.trusts(parseAddr(peer.String()))
}

func isUnix(a net.Addr) bool { return a != nil && a.Network() == "unix" }

func (p *Proxies) trusts(a netip.Addr) bool {
	for _, n := range p.nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// Visitor returns the visitor's IP address, the host they asked for and
// whether they came by TLS. X-Forwarded-* count only from a trusted proxy,
// and of the addresses the right-most that is not one: whatever stands
// further left, the visitor can have written.
func (p *Proxies) Visitor(r *http.Request) (address, host string, secure bool) {
	peer := parseAddr(r.RemoteAddr)
	host, secure = r.Host, r.TLS != nil
	// By a Unix socket the peer has no address, unless a PROXY header gave the
	// visitor's.
	here, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if bySocket := !peer.IsValid() && isUnix(here); !p.trusts(peer) && (!bySocket || !p.unix) {
		return addrString(peer), host, secure
	}
	if h := lastOf(r.Header.Values("X-Forwarded-Host")); h != "" {
		host = h
	}
	if proto := lastOf(r.Header.Values("X-Forwarded-Proto")); proto != "" {
		secure = strings.EqualFold(proto, "https")
	}
	hops := listOf(r.Header.Values("X-Forwarded-For"))
	for i := len(hops) - 1; i >= 0; i-- {
		hop := parseAddr(hops[i])
		if !hop.IsValid() {
			break
		}
		peer = hop
		if !p.trusts(hop) {
			break
		}
	}
	return addrString(peer), host, secure
}

// parseAddr reads an address with or without a port.
func parseAddr(s string) netip.Addr {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func addrString(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// hostOnly drops the port and writes a host as domains are stored.
func hostOnly(host string) string {
	if h, port, err := net.SplitHostPort(host); err == nil && strings.Trim(port, "0123456789") == "" {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// listOf takes apart header values that hold lists.
func listOf(values []string) []string {
	var items []string
	for _, v := range values {
		for item := range strings.SplitSeq(v, ",") {
			items = append(items, strings.TrimSpace(item))
		}
	}
	return items
}

// lastOf is the item the nearest proxy added.
func lastOf(values []string) string {
	items := listOf(values)
	if len(items) == 0 {
		return ""
	}
	return items[len(items)-1]
}
