package app

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Resolver asks DNS for the records of a domain. It asks the servers that are
// responsible for a name, because others may remember an older answer; where
// they cannot be found or reached it asks the machine's resolver.
type Resolver struct {
	server string        // the only server to ask; "" for the responsible ones
	system *net.Resolver // finds the responsible servers
	port   string        // where they listen
	wait   time.Duration // for one answer
}

// NewResolver returns a Resolver. With a server, written 192.0.2.53:53, it
// asks that one and no other: split-horizon networks and tests need it.
func NewResolver(server string) *Resolver {
	return &Resolver{server: server, system: net.DefaultResolver, port: "53", wait: 2 * time.Second}
}

// Found is what DNS holds for a name. A name without records is no error: its
// Values are empty.
type Found struct {
	Values []string // texts or addresses
	Alias  string   // where a CNAME points first, without the dot; "" if it has none
	By     string   // who answered
}

// TXT returns the texts at a name. Strings of one record are joined.
func (r *Resolver) TXT(ctx context.Context, name string) (Found, error) {
	return r.look(ctx, name, dnsmessage.TypeTXT)
}

// Addresses returns the IPv4 and IPv6 addresses of a host, aliases followed.
func (r *Resolver) Addresses(ctx context.Context, host string) (Found, error) {
	found, err := r.look(ctx, host, dnsmessage.TypeA)
	if err != nil {
		return Found{}, err
	}
	six, err := r.look(ctx, host, dnsmessage.TypeAAAA)
	if err != nil {
		return Found{}, err
	}
	found.Values = append(found.Values, six.Values...)
	return found, nil
}

// maxAliases ends a chain of CNAMEs that leads in a circle.
const maxAliases = 8

// errNoAuthority says that the responsible servers could not be found or
// asked, so that somebody else has to be.
var errNoAuthority = errors.New("no responsible name server answers")

func (r *Resolver) look(ctx context.Context, name string, t dnsmessage.Type) (Found, error) {
	name = strings.TrimSuffix(name, ".")
	var found Found
	for range maxAliases {
		a, err := r.ask(ctx, name, t)
		if errors.Is(err, errNoAuthority) {
			found, err = r.askSystem(ctx, name, t, found)
			return found, err
		}
		if err != nil {
			return Found{}, err
		}
		if found.By == "" {
			found.By = a.by
		}
		if found.Alias == "" {
			found.Alias = a.alias(name)
		}
		end := a.end(name)
		if values := a.values(end, t); len(values) > 0 || strings.EqualFold(end, name) {
			found.Values = values
			return found, nil
		}
		name = end
	}
	return Found{}, fmt.Errorf("look up %s: more than %d aliases follow each other", name, maxAliases)
}

// askSystem is the last resort: the machine's own resolver, which may answer
// from its memory.
func (r *Resolver) askSystem(ctx context.Context, name string, t dnsmessage.Type, found Found) (Found, error) {
	if found.By == "" {
		found.By = "the machine's resolver"
	}
	var err error
	switch t {
	case dnsmessage.TypeTXT:
		found.Values, err = r.system.LookupTXT(ctx, name+".")
	default:
		network := "ip4"
		if t == dnsmessage.TypeAAAA {
			network = "ip6"
		}
		var addresses []netip.Addr
		addresses, err = r.system.LookupNetIP(ctx, network, name+".")
		for _, a := range addresses {
			found.Values = append(found.Values, a.Unmap().String())
		}
		if found.Alias == "" && err == nil {
			if alias, aliasErr := r.system.LookupCNAME(ctx, name+"."); aliasErr == nil && !strings.EqualFold(strings.TrimSuffix(alias, "."), name) {
				found.Alias = strings.ToLower(strings.TrimSuffix(alias, "."))
			}
		}
	}
	if isAbsent(err) {
		return found, nil
	}
	if err != nil {
		return Found{}, fmt.Errorf("look up %s: %w", name, err)
	}
	return found, nil
}

