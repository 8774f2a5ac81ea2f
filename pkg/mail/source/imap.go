package source

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"github.com/portalctl/portalctl/pkg/portal"
)

// This is the only file that knows the IMAP library, whose interface may
// still change.

// How long a server may take: for a part of an answer, for a whole one. A
// body gets a second more for each slowest of it besides.
const (
	stepTime   = 30 * time.Second
	answerTime = 2 * time.Minute
	slowest    = 8 << 10 // bytes a second
)

// How much a server may say: when it lists mail, and otherwise.
const (
	listRoom   = 16 << 20
	answerRoom = 1 << 20
)

// imapConn is a connection to a mailbox, signed in. It is used by one
// goroutine at a time.
type imapConn struct {
	box    Mailbox
	wire   *wire
	client *imapclient.Client
	news   chan struct{} // has one element when the server spoke of mail
}

// folder is what a server says about a folder when it is opened.
type folder struct {
	validity uint32
	next     uint32 // the UID the next mail will get; 0: the server did not say
	mails    uint32
}

// Options say how to reach servers, and where to tell what happens. The zero
// value is usable.
type Options struct {
	Log *slog.Logger
	// TLS overrides how certificates are verified; nil verifies them against
	// the machine's roots.
	TLS *tls.Config
	// Changed is called when something about a mailbox changed, with its
	// present status; nil: nobody is told. It must not block.
	Changed func(Status)
	// Dial connects; nil: net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	token func(ctx context.Context, command []string) (string, error) // nil: runToken
}

func (o Options) logger() *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}

func (o Options) dial(ctx context.Context, address string) (net.Conn, error) {
	if o.Dial != nil {
		return o.Dial(ctx, "tcp", address)
	}
	return (&net.Dialer{Timeout: stepTime}).DialContext(ctx, "tcp", address)
}

// connect dials, protects the connection and signs in.
func connect(ctx context.Context, box Mailbox, t *tokens, o Options) (*imapConn, error) {
	if box.Security == portal.MailPlain && !loopbackName(box.Host) {
		return nil, plainRefused(box)
	}
	c, err := greet(ctx, box, o)
	if err != nil {
		return nil, err
	}
	if err := c.signIn(ctx, t); err != nil {
		c.cut()
		return nil, err
	}
	return c, nil
}

func plainRefused(box Mailbox) error {
	return &portal.Error{
		Kind: portal.Invalid, Code: "imap.plain", Field: "imap",
		Msg:  fmt.Sprintf("the password would go to %s readable to everybody between; only a server on this machine may do without TLS", box.Host),
		Hint: "use imaps://, or imap:// for STARTTLS",
	}
}

func loopbackName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// greet connects as far as the greeting, or to the end of the TLS handshake.
func greet(ctx context.Context, box Mailbox, o Options) (*imapConn, error) {
	address := net.JoinHostPort(box.Host, strconv.Itoa(box.Port))
	raw, err := o.dial(ctx, address)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &portal.Error{
			Kind: portal.Unavailable, Code: "imap.server", Field: "imap", Err: err,
			Msg: fmt.Sprintf("cannot connect to %s: %v", address, innermost(err)),
		}
	}
	if tcp, ok := raw.RemoteAddr().(*net.TCPAddr); ok && box.Security == portal.MailPlain && !tcp.IP.IsLoopback() {
		_ = raw.Close()
		return nil, plainRefused(box)
	}
	c := &imapConn{box: box, wire: newWire(raw, stepTime), news: make(chan struct{}, 1)}
	options := &imapclient.Options{
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(d *imapclient.UnilateralDataMailbox) {
				if d.NumMessages == nil {
					return
				}
				select {
				case c.news <- struct{}{}:
				default:
				}
			},
		},
	}
	if o.TLS != nil {
		options.TLSConfig = o.TLS.Clone()
	}
	if options.TLSConfig.ServerName == "" {
		options.TLSConfig.ServerName = box.Host
	}
	err = c.step(ctx, answerTime, answerRoom, func() error { return c.begin(ctx, options) })
	if err == nil {
		return c, nil
	}
	c.cut()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, c.failed(address, err)
}

