package web

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// world is a served portal: Ana and Bo of Acme, Eve of Beta, and the agent
// Ines. Everybody may sign in by link, Ana by password as well.
type world struct {
	t            testing.TB
	app          *app.App
	store        *store.Store
	clock        *portaltest.Clock
	server       *httptest.Server
	log          *bytes.Buffer
	portal       *portal.Portal
	ana, bo, eve *portal.Contact
	acme         *portal.Company
	agent        *portal.Agent
	anas, bos    portal.TicketNumber // a ticket of each
	anasFile     portal.FileID
}

const anasPassword = "a lighthouse in the rain"

func newWorld(t testing.TB, change func(*portal.Portal)) *world {
	t.Helper()
	return newWorldAt(t, "127.0.0.1", change)
}

// newWorldAt is newWorld by another name of this machine: browsers have
// passkeys at localhost.
func newWorldAt(t testing.TB, host string, change func(*portal.Portal)) *world {
	t.Helper()
	s, clock := portaltest.StoreClock(t)
	w := &world{t: t, store: s, clock: clock, log: &bytes.Buffer{}}
	w.server = httptest.NewUnstartedServer(nil)
	base, err := url.Parse("http://" + strings.Replace(w.server.Listener.Addr().String(), "127.0.0.1", host, 1))
	if err != nil {
		t.Fatal(err)
	}
	w.app = app.New(app.Options{Store: s, Hasher: auth.NewHasher(2), Now: clock.Now, BaseURL: base, Texts: &app.Texts{Languages: i18n.Codes(), Canonical: i18n.Canonical}})
	w.people(change)
	w.server.Config.Handler = New(Options{
		App: w.app, BaseURL: base, Now: clock.Now, TempDir: t.TempDir(),
		Log: slog.New(slog.NewJSONHandler(w.log, nil)),
	}).Handler()
	w.server.Start()
	w.server.URL = base.String()
	t.Cleanup(w.server.Close)
	w.anas = w.open(w.ana, app.NewTicket{
		Subject: "The scanner shows error 7", Body: "Since this morning.\n\nSee https://example.com/7 please.",
		Files: []app.Upload{{Name: "photo.png", Content: bytes.NewReader(picture())}, {Name: "log.txt", Content: strings.NewReader("a log")}},
	})
	w.bos = w.open(w.bo, app.NewTicket{Subject: "Invoice 2041 twice", Body: "We were charged twice."})
	v := w.visit(w.signIn(w.ana))
	view, err := w.app.Ticket(t.Context(), v, w.anas)
	if err != nil {
		t.Fatal(err)
	}
	w.anasFile = view.Messages[0].Files[0].ID
	return w
}

