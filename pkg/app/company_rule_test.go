package app

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// prove lets a contact prove their address, and returns how they stand then.
func (w *world) prove(address string) *portal.Contact {
	w.t.Helper()
	var c *portal.Contact
	w.write(func(ctx context.Context, tx *store.Tx) error {
		var err error
		if c, err = tx.ContactByEmail(ctx, address); err != nil {
			return err
		}
		if err := attachByDomain(ctx, tx, c); err != nil {
			return err
		}
		c, err = tx.Contact(ctx, c.ID)
		return err
	})
	return c
}

func (w *world) companyAt(name, domain string) portal.CompanyID {
	w.t.Helper()
	c, _, _, err := w.AddCompany(w.t.Context(), CompanyInput{Name: &name, Domain: &domain})
	if err != nil {
		w.t.Fatal(err)
	}
	return c.ID
}

func TestAProvenAddressMakesBelongToTheCompanyOfItsDomain(t *testing.T) {
	w := newWorld(t, nil)
	initech := w.companyAt("Initech", "initech.example")
	globex := w.companyAt("Globex", "globex.example")
	for _, c := range []struct {
		name    string
		contact ContactInput
		primary portal.CompanyID
		in      []portal.CompanyID
	}{
		{"at the domain", ContactInput{Email: new("a@initech.example")}, initech, []portal.CompanyID{initech}},
		{"below the domain", ContactInput{Email: new("a@mail.initech.example")}, 0, nil},
		{"a name that ends like it", ContactInput{Email: new("a@notinitech.example")}, 0, nil},
		{"a primary company set by hand", ContactInput{Email: new("b@initech.example"), Primary: new("Globex")}, globex, []portal.CompanyID{initech, globex}},
		{"registration mail goes elsewhere", ContactInput{Email: new("c@initech.example"), MemberEmail: new("c@home.example")}, 0, nil},
		{"registration mail goes there", ContactInput{Email: new("d@home.example"), MemberEmail: new("d@initech.example")}, initech, []portal.CompanyID{initech}},
		{"public mail", ContactInput{Email: new("a@gmail.com")}, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, _, err := w.AddContact(t.Context(), c.contact)
			if err != nil {
				t.Fatal(err)
			}
			if before.In(initech) {
				t.Error("the contact belongs to Initech before anything was proven")
			}
			got := w.prove(before.Email)
			slices.Sort(c.in)
			if got.Primary != c.primary || !slices.Equal(got.Companies, c.in) {
				t.Errorf("primary %d of %v; want %d of %v", got.Primary, got.Companies, c.primary, c.in)
			}
		})
	}
}

func TestAnAddressCountsTheFirstTimeItIsProven(t *testing.T) {
	w := newWorld(t, nil)
	initech := w.companyAt("Initech", "initech.example")
	w.stranger("ann@initech.example")
	if c := w.prove("ann@initech.example"); !c.In(initech) {
		t.Fatal("the contact does not belong to the company of their proven address")
	}
	none := []string{}
	if _, _, err := w.SetContact(t.Context(), "ann@initech.example", ContactInput{Companies: &none}); err != nil {
		t.Fatal(err)
	}
	if c := w.prove("ann@initech.example"); c.In(initech) {
		t.Error("whom an operator took out of the company is back by proving the same address again")
	}
	if _, _, err := w.SetContact(t.Context(), "ann@initech.example", ContactInput{Email: new("ann@home.example")}); err != nil {
		t.Fatal(err)
	}
	if c := w.prove("ann@home.example"); len(c.Companies) > 0 {
		t.Errorf("the contact belongs to %v by an address at no company", c.Companies)
	}
}

func TestOfTwoCompaniesWithOneDomainNeitherIsMeant(t *testing.T) {
	w := newWorld(t, nil)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for _, name := range []string{"Initech", "Initrode"} {
			if err := tx.AddCompany(ctx, &portal.Company{Name: name, Domain: "initech.example"}); err != nil {
				return err
			}
		}
		return nil
	})
	w.stranger("ann@initech.example")
	if c := w.prove("ann@initech.example"); len(c.Companies) > 0 {
		t.Errorf("the contact belongs to %v", c.Companies)
	}
}

func TestPublicMailDomainsAreNoCompanyRules(t *testing.T) {
	w := newWorld(t, nil)
	_, _, _, err := w.AddCompany(t.Context(), CompanyInput{Name: new("Mail"), Domain: new("Gmail.com")})
	wantCode(t, err, "company.domain_public")
	_, _, _, err = w.SetCompany(t.Context(), "Acme", CompanyInput{Domain: new("outlook.com")})
	wantCode(t, err, "company.domain_public")
	// One that was a company's before it was known as public makes nobody belong.
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.AddCompany(ctx, &portal.Company{Name: "Old", Domain: "hotmail.com"})
	})
	w.stranger("ann@hotmail.com")
	if c := w.prove("ann@hotmail.com"); len(c.Companies) > 0 {
		t.Errorf("the contact belongs to %v", c.Companies)
	}
}

func TestContactsAtADomainAreAttachedOnlyWhenAskedFor(t *testing.T) {
	w := newWorld(t, nil)
	w.companyAt("Initech", "")
	for _, address := range []string{"ann@initech.example", "bo@initech.example", "cy@mail.initech.example"} {
		w.stranger(address)
	}
	_, _, match, err := w.SetCompany(t.Context(), "Initech", CompanyInput{Domain: new("initech.example")})
	if err != nil || match.Left != 2 || match.Attached != 0 {
		t.Fatalf("setting the domain gave %+v, %v; want two left as they are", match, err)
	}
	c, _, match, err := w.SetCompany(t.Context(), "Initech", CompanyInput{AttachExisting: true})
	if err != nil || match.Left != 0 || match.Attached != 2 || c.Contacts != 2 {
		t.Errorf("attaching gave %+v, %d contacts, %v; want two", match, c.Contacts, err)
	}
	_, _, _, err = w.SetCompany(t.Context(), "Initech", CompanyInput{Domain: new(""), AttachExisting: true})
	wantCode(t, err, "company.no_domain")
}

func TestExplainNamesTheCompanyRule(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Tickets.Permissions = portal.PermitCompany })
	initech := w.companyAt("Initech", "initech.example")
	w.stranger("ann@initech.example")
	w.stranger("boss@initech.example")
	w.prove("ann@initech.example")
	boss := w.prove("boss@initech.example")
	if _, err := w.ChangeGroup(t.Context(), "customers", []string{"ann@initech.example"}, nil); err != nil {
		t.Fatal(err)
	}
	ticket := &portal.Ticket{Subject: "Help", Status: portal.New, Priority: portal.Normal, Requester: boss.ID, Company: initech, InboxID: w.portal.Tickets.InboxID}
	w.write(func(ctx context.Context, tx *store.Tx) error { return tx.AddTicket(ctx, ticket) })
	x, err := w.Explain(t.Context(), w.portal.ID, "ann@initech.example", ticket.Number)
	if err != nil || !x.See || !strings.Contains(x.Why, "company rule for initech.example") {
		t.Errorf("the explanation is %v, %q, %v; want it to name the company rule", x.See, x.Why, err)
	}
}
