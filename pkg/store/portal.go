package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

const portalQuery = `SELECT p.id, p.name, p.domain_id, p.slug, p.state, p.accent, p.time_zone, p.inbox_id, p.tickets, p.access,
	p.languages, p.brand, p.created_at, p.updated_at, ` + domainColumns + `
	FROM portal p JOIN domain d ON d.id = p.domain_id`

func scanPortal(r row) (p portal.Portal, err error) {
	var inbox portal.InboxID
	into := []any{
		&p.ID, &p.Name, &p.DomainID, &p.Slug, &p.State, &p.Accent, &p.TimeZone, refInto(&inbox),
		jsonInto{&p.Tickets},
		jsonInto{&p.Access},
		jsonInto{&p.Languages},
		jsonInto{&p.Brand},
		timeInto{&p.CreatedAt},
		timeInto{&p.UpdatedAt},
	}
	err = r.Scan(append(into, domainInto(&p.Domain)...)...)
	p.Tickets.InboxID = inbox
	return p, err
}

func noPortal() error { return portal.NotFoundf("portal.none", "there is no such portal") }

// Portals returns every portal with its Domain and Access.Groups filled in, by name.
func (tx *Tx) Portals(ctx context.Context) ([]portal.Portal, error) {
	portals, err := list(ctx, tx, portalQuery+` ORDER BY p.name, p.id`, nil, scanPortal)
	if err != nil {
		return nil, err
	}
	type pair struct {
		portal portal.PortalID
		group  portal.GroupID
	}
	pairs, err := list(ctx, tx, `SELECT portal_id, group_id FROM portal_group ORDER BY portal_id, group_id`, nil, func(r row) (p pair, err error) {
		return p, r.Scan(&p.portal, &p.group)
	})
	if err != nil {
		return nil, err
	}
	for i := range portals {
		for _, p := range pairs {
			if p.portal == portals[i].ID {
				portals[i].Access.Groups = append(portals[i].Access.Groups, p.group)
			}
		}
	}
	return portals, nil
}

// Portal returns a portal with its Domain and Access.Groups; NotFound
// portal.none.
func (tx *Tx) Portal(ctx context.Context, id portal.PortalID) (*portal.Portal, error) {
	p, err := find(ctx, tx, noPortal(), portalQuery+` WHERE p.id = $1`, []any{id}, scanPortal)
	if err != nil {
		return nil, err
	}
	p.Access.Groups, err = list(ctx, tx, `SELECT group_id FROM portal_group WHERE portal_id = $1 ORDER BY group_id`, []any{id},
		func(r row) (g portal.GroupID, err error) { return g, r.Scan(&g) })
	return p, err
}

// AddPortal writes a new portal and its groups and sets its ID and times;
// Conflict portal.address_taken when another portal has the domain and slug.
func (tx *Tx) AddPortal(ctx context.Context, p *portal.Portal) error {
	p.CreatedAt, p.UpdatedAt = tx.Now, tx.Now
	err := tx.value(ctx, &p.ID, `INSERT INTO portal (name, domain_id, slug, state, accent, time_zone, inbox_id, tickets, access,
		languages, brand, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) RETURNING id`,
		p.Name, p.DomainID, p.Slug, p.State, p.Accent, p.TimeZone, ref(p.Tickets.InboxID), jsonOf(p.Tickets), jsonOf(p.Access),
		languagesOf(p), jsonOf(p.Brand), stamp(tx.Now))
	if err := portalRule(err, p); err != nil {
		return err
	}
	return tx.changed(ctx, tx.saveGroups(ctx, p))
}

// SavePortal writes a changed portal, its Access.Groups too.
func (tx *Tx) SavePortal(ctx context.Context, p *portal.Portal) error {
	p.UpdatedAt = tx.Now
	n, err := tx.exec(ctx, `UPDATE portal SET name = $2, domain_id = $3, slug = $4, state = $5, accent = $6, time_zone = $7,
		inbox_id = $8, tickets = $9, access = $10, languages = $11, brand = $12, updated_at = $13 WHERE id = $1`,
		p.ID, p.Name, p.DomainID, p.Slug, p.State, p.Accent, p.TimeZone, ref(p.Tickets.InboxID), jsonOf(p.Tickets), jsonOf(p.Access),
		languagesOf(p), jsonOf(p.Brand), stamp(tx.Now))
	if err := oneChanged(n, portalRule(err, p), noPortal()); err != nil {
		return err
	}
	if err := tx.do(ctx, `DELETE FROM portal_group WHERE portal_id = $1`, p.ID); err != nil {
		return err
	}
	return tx.changed(ctx, tx.saveGroups(ctx, p))
}

// languagesOf is never null, which is what a nil slice would be.
func languagesOf(p *portal.Portal) string {
	if len(p.Languages) == 0 {
		return "[]"
	}
	return jsonOf(p.Languages)
}

func (tx *Tx) saveGroups(ctx context.Context, p *portal.Portal) error {
	for _, g := range p.Access.Groups {
		if err := tx.do(ctx, `INSERT INTO portal_group (portal_id, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, p.ID, g); err != nil {
			if isForeignKey(err) {
				return noGroup()
			}
			return err
		}
	}
	return nil
}

func portalRule(err error, p *portal.Portal) error {
	switch {
	case isUnique(err):
		return &portal.Error{
			Kind: portal.Conflict, Code: "portal.address_taken", Field: "slug",
			Msg: "another portal has this address", Hint: "choose another slug or domain", Args: map[string]any{"Slug": p.Slug},
		}
	case isForeignKey(err):
		return portal.NotFoundf("portal.reference", "the portal's domain or inbox does not exist any more")
	}
	return err
}

// RemovePortal removes a portal with its members, sessions and links. Its
// tickets stay.
func (tx *Tx) RemovePortal(ctx context.Context, id portal.PortalID) error {
	n, err := tx.exec(ctx, `DELETE FROM portal WHERE id = $1`, id)
	return tx.changed(ctx, oneChanged(n, err, noPortal()))
}
