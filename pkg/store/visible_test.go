package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

// world is a random store: contacts with no, one or several companies, and
// tickets of every kind.
type world struct {
	*store.Store
	clock     *portaltest.Clock
	r         *rand.Rand
	inboxes   []portal.InboxID
	agent     portal.AgentID
	companies []portal.CompanyID
	contacts  []*portal.Contact
	tickets   []portal.TicketNumber
	public    map[portal.TicketNumber]portal.FileID // a file of a public message
	internal  map[portal.TicketNumber]portal.FileID // a file of an internal one
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	s, clock := portaltest.StoreClock(t)
	w := &world{
		Store: s, clock: clock, r: rand.New(rand.NewPCG(seed, 1)),
		public: map[portal.TicketNumber]portal.FileID{}, internal: map[portal.TicketNumber]portal.FileID{},
	}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		agent := portal.Agent{Email: "a@desk.example", Role: portal.RoleAgent}
		for _, name := range []string{"Support", "Billing", "Returns"} {
			inbox := portal.Inbox{Name: name, Kind: portal.InboxHelpdesk}
			if err := tx.AddInbox(ctx, &inbox); err != nil {
				return err
			}
			w.inboxes = append(w.inboxes, inbox.ID)
		}
		if err := tx.AddAgent(ctx, &agent); err != nil {
			return err
		}
		w.agent = agent.ID
		for i := range 36 {
			k := portal.Company{Name: fmt.Sprint("Company ", i)}
			if err := tx.AddCompany(ctx, &k); err != nil {
				return err
			}
			w.companies = append(w.companies, k.ID)
		}
		for i := range 7 {
			c := &portal.Contact{Email: fmt.Sprintf("c%d@example.com", i), Properties: map[string]string{"level": fmt.Sprint(i % 2)}}
			for range []int{0, 1, 2, 3, 3, 3, 0}[i] {
				if k := w.company(); k != 0 && !c.In(k) {
					c.Companies = append(c.Companies, k)
				}
			}
			if i == 6 { // more companies than a list has arms for
				c.Companies = slices.Clone(w.companies)
			}
			if len(c.Companies) > 0 && i != 5 {
				c.Primary = c.Companies[0]
			}
			if err := tx.AddContact(ctx, c); err != nil {
				return err
			}
			w.contacts = append(w.contacts, c)
		}
		return nil
	})
	for range 25 {
		w.open(t)
	}
	return w
}

// company is one of the first four, so that they are met again, or none.
func (w *world) company() portal.CompanyID {
	return append(slices.Clone(w.companies[:4]), 0)[w.r.IntN(5)]
}

func (w *world) contact() portal.ContactID { return w.contacts[w.r.IntN(len(w.contacts))].ID }

// scatter gives a ticket random parties and company.
func (w *world) scatter(k *portal.Ticket) {
	k.Requester, k.Company, k.Confidential = w.contact(), w.company(), w.r.IntN(4) == 0
	k.Participants = nil
	for range w.r.IntN(3) {
		if id := w.contact(); !k.Party(id) {
			k.Participants = append(k.Participants, id)
		}
	}
	k.InboxID = w.inboxes[w.r.IntN(len(w.inboxes))]
	k.Status = portal.Statuses[w.r.IntN(4)]
}

func (w *world) open(t *testing.T) {
	t.Helper()
	k := &portal.Ticket{Subject: "everywhere", Priority: portal.Normal, InboxID: w.inboxes[w.r.IntN(len(w.inboxes))]}
	w.scatter(k)
	write(t, w.Store, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddTicket(ctx, k); err != nil {
			return err
		}
		for _, kind := range []portal.MessageKind{portal.Public, portal.Note} {
			m := portal.Message{
				Kind: kind, Agent: w.agent, Format: portal.Plain, Body: fmt.Sprintf("%s%d", kind, k.Number),
				Files: []portal.File{{Name: "f", Type: "text/plain", Size: 1, SHA256: "00"}},
			}
			if err := tx.AddMessage(ctx, k, &m); err != nil {
				return err
			}
			if kind == portal.Public {
				w.public[k.Number] = m.Files[0].ID
			} else {
				w.internal[k.Number] = m.Files[0].ID
			}
		}
		return tx.SaveTicket(ctx, k)
	})
	w.tickets = append(w.tickets, k.Number)
	if w.r.IntN(3) > 0 { // some share their time
		w.clock.Add(time.Second)
	}
}

