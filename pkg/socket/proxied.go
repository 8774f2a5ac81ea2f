package socket

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"
)

// complainEvery is how often a header that is missing or unwanted is told of:
// one wrong line in a proxy's settings spoils every connection.
const complainEvery = time.Minute

// Proxied reads the PROXY header (version 1 or 2) in front of every connection
// from a trusted proxy, and gives the connection the visitor's address. From
// there a header is required: without one the connection would count as the
// proxy's own. Whoever is not trusted is served as they come, and refused when
// they send one.
func Proxied(l net.Listener, trusted func(net.Addr) bool, headerTime time.Duration, log *slog.Logger) net.Listener {
	p := &proxied{trusted: trusted, log: log}
	p.Listener = &proxyproto.Listener{
		Listener: l, ReadHeaderTimeout: headerTime, ValidateHeader: addressOfTCP,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			if trusted(o.Upstream) {
				return proxyproto.REQUIRE, nil
			}
			return proxyproto.REJECT, nil
		},
	}
	return p
}

var errNotTCP = errors.New("PROXY header of something that is not TCP")

// addressOfTCP refuses addresses that are none of a visitor: a socket's path
// would count as a visitor without one.
func addressOfTCP(h *proxyproto.Header) error {
	switch {
	case h.Command.IsLocal(), h.TransportProtocol == proxyproto.TCPv4, h.TransportProtocol == proxyproto.TCPv6:
		return nil
	}
	return fmt.Errorf("%w: its transport is %#x", errNotTCP, byte(h.TransportProtocol))
}

type proxied struct {
	net.Listener
	trusted func(net.Addr) bool
	log     *slog.Logger

	mu   sync.Mutex
	last time.Time
}

// Accept returns the next connection; its header is read with the first use.
func (p *proxied) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if inner, ok := c.(*proxyproto.Conn); ok {
		return &proxiedConn{Conn: inner, listener: p}, nil
	}
	return c, nil
}

// proxiedConn tells the log why a connection was refused.
type proxiedConn struct {
	*proxyproto.Conn
	listener *proxied
	once     sync.Once
}

func (c *proxiedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		c.once.Do(func() { c.listener.complain(c.Raw().RemoteAddr(), err) })
	}
	return n, err
}

func (p *proxied) complain(peer net.Addr, err error) {
	var what string
	switch {
	case errors.Is(err, proxyproto.ErrNoProxyProtocol):
		what = "a trusted proxy sent no PROXY header, or too late; its connection was closed"
	case errors.Is(err, proxyproto.ErrSuperfluousProxyHeader):
		what = "a PROXY header came from somebody who is no trusted proxy; the connection was closed"
	case p.trusted(peer) && isHeaderError(err):
		what = "the PROXY header of a trusted proxy cannot be used; its connection was closed"
	default:
		return
	}
	p.mu.Lock()
	now := time.Now()
	quiet := !p.last.IsZero() && now.Sub(p.last) < complainEvery
	if !quiet {
		p.last = now
	}
	p.mu.Unlock()
	if !quiet {
		p.log.Warn(what, "err", err)
	}
}

// isHeaderError tells what is wrong with a header from what is wrong with the
// connection.
func isHeaderError(err error) bool {
	for _, known := range []error{
		proxyproto.ErrCantReadVersion1Header, proxyproto.ErrVersion1HeaderTooLong, proxyproto.ErrLineMustEndWithCrlf,
		proxyproto.ErrCantReadProtocolVersionAndCommand, proxyproto.ErrUnsupportedProtocolVersionAndCommand,
		proxyproto.ErrCantReadAddressFamilyAndProtocol, proxyproto.ErrUnsupportedAddressFamilyAndProtocol,
		proxyproto.ErrCantReadLength, proxyproto.ErrInvalidLength, proxyproto.ErrInvalidAddress, proxyproto.ErrInvalidPortNumber,
		errNotTCP,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
