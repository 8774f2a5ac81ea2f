package dns

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// udpSize is how long an answer by UDP may be: what passes every network
// without being cut into pieces.
const udpSize = 1232

// query is one question to one server.
type query struct {
	name    string
	kind    dnsmessage.Type
	recurse bool // the server is to ask others
	// unchecked asks for the answer even when its signatures are wrong.
	unchecked bool
}

// exchange asks one server: by UDP, by TCP when the answer does not fit, twice
// when there is none, and without EDNS when that is what it stumbles over.
func (r *Resolver) exchange(ctx context.Context, server string, q query) (*message, error) {
	name, err := dnsmessage.NewName(q.name + ".")
	if err != nil {
		return nil, fmt.Errorf("%q is no DNS name: %w", q.name, err)
	}
	question := dnsmessage.Question{Name: name, Type: q.kind, Class: dnsmessage.ClassINET}
	extended := true
	for try := 0; ; try++ {
		m, err := r.send(ctx, "udp", server, question, q, extended)
		if err == nil && m.truncated {
			m, err = r.send(ctx, "tcp", server, question, q, extended)
		}
		if err == nil && extended && (m.rcode == dnsmessage.RCodeFormatError || m.rcode == dnsmessage.RCodeNotImplemented) {
			extended = false
			continue
		}
		if err == nil {
			return m, nil
		}
		if try > 0 || ctx.Err() != nil || isUnreachable(err) {
			return nil, err
		}
	}
}

// isUnreachable reports whether there is no way to a server at all, as to IPv6
// addresses from a machine without IPv6.
func isUnreachable(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func (r *Resolver) send(ctx context.Context, network, server string, question dnsmessage.Question, q query, extended bool) (*message, error) {
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	id, packet, err := pack(question, q, extended)
	if err != nil {
		return nil, err
	}
	conn, err := r.dial(ctx, network, server)
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
		return exchangeTCP(conn, id, question, packet)
	}
	return exchangeUDP(conn, id, question, packet)
}

func pack(question dnsmessage.Question, q query, extended bool) (id uint16, packet []byte, err error) {
	var random [2]byte
	if _, err := io.ReadFull(rand.Reader, random[:]); err != nil {
		return 0, nil, err
	}
	id = binary.BigEndian.Uint16(random[:])
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: q.recurse, CheckingDisabled: q.unchecked},
		Questions: []dnsmessage.Question{question},
	}
	if extended {
		h := dnsmessage.ResourceHeader{}
		if err := h.SetEDNS0(udpSize, dnsmessage.RCodeSuccess, false); err != nil {
			return 0, nil, err
		}
		m.Additionals = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{}}}
	}
	packet, err = m.Pack()
	return id, packet, err
}

func exchangeUDP(conn net.Conn, id uint16, question dnsmessage.Question, packet []byte) (*message, error) {
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
		m, err := readMessage(buffer[:n], id, question)
		if !errors.Is(err, errForeign) {
			return m, err
		}
	}
}

func exchangeTCP(conn net.Conn, id uint16, question dnsmessage.Question, packet []byte) (*message, error) {
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
	m, err := readMessage(buffer, id, question)
	if err == nil && m.truncated {
		return nil, errors.New("the answer does not fit even by TCP")
	}
	return m, err
}

// plainly says in a few words why a server gave no answer.
func plainly(err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the server hung up")
	case errors.As(err, &op):
		return op.Err
	}
	return err
}

// machineServers are the recursive servers this machine asks, from the file
// that names them; none where there is no such file.
func machineServers(file string) []string {
	text, err := os.ReadFile(file) // #nosec G304 -- the system's own file
	if err != nil {
		return nil
	}
	var servers []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == "nameserver" && len(servers) < 3 {
			servers = append(servers, net.JoinHostPort(fields[1], "53"))
		}
	}
	return servers
}

// defaultWait is how long one server has for one answer.
const defaultWait = 2 * time.Second
