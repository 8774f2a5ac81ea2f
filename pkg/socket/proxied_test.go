package socket

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pires/go-proxyproto"
)

// pipes is a listener whose connections the test makes.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.conns) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

type from struct {
	net.Conn
	peer net.Addr
}

func (c from) RemoteAddr() net.Addr { return c.peer }

func TestHeadersCountFromTrustedProxiesAlone(t *testing.T) {
	proxy := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 9}
	stranger := &net.TCPAddr{IP: net.IPv4(203, 0, 113, 1), Port: 9}
	v2 := func(change func(*proxyproto.Header)) string {
		h := &proxyproto.Header{
			Version: 2, Command: proxyproto.PROXY, TransportProtocol: proxyproto.TCPv4,
			SourceAddr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4000}, DestinationAddr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443},
		}
		change(h)
		b, err := h.Format()
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, tt := range map[string]struct {
		peer net.Addr
		sent string
		want string // the connection's address; "" when it is refused
		log  string
	}{
		"version 1":               {proxy, "PROXY TCP4 192.0.2.7 192.0.2.1 4000 443\r\n", "192.0.2.7:4000", ""},
		"version 1, IPv6":         {proxy, "PROXY TCP6 2001:db8::7 2001:db8::1 4000 443\r\n", "[2001:db8::7]:4000", ""},
		"version 1, of nobody":    {proxy, "PROXY UNKNOWN\r\n", proxy.String(), ""},
		"version 2":               {proxy, v2(func(*proxyproto.Header) {}), "192.0.2.7:4000", ""},
		"version 2, of the proxy": {proxy, v2(func(h *proxyproto.Header) { h.Command = proxyproto.LOCAL }), proxy.String(), ""},
		"version 2, UDP": {proxy, v2(func(h *proxyproto.Header) {
			h.TransportProtocol = proxyproto.UDPv4
			h.SourceAddr = &net.UDPAddr{IP: net.IPv4(192, 0, 2, 7)}
			h.DestinationAddr = h.SourceAddr
		}), "", "cannot be used"},
		"version 2, a Unix socket": {proxy, v2(func(h *proxyproto.Header) {
			h.TransportProtocol = proxyproto.UnixStream
			h.SourceAddr = &net.UnixAddr{Name: "@", Net: "unix"}
			h.DestinationAddr = h.SourceAddr
		}), "", "cannot be used"},
		"no header from the proxy":  {proxy, "GET / HTTP/1.1\r\n", "", "sent no PROXY header"},
		"half a header":             {proxy, "PROXY TCP4 192.0.2.7", "", "cannot be used"},
		"nonsense":                  {proxy, "PROXY TCP4 192.0.2.700 192.0.2.1 4000 443\r\n", "", "cannot be used"},
		"nothing at all":            {proxy, "", "", "sent no PROXY header"},
		"no header from a stranger": {stranger, "GET / HTTP/1.1\r\n", stranger.String(), ""},
		"version 1 from a stranger": {stranger, "PROXY TCP4 192.0.2.7 192.0.2.1 4000 443\r\n", "", "no trusted proxy"},
		"version 2 from a stranger": {stranger, v2(func(*proxyproto.Header) {}), "", "no trusted proxy"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said bytes.Buffer
				inner := &pipes{conns: make(chan net.Conn, 1)}
				l := Proxied(inner, func(a net.Addr) bool {
					return netip.MustParseAddrPort(a.String()).Addr() == netip.MustParseAddr("10.0.0.1")
				}, 10*time.Second, slog.New(slog.NewTextHandler(&said, nil)))
				here, there := net.Pipe()
				defer there.Close()
				inner.conns <- from{here, tt.peer}
				if tt.sent != "" {
					go func() {
						_, _ = io.WriteString(there, tt.sent+"hello") // refused: nobody reads it
					}()
				}
				c, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				begun := time.Now()
				b := make([]byte, 64)
				n, err := c.Read(b)
				if served := err == nil; served != (tt.want != "") {
					t.Fatalf("read %q, %v; want it served: %v", b[:n], err, tt.want != "")
				}
				if tt.want != "" && c.RemoteAddr().String() != tt.want {
					t.Errorf("the visitor comes from %s, want %s", c.RemoteAddr(), tt.want)
				}
				if took := time.Since(begun); took > 10*time.Second {
					t.Errorf("the header was waited for %v", took)
				}
				if tt.log == "" && said.Len() > 0 || !strings.Contains(said.String(), tt.log) {
					t.Errorf("the log says %q, want %q", &said, tt.log)
				}
				if tt.want != "" {
					return
				}
				if n, err := c.Read(b); err == nil {
					t.Errorf("a refused connection can be read a second time: %q", b[:n])
				}
			})
		})
	}
}

func TestRefusedHeadersAreToldOfOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		p := &proxied{trusted: func(net.Addr) bool { return true }, log: slog.New(slog.NewTextHandler(&said, nil))}
		peer := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1)}
		for range 100 {
			p.complain(peer, proxyproto.ErrNoProxyProtocol)
		}
		p.complain(peer, errors.New("connection reset"))
		time.Sleep(complainEvery)
		p.complain(peer, proxyproto.ErrNoProxyProtocol)
		if n := strings.Count(said.String(), "sent no PROXY header"); n != 2 || strings.Count(said.String(), "\n") != 2 {
			t.Errorf("102 connections within a minute and a bit are told of in\n%s", &said)
		}
	})
}
