package store_test

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

// write runs fn and ends the test when it fails.
func write(t *testing.T, s *store.Store, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), func(tx *store.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// read runs fn and ends the test when it fails.
func read(t *testing.T, s *store.Store, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := s.Read(t.Context(), func(tx *store.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// desk is a small store: an inbox, an agent, two companies and three contacts.
type desk struct {
	*store.Store
	clock            *portaltest.Clock
	inbox            portal.Inbox
	agent            portal.Agent
	acme, umbra      portal.Company
	anna, bo, cecily portal.Contact // anna and bo at acme, cecily at umbra
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	s, clock := portaltest.StoreClock(t)
	d := &desk{
		Store: s, clock: clock,
		inbox: portal.Inbox{Name: "Support", Kind: portal.InboxMail, Address: "support@desk.example"},
		agent: portal.Agent{Email: "alva@desk.example", Name: "Alva", Role: portal.RoleAgent, EveryInbox: true},
		acme:  portal.Company{Name: "Acme", Domain: "acme.example"}, umbra: portal.Company{Name: "Umbra"},
		anna: portal.Contact{Email: "anna@acme.example", Name: "Anna"}, bo: portal.Contact{Email: "bo@acme.example"},
		cecily: portal.Contact{Email: "cecily@umbra.example", Name: "Cecily"},
	}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		for _, err := range []error{tx.AddInbox(ctx, &d.inbox), tx.AddAgent(ctx, &d.agent), tx.AddCompany(ctx, &d.acme), tx.AddCompany(ctx, &d.umbra)} {
			if err != nil {
				return err
			}
		}
		d.anna.Primary, d.bo.Primary, d.cecily.Primary = d.acme.ID, d.acme.ID, d.umbra.ID
		for _, c := range []*portal.Contact{&d.anna, &d.bo, &d.cecily} {
			if err := tx.AddContact(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	return d
}

// open writes a ticket with one public message and lets a minute pass.
func (d *desk) open(t *testing.T, by *portal.Contact, subject, body string, change ...func(*portal.Ticket)) *portal.Ticket {
	t.Helper()
	k := &portal.Ticket{Subject: subject, Status: portal.New, Priority: portal.Normal, Requester: by.ID, Company: by.Primary, InboxID: d.inbox.ID}
	for _, c := range change {
		c(k)
	}
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddTicket(ctx, k); err != nil {
			return err
		}
		if err := tx.AddMessage(ctx, k, &portal.Message{Kind: portal.Public, Contact: by.ID, Body: body, Format: portal.Plain}); err != nil {
			return err
		}
		return tx.SaveTicket(ctx, k)
	})
	d.clock.Add(time.Minute)
	return k
}

// sees is a contact's view, of their primary company's tickets too.
func sees(c *portal.Contact) *portal.Viewer {
	v := portal.NewViewer(&portal.Contact{ID: c.ID, Primary: c.Primary, Companies: []portal.CompanyID{c.Primary}},
		&portal.TicketSettings{Permissions: portal.PermitCompany, CompanyAccess: portal.CompanyReply})
	return &v
}

func numbers(rows []portal.TicketRow) (all []portal.TicketNumber) {
	for _, r := range rows {
		all = append(all, r.Number)
	}
	return all
}

func (d *desk) list(t *testing.T, v *portal.Viewer, f store.TicketFilter, p store.TicketPage) (rows []portal.TicketRow) {
	t.Helper()
	read(t, d.Store, func(ctx context.Context, tx *store.Tx) (err error) {
		rows, err = tx.Tickets(ctx, v, 0, f, p)
		return err
	})
	return rows
}

func (d *desk) search(t *testing.T, v *portal.Viewer, words string, f store.TicketFilter) (found []portal.TicketNumber) {
	t.Helper()
	read(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.SearchTickets(ctx, v, 0, words, f, 25)
		found = numbers(rows)
		return err
	})
	return found
}

func TestTicketNumbersCountFromTheFirst(t *testing.T) {
	d := newDesk(t)
	for want := portal.FirstTicketNumber; want < portal.FirstTicketNumber+3; want++ {
		if got := d.open(t, &d.anna, "One", "body").Number; got != want {
			t.Errorf("number %s, want %s", got, want)
		}
	}
}

func TestTicketComesBackAsItWasSaved(t *testing.T) {
	d := newDesk(t)
	k := d.open(t, &d.anna, "Printer", "on fire", func(k *portal.Ticket) {
		k.Category, k.Fields, k.Participants = "Hardware", map[string]string{"order": "7"}, []portal.ContactID{d.bo.ID}
	})
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		k.Assignee = d.agent.ID
		k.AgentMessage(tx.Now)
		m := &portal.Message{
			Kind: portal.Public, Agent: d.agent.ID, Body: "water", Format: portal.Markdown,
			Files: []portal.File{{Name: "hose.png", Type: "image/png", Size: 9, SHA256: "ab"}},
		}
		if err := tx.AddMessage(ctx, k, m); err != nil {
			return err
		}
		return tx.SaveTicket(ctx, k)
	})
	read(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		got, err := tx.TicketFor(ctx, sees(&d.anna), k.Number)
		if err != nil {
			return err
		}
		want := *k
		want.RequesterName, want.RequesterEmail, want.CompanyName = "Anna", "anna@acme.example", "Acme"
		want.AssigneeName, want.InboxName = "Alva", "Support"
		if g, w := fmt.Sprintf("%+v", *got), fmt.Sprintf("%+v", want); g != w {
			t.Errorf("got\n%s, want\n%s", g, w)
		}
		messages, err := tx.Messages(ctx, got, false)
		if err != nil {
			return err
		}
		if len(messages) != 2 || messages[1].AuthorName != "Alva" || len(messages[1].Files) != 1 || messages[1].Files[0].Name != "hose.png" {
			t.Errorf("messages %+v", messages)
		}
		return nil
	})
}

