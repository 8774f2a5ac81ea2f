package source

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/portalctl/portalctl/pkg/portal"
)

// The bounds of the listener. Mail servers deliver over few connections at a
// time and keep them for the next mail.
const (
	maxConnections = 64
	maxRecipients  = 100
	maxCommands    = 64 << 10 // bytes we listen to without answering
	largeMail      = 1 << 20  // from here on a mail needs one of few places
	largeMails     = 3
)

// How long the listener waits: for a command, for the next part of a mail,
// for the whole of it, for a place for a large one, to be heard; and for what
// was begun when it is told to stop.
const (
	commandTime = 5 * time.Minute
	partTime    = time.Minute
	wholeTime   = 10 * time.Minute
	placeTime   = 2 * time.Minute
	heardTime   = time.Minute
	acceptTime  = 30 * time.Second
	stopTime    = 10 * time.Second
)

// ServeLMTP takes mail by LMTP (RFC 2033) until ctx ends, then finishes what
// was begun and returns. There is no sign-in: the listener must be one that
// only this machine can reach. Each recipient gets an answer of its own, 250
// only after the mail is in the store for it.
func ServeLMTP(ctx context.Context, l net.Listener, t Taker, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &lmtp{
		taker: t, log: log, listener: l, conns: map[*lmtpConn]bool{},
		large: make(chan struct{}, largeMails), ctx: context.WithoutCancel(ctx),
	}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &lmtpSession{server: s, conn: c.Conn().(*lmtpConn)}, nil
	}))
	server.LMTP, server.EnableSMTPUTF8 = true, true
	server.MaxMessageBytes, server.MaxRecipients = MaxBytes, maxRecipients
	// A line of a mail may be as long as the mail: some are, and their senders
	// would try for days. Commands are bounded by the connection.
	server.MaxLineLength = MaxBytes
	server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	server.Domain = "localhost"
	if name, err := os.Hostname(); err == nil {
		server.Domain = name
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(s) }()
	select {
	case err := <-served:
		s.stop()
		s.wait(stopTime)
		return err
	case <-ctx.Done():
	}
	s.stop()
	// It closes the listener and waits for connections, which end by
	// themselves now, or are cut.
	patience, cancel := context.WithTimeout(s.ctx, stopTime)
	defer cancel()
	if err := server.Shutdown(patience); err != nil {
		log.Warn("deliveries by LMTP were cut off", "err", err)
		s.cut()
		s.wait(time.Second)
	}
	if err := <-served; err != nil {
		log.Debug("the LMTP listener ended", "err", err)
	}
	return nil
}

// lmtp is the listener's state, and the listener the library accepts from.
type lmtp struct {
	taker    Taker
	log      *slog.Logger
	listener net.Listener
	large    chan struct{} // has an element for each large mail in memory
	ctx      context.Context

	mu       sync.Mutex
	conns    map[*lmtpConn]bool
	stopping bool
	idle     sync.WaitGroup
}

// Accept returns the next connection, and refuses those above the limit.
func (s *lmtp) Accept() (net.Conn, error) {
	for {
		raw, err := s.listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &lmtpConn{Conn: raw, server: s}
		s.mu.Lock()
		full := len(s.conns) >= maxConnections || s.stopping
		if !full {
			s.conns[c] = true
			s.idle.Add(1)
		}
		s.mu.Unlock()
		if !full {
			return c, nil
		}
		s.log.Warn("a delivery by LMTP was put off: there are too many connections", "limit", maxConnections)
		_ = raw.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(raw, "421 4.3.2 Too many connections, try again later\r\n")
		_ = raw.Close()
	}
}

// Close closes the listener.
func (s *lmtp) Close() error { return s.listener.Close() }

// Addr is the listener's address.
func (s *lmtp) Addr() net.Addr { return s.listener.Addr() }

// stop has every connection end that is not in the middle of a mail.
func (s *lmtp) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for c := range s.conns {
		c.wake()
	}
}

// wait waits for the connections to end, and cuts those that do not.
func (s *lmtp) wait(patience time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.idle.Wait()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		s.cut()
	}
}

func (s *lmtp) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Conn.Close()
	}
}

// lmtpConn is a connection that keeps its own time and ends when it is told
// to stop between two mails.
type lmtpConn struct {
	net.Conn
	server *lmtp

	mu    sync.Mutex
	since time.Time // when the mail under way began; zero: none is
	heard int64     // bytes since the last answer, or of the mail
	once  sync.Once
}

var (
	errStopping = errors.New("the server stops")
	errEndless  = errors.New("the client does not end what it says")
)

