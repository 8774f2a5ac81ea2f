package helpdesk

import (
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	_ "modernc.org/sqlite" // tickets are opened again past the store

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/web"
)

// BenchmarkDeskList is a page of 50 tickets with everything around it: all
// middleware, session, list, count, navigation, HTML. It is judged by its
// ratio to web's BenchmarkListFloor in the same minute; performance.md says
// how to bench.
func BenchmarkDeskList(b *testing.B) {
	for _, open := range []int{200, 5000, 10000} {
		handler, token, s := benchDesk(b, open)
		for _, c := range []struct{ name, path string }{
			{"all", "/helpdesk/tickets?queue=all"},
			{"us", "/helpdesk/tickets?queue=us"},
			{"due", "/helpdesk/tickets?queue=all&sort=due"},
			{"search", "/helpdesk/tickets?q=contact+77"},
		} {
			b.Run(fmt.Sprintf("open=%d/%s", open, c.name), func(b *testing.B) {
				size := 0
				for b.Loop() {
					size = ask(b, handler, token, c.path)
				}
				b.ReportMetric(float64(size), "bytes")
			})
		}
		b.Run(fmt.Sprintf("open=%d/all, counted anew", open), func(b *testing.B) {
			for b.Loop() {
				// What was written makes the counts old.
				if err := s.Write(b.Context(), func(*store.Tx) error { return nil }); err != nil {
					b.Fatal(err)
				}
				ask(b, handler, token, "/helpdesk/tickets?queue=all")
			}
		})
	}
}

func benchDesk(b *testing.B, open int) (http.Handler, string, *store.Store) {
	b.Helper()
	seeded := portaltest.Seed(b, store.Options{})
	db, err := sql.Open("sqlite", "file:"+seeded.Path())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		`UPDATE ticket SET status = 'closed', closed_at = updated_at`,
		fmt.Sprintf(`UPDATE ticket SET closed_at = NULL, status = CASE number %% 3 WHEN 0 THEN 'new' WHEN 1 THEN 'waiting_on_us' ELSE 'waiting_on_customer' END,
			assignee_id = CASE number %% 4 WHEN 0 THEN 1 END, resolve_due_at = updated_at + 86400000
			WHERE number IN (SELECT number FROM ticket ORDER BY updated_at DESC LIMIT %d)`, open),
	} {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	base, err := url.Parse("http://desk.test")
	if err != nil {
		b.Fatal(err)
	}
	var token string
	err = seeded.Write(b.Context(), func(tx *store.Tx) (err error) {
		s := store.Session{Agent: 1, CreatedAt: tx.Now, SeenAt: tx.Now, ExpiresAt: tx.Now.Add(24 * time.Hour)}
		if token, s.Hash, err = auth.NewToken(); err != nil {
			return err
		}
		agent := portal.Agent{Email: "bea@desk.example", Name: "Bea", Role: portal.RoleAgent, EveryInbox: true}
		if err := tx.AddAgent(b.Context(), &agent); err != nil {
			return err
		}
		return tx.AddSession(b.Context(), &s)
	})
	if err != nil {
		b.Fatal(err)
	}
	a := app.New(app.Options{Store: seeded.Store, BaseURL: base})
	log := slog.New(slog.DiscardHandler)
	return web.New(web.Options{App: a, BaseURL: base, Log: log, Desk: New(Options{App: a, Log: log})}).Handler(), token, seeded.Store
}

func ask(b *testing.B, handler http.Handler, token, path string) int {
	r := httptest.NewRequest(http.MethodGet, "http://desk.test"+path, nil)
	r.AddCookie(&http.Cookie{Name: "portalctl", Value: token})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("GET %s: %d to %q", path, w.Code, w.Header().Get("Location"))
	}
	return w.Body.Len()
}
