package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// Explanation says whether a contact gets into a portal and sees a ticket,
// which rule decides, the records behind it, and what would have to change.
type Explanation struct {
	Portal      *portal.Portal
	Contact     *portal.Contact
	Member      *portal.Member              // nil: never was one
	Groups      []string                    // the portal's access groups that list the contact
	ruled       []groupVerdict              // those of the portal that have rules
	Companies   []string                    // the contact's, the primary one first
	domains     map[portal.CompanyID]string // the mail domains that made them belong to some of these
	domainFacts []string
	Viewer      portal.Viewer
	Entry       portal.Entry
	Ticket      *portal.Ticket // nil when only entering was asked about

	See, Reply bool
	Rule       string // stable: of portal.Rule or, where entering decides, of portal.Entry
	Why        string
	Facts      []Fact
	Change     string // what would turn the answer; "" where there is nothing to say
}

// Fact is a record an answer rests on.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (x *Explanation) fact(name, format string, args ...any) {
	x.Facts = append(x.Facts, Fact{name, fmt.Sprintf(format, args...)})
}

// Explain works out what a contact may do in a portal, and with a ticket when
// number is not zero.
func (a *App) Explain(ctx context.Context, id portal.PortalID, address string, number portal.TicketNumber) (*Explanation, error) {
	address, err := email("contact", address)
	if err != nil {
		return nil, err
	}
	var x *Explanation
	err = a.store.Read(ctx, func(tx *store.Tx) (err error) {
		x, err = explain(ctx, tx, id, address, number)
		return err
	})
	return x, err
}

// explain is Explain within a transaction.
func explain(ctx context.Context, tx *store.Tx, id portal.PortalID, address string, number portal.TicketNumber) (*Explanation, error) {
	x := &Explanation{}
	if err := x.load(ctx, tx, id, address, number); err != nil {
		return nil, err
	}
	x.tellContact()
	switch {
	case !x.Entry.Allowed:
		x.See, x.Rule, x.Why, x.Change = false, x.Entry.Code, x.Entry.Why, x.Entry.Change
	case x.Portal.State == portal.Draft:
		x.Rule, x.Why, x.Change = "portal.draft", "the portal is a draft, which customers cannot open", "open it with `portalctl portal set --state live`"
	case x.Ticket == nil:
		x.See, x.Reply, x.Rule, x.Why = true, true, x.Entry.Code, x.Entry.Why
		x.tellView()
	default:
		x.decide()
	}
	if x.Portal.State == portal.Paused {
		x.fact("portal", "paused: customers see a notice instead of their tickets")
	}
	return x, nil
}

func (x *Explanation) load(ctx context.Context, tx *store.Tx, id portal.PortalID, address string, number portal.TicketNumber) (err error) {
	if x.Portal, err = tx.Portal(ctx, id); err != nil {
		return err
	}
	if x.Contact, err = tx.ContactByEmail(ctx, address); err != nil {
		return err
	}
	if x.Member, err = tx.Member(ctx, id, x.Contact.ID); err != nil && portal.KindOf(err) != portal.NotFound {
		return err
	}
	if err = x.loadGroups(ctx, tx); err != nil {
		return err
	}
	x.Viewer = portal.NewViewer(x.Contact, &x.Portal.Tickets)
	if x.domains, err = tx.DomainsNoted(ctx, x.Contact.ID); err != nil {
		return err
	}
	for _, k := range x.Contact.Companies {
		c, err := tx.Company(ctx, k)
		if err != nil {
			return err
		}
		if k == x.Contact.Primary {
			x.Companies = append([]string{c.Name + " (primary)"}, x.Companies...)
		} else {
			x.Companies = append(x.Companies, c.Name)
		}
		if d := x.domains[k]; d != "" {
			x.domainFacts = append(x.domainFacts, fmt.Sprintf("%s, as their proven address is at its domain %s", c.Name, d))
		}
	}
	if number != 0 {
		x.Ticket, err = tx.Ticket(ctx, number)
	}
	return err
}

// tellContact lists who asks.
func (x *Explanation) tellContact() {
	member := "never was a member"
	if x.Member != nil {
		member = string(x.Member.Status)
	}
	x.fact("member", "%s", member)
	if x.Portal.Access.Mode == portal.ModeGroups {
		x.fact("access groups", "%s", orNone(x.Groups))
		x.tellGroupRules()
	}
	x.fact("companies", "%s", orNone(x.Companies))
	for _, f := range x.domainFacts {
		x.fact("company rule", "%s", f)
	}
	t := &x.Portal.Tickets
	setting := "permissions " + string(t.Permissions)
	if t.Permissions != portal.PermitContact {
		setting += fmt.Sprintf(", company scope %s, company access %s", t.CompanyScope, t.CompanyAccess)
	}
	x.fact("ticket settings", "%s", setting)
	for i, group := range t.Rules {
		verdict := "does not match"
		if x.Viewer.RuleGroup == i+1 {
			verdict = "matches"
		}
		x.fact(fmt.Sprintf("rule %d", i+1), "%s: %s (%s)", portal.FormatRule(group), verdict, x.values(group))
	}
}

