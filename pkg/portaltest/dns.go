package portaltest

import (
	"encoding/binary"
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
type DNS struct {
	Addr string // 127.0.0.1:PORT

	mu      sync.Mutex
	records map[string][]dnsmessage.Resource
	broken  map[string]bool
	lame    map[string]bool
	asked   int
}

// NewDNS starts a name server that stops with the test.
func NewDNS(t testing.TB) *DNS {
	t.Helper()
	d := &DNS{records: map[string][]dnsmessage.Resource{}, broken: map[string]bool{}, lame: map[string]bool{}}
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

// Set gives a name its records of one type: TXT, A, AAAA, CNAME or NS. No
// values take them away.
func (d *DNS) Set(name, kind string, values ...string) {
	key := dnsKey(name)
	owner := dnsmessage.MustNewName(key)
	d.mu.Lock()
	defer d.mu.Unlock()
	var kept []dnsmessage.Resource
	for _, r := range d.records[key] {
		if r.Header.Type != dnsType(kind) {
			kept = append(kept, r)
		}
	}
	for _, v := range values {
		kept = append(kept, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: owner, Type: dnsType(kind), Class: dnsmessage.ClassINET, TTL: 1},
			Body:   dnsBody(kind, v),
		})
	}
	d.records[key] = kept
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

func dnsKey(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) + "." }

func dnsType(kind string) dnsmessage.Type {
	return map[string]dnsmessage.Type{
		"TXT": dnsmessage.TypeTXT, "A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA,
		"CNAME": dnsmessage.TypeCNAME, "NS": dnsmessage.TypeNS,
	}[kind]
}

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
	d.mu.Lock()
	d.asked++
	name := dnsKey(q.Name.String())
	m.Response, m.Authoritative, m.RecursionAvailable = true, !d.lame[name], true
	m.Answers, m.Additionals = d.find(name, q.Type), nil
	_, exists := d.records[name]
	broken := d.broken[name]
	d.mu.Unlock()
	switch {
	case broken:
		m.RCode, m.Answers = dnsmessage.RCodeServerFailure, nil
	case !exists:
		m.RCode = dnsmessage.RCodeNameError
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

// find follows aliases, as a server does for names it is responsible for.
func (d *DNS) find(name string, t dnsmessage.Type) []dnsmessage.Resource {
	var found []dnsmessage.Resource
	for range 8 {
		alias := ""
		for _, r := range d.records[name] {
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
