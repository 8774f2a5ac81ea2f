// Package imaptest is an IMAP server for tests: somebody else's, in memory,
// that misbehaves as it is told.
package imaptest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"

	"github.com/portalctl/portalctl/pkg/portaltest/pipetest"
	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
)

// The one who may sign in.
const (
	User     = "support@example.com"
	Password = "correct horse"
)

// Options say what the server is like.
type Options struct {
	STARTTLS bool
	TLS      bool // implicit, from the first byte
	// NoMove leaves out MOVE, NoUIDPlus UID EXPUNGE.
	NoMove    bool
	NoUIDPlus bool
	// Tokens are the OAuth2 tokens that are taken, by OAUTHBEARER; nil: the
	// password is.
	Tokens func(token string) bool
	// Before is asked before each command; an error is the answer. ErrDie cuts
	// the connection instead.
	Before func(command string) error
}

// No is an answer that refuses a command.
func No(code, text string) error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCode(code), Text: text}
}

// ErrDie cuts the connection instead of answering, when Options.Before
// returns it.
var ErrDie = errors.New("the server dies")

// Server is a running IMAP server with the folders INBOX and Done.
type Server struct {
	Host string
	Port int
	// Client verifies the server's certificate.
	Client *tls.Config

	options Options
	pipes   *pipetest.Listener
	account *imapmemserver.User

	mu       sync.Mutex
	commands []string
}

// Start starts a server on loopback, which ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	s := start(t, o, listener)
	s.Host, s.Port = address.IP.String(), address.Port
	return s
}

// Pipe starts a server that is reached by Dial alone and uses no network, so
// that it can live within a synctest bubble.
func Pipe(t testing.TB, o Options) *Server {
	t.Helper()
	p := pipetest.Listen()
	s := start(t, o, p)
	s.Host, s.Port, s.pipes = "127.0.0.1", 143, p
	return s
}

func start(t testing.TB, o Options, listener net.Listener) *Server {
	s := &Server{options: o, account: imapmemserver.NewUser(User, Password)}
	for _, name := range []string{"INBOX", "Done"} {
		if err := s.account.Create(name, nil); err != nil {
			t.Fatal(err)
		}
	}
	caps := imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}, imap.CapMove: {}}
	if o.NoMove {
		delete(caps, imap.CapMove)
	}
	if o.NoUIDPlus {
		delete(caps, imap.CapUIDPlus)
	}
	options := &imapserver.Options{
		Caps: caps, Logger: log.New(io.Discard, "", 0), InsecureAuth: true,
		NewSession: func(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &session{UserSession: imapmemserver.NewUserSession(s.account), server: s, conn: c}, nil, nil
		},
	}
	if o.STARTTLS || o.TLS {
		var certificate tls.Certificate
		certificate, s.Client = smtptest.NewCertificate(t)
		config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		if o.TLS {
			listener = tls.NewListener(listener, config)
		} else {
			options.TLSConfig = config
		}
	}
	server, done := imapserver.New(options), make(chan struct{})
	waiting := &noticing{Listener: listener, accepts: make(chan struct{})}
	go func() {
		defer close(done)
		_ = server.Serve(waiting)
	}()
	t.Cleanup(func() {
		<-waiting.accepts // a server must not be closed while it starts
		_ = server.Close()
		<-done
	})
	return s
}

// noticing is a listener that tells when it is first waited on.
type noticing struct {
	net.Listener
	once    sync.Once
	accepts chan struct{}
}

// Accept implements net.Listener.
func (l *noticing) Accept() (net.Conn, error) {
	l.once.Do(func() { close(l.accepts) })
	return l.Listener.Accept()
}

// Dial connects to a server started by Pipe, whatever the address.
func (s *Server) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return s.pipes.Dial(ctx, network, address)
}

// Add puts mails into a folder, with line ends as on the wire.
func (s *Server) Add(t testing.TB, folder string, mails ...string) {
	t.Helper()
	s.AddOld(t, folder, time.Now(), mails...)
}

// AddOld puts mails into a folder that came there at a time.
func (s *Server) AddOld(t testing.TB, folder string, came time.Time, mails ...string) {
	t.Helper()
	for _, m := range mails {
		raw := strings.ReplaceAll(m, "\n", "\r\n")
		if _, err := s.account.Append(folder, literal{strings.NewReader(raw)}, &imap.AppendOptions{Time: came}); err != nil {
			t.Fatal(err)
		}
	}
}

type literal struct{ *strings.Reader }

func (l literal) Size() int64 { return l.Reader.Size() }

// Renew makes the folder anew and empty, with another UIDVALIDITY.
func (s *Server) Renew(t testing.TB, folder string) {
	t.Helper()
	if err := errors.Join(s.account.Delete(folder), s.account.Create(folder, nil)); err != nil {
		t.Fatal(err)
	}
}

