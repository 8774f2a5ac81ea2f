package app

import (
	"fmt"
	"slices"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestAddingAContactTwiceChangesNothing(t *testing.T) {
	w := newWorld(t, nil)
	in := ContactInput{
		Email: new("Kim@Example.COM"), Name: new("Kim"), Language: new("sv"), TimeZone: new("Europe/Stockholm"),
		Companies: new([]string{"beta", "Acme"}), Primary: new("Acme"), Properties: map[string]string{"Plan Type": "gold"},
	}
	for i, want := range []bool{true, false} {
		c, added, err := w.AddContact(t.Context(), in)
		if err != nil || added != want || c.Email != "kim@example.com" || c.Properties["plan_type"] != "gold" || c.Primary != w.acme.ID || len(c.Companies) != 2 {
			t.Errorf("run %d gave %+v, %v, %v; want added %v", i+1, c, added, err, want)
		}
	}
	in.Name = new("Kim B.")
	_, _, err := w.AddContact(t.Context(), in)
	wantCode(t, err, "contact.exists")
}

func TestAContactsProblemsComeAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	_, _, err := w.AddContact(t.Context(), ContactInput{
		Email: new("kim@example.com"), Name: new("a\x07b"), Language: new("tlh"), TimeZone: new("Mars/Base"), MemberEmail: new("kim"),
		Companies: new([]string{"Gamma"}), Properties: map[string]string{"email": "x"},
	})
	got := map[string]bool{}
	for _, e := range portal.Errors(err) {
		got[e.Code] = true
	}
	for _, code := range []string{"field.control", "field.language", "portal.time_zone", "field.email", "company.none", "field.property"} {
		if !got[code] {
			t.Errorf("%s is missing among %v", code, got)
		}
	}
	if _, err := w.Contact(t.Context(), "kim@example.com"); portal.KindOf(err) != portal.NotFound {
		t.Errorf("the contact is there after all: %v", err)
	}
}

func TestChangingAContactTellsWhatChanged(t *testing.T) {
	w := newWorld(t, nil)
	set := func(in ContactInput) []string {
		t.Helper()
		_, changes, err := w.SetContact(t.Context(), "ana@example.com", in)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, c := range changes {
			list = append(list, c.String())
		}
		return list
	}
	for _, test := range []struct {
		what string
		in   ContactInput
		want []string
	}{
		{"nothing said", ContactInput{}, nil},
		{"the same name", ContactInput{Name: new("ana")}, nil},
		{"another name", ContactInput{Name: new("Ana")}, []string{"name: ana -> Ana"}},
		{"a primary company joins", ContactInput{Primary: new("Beta")}, []string{"company: Acme (primary) -> Acme, Beta (primary)"}},
		{"companies anew", ContactInput{Companies: new([]string{"Acme"})}, []string{"company: Acme, Beta (primary) -> Acme (primary)"}},
		{"no companies", ContactInput{Companies: new([]string{""})}, []string{"company: Acme (primary) -> none"}},
		{"a property", ContactInput{Properties: map[string]string{"plan": "gold"}}, []string{"property plan: gold"}},
		{"no property", ContactInput{Properties: map[string]string{"plan": ""}}, []string{"property plan: gold -> none"}},
	} {
		if got := set(test.in); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v; want %v", test.what, got, test.want)
		}
	}
}

func TestANewAddressEndsSessionsAndLinks(t *testing.T) {
	w := newWorld(t, nil)
	session := w.signIn(w.ana)
	link := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	if _, _, err := w.SetContact(t.Context(), "ana@example.com", ContactInput{Name: new("Ana")}); err != nil || !w.visit(session).SignedIn() {
		t.Fatalf("a new name (%v) ended the session", err)
	}
	if _, _, err := w.SetContact(t.Context(), "ana@example.com", ContactInput{MemberEmail: new("ana@other.example")}); err != nil {
		t.Fatal(err)
	}
	if w.visit(session).SignedIn() {
		t.Error("the session outlived the address")
	}
	if state, err := w.PeekToken(t.Context(), w.visit(""), store.TokenSignIn, link); err != nil || state.Valid {
		t.Errorf("the link is %+v, %v; want it void", state, err)
	}
	_, _, err := w.SetContact(t.Context(), "ana@example.com", ContactInput{Email: new("bo@example.com")})
	if portal.KindOf(err) != portal.Conflict {
		t.Errorf("taking Bo's address gave %v; want a conflict", err)
	}
}

