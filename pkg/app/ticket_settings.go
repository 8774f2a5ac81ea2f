package app

import (
	"context"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// TicketChanges are what `tickets configure` changes; nil leaves a setting as
// it is.
type TicketChanges struct {
	Inbox          *string // name or address
	Permissions    *portal.Permissions
	CompanyScope   *portal.CompanyScope
	CompanyAccess  *portal.CompanyAccess
	Rules          *portal.RuleSet // replaces all rules; empty removes them
	CustomersClose *bool
	ReopenDays     *int
	Columns        *[]portal.TicketColumn
	Fields         *[]portal.TicketField
	Label          *string // "Case:Cases"; "" returns to the language's own word
	ShowAgent      *portal.AgentDisplay
	MailContent    *portal.MailContent
	MailHistory    *bool
	AskRating      *bool
}

// maxReopenDays is ten years: longer is a slip of the finger.
const maxReopenDays = 3650

// ConfigureTickets changes the ticket settings of a portal. Rules given
// without a permission switch to rules; leaving rules drops them.
func (a *App) ConfigureTickets(ctx context.Context, id portal.PortalID, c TicketChanges) (p *portal.Portal, changes []Change, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if p, err = tx.Portal(ctx, id); err != nil {
			return err
		}
		inboxes, err := tx.Inboxes(ctx)
		if err != nil {
			return err
		}
		if changes, err = c.apply(&p.Tickets, inboxes); err != nil || len(changes) == 0 {
			return err
		}
		if err := tx.SavePortal(ctx, p); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditTickets, p.ID, aboutPortal(p.ID), changes...)
	})
	return p, changes, err
}

// apply changes the settings and says what became different.
func (c *TicketChanges) apply(s *portal.TicketSettings, inboxes []portal.Inbox) ([]Change, error) {
	var l changeList
	if c.Inbox != nil {
		i := findInbox(inboxes, *c.Inbox)
		if i == nil {
			return nil, unknownInbox(*c.Inbox, inboxes)
		}
		if i.ID != s.InboxID {
			l.note("inbox", inboxName(inboxes, s.InboxID), i.Name)
			s.InboxID = i.ID
		}
	}
	if err := c.applyPermissions(s, &l); err != nil {
		return nil, err
	}
	change(&l, "company-scope", &s.CompanyScope, c.CompanyScope)
	change(&l, "company-access", &s.CompanyAccess, c.CompanyAccess)
	change(&l, "customers-close", &s.CustomersClose, c.CustomersClose)
	if c.ReopenDays != nil && (*c.ReopenDays < 0 || *c.ReopenDays > maxReopenDays) {
		return nil, portal.Invalidf("tickets.reopen_days", "reopen-days", "%d is not a number of days; use 0 to %d", *c.ReopenDays, maxReopenDays)
	}
	change(&l, "reopen-days", &s.ReopenDays, c.ReopenDays)
	change(&l, "columns", &s.Columns, c.Columns)
	change(&l, "fields", &s.Fields, c.Fields)
	change(&l, "show-agent", &s.ShowAgent, c.ShowAgent)
	change(&l, "mail-content", &s.MailContent, c.MailContent)
	change(&l, "mail-history", &s.MailHistory, c.MailHistory)
	change(&l, "ask-rating", &s.AskRating, c.AskRating)
	if c.Label != nil {
		one, many, err := portal.ParseLabel(*c.Label)
		if err != nil {
			return nil, err
		}
		l.note("label", label(s.LabelOne, s.LabelMany), label(one, many))
		s.LabelOne, s.LabelMany = one, many
	}
	return l, nil
}

func (c *TicketChanges) applyPermissions(s *portal.TicketSettings, l *changeList) error {
	permissions, rules := s.Permissions, s.Rules
	if c.Rules != nil {
		rules = *c.Rules
		if len(rules) > 0 && c.Permissions == nil {
			permissions = portal.PermitRules
		}
	}
	if c.Permissions != nil {
		permissions = *c.Permissions
	}
	if c.Rules != nil && len(rules) > 0 && permissions != portal.PermitRules {
		return portal.Invalidf("tickets.rules", "rule", "rules need --permissions rules; %s would ignore them", permissions)
	}
	if permissions == portal.PermitRules && len(rules) == 0 {
		return portal.Invalidf("tickets.rules", "rule", "the permission rules needs at least one rule").
			WithHint(`add one, like --rule "department equals Finance"`)
	}
	if permissions != portal.PermitRules {
		// A rule that decides nothing would mislead whoever reads the
		// settings.
		rules = nil
	}
	change(l, "permissions", &s.Permissions, &permissions)
	change(l, "rule", &s.Rules, &rules)
	return nil
}

func label(one, many string) string {
	if one == "" {
		return ""
	}
	return one + ":" + many
}

// findInbox finds an inbox by name or address, as the store does.
func findInbox(inboxes []portal.Inbox, name string) *portal.Inbox {
	name = strings.TrimSpace(name)
	for i := range inboxes {
		if strings.EqualFold(inboxes[i].Name, name) {
			return &inboxes[i]
		}
	}
	for i := range inboxes {
		if inboxes[i].Address != "" && strings.EqualFold(inboxes[i].Address, name) {
			return &inboxes[i]
		}
	}
	return nil
}

func inboxName(inboxes []portal.Inbox, id portal.InboxID) string {
	for _, i := range inboxes {
		if i.ID == id {
			return i.Name
		}
	}
	return ""
}
