package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// benchWorld serves a seeded store to its typical contact.
type benchWorld struct {
	*portaltest.Seeded
	handler http.Handler
	cookie  string
	offset  atomic.Int64 // how far the clock was put forward
	numbers []portal.TicketNumber
}

func newBenchWorld(b *testing.B) *benchWorld {
	b.Helper()
	w := &benchWorld{}
	now := func() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) }
	w.Seeded = portaltest.Seed(b, store.Options{Now: now})
	base, err := url.Parse("http://portal.test")
	if err != nil {
		b.Fatal(err)
	}
	a := app.New(app.Options{Store: w.Store, Hasher: auth.NewHasher(2), BaseURL: base, Now: now})
	w.handler = New(Options{App: a, BaseURL: base, Now: now, TempDir: b.TempDir()}).Handler()
	token, hash, err := auth.NewToken()
	if err != nil {
		b.Fatal(err)
	}
	w.cookie = "portalctl=" + token
	ctx := b.Context()
	err = w.Store.Write(ctx, func(tx *store.Tx) error {
		system, err := tx.SystemDomain(ctx)
		if err != nil {
			return err
		}
		p := &portal.Portal{
			Name: "Help", DomainID: system.ID, Slug: "bench", State: portal.Live, Accent: portal.DefaultAccent,
			Tickets: portal.DefaultTicketSettings(), Access: portal.DefaultAccessSettings(),
		}
		p.Access.Mode, p.Access.IdleTimeout = portal.ModeSelfRegister, 30*24*time.Hour
		inboxes, err := tx.Inboxes(ctx)
		if err != nil {
			return err
		}
		p.Tickets.InboxID = inboxes[0].ID
		if err := tx.AddPortal(ctx, p); err != nil {
			return err
		}
		member := &portal.Member{PortalID: p.ID, ContactID: w.Typical.Contact, Status: portal.Registered}
		if err := tx.SaveMember(ctx, member); err != nil {
			return err
		}
		rows, err := tx.Tickets(ctx, w.Typical, 0, store.TicketFilter{Scope: store.ScopeMine, Statuses: []portal.Status{portal.New, portal.WaitingOnUs, portal.WaitingOnCustomer}}, store.TicketPage{Limit: 25})
		if err != nil {
			return err
		}
		for _, row := range rows {
			w.numbers = append(w.numbers, row.Number)
		}
		return tx.AddSession(ctx, &store.Session{Hash: hash, Portal: p.ID, Contact: w.Typical.Contact, CreatedAt: tx.Now, SeenAt: tx.Now, ExpiresAt: tx.Now.Add(30 * 24 * time.Hour)})
	})
	if err != nil {
		b.Fatal(err)
	}
	return w
}

func (w *benchWorld) ask(b *testing.B, r *http.Request, want int) {
	r.Host = "portal.test"
	r.Header.Set("Cookie", w.cookie)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	if rec.Code != want {
		b.Fatalf("%s answers %d, wanted %d: %.500s", r.URL, rec.Code, want, rec.Body)
	}
}

// BenchmarkListFloor is the ticket list at its barest: the session by its
// token, 25 rows, 8 KiB of HTML appended piece by piece.
func BenchmarkListFloor(b *testing.B) {
	w := newBenchWorld(b)
	hash := auth.HashToken(strings.TrimPrefix(w.cookie, "portalctl="))
	h := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		page := make([]byte, 0, 16<<10)
		err := w.Store.Read(r.Context(), func(tx *store.Tx) error {
			if _, err := tx.Visitor(r.Context(), hash, 1); err != nil {
				return err
			}
			rows, err := tx.Tickets(r.Context(), w.Typical, 0, store.TicketFilter{Scope: store.ScopeMine}, store.TicketPage{Limit: 25})
			if err != nil {
				return err
			}
			page = append(page, strings.Repeat("<p>frame</p>", 200)...)
			for i := range rows {
				page = fmt.Appendf(page, `<tr><td>%s</td><td><a href="/bench/tickets/%s">%s</a></td><td>%s</td><td>%s</td><td>%d</td></tr>`,
					rows[i].Number, rows[i].Number, rows[i].Subject, rows[i].Status, rows[i].RequesterName, rows[i].UpdatedAt.UnixMilli())
			}
			return nil
		})
		if err != nil {
			b.Error(err)
		}
		_, _ = rw.Write(page)
	})
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/bench/tickets", nil))
	}
}

func BenchmarkListPage(b *testing.B) {
	w := newBenchWorld(b)
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		w.ask(b, httptest.NewRequest(http.MethodGet, "/bench/tickets?status=all", nil), http.StatusOK)
	}
}

func BenchmarkTicketPage(b *testing.B) {
	w := newBenchWorld(b)
	b.ReportAllocs()
	defer cpu(b)()
	for i := 0; b.Loop(); i++ {
		w.ask(b, httptest.NewRequest(http.MethodGet, "/bench/tickets/"+w.numbers[i%len(w.numbers)].String(), nil), http.StatusOK)
	}
}

func BenchmarkReply(b *testing.B) {
	w := newBenchWorld(b)
	b.ReportAllocs()
	defer cpu(b)()
	for i := 0; b.Loop(); i++ {
		if i%200 == 199 {
			w.offset.Add(int64(time.Hour)) // past the limit of one person
		}
		body := url.Values{"body": {"An answer of usual length, as customers write them every day."}, "how": {"send"}}.Encode()
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/bench/tickets/"+w.numbers[i%len(w.numbers)].String()+"/replies", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w.ask(b, r, http.StatusSeeOther)
	}
}