// viewers are everybody under every kind of permission.
func (w *world) viewers(t *testing.T) map[string]*portal.Viewer {
	t.Helper()
	all := map[string]*portal.Viewer{"nobody": {}, "an agent": {Agent: w.agent, Basis: portal.RuleAgent}}
	for name, inboxes := range map[string][]portal.InboxID{"an agent without inboxes": nil, "an agent of one inbox": w.inboxes[1:2], "an agent of two": w.inboxes[:2]} {
		all[name] = &portal.Viewer{Agent: w.agent, Basis: portal.RuleAgent, Limited: true, Inboxes: inboxes}
	}
	read(t, w.Store, func(ctx context.Context, tx *store.Tx) error {
		for _, c := range w.contacts {
			now, err := tx.Contact(ctx, c.ID)
			if err != nil {
				return err
			}
			for name, s := range map[string]portal.TicketSettings{
				"contact":   {Permissions: portal.PermitContact},
				"company":   {Permissions: portal.PermitCompany, CompanyScope: portal.PrimaryCompany},
				"companies": {Permissions: portal.PermitCompany, CompanyScope: portal.AllCompanies},
				"rules": {
					Permissions: portal.PermitRules, CompanyScope: portal.AllCompanies,
					Rules: portal.RuleSet{{{Property: "level", Op: portal.OpEquals, Values: []string{"1"}}}},
				},
			} {
				v := portal.NewViewer(now, &s)
				all[fmt.Sprintf("%s by %s", c.Email, name)] = &v
			}
		}
		return nil
	})
	odd := *all[w.contacts[3].Email+" by companies"]
	odd.Companies = append(append([]portal.CompanyID{0, -1}, odd.Companies...), odd.Companies...)
	all["with odd companies"] = &odd
	return all
}

func TestListsCountsSearchAndFilesAgreeWithTheRule(t *testing.T) {
	stores := uint64(2)
	if raced {
		stores = 1
	}
	for seed := range stores {
		t.Run(fmt.Sprint("store ", seed), func(t *testing.T) {
			w := newWorld(t, seed)
			w.agree(t, "as opened")
			for range 15 {
				n := w.tickets[w.r.IntN(len(w.tickets))]
				write(t, w.Store, func(ctx context.Context, tx *store.Tx) error {
					k, err := tx.Ticket(ctx, n)
					if err != nil {
						return err
					}
					w.scatter(k)
					k.UpdatedAt = tx.Now
					return tx.SaveTicket(ctx, k)
				})
				w.clock.Add(time.Second)
			}
			w.agree(t, "after changes")
			write(t, w.Store, func(ctx context.Context, tx *store.Tx) error { return tx.RemoveCompany(ctx, w.companies[1]) })
			w.agree(t, "after a company was removed")
		})
	}
}

