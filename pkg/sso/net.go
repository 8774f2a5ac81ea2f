package sso

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// The bounds of one question to a provider.
const (
	answerTime = 10 * time.Second
	answerSize = 1 << 20
)

// refused lists the networks that are nobody's public host, beside those
// netip knows by itself: what an issuer's name resolves to must not lead a
// server into its own network, or to the keys of the cloud it runs in.
var refused = func() (list []netip.Prefix) {
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
		"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		// These carry an IPv4 address inside, which may be any of the above.
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16",
		"100::/64", "2001:db8::/32", "3fff::/20", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

// public reports whether an address is one of the open internet.
func public(addr netip.Addr) bool {
	addr = addr.Unmap()
	if !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range refused {
		if p.Contains(addr) {
			return false
		}
	}
	return true
}

// metadata reports whether clouds answer there with a machine's own keys. No
// setting opens that.
func metadata(addr netip.Addr) bool {
	addr = addr.WithZone("").Unmap()
	return addr.IsLinkLocalUnicast() || addr == netip.MustParseAddr("fd00:ec2::254")
}

// dialer connects only where it may. The check is made on the address that is
// really connected to, after the name was resolved, so that no second answer
// of the DNS gets around it.
type dialer struct {
	private string // the host that may lie in a private network; "" for none
}

func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	open := d.private != "" && strings.EqualFold(host, d.private)
	nd := net.Dialer{Timeout: answerTime, ControlContext: func(_ context.Context, _, to string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(to)
		switch {
		case err != nil:
			return err
		case metadata(ap.Addr()), !open && !public(ap.Addr()):
			return failf(ReasonUnreachable, "%s lies at %s, which is not an address of the open internet", host, ap.Addr())
		}
		return nil
	}}
	return nd.DialContext(ctx, network, address)
}

// newHTTPClient returns a client for one provider: checked addresses, no
// proxy (whose address would be checked instead), no redirects, bounded time
// and size. private is the host that may lie in a private network.
func newHTTPClient(private string) *http.Client {
	return &http.Client{
		Timeout: answerTime,
		Transport: &guard{&http.Transport{
			DialContext:            dialer{private}.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    answerTime,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 64 << 10,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

var errTooLong = errors.New("the answer is longer than 1 MiB")

// guard bounds answers and keeps error pages from getting any further.
type guard struct{ next http.RoundTripper }

// RoundTrip asks once.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 && answer.StatusCode < 400 {
		_ = answer.Body.Close()
		return nil, failf(ReasonUnreachable, "%s leads on to another address, which is not followed", r.URL.Redacted())
	}
	if r.Method == http.MethodGet && answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close()
		return nil, failf(ReasonUnreachable, "%s answers %s", r.URL.Redacted(), answer.Status)
	}
	answer.Body = &bounded{answer.Body, answerSize}
	return answer, nil
}

// bounded reads up to a limit and fails behind it, where an io.LimitReader
// would pretend that the answer ended.
type bounded struct {
	io.ReadCloser
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if len(p) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if n > b.left {
		return b.left, errTooLong
	}
	b.left -= n
	return n, err
}
