package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// CompanyInput is what a command says about a company. What is nil stays as
// it is; empty text removes.
type CompanyInput struct {
	Name, Domain *string
	Properties   map[string]string
	// AttachExisting makes contacts whose address is at the company's domain
	// belong to it. Otherwise only those do who prove theirs from then on.
	AttachExisting bool
}

// CompanyView is everything known of one company.
type CompanyView struct {
	portal.Company
	People        []portal.Contact // by address, at most CompanyPeople
	MorePeople    bool
	Tickets       int  // up to 1,000
	Open          int  // of those that are not closed, up to 1,000
	TicketsCapped bool // there are more
	OpenCapped    bool
}

// CompanyPeople is how many contacts ShowCompany names.
const CompanyPeople = 25

// CompanyQuery narrows Companies.
type CompanyQuery struct {
	Search string
	After  string // CompanyPlace of the last company of the page before, or a name
	Limit  int
}

// CompanyPlace is a company's place in the list. Names may stand twice, so the
// id goes with it.
func CompanyPlace(c *portal.Company) string { return fmt.Sprintf("%d:%s", c.ID, c.Name) }

// Companies lists companies by name.
func (a *App) Companies(ctx context.Context, q CompanyQuery) (list []portal.Company, err error) {
	f := store.CompanyFilter{Query: q.Search, After: q.After, Limit: q.Limit}
	if id, n, ok := strings.Cut(q.After, ":"); ok {
		if id, err := strconv.ParseInt(id, 10, 64); err == nil {
			f.After, f.AfterID = n, portal.CompanyID(id)
		}
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		list, err = tx.Companies(ctx, f)
		return err
	})
	return list, err
}

// companyNamed finds a company by the name or domain an operator typed, or by
// its id, #12, which tells companies of one name apart.
func companyNamed(ctx context.Context, tx *store.Tx, typed string) (*portal.Company, error) {
	n, err := requiredLine("company", typed)
	if err != nil {
		return nil, err
	}
	if id, ok := strings.CutPrefix(n, "#"); ok {
		if id, err := strconv.ParseInt(id, 10, 64); err == nil {
			return tx.Company(ctx, portal.CompanyID(id))
		}
	}
	c, err := tx.CompanyByName(ctx, n)
	if portal.KindOf(err) == portal.NotFound {
		return nil, portal.NotFoundf("company.none", "there is no company %q", n).
			WithHint("`portalctl companies list` names them; add one with `portalctl companies add`")
	}
	return c, err
}

// ShowCompany returns a company with its people and how many tickets it has.
func (a *App) ShowCompany(ctx context.Context, typed string) (v *CompanyView, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		c, err := companyNamed(ctx, tx, typed)
		if err != nil {
			return err
		}
		if err := countPeople(ctx, tx, c); err != nil {
			return err
		}
		v = &CompanyView{Company: *c}
		v.People, err = tx.Contacts(ctx, store.ContactFilter{Company: c.ID, Limit: CompanyPeople + 1})
		if err != nil {
			return err
		}
		if len(v.People) > CompanyPeople {
			v.People, v.MorePeople = v.People[:CompanyPeople], true
		}
		if v.Tickets, v.TicketsCapped, err = countOf(ctx, tx, store.TicketFilter{Company: c.ID}); err != nil {
			return err
		}
		v.Open, v.OpenCapped, err = countOf(ctx, tx, store.TicketFilter{Company: c.ID, Statuses: openStatuses})
		return err
	})
	return v, err
}

// countPeople fills in how many contacts a company has, as lists do.
func countPeople(ctx context.Context, tx *store.Tx, c *portal.Company) error {
	list, err := tx.Companies(ctx, store.CompanyFilter{After: c.Name, AfterID: c.ID - 1, Limit: 1})
	if err == nil && len(list) == 1 && list[0].ID == c.ID {
		c.Contacts = list[0].Contacts
	}
	return err
}

func countOf(ctx context.Context, tx *store.Tx, f store.TicketFilter) (n int, capped bool, err error) {
	viewer := operatorViewer()
	n, err = tx.CountTickets(ctx, &viewer, f, countTo+1)
	return min(n, countTo), n > countTo, err
}

