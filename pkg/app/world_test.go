package app

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// world is a small store: one live portal for the group customers, with Ana
// and Bo of Acme and Eve of Beta in it, and one agent.
type world struct {
	*App
	t       *testing.T
	clock   *portaltest.Clock
	portal  *portal.Portal
	group   *portal.Group
	acme    *portal.Company
	ana, bo *portal.Contact
	eve     *portal.Contact
	agent   *portal.Agent
}

func newWorld(t *testing.T, change func(*portal.Portal)) *world {
	t.Helper()
	s, clock := portaltest.StoreClock(t)
	base, err := url.Parse("http://portal.test:8080")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clock: clock}
	w.App = New(Options{Store: s, Hasher: auth.NewHasher(2), Now: clock.Now, BaseURL: base, Texts: threeLanguages})
	w.write(func(ctx context.Context, tx *store.Tx) error {
		system, err := tx.SystemDomain(ctx)
		if err != nil {
			return err
		}
		inbox := &portal.Inbox{Name: "Support", Kind: portal.InboxMail, Address: "support@example.com"}
		if err := tx.AddInbox(ctx, inbox); err != nil {
			return err
		}
		w.group = &portal.Group{Name: "customers"}
		if err := tx.AddGroup(ctx, w.group); err != nil {
			return err
		}
		w.agent = &portal.Agent{Email: "agent@example.com", Name: "Ines", Role: portal.RoleAgent, EveryInbox: true}
		if err := tx.AddAgent(ctx, w.agent); err != nil {
			return err
		}
		w.acme = &portal.Company{Name: "Acme"}
		beta := &portal.Company{Name: "Beta"}
		for _, c := range []*portal.Company{w.acme, beta} {
			if err := tx.AddCompany(ctx, c); err != nil {
				return err
			}
		}
		add := func(name string, company *portal.Company) *portal.Contact {
			c := &portal.Contact{Email: name + "@example.com", Name: name, Primary: company.ID, Companies: []portal.CompanyID{company.ID}}
			if err == nil {
				err = tx.AddContact(ctx, c)
			}
			if err == nil {
				_, err = tx.AddToGroup(ctx, w.group.ID, c.ID)
			}
			return c
		}
		w.ana, w.bo, w.eve = add("ana", w.acme), add("bo", w.acme), add("eve", beta)
		if err != nil {
			return err
		}
		p := &portal.Portal{
			Name: "Help", DomainID: system.ID, Slug: "help", State: portal.Live, Accent: portal.DefaultAccent,
			TimeZone: "Europe/Stockholm", Tickets: portal.DefaultTicketSettings(), Access: portal.DefaultAccessSettings(),
		}
		p.Tickets.InboxID = inbox.ID
		p.Access.Mode, p.Access.Groups = portal.ModeGroups, []portal.GroupID{w.group.ID}
		if change != nil {
			change(p)
		}
		if err := tx.AddPortal(ctx, p); err != nil {
			return err
		}
		w.portal, err = tx.Portal(ctx, p.ID)
		return err
	})
	return w
}

func (w *world) write(fn func(context.Context, *store.Tx) error) {
	w.t.Helper()
	ctx := w.t.Context()
	if err := w.store.Write(ctx, func(tx *store.Tx) error { return fn(ctx, tx) }); err != nil {
		w.t.Fatal(err)
	}
}

// visit enters the portal with a session token.
func (w *world) visit(token string) *Visit {
	w.t.Helper()
	v, err := w.Enter(w.t.Context(), "portal.test:8080", "/help/tickets", token)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Seen(v, phone)
	return v
}

var phone = Device{Token: strings.Repeat("A", 43), UserAgent: "phone", Address: "192.0.2.7"}

// link makes a sign-in link's token for a contact, as the mail would carry.
func (w *world) link(t store.Token) string {
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
			t.ExpiresAt = tx.Now.Add(SignInLinkLife)
		}
		return tx.AddToken(ctx, &t)
	})
	return token
}

// as signs a contact in by link and returns their visit.
func (w *world) as(c *portal.Contact) *Visit {
	w.t.Helper()
	return w.visit(w.signIn(c))
}

func (w *world) signIn(c *portal.Contact) string {
	w.t.Helper()
	token := w.link(store.Token{Kind: store.TokenSignIn, Contact: c.ID})
	in, err := w.UseLink(w.t.Context(), w.visit(""), token, LinkAnswer{}, phone)
	if err != nil {
		w.t.Fatal(err)
	}
	return in.Token
}

func (w *world) asAgent() *Visit {
	w.t.Helper()
	return w.visit(w.signInAgent())
}

func (w *world) signInAgent() string {
	w.t.Helper()
	token := w.link(store.Token{Kind: store.TokenSignIn, Agent: w.agent.ID})
	in, err := w.UseLink(w.t.Context(), w.visit(""), token, LinkAnswer{}, phone)
	if err != nil {
		w.t.Fatal(err)
	}
	return in.Token
}

// mails lists the outbox as "kind to recipient", oldest first, and empties it.
func (w *world) mails() []string {
	w.t.Helper()
	var list []string
	w.write(func(ctx context.Context, tx *store.Tx) error {
		mails, err := tx.Outbox(ctx, store.OutboxFilter{States: []store.MailState{store.MailWaiting}, Limit: 200})
		if err != nil {
			return err
		}
		for i := len(mails) - 1; i >= 0; i-- {
			list = append(list, string(mails[i].Kind)+" to "+mails[i].Recipient)
			if _, err := tx.DropMail(ctx, mails[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	return list
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	for _, e := range portal.Errors(err) {
		if e.Code == code {
			return
		}
	}
	t.Errorf("got %v, want an error with code %s", err, code)
}
