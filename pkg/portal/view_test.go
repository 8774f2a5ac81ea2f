package portal_test

import (
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestViewerSeesWhatTheRulesSay(t *testing.T) {
	const (
		ana, bo    = portal.ContactID(1), portal.ContactID(2)
		acme, beta = portal.CompanyID(10), portal.CompanyID(20)
	)
	contact := &portal.Contact{
		ID: ana, Primary: acme, Companies: []portal.CompanyID{acme, beta},
		Properties: map[string]string{"department": "Finance"},
	}
	finance := portal.RuleSet{{{Property: "department", Op: portal.OpEquals, Values: []string{"finance"}}}}
	it := portal.RuleSet{{{Property: "department", Op: portal.OpEquals, Values: []string{"IT"}}}}
	with := func(change func(*portal.TicketSettings)) portal.TicketSettings {
		s := portal.DefaultTicketSettings()
		change(&s)
		return s
	}
	byCompany := with(func(s *portal.TicketSettings) { s.Permissions = portal.PermitCompany })
	for name, c := range map[string]struct {
		settings portal.TicketSettings
		ticket   portal.Ticket
		want     portal.Decision
	}{
		"own ticket":                {with(func(*portal.TicketSettings) {}), portal.Ticket{Requester: ana}, portal.Decision{See: true, Reply: true, Rule: portal.RuleRequester}},
		"own confidential ticket":   {byCompany, portal.Ticket{Requester: ana, Confidential: true, Company: acme}, portal.Decision{See: true, Reply: true, Rule: portal.RuleRequester}},
		"participant":               {with(func(*portal.TicketSettings) {}), portal.Ticket{Requester: bo, Participants: []portal.ContactID{ana}, Confidential: true}, portal.Decision{See: true, Reply: true, Rule: portal.RuleParticipant}},
		"colleague's, contact view": {with(func(*portal.TicketSettings) {}), portal.Ticket{Requester: bo, Company: acme}, portal.Decision{Rule: portal.RulePermitContact}},
		"colleague's, company view": {byCompany, portal.Ticket{Requester: bo, Company: acme}, portal.Decision{See: true, Reply: true, Rule: portal.RuleCompany}},
		"colleague's confidential":  {byCompany, portal.Ticket{Requester: bo, Company: acme, Confidential: true}, portal.Decision{Rule: portal.RuleConfidential}},
		"colleague's, company read only": {with(func(s *portal.TicketSettings) {
			s.Permissions, s.CompanyAccess = portal.PermitCompany, portal.CompanyRead
		}), portal.Ticket{Requester: bo, Company: acme}, portal.Decision{See: true, Rule: portal.RuleCompany}},
		"second company, primary scope": {byCompany, portal.Ticket{Requester: bo, Company: beta}, portal.Decision{Rule: portal.RuleNoCompany}},
		"second company, all companies": {with(func(s *portal.TicketSettings) {
			s.Permissions, s.CompanyScope = portal.PermitCompany, portal.AllCompanies
		}), portal.Ticket{Requester: bo, Company: beta}, portal.Decision{See: true, Reply: true, Rule: portal.RuleCompany}},
		"no company at all":        {byCompany, portal.Ticket{Requester: bo}, portal.Decision{Rule: portal.RuleNoCompany}},
		"rule that matches":        {with(func(s *portal.TicketSettings) { s.Permissions, s.Rules = portal.PermitRules, finance }), portal.Ticket{Requester: bo, Company: acme}, portal.Decision{See: true, Reply: true, Rule: portal.RuleCompanyByRule}},
		"rule that does not match": {with(func(s *portal.TicketSettings) { s.Permissions, s.Rules = portal.PermitRules, it }), portal.Ticket{Requester: bo, Company: acme}, portal.Decision{Rule: portal.RuleRulesDontMatch}},
	} {
		t.Run(name, func(t *testing.T) {
			v := portal.NewViewer(contact, &c.settings)
			if got := v.Sees(&c.ticket); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	nobody, agent := portal.Viewer{}, portal.AgentViewer(&portal.Agent{ID: 7, EveryInbox: true})
	if nobody.Sees(&portal.Ticket{}).See {
		t.Error("a viewer who is nobody sees a ticket")
	}
	if !agent.Sees(&portal.Ticket{Requester: bo, Confidential: true}).See {
		t.Error("an agent does not see a ticket")
	}
}

func TestMayEnter(t *testing.T) {
	groups := &portal.Portal{Access: portal.AccessSettings{Mode: portal.ModeGroups}}
	self := &portal.Portal{Access: portal.AccessSettings{Mode: portal.ModeSelfRegister}}
	member := func(s portal.MemberStatus) *portal.Member { return &portal.Member{Status: s} }
	for name, c := range map[string]struct {
		p       *portal.Portal
		m       *portal.Member
		inGroup bool
		code    string
		allowed bool
	}{
		"no mode":                    {&portal.Portal{}, member(portal.Registered), true, "entry.no_mode", false},
		"listed, never invited":      {groups, nil, true, "entry.group", true},
		"listed, registered":         {groups, member(portal.Registered), true, "entry.group", true},
		"listed but disabled":        {groups, member(portal.Disabled), true, "entry.disabled", false},
		"registered but left":        {groups, member(portal.Registered), false, "entry.no_group", false},
		"stranger":                   {self, nil, false, "entry.not_registered", false},
		"awaiting approval":          {self, member(portal.Pending), false, "entry.pending", false},
		"registered":                 {self, member(portal.Registered), false, "entry.member", true},
		"registered then disabled":   {self, member(portal.Disabled), true, "entry.disabled", false},
		"invited to a self-register": {self, member(portal.Invited), false, "entry.member", true},
	} {
		t.Run(name, func(t *testing.T) {
			got := portal.MayEnter(c.p, c.m, c.inGroup)
			if got.Allowed != c.allowed || got.Code != c.code {
				t.Errorf("got %v %s, want %v %s", got.Allowed, got.Code, c.allowed, c.code)
			}
			if !got.Allowed && got.Change == "" {
				t.Error("a refusal does not say what would have to change")
			}
		})
	}
}
