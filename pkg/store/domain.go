package store

import (
	"cmp"
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// domainColumns are those of a domain, of the table as d.
const domainColumns = `d.id, d.kind, d.host, d.language, d.token, d.verified_at, d.checked_at, d.proxied, d.lost_at, d.lost_why,
	d.hsts, d.served_since, d.headers, d.created_at`

func scanDomain(r row) (d portal.Domain, err error) {
	return d, r.Scan(domainInto(&d)...)
}

// domainInto is where domainColumns go.
func domainInto(d *portal.Domain) []any {
	return []any{
		&d.ID, &d.Kind, &d.Host, &d.Language, &d.Token,
		timeInto{&d.VerifiedAt},
		timeInto{&d.CheckedAt},
		&d.Proxied,
		timeInto{&d.LostAt},
		&d.LostWhy, &d.HSTS,
		timeInto{&d.ServedSince},
		jsonInto{&d.Headers},
		timeInto{&d.CreatedAt},
	}
}

func noDomain() error { return portal.NotFoundf("domain.none", "there is no such domain") }

// Domains returns every domain, the system domain first, then by host.
func (tx *Tx) Domains(ctx context.Context) ([]portal.Domain, error) {
	return list(ctx, tx, `SELECT `+domainColumns+` FROM domain d ORDER BY d.host`, nil, scanDomain)
}

// Domain returns a domain; NotFound domain.none.
func (tx *Tx) Domain(ctx context.Context, id portal.DomainID) (*portal.Domain, error) {
	return find(ctx, tx, noDomain(), `SELECT `+domainColumns+` FROM domain d WHERE d.id = $1`, []any{id}, scanDomain)
}

// DomainByHost returns the connected domain with the host name, which is in
// its ASCII form and lower case; NotFound domain.none.
func (tx *Tx) DomainByHost(ctx context.Context, host string) (*portal.Domain, error) {
	return find(ctx, tx, portal.NotFoundf("domain.none", "%s is not connected", host).With("Host", host).
		WithHint("`portalctl domain list` names those that are; connect it with `portalctl domain connect %s`", host),
		`SELECT `+domainColumns+` FROM domain d WHERE d.host = $1 AND d.kind = 'connected'`, []any{host}, scanDomain)
}

// SystemDomain returns the system domain; a new store has it (language en).
func (tx *Tx) SystemDomain(ctx context.Context) (*portal.Domain, error) {
	return find(ctx, tx, noDomain(), `SELECT `+domainColumns+` FROM domain d WHERE d.kind = 'system'`, nil, scanDomain)
}

// AddDomain writes a new domain and sets its ID and CreatedAt; Conflict
// domain.exists when the host is connected already.
func (tx *Tx) AddDomain(ctx context.Context, d *portal.Domain) error {
	d.CreatedAt = tx.Now
	err := tx.value(ctx, &d.ID, `INSERT INTO domain (kind, host, language, token, verified_at, checked_at, proxied,
		lost_at, lost_why, hsts, served_since, headers, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`,
		d.Kind, d.Host, d.Language, d.Token, stamp(d.VerifiedAt), stamp(d.CheckedAt), d.Proxied,
		stamp(d.LostAt), d.LostWhy, cmp.Or(d.HSTS, portal.AutoHSTS), stamp(d.ServedSince), headersOf(d), stamp(d.CreatedAt))
	return tx.changed(ctx, domainExists(err, d))
}

// SaveDomain writes a changed domain.
func (tx *Tx) SaveDomain(ctx context.Context, d *portal.Domain) error {
	n, err := tx.exec(ctx, `UPDATE domain SET host = $2, language = $3, token = $4, verified_at = $5, checked_at = $6, proxied = $7,
		lost_at = $8, lost_why = $9, hsts = $10, served_since = $11, headers = $12 WHERE id = $1`,
		d.ID, d.Host, d.Language, d.Token, stamp(d.VerifiedAt), stamp(d.CheckedAt), d.Proxied,
		stamp(d.LostAt), d.LostWhy, cmp.Or(d.HSTS, portal.AutoHSTS), stamp(d.ServedSince), headersOf(d))
	return tx.changed(ctx, oneChanged(n, domainExists(err, d), noDomain()))
}

// headersOf is never null, which is what a nil map would be.
func headersOf(d *portal.Domain) string {
	if len(d.Headers) == 0 {
		return "{}"
	}
	return jsonOf(d.Headers)
}

func domainExists(err error, d *portal.Domain) error {
	if isUnique(err) {
		return portal.Conflictf("domain.exists", "%s is connected already", d.Host).With("Host", d.Host)
	}
	return err
}

// RemoveDomain removes a connected domain; Conflict domain.in_use while
// portals use it, Invalid domain.system for the system domain.
func (tx *Tx) RemoveDomain(ctx context.Context, id portal.DomainID) error {
	n, err := tx.exec(ctx, `DELETE FROM domain WHERE id = $1 AND kind = 'connected'`, id)
	if isForeignKey(err) {
		return portal.Conflictf("domain.in_use", "the domain is used by a portal").
			WithHint("give the portal another domain with `portalctl portal set`, or remove the portal")
	}
	if err == nil && n == 0 {
		if _, err := tx.Domain(ctx, id); err != nil {
			return err
		}
		return portal.Invalidf("domain.system", "", "the system domain cannot be removed")
	}
	return tx.changed(ctx, err)
}
