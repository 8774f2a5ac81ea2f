package store

import (
	"context"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// CompanyFilter narrows Companies. After and AfterID are the last row of the
// page before.
type CompanyFilter struct {
	Query   string // part of name or domain
	After   string // name
	AfterID portal.CompanyID
	Limit   int // 0: 50
}

const companyColumns = `c.id, c.name, c.domain, c.external_id, c.properties, c.created_at, c.updated_at`

func scanCompany(r row) (c portal.Company, err error) {
	err = r.Scan(&c.ID, &c.Name, &c.Domain, &c.ExternalID, jsonInto{&c.Properties}, timeInto{&c.CreatedAt}, timeInto{&c.UpdatedAt})
	return c, err
}

func noCompany() error { return portal.NotFoundf("company.none", "there is no such company") }

// Company returns a company; NotFound company.none.
func (tx *Tx) Company(ctx context.Context, id portal.CompanyID) (*portal.Company, error) {
	return find(ctx, tx, noCompany(), `SELECT `+companyColumns+` FROM company c WHERE c.id = $1`, []any{id}, scanCompany)
}

// CompanyByName returns the company with the name, in whatever case, or else
// the domain; NotFound company.none, Conflict company.ambiguous when several
// have it.
func (tx *Tx) CompanyByName(ctx context.Context, name string) (*portal.Company, error) {
	name = strings.TrimSpace(name)
	for _, column := range []string{"name_key", "domain"} {
		found, err := list(ctx, tx, `SELECT `+companyColumns+` FROM company c WHERE c.`+column+` = $1 AND c.`+column+` <> '' ORDER BY c.id LIMIT 2`,
			[]any{fold(name)}, scanCompany)
		if err != nil {
			return nil, err
		}
		switch len(found) {
		case 1:
			return &found[0], nil
		case 2:
			return nil, portal.Conflictf("company.ambiguous", "several companies are called %q", name).
				With("Name", name).WithHint("name the company by its domain or by its id")
		}
	}
	return nil, portal.NotFoundf("company.none", "there is no company %q", name).With("Name", name)
}

// CompanyByExternal returns the company with the id of another system;
// NotFound company.none.
func (tx *Tx) CompanyByExternal(ctx context.Context, id string) (*portal.Company, error) {
	return find(ctx, tx, noCompany(),
		`SELECT `+companyColumns+` FROM company c WHERE c.external_id = $1 AND c.external_id <> ''`, []any{id}, scanCompany)
}

// CompanyByDomain returns the oldest company with the domain, in lower case;
// NotFound company.none.
func (tx *Tx) CompanyByDomain(ctx context.Context, domain string) (*portal.Company, error) {
	return find(ctx, tx, noCompany(),
		`SELECT `+companyColumns+` FROM company c WHERE c.domain = $1 AND c.domain <> '' ORDER BY c.id LIMIT 1`, []any{domain}, scanCompany)
}

// Companies returns companies by name, with Contacts counted.
func (tx *Tx) Companies(ctx context.Context, f CompanyFilter) ([]portal.Company, error) {
	q := newQuery(`SELECT ` + companyColumns + `, (SELECT count(*) FROM contact_company cc WHERE cc.company_id = c.id) FROM company c`)
	q.add(` WHERE (c.name_key, c.id) > (?, ?)`, fold(f.After), f.AfterID)
	if strings.TrimSpace(f.Query) != "" {
		q.add(` AND (c.name_key LIKE ? ESCAPE '\' OR c.domain LIKE ? ESCAPE '\')`, part(f.Query), part(f.Query))
	}
	q.add(` ORDER BY c.name_key, c.id LIMIT ?`, limitOr(f.Limit, 50))
	return list(ctx, tx, q.text(), q.args, func(r row) (c portal.Company, err error) {
		err = r.Scan(&c.ID, &c.Name, &c.Domain, &c.ExternalID, jsonInto{&c.Properties}, timeInto{&c.CreatedAt}, timeInto{&c.UpdatedAt}, &c.Contacts)
		return c, err
	})
}

// AddCompany writes a new company and sets ID and times; Conflict
// company.exists when the id of another system is taken.
func (tx *Tx) AddCompany(ctx context.Context, c *portal.Company) error {
	c.CreatedAt, c.UpdatedAt = tx.Now, tx.Now
	err := tx.value(ctx, &c.ID, `INSERT INTO company (name, name_key, domain, external_id, properties, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id`,
		c.Name, fold(c.Name), c.Domain, c.ExternalID, mapJSON(c.Properties), stamp(tx.Now))
	return companyExists(err, c)
}

// SaveCompany writes a changed company.
func (tx *Tx) SaveCompany(ctx context.Context, c *portal.Company) error {
	c.UpdatedAt = tx.Now
	n, err := tx.exec(ctx, `UPDATE company SET name = $2, name_key = $3, domain = $4, external_id = $5, properties = $6, updated_at = $7 WHERE id = $1`,
		c.ID, c.Name, fold(c.Name), c.Domain, c.ExternalID, mapJSON(c.Properties), stamp(tx.Now))
	return oneChanged(n, companyExists(err, c), noCompany())
}

func companyExists(err error, c *portal.Company) error {
	if isUnique(err) {
		return portal.Conflictf("company.exists", "there is a company with the id %s already", c.ExternalID).With("ID", c.ExternalID)
	}
	return err
}

// RemoveCompany removes a company; its contacts and tickets stay, without it.
// The search index may go on naming it: its id is never given again, and
// search looks at the tickets' own columns as well.
func (tx *Tx) RemoveCompany(ctx context.Context, id portal.CompanyID) error {
	n, err := tx.exec(ctx, `DELETE FROM company WHERE id = $1`, id)
	return oneChanged(n, err, noCompany())
}
