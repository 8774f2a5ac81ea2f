package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

const groupColumns = `g.id, g.name, g.rules, g.created_at, (SELECT count(*) FROM group_contact gc WHERE gc.group_id = g.id)`

func scanGroup(r row) (g portal.Group, err error) {
	err = r.Scan(&g.ID, &g.Name, rulesInto{&g.Rules}, timeInto{&g.CreatedAt}, &g.Members)
	return g, err
}

func noGroup() error { return portal.NotFoundf("group.none", "there is no such access group") }

// Groups returns every access group by name, with Members counted.
func (tx *Tx) Groups(ctx context.Context) ([]portal.Group, error) {
	return list(ctx, tx, `SELECT `+groupColumns+` FROM access_group g ORDER BY g.name_key`, nil, scanGroup)
}

// GroupByName returns the access group with the name, in whatever case;
// NotFound group.none.
func (tx *Tx) GroupByName(ctx context.Context, name string) (*portal.Group, error) {
	return find(ctx, tx, portal.NotFoundf("group.none", "there is no access group %q", name).With("Name", name),
		`SELECT `+groupColumns+` FROM access_group g WHERE g.name_key = $1`, []any{fold(name)}, scanGroup)
}

// AddGroup writes a new access group and sets its ID and CreatedAt; one with
// rules has its contacts at once. Conflict group.exists.
func (tx *Tx) AddGroup(ctx context.Context, g *portal.Group) error {
	g.CreatedAt = tx.Now
	err := tx.value(ctx, &g.ID, `INSERT INTO access_group (name, name_key, created_at) VALUES ($1, $2, $3) RETURNING id`,
		g.Name, fold(g.Name), stamp(tx.Now))
	if err := tx.changed(ctx, groupExists(err, g)); err != nil || !g.ByRule() {
		return err
	}
	// No portal names the group yet, so nobody's access changes.
	return tx.SetRules(ctx, g, g.Rules, func([]GroupMove) error { return nil })
}

// SaveGroup writes an access group's changed name; SetRules changes rules.
func (tx *Tx) SaveGroup(ctx context.Context, g *portal.Group) error {
	n, err := tx.exec(ctx, `UPDATE access_group SET name = $2, name_key = $3 WHERE id = $1`, g.ID, g.Name, fold(g.Name))
	return tx.changed(ctx, oneChanged(n, groupExists(err, g), noGroup()))
}

func groupExists(err error, g *portal.Group) error {
	if isUnique(err) {
		return portal.Conflictf("group.exists", "there is an access group %q already", g.Name).With("Name", g.Name)
	}
	return err
}

// RemoveGroup removes an access group; Conflict group.in_use while a portal
// names it.
func (tx *Tx) RemoveGroup(ctx context.Context, id portal.GroupID) error {
	tx.ruled = nil
	n, err := tx.exec(ctx, `DELETE FROM access_group WHERE id = $1`, id)
	if isForeignKey(err) {
		return portal.Conflictf("group.in_use", "a portal gives this access group access").
			WithHint("name the portal's other groups with `portalctl access set groups` first")
	}
	return tx.changed(ctx, oneChanged(n, err, noGroup()))
}

// AddToGroup lists a contact in a group; added is false when it did already.
// Conflict group.by_rule when rules decide who is in the group.
func (tx *Tx) AddToGroup(ctx context.Context, g portal.GroupID, c portal.ContactID) (added bool, err error) {
	if err := tx.listedByHand(ctx, g); err != nil {
		return false, err
	}
	n, err := tx.exec(ctx, `INSERT INTO group_contact (group_id, contact_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, g, c)
	if isForeignKey(err) {
		return false, portal.NotFoundf("group.none", "the access group or the contact does not exist any more")
	}
	return n > 0, err
}

// RemoveFromGroup takes a contact out of a group; removed is false when it
// did not list them. Conflict group.by_rule when rules decide who is in it.
func (tx *Tx) RemoveFromGroup(ctx context.Context, g portal.GroupID, c portal.ContactID) (removed bool, err error) {
	if err := tx.listedByHand(ctx, g); err != nil {
		return false, err
	}
	n, err := tx.exec(ctx, `DELETE FROM group_contact WHERE group_id = $1 AND contact_id = $2`, g, c)
	return n > 0, err
}

// PortalsOfGroup returns the portals whose access names the group.
func (tx *Tx) PortalsOfGroup(ctx context.Context, g portal.GroupID) ([]portal.PortalID, error) {
	return list(ctx, tx, `SELECT portal_id FROM portal_group WHERE group_id = $1 ORDER BY portal_id`, []any{g},
		func(r row) (id portal.PortalID, err error) { return id, r.Scan(&id) })
}

// InGroups reports whether one of the portal's access groups lists the contact.
func (tx *Tx) InGroups(ctx context.Context, p portal.PortalID, c portal.ContactID) (bool, error) {
	return tx.exists(ctx, `SELECT 1 FROM portal_group pg JOIN group_contact gc ON gc.group_id = pg.group_id
		WHERE pg.portal_id = $1 AND gc.contact_id = $2 LIMIT 1`, p, c)
}

// GroupsOf returns the access groups that list the contact, by name.
func (tx *Tx) GroupsOf(ctx context.Context, c portal.ContactID) ([]portal.Group, error) {
	return list(ctx, tx, `SELECT `+groupColumns+` FROM access_group g JOIN group_contact m ON m.group_id = g.id
		WHERE m.contact_id = $1 ORDER BY g.name_key`, []any{c}, scanGroup)
}
