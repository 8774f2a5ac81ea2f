package portaltest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// DNS is a name server on loopback, authoritative for whatever it is told. It
// answers over UDP and TCP and truncates what does not fit, as real ones do.
// Told its zones, it answers for these alone: with their SOA where something is
// absent, with a referral below a delegation, and refusing anything else.
type DNS struct {
	Addr string // 127.0.0.1:PORT

	mu       sync.Mutex
	records  map[string][]dnsmessage.Resource
	broken   map[string]bool
	lame     map[string]bool
	bogus    map[string]dnsReason
	zones    map[string]uint32 // how long what is absent may be remembered
	upstream []*DNS            // whom a recursive server asks
	ttl      uint32
	asked    int
}

// dnsReason is an extended error (RFC 8914).
type dnsReason struct {
	code uint16
	text string
}

// NewDNS starts a name server that stops with the test.
func NewDNS(t testing.TB) *DNS {
	t.Helper()
	d := &DNS{
		records: map[string][]dnsmessage.Resource{}, broken: map[string]bool{}, lame: map[string]bool{},
		bogus: map[string]dnsReason{}, zones: map[string]uint32{}, ttl: 1,
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("start a name server: %v", err)
	}
	d.Addr = tcp.Addr().String()
	udp, err := net.ListenPacket("udp", d.Addr)
	if err != nil {
		t.Fatalf("start a name server: %v", err)
	}
	var done sync.WaitGroup
	done.Go(func() { d.serveUDP(udp) })
	done.Go(func() { d.serveTCP(tcp) })
	t.Cleanup(func() {
		_ = udp.Close()
		_ = tcp.Close()
		done.Wait()
	})
	return d
}

// Set gives a name its records of one type: TXT, A, AAAA, CNAME, NS, MX or
// CAA. No values take them away.
func (d *DNS) Set(name, kind string, values ...string) {
	var bodies []dnsmessage.ResourceBody
	for _, v := range values {
		bodies = append(bodies, dnsBody(kind, v))
	}
	d.set(name, dnsType(kind), bodies)
}

// SetStrings gives a name one TXT record made of several strings.
func (d *DNS) SetStrings(name string, pieces ...string) {
	d.set(name, dnsmessage.TypeTXT, []dnsmessage.ResourceBody{&dnsmessage.TXTResource{TXT: pieces}})
}

func (d *DNS) set(name string, t dnsmessage.Type, bodies []dnsmessage.ResourceBody) {
	key := dnsKey(name)
	owner := dnsmessage.MustNewName(key)
	d.mu.Lock()
	defer d.mu.Unlock()
	var kept []dnsmessage.Resource
	for _, r := range d.records[key] {
		if r.Header.Type != t {
			kept = append(kept, r)
		}
	}
	for _, body := range bodies {
		kept = append(kept, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: owner, Type: t, Class: dnsmessage.ClassINET, TTL: d.ttl},
			Body:   body,
		})
	}
	d.records[key] = kept
}

// SetTTL is how many seconds records set from now on may be remembered.
func (d *DNS) SetTTL(seconds uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ttl = seconds
}

// Zone makes the server responsible for a zone, and for no other than those it
// is told. What is absent may be remembered for so many seconds.
func (d *DNS) Zone(name string, absent uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.zones[dnsKey(name)] = absent
}

// Recurse makes the server a resolver that finds its answers at others, each
// asked for the zones it has. What it was told itself goes first, as a
// resolver's memory does.
func (d *DNS) Recurse(others ...*DNS) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.upstream = append(d.upstream, others...)
}

// Paste adds records written as zone files have them, one a line.
func (d *DNS) Paste(zone string) {
	for line := range strings.Lines(zone) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		_, rest, ok := strings.Cut(rest, " IN ")
		if !ok {
			continue
		}
		kind, value, _ := strings.Cut(rest, " ")
		d.Set(name, kind, strings.Trim(value, `"`))
	}
}

// Break makes the server fail for a name (SERVFAIL).
func (d *DNS) Break(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken[dnsKey(name)] = true
}

// Mend ends what Break began.
func (d *DNS) Mend(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.broken, dnsKey(name))
}

// BreakCAA makes the server fail for CAA records of a name, as servers do that
// never heard of them.
func (d *DNS) BreakCAA(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken[dnsKey(name)+"CAA"] = true
}

// Spoil makes the server refuse to give a name out unless it is asked not to
// check signatures, as a resolver does whose check fails (DNSSEC), and say why.
func (d *DNS) Spoil(name string, code uint16, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bogus[dnsKey(name)] = dnsReason{code, text}
}

// Disown makes the server answer for a name without authority.
func (d *DNS) Disown(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lame[dnsKey(name)] = true
}

// Asked is how many questions have come in.
func (d *DNS) Asked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// Network leads connections to addresses of the internet to name servers of
// the test; all others are unreachable.
type Network map[string]*DNS