// begin protects the connection and waits for the greeting.
func (c *imapConn) begin(ctx context.Context, options *imapclient.Options) error {
	switch c.box.Security {
	case portal.MailTLS:
		secure := tls.Client(c.wire, options.TLSConfig)
		if err := secure.HandshakeContext(ctx); err != nil {
			return err
		}
		c.client = imapclient.New(secure, options)
	case portal.MailPlain:
		c.client = imapclient.New(c.wire, options)
	default:
		// It sends nothing but STARTTLS before the handshake is done, and gives
		// up when that is refused.
		client, err := imapclient.NewStartTLS(c.wire, options)
		if err != nil {
			var no *imap.Error
			if errors.As(err, &no) && no.Type != imap.StatusResponseTypeBye {
				return errNoTLS
			}
			return err
		}
		c.client = client
	}
	return c.client.WaitGreeting()
}

var errNoTLS = errors.New("the server offers no STARTTLS")

// failed says why a connection could not be set up, and what may help.
func (c *imapConn) failed(address string, err error) error {
	e := &portal.Error{
		Kind: portal.Unavailable, Code: "imap.server", Field: "imap", Err: err,
		Msg: fmt.Sprintf("cannot talk to %s: %v", address, err),
	}
	var wrong *tls.CertificateVerificationError
	var garbled tls.RecordHeaderError
	switch {
	case errors.Is(err, errNoTLS):
		e.Code, e.Field = "imap.starttls", "imap"
		e.Msg = fmt.Sprintf("%s offers no STARTTLS, so nothing was sent to it", address)
		e.Hint = "if the server speaks TLS from the first byte, write imaps:// (port 993 as a rule)"
	case errors.As(err, &wrong):
		e.Code = "imap.certificate"
		e.Msg = fmt.Sprintf("the certificate of %s is not to be trusted: %v", address, wrong.Err)
		e.Hint = "use the host name the certificate is made for; nothing was sent to the server"
	case errors.As(err, &garbled):
		e.Code, e.Field = "imap.tls", "imap"
		e.Msg = fmt.Sprintf("%s does not answer in TLS", address)
		e.Hint = "if it begins without and offers STARTTLS, write imap:// (port 143 as a rule)"
	}
	return e
}

// signIn proves who we are, by token or password. A refused token is asked
// for anew, once.
func (c *imapConn) signIn(ctx context.Context, t *tokens) error {
	if c.client.State() == imap.ConnStateAuthenticated {
		return nil // the server knew us from the start, as tunnels do
	}
	if len(c.box.TokenCommand) == 0 {
		return c.signedIn(c.step(ctx, answerTime, answerRoom, c.password))
	}
	token, err := t.next(ctx, c.box.TokenCommand)
	if err != nil {
		return err
	}
	err = c.step(ctx, answerTime, answerRoom, func() error { return c.token(token) })
	var no *refusal
	if !errors.As(err, &no) {
		return c.signedIn(err)
	}
	t.refused(token)
	if token, err = t.next(ctx, c.box.TokenCommand); err != nil {
		return err
	}
	if err = c.step(ctx, answerTime, answerRoom, func() error { return c.token(token) }); errors.As(err, &no) {
		t.refused(token)
	}
	return c.signedIn(err)
}

func (c *imapConn) password() error {
	caps := c.client.Caps()
	if caps.Has("AUTH=PLAIN") {
		return c.client.Authenticate(sasl.NewPlainClient("", c.box.User, c.box.Password))
	}
	if caps.Has("LOGINDISABLED") {
		return &refusal{text: "it takes no password on this connection"}
	}
	return c.client.Login(c.box.User, c.box.Password).Wait()
}

func (c *imapConn) token(token string) error {
	caps := c.client.Caps()
	switch {
	case caps.Has("AUTH=OAUTHBEARER"):
		return c.client.Authenticate(oauthBearer{user: c.box.User, token: token, host: c.box.Host, port: c.box.Port})
	case caps.Has("AUTH=XOAUTH2"):
		return c.client.Authenticate(xoauth2{user: c.box.User, token: token})
	}
	return &portal.Error{
		Kind: portal.Unavailable, Code: "imap.token", Field: "imap-token-command",
		Msg: fmt.Sprintf("%s takes no OAuth2 tokens", c.box.Host), Hint: "use a password instead",
	}
}