// people fills the store.
func (w *world) people(change func(*portal.Portal)) {
	hash, err := auth.NewHasher(2).Hash(w.t.Context(), anasPassword)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		system, err := tx.SystemDomain(ctx)
		if err != nil {
			return err
		}
		inbox := &portal.Inbox{Name: "Support", Kind: portal.InboxMail, Address: "support@example.com"}
		group := &portal.Group{Name: "customers"}
		w.agent = &portal.Agent{Email: "ines@desk.example", Name: "Ines Holm", Role: portal.RoleAgent, EveryInbox: true}
		w.acme = &portal.Company{Name: "Acme"}
		beta := &portal.Company{Name: "Beta"}
		p := &portal.Portal{
			Name: "Nordlys Help", DomainID: system.ID, Slug: "help", State: portal.Live, Accent: portal.DefaultAccent,
			TimeZone: "Europe/Stockholm", Tickets: portal.DefaultTicketSettings(), Access: portal.DefaultAccessSettings(),
		}
		p.Access.Mode = portal.ModeGroups
		steps := []func() error{
			func() error { return tx.AddInbox(ctx, inbox) },
			func() error { return tx.AddGroup(ctx, group) },
			func() error { return tx.AddAgent(ctx, w.agent) },
			func() error { return tx.AddCompany(ctx, w.acme) },
			func() error { return tx.AddCompany(ctx, beta) },
			func() error { w.ana, err = w.contact(ctx, tx, group, "Ana Berg", w.acme); return err },
			func() error { w.bo, err = w.contact(ctx, tx, group, "Bo Ek", w.acme); return err },
			func() error { w.eve, err = w.contact(ctx, tx, group, "Eve Lind", beta); return err },
			func() error { return tx.SetPasswordHash(ctx, portal.Person{Contact: w.ana.ID}, hash) },
			func() error {
				p.Tickets.InboxID, p.Access.Groups = inbox.ID, []portal.GroupID{group.ID}
				if change != nil {
					change(p)
				}
				return tx.AddPortal(ctx, p)
			},
			func() error { w.portal, err = tx.Portal(ctx, p.ID); return err },
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *world) contact(ctx context.Context, tx *store.Tx, g *portal.Group, name string, company *portal.Company) (*portal.Contact, error) {
	first, _, _ := strings.Cut(strings.ToLower(name), " ")
	c := &portal.Contact{Email: first + "@example.com", Name: name, Primary: company.ID, Companies: []portal.CompanyID{company.ID}}
	if err := tx.AddContact(ctx, c); err != nil {
		return nil, err
	}
	_, err := tx.AddToGroup(ctx, g.ID, c.ID)
	return c, err
}

func (w *world) write(fn func(context.Context, *store.Tx) error) {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.store.Write(ctx, func(tx *store.Tx) error { return fn(ctx, tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func picture() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 320, 200))
	for x := range 320 {
		for y := range 200 {
			img.Set(x, y, color.RGBA{uint8(x / 2), 120, uint8(y), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// token makes a one-time link's token, as the mail would carry it.
func (w *world) token(t store.Token) string {
	w.t.Helper()
	var token string
	w.write(func(ctx context.Context, tx *store.Tx) error {
		secret, hash, err := auth.NewToken()
		if err != nil {
			return err
		}
		token = secret
		t.Hash, t.CreatedAt, t.Portal = hash, tx.Now, w.portal.ID
		if t.ExpiresAt.IsZero() {
			t.ExpiresAt = tx.Now.Add(10 * time.Minute)
		}
		return tx.AddToken(ctx, &t)
	})
	return token
}

func (w *world) visit(session string) *app.Visit {
	w.t.Helper()
	u, err := url.Parse(w.server.URL)
	if err != nil || u.Host == "" {
		u = &url.URL{Host: w.server.Listener.Addr().String()}
	}
	v, err := w.app.Enter(w.t.Context(), u.Host, "/help/tickets", session)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// signIn returns a session token of a contact.
func (w *world) signIn(c *portal.Contact) string {
	w.t.Helper()
	return w.use(w.token(store.Token{Kind: store.TokenSignIn, Contact: c.ID, Email: c.Email}))
}

func (w *world) signInAgent() string {
	w.t.Helper()
	return w.use(w.token(store.Token{Kind: store.TokenSignIn, Agent: w.agent.ID, Email: w.agent.Email}))
}

func (w *world) use(token string) string {
	w.t.Helper()
	in, err := w.app.UseLink(w.t.Context(), w.visit(""), token, app.LinkAnswer{Agree: true}, app.Device{UserAgent: "Firefox/140 (Windows)", Address: "192.0.2.7"})
	if err != nil {
		w.t.Fatal(err)
	}
	return in.Token
}

func (w *world) open(c *portal.Contact, t app.NewTicket) portal.TicketNumber {
	w.t.Helper()
	n, err := w.app.OpenTicket(w.t.Context(), w.visit(w.signIn(c)), t)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// browser keeps cookies and follows no redirects.
type browser struct {
	w      *world
	client *http.Client
}

// browser opens one; session may be "".
func (w *world) browser(session string) *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if session != "" {
		u, _ := url.Parse(w.server.URL)
		jar.SetCookies(u, []*http.Cookie{{Name: "portalctl", Value: session, Path: "/"}})
	}
	return &browser{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

func (b *browser) do(r *http.Request) answer {
	b.w.t.Helper()
	res, err := b.client.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return answer{res, string(body)}
}

func (b *browser) request(method, path string, body io.Reader) *http.Request {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), method, b.w.server.URL+path, body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return r
}

func (b *browser) get(path string) answer {
	b.w.t.Helper()
	return b.do(b.request(http.MethodGet, path, nil))
}

// post sends a form as a browser on the portal's own page would: names and
// values in turn.
func (b *browser) post(path string, fields ...string) answer {
	b.w.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	r := b.request(http.MethodPost, path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.w.server.URL)
	return b.do(r)
}

// dom parses a page.
func (a answer) dom(t testing.TB) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// find returns the elements with an attribute of a value.
func find(n *html.Node, attribute, value string) []*html.Node {
	var found []*html.Node
	for c := range n.Descendants() {
		if c.Type == html.ElementNode && attr(c, attribute) == value {
			found = append(found, c)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// textOf is everything written in an element.
func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// savePortal writes what a test changed in the portal's settings.
func (w *world) savePortal() {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.SavePortal(ctx, w.portal) })
}
