package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestTestAccessHoldsExpectationsAgainstTheRules(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) {
		p.Tickets.Permissions, p.Tickets.CompanyAccess = portal.PermitCompany, portal.CompanyRead
	})
	stranger := w.addContact(portal.Contact{Email: "stranger@example.com"}, "")
	n := w.addTicket(portal.Ticket{Requester: w.ana.ID, Company: w.acme.ID})
	n2 := w.addTicket(portal.Ticket{Requester: stranger.ID})
	for _, tt := range []struct {
		line  string
		holds bool
		got   string
		rule  string
	}{
		{"ana@example.com may sign in", true, gotMay, "entry.group"},
		{"ana@example.com may not sign in", false, gotMay, "entry.group"},
		{"stranger@example.com may not sign in", true, gotMayNot, "entry.no_group"},
		{"stranger@example.com may sign in", false, gotMayNot, "entry.no_group"},
		{"stranger@example.com may see " + n2.String(), false, gotMayNot, "entry.no_group"},
		{"ana@example.com may answer " + n.String(), true, gotMay, "requester"},
		{"bo@example.com may see " + n.String(), true, gotMay, "company"},
		{"bo@example.com may answer " + n.String(), false, gotMayNot, "company"},
		{"bo@example.com may not answer " + n.String(), true, gotMayNot, "company"},
		{"eve@example.com may not see " + n.String(), true, gotMayNot, "no_company"},
		{"eve@example.com may see " + n.String(), false, gotMayNot, "no_company"},
		{"ana@example.com may sign in [portal help]", true, gotMay, "entry.group"},
		// What does not exist never passes.
		{"ana@example.com may not see T-9999", false, gotUnknown, "ticket.none"},
		{"anna@example.com may not sign in", false, gotUnknown, "contact.none"},
		{"ana@example.com may not sign in [portal hepl]", false, gotUnknown, "portal.none"},
	} {
		list, err := portal.ParseExpectations(tt.line)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.TestAccess(t.Context(), "", list)
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %v, %v", tt.line, got, err)
			continue
		}
		if g := got[0]; g.Holds != tt.holds || g.Got != tt.got || g.Rule != tt.rule || g.Why == "" {
			t.Errorf("%s: holds %v, got %q by %s because %q; want %v, %q, %s", tt.line, g.Holds, g.Got, g.Rule, g.Why, tt.holds, tt.got, tt.rule)
		}
	}
	list := []portal.Expectation{{Contact: "ana@example.com", Act: portal.ActSignIn}}
	if _, err := w.TestAccess(t.Context(), "hepl", list); portal.KindOf(err) != portal.NotFound {
		t.Errorf("a wrong standard portal: %v, want NotFound", err)
	}
}

