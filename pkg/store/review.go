package store

import (
	"context"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// AccessRow is a contact as one portal knows them: what decides whether they
// get in and what they see there.
type AccessRow struct {
	Contact   portal.Contact
	Member    *portal.Member // nil: never was one
	Groups    []string       // the portal's access groups that list the contact, by name
	Companies []string       // the contact's, the primary one first
}

// AccessFilter narrows AccessRows. After is the last e-mail of the page before.
type AccessFilter struct {
	Portal portal.PortalID
	After  string
	Limit  int // 0: 50
}

// nameBreak separates names that a query joins; no name contains it.
const nameBreak = "\n"

const accessQuery = `SELECT ` + contactColumns + `, ` + memberColumns + `,
	(SELECT string_agg(k.name, $4) FROM contact_company cc JOIN company k ON k.id = cc.company_id
		WHERE cc.contact_id = c.id AND cc.is_primary = 1),
	(SELECT string_agg(k.name, $4) FROM contact_company cc JOIN company k ON k.id = cc.company_id
		WHERE cc.contact_id = c.id AND cc.is_primary = 0),
	(SELECT string_agg(g.name, $4) FROM portal_group pg JOIN group_contact gc ON gc.group_id = pg.group_id
		JOIN access_group g ON g.id = gc.group_id WHERE pg.portal_id = $1 AND gc.contact_id = c.id)
	FROM contact c LEFT JOIN member m ON m.portal_id = $1 AND m.contact_id = c.id
	WHERE c.email > $2 AND (m.contact_id IS NOT NULL OR EXISTS (SELECT 1 FROM portal_group pg
		JOIN group_contact gc ON gc.group_id = pg.group_id WHERE pg.portal_id = $1 AND gc.contact_id = c.id))
	ORDER BY c.email LIMIT $3`

// AccessRows returns, by e-mail, everyone a portal's membership or access
// groups name. Whether they get in is for portal.MayEnter to say.
func (tx *Tx) AccessRows(ctx context.Context, f AccessFilter) ([]AccessRow, error) {
	args := []any{f.Portal, f.After, limitOr(f.Limit, 50), nameBreak}
	return list(ctx, tx, accessQuery, args, func(r row) (a AccessRow, err error) {
		c, m := &a.Contact, &portal.Member{}
		var primary, others, groups *string
		dest := contactInto(c)
		dest = append(dest, lax(memberInto(m))...)
		if err := r.Scan(append(dest, &primary, &others, &groups)...); err != nil {
			return a, err
		}
		if m.ContactID != 0 {
			a.Member = m
		}
		a.Companies, a.Groups = append(joined(primary), joined(others)...), joined(groups)
		return a, nil
	})
}

// joined takes names apart that a query has joined, and orders them.
func joined(s *string) []string {
	if s == nil || *s == "" {
		return nil
	}
	names := strings.Split(*s, nameBreak)
	slices.Sort(names)
	return names
}