func TestListPagesForwardAndBack(t *testing.T) {
	d := newDesk(t)
	for i := range 12 {
		by := []*portal.Contact{&d.anna, &d.bo, &d.cecily}[i%3]
		d.open(t, by, fmt.Sprintf("Ticket %d", i), "body", func(k *portal.Ticket) {
			if i%3 == 2 {
				k.Participants = []portal.ContactID{d.anna.ID}
			}
		})
	}
	v := sees(&d.anna)
	all := d.list(t, v, store.TicketFilter{Scope: store.ScopeCompany}, store.TicketPage{})
	if len(all) != 12 {
		t.Fatalf("%d rows, want 12: %v", len(all), all)
	}
	at := func(r portal.TicketRow) *store.Cursor { return &store.Cursor{UpdatedAt: r.UpdatedAt, Number: r.Number} }
	var forward []portal.TicketNumber
	p := store.TicketPage{Limit: 5}
	for {
		rows := d.list(t, v, store.TicketFilter{Scope: store.ScopeCompany}, p)
		if len(rows) == 0 {
			break
		}
		forward = append(forward, numbers(rows)...)
		p.After = at(rows[len(rows)-1])
	}
	if !slices.Equal(forward, numbers(all)) {
		t.Errorf("page by page %v, at once %v", forward, numbers(all))
	}
	back := d.list(t, v, store.TicketFilter{Scope: store.ScopeCompany}, store.TicketPage{Limit: 3, Before: at(all[6])})
	if want := numbers(all[3:6]); !slices.Equal(numbers(back), want) {
		t.Errorf("before %s: %v, want %v", all[6].Number, numbers(back), want)
	}
}

func TestFiltersNarrowTheList(t *testing.T) {
	d := newDesk(t)
	status := func(s portal.Status) func(*portal.Ticket) { return func(k *portal.Ticket) { k.Status = s } }
	a := d.open(t, &d.anna, "a", "x", status(portal.New)).Number
	b := d.open(t, &d.anna, "b", "x", status(portal.WaitingOnUs)).Number
	c := d.open(t, &d.bo, "c", "x", status(portal.Closed)).Number
	e := d.open(t, &d.cecily, "e", "x", status(portal.WaitingOnCustomer), func(k *portal.Ticket) { k.Assignee = d.agent.ID }).Number
	open := []portal.Status{portal.New, portal.WaitingOnUs, portal.WaitingOnCustomer}
	staff, anna := portal.AgentViewer(&d.agent), sees(&d.anna)
	for _, test := range []struct {
		name string
		v    *portal.Viewer
		f    store.TicketFilter
		want []portal.TicketNumber
	}{
		{"an agent sees all", &staff, store.TicketFilter{}, []portal.TicketNumber{e, c, b, a}},
		{"open", &staff, store.TicketFilter{Statuses: open}, []portal.TicketNumber{e, b, a}},
		{"one status", &staff, store.TicketFilter{Statuses: open[1:2]}, []portal.TicketNumber{b}},
		{"closed and new", &staff, store.TicketFilter{Statuses: []portal.Status{portal.Closed, portal.New}}, []portal.TicketNumber{c, a}},
		{"a requester", &staff, store.TicketFilter{Requester: d.bo.ID}, []portal.TicketNumber{c}},
		{"a company", &staff, store.TicketFilter{Company: d.umbra.ID}, []portal.TicketNumber{e}},
		{"an assignee", &staff, store.TicketFilter{Assignee: d.agent.ID}, []portal.TicketNumber{e}},
		{"nobody's", &staff, store.TicketFilter{Unassigned: true}, []portal.TicketNumber{c, b, a}},
		{"an inbox nobody uses", &staff, store.TicketFilter{Inbox: d.inbox.ID + 1}, nil},
		{"from a time", &staff, store.TicketFilter{From: portaltest.Start.Add(2 * time.Minute)}, []portal.TicketNumber{e, c}},
		{"to a time, not included", &staff, store.TicketFilter{To: portaltest.Start.Add(2 * time.Minute)}, []portal.TicketNumber{b, a}},
		{"mine", anna, store.TicketFilter{Scope: store.ScopeMine}, []portal.TicketNumber{b, a}},
		{"the company's", anna, store.TicketFilter{Scope: store.ScopeCompany}, []portal.TicketNumber{c, b, a}},
		{"a colleague's", anna, store.TicketFilter{Scope: store.ScopeCompany, Requester: d.bo.ID}, []portal.TicketNumber{c}},
		{"another company's", anna, store.TicketFilter{Scope: store.ScopeCompany, Company: d.umbra.ID}, nil},
		{"nobody sees nothing", &portal.Viewer{}, store.TicketFilter{Scope: store.ScopeCompany}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := numbers(d.list(t, test.v, test.f, store.TicketPage{})); !slices.Equal(got, test.want) {
				t.Errorf("listed %v, want %v", got, test.want)
			}
			read(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
				n, err := tx.CountTickets(ctx, test.v, test.f, 100)
				if n != len(test.want) {
					t.Errorf("counted %d, want %d", n, len(test.want))
				}
				return err
			})
		})
	}
}