// seen asks the one rule about every contact and ticket: "ana sees T-1001",
// "ana answers T-1001", "ana enters".
func (w *world) seen(a *App) map[string]bool {
	w.t.Helper()
	all := map[string]bool{}
	err := a.store.Read(w.t.Context(), func(tx *store.Tx) error {
		ctx := w.t.Context()
		contacts, err := tx.Contacts(ctx, store.ContactFilter{Limit: 1000})
		if err != nil {
			return err
		}
		agent := portal.AgentViewer(w.agent)
		tickets, err := tx.Tickets(ctx, &agent, 0, store.TicketFilter{}, store.TicketPage{Limit: 1000})
		if err != nil {
			return err
		}
		for _, c := range contacts {
			x, err := explain(ctx, tx, w.portal.ID, c.Email, 0)
			if err != nil {
				return err
			}
			all[c.Email+" enters"] = x.See
			for _, row := range tickets {
				if x, err = explain(ctx, tx, w.portal.ID, c.Email, row.Number); err != nil {
					return err
				}
				all[c.Email+" sees "+row.Number.String()] = x.See
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// TestCompareSightAgreesWithTheRule makes random changes and compares what is
// told with every single answer before and after.
func TestCompareSightAgreesWithTheRule(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	w := newWorld(t, nil)
	people := []*portal.Contact{w.ana, w.bo, w.eve}
	companies := []portal.CompanyID{w.acme.ID, w.eve.Primary}
	for i := range 9 {
		c := portal.Contact{Email: fmt.Sprintf("p%d@example.com", i), Properties: map[string]string{"role": []string{"lead", "other"}[i%2]}}
		if i%3 != 0 {
			c.Companies = companies[:1+i%2]
			c.Primary = companies[i%len(c.Companies)]
		}
		people = append(people, w.addContact(c, ""))
	}
	for i := range 40 {
		k := portal.Ticket{Requester: people[r.IntN(len(people))].ID, Confidential: i%5 == 0}
		if i%4 != 0 {
			k.Company = companies[r.IntN(2)]
		}
		if i%3 == 0 {
			k.Participants = []portal.ContactID{people[r.IntN(len(people))].ID}
		}
		w.addTicket(k)
		w.clock.Add(time.Second * time.Duration(i%2)) // some share a moment
	}
	before := w.seen(w.App)
	rule, err := portal.ParseRule("role equals lead")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for round := range 12 {
		change := func(a *App) error {
			ctx := t.Context()
			permissions := []TicketChanges{
				{Permissions: ptr(portal.PermitContact)},
				{Permissions: ptr(portal.PermitCompany)},
				{Permissions: ptr(portal.PermitCompany), CompanyScope: ptr(portal.AllCompanies)},
				{Rules: &portal.RuleSet{rule}},
			}[round%4]
			if _, _, err := a.ConfigureTickets(ctx, w.portal.ID, permissions); err != nil {
				return err
			}
			if round == 11 {
				if _, err := a.RemoveCompany(ctx, "Acme"); err != nil {
					return err
				}
			}
			return a.store.Write(ctx, func(tx *store.Tx) error {
				for _, c := range people {
					var err error
					switch r.IntN(4) {
					case 0:
						_, err = tx.AddToGroup(ctx, w.group.ID, c.ID)
					case 1:
						_, err = tx.RemoveFromGroup(ctx, w.group.ID, c.ID)
					case 2:
						status := []portal.MemberStatus{portal.Disabled, portal.Registered}[r.IntN(2)]
						err = tx.SaveMember(ctx, &portal.Member{PortalID: w.portal.ID, ContactID: c.ID, Status: status})
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		err := w.OnCopy(t.Context(), nil, func(copied *App) error {
			if err := change(copied); err != nil {
				return err
			}
			after := w.seen(copied)
			want := map[string]bool{} // what differs, and which way
			for fact, is := range after {
				if is != before[fact] {
					want[fact] = is
				}
			}
			got := map[string]bool{}
			err := CompareSight(t.Context(), w.App, copied, func(c *SightChange) error {
				if c.SignIn != "" {
					got[c.Email+" enters"] = c.SignIn == SightGains
				}
				for _, n := range c.Gained.Numbers {
					got[c.Email+" sees "+n.String()] = true
				}
				for _, n := range c.Lost.Numbers {
					got[c.Email+" sees "+n.String()] = false
				}
				if c.Gained.Count != len(c.Gained.Numbers) || c.Lost.Count != len(c.Lost.Numbers) {
					t.Errorf("counts and numbers differ: %+v", c)
				}
				return nil
			})
			if !maps.Equal(got, want) {
				t.Errorf("round %d:\n got %v\nwant %v", round, got, want)
			}
			found += len(want)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 100 {
		t.Errorf("only %d differences in all rounds; the test compares too little", found)
	}
	if now := w.seen(w.App); !maps.Equal(now, before) {
		t.Error("the store itself has changed")
	}
}

func TestCompareSightTellsAnsweringAndCountsToALimit(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Tickets.Permissions = portal.PermitCompany })
	w.addTicket(portal.Ticket{Requester: w.ana.ID, Company: w.acme.ID})
	compare := func(change TicketChanges) (list []SightChange) {
		t.Helper()
		err := w.OnCopy(t.Context(), nil, func(copied *App) error {
			if _, _, err := copied.ConfigureTickets(t.Context(), w.portal.ID, change); err != nil {
				return err
			}
			return CompareSight(t.Context(), w.App, copied, func(c *SightChange) error {
				list = append(list, *c)
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	got := compare(TicketChanges{CompanyAccess: ptr(portal.CompanyRead)})
	if len(got) != 3 || got[0].Email != "ana@example.com" || got[0].Answer != SightLoses || got[0].SignIn != "" || got[0].Lost.Count > 0 {
		t.Errorf("company access read: %+v; want all three to lose answering", got)
	}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for range countMost {
			k := portal.Ticket{
				Subject: "s", Status: portal.New, Priority: portal.Normal, InboxID: w.portal.Tickets.InboxID,
				Requester: w.ana.ID, Company: w.acme.ID, CreatedAt: tx.Now,
			}
			if err := tx.AddTicket(ctx, &k); err != nil {
				return err
			}
		}
		return nil
	})
	got = compare(TicketChanges{Permissions: ptr(portal.PermitContact)})
	if len(got) != 1 || got[0].Email != "bo@example.com" || got[0].Lost.Count != countMost || !got[0].Lost.Capped || len(got[0].Lost.Numbers) != ticketsNamed {
		t.Errorf("contact view: %d people, want Bo, who loses more than %d tickets", len(got), countMost)
	}
}

func TestOnCopyLeavesNothingBehind(t *testing.T) {
	w := newWorld(t, nil)
	stop := errors.New("stop")
	dir := filepath.Dir(w.store.Path())
	names := func() (list []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			list = append(list, e.Name())
		}
		return list
	}
	before := names()
	for _, change := range []func(string) error{nil, func(string) error { return stop }} {
		err := w.OnCopy(t.Context(), change, func(*App) error { return stop })
		if !errors.Is(err, stop) {
			t.Errorf("got %v, want the error of the work", err)
		}
	}
	if after := names(); !slices.Equal(before, after) {
		t.Errorf("left behind: %v, was %v", after, before)
	}
}

func TestCompareSightTellsOfPortalsThatCloseAndGo(t *testing.T) {
	w := newWorld(t, nil)
	w.addTicket(portal.Ticket{Requester: w.ana.ID})
	for name, change := range map[string]func(*App) error{
		"draft": func(a *App) error {
			_, err := a.SetPortal(t.Context(), w.portal.ID, PortalChanges{State: ptr(portal.Draft)})
			return err
		},
		"gone": func(a *App) error {
			return a.store.Write(t.Context(), func(tx *store.Tx) error { return tx.RemovePortal(t.Context(), w.portal.ID) })
		},
	} {
		for way, want := range map[string]SightTurn{"made": SightLoses, "taken back": SightGains} {
			var got []string
			err := w.OnCopy(t.Context(), nil, func(copied *App) error {
				if err := change(copied); err != nil {
					return err
				}
				before, after := w.App, copied
				if want == SightGains {
					before, after = copied, w.App
				}
				return CompareSight(t.Context(), before, after, func(c *SightChange) error {
					got = append(got, fmt.Sprintf("%s: %s %s sign-in, %d gained, %d lost", c.Portal, c.Email, c.SignIn, c.Gained.Count, c.Lost.Count))
					return nil
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			first := "Help: ana@example.com gains sign-in, 1 gained, 0 lost"
			if want == SightLoses {
				first = "Help: ana@example.com loses sign-in, 0 gained, 1 lost"
			}
			if len(got) != 3 || got[0] != first {
				t.Errorf("%s, %s: %q; want three, the first %q", name, way, got, first)
			}
		}
	}
}