// Count tells how many mails a folder has, and how many of them are marked as
// read and as deleted.
func (s *Server) Count(t testing.TB, folder string) (mails, seen, deleted int) {
	t.Helper()
	data, err := s.account.Status(folder, &imap.StatusOptions{NumMessages: true, NumUnseen: true, NumDeleted: true})
	if err != nil {
		t.Fatal(err)
	}
	mails = int(*data.NumMessages)
	return mails, mails - int(*data.NumUnseen), int(*data.NumDeleted)
}

// Remove takes mails out of a folder, by UID, as another program would.
func (s *Server) Remove(t testing.TB, folder string, uids ...uint32) {
	t.Helper()
	other := imapmemserver.NewUserSession(s.account)
	defer func() { _ = other.Close() }()
	if _, err := other.Select(folder, nil); err != nil {
		t.Fatal(err)
	}
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	flags := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
	if err := errors.Join(other.Store(nil, set, flags, nil), other.Expunge(nil, &set)); err != nil {
		t.Fatal(err)
	}
}

// Commands are those that came so far, such as "LOGIN" or "FETCH 7 BODY".
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// before notes a command and asks what to do about it.
func (s *session) before(command string) error {
	s.server.mu.Lock()
	s.server.commands = append(s.server.commands, command)
	s.server.mu.Unlock()
	if s.server.options.Before == nil {
		return nil
	}
	err := s.server.options.Before(command)
	if errors.Is(err, ErrDie) {
		_ = s.conn.NetConn().Close()
	}
	return err
}

// session is one client's.
type session struct {
	*imapmemserver.UserSession
	server *Server
	conn   *imapserver.Conn
}

func (s *session) Login(user, password string) error {
	if err := s.before("LOGIN"); err != nil {
		return err
	}
	if s.server.options.Tokens != nil {
		return imapserver.ErrAuthFailed
	}
	return s.UserSession.Login(user, password)
}

func (s *session) AuthenticateMechanisms() []string {
	if s.server.options.Tokens != nil {
		return []string{sasl.OAuthBearer}
	}
	return []string{sasl.Plain}
}

func (s *session) Authenticate(mechanism string) (sasl.Server, error) {
	if err := s.before("AUTHENTICATE " + mechanism); err != nil {
		return nil, err
	}
	if mechanism == sasl.Plain {
		return sasl.NewPlainServer(func(_, user, password string) error {
			if s.server.options.Tokens != nil {
				return imapserver.ErrAuthFailed
			}
			return s.UserSession.Login(user, password)
		}), nil
	}
	return &bearer{session: s}, nil
}

// bearer is the server's side of OAUTHBEARER.
type bearer struct {
	session *session
	refused bool
}

func (b *bearer) Next(response []byte) (challenge []byte, done bool, err error) {
	if b.refused {
		return nil, true, imapserver.ErrAuthFailed
	}
	if response == nil {
		return []byte{}, false, nil
	}
	_, token, _ := strings.Cut(string(response), "\x01auth=Bearer ")
	if b.session.server.options.Tokens(strings.TrimRight(token, "\x01")) {
		return nil, true, b.session.UserSession.Login(User, Password)
	}
	b.refused = true
	return []byte(`{"status":"invalid_token","scope":"mail"}`), false, nil
}

func (s *session) Select(folder string, o *imap.SelectOptions) (*imap.SelectData, error) {
	command := "SELECT "
	if o != nil && o.ReadOnly {
		command = "EXAMINE "
	}
	if err := s.before(command + folder); err != nil {
		return nil, err
	}
	return s.UserSession.Select(folder, o)
}

func (s *session) Search(kind imapserver.NumKind, criteria *imap.SearchCriteria, o *imap.SearchOptions) (*imap.SearchData, error) {
	if err := s.before("SEARCH"); err != nil {
		return nil, err
	}
	return s.UserSession.Search(kind, criteria, o)
}

func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	command := "FETCH " + set.String()
	for _, part := range o.BodySection {
		command += fmt.Sprintf(" BODY[%s]", part.Specifier)
		if part.Partial != nil {
			command += fmt.Sprintf("<%d>", part.Partial.Size)
		}
	}
	if err := s.before(command); err != nil {
		return err
	}
	return s.UserSession.Fetch(w, set, o)
}

func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, o *imap.StoreOptions) error {
	if err := s.before(fmt.Sprintf("STORE %s %v", set, flags.Flags)); err != nil {
		return err
	}
	return s.UserSession.Store(w, set, flags, o)
}

func (s *session) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	if err := s.before("EXPUNGE"); err != nil {
		return err
	}
	return s.UserSession.Expunge(w, uids)
}

func (s *session) Copy(set imap.NumSet, to string) (*imap.CopyData, error) {
	if err := s.before(fmt.Sprintf("COPY %s %s", set, to)); err != nil {
		return nil, err
	}
	return s.UserSession.Copy(set, to)
}

func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, to string) error {
	if err := s.before(fmt.Sprintf("MOVE %s %s", set, to)); err != nil {
		return err
	}
	return s.UserSession.Move(w, set, to)
}

func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	if err := s.before("IDLE"); err != nil {
		return err
	}
	return s.UserSession.Idle(w, stop)
}