// signedIn judges how signing in went.
func (c *imapConn) signedIn(err error) error {
	var no *refusal
	if !errors.As(err, &no) {
		return err
	}
	e := &portal.Error{
		Kind: portal.Unavailable, Code: "imap.sign_in", Field: "imap-password-file", Err: err,
		Msg:  fmt.Sprintf("%s refuses the user or the password: %s", c.box.Host, no.text),
		Hint: "many providers want an app password here, or a token (--imap-token-command)",
	}
	if len(c.box.TokenCommand) > 0 {
		e.Msg, e.Hint = fmt.Sprintf("%s refuses the user or the token: %s", c.box.Host, no.text), "the token must be made for this user, and for IMAP"
	}
	return e
}

// open opens the folder, for looking only where mail is left as it is.
func (c *imapConn) open(ctx context.Context) (folder, error) {
	var f folder
	err := c.step(ctx, answerTime, answerRoom, func() error {
		data, err := c.client.Select(c.box.Folder, &imap.SelectOptions{ReadOnly: c.box.After == portal.AfterKeep}).Wait()
		if err != nil {
			return err
		}
		f = folder{validity: data.UIDValidity, next: uint32(data.UIDNext), mails: data.NumMessages}
		return nil
	})
	var no *refusal
	switch {
	case errors.As(err, &no):
		return f, &portal.Error{
			Kind: portal.Unavailable, Code: "imap.folder", Field: "imap", Err: err,
			Msg: fmt.Sprintf("the folder %q cannot be opened: %s", c.box.Folder, no.text),
		}
	case err != nil:
		return f, err
	case f.validity == 0:
		// Without it nobody can tell whether a number still means the same mail.
		return f, &portal.Error{
			Kind: portal.Unavailable, Code: "imap.folder", Field: "imap",
			Msg: fmt.Sprintf("the folder %q has no UIDVALIDITY, so mail in it cannot be told apart", c.box.Folder),
		}
	}
	return f, nil
}

// exists reports whether there is a folder of that name.
func (c *imapConn) exists(ctx context.Context, name string) (bool, error) {
	var found bool
	err := c.step(ctx, answerTime, listRoom, func() error {
		list, err := c.client.List("", name, nil).Collect()
		for _, l := range list {
			found = found || !slices.Contains(l.Attrs, imap.MailboxAttrNoSelect) && !slices.Contains(l.Attrs, imap.MailboxAttrNonExistent)
		}
		return err
	})
	return found, err
}

// uids lists the mail from a number to another, both included, in order; to 0
// means the end. With since, it leaves out what certainly came before.
func (c *imapConn) uids(ctx context.Context, from, to uint32, since time.Time) ([]uint32, error) {
	criteria := &imap.SearchCriteria{UID: []imap.UIDSet{{imap.UIDRange{Start: imap.UID(from), Stop: imap.UID(to)}}}}
	if !since.IsZero() {
		// Servers compare days, in a time zone of their own.
		criteria.Since = since.UTC().AddDate(0, 0, -2)
	}
	var all []uint32
	err := c.step(ctx, answerTime, listRoom, func() error {
		data, err := c.client.UIDSearch(criteria, nil).Wait()
		if err != nil {
			return err
		}
		for _, uid := range data.AllUIDs() {
			// n:* names the last mail even when its number is lower.
			if n := uint32(uid); n >= from && (to == 0 || n <= to) {
				all = append(all, n)
			}
		}
		return nil
	})
	slices.Sort(all)
	return slices.Compact(all), err
}

// about is what is known of a mail before it is fetched.
type about struct {
	size int64
	came time.Time // when it came to the mailbox, if that was asked
}

