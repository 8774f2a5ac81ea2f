package app

import (
	"context"
	"slices"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// attachByDomain makes a contact who has just proven their address belong to
// the company whose domain it has, and to it only: a mail domain below it is
// another one, and of two companies with one domain neither is meant. It is
// called wherever a contact proves to read the mail that goes to
// RegistrationEmail: by the link of a registration or an invitation, a link to
// sign in, or a provider's verified claim. Only the first proof of an address
// counts, so that whoever an operator takes out of a company stays out; proving
// an address at another domain takes them out of those the old one gave. A
// primary company is never changed, only given to those without one.
func attachByDomain(ctx context.Context, tx *store.Tx, c *portal.Contact) error {
	first, err := tx.ProveAddress(ctx, c.ID, c.RegistrationEmail())
	if err != nil || !first {
		return err
	}
	domain := portal.EmailDomain(c.RegistrationEmail())
	if err := leaveByDomain(ctx, tx, c, domain); err != nil {
		return err
	}
	if publicMailDomain(domain) {
		return nil // also of a company that had the domain before it was known as one
	}
	companies, err := tx.CompaniesByDomain(ctx, domain)
	if err != nil || len(companies) != 1 || c.In(companies[0].ID) {
		return err
	}
	return attach(ctx, tx, c, companies[0].ID, domain)
}

// provesAddress is attachByDomain for whoever uses a one-time link, if it was
// mailed to the contact's address. One that was printed, to be handed over,
// proves nothing about mail.
func provesAddress(ctx context.Context, tx *store.Tx, t *store.Token, c *portal.Contact) error {
	if t.Email == "" || t.Email != c.RegistrationEmail() {
		return nil
	}
	return attachByDomain(ctx, tx, c)
}

// leaveByDomain takes a contact out of companies they belonged to by an
// address they have no more: what a domain gave, another one takes.
func leaveByDomain(ctx context.Context, tx *store.Tx, c *portal.Contact, domain string) error {
	noted, err := tx.DomainsNoted(ctx, c.ID)
	if err != nil {
		return err
	}
	left := false
	for company, by := range noted {
		if by == domain {
			continue
		}
		left = true
		c.Companies = slices.DeleteFunc(c.Companies, func(id portal.CompanyID) bool { return id == company })
		if c.Primary == company {
			c.Primary = 0
		}
	}
	if !left {
		return nil
	}
	return tx.SaveContact(ctx, c)
}

// attach makes the contact belong to the company because of a mail domain.
func attach(ctx context.Context, tx *store.Tx, c *portal.Contact, company portal.CompanyID, domain string) error {
	c.Companies = append(slices.Clip(c.Companies), company)
	slices.Sort(c.Companies)
	if c.Primary == 0 {
		c.Primary = company
	}
	if err := tx.SaveContact(ctx, c); err != nil {
		return err
	}
	if err := tx.NoteDomain(ctx, c.ID, company, domain); err != nil {
		return err
	}
	return tx.AddAudit(ctx, &portal.AuditEntry{
		Kind: portal.AuditCompanyJoined, About: portal.AboutContact(c.ID),
		AuditDetail: portal.AuditDetail{Changes: []portal.AuditChange{
			{Field: "company", To: portal.AboutCompany(company)}, {Field: "domain", To: domain},
		}},
	})
}

// companyDomain checks a domain whose people are to belong to a company.
func companyDomain(field, typed string) (string, error) {
	d, err := hostName(field, typed)
	if err == nil && publicMailDomain(d) {
		return "", portal.Invalidf("company.domain_public", field, "%s gives an address to anybody, so it cannot tell who belongs to a company", d).
			WithHint("let people belong to it one by one: portalctl contacts set ADDRESS --company NAME")
	}
	return d, err
}

// PublicDomains returns those of some mail domains at which anybody can have
// an address.
func PublicDomains(domains []string) []string {
	return slices.DeleteFunc(slices.Clone(domains), func(d string) bool { return !publicMailDomain(d) })
}

// DomainMatch is how many contacts have addresses at a company's domain
// without belonging to it.
type DomainMatch struct {
	Domain   string
	Left     int // do not belong to it
	Attached int // do since the command
}

// matchDomain counts contacts at the company's domain who do not belong to it
// and, when asked to, makes them belong.
func matchDomain(ctx context.Context, tx *store.Tx, c *portal.Company, attachExisting bool) (m DomainMatch, err error) {
	m.Domain = c.Domain
	if c.Domain == "" {
		return m, nil
	}
	for last := portal.ContactID(0); attachExisting; {
		ids, err := tx.ContactsAtDomain(ctx, c.Domain, c.ID, last, inviteBatch)
		if err != nil {
			return m, err
		}
		for _, id := range ids {
			contact, err := tx.Contact(ctx, id)
			if err != nil {
				return m, err
			}
			if err := attach(ctx, tx, contact, c.ID, c.Domain); err != nil {
				return m, err
			}
		}
		if m.Attached += len(ids); len(ids) < inviteBatch {
			break
		}
		last = ids[len(ids)-1]
	}
	m.Left, err = tx.CountAtDomain(ctx, c.Domain, c.ID)
	return m, err
}
