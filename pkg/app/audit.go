package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// audit writes an entry of the audit log in the caller's transaction, so that
// it stands exactly when what it tells happened. Without an actor it is the
// operator's, when one runs this process.
func (a *App) audit(ctx context.Context, tx *store.Tx, e portal.AuditEntry) error {
	if e.By == (portal.Actor{}) && e.Operator == "" && a.operator != "" {
		e.By = portal.ByOperator
	}
	if e.By.Operator {
		e.Operator = a.operator
		if e.Address == "" {
			e.Address = a.from
		}
	}
	return tx.AddAudit(ctx, &e)
}

// auditPerson writes an entry about what somebody did to their own way in.
func (a *App) auditPerson(ctx context.Context, tx *store.Tx, p *portal.Portal, who portal.Person, kind portal.AuditKind, d Device, changes ...portal.AuditChange) error {
	e := portal.AuditEntry{Kind: kind, By: who.Actor(), About: who.About()}
	if p != nil {
		e.Portal = p.ID
	}
	e.Address, e.AuditDetail.Agent, e.Changes = d.Address, clip(d.UserAgent, 300), changes
	return a.audit(ctx, tx, e)
}

// note writes an entry about something that the operator, or the program by
// itself, did: what it concerns and the values that became different.
func (a *App) note(ctx context.Context, tx *store.Tx, kind portal.AuditKind, p portal.PortalID, about string, changes ...Change) error {
	return a.noteBy(ctx, tx, portal.Actor{}, "", kind, p, about, changes...)
}

// noteBy is note of somebody's act; address is where they are.
func (a *App) noteBy(ctx context.Context, tx *store.Tx, by portal.Actor, address string, kind portal.AuditKind, p portal.PortalID, about string, changes ...Change) error {
	e := portal.AuditEntry{Kind: kind, By: by, Portal: p, About: about}
	e.Address = address
	for _, c := range changes {
		e.Changes = append(e.Changes, portal.AuditChange(c))
	}
	return a.audit(ctx, tx, e)
}

// noteVisit is note of what a visitor did.
func (a *App) noteVisit(ctx context.Context, tx *store.Tx, v *Visit, kind portal.AuditKind, about string, changes ...Change) error {
	address := v.Device.Address
	if address == "" && v.Session != nil {
		address = v.Session.Address
	}
	return a.noteBy(ctx, tx, v.actor(), address, kind, v.Portal.ID, about, changes...)
}

// noteExport writes down that data leaves, before it does: no export is
// without its entry, also when it breaks off.
func (a *App) noteExport(ctx context.Context, what string, facts ...Change) error {
	return a.store.Write(ctx, func(tx *store.Tx) error { return a.note(ctx, tx, portal.AuditExport, 0, what, facts...) })
}

// fact is a value that stands by itself.
func fact[T any](field string, value T) Change { return Change{Field: field, To: written(value)} }

// facts are what is known of something new, without what is empty.
func facts(list ...Change) []Change {
	return slices.DeleteFunc(list, func(c Change) bool { return c.From == "" && c.To == "" })
}

// The names things have in the audit log.

func aboutPortal(id portal.PortalID) string    { return fmt.Sprintf("portal:%d", id) }
func aboutDomain(id portal.DomainID) string    { return fmt.Sprintf("domain:%d", id) }
func aboutInbox(id portal.InboxID) string      { return fmt.Sprintf("inbox:%d", id) }
func aboutGroup(id portal.GroupID) string      { return fmt.Sprintf("group:%d", id) }
func aboutTicket(n portal.TicketNumber) string { return "ticket:" + n.String() }
func aboutFile(id portal.FileID) string        { return fmt.Sprintf("file:%d", id) }

// Names in the audit log of what has no number.
const (
	aboutServer    = "server"
	aboutAudit     = "audit"
	aboutContacts  = "contacts"
	aboutCompanies = "companies"
	aboutTickets   = "tickets"
)

