package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

const addressQuery = `SELECT a.portal_id, a.slug, a.kind, a.created_at, ` + domainColumns + `
	FROM portal_address a JOIN domain d ON d.id = a.domain_id`

func scanAddress(r row) (a portal.Address, err error) {
	into := []any{&a.Portal, &a.Slug, &a.Kind, timeInto{&a.CreatedAt}}
	return a, r.Scan(append(into, domainInto(&a.Domain)...)...)
}

func noAddress() error {
	return portal.NotFoundf("address.none", "there is no such address")
}

// Addresses returns the further and former addresses of all portals, the
// system domain's first, then by host and slug.
func (tx *Tx) Addresses(ctx context.Context) ([]portal.Address, error) {
	return list(ctx, tx, addressQuery+` ORDER BY d.host, a.slug`, nil, scanAddress)
}

// AddressAt returns the further or former address at a domain and slug;
// NotFound address.none.
func (tx *Tx) AddressAt(ctx context.Context, domain portal.DomainID, slug string) (*portal.Address, error) {
	return find(ctx, tx, noAddress(), addressQuery+` WHERE a.domain_id = $1 AND a.slug = $2`, []any{domain, slug}, scanAddress)
}

// SaveAddress writes an address of a portal in the place of what was there,
// and sets its CreatedAt.
func (tx *Tx) SaveAddress(ctx context.Context, a *portal.Address) error {
	a.CreatedAt = tx.Now
	err := tx.do(ctx, `INSERT INTO portal_address (domain_id, slug, portal_id, kind, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (domain_id, slug) DO UPDATE SET portal_id = excluded.portal_id, kind = excluded.kind, created_at = excluded.created_at`,
		a.Domain.ID, a.Slug, a.Portal, a.Kind, stamp(a.CreatedAt))
	if isForeignKey(err) {
		return portal.NotFoundf("portal.reference", "the address's portal or domain does not exist any more")
	}
	return tx.changed(ctx, err)
}

// RemoveAddress removes the further or former address at a domain and slug;
// NotFound address.none.
func (tx *Tx) RemoveAddress(ctx context.Context, domain portal.DomainID, slug string) error {
	n, err := tx.exec(ctx, `DELETE FROM portal_address WHERE domain_id = $1 AND slug = $2`, domain, slug)
	return tx.changed(ctx, oneChanged(n, err, noAddress()))
}