// values are what the contact has of the properties a rule asks for.
func (x *Explanation) values(group []portal.Condition) string {
	var all []string
	for _, c := range group {
		value := "unknown"
		if v := x.Contact.Property(c.Property); v != "" {
			value = fmt.Sprintf("%q", v)
		}
		if s := c.Property + " is " + value; !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return strings.Join(all, ", ")
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// tellView says in general which tickets the contact sees.
func (x *Explanation) tellView() {
	x.fact("sees", "tickets they are requester of or participant in")
	if !x.Viewer.CompanyView() {
		_, why, change := x.companyRule(x.Viewer.Basis)
		x.fact("no company tickets", "%s", why)
		x.Change = change
		return
	}
	whose := x.Companies
	if x.Portal.Tickets.CompanyScope != portal.AllCompanies {
		whose = whose[:1]
	}
	answers := "and may answer them"
	if !x.Viewer.CompanyReply {
		answers = "and may read them only"
	}
	x.fact("sees too", "tickets of %s that are not confidential, %s", strings.Join(whose, ", "), answers)
}

// decide asks the one rule and tells its answer.
func (x *Explanation) decide() {
	t := x.Ticket
	company := "none"
	if t.Company != 0 {
		company = t.CompanyName
	}
	x.fact("ticket", "%s %q, requester %s, company %s, %d participants", t.Number, t.Subject, t.RequesterEmail, company, len(t.Participants))
	if t.Confidential {
		x.fact("confidential", "yes: requester and participants only")
	}
	d := x.Viewer.Sees(t)
	x.See, x.Reply = d.See, d.Reply
	rule := d.Rule
	// The rule itself does not look at companies it has left out already.
	if rule == portal.RuleNoCompany && x.Contact.In(t.Company) {
		rule = portal.RuleNotPrimary
	}
	x.Rule = string(rule)
	switch rule {
	case portal.RuleRequester:
		x.Why = "the contact is the ticket's requester"
	case portal.RuleParticipant:
		x.Why = "the contact is a participant of the ticket"
	case portal.RuleCompany:
		x.Why = fmt.Sprintf("the ticket belongs to %s and the portal shows company tickets", company)
	case portal.RuleCompanyByRule:
		x.Why = fmt.Sprintf("the ticket belongs to %s and rule %d gives the contact its company's tickets", company, x.Viewer.RuleGroup)
	default:
		_, x.Why, x.Change = x.companyRule(rule)
	}
	if d := x.domains[t.Company]; d != "" && (rule == portal.RuleCompany || rule == portal.RuleCompanyByRule) {
		x.Why += fmt.Sprintf("; the contact belongs to it by the company rule for %s", d)
	}
	if x.See && !x.Reply {
		x.Why += "; company access is read, so they may not answer"
		x.Change = "let them answer with `portalctl tickets configure --company-access reply`"
	}
}

// companyRule explains why company view does not show a ticket.
func (x *Explanation) companyRule(rule portal.Rule) (name, why, change string) {
	participant := "add the contact as a participant"
	switch rule {
	case portal.RuleConfidential:
		return string(rule), "the ticket is confidential and the contact is neither requester nor participant", participant
	case portal.RulePermitContact:
		return string(rule), "the portal shows contacts only tickets they are requester of or participant in",
			"show company tickets with `portalctl tickets configure --permissions company`"
	case portal.RuleRulesDontMatch:
		return string(rule), "no ticket rule matches the contact, so they see only their own tickets",
			"change the contact's properties with `portalctl contacts set`, or the rules with `portalctl tickets configure --rule`"
	case portal.RuleViewerNoCompany:
		if len(x.Contact.Companies) > 0 {
			return string(rule), "the contact has no primary company", "set one with `portalctl contacts set`, or use `portalctl tickets configure --company-scope all`"
		}
		return string(rule), "the contact belongs to no company", "set one with `portalctl contacts set`"
	case portal.RuleNotPrimary:
		return string(rule), "the ticket's company is one of the contact's, but not the primary one",
			"use `portalctl tickets configure --company-scope all`"
	case portal.RuleNoCompany:
		if x.Ticket != nil && x.Ticket.Company == 0 {
			return string(rule), "the ticket belongs to no company and the contact is neither requester nor participant", participant
		}
		return string(rule), "the ticket belongs to a company that is not the contact's", participant
	}
	return string(rule), "nothing shows the ticket to the contact", participant
}

// MemberStatus is the contact's standing in the portal: none for one who
// never was a member.
func (x *Explanation) MemberStatus() string {
	if x.Member == nil {
		return "none"
	}
	return string(x.Member.Status)
}