// AddCompany adds a company. One that is there already and has all that is
// said is left alone: added is false. match tells of contacts at its domain.
func (a *App) AddCompany(ctx context.Context, in CompanyInput) (c *portal.Company, added bool, match DomainMatch, err error) {
	if in.Name == nil {
		return nil, false, match, portal.Invalidf("field.required", "name", "name is missing")
	}
	n, err := requiredLine("name", *in.Name)
	if err != nil {
		return nil, false, match, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		c, err = companyCalled(ctx, tx, n)
		if err != nil {
			return err
		}
		known := c != nil
		if !known {
			c = &portal.Company{Name: n}
		}
		changes, err := in.apply(ctx, tx, c)
		if err != nil {
			return err
		}
		if known {
			if len(changes) > 0 {
				return portal.Conflictf("company.exists", "the company %q is there already, with another %s", n, changes[0].Field).
					WithHint("change it with `portalctl companies set %q`", n)
			}
			return countPeople(ctx, tx, c)
		}
		added = true
		if err := tx.AddCompany(ctx, c); err != nil {
			return err
		}
		if err := a.note(ctx, tx, portal.AuditCompanyAdded, 0, portal.AboutCompany(c.ID), companyFacts(c)...); err != nil {
			return err
		}
		match, err = matchDomain(ctx, tx, c, false)
		return err
	})
	return c, added && err == nil, match, err
}

// companyCalled finds the company with exactly this name, regardless of case;
// nil when there is none.
func companyCalled(ctx context.Context, tx *store.Tx, n string) (*portal.Company, error) {
	c, err := tx.CompanyByName(ctx, n)
	switch {
	case portal.KindOf(err) == portal.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case !strings.EqualFold(c.Name, n):
		return nil, nil // another company's domain
	}
	return c, nil
}

// SetCompany changes a company. match tells of contacts at its domain.
func (a *App) SetCompany(ctx context.Context, typed string, in CompanyInput) (c *portal.Company, changes []Change, match DomainMatch, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if c, err = companyNamed(ctx, tx, typed); err != nil {
			return err
		}
		if changes, err = in.apply(ctx, tx, c); err != nil {
			return err
		}
		if len(changes) > 0 {
			if err := tx.SaveCompany(ctx, c); err != nil {
				return err
			}
			if err := a.note(ctx, tx, portal.AuditCompanyChanged, 0, portal.AboutCompany(c.ID), changes...); err != nil {
				return err
			}
		}
		if in.AttachExisting && c.Domain == "" {
			return portal.Invalidf("company.no_domain", "attach-existing", "the company %q has no domain to find its contacts by", c.Name).
				WithHint("give it one with --domain")
		}
		if match, err = matchDomain(ctx, tx, c, in.AttachExisting); err != nil {
			return err
		}
		return countPeople(ctx, tx, c)
	})
	return c, changes, match, err
}

// apply writes what a command says into c and tells what that changed. A name
// or domain another company has would make both impossible to address.
func (in *CompanyInput) apply(ctx context.Context, tx *store.Tx, c *portal.Company) ([]Change, error) {
	var changes []Change
	var problems []error
	if in.Name != nil {
		n, err := requiredLine("name", *in.Name)
		if err == nil && n != c.Name {
			var other *portal.Company
			if other, err = companyCalled(ctx, tx, n); err == nil && other != nil && other.ID != c.ID {
				err = portal.Conflictf("company.exists", "another company is named %q", other.Name)
			}
			if err == nil {
				changes = append(changes, Change{"name", c.Name, n})
				c.Name = n
			}
		}
		problems = append(problems, err)
	}
	if in.Domain != nil {
		d, err := companyDomain("domain", *in.Domain)
		if err == nil && d != c.Domain {
			if err = domainFree(ctx, tx, d, c.ID); err == nil {
				changes = append(changes, Change{"domain", c.Domain, d})
				c.Domain = d
			}
		}
		problems = append(problems, err)
	}
	next, more, err := properties(c.Properties, in.Properties)
	if len(more) > 0 {
		c.Properties = next
		changes = append(changes, more...)
	}
	return changes, errors.Join(append(problems, err)...)
}

func domainFree(ctx context.Context, tx *store.Tx, domain string, id portal.CompanyID) error {
	if domain == "" {
		return nil
	}
	other, err := tx.CompanyByDomain(ctx, domain)
	switch {
	case portal.KindOf(err) == portal.NotFound:
		return nil
	case err != nil:
		return err
	case other.ID != id:
		return portal.Conflictf("company.domain_taken", "%s is the domain of the company %q", domain, other.Name)
	}
	return nil
}

// RemoveCompany removes a company. Its contacts and tickets stay, without it.
func (a *App) RemoveCompany(ctx context.Context, typed string) (c *portal.Company, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if c, err = companyNamed(ctx, tx, typed); err != nil {
			return err
		}
		if err := tx.RemoveCompany(ctx, c.ID); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditCompanyRemoved, 0, portal.AboutCompany(c.ID), Change{Field: "name", From: c.Name}, Change{Field: "domain", From: c.Domain})
	})
	return c, err
}
