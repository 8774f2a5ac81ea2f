package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Server is the mail server that takes outgoing mail.
type Server struct {
	Host     string
	Port     int
	User     string // empty: no sign-in
	Password string
	Security Security
	// TLS overrides how certificates are verified; nil verifies the server's
	// against the machine's roots.
	TLS *tls.Config
	// Hello is the name this machine gives itself; empty: its host name.
	Hello string
	// Timeout is how long one step may take. Zero means a minute; the answer
	// to a message's text gets three times that, as servers check it then.
	Timeout time.Duration
}

// Security is how the connection to the server is protected.
type Security string

// The securities. STARTTLS and TLS verify the server's certificate; what was
// asked for and is not offered is an error, never a reason to do without.
const (
	STARTTLS Security = "starttls"
	TLS      Security = "tls"
	NoTLS    Security = "off" // for a server on this machine only
)

// Sender sends letters through a mail server. It keeps no connection open
// between mails and may be used by many goroutines.
type Sender struct {
	writer *Writer
	server Server
	dkim   *DKIM
}

// NewSender makes a Sender. It does not connect; Check does.
func NewSender(server Server, w *Writer) (*Sender, error) {
	if _, err := headerAddress(w.From); err != nil {
		return nil, portal.Invalidf("mail.from", "mail-from", "%q cannot be the sender of mail; write it like support@example.com", w.From.Address)
	}
	if server.Host == "" || server.Port <= 0 {
		return nil, portal.Invalidf("mail.server", "smtp", "there is no mail server to send through; write it like smtp://user@mail.example.com:587")
	}
	if server.Security == NoTLS && !isLoopback(server.Host) {
		return nil, portal.Invalidf("mail.server", "smtp", "mail and password would go to %s readable to everybody between; only a server on this machine may do without TLS", server.Host)
	}
	if server.Timeout == 0 {
		server.Timeout = time.Minute
	}
	return &Sender{writer: w, server: server}, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// SignWith has every mail signed from now on. It is for before the first.
func (s *Sender) SignWith(d *DKIM) { s.dkim = d }

// Signs is what signs each mail; nil when they go out unsigned.
func (s *Sender) Signs() *DKIM { return s.dkim }

// From is the address mail comes from.
func (s *Sender) From() string { return s.writer.From.Address }

// Send writes a letter and sends it, once. It never returns an error: what
// went wrong, and whether trying again is of use, is in the Delivery. When
// ctx ends the connection is cut.
func (s *Sender) Send(ctx context.Context, l *portal.Letter) portal.Delivery {
	m, err := s.writer.Compose(l)
	if err != nil {
		return portal.Delivery{Outcome: portal.Permanent, Text: clean("the mail cannot be written: " + err.Error())}
	}
	return s.SendMessage(ctx, m)
}

// SendMessage sends a message that is written already.
func (s *Sender) SendMessage(ctx context.Context, m *Message) portal.Delivery {
	// Written whole before connecting: half a message must never be sent.
	raw, err := m.Bytes()
	if err != nil {
		return portal.Delivery{Outcome: portal.Permanent, Text: clean("the mail cannot be written: " + err.Error())}
	}
	if s.dkim != nil {
		if raw, err = s.dkim.sign(raw); err != nil {
			return portal.Delivery{Outcome: portal.Temporary, Text: clean("the mail cannot be signed: " + err.Error())}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*s.server.Timeout)
	defer cancel()
	wire, client, err := s.connect(ctx)
	if err != nil {
		return setUp("cannot connect to the mail server", err)
	}
	defer func() { _ = wire.Close() }()
	if err := client.Mail("<" + m.From.Address + ">"); err != nil {
		// It is our sender that is refused, not the recipient: the set-up can
		// be mended while the mail waits.
		return setUp("the mail server refuses the sender", err)
	}
	if err := client.Rcpt("<" + m.To.Address + ">"); err != nil {
		return refused("the mail server refuses the recipient", err)
	}
	data, err := client.Data()
	if err != nil {
		return refused("the mail server refuses the mail", err)
	}
	if _, err := data.Write(raw); err != nil {
		// Not ended with a dot yet, so no server has accepted it.
		return portal.Delivery{Outcome: portal.Temporary, Text: clean("the connection broke while sending: " + err.Error())}
	}
	wire.allow(3 * s.server.Timeout)
	if err := data.Close(); err != nil {
		var answer *textproto.Error
		switch {
		case errors.As(err, &answer) && answer.Code/100 == 2:
		case errors.As(err, &answer):
			return refused("the mail server refuses the mail", err)
		default:
			return portal.Delivery{Text: clean("the mail server did not say whether it took the mail: " + err.Error())}
		}
	}
	// It is delivered whatever becomes of the goodbye.
	wire.allow(min(s.server.Timeout, 2*time.Second))
	_ = client.Quit()
	return portal.Delivery{Outcome: portal.Delivered, Code: 250, Text: "delivered to the mail server"}
}

// Check connects and signs in as for a mail, and sends none.
func (s *Sender) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*s.server.Timeout)
	defer cancel()
	wire, client, err := s.connect(ctx)
	if err != nil {
		d := setUp("cannot connect to the mail server", err)
		return &portal.Error{
			Kind: portal.Unavailable, Code: "mail.server", Field: "smtp", Msg: d.Text, Err: err,
			Hint: "check --smtp and its password; nothing was sent",
		}
	}
	defer func() { _ = wire.Close() }()
	wire.allow(min(s.server.Timeout, 2*time.Second))
	_ = client.Quit()
	return nil
}