// Dial connects to the name server at an address.
func (n Network) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := n[address]
	if d == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("network is unreachable")}
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, d.Addr)
}

func dnsKey(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) + "." }

func dnsType(kind string) dnsmessage.Type {
	return map[string]dnsmessage.Type{
		"TXT": dnsmessage.TypeTXT, "A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA,
		"CNAME": dnsmessage.TypeCNAME, "NS": dnsmessage.TypeNS, "MX": dnsmessage.TypeMX, "CAA": typeCAA,
	}[kind]
}

// typeCAA is the record of RFC 8659.
const typeCAA dnsmessage.Type = 257

func dnsBody(kind, value string) dnsmessage.ResourceBody {
	switch kind {
	case "TXT":
		var parts []string
		for len(value) > 255 {
			parts, value = append(parts, value[:255]), value[255:]
		}
		return &dnsmessage.TXTResource{TXT: append(parts, value)}
	case "A":
		return &dnsmessage.AResource{A: netip.MustParseAddr(value).As4()}
	case "AAAA":
		return &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(value).As16()}
	case "MX":
		return &dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName(dnsKey(value))}
	case "CAA":
		var flags byte
		var tag, text string
		if _, err := fmt.Sscanf(value, "%d %s %q", &flags, &tag, &text); err != nil {
			panic(fmt.Sprintf("%q is not a CAA record: %v", value, err))
		}
		data := append([]byte{flags, byte(len(tag))}, tag...) // #nosec G115 -- a tag is short
		return &dnsmessage.UnknownResource{Type: typeCAA, Data: append(data, text...)}
	case "CNAME":
		return &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(dnsKey(value))}
	}
	return &dnsmessage.NSResource{NS: dnsmessage.MustNewName(dnsKey(value))}
}

func (d *DNS) serveUDP(c net.PacketConn) {
	buffer := make([]byte, 4096)
	for {
		n, from, err := c.ReadFrom(buffer)
		if err != nil {
			return
		}
		if answer := d.answer(buffer[:n], 512); answer != nil {
			_, _ = c.WriteTo(answer, from)
		}
	}
}

func (d *DNS) serveTCP(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err == nil {
			query := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(c, query); err == nil {
				answer := d.answer(query, 65535)
				_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
			}
		}
		_ = c.Close()
	}
}

func (d *DNS) answer(packet []byte, limit int) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(packet); err != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	name := dnsKey(q.Name.String())
	extended := len(m.Additionals) > 0
	if extended {
		limit = max(limit, int(m.Additionals[0].Header.Class))
	}
	d.mu.Lock()
	d.asked++
	a := d.resolve(name, q.Type)
	if reason, bogus := d.bogus[name]; bogus && !m.CheckingDisabled {
		a = dnsAnswer{code: dnsmessage.RCodeServerFailure, reason: reason}
	}
	d.mu.Unlock()
	m.Response, m.Authoritative, m.RecursionAvailable = true, a.authoritative, true
	m.RCode, m.Answers, m.Authorities, m.Additionals = a.code, a.answers, a.authority, nil
	if extended {
		m.Additionals = []dnsmessage.Resource{a.reason.option()}
	}
	out, err := m.Pack()
	if err != nil {
		return nil
	}
	if len(out) > limit {
		m.Truncated, m.Answers = true, nil
		out, _ = m.Pack()
	}
	return out
}

// option is the reason as part of an answer.
func (r dnsReason) option() dnsmessage.Resource {
	h := dnsmessage.ResourceHeader{}
	_ = h.SetEDNS0(1232, dnsmessage.RCodeSuccess, false)
	opt := &dnsmessage.OPTResource{}
	if r.code != 0 {
		opt.Options = []dnsmessage.Option{{Code: 15, Data: append(binary.BigEndian.AppendUint16(nil, r.code), r.text...)}}
	}
	return dnsmessage.Resource{Header: h, Body: opt}
}

// dnsAnswer is what a question comes to.
type dnsAnswer struct {
	code          dnsmessage.RCode
	authoritative bool
	answers       []dnsmessage.Resource
	authority     []dnsmessage.Resource
	reason        dnsReason
}

func (d *DNS) resolve(name string, t dnsmessage.Type) dnsAnswer {
	if d.broken[name] || t == typeCAA && d.broken[name+"CAA"] {
		return dnsAnswer{code: dnsmessage.RCodeServerFailure}
	}
	if len(d.upstream) > 0 && d.records[name] == nil {
		return d.recurse(name, t)
	}
	zone, absent, ok := d.zoneOf(name)
	if len(d.zones) > 0 && !ok {
		return dnsAnswer{code: dnsmessage.RCodeRefused}
	}
	if below := d.delegation(name, zone); ok && below != nil {
		return dnsAnswer{authority: below}
	}
	a := dnsAnswer{authoritative: !d.lame[name] && len(d.upstream) == 0, answers: d.find(name, t)}
	if !d.exists(name) {
		a.code = dnsmessage.RCodeNameError
	}
	if ok && t == dnsmessage.TypeSOA && name == zone {
		a.code, a.answers = dnsmessage.RCodeSuccess, []dnsmessage.Resource{dnsSOA(zone, absent)}
	} else if ok && len(a.answers) == 0 {
		a.authority = []dnsmessage.Resource{dnsSOA(zone, absent)}
	}
	return a
}

