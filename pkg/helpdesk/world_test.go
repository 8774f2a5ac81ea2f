package helpdesk

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/mail/incoming"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// world is a served help desk with two inboxes, Support and Billing; the
// admin Ines, the agent Omar, who sees Support alone, and the customer Ana of
// Acme with a ticket in each inbox.
type world struct {
	t                testing.TB
	app              *app.App
	store            *store.Store
	clock            *portaltest.Clock
	server           *httptest.Server
	log              *bytes.Buffer
	ines, omar       *portal.Agent
	ana              *portal.Contact
	portal           *portal.Portal
	support, billing *portal.Inbox
	scanner, invoice portal.TicketNumber // the ticket in Support, and the one in Billing
}

func newWorld(t testing.TB) *world {
	t.Helper()
	s, clock := portaltest.StoreClock(t)
	w := &world{t: t, store: s, clock: clock, log: &bytes.Buffer{}}
	w.server = httptest.NewUnstartedServer(nil)
	base, err := url.Parse("http://" + w.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(w.log, nil))
	words := app.MailWords{NoSubject: "-", NoText: "-", TextCut: "-", FilesLeft: func(names string) string { return names }}
	w.app = app.New(app.Options{
		Store: s, Hasher: auth.NewHasher(2), Now: clock.Now, BaseURL: base, Parse: incoming.Parse, MailWords: func(string) app.MailWords { return words },
		Texts: &app.Texts{Languages: i18n.Codes(), Canonical: i18n.Canonical},
	})
	w.people()
	w.server.Config.Handler = chain(w.app, New(Options{App: w.app, Log: log, Now: clock.Now, TempDir: t.TempDir()}))
	w.server.Start()
	w.server.URL = base.String()
	t.Cleanup(w.server.Close)
	w.scanner = w.open(w.support, "The scanner shows error 7", "Since this morning.")
	w.invoice = w.open(w.billing, "Invoice 2041 twice", "We were charged twice.")
	return w
}

// chain stands for web.Server.Handler, which this package may not import:
// what the help desk relies on of it, around the help desk.
func chain(a *app.App, desk *Server) http.Handler {
	origins := http.NewCrossOriginProtection()
	visit := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := page.InfoFrom(r.Context())
		v, err := a.Enter(r.Context(), info.Host, r.URL.Path, page.SessionToken(r))
		if err != nil || !v.Portal.IsDesk() {
			http.NotFound(w, r)
			return
		}
		info.Visit = v
		page.Greet(w, r, v)
		below := r.Clone(r.Context())
		below.URL.Path, below.URL.RawPath = v.Path, ""
		desk.ServeHTTP(w, below)
	})
	return page.WithInfo(page.NewProxies(nil, false), false, page.Headers(page.Pace(page.Recover(desk.fail, origins.Handler(visit)))))
}

func (w *world) write(fn func(context.Context, *store.Tx) error) {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.store.Write(ctx, func(tx *store.Tx) error { return fn(ctx, tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) people() {
	w.write(func(ctx context.Context, tx *store.Tx) error {
		system, err := tx.SystemDomain(ctx)
		if err != nil {
			return err
		}
		w.support = &portal.Inbox{Name: "Support", Kind: portal.InboxHelpdesk}
		w.billing = &portal.Inbox{Name: "Billing", Kind: portal.InboxHelpdesk}
		acme := &portal.Company{Name: "Acme"}
		for _, step := range []func() error{
			func() error { return tx.AddInbox(ctx, w.support) },
			func() error { return tx.AddInbox(ctx, w.billing) },
			func() error { return tx.AddCompany(ctx, acme) },
			func() error {
				w.ines = &portal.Agent{Email: "ines@desk.example", Name: "Ines Holm", Role: portal.RoleAdmin, EveryInbox: true}
				return tx.AddAgent(ctx, w.ines)
			},
			func() error {
				w.omar = &portal.Agent{Email: "omar@desk.example", Name: "Omar Falk", Role: portal.RoleAgent, Inboxes: []portal.InboxID{w.support.ID}}
				return tx.AddAgent(ctx, w.omar)
			},
			func() error {
				w.ana = &portal.Contact{Email: "ana@example.com", Name: "Ana Berg", Primary: acme.ID, Companies: []portal.CompanyID{acme.ID}}
				return tx.AddContact(ctx, w.ana)
			},
			func() error {
				w.portal = &portal.Portal{
					Name: "Nordlys Help", DomainID: system.ID, Slug: "help", State: portal.Live, Accent: portal.DefaultAccent,
					TimeZone: "Europe/Stockholm", Tickets: portal.DefaultTicketSettings(), Access: portal.DefaultAccessSettings(),
				}
				w.portal.Tickets.InboxID, w.portal.Access.Mode = w.support.ID, portal.ModeSelfRegister
				return tx.AddPortal(ctx, w.portal)
			},
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
}

// open opens a ticket of Ana's.
func (w *world) open(in *portal.Inbox, subject, body string) portal.TicketNumber {
	w.t.Helper()
	n, err := w.app.CreateTicket(w.t.Context(), app.DeskTicket{Requester: w.ana.ID, Portal: w.portal.ID, Inbox: in.ID, Subject: subject, Body: body})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// browser is somebody's browser; nobody's when agent is nil.
type browser struct {
	w *world
	c *http.Client
}

func (w *world) browser(agent *portal.Agent) *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	b := &browser{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if agent != nil {
		b.hold(w.session(store.Session{Agent: agent.ID}))
	}
	return b
}

// session makes a session and returns its token.
func (w *world) session(s store.Session) string {
	w.t.Helper()
	var token string
	w.write(func(ctx context.Context, tx *store.Tx) (err error) {
		if token, s.Hash, err = auth.NewToken(); err != nil {
			return err
		}
		s.CreatedAt, s.SeenAt, s.ExpiresAt = tx.Now, tx.Now, tx.Now.Add(24*time.Hour)
		return tx.AddSession(ctx, &s)
	})
	return token
}

func (b *browser) hold(token string) {
	u, err := url.Parse(b.w.server.URL)
	if err != nil {
		b.w.t.Fatal(err)
	}
	b.c.Jar.SetCookies(u, []*http.Cookie{{Name: "portalctl", Value: token, Path: "/"}})
}

type answer struct {
	*http.Response
	body string
}

func (b *browser) do(r *http.Request) answer {
	b.w.t.Helper()
	resp, err := b.c.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return answer{resp, string(body)}
}

func (b *browser) get(path string) answer {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodGet, b.w.server.URL+path, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.do(r)
}

// post sends a form: names and values in turn.
func (b *browser) post(path string, fields ...string) answer {
	b.w.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(b.w.t.Context(), http.MethodPost, b.w.server.URL+path, strings.NewReader(values.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

// wants checks an answer's status and that its body holds every text.
func (a answer) wants(t testing.TB, status int, texts ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s answers %d to %q, wanted %d\n%s", a.Request.URL, a.StatusCode, a.Header.Get("Location"), status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("%s does not say %q\n%s", a.Request.URL, text, a.body)
		}
	}
}

// lacks checks that an answer's body holds none of the texts.
func (a answer) lacks(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			t.Errorf("%s says %q\n%s", a.Request.URL, text, a.body)
		}
	}
}

func path(format string, args ...any) string { return "/helpdesk" + fmt.Sprintf(format, args...) }

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// handOf is an agent at work.
func handOf(a *portal.Agent) app.Hand { return app.HandOf(&app.Visit{Agent: a}) }
