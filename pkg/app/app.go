// Package app is each thing the product does, once, with its transaction.
// Pages, mail and commands share it, so rules cannot drift apart.
package app

import (
	"context"
	"io"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/dns"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/sso"
	"github.com/portalctl/portalctl/pkg/store"
)

// Options are what an App works with.
type Options struct {
	Store  *store.Store
	Hasher *auth.Hasher
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: discarded
	// BaseURL is the address of the system domain. Nil takes the one the
	// last serve left in the store, or http://127.0.0.1:8080.
	BaseURL *url.URL
	// Resolver asks DNS; nil asks the servers responsible for a name.
	Resolver *dns.Resolver
	// Issuers are the names of the certificate authority in use, as CAA
	// records have them; nil: those of Let's Encrypt, empty: not known.
	Issuers []string
	// Issues is set when this server gets its certificates itself.
	Issues bool
	// Mailer sends the outbox; nil: this process sends no mail.
	Mailer Mailer
	// Operator is who runs a command, by the operating system's name, for the
	// audit log; "" for serve, where nobody does.
	Operator string
	// OperatorAddress is the IP address the operator came from; "" for the
	// machine itself.
	OperatorAddress string
	// InviteNow sends the invitations that a change of settings causes at
	// once, instead of after the grace in which it can be taken back.
	InviteNow bool
	// Parse reads a mail that came in; nil: this process takes no mail.
	Parse func(raw []byte) *portal.Incoming
	// MailWords are what messages made from mail say in a language.
	MailWords func(language string) MailWords
	// Texts is what it has to know of the texts people read; nil: there is
	// only English.
	Texts *Texts
}

// App does what the product does. It is safe for concurrent use.
type App struct {
	store     *store.Store
	hasher    *auth.Hasher
	now       func() time.Time
	log       *slog.Logger
	baseURL   *url.URL
	resolver  *dns.Resolver
	issuers   []string
	issues    bool
	mailer    Mailer
	operator  string
	from      string
	inviteNow bool
	sealer    *auth.Sealer
	sso       *sso.Client
	usual     usuals
	parse     func(raw []byte) *portal.Incoming
	mailWords func(language string) MailWords
	texts     *Texts

	preview  *preview // set when all that is served is a preview
	settings atomic.Pointer[settings]
	mailDue  chan struct{} // wakes Deliver; holds one
	answers  chan struct{} // wakes sendAnswers; holds one
	feed     *feed         // tells open pages of the help desk what changes
	frames   frames        // what stands around the help desk's pages, for a moment
	laterMu  sync.RWMutex
	later    chan func(context.Context) error // work done after the answer; nil: done at once
}

// New makes an App.
func New(o Options) *App {
	a := &App{
		store: o.Store, hasher: o.Hasher, now: o.Now, log: o.Log, baseURL: o.BaseURL,
		resolver: o.Resolver, mailer: o.Mailer, mailDue: make(chan struct{}, 1), answers: make(chan struct{}, 1),
		feed: newFeed(), operator: o.Operator, from: o.OperatorAddress, inviteNow: o.InviteNow,
		parse: o.Parse, mailWords: o.MailWords, texts: o.Texts, issuers: o.Issuers, issues: o.Issues,
	}
	if a.resolver == nil {
		a.resolver = dns.New(dns.Options{})
	}
	if a.issuers == nil {
		a.issuers = []string{dns.LetsEncrypt}
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.texts == nil {
		a.texts = &onlyEnglish
	}
	a.sso = sso.New(a.now)
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.hasher == nil {
		a.hasher = auth.NewHasher(0)
	}
	if a.store != nil {
		a.sealer = auth.NewSealer(a.store.KeyPath())
		a.store.OnMoves(a.settleMoves)
		a.store.OnWritten(a.feed.written)
	}
	return a
}

// Store returns the store the App works on.
func (a *App) Store() *store.Store { return a.store }

// wakeMail tells Deliver that a mail was queued. Call it after the commit.
func (a *App) wakeMail() {
	select {
	case a.mailDue <- struct{}{}:
	default:
	}
}

// Upload is a file somebody sends. Content is read once.
type Upload struct {
	Name    string
	Content io.Reader
}

// Device is the browser somebody uses, for their list of sessions and for
// limits by network.
type Device struct {
	UserAgent string
	Address   string // IP address
	// Token is what the browser holds to be recognised by, and Asked what it
	// was given when it asked for a link; both may be "".
	Token, Asked string
}

// viewerActor names who acts for a visit.
func (v *Visit) actor() portal.Actor {
	if v.Agent != nil {
		return portal.ByAgent(v.Agent.ID)
	}
	return portal.ByContact(v.Contact.ID)
}