// look returns what is known of some mails. One that has vanished is missing.
func (c *imapConn) look(ctx context.Context, uids []uint32, dates bool) (map[uint32]about, error) {
	found := map[uint32]about{}
	err := c.step(ctx, answerTime, listRoom, func() error {
		list, err := c.client.Fetch(uidSet(uids...), &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: dates}).Collect()
		for _, m := range list {
			found[uint32(m.UID)] = about{size: m.RFC822Size, came: m.InternalDate}
		}
		return err
	})
	return found, err
}

// Why a mail was not fetched although the connection is fine.
var (
	errGone     = errors.New("the mail has vanished")
	errTooLarge = errors.New("the mail is larger than the server said, and than any that is taken")
)

// body fetches a mail whole.
func (c *imapConn) body(ctx context.Context, uid uint32, a about) ([]byte, error) {
	limit := answerTime + time.Duration(a.size/slowest)*time.Second
	return c.fetch(ctx, uid, &imap.FetchItemBodySection{Peek: true}, limit, MaxBytes)
}

// header fetches the beginning of a mail's header.
func (c *imapConn) header(ctx context.Context, uid uint32) ([]byte, error) {
	section := &imap.FetchItemBodySection{
		Peek: true, Specifier: imap.PartSpecifierHeader, Partial: &imap.SectionPartial{Size: maxHeader},
	}
	return c.fetch(ctx, uid, section, answerTime, maxHeader)
}

