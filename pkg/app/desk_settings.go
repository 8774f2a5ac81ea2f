package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// DeskChanges are what `inbox set` changes of how an inbox's tickets are worked
// on, as an operator writes it; nil leaves a setting as it is. Tickets that
// are open keep their due times until something happens to them.
type DeskChanges struct {
	Hours    *string // as portal.ParseWeek reads them
	TimeZone *string
	Holidays *string // dates, as portal.ParseHolidays reads them
	// Targets change those of the priorities they name: urgent=1h/8h.
	Targets []string
	Assign  *string
	// AssignCompany adds and changes whose the tickets of a company are:
	// Acme=ana@example.com, or Acme=nobody.
	AssignCompany []string
}

// setDesk applies the changes to an inbox. All that is wrong comes at once.
func setDesk(ctx context.Context, tx *store.Tx, i *portal.Inbox, c *DeskChanges, l *changeList) error {
	var problems []error
	d := &i.Desk
	if c.Hours != nil {
		week, err := portal.ParseWeek(*c.Hours)
		if problems = append(problems, err); err == nil && l.note("hours", portal.FormatWeek(d.Hours.Week), portal.FormatWeek(week)) {
			d.Hours.Week = week
		}
	}
	if c.TimeZone != nil {
		zone, err := zoneName("time-zone", *c.TimeZone)
		if problems = append(problems, err); err == nil && l.note("time-zone", d.Hours.Zone, zone) {
			d.Hours.Zone = zone
		}
	}
	if c.Holidays != nil {
		days, err := portal.ParseHolidays(*c.Holidays)
		if problems = append(problems, err); err == nil && l.note("holidays", strings.Join(d.Hours.Holidays, ","), strings.Join(days, ",")) {
			d.Hours.Holidays = days
		}
	}
	before := d.FormatTargets()
	for _, s := range c.Targets {
		p, target, err := portal.ParseTarget(s)
		if problems = append(problems, err); err == nil {
			d.SetTarget(p, target)
		}
	}
	l.note("target", before, d.FormatTargets())
	if c.Assign != nil {
		rule, err := portal.ParseAssignRule(*c.Assign)
		if problems = append(problems, err); err == nil && l.note("assign", d.Assign.String(), rule.String()) {
			d.Assign = rule
		}
	}
	problems = append(problems, assignCompanies(ctx, tx, i, c.AssignCompany, l))
	return errors.Join(problems...)
}

// assignCompanies sets whose the tickets of companies are.
func assignCompanies(ctx context.Context, tx *store.Tx, i *portal.Inbox, list []string, l *changeList) error {
	if len(list) == 0 {
		return nil
	}
	before, err := companyAgents(ctx, tx, i)
	if err != nil {
		return err
	}
	next := maps.Clone(i.Desk.AssignCompany)
	if next == nil {
		next = map[portal.CompanyID]portal.AgentID{}
	}
	var problems []error
	for _, s := range list {
		name, address, ok := cutLast(s, '=')
		if !ok {
			problems = append(problems, portal.Invalidf("inbox.assign", "assign-company", "%q names no company and agent; write it like Acme=ana@example.com", s))
			continue
		}
		company, err := companyNamed(ctx, tx, strings.TrimSpace(name))
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if address = strings.TrimSpace(address); address == "" || address == "nobody" {
			delete(next, company.ID)
			continue
		}
		agent, err := agentWith(ctx, tx, "assign-company", address)
		if err == nil && agent.Limited() && !slices.Contains(agent.Inboxes, i.ID) {
			err = portal.Conflictf("agent.not_their_inbox", "%s does not see the inbox %s", agent.Name, i.Name).With("Agent", agent.Name).With("Inbox", i.Name)
		}
		if problems = append(problems, err); err == nil {
			next[company.ID] = agent.ID
		}
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	i.Desk.AssignCompany = next
	after, err := companyAgents(ctx, tx, i)
	l.note("assign-company", strings.Join(before, ","), strings.Join(after, ","))
	return err
}

// companyAgents writes whose the tickets of companies are: Acme=ana@example.com.
// Companies and agents that are gone are left out.
func companyAgents(ctx context.Context, tx *store.Tx, i *portal.Inbox) ([]string, error) {
	var list []string
	for c, a := range i.Desk.AssignCompany {
		company, err := notFound(tx.Company(ctx, c))
		if err != nil {
			return nil, err
		}
		agent, err := notFound(tx.Agent(ctx, a))
		if err != nil {
			return nil, err
		}
		if company != nil && agent != nil {
			list = append(list, company.Name+"="+agent.Email)
		}
	}
	slices.Sort(list)
	return list, nil
}

// CompanyAgents names the agents who get the tickets of certain companies in
// an inbox: Acme=ana@example.com.
func (a *App) CompanyAgents(ctx context.Context, i *portal.Inbox) (list []string, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list, err = companyAgents(ctx, tx, i)
		return err
	})
	return list, err
}
