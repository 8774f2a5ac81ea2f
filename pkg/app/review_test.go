package app

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// review returns the rows of a review by address.
func (w *world) review() map[string]*ReviewRow {
	w.t.Helper()
	rows := map[string]*ReviewRow{}
	last := ""
	err := w.Review(w.t.Context(), []portal.Portal{*w.portal}, func(r *ReviewRow) error {
		if r.Contact.Email <= last {
			w.t.Errorf("%s comes after %s", r.Contact.Email, last)
		}
		last = r.Contact.Email
		rows[last] = r
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

func (w *world) addContact(c portal.Contact, status portal.MemberStatus) *portal.Contact {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddContact(ctx, &c); err != nil || status == "" {
			return err
		}
		return tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: c.ID, Status: status, InvitedAt: tx.Now})
	})
	return &c
}

func (w *world) addTicket(t portal.Ticket) portal.TicketNumber {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		t.Subject, t.Status, t.Priority, t.InboxID = "Broken", portal.New, portal.Normal, w.portal.Tickets.InboxID
		t.CreatedAt, t.UpdatedAt, t.StatusAt = tx.Now, tx.Now, tx.Now
		return tx.AddTicket(ctx, &t)
	})
	return t.Number
}

func TestReviewListsWhoGetsInAndMarksWhatIsOdd(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Tickets.Permissions = portal.PermitCompany })
	two := w.addContact(portal.Contact{Email: "two@example.com", Primary: w.acme.ID, Companies: []portal.CompanyID{w.acme.ID, w.eve.Primary}}, portal.Invited)
	gone := w.addContact(portal.Contact{Email: "gone@example.com"}, portal.Disabled)
	w.addContact(portal.Contact{Email: "left@example.com"}, portal.Registered)
	w.addContact(portal.Contact{Email: "stranger@example.com"}, "")
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for _, c := range []*portal.Contact{two, gone} {
			if _, err := tx.AddToGroup(ctx, w.group.ID, c.ID); err != nil {
				return err
			}
		}
		return nil
	})
	w.addTicket(portal.Ticket{Requester: w.ana.ID, Company: w.acme.ID})
	w.addTicket(portal.Ticket{Requester: w.bo.ID, Company: w.acme.ID, Confidential: true})
	w.signIn(w.ana)
	w.clock.Add(StaleAfter - time.Minute)
	w.signIn(w.bo)
	rows := w.review()
	for _, who := range []string{"ana@example.com", "eve@example.com", "two@example.com"} {
		if r := rows[who]; r == nil || slices.Contains(r.Marks, MarkStale) {
			t.Errorf("%s: %+v, want no mark a minute early", who, r)
		}
	}
	w.clock.Add(time.Minute)
	rows = w.review()
	for who, want := range map[string]struct {
		how, sees string
		tickets   int
		marks     []Mark
	}{
		"ana@example.com":  {"group customers", "own, Acme", 1, []Mark{MarkStale}},
		"bo@example.com":   {"group customers", "own, Acme", 2, nil},
		"eve@example.com":  {"group customers", "own, Beta", 0, []Mark{MarkStale}},
		"gone@example.com": {"kept out", "nothing", 0, []Mark{MarkDisabled}},
		"two@example.com":  {"group customers", "own, Acme", 1, []Mark{MarkStale, MarkSeveral}},
	} {
		r := rows[who]
		if r == nil {
			t.Errorf("%s is not listed", who)
			continue
		}
		if r.How() != want.how || r.Sees() != want.sees || r.Tickets != want.tickets || !slices.Equal(r.Marks, want.marks) {
			t.Errorf("%s: %q, %q, %d tickets, %v; want %+v", who, r.How(), r.Sees(), r.Tickets, r.Marks, want)
		}
		delete(rows, who)
	}
	for who := range rows {
		t.Errorf("%s is listed without access or mark", who)
	}
	if at := w.review()["bo@example.com"].LastSignIn(); !at.Equal(w.clock.Now().Add(-time.Minute)) {
		t.Errorf("bo last signed in at %v", at)
	}
}

