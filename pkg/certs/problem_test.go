package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"

	"github.com/portalctl/portalctl/pkg/portal"
)

// told is what an authority says of an order for a host.
func told(kind, detail string) error {
	return fmt.Errorf("solving challenge: %w", acme.Problem{
		Type: acme.ProblemTypeNamespace + kind, Status: 403, Detail: detail, Resource: acme.Authorization{},
	})
}

func TestFailuresAreToldWithWhatToDo(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4zero, Port: 80}
	directory := "https://acme.example.com/directory"
	for _, tt := range []struct {
		name string
		err  error
		want []string
	}{
		{"rate limited", told("rateLimited", "too many certificates (5) already issued, retry after 2026-03-05 09:00:00 UTC: see https://example.com."), []string{"acme.example.com has had too many requests", "asked again after 2026-03-05"}},
		{"rate limited without a time", told("rateLimited", "slow down"), []string{"too many requests: slow down"}},
		{"no DNS", told("dns", "NXDOMAIN looking up A for help.example.com"), []string{"cannot resolve help.example.com", "`portalctl domain verify help.example.com`"}},
		{"not reached", told("connection", "192.0.2.7: Timeout during connect"), []string{"cannot reach help.example.com: 192.0.2.7", "open ports 80 and 443"}},
		{"TLS ended elsewhere", told("tls", "Cannot negotiate ALPN protocol"), []string{"no TLS at help.example.com it can use", "no proxy that ends TLS"}},
		{"somebody else answers", told("unauthorized", "Invalid response from http://help.example.com: 404"), []string{"did not get this server's answer", "on port 80 as on 443", "domain verify help.example.com"}},
		{"another answer", told("incorrectResponse", "wrong key authorization"), []string{"did not get this server's answer"}},
		{"CAA", told("caa", "CAA record for example.com prevents issuance"), []string{"a CAA record forbids", "add a CAA record that allows it"}},
		{"refused name", told("rejectedIdentifier", "policy"), []string{"does not issue for help.example.com", "--acme-directory"}},
		{"account wanted", told("externalAccountRequired", "EAB"), []string{"wants an account it knows", "--acme-eab-kid", "PORTALCTL_ACME_EAB_KEY"}},
		{"by hand", told("userActionRequired", "agree to the new terms"), []string{"something done by hand: agree to the new terms"}},
		{"its own fault", told("serverInternal", "try later"), []string{"a fault of its own: try later", "tried again"}},
		{"unknown to us", told("compound", "several things"), []string{"refuses: several things", "domain verify help.example.com"}},
		{"without words", told("badCSR", ""), []string{"refuses: badCSR"}},
		{"unknown root", fmt.Errorf("get directory: %w", x509.UnknownAuthorityError{}), []string{"root is not known here", "--acme-ca"}},
		{"directory's name", &tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "a"}}, []string{"not valid for it", "clock"}},
		{"no such authority", &url.Error{Op: "Get", URL: directory, Err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host"}}}, []string{"address of the certificate authority acme.example.com cannot be found", "this machine's DNS"}},
		{"nobody there", &url.Error{Op: "Get", URL: directory, Err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}}, []string{"cannot be reached: connection refused"}},
		{"no answer", context.DeadlineExceeded, []string{"did not answer in time"}},
		{"folder", &fs.PathError{Op: "open", Path: "/x", Err: fs.ErrPermission}, []string{"folder cannot be written", "/var/lib/x"}},
		{"anything else", errors.New("the moon is full"), []string{"the moon is full"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &Manager{o: Options{Directory: directory, HTTP: at, Folder: "/var/lib/x"}}
			got := m.explain("help.example.com", tt.err).String()
			for _, text := range tt.want {
				if !strings.Contains(got, text) {
					t.Errorf("told %q, want %q in it", got, text)
				}
			}
		})
	}
	m := &Manager{o: Options{Directory: directory}}
	if got := m.explain("help.example.com", told("connection", "x")).String(); !strings.Contains(got, "open port 443") || strings.Contains(got, "80") {
		t.Errorf("where only port 443 is listened on, told %q", got)
	}
}

