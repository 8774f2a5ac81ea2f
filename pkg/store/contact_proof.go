package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// ProveAddress notes that the contact reads mail at the address. first is
// false when that was known: they have proven no other one since.
func (tx *Tx) ProveAddress(ctx context.Context, c portal.ContactID, address string) (first bool, err error) {
	n, err := tx.exec(ctx, `UPDATE contact SET proven = $2 WHERE id = $1 AND proven <> $2`, c, address)
	if err != nil {
		return false, err
	}
	return n > 0, tx.MarkReachable(ctx, c, address)
}

// ProvenAddress is the address the contact has proven last; "" for none.
func (tx *Tx) ProvenAddress(ctx context.Context, c portal.ContactID) (address string, err error) {
	err = tx.value(ctx, &address, `SELECT proven FROM contact WHERE id = $1`, c)
	return address, err
}

// CompaniesByDomain returns up to two companies with the domain, in lower
// case: only one alone may be told by it.
func (tx *Tx) CompaniesByDomain(ctx context.Context, domain string) ([]portal.Company, error) {
	return list(ctx, tx, `SELECT `+companyColumns+` FROM company c WHERE c.domain = $1 AND c.domain <> '' ORDER BY c.id LIMIT 2`,
		[]any{domain}, scanCompany)
}

// NoteDomain keeps that it was the mail domain which made a contact belong to
// a company. Whoever belongs to it otherwise is left alone.
func (tx *Tx) NoteDomain(ctx context.Context, c portal.ContactID, k portal.CompanyID, domain string) error {
	return tx.do(ctx, `UPDATE contact_company SET by_domain = $3 WHERE contact_id = $1 AND company_id = $2`, c, k, domain)
}

// DomainsNoted are the mail domains which made the contact belong to
// companies.
func (tx *Tx) DomainsNoted(ctx context.Context, c portal.ContactID) (map[portal.CompanyID]string, error) {
	noted := map[portal.CompanyID]string{}
	_, err := list(ctx, tx, `SELECT company_id, by_domain FROM contact_company WHERE contact_id = $1 AND by_domain <> ''`, []any{c},
		func(r row) (struct{}, error) {
			var id portal.CompanyID
			var domain string
			err := r.Scan(&id, &domain)
			noted[id] = domain
			return struct{}{}, err
		})
	return noted, err
}

// ContactsAtDomain lists contacts whose registration mail goes to an address
// at the domain, exactly, and who do not belong to the company, by id; after
// is the last one of the page before.
func (tx *Tx) ContactsAtDomain(ctx context.Context, domain string, not portal.CompanyID, after portal.ContactID, limit int) ([]portal.ContactID, error) {
	return list(ctx, tx, `SELECT c.id FROM contact c WHERE c.id > $1
			AND CASE c.member_email WHEN '' THEN c.email ELSE c.member_email END LIKE $2 ESCAPE '\'
			AND NOT EXISTS (SELECT 1 FROM contact_company cc WHERE cc.contact_id = c.id AND cc.company_id = $3)
		ORDER BY c.id LIMIT $4`, []any{after, "%@" + domain, not, limitOr(limit, 50)},
		func(r row) (id portal.ContactID, err error) { return id, r.Scan(&id) })
}

// CountAtDomain counts the contacts ContactsAtDomain lists.
func (tx *Tx) CountAtDomain(ctx context.Context, domain string, not portal.CompanyID) (n int, err error) {
	err = tx.value(ctx, &n, `SELECT count(*) FROM contact c
		WHERE CASE c.member_email WHEN '' THEN c.email ELSE c.member_email END LIKE $1 ESCAPE '\'
			AND NOT EXISTS (SELECT 1 FROM contact_company cc WHERE cc.contact_id = c.id AND cc.company_id = $2)`,
		"%@"+domain, not)
	return n, err
}