func TestAContactWithTicketsIsNotRemoved(t *testing.T) {
	w := newWorld(t, nil)
	if _, err := w.OpenDeskTicket(t.Context(), w.portal, NewDeskTicket{Requester: "ana@example.com", Subject: "Help", Body: "Please"}); err != nil {
		t.Fatal(err)
	}
	_, err := w.RemoveContact(t.Context(), "ana@example.com")
	wantCode(t, err, "contact.has_tickets")
	v, err := w.ShowContact(t.Context(), "ana@example.com")
	if err != nil || v.Tickets != 1 || v.PrimaryName != "Acme" || len(v.Groups) != 1 {
		t.Errorf("Ana is %+v, %v; want 1 ticket, Acme, 1 group", v, err)
	}
	session := w.signIn(w.bo)
	if _, err := w.RemoveContact(t.Context(), "bo@example.com"); err != nil || w.visit(session).SignedIn() {
		t.Errorf("removing Bo: %v, still signed in %v", err, w.visit(session).SignedIn())
	}
}

func TestContactsAreListedPageByPage(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 5 {
		w.stranger(fmt.Sprintf("p%d@example.com", i))
	}
	var all []string
	after := ""
	for {
		page, err := w.Contacts(t.Context(), ContactQuery{Search: "p", After: after, Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			all = append(all, c.Email)
		}
		after = all[len(all)-1]
	}
	if !slices.IsSorted(all) || len(slices.Compact(all)) != len(all) || len(all) < 5 {
		t.Errorf("listed %v; want each once, by address", all)
	}
	of, err := w.Contacts(t.Context(), ContactQuery{Company: "acme", Limit: 50})
	if err != nil || len(of) != 2 || of[0].PrimaryName != "Acme" {
		t.Errorf("of Acme: %+v, %v; want Ana and Bo", of, err)
	}
}

func TestCompaniesAreAddedChangedAndRemoved(t *testing.T) {
	w := newWorld(t, nil)
	in := CompanyInput{Name: new("Bücher AG"), Domain: new("BÜCHER.example")}
	for i, want := range []bool{true, false} {
		c, added, _, err := w.AddCompany(t.Context(), in)
		if err != nil || added != want || c.Domain != "xn--bcher-kva.example" {
			t.Errorf("run %d gave %+v, %v, %v", i+1, c, added, err)
		}
	}
	_, _, _, err := w.AddCompany(t.Context(), CompanyInput{Name: new("Gamma"), Domain: new("bücher.example")})
	wantCode(t, err, "company.domain_taken")
	_, _, _, err = w.SetCompany(t.Context(), "Bücher AG", CompanyInput{Name: new("ACME")})
	wantCode(t, err, "company.exists")
	c, changes, _, err := w.SetCompany(t.Context(), "acme", CompanyInput{Name: new("ACME")})
	if err != nil || len(changes) != 1 || c.Contacts != 2 {
		t.Errorf("writing Acme large gave %+v, %v, %v; want one change and two contacts", c, changes, err)
	}
	if c, err = w.RemoveCompany(t.Context(), fmt.Sprintf("#%d", c.ID)); err != nil || c.Name != "ACME" {
		t.Errorf("removing by id gave %+v, %v", c, err)
	}
	if v, err := w.ShowContact(t.Context(), "ana@example.com"); err != nil || len(v.CompanyNames) != 0 {
		t.Errorf("Ana is %+v, %v; want her there without a company", v, err)
	}
}

func TestCompaniesOfOneNameAreListedPageByPage(t *testing.T) {
	w := newWorld(t, nil)
	after, seen := "", 0
	for range 5 {
		page, err := w.Companies(t.Context(), CompanyQuery{After: after, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		seen++
		after = CompanyPlace(&page[0])
	}
	if seen != 2 {
		t.Errorf("saw %d companies; want 2", seen)
	}
}
