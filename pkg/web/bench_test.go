package web

import (
	"context"
	"database/sql"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the floor's two queries go past the store

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// desk is a seeded store behind the whole chain of handlers, with sessions of
// many contacts.
type desk struct {
	seeded  *portaltest.Seeded
	handler http.Handler
	tokens  []string
	hashes  [][]byte
	tickets []portal.TicketNumber // one of each session's contact
}

func newDesk(b *testing.B) *desk {
	b.Helper()
	d := &desk{seeded: portaltest.Seed(b, store.Options{})}
	base, err := url.Parse("http://desk.test")
	if err != nil {
		b.Fatal(err)
	}
	a := app.New(app.Options{Store: d.seeded.Store, BaseURL: base})
	d.handler = New(Options{App: a, BaseURL: base, Log: slog.New(slog.DiscardHandler)}).Handler()
	err = d.seeded.Write(b.Context(), func(tx *store.Tx) error {
		p, err := benchPortal(b.Context(), tx, d.seeded.Inbox)
		if err != nil {
			return err
		}
		last, err := tx.LastMessage(b.Context())
		if err != nil {
			return err
		}
		for c := 2; c <= min(1001, d.seeded.Contacts); c++ {
			id := portal.ContactID(c)
			m := &portal.Member{PortalID: p.ID, ContactID: id, Status: portal.Registered, RegisteredAt: tx.Now, ReadFrom: last}
			if err := tx.SaveMember(b.Context(), m); err != nil {
				return err
			}
			number, err := benchTicket(b.Context(), tx, id)
			if err != nil {
				return err
			}
			if number == 0 {
				continue
			}
			token, hash, err := auth.NewToken()
			if err != nil {
				return err
			}
			s := &store.Session{Hash: hash, Portal: p.ID, Contact: id, CreatedAt: tx.Now, SeenAt: tx.Now, ExpiresAt: tx.Now.Add(24 * time.Hour)}
			if err := tx.AddSession(b.Context(), s); err != nil {
				return err
			}
			d.tokens, d.hashes, d.tickets = append(d.tokens, token), append(d.hashes, hash), append(d.tickets, number)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// benchTicket is an open ticket of a contact who has a page full of own ones;
// 0 for other contacts.
func benchTicket(ctx context.Context, tx *store.Tx, c portal.ContactID) (portal.TicketNumber, error) {
	v := &portal.Viewer{Contact: c}
	rows, err := tx.Tickets(ctx, v, 0, store.TicketFilter{Scope: store.ScopeMine, Requester: c}, store.TicketPage{Limit: 25})
	if err != nil || len(rows) < 25 {
		return 0, err
	}
	for _, r := range rows {
		if r.Status != portal.Closed {
			return r.Number, nil
		}
	}
	return 0, nil
}

// benchPortal makes the portal, or finds the one a kept seed has.
func benchPortal(ctx context.Context, tx *store.Tx, inbox portal.InboxID) (*portal.Portal, error) {
	all, err := tx.Portals(ctx)
	if err != nil {
		return nil, err
	}
	if len(all) > 0 {
		return &all[0], nil
	}
	system, err := tx.SystemDomain(ctx)
	if err != nil {
		return nil, err
	}
	p := &portal.Portal{
		Name: "Desk", DomainID: system.ID, State: portal.Live, Accent: portal.DefaultAccent, TimeZone: "UTC",
		Tickets: portal.DefaultTicketSettings(), Access: portal.DefaultAccessSettings(),
	}
	p.Tickets.InboxID, p.Access.Mode, p.Access.IdleTimeout = inbox, portal.ModeSelfRegister, 24*time.Hour
	return p, tx.AddPortal(ctx, p)
}

// request asks for a page as the i-th session.
func (d *desk) request(b *testing.B, i int, method, path, body string) int {
	r := httptest.NewRequest(method, "http://desk.test"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	r.AddCookie(&http.Cookie{Name: "portalctl", Value: d.tokens[i%len(d.tokens)]})
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK && w.Code != http.StatusSeeOther || w.Code == http.StatusSeeOther && strings.Contains(w.Header().Get("Location"), "sign-in") {
		b.Fatalf("%s %s: %d to %q", method, path, w.Code, w.Header().Get("Location"))
	}
	return w.Body.Len()
}

// measure runs one request after the other and reports processor time and
// the size of the answer beside the wall time.
func measure(b *testing.B, request func(i int) int) {
	b.Helper()
	size := request(0)
	before := processorTime()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		request(i)
	}
	b.ReportMetric(float64((processorTime()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(size), "bytes")
}

// BenchmarkListFloor is the list at its barest: who holds the session, 25
// rows, 8 KiB of HTML appended byte by byte. The pages are judged by their
// ratio to it in the same run.
func BenchmarkListFloor(b *testing.B) {
	d := newDesk(b)
	db, err := sql.Open("sqlite", "file:"+d.seeded.Path()+"?mode=ro&_pragma=query_only(1)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	who, err := db.Prepare(`SELECT contact_id FROM session WHERE hash = $1`)
	if err != nil {
		b.Fatal(err)
	}
	list, err := db.Prepare(`SELECT number, updated_at, status, subject FROM ticket WHERE contact_id = $1 ORDER BY updated_at DESC, number DESC LIMIT 25`)
	if err != nil {
		b.Fatal(err)
	}
	filler := strings.Repeat("x", 220)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i, err := strconv.Atoi(r.URL.RawQuery)
		if err != nil {
			panic(err)
		}
		var contact int64
		if err := who.QueryRowContext(r.Context(), d.hashes[i%len(d.hashes)]).Scan(&contact); err != nil {
			panic(err)
		}
		rows, err := list.QueryContext(r.Context(), contact)
		if err != nil {
			panic(err)
		}
		defer rows.Close()
		page := make([]byte, 0, 9<<10)
		for rows.Next() {
			var number, updated int64
			var status, subject string
			if err := rows.Scan(&number, &updated, &status, &subject); err != nil {
				panic(err)
			}
			page = append(page, "<tr><td>T-"...)
			page = strconv.AppendInt(page, number, 10)
			page = append(page, "</td><td>"...)
			page = append(page, html.EscapeString(subject)...)
			page = append(page, "</td><td>"...)
			page = append(page, status...)
			page = append(page, filler...)
			page = time.UnixMilli(updated).AppendFormat(page, time.RFC3339)
			page = append(page, "</td></tr>\n"...)
		}
		if err := rows.Err(); err != nil {
			panic(err)
		}
		_, _ = w.Write(page)
	})
	measure(b, func(i int) int {
		r := httptest.NewRequest(http.MethodGet, "http://desk.test/?"+strconv.Itoa(i), nil)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Body.Len()
	})
}

// BenchmarkListPage is the whole page with 25 rows: all middleware, session,
// rights, list, count, HTML.
func BenchmarkListPage(b *testing.B) {
	d := newDesk(b)
	measure(b, func(i int) int { return d.request(b, i, http.MethodGet, "/tickets?status=all", "") })
}

// BenchmarkTicketPage is a ticket with its conversation.
func BenchmarkTicketPage(b *testing.B) {
	d := newDesk(b)
	measure(b, func(i int) int {
		return d.request(b, i, http.MethodGet, "/tickets/"+d.tickets[i%len(d.tickets)].String(), "")
	})
}

// BenchmarkReplyPage is a customer's answer, on disk before it is confirmed.
func BenchmarkReplyPage(b *testing.B) {
	d := newDesk(b)
	measure(b, func(i int) int {
		n := d.tickets[i%len(d.tickets)]
		if i > 0 && i%(200*len(d.tickets)) == 0 {
			b.Skip("more answers than a person may send in an hour")
		}
		return d.request(b, i, http.MethodPost, "/tickets/"+n.String()+"/replies", url.Values{"body": {fmt.Sprintf("Answer %d", i)}, "how": {"send"}}.Encode())
	})
}
