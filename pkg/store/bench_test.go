package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// reading runs one Read over and over.
func reading(b *testing.B, s *portaltest.Seeded, fn func(ctx context.Context, tx *store.Tx) error) {
	b.Helper()
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Read(ctx, func(tx *store.Tx) error { return fn(ctx, tx) }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTickets(b *testing.B) {
	s := portaltest.Seed(b, store.Options{})
	page := func(v *portal.Viewer, f store.TicketFilter, p store.TicketPage) func(ctx context.Context, tx *store.Tx) error {
		return func(ctx context.Context, tx *store.Tx) error {
			rows, err := tx.Tickets(ctx, v, 0, f, p)
			if err == nil && len(rows) == 0 {
				err = fmt.Errorf("no rows")
			}
			return err
		}
	}
	mine, company := store.TicketFilter{Scope: store.ScopeMine}, store.TicketFilter{Scope: store.ScopeCompany}
	open := store.TicketFilter{Scope: store.ScopeMine, Statuses: []portal.Status{portal.New, portal.WaitingOnUs, portal.WaitingOnCustomer}}
	deep := func(v *portal.Viewer, f store.TicketFilter) store.TicketPage {
		var at *store.Cursor
		err := s.Read(b.Context(), func(tx *store.Tx) error {
			n, err := tx.CountTickets(b.Context(), v, f, 1<<30)
			if err != nil {
				return err
			}
			rows, err := tx.Tickets(b.Context(), v, 0, f, store.TicketPage{Limit: n * 9 / 10})
			if err != nil {
				return err
			}
			last := rows[len(rows)-1]
			at = &store.Cursor{UpdatedAt: last.UpdatedAt, Number: last.Number}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		return store.TicketPage{After: at}
	}
	b.Run("Mine", func(b *testing.B) { reading(b, s, page(s.Typical, mine, store.TicketPage{})) })
	b.Run("MineOpen", func(b *testing.B) { reading(b, s, page(s.Typical, open, store.TicketPage{})) })
	b.Run("MineBig", func(b *testing.B) { reading(b, s, page(s.Big, mine, store.TicketPage{})) })
	b.Run("MineBigDeep", func(b *testing.B) { p := deep(s.Big, mine); reading(b, s, page(s.Big, mine, p)) })
	b.Run("Company", func(b *testing.B) { reading(b, s, page(s.Typical, company, store.TicketPage{})) })
	b.Run("CompanyBig", func(b *testing.B) { reading(b, s, page(s.Colleague, company, store.TicketPage{})) })
	b.Run("CompanyBigDeep", func(b *testing.B) { p := deep(s.Colleague, company); reading(b, s, page(s.Colleague, company, p)) })
	b.Run("Agent", func(b *testing.B) { reading(b, s, page(s.Agent, mine, store.TicketPage{})) })
	for name, v := range map[string]*portal.Viewer{"Count": s.Typical, "CountBig": s.Big, "CountCompanyBig": s.Colleague} {
		b.Run(name, func(b *testing.B) {
			reading(b, s, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.CountTickets(ctx, v, company, 1001)
				return err
			})
		})
	}
}

func BenchmarkSearch(b *testing.B) {
	s := portaltest.Seed(b, store.Options{})
	for _, who := range []struct {
		name string
		v    *portal.Viewer
		f    store.TicketFilter
	}{
		{"Mine", s.Typical, store.TicketFilter{Scope: store.ScopeMine}},
		{"MineBig", s.Big, store.TicketFilter{Scope: store.ScopeMine}},
		{"CompanyBig", s.Colleague, store.TicketFilter{Scope: store.ScopeCompany}},
		{"Agent", s.Agent, store.TicketFilter{}},
	} {
		for _, what := range []struct{ name, words string }{
			{"Common", s.Common + " x"}, {"CommonPrefix", s.Common}, {"Usual", s.Usual}, {"Rare", s.Rare}, {"Two", s.Usual + " " + s.Common}, {"TwoLetters", s.Common[:2]},
		} {
			b.Run(who.name+"/"+what.name, func(b *testing.B) {
				reading(b, s, func(ctx context.Context, tx *store.Tx) error {
					_, err := tx.SearchTickets(ctx, who.v, 0, what.words, who.f, 25)
					return err
				})
			})
		}
	}
}

func BenchmarkTicketPage(b *testing.B) {
	s := portaltest.Seed(b, store.Options{})
	var n portal.TicketNumber
	if err := s.Read(b.Context(), func(tx *store.Tx) error {
		rows, err := tx.Tickets(b.Context(), s.Typical, 0, store.TicketFilter{}, store.TicketPage{Limit: 1})
		n = rows[0].Number
		return err
	}); err != nil {
		b.Fatal(err)
	}
	reading(b, s, func(ctx context.Context, tx *store.Tx) error {
		k, err := tx.TicketFor(ctx, s.Typical, n)
		if err != nil {
			return err
		}
		if _, err := tx.Messages(ctx, k, false); err != nil {
			return err
		}
		_, err = tx.Events(ctx, n, false)
		return err
	})
}

func BenchmarkVisitor(b *testing.B) {
	s := portaltest.Seed(b, store.Options{})
	reading(b, s, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Visitor(ctx, []byte("nobody"), 1)
		return err
	})
}

// BenchmarkReply is a customer's answer, durable before it is acknowledged,
// with 32 callers at once: together and one by one.
func BenchmarkReply(b *testing.B) {
	for _, mode := range []struct {
		name  string
		alone bool
	}{{"Grouped", false}, {"Alone", true}} {
		b.Run(mode.name, func(b *testing.B) {
			s := portaltest.OpenStore(b, filepath.Join(b.TempDir(), "portal.db"), store.Options{Create: true, Alone: mode.alone})
			ctx := b.Context()
			inbox := portal.Inbox{Name: "Support", Kind: portal.InboxHelpdesk}
			contact := portal.Contact{Email: "anna@acme.example"}
			var first portal.TicketNumber
			if err := s.Write(ctx, func(tx *store.Tx) error {
				if err := tx.AddInbox(ctx, &inbox); err != nil {
					return err
				}
				if err := tx.AddContact(ctx, &contact); err != nil {
					return err
				}
				for range 1000 {
					k := portal.Ticket{Subject: "a subject of some words", Status: portal.New, Priority: portal.Normal, Requester: contact.ID, InboxID: inbox.ID}
					if err := tx.AddTicket(ctx, &k); err != nil {
						return err
					}
					first = k.Number - 999
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
			v := portal.Viewer{Contact: contact.ID}
			var next atomic.Int64
			b.SetParallelism(16) // 32 callers on two cores
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := first + portal.TicketNumber(next.Add(1)%1000)
					if err := s.Write(ctx, func(tx *store.Tx) error {
						k, err := tx.TicketFor(ctx, &v, n)
						if err != nil {
							return err
						}
						m := portal.Message{Kind: portal.Public, Contact: contact.ID, Body: "thank you, that helped a lot", Format: portal.Plain}
						if err := tx.AddMessage(ctx, k, &m); err != nil {
							return err
						}
						k.UpdatedAt = tx.Now
						if err := tx.SaveTicket(ctx, k); err != nil {
							return err
						}
						return tx.AddEvent(ctx, &portal.Event{Ticket: n, Kind: portal.EventReplied, By: portal.ByContact(contact.ID)})
					}); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "replies/s")
		})
	}
}