func TestFailuresBackOff(t *testing.T) {
	now := time.Date(2026, time.March, 4, 9, 0, 0, 0, time.UTC)
	var noted []portal.Certificate
	m := &Manager{o: Options{
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
		Note: func(_ context.Context, c portal.Certificate) error {
			noted = append(noted, c)
			return nil
		},
	}}
	h := &host{name: "help.example.com", ctx: t.Context(), status: portal.Certificate{Host: "help.example.com"}}
	begun := now
	inAnHour := 0
	for before := range 14 {
		wait := m.failed(h, errors.New("no"), before)
		want := pauses[min(before, len(pauses)-1)]
		if wait < want*8/10 || wait > want*12/10 {
			t.Errorf("after failure %d it waits %v, want about %v", before+1, wait, want)
		}
		last := noted[len(noted)-1]
		if last.Failures != before+1 || !last.NextAt.Equal(now.Add(wait)) || !last.ErrorAt.Equal(now) || last.State != portal.CertificateFailing {
			t.Errorf("noted %+v", last)
		}
		if now.Sub(begun) < time.Hour {
			inAnHour++
		}
		now = now.Add(wait)
	}
	if inAnHour > 6 {
		t.Errorf("%d tries within the first hour", inAnHour)
	}
	// What the authority asks for counts, up to a day.
	until := now.Add(5 * time.Hour)
	said := told("rateLimited", "retry after "+until.Format("2006-01-02 15:04:05")+" UTC")
	if wait := m.failed(h, said, 0); wait < 5*time.Hour-time.Minute || wait > 5*time.Hour+2*time.Minute {
		t.Errorf("asked to wait 5 h, it waits %v", wait)
	}
	if wait := m.failed(h, told("rateLimited", "retry after 2027-01-01 00:00:00 UTC"), 0); wait > longestPause+2*time.Minute {
		t.Errorf("asked to wait for months, it waits %v", wait)
	}
}

func TestLogLeavesOutWhoAsked(t *testing.T) {
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelInfo}))
	z := newZap(log).With(zap.String("remote_ip", "192.0.2.1"))
	z.Info("served key authentication")
	z.Error("tls-alpn challenge", zap.String("server_name", "a.example"))
	if said.Len() > 0 {
		t.Errorf("what strangers can cause is logged: %s", &said)
	}
	z.Error("stapling OCSP", zap.Strings("identifiers", []string{"a.example"}), zap.String("user_agent", "x"), zap.Error(errors.New("no responder")))
	got := said.String()
	for _, want := range []string{"level=WARN", "certificates: stapling OCSP", "a.example", "no responder"} {
		if !strings.Contains(got, want) {
			t.Errorf("logged %q, want %q", got, want)
		}
	}
	for _, private := range []string{"192.0.2.1", "user_agent"} {
		if strings.Contains(got, private) {
			t.Errorf("logged %q, with %q", got, private)
		}
	}
}

func TestOnlyModernTLSIsSpoken(t *testing.T) {
	c := Config(nil, "acme-tls/1")
	if c.MinVersion != tls.VersionTLS12 || c.MaxVersion != 0 || strings.Join(c.NextProtos, " ") != "h2 http/1.1 acme-tls/1" {
		t.Errorf("versions %x to %x, protocols %q", c.MinVersion, c.MaxVersion, c.NextProtos)
	}
	for _, id := range c.CipherSuites {
		name := tls.CipherSuiteName(id)
		if !strings.HasPrefix(name, "TLS_ECDHE_") || !strings.Contains(name, "GCM") && !strings.Contains(name, "POLY1305") {
			t.Errorf("%s is offered", name)
		}
	}
}

func TestNoSessionTicketsAreGiven(t *testing.T) {
	now := time.Now()
	made := issue(t, now.Add(-time.Hour), now.Add(time.Hour), "a.example")
	certificate, err := tls.X509KeyPair(made.cert, made.key)
	if err != nil {
		t.Fatal(err)
	}
	config := Config(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil })
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("hello")) // which the client would see after a ticket
			c.Close()
		}
	}()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client := &tls.Config{
			InsecureSkipVerify: true, ServerName: "a.example", MaxVersion: version, NextProtos: []string{"h2"},
			ClientSessionCache: tls.NewLRUClientSessionCache(1),
		}
		for again := range 2 {
			c, err := tls.Dial("tcp", l.Addr().String(), client)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
				t.Fatal(err)
			}
			state := c.ConnectionState()
			c.Close()
			if state.Version != version || state.NegotiatedProtocol != "h2" || state.DidResume {
				t.Errorf("connection %d by %s: it is %s with %q, resumed %v", again+1, tls.VersionName(version),
					tls.VersionName(state.Version), state.NegotiatedProtocol, state.DidResume)
			}
		}
	}
}

func TestListenersAreTakenApart(t *testing.T) {
	for _, tt := range []struct {
		addr net.Addr
		host string
		port int // 0: any
	}{
		{&net.TCPAddr{IP: net.IPv6unspecified, Port: 443}, "", 443},
		{&net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 8443}, "192.0.2.7", 8443},
		{&net.UnixAddr{Name: "/run/x", Net: "unix"}, "127.0.0.1", 0},
	} {
		host, port := listensAt(tt.addr)
		if host != tt.host || port != tt.port && tt.port != 0 || port == 0 {
			t.Errorf("%v: %q and %d", tt.addr, host, port)
		}
	}
}