func (c *lmtpConn) Read(p []byte) (int, error) {
	deadline, err := c.deadline()
	if err != nil {
		return 0, err
	}
	if err := c.Conn.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	// A stop between the look and the deadline must be seen, too.
	if _, err := c.deadline(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	c.heard += int64(n)
	limit := int64(maxCommands)
	if !c.since.IsZero() {
		limit = 4 * MaxBytes
	}
	endless := c.heard > limit
	c.mu.Unlock()
	if endless {
		return 0, errEndless
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if _, stopping := c.deadline(); stopping != nil {
			return n, stopping
		}
	}
	return n, err
}

// deadline is when the next part must have come. While the server stops there
// is none but for mail that was begun.
func (c *lmtpConn) deadline() (time.Time, error) {
	c.server.mu.Lock()
	stopping := c.server.stopping
	c.server.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.since.IsZero() {
		if stopping {
			return now, errStopping
		}
		return now.Add(commandTime), nil
	}
	deadline, whole := now.Add(partTime), c.since.Add(wholeTime)
	if whole.Before(deadline) {
		deadline = whole
	}
	return deadline, nil
}

func (c *lmtpConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if c.since.IsZero() {
		c.heard = 0
	}
	c.mu.Unlock()
	if err := c.Conn.SetWriteDeadline(time.Now().Add(heardTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// Close ends the connection and makes room for another.
func (c *lmtpConn) Close() error {
	c.once.Do(func() {
		c.server.mu.Lock()
		delete(c.server.conns, c)
		c.server.mu.Unlock()
		c.server.idle.Done()
	})
	return c.Conn.Close()
}

// wake ends a wait for the next command; the caller holds the server's mu.
func (c *lmtpConn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		_ = c.Conn.SetReadDeadline(time.Now())
	}
}

// begin and end enclose a mail.
func (c *lmtpConn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since, c.heard = time.Now(), 0
}

func (c *lmtpConn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since, c.heard = time.Time{}, 0
}

// SetDeadline and its kin pass over the library's deadlines, of which there
// are none.
func (c *lmtpConn) SetDeadline(time.Time) error      { return nil }
func (c *lmtpConn) SetReadDeadline(time.Time) error  { return nil }
func (c *lmtpConn) SetWriteDeadline(time.Time) error { return nil }

// lmtpSession is one connection's present mail.
type lmtpSession struct {
	server *lmtp
	conn   *lmtpConn
	from   string
	to     []recipient
}

// recipient is an address and the inbox that has it.
type recipient struct {
	address string
	inbox   portal.InboxID
}

// Mail begins a mail.
func (s *lmtpSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from, s.to = from, nil
	return nil
}

// Rcpt takes a recipient that an inbox has.
func (s *lmtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	ctx, cancel := context.WithTimeout(s.server.ctx, acceptTime)
	defer cancel()
	inbox, err := s.server.taker.Accepts(ctx, to)
	if err != nil {
		return s.answer("a recipient was not looked up", err)
	}
	s.to = append(s.to, recipient{to, inbox})
	return nil
}

// answer is what the client is told about an error.
func (s *lmtpSession) answer(what string, err error) *smtp.SMTPError {
	switch portal.KindOf(err) {
	case portal.NotFound:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No inbox has this address"}
	case portal.Unavailable, portal.TooMany:
		s.server.log.Warn(what+"; the mail server will try again", "err", err)
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "No room just now, try again later"}
	}
	s.server.log.Error(what+"; the mail server will try again", "err", err)
	return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "This failed here, try again later"}
}

// Data is SMTP's way, which this server does not speak.
func (s *lmtpSession) Data(io.Reader) error {
	return &smtp.SMTPError{Code: 503, EnhancedCode: smtp.EnhancedCode{5, 5, 1}, Message: "This is LMTP"}
}

// LMTPData takes the mail for each inbox it is for.
func (s *lmtpSession) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	s.conn.begin()
	raw, release, err := s.read(r)
	defer release()
	if err != nil {
		return err
	}
	done := map[portal.InboxID]bool{}
	for _, to := range s.to {
		if done[to.inbox] {
			continue
		}
		done[to.inbox] = true
		var addresses []string
		for _, also := range s.to {
			if also.inbox == to.inbox {
				addresses = append(addresses, also.address)
			}
		}
		err := s.take(raw, to.inbox, addresses)
		for _, address := range addresses {
			status.SetStatus(address, err)
		}
	}
	return nil
}

// take has the mail taken for an inbox. The error is nil or an answer.
func (s *lmtpSession) take(raw []byte, inbox portal.InboxID, to []string) error {
	ctx, cancel := context.WithTimeout(s.server.ctx, takeTime)
	defer cancel()
	_, err := take(ctx, s.server.taker, &portal.Arrival{
		Inbox: inbox, Source: portal.SourceLMTP, Raw: raw,
		HasEnvelope: true, EnvelopeFrom: s.from, Recipients: to,
	})
	if err != nil {
		return s.answer("a mail was not taken", err)
	}
	return nil
}

// read reads a mail into memory. Only a few large ones are there at a time.
func (s *lmtpSession) read(r io.Reader) (raw []byte, release func(), err error) {
	release = func() {}
	raw, err = io.ReadAll(io.LimitReader(r, largeMail))
	if err == nil && len(raw) == largeMail {
		timer := time.NewTimer(placeTime)
		defer timer.Stop()
		select {
		case s.server.large <- struct{}{}:
			release = func() { <-s.server.large }
		case <-timer.C:
			return nil, release, &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "Too many large mails at once, try again later"}
		}
		var rest []byte
		rest, err = io.ReadAll(r)
		raw = append(raw, rest...)
	}
	var answer *smtp.SMTPError
	if errors.As(err, &answer) {
		return nil, release, answer // too large
	}
	if err != nil {
		return nil, release, &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 4, 2}, Message: "The mail broke off"}
	}
	return raw, release, nil
}

// Reset ends a mail, whatever became of it.
func (s *lmtpSession) Reset() {
	s.conn.end()
	s.from, s.to = "", nil
}

// Logout ends the session.
func (s *lmtpSession) Logout() error { return nil }
