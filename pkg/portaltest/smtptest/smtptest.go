// Package smtptest is a mail server for tests: a real one on loopback that
// keeps what it is sent and misbehaves as it is told.
package smtptest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/mail"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Options say what the server is like.
type Options struct {
	STARTTLS bool
	TLS      bool   // implicit, from the first byte
	User     string // with Password: nothing is taken without signing in
	Password string

	// Mail, Rcpt and Data answer these commands; a nil function, or one that
	// returns nil, accepts. Refuse makes the usual errors.
	Mail func(from string) error
	Rcpt func(to string) error
	Data func(m *Mail) error
}

// Refuse is an answer with a code such as 450 or 550.
func Refuse(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: text}
}

// Mail is one the server took.
type Mail struct {
	From, To string
	Raw      []byte
	Secure   bool   // it came over TLS
	User     string // who signed in
}

// Message parses the mail's headers.
func (m *Mail) Message(t testing.TB) *mail.Message {
	t.Helper()
	msg, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	if err != nil {
		t.Fatalf("the mail cannot be read: %v", err)
	}
	return msg
}

// Server is a running mail server.
type Server struct {
	Host string
	Port int
	// Client verifies the server's certificate.
	Client *tls.Config

	options Options
	mu      sync.Mutex
	mails   []*Mail
	came    chan struct{} // closed and replaced with every mail
}

// Start starts a server, which ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{options: o, came: make(chan struct{})}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	s.Host, s.Port = address.IP.String(), address.Port

	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: s, conn: c}, nil
	}))
	server.Domain, server.AllowInsecureAuth = "mail.test", true
	server.MaxMessageBytes, server.ErrorLog = 1<<20, log.New(io.Discard, "", 0)
	if o.STARTTLS || o.TLS {
		var certificate tls.Certificate
		certificate, s.Client = NewCertificate(t)
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		if o.TLS {
			listener = tls.NewListener(listener, server.TLSConfig)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return s
}

// Mails returns what was taken so far.
func (s *Server) Mails() []*Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Wait returns the mails when there are at least n, or fails the test.
func (s *Server) Wait(t testing.TB, n int) []*Mail {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		mails, came := slices.Clone(s.mails), s.came
		s.mu.Unlock()
		if len(mails) >= n {
			return mails
		}
		select {
		case <-came:
		case <-late:
			t.Fatalf("%d mails came, want %d", len(mails), n)
		}
	}
}

func (s *Server) take(m *Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, m)
	close(s.came)
	s.came = make(chan struct{})
}

type session struct {
	server *Server
	conn   *smtp.Conn
	mail   Mail
	user   string
}

func (c *session) AuthMechanisms() []string {
	if c.server.options.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (c *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != c.server.options.User || password != c.server.options.Password {
			return smtp.ErrAuthFailed
		}
		c.user = user
		return nil
	}), nil
}

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	if c.server.options.User != "" && c.user == "" {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	c.mail = Mail{From: from, User: c.user}
	_, c.mail.Secure = c.conn.TLSConnectionState()
	if f := c.server.options.Mail; f != nil {
		return f(from)
	}
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.mail.To = to
	if f := c.server.options.Rcpt; f != nil {
		return f(to)
	}
	return nil
}

func (c *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m := c.mail
	m.Raw = raw
	if f := c.server.options.Data; f != nil {
		if err := f(&m); err != nil {
			if errors.Is(err, ErrDie) {
				_ = c.conn.Conn().Close()
			}
			return err
		}
	}
	c.server.take(&m)
	return nil
}

// ErrDie cuts the connection instead of answering, when Options.Data returns it.
var ErrDie = errors.New("the server dies")

func (c *session) Reset()        {}
func (c *session) Logout() error { return nil }

// Script starts a server that plays a dialogue on each connection: it sends
// the first answer as a greeting and one more for each line the client
// sends. "DATA" consumes lines up to the dot. After the last it hangs up.
func Script(t testing.TB, answers ...string) (host string, port int) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go play(conn, answers)
		}
	}()
	address := listener.Addr().(*net.TCPAddr)
	return address.IP.String(), address.Port
}

func play(conn net.Conn, answers []string) {
	defer func() { _ = conn.Close() }()
	lines, text := bufio.NewReader(conn), false
	for i, answer := range answers {
		if i > 0 {
			for {
				line, err := lines.ReadString('\n')
				if err != nil {
					return
				}
				if !text || line == ".\r\n" {
					break
				}
			}
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
		text = len(answer) > 3 && answer[:3] == "354"
	}
}

// NewCertificate makes a certificate for 127.0.0.1, localhost and mail.test, and
// a configuration for clients that trust it.
func NewCertificate(t testing.TB) (tls.Certificate, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost", "mail.test"},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// PEM writes a certificate and its key as servers read them.
func PEM(c tls.Certificate) (cert, key []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