// agree asks every query about every viewer, and the rule about every ticket.
func (w *world) agree(t *testing.T, when string) {
	t.Helper()
	staff := portal.OperatorViewer()
	tickets := map[portal.TicketNumber]*portal.Ticket{}
	read(t, w.Store, func(ctx context.Context, tx *store.Tx) (err error) {
		for _, n := range w.tickets {
			if tickets[n], err = tx.TicketFor(ctx, &staff, n); err != nil {
				return err
			}
		}
		return nil
	})
	for name, v := range w.viewers(t) {
		var mine, seen []portal.TicketNumber
		for _, n := range w.tickets {
			if v.Sees(tickets[n]).See {
				seen = append(seen, n)
			}
			if v.Agent != 0 && v.Sees(tickets[n]).See || tickets[n].Party(v.Contact) {
				mine = append(mine, n)
			}
		}
		read(t, w.Store, func(ctx context.Context, tx *store.Tx) error {
			for scope, want := range map[store.Scope][]portal.TicketNumber{store.ScopeMine: mine, store.ScopeCompany: seen} {
				if err := w.listed(ctx, t, tx, v, scope, want, tickets, when+", "+name+", "+string(scope)); err != nil {
					return err
				}
			}
			for _, n := range w.tickets {
				if err := w.single(ctx, t, tx, v, n, slices.Contains(seen, n), when+", "+name); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// listed checks list, pages, count and search of one scope.
func (w *world) listed(ctx context.Context, t *testing.T, tx *store.Tx, v *portal.Viewer, scope store.Scope,
	want []portal.TicketNumber, tickets map[portal.TicketNumber]*portal.Ticket, what string,
) error {
	t.Helper()
	for status, f := range map[string]store.TicketFilter{
		"": {Scope: scope}, "open": {Scope: scope, Statuses: portal.Statuses[:3]},
		"closed": {Scope: scope, Statuses: portal.Statuses[3:]}, "one": {Scope: scope, Statuses: portal.Statuses[1:2]},
	} {
		if status != "" && w.r.IntN(3) > 0 {
			continue // chance picks enough of them
		}
		want := slices.DeleteFunc(slices.Clone(want), func(n portal.TicketNumber) bool {
			return len(f.Statuses) > 0 && !slices.Contains(f.Statuses, tickets[n].Status)
		})
		slices.SortFunc(want, func(a, b portal.TicketNumber) int {
			if c := tickets[b].UpdatedAt.Compare(tickets[a].UpdatedAt); c != 0 {
				return c
			}
			return int(b - a)
		})
		var listed []portal.TicketNumber
		for p := (store.TicketPage{Limit: 9}); ; {
			rows, err := tx.Tickets(ctx, v, 0, f, p)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				break
			}
			listed = append(listed, numbers(rows)...)
			last := rows[len(rows)-1]
			p.After = &store.Cursor{UpdatedAt: last.UpdatedAt, Number: last.Number}
		}
		if !slices.Equal(listed, want) {
			t.Errorf("%s %s: listed %v, the rule says %v", what, status, listed, want)
		}
		n, err := tx.CountTickets(ctx, v, f, 1000)
		if err != nil {
			return err
		}
		if n != len(want) {
			t.Errorf("%s %s: counted %d, the rule says %d", what, status, n, len(want))
		}
		found, err := tx.SearchTickets(ctx, v, 0, "everywhere", f, 1000)
		if err != nil {
			return err
		}
		got := numbers(found)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s %s: found %v, the rule says %v", what, status, got, want)
		}
	}
	return nil
}

// single checks the ways to one ticket.
func (w *world) single(ctx context.Context, t *testing.T, tx *store.Tx, v *portal.Viewer, n portal.TicketNumber, want bool, what string) error {
	t.Helper()
	there := func(err error) bool {
		if err != nil && portal.KindOf(err) != portal.NotFound {
			t.Errorf("%s, %s: %v", what, n, err)
		}
		return err == nil
	}
	_, err := tx.TicketFor(ctx, v, n)
	if there(err) != want {
		t.Errorf("%s, %s: read %v, the rule says %v", what, n, !want, want)
	}
	_, err = tx.FileFor(ctx, v, w.public[n])
	if there(err) != want {
		t.Errorf("%s, a file of %s: read %v, the rule says %v", what, n, !want, want)
	}
	_, err = tx.FileFor(ctx, v, w.internal[n])
	if there(err) != (want && v.Agent != 0) {
		t.Errorf("%s, a file of an internal message of %s: read %v", what, n, err == nil)
	}
	if w.r.IntN(8) > 0 {
		return nil // searches are slow; chance picks enough of them
	}
	company := store.TicketFilter{Scope: store.ScopeCompany}
	for words, want := range map[string]bool{
		n.String(): want, fmt.Sprintf("public%d", n): want, fmt.Sprintf("internal%d", n): want && v.Agent != 0,
	} {
		rows, err := tx.SearchTickets(ctx, v, 0, words, company, 10)
		if err != nil {
			return err
		}
		if got := slices.Contains(numbers(rows), n); got != want {
			t.Errorf("%s: searching %q found %s: %v, want %v", what, words, n, got, want)
		}
	}
	return nil
}