// fetch reads one part of one mail into memory. It returns errGone for a mail
// that has certainly vanished, and ends the connection when the server sends
// more than room.
func (c *imapConn) fetch(ctx context.Context, uid uint32, section *imap.FetchItemBodySection, limit time.Duration, room int64) ([]byte, error) {
	var raw []byte
	err := c.step(ctx, limit, room+answerRoom, func() error {
		cmd := c.client.Fetch(uidSet(uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
		part, err := readBody(cmd, room)
		if err != nil {
			// The rest of a mail that is too large would come all the same; the
			// only way not to hear it is to hang up.
			_ = c.wire.Close()
		}
		if err != nil && !errors.Is(err, errTooLarge) {
			// The library, told that the body has ended, reads on; Close would
			// read beside it.
			<-c.client.Closed()
		}
		raw = part
		if closed := cmd.Close(); err == nil {
			err = closed
		}
		return err
	})
	if err != nil || raw != nil {
		return raw, err
	}
	return nil, c.vanished(ctx, uid)
}

// vanished judges a mail the server did not answer for: errGone when it has
// certainly vanished. It may also be that the server answers in a way that is
// not understood; then the mail must not be passed over.
func (c *imapConn) vanished(ctx context.Context, uid uint32) error {
	still, err := c.uids(ctx, uid, uid, time.Time{})
	switch {
	case err != nil:
		return err
	case len(still) == 0:
		return errGone
	}
	return &refusal{text: "it lists the mail and does not hand it over"}
}

// readBody reads the one body of an answer; nil when there was none.
func readBody(cmd *imapclient.FetchCommand, room int64) ([]byte, error) {
	for m := cmd.Next(); m != nil; m = cmd.Next() {
		for item := m.Next(); item != nil; item = m.Next() {
			body, ok := item.(imapclient.FetchItemDataBodySection)
			if !ok || body.Literal == nil {
				continue
			}
			if body.Literal.Size() > room {
				return nil, errTooLarge
			}
			raw := make([]byte, body.Literal.Size())
			// What the server announced is what must come: the library takes a
			// connection that breaks for the end of the mail.
			if _, err := io.ReadFull(body.Literal, raw); err != nil {
				return nil, fmt.Errorf("the mail broke off: %w", err)
			}
			return raw, nil
		}
	}
	return nil, nil
}

// mark does to a mail that was taken what the setting says. copied is whether
// an earlier try got as far as the copy; mark returns how far this one did.
func (c *imapConn) mark(ctx context.Context, uid uint32, copied bool) (bool, error) {
	switch c.box.After {
	case portal.AfterSeen:
		return false, c.flag(ctx, uid, imap.FlagSeen)
	case portal.AfterDelete:
		return false, c.remove(ctx, uid)
	case portal.AfterMove:
	default:
		return false, nil
	}
	move := false
	err := c.step(ctx, answerTime, answerRoom, func() error {
		if move = c.client.Caps().Has(imap.CapMove); move {
			_, err := c.client.Move(uidSet(uid), c.box.MoveTo).Wait()
			return err
		}
		if copied {
			return nil
		}
		// The library's own way round a missing MOVE deletes the mail even if
		// it could not be copied.
		_, err := c.client.Copy(uidSet(uid), c.box.MoveTo).Wait()
		return err
	})
	if err != nil || move {
		return copied, err
	}
	return true, c.remove(ctx, uid)
}

func (c *imapConn) flag(ctx context.Context, uid uint32, flag imap.Flag) error {
	return c.step(ctx, answerTime, answerRoom, func() error {
		return c.client.Store(uidSet(uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
	})
}

// remove marks a mail as deleted, and has it gone where the server can do that
// to one mail. Otherwise it stays, marked: EXPUNGE would take along what
// others marked.
func (c *imapConn) remove(ctx context.Context, uid uint32) error {
	if err := c.flag(ctx, uid, imap.FlagDeleted); err != nil {
		return err
	}
	return c.step(ctx, answerTime, answerRoom, func() error {
		if !c.client.Caps().Has(imap.CapUIDPlus) {
			return nil
		}
		return c.client.UIDExpunge(uidSet(uid)).Close()
	})
}

// canIdle reports whether the server tells of new mail by itself.
func (c *imapConn) canIdle(ctx context.Context) bool {
	can := false
	_ = c.step(ctx, answerTime, answerRoom, func() error {
		can = c.client.Caps().Has(imap.CapIdle)
		return nil
	})
	return can
}

// idle waits until the server tells of new mail, the time is over or ctx
// ends.
func (c *imapConn) idle(ctx context.Context, long time.Duration) error {
	var idling *imapclient.IdleCommand
	err := c.step(ctx, answerTime, answerRoom, func() error {
		var err error
		idling, err = c.client.Idle()
		return err
	})
	if err != nil {
		return err
	}
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-c.news:
		// The mail itself is looked for; here it only ends the wait.
	case <-timer.C:
	case <-ctx.Done():
	case <-c.client.Closed():
	}
	// Even when ctx has ended: what comes next may be a goodbye.
	return c.step(context.WithoutCancel(ctx), stepTime, answerRoom, func() error {
		if err := idling.Close(); err != nil {
			return err
		}
		return idling.Wait()
	})
}

// heard drops what the server told so far: a search that follows sees it.
func (c *imapConn) heard() {
	select {
	case <-c.news:
	default:
	}
}

// leave says goodbye, briefly, and closes the connection.
func (c *imapConn) leave(ctx context.Context) {
	_ = c.step(ctx, 2*time.Second, answerRoom, func() error { return c.client.Logout().Wait() })
	c.cut()
}

// cut closes the connection and waits for the library to see it.
func (c *imapConn) cut() {
	_ = c.wire.Close()
	if c.client != nil {
		_ = c.client.Close()
	}
}

// step asks the server something: within a time, for an answer of a length,
// and cut short when ctx ends. It turns what the library says into what
// happened.
func (c *imapConn) step(ctx context.Context, limit time.Duration, room int64, ask func() error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	stop := context.AfterFunc(ctx, func() { _ = c.wire.Close() })
	defer stop()
	c.wire.expect(limit, room)
	defer c.wire.rest()
	err := ask()
	var no *imap.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errTooLarge):
		return err
	case c.wire.cause() != nil:
		return c.wire.cause()
	case errors.As(err, &no) && no.Type == imap.StatusResponseTypeBye:
		return fmt.Errorf("the server hangs up: %s", clean(no.Text, c.box.User))
	case errors.As(err, &no):
		return &refusal{code: string(no.Code), text: clean(no.Text, c.box.User)}
	case strings.HasSuffix(err.Error(), io.EOF.Error()):
		// The library hands on the text of the reason, not the reason.
		return errCut
	}
	return err
}

// errCut is a connection that ends before the answer.
var errCut = errors.New("the connection broke")

func uidSet(uids ...uint32) imap.UIDSet {
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	return set
}

// innermost is the last cause of an error: "connection refused" rather than
// the addresses around it.
func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