func TestCountStopsAtItsMaximum(t *testing.T) {
	d := newDesk(t)
	for range 4 {
		d.open(t, &d.anna, "a", "x")
	}
	read(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.CountTickets(ctx, sees(&d.anna), store.TicketFilter{}, 3)
		if n != 3 {
			t.Errorf("counted %d, want 3", n)
		}
		return err
	})
}

func TestNewPublicMessageIsUnreadUntilMarked(t *testing.T) {
	d := newDesk(t)
	k := d.open(t, &d.anna, "a", "x")
	unread := func(v *portal.Viewer, from portal.MessageID) bool {
		t.Helper()
		var rows []portal.TicketRow
		read(t, d.Store, func(ctx context.Context, tx *store.Tx) (err error) {
			rows, err = tx.Tickets(ctx, v, from, store.TicketFilter{Scope: store.ScopeCompany}, store.TicketPage{})
			return err
		})
		return rows[0].Unread
	}
	staff := portal.AgentViewer(&d.agent)
	mark := func(m portal.MessageID) {
		t.Helper()
		write(t, d.Store, func(ctx context.Context, tx *store.Tx) error { return tx.MarkRead(ctx, d.anna.ID, k.Number, m) })
	}
	if !unread(sees(&d.anna), 0) || unread(sees(&d.anna), k.LastPublic) || unread(&staff, 0) {
		t.Error("before it is read: want unread for anna, but not from the newest message on, nor for an agent")
	}
	mark(k.LastPublic)
	if unread(sees(&d.anna), 0) || !unread(sees(&d.bo), 0) {
		t.Error("after anna read it: want read for anna, unread for bo")
	}
	mark(0)
	if unread(sees(&d.anna), 0) {
		t.Error("a mark moved back")
	}
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddMessage(ctx, k, &portal.Message{Kind: portal.Note, Agent: d.agent.ID, Body: "psst", Format: portal.Plain}); err != nil {
			return err
		}
		return tx.SaveTicket(ctx, k)
	})
	if unread(sees(&d.anna), 0) {
		t.Error("an internal message made the ticket unread")
	}
}