// recurse asks the server that has the zone furthest down, and goes on where
// aliases lead out of it.
func (d *DNS) recurse(name string, t dnsmessage.Type) dnsAnswer {
	var answers []dnsmessage.Resource
	for range 8 {
		var best *DNS
		longest := -1
		for _, other := range d.upstream {
			other.mu.Lock()
			zone, _, ok := other.zoneOf(name)
			other.mu.Unlock()
			if ok && len(zone) > longest {
				best, longest = other, len(zone)
			}
		}
		if best == nil {
			return dnsAnswer{code: dnsmessage.RCodeNameError, answers: answers}
		}
		best.mu.Lock()
		a, lame := best.resolve(name, t), best.lame[name]
		best.mu.Unlock()
		sentOn := len(a.answers) == 0 && len(a.authority) > 0 && a.authority[0].Header.Type == dnsmessage.TypeNS
		if sentOn || lame || a.code == dnsmessage.RCodeRefused {
			return dnsAnswer{code: dnsmessage.RCodeServerFailure, reason: dnsReason{22, ""}}
		}
		a.authoritative, a.answers = false, append(answers, a.answers...)
		last := len(a.answers) - 1
		if last < 0 || t == dnsmessage.TypeCNAME {
			return a
		}
		alias, ok := a.answers[last].Body.(*dnsmessage.CNAMEResource)
		if !ok {
			return a
		}
		answers, name = a.answers, dnsKey(alias.CNAME.String())
	}
	return dnsAnswer{code: dnsmessage.RCodeServerFailure}
}

// zoneOf is the zone a name lies in, of those the server was told.
func (d *DNS) zoneOf(name string) (zone string, absent uint32, ok bool) {
	for z, n := range d.zones {
		if (name == z || z == "." || strings.HasSuffix(name, "."+z)) && len(z) > len(zone) {
			zone, absent, ok = z, n, true
		}
	}
	return zone, absent, ok
}

// delegation is where the server sends on to, for names below a zone of its.
func (d *DNS) delegation(name, zone string) []dnsmessage.Resource {
	for at := name; at != zone && at != "." && at != ""; _, at, _ = strings.Cut(at, ".") {
		var servers []dnsmessage.Resource
		for _, r := range d.records[at] {
			if r.Header.Type == dnsmessage.TypeNS {
				servers = append(servers, r)
			}
		}
		if servers != nil {
			return servers
		}
	}
	return nil
}

func dnsSOA(zone string, absent uint32) dnsmessage.Resource {
	name := dnsmessage.MustNewName(zone)
	return dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: name, Type: dnsmessage.TypeSOA, Class: dnsmessage.ClassINET, TTL: absent},
		Body:   &dnsmessage.SOAResource{NS: name, MBox: name, Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, MinTTL: absent},
	}
}

// exists reports whether a name is there: with records, with names below it,
// or by a wildcard.
func (d *DNS) exists(name string) bool {
	if len(d.at(name)) > 0 {
		return true
	}
	_, isZone := d.zones[name]
	return isZone || d.hasBelow(name) || d.records[name] != nil && len(d.zones) == 0
}

func (d *DNS) hasBelow(name string) bool {
	for other, list := range d.records {
		if len(list) > 0 && strings.HasSuffix(other, "."+name) {
			return true
		}
	}
	return false
}

// at returns the records of a name, or those of the wildcard nearest above it
// (RFC 4592) under its name.
func (d *DNS) at(name string) []dnsmessage.Resource {
	if list := d.records[name]; len(list) > 0 || d.hasBelow(name) {
		return list
	}
	for _, above, ok := strings.Cut(name, "."); ok && above != ""; _, above, ok = strings.Cut(above, ".") {
		if star := d.records["*."+above]; len(star) > 0 {
			list := append([]dnsmessage.Resource{}, star...)
			for i := range list {
				list[i].Header.Name = dnsmessage.MustNewName(name)
			}
			return list
		}
		if len(d.records[above]) > 0 || d.hasBelow(above) {
			return nil
		}
	}
	return nil
}

// find follows aliases, as a server does for names it is responsible for.
func (d *DNS) find(name string, t dnsmessage.Type) []dnsmessage.Resource {
	var found []dnsmessage.Resource
	for range 8 {
		alias := ""
		for _, r := range d.at(name) {
			if r.Header.Type == t {
				found = append(found, r)
			} else if c, ok := r.Body.(*dnsmessage.CNAMEResource); ok {
				found, alias = append(found, r), c.CNAME.String()
			}
		}
		if alias == "" {
			break
		}
		name = dnsKey(alias)
	}
	return found
}