func groupFacts(g *portal.Group) []Change {
	return facts(fact("name", g.Name), fact("rule", g.Rules))
}

func domainFacts(d *portal.Domain) []Change {
	return facts(fact("host", d.Host), fact("language", d.Language))
}

func inboxFacts(i *portal.Inbox) []Change {
	return facts(fact("name", i.Name), fact("kind", i.Kind), fact("address", i.Address))
}

func agentFacts(g *portal.Agent) []Change {
	return facts(fact("email", g.Email), fact("name", g.Name), fact("role", g.Role))
}

func companyFacts(c *portal.Company) []Change {
	return facts(fact("name", c.Name), fact("domain", c.Domain))
}

// portalFacts are what decides who gets into a portal and what they see.
func portalFacts(p *portal.Portal, groups []portal.Group) []Change {
	t, s := &p.Tickets, &p.Access
	provider := portal.SSOSettings{}
	if s.SSO != nil {
		provider = *s.SSO
	}
	return facts(
		fact("name", p.Name), fact("domain", domainWord(&p.Domain)), fact("slug", p.Slug), fact("state", p.State),
		fact("permissions", t.Permissions), fact("company-scope", t.CompanyScope), fact("company-access", t.CompanyAccess), fact("rule", t.Rules),
		fact("mode", s.Mode), fact("group", groupNames(s.Groups, groups)), fact("allow-domain", s.AllowDomains),
		fact("approval", s.Approval), fact("methods", s.Methods), fact("consent", consentName(s)),
		fact("issuer", provider.Issuer), fact("client-id", provider.ClientID), fact("group", provider.Groups), fact("email-domain", provider.EmailDomains),
	)
}

// bearing are the changes of a contact that bear on what they may do:
// addresses, companies, and whatever rules of groups and portals look at. The
// others are nobody's business in the log.
func bearing(ctx context.Context, tx *store.Tx, changes []Change) ([]Change, error) {
	groups, err := tx.Groups(ctx)
	if err != nil {
		return nil, err
	}
	portals, err := tx.Portals(ctx)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{"email": true, "member-email": true, "company": true}
	note := func(rules portal.RuleSet) {
		for _, group := range rules {
			for _, c := range group {
				used[strings.ToLower(c.Property)] = true
			}
		}
	}
	for i := range groups {
		note(groups[i].Rules)
	}
	for i := range portals {
		note(portals[i].Tickets.Rules)
	}
	var some []Change
	for _, c := range changes {
		if used[strings.ToLower(c.Field)] {
			some = append(some, c)
		}
	}
	return some, nil
}

// fileViewEvery is how often an agent's looking at one file is written down:
// pages show pictures again and again.
const fileViewEvery = time.Hour

// noteFileView writes down that an agent, or an operator who looks as a
// customer, looked at a file, once an hour.
func (a *App) noteFileView(v *Visit, f *portal.File) {
	a.afterwards(func(ctx context.Context) error {
		return a.store.Write(ctx, func(tx *store.Tx) error {
			ticket := Change{Field: "ticket", To: f.Ticket.String()}
			who := v.actor().String()
			if v.ReadOnly {
				who = fmt.Sprintf("look %d", v.Session.ID)
			}
			c, err := tx.Count(ctx, fmt.Sprintf("viewed:%s:%d", who, f.ID), fileViewEvery)
			if err != nil || c.Count > 1 {
				return err
			}
			if v.ReadOnly {
				e := portal.AuditEntry{Kind: portal.AuditFileViewed, Operator: v.Session.OpenedBy, Portal: v.Portal.ID, About: aboutFile(f.ID)}
				e.Address, e.Changes = v.Session.Address, []portal.AuditChange{portal.AuditChange(ticket)}
				return a.audit(ctx, tx, e)
			}
			return a.noteVisit(ctx, tx, v, portal.AuditFileViewed, aboutFile(f.ID), ticket)
		})
	})
}
