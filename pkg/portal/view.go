package portal

import "slices"

// Viewer is somebody looking at tickets: a contact with what a portal's
// settings let them see, or an agent, who sees those of their inboxes.
type Viewer struct {
	Contact ContactID
	Agent   AgentID
	// Limited says that an agent sees only tickets of Inboxes.
	Limited bool
	Inboxes []InboxID
	// Companies are those whose tickets the viewer may see; none when the
	// portal's permissions give no company view.
	Companies []CompanyID
	// CompanyReply is set when company view includes answering.
	CompanyReply bool
	// Basis says what gave or refused company view.
	Basis Rule
	// RuleGroup is the number of the rule that gave company view, from 1.
	RuleGroup int
}

// Rule names what decides whether a viewer sees a ticket. The names are
// stable in JSON.
type Rule string

// The rules, in the order they are asked.
const (
	RuleAgent           Rule = "agent"
	RuleNotTheirInbox   Rule = "not_their_inbox" // hidden: the ticket lies in an inbox the agent is not given
	RuleRequester       Rule = "requester"
	RuleParticipant     Rule = "participant"
	RuleConfidential    Rule = "confidential"       // hidden: company view never reaches confidential tickets
	RuleNoCompany       Rule = "no_company"         // hidden: the ticket has no company, or not one of the viewer's
	RuleCompany         Rule = "company"            // shown by company view
	RuleCompanyByRule   Rule = "company_rule"       // shown: a ticket rule gave company view
	RulePermitContact   Rule = "permission_contact" // hidden: the portal gives no company view
	RuleRulesDontMatch  Rule = "rules_do_not_match" // hidden: no ticket rule matches the contact
	RuleViewerNoCompany Rule = "viewer_no_company"  // hidden: the contact has no (primary) company
	RuleNotPrimary      Rule = "not_primary"        // hidden: one of the contact's companies, but not the primary one
	RuleNotEntering     Rule = "no_entry"           // hidden: the contact may not enter the portal
)

// Decision is the answer to "may this viewer see this ticket, and why?".
type Decision struct {
	See   bool
	Reply bool
	Rule  Rule
}

// NewViewer works out what a contact may see under a portal's ticket
// settings. The contact's properties and companies must be loaded.
func NewViewer(c *Contact, s *TicketSettings) Viewer {
	v := Viewer{Contact: c.ID, CompanyReply: s.CompanyAccess == CompanyReply}
	switch s.Permissions {
	case PermitCompany:
		v.Basis = RuleCompany
	case PermitRules:
		if v.RuleGroup = s.Rules.Match(c); v.RuleGroup == 0 {
			v.Basis = RuleRulesDontMatch
			return v
		}
		v.Basis = RuleCompanyByRule
	default:
		v.Basis = RulePermitContact
		return v
	}
	if s.CompanyScope == AllCompanies {
		v.Companies = c.Companies
	} else if c.Primary != 0 {
		v.Companies = []CompanyID{c.Primary}
	}
	if len(v.Companies) == 0 {
		v.Basis = RuleViewerNoCompany
	}
	return v
}

// AgentViewer is an agent looking at tickets.
func AgentViewer(a *Agent) Viewer {
	return Viewer{Agent: a.ID, Basis: RuleAgent, Limited: a.Limited(), Inboxes: a.Inboxes}
}

// OperatorViewer is whoever runs a command: they see every ticket. No agent
// has the number.
func OperatorViewer() Viewer { return Viewer{Agent: -1, Basis: RuleAgent} }

// CompanyView reports whether the viewer sees a company's tickets at all.
func (v *Viewer) CompanyView() bool { return len(v.Companies) > 0 }

// Sees decides whether the viewer may see the ticket and why. It is the one
// rule: pages, lists, counts, search, files, CSV and mail all follow it, and
// the store's queries repeat it in SQL.
func (v *Viewer) Sees(t *Ticket) Decision {
	switch {
	case v.Agent != 0 && v.Limited && !slices.Contains(v.Inboxes, t.InboxID):
		return Decision{Rule: RuleNotTheirInbox}
	case v.Agent != 0:
		return Decision{true, true, RuleAgent}
	case v.Contact == 0:
		return Decision{Rule: RuleNotEntering}
	case t.Requester == v.Contact:
		return Decision{true, true, RuleRequester}
	case t.Party(v.Contact):
		return Decision{true, true, RuleParticipant}
	case len(v.Companies) == 0:
		return Decision{Rule: v.Basis}
	}
	for _, id := range v.Companies {
		if t.Company == id && id != 0 {
			if t.Confidential {
				return Decision{Rule: RuleConfidential}
			}
			return Decision{true, v.CompanyReply, v.Basis}
		}
	}
	return Decision{Rule: RuleNoCompany}
}
