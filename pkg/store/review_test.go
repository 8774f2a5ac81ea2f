package store

import (
	"context"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

// TestAccessRowsAreReadInOrderFromIndexes keeps a review of many contacts
// from sorting them all for each page.
func TestAccessRowsAreReadInOrderFromIndexes(t *testing.T) {
	s := openHere(t)
	check := func(name string) {
		err := s.Read(t.Context(), func(tx *Tx) error {
			q := newQuery(accessQuery)
			q.args = []any{1, "", 10, nameBreak}
			plan := planOf(t, tx, q)
			for line := range strings.Lines(plan) {
				if strings.Contains(line, "TEMP B-TREE") || strings.HasPrefix(line, "SCAN") {
					t.Errorf("%s: %s in\n%s", name, line, plan)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	check("without statistics")
	fewTickets(t, s)
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("with statistics")
}

func TestAccessRowsNameGroupsAndCompanies(t *testing.T) {
	s := openHere(t)
	ctx := context.Background()
	var p portal.Portal
	err := s.Write(ctx, func(tx *Tx) error {
		system, err := tx.SystemDomain(ctx)
		if err != nil {
			return err
		}
		p = portal.Portal{Name: "Help", DomainID: system.ID, State: portal.Live, Access: portal.DefaultAccessSettings(), Tickets: portal.DefaultTicketSettings()}
		other := portal.Group{Name: "Elsewhere"}
		for _, g := range []*portal.Group{{Name: "VIP"}, {Name: "Acme, all; of \"them\""}} {
			if err := tx.AddGroup(ctx, g); err != nil {
				return err
			}
			p.Access.Groups = append(p.Access.Groups, g.ID)
		}
		if err := tx.AddGroup(ctx, &other); err != nil {
			return err
		}
		p.Access.Mode = portal.ModeGroups
		if err := tx.AddPortal(ctx, &p); err != nil {
			return err
		}
		var companies []portal.CompanyID
		for _, name := range []string{"Zeta", "Acme", "Beta, Gamma"} {
			k := portal.Company{Name: name}
			if err := tx.AddCompany(ctx, &k); err != nil {
				return err
			}
			companies = append(companies, k.ID)
		}
		for _, c := range []portal.Contact{
			{Email: "a@example.com", Primary: companies[0], Companies: companies},
			{Email: "b@example.com", Companies: companies[1:2]},
			{Email: "c@example.com"}, // only in a group of no portal
			{Email: "d@example.com"}, // a member and in no group
		} {
			if err := tx.AddContact(ctx, &c); err != nil {
				return err
			}
			groups := map[string][]portal.GroupID{"a@example.com": p.Access.Groups, "b@example.com": p.Access.Groups[:1], "c@example.com": {other.ID}}[c.Email]
			for _, g := range groups {
				if _, err := tx.AddToGroup(ctx, g, c.ID); err != nil {
					return err
				}
			}
			if c.Email == "d@example.com" {
				if err := tx.SaveMember(ctx, &portal.Member{PortalID: p.ID, ContactID: c.ID, Status: portal.Registered, LastSignInAt: tx.Now}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = s.Read(ctx, func(tx *Tx) error {
		for after := ""; ; {
			rows, err := tx.AccessRows(ctx, AccessFilter{Portal: p.ID, After: after, Limit: 1})
			if err != nil || len(rows) == 0 {
				return err
			}
			r := rows[0]
			after = r.Contact.Email
			line := after + ": " + strings.Join(r.Companies, "|") + ": " + strings.Join(r.Groups, "|")
			if r.Member != nil {
				line += ": " + string(r.Member.Status)
			}
			got = append(got, line)
			if in, err := tx.InGroups(ctx, p.ID, r.Contact.ID); err != nil || in != (len(r.Groups) > 0) {
				t.Errorf("%s: InGroups says %v, %v; the row has %q", after, in, err, r.Groups)
			}
			if (after == "a@example.com") != (len(r.Contact.Companies) == 3 && r.Contact.Primary != 0) {
				t.Errorf("%s: companies %v, primary %d", after, r.Contact.Companies, r.Contact.Primary)
			}
		}
	})
	want := []string{
		`a@example.com: Zeta|Acme|Beta, Gamma: Acme, all; of "them"|VIP`,
		"b@example.com: Acme: VIP",
		"d@example.com: : : registered",
	}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\n%v, want\n%s", strings.Join(got, "\n"), err, strings.Join(want, "\n"))
	}
}