// isAbsent tells "there is no such record" from "could not look".
func isAbsent(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// answer is what one server said.
type answer struct {
	by            string
	authoritative bool
	records       []dnsmessage.Resource
}

// alias returns where a CNAME at the name points.
func (a *answer) alias(name string) string {
	for _, r := range a.records {
		if c, ok := r.Body.(*dnsmessage.CNAMEResource); ok && sameName(r.Header.Name, name) {
			return strings.ToLower(strings.TrimSuffix(c.CNAME.String(), "."))
		}
	}
	return ""
}

// end follows the aliases as far as the answer has them.
func (a *answer) end(name string) string {
	for range maxAliases {
		next := a.alias(name)
		if next == "" {
			break
		}
		name = next
	}
	return name
}

func (a *answer) values(name string, t dnsmessage.Type) []string {
	var values []string
	for _, r := range a.records {
		if r.Header.Type != t || !sameName(r.Header.Name, name) {
			continue
		}
		switch b := r.Body.(type) {
		case *dnsmessage.TXTResource:
			values = append(values, strings.Join(b.TXT, ""))
		case *dnsmessage.AResource:
			values = append(values, netip.AddrFrom4(b.A).String())
		case *dnsmessage.AAAAResource:
			values = append(values, netip.AddrFrom16(b.AAAA).String())
		}
	}
	slices.Sort(values)
	return values
}

func sameName(n dnsmessage.Name, name string) bool {
	return strings.EqualFold(strings.TrimSuffix(n.String(), "."), strings.TrimSuffix(name, "."))
}

// ask asks the one server the operator named, or the responsible ones in turn
// until one answers.
func (r *Resolver) ask(ctx context.Context, name string, t dnsmessage.Type) (*answer, error) {
	if r.server != "" {
		a, err := r.exchange(ctx, r.server, name, t, true)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.server, plainly(err))
		}
		a.by = r.server
		return a, nil
	}
	for zone := name; strings.Contains(zone, "."); _, zone, _ = strings.Cut(zone, ".") {
		servers, err := r.system.LookupNS(ctx, zone+".")
		if err != nil || len(servers) == 0 {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			continue
		}
		for _, s := range servers {
			if a := r.askAuthority(ctx, s.Host, name, t); a != nil {
				return a, nil
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	return nil, errNoAuthority
}

// plainly says in a few words why a server gave no answer.
func plainly(err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("no answer in time")
	case errors.As(err, &op):
		return op.Err
	}
	return err
}

// askAuthority returns nil when the server cannot be asked, or is not
// responsible after all: an alias can lead the search to a wrong zone.
func (r *Resolver) askAuthority(ctx context.Context, server, name string, t dnsmessage.Type) *answer {
	addresses, err := r.system.LookupNetIP(ctx, "ip", server)
	if err != nil {
		return nil
	}
	for _, addr := range addresses {
		a, err := r.exchange(ctx, net.JoinHostPort(addr.Unmap().String(), r.port), name, t, false)
		if err != nil || !a.authoritative {
			continue
		}
		a.by = strings.TrimSuffix(server, ".")
		return a
	}
	return nil
}

// exchange asks one server, by UDP and, for an answer that does not fit, TCP.
func (r *Resolver) exchange(ctx context.Context, server, name string, t dnsmessage.Type, recurse bool) (*answer, error) {
	question, err := newQuestion(name, t)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		msg, err := r.send(ctx, "udp", server, question, recurse)
		if err == nil && msg.Truncated {
			msg, err = r.send(ctx, "tcp", server, question, recurse)
		}
		if err == nil {
			return readAnswer(msg)
		}
		if try == 1 || ctx.Err() != nil {
			return nil, err
		}
	}
}

func newQuestion(name string, t dnsmessage.Type) (dnsmessage.Question, error) {
	n, err := dnsmessage.NewName(strings.TrimSuffix(name, ".") + ".")
	if err != nil {
		return dnsmessage.Question{}, fmt.Errorf("%q is no DNS name: %w", name, err)
	}
	return dnsmessage.Question{Name: n, Type: t, Class: dnsmessage.ClassINET}, nil
}

func (r *Resolver) send(ctx context.Context, network, server string, q dnsmessage.Question, recurse bool) (*dnsmessage.Message, error) {
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	var id [2]byte
	if _, err := io.ReadFull(rand.Reader, id[:]); err != nil {
		return nil, err
	}
	query := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: binary.BigEndian.Uint16(id[:]), RecursionDesired: recurse},
		Questions: []dnsmessage.Question{q},
	}
	packet, err := query.Pack()
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	// The deadline ends waiting at the time limit, closing it when the
	// caller gives up before.
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(caller, func() { _ = conn.Close() })
	defer stop()
	if network == "tcp" {
		return exchangeTCP(conn, &query, packet)
	}
	return exchangeUDP(conn, &query, packet)
}

func exchangeUDP(conn net.Conn, query *dnsmessage.Message, packet []byte) (*dnsmessage.Message, error) {
	if _, err := conn.Write(packet); err != nil {
		return nil, err
	}
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return nil, err
		}
		// Something else that comes in on the port is not the answer.
		if msg, ok := matching(buffer[:n], query); ok {
			return msg, nil
		}
	}
}

func exchangeTCP(conn net.Conn, query *dnsmessage.Message, packet []byte) (*dnsmessage.Message, error) {
	framed := binary.BigEndian.AppendUint16(nil, uint16(len(packet))) // #nosec G115 -- a question is far shorter
	if _, err := conn.Write(append(framed, packet...)); err != nil {
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	buffer := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, buffer); err != nil {
		return nil, err
	}
	msg, ok := matching(buffer, query)
	if !ok {
		return nil, errors.New("the answer does not belong to the question")
	}
	return msg, nil
}

func matching(packet []byte, query *dnsmessage.Message) (*dnsmessage.Message, bool) {
	var msg dnsmessage.Message
	if err := msg.Unpack(packet); err != nil {
		return nil, false
	}
	if !msg.Response || msg.ID != query.ID || len(msg.Questions) != 1 {
		return nil, false
	}
	got, want := msg.Questions[0], query.Questions[0]
	return &msg, got.Type == want.Type && got.Class == want.Class && sameName(got.Name, want.Name.String())
}

func readAnswer(msg *dnsmessage.Message) (*answer, error) {
	switch msg.RCode {
	case dnsmessage.RCodeSuccess, dnsmessage.RCodeNameError:
		return &answer{authoritative: msg.Authoritative, records: msg.Answers}, nil
	case dnsmessage.RCodeServerFailure:
		return nil, errors.New("the server failed (SERVFAIL)")
	case dnsmessage.RCodeRefused:
		return nil, errors.New("the server refused to answer (REFUSED)")
	default:
		return nil, fmt.Errorf("the server answered %s", strings.TrimPrefix(msg.RCode.String(), "RCode"))
	}
}