func TestReviewOfARegistrationPortal(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) {
		p.Access.Mode, p.Access.Groups = portal.ModeSelfRegister, nil
		p.Tickets.Permissions, p.Tickets.CompanyScope, p.Tickets.CompanyAccess = portal.PermitCompany, portal.AllCompanies, portal.CompanyRead
	})
	for _, status := range []portal.MemberStatus{portal.Registered, portal.Pending, portal.Disabled} {
		w.addContact(portal.Contact{Email: string(status) + "@example.com", Primary: w.eve.Primary, Companies: []portal.CompanyID{w.acme.ID, w.eve.Primary}}, status)
	}
	rows := w.review()
	r := rows["registered@example.com"]
	if len(rows) != 1 || r == nil || r.How() != "registered" || r.Sees() != "own, reads Beta, Acme" {
		t.Fatalf("got %+v, want the registered member only, who reads Beta and Acme", rows)
	}
}

// TestReviewGoesOnBehindEachPage has more contacts than a page holds.
func TestReviewGoesOnBehindEachPage(t *testing.T) {
	w := newWorld(t, nil)
	const more = 2*reviewPage - 3 // with the three of the world exactly two pages
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for i := range more {
			c := portal.Contact{Email: fmt.Sprintf("c%d@example.com", i)}
			if err := tx.AddContact(ctx, &c); err != nil {
				return err
			}
			if _, err := tx.AddToGroup(ctx, w.group.ID, c.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if n := len(w.review()); n != more+3 {
		t.Errorf("%d rows, want %d", n, more+3)
	}
}

func BenchmarkReview(b *testing.B) {
	const people, perCompany, tickets = 10_000, 10, 100_000
	s, clock := portaltest.StoreClock(b)
	a := New(Options{Store: s, Now: clock.Now})
	ctx := b.Context()
	var p portal.Portal
	err := s.Write(ctx, func(tx *store.Tx) error {
		system, err := tx.SystemDomain(ctx)
		if err != nil {
			return err
		}
		inbox := portal.Inbox{Name: "Support", Kind: portal.InboxHelpdesk}
		if err := tx.AddInbox(ctx, &inbox); err != nil {
			return err
		}
		group := portal.Group{Name: "customers"}
		if err := tx.AddGroup(ctx, &group); err != nil {
			return err
		}
		p = portal.Portal{
			Name: "Help", DomainID: system.ID, Slug: "help", State: portal.Live, Accent: portal.DefaultAccent, TimeZone: "UTC",
			Tickets: portal.DefaultTicketSettings(), Access: portal.DefaultAccessSettings(),
		}
		p.Tickets.InboxID, p.Tickets.Permissions = inbox.ID, portal.PermitCompany
		p.Access.Mode, p.Access.Groups = portal.ModeGroups, []portal.GroupID{group.ID}
		if err := tx.AddPortal(ctx, &p); err != nil {
			return err
		}
		var company portal.Company
		for i := range people {
			if i%perCompany == 0 {
				company = portal.Company{Name: fmt.Sprint("company ", i)}
				if err := tx.AddCompany(ctx, &company); err != nil {
					return err
				}
			}
			c := portal.Contact{Email: fmt.Sprintf("c%d@example.com", i), Primary: company.ID}
			if err := tx.AddContact(ctx, &c); err != nil {
				return err
			}
			if _, err := tx.AddToGroup(ctx, group.ID, c.ID); err != nil {
				return err
			}
			for range tickets / people {
				k := portal.Ticket{Subject: "s", Status: portal.New, Priority: portal.Normal, InboxID: inbox.ID, Requester: c.ID, Company: company.ID, CreatedAt: tx.Now}
				if err := tx.AddTicket(ctx, &k); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if err := a.Review(ctx, []portal.Portal{p}, func(*ReviewRow) error { n++; return nil }); err != nil || n != people {
			b.Fatalf("%d rows, %v; want %d", n, err, people)
		}
	}
}