func TestSearchFindsWordsAndNumbers(t *testing.T) {
	d := newDesk(t)
	a := d.open(t, &d.anna, "Skrivaren brinner", "Den står i Malmö och ryker \"kraftigt\".").Number
	b := d.open(t, &d.bo, "Invoice 4711", "The invoice-number is wrong").Number
	c := d.open(t, &d.cecily, "Invoice 4712", "wrong as well").Number
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
		k, err := tx.Ticket(ctx, a)
		if err != nil {
			return err
		}
		for _, m := range []portal.Message{{Kind: portal.Public, Agent: d.agent.ID, Body: "Har ni vatten?"}, {Kind: portal.Note, Agent: d.agent.ID, Body: "hemlighet"}} {
			m.Format = portal.Plain
			if err := tx.AddMessage(ctx, k, &m); err != nil {
				return err
			}
		}
		return tx.SaveTicket(ctx, k)
	})
	staff := portal.AgentViewer(&d.agent)
	mine, company := store.TicketFilter{Scope: store.ScopeMine}, store.TicketFilter{Scope: store.ScopeCompany}
	type result = []portal.TicketNumber
	for _, test := range []struct {
		name, words string
		v           *portal.Viewer
		f           store.TicketFilter
		want        result
	}{
		{"a word", "ryker", sees(&d.anna), mine, result{a}},
		{"a word's beginning", "kraf", sees(&d.anna), mine, result{a}},
		{"without its accents", "malmo", sees(&d.anna), mine, result{a}},
		{"only the last word may be a beginning", "kraf ryker", sees(&d.anna), mine, nil},
		{"words of subject and text", "brinner malmö", sees(&d.anna), mine, result{a}},
		{"words of different messages", "malmö vatten", sees(&d.anna), mine, result{a}},
		{"words of which one is nowhere", "malmö vatten eld", sees(&d.anna), mine, nil},
		{"a colleague's, in mine", "invoice", sees(&d.anna), mine, nil},
		{"a colleague's, in the company", "invoice", sees(&d.anna), company, result{b}},
		{"everybody's, for an agent", "invoice", &staff, mine, result{c, b}},
		{"filtered", "invoice", &staff, store.TicketFilter{Company: d.acme.ID}, result{b}},
		{"an internal message, for its ticket's requester", "hemlighet", sees(&d.anna), company, nil},
		{"an internal message, for an agent", "hemlighet", &staff, company, result{a}},
		{"a number", a.String(), sees(&d.anna), mine, result{a}},
		{"a bare number", "1001", sees(&d.bo), company, result{a}},
		{"a number that is not theirs", c.String(), sees(&d.anna), company, nil},
		{"a number in a text", "4711", sees(&d.bo), mine, result{b}},
		{"a scope word", "c1", &staff, mine, nil},
		{"another's scope", "scope:c3 wrong", sees(&d.anna), company, nil},
		{"punctuation", `" * ( ) - ^ : {`, sees(&d.anna), company, nil},
		{"nothing", "  ", sees(&d.anna), company, nil},
		{"an operator is a word", "invoice OR wrong", &staff, mine, nil},
		{"quotes do no harm", `"kraftigt" ryker`, sees(&d.anna), mine, result{a}},
		{"a joined word", "invoice-number", sees(&d.bo), mine, result{b}},
		{"not UTF-8, and NUL", "ryker\x00\xff", sees(&d.anna), mine, result{a}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := d.search(t, test.v, test.words, test.f); !slices.Equal(got, test.want) {
				t.Errorf("%q found %v, want %v", test.words, got, test.want)
			}
		})
	}
}

func TestSearchFollowsChanges(t *testing.T) {
	d := newDesk(t)
	k := d.open(t, &d.anna, "Printer", "on fire")
	company := store.TicketFilter{Scope: store.ScopeCompany}
	change := func(f func(k *portal.Ticket)) {
		t.Helper()
		write(t, d.Store, func(ctx context.Context, tx *store.Tx) error {
			k, err := tx.Ticket(ctx, k.Number)
			if err != nil {
				return err
			}
			f(k)
			return tx.SaveTicket(ctx, k)
		})
	}
	check := func(who *portal.Contact, words string, want bool, when string) {
		t.Helper()
		if got := len(d.search(t, sees(who), words, company)) == 1; got != want {
			t.Errorf("%s: %s searching %q: found %v, want %v", when, who.Email, words, got, want)
		}
	}
	check(&d.bo, "fire", true, "a company's ticket")
	check(&d.cecily, "fire", false, "a company's ticket")
	change(func(k *portal.Ticket) { k.Confidential = true })
	check(&d.bo, "fire", false, "confidential")
	check(&d.anna, "fire", true, "confidential")
	change(func(k *portal.Ticket) { k.Participants = []portal.ContactID{d.cecily.ID} })
	check(&d.cecily, "fire", true, "a participant")
	change(func(k *portal.Ticket) { k.Participants, k.Confidential, k.Company = nil, false, d.umbra.ID })
	check(&d.cecily, "fire", true, "moved to the other company")
	check(&d.bo, "fire", false, "moved to the other company")
	change(func(k *portal.Ticket) { k.Subject = "Scanner" })
	check(&d.anna, "printer", false, "a new subject")
	check(&d.anna, "scanner", true, "a new subject")
	change(func(k *portal.Ticket) { k.Requester, k.Company = d.bo.ID, d.acme.ID })
	check(&d.bo, "scanner", true, "a new requester")
	write(t, d.Store, func(ctx context.Context, tx *store.Tx) error { return tx.RemoveCompany(ctx, d.acme.ID) })
	check(&d.anna, "scanner", false, "the company removed")
	check(&d.bo, "scanner", true, "the company removed")
}