// connect dials, protects the connection and signs in. The wire closes the
// connection whatever state the client is in.
func (s *Sender) connect(ctx context.Context) (*wire, *smtp.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.server.TLS != nil {
		config = s.server.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = s.server.Host
	}
	var w *wire
	options := []gomail.Option{
		gomail.WithPort(s.server.Port), gomail.WithTLSConfig(config), gomail.WithTimeout(s.server.Timeout),
		gomail.WithoutNoop(), gomail.WithoutSMTPUTF8(),
		gomail.WithDialContextFunc(func(dialing context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{Timeout: s.server.Timeout}).DialContext(dialing, network, address)
			if err != nil {
				return nil, err
			}
			w = newWire(ctx, conn, s.server.Timeout)
			if s.server.Security != TLS {
				return w, nil
			}
			secure := tls.Client(w, config)
			return secure, secure.HandshakeContext(dialing)
		}),
	}
	switch s.server.Security {
	case TLS:
		options = append(options, gomail.WithSSL())
	case NoTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.server.Hello != "" {
		options = append(options, gomail.WithHELO(s.server.Hello))
	}
	if s.server.User != "" {
		options = append(options, gomail.WithUsername(s.server.User), gomail.WithPassword(s.server.Password),
			gomail.WithOpportunisticSMTPAuth(signIns(s.server.Security)...))
	}
	client, err := gomail.NewClient(s.server.Host, options...)
	if err != nil {
		return nil, nil, err
	}
	c, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		if w != nil {
			_ = w.Close()
		}
		return nil, nil, err
	}
	return w, c, nil
}

// signIns are the ways to sign in, the best first. Those that show the
// password need TLS, or the way within this machine.
func signIns(security Security) []gomail.SMTPAuthType {
	list := []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1}
	if security == NoTLS {
		return append(list, gomail.SMTPAuthCramMD5, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc)
	}
	return append(list, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5)
}

// setUp is a failure on the way to the recipient: of the network, the server
// or our settings. All of them can be mended while the mail waits.
func setUp(what string, err error) portal.Delivery {
	d := refused(what, err)
	d.Outcome, d.Server = portal.Temporary, true
	return d
}

// refused judges what the server answered about one mail.
func refused(what string, err error) portal.Delivery {
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		return portal.Delivery{Outcome: portal.Temporary, Text: clean(what + ": " + err.Error())}
	}
	d := portal.Delivery{
		Outcome: portal.Temporary, Code: answer.Code, Status: enhanced(answer.Msg),
		Text: clean(what + ": " + strconv.Itoa(answer.Code) + " " + answer.Msg),
	}
	// 530 asks us to sign in first, whatever it was about.
	if answer.Code/100 == 5 && answer.Code != 530 {
		d.Outcome = portal.Permanent
	}
	return d
}

// enhanced is the status an answer begins with, such as 5.1.1 (RFC 2034).
func enhanced(answer string) string {
	status, _, _ := strings.Cut(answer, " ")
	parts := strings.Split(status, ".")
	if len(parts) != 3 || len(status) > 9 {
		return ""
	}
	for _, part := range parts {
		if _, err := strconv.ParseUint(part, 10, 16); err != nil {
			return ""
		}
	}
	return status
}

// clean makes one line of at most 300 characters of what a server said.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, harmless(strings.ReplaceAll(s, "\n", " ")))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > 300 {
		s = string(runes[:299]) + "…"
	}
	return s
}

// wire is a connection that keeps its own time: every step gets its share
// anew, and a server that never ends its answer is cut off. It passes over
// the client's deadlines, which are for a whole mail and would cut a large
// one.
type wire struct {
	net.Conn
	step  time.Duration
	heard int         // bytes since we last spoke
	stop  func() bool // ends the watch on the context
}

// maxAnswer is how much a server may say at once.
const maxAnswer = 256 << 10

// newWire wraps a connection, which is cut when ctx ends.
func newWire(ctx context.Context, c net.Conn, step time.Duration) *wire {
	return &wire{Conn: c, step: step, stop: context.AfterFunc(ctx, func() { _ = c.Close() })}
}

// Close cuts the connection. It says no goodbye, which would end a half-sent
// text as if it were whole.
func (w *wire) Close() error {
	w.stop()
	return w.Conn.Close()
}

// allow sets how long the next steps may take.
func (w *wire) allow(step time.Duration) { w.step = step }

func (w *wire) Read(p []byte) (int, error) {
	if w.heard > maxAnswer {
		return 0, fmt.Errorf("the server's answer does not end")
	}
	if err := w.Conn.SetReadDeadline(time.Now().Add(w.step)); err != nil {
		return 0, err
	}
	n, err := w.Conn.Read(p)
	w.heard += n
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	w.heard = 0
	if err := w.Conn.SetWriteDeadline(time.Now().Add(w.step)); err != nil {
		return 0, err
	}
	return w.Conn.Write(p)
}

func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
