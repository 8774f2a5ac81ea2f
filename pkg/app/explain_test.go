package app

import (
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func TestExplainNamesTheRuleThatDecides(t *testing.T) {
	a, _ := domainApp(t, DefaultBaseURL, nil)
	p := setUp(t, a, Setup{})
	ctx := t.Context()
	var acme, other, side portal.CompanyID
	people := map[string]*portal.Contact{}
	numbers := map[string]portal.TicketNumber{}
	err := a.store.Write(ctx, func(tx *store.Tx) error {
		for name, id := range map[string]*portal.CompanyID{"Acme": &acme, "Other": &other, "Side": &side} {
			c := portal.Company{Name: name}
			if err := tx.AddCompany(ctx, &c); err != nil {
				return err
			}
			*id = c.ID
		}
		for _, c := range []portal.Contact{
			{Email: "ann@acme.example", Primary: acme, Companies: []portal.CompanyID{acme}},
			{Email: "bo@acme.example", Primary: acme, Companies: []portal.CompanyID{acme, side}, Properties: map[string]string{"department": "Finance"}},
			{Email: "eve@other.example", Primary: other, Companies: []portal.CompanyID{other}},
			{Email: "solo@example.com"},
			{Email: "gone@acme.example", Primary: acme, Companies: []portal.CompanyID{acme}},
		} {
			if err := tx.AddContact(ctx, &c); err != nil {
				return err
			}
			people[c.Email] = &c
			status := portal.Registered
			if strings.HasPrefix(c.Email, "gone") {
				status = portal.Disabled
			}
			if err := tx.SaveMember(ctx, &portal.Member{PortalID: p.ID, ContactID: c.ID, Status: status}); err != nil {
				return err
			}
		}
		ann := people["ann@acme.example"].ID
		for name, ticket := range map[string]portal.Ticket{
			"plain":        {Company: acme},
			"confidential": {Company: acme, Confidential: true},
			"shared":       {Company: acme, Participants: []portal.ContactID{people["eve@other.example"].ID}},
			"side":         {Company: side},
			"private":      {},
		} {
			ticket.Subject, ticket.Status, ticket.Priority, ticket.Requester, ticket.InboxID = name, portal.New, portal.Normal, ann, p.Tickets.InboxID
			ticket.CreatedAt, ticket.UpdatedAt, ticket.StatusAt = tx.Now, tx.Now, tx.Now
			if err := tx.AddTicket(ctx, &ticket); err != nil {
				return err
			}
			numbers[name] = ticket.Number
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rule, err := portal.ParseRule("department equals Finance")
	if err != nil {
		t.Fatal(err)
	}
	contact := TicketChanges{Permissions: ptr(portal.PermitContact)}
	company := TicketChanges{Permissions: ptr(portal.PermitCompany), CompanyScope: ptr(portal.PrimaryCompany), CompanyAccess: ptr(portal.CompanyReply)}
	read := TicketChanges{Permissions: ptr(portal.PermitCompany), CompanyAccess: ptr(portal.CompanyRead)}
	all := TicketChanges{Permissions: ptr(portal.PermitCompany), CompanyScope: ptr(portal.AllCompanies)}
	rules := TicketChanges{Rules: &portal.RuleSet{rule}, CompanyScope: ptr(portal.PrimaryCompany)}
	for _, tt := range []struct {
		settings   TicketChanges
		who        string
		ticket     string
		see, reply bool
		rule, why  string
		change     string // part of it; "" for none
	}{
		{contact, "ann@acme.example", "plain", true, true, "requester", "requester", ""},
		{contact, "eve@other.example", "shared", true, true, "participant", "participant", ""},
		{contact, "bo@acme.example", "plain", false, false, "permission_contact", "only tickets they are requester", "--permissions company"},
		{company, "bo@acme.example", "plain", true, true, "company", "belongs to Acme", ""},
		{read, "bo@acme.example", "plain", true, false, "company", "may not answer", "--company-access reply"},
		{company, "bo@acme.example", "confidential", false, false, "confidential", "confidential", "participant"},
		{company, "bo@acme.example", "side", false, false, "not_primary", "not the primary one", "--company-scope all"},
		{all, "bo@acme.example", "side", true, true, "company", "belongs to Side", ""},
		{company, "eve@other.example", "plain", false, false, "no_company", "not the contact's", "participant"},
		{company, "bo@acme.example", "private", false, false, "no_company", "belongs to no company", "participant"},
		{company, "solo@example.com", "plain", false, false, "viewer_no_company", "belongs to no company", "contacts set"},
		{rules, "bo@acme.example", "plain", true, true, "company_rule", "rule 1", ""},
		{rules, "eve@other.example", "plain", false, false, "rules_do_not_match", "no ticket rule matches", "contacts set"},
		{company, "gone@acme.example", "plain", false, false, "entry.disabled", "disabled", "members invite"},
		{company, "bo@acme.example", "", true, true, "entry.member", "member: registered", ""},
		{contact, "bo@acme.example", "", true, true, "entry.member", "member: registered", "--permissions company"},
	} {
		name := string(*permissions(tt.settings)) + " " + tt.who + " " + tt.ticket
		if _, _, err := a.ConfigureTickets(ctx, p.ID, company); err != nil {
			t.Fatal(err)
		}
		if _, _, err := a.ConfigureTickets(ctx, p.ID, tt.settings); err != nil {
			t.Fatal(err)
		}
		x, err := a.Explain(ctx, p.ID, strings.ToUpper(tt.who), numbers[tt.ticket])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if x.See != tt.see || x.Reply != tt.reply || x.Rule != tt.rule || !strings.Contains(x.Why, tt.why) {
			t.Errorf("%s: see %v, reply %v, rule %s, %q; want %v, %v, %s, %q", name, x.See, x.Reply, x.Rule, x.Why, tt.see, tt.reply, tt.rule, tt.why)
		}
		if (tt.change == "") != (x.Change == "") || !strings.Contains(x.Change, tt.change) {
			t.Errorf("%s: to change it %q, want %q", name, x.Change, tt.change)
		}
	}
	if _, err := a.SetPortal(ctx, p.ID, PortalChanges{State: ptr(portal.Draft)}); err != nil {
		t.Fatal(err)
	}
	if x, err := a.Explain(ctx, p.ID, "ann@acme.example", numbers["plain"]); err != nil || x.See || x.Rule != "portal.draft" {
		t.Errorf("in a draft: %+v, %v; want not seen, portal.draft", x, err)
	}
	if _, err := a.Explain(ctx, p.ID, "nobody@example.com", 0); portal.KindOf(err) != portal.NotFound {
		t.Errorf("nobody: %v, want NotFound", err)
	}
	if _, err := a.Explain(ctx, p.ID, "ann@acme.example", 9999); portal.KindOf(err) != portal.NotFound {
		t.Errorf("no ticket: %v, want NotFound", err)
	}
}

func permissions(c TicketChanges) *portal.Permissions {
	if c.Permissions != nil {
		return c.Permissions
	}
	return ptr(portal.PermitRules)
}
