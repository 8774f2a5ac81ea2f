package app

import (
	"context"
	"errors"
	"slices"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// GroupView is an access group and the portals it lets into.
type GroupView struct {
	portal.Group
	Portals []portal.Portal
}

// Groups lists access groups with the portals they let into.
func (a *App) Groups(ctx context.Context) (list []GroupView, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		groups, err := tx.Groups(ctx)
		if err != nil {
			return err
		}
		portals, err := tx.Portals(ctx)
		if err != nil {
			return err
		}
		list = make([]GroupView, len(groups))
		for i, g := range groups {
			list[i] = GroupView{Group: g, Portals: portalsWith(portals, g.ID)}
		}
		return nil
	})
	return list, err
}

// portalsWith returns the portals that let the group in.
func portalsWith(portals []portal.Portal, g portal.GroupID) []portal.Portal {
	return slices.DeleteFunc(slices.Clone(portals), func(p portal.Portal) bool {
		return p.Access.Mode != portal.ModeGroups || !slices.Contains(p.Access.Groups, g)
	})
}

// ShowGroup returns one access group.
func (a *App) ShowGroup(ctx context.Context, name string) (*GroupView, error) {
	var g *portal.Group
	err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
		g, err = groupNamed(ctx, tx, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	list, err := a.Groups(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].ID == g.ID {
			return &list[i], nil
		}
	}
	return nil, groupMissing(name)
}

// groupNamed finds a group by the name an operator typed.
func groupNamed(ctx context.Context, tx *store.Tx, typed string) (*portal.Group, error) {
	n, err := requiredLine("group", typed)
	if err != nil {
		return nil, err
	}
	g, err := tx.GroupByName(ctx, n)
	if portal.KindOf(err) == portal.NotFound {
		return nil, groupMissing(n)
	}
	return g, err
}

func groupMissing(n string) error {
	return portal.NotFoundf("group.none", "there is no access group %q", n).
		WithHint("`portalctl groups list` names them; add one with `portalctl groups add`")
}

// AddGroup adds an access group, static without rules; added is false for one
// that is there. Conflict group.exists when that has other rules than are given.
func (a *App) AddGroup(ctx context.Context, name string, rules portal.RuleSet) (g *portal.Group, added bool, err error) {
	n, err := requiredLine("name", name)
	if err != nil {
		return nil, false, err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		g, err = tx.GroupByName(ctx, n)
		if err == nil && len(rules) > 0 && written(g.Rules) != written(rules) {
			return otherRules(g)
		}
		if portal.KindOf(err) != portal.NotFound {
			return err
		}
		g, added = &portal.Group{Name: n, Rules: rules}, true
		if err := tx.AddGroup(ctx, g); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditGroupAdded, 0, aboutGroup(g.ID), groupFacts(g)...)
	})
	return g, added && err == nil, err
}

func otherRules(g *portal.Group) error {
	return portal.Conflictf("group.exists", "there is an access group %q already, with other rules", g.Name).
		WithHint("change it with `portalctl groups set`")
}

// RemoveGroup removes an access group that lets into no portal.
func (a *App) RemoveGroup(ctx context.Context, name string) (g *portal.Group, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		if g, err = groupNamed(ctx, tx, name); err != nil {
			return err
		}
		portals, err := tx.PortalsOfGroup(ctx, g.ID)
		if err != nil {
			return err
		}
		if len(portals) > 0 {
			p, err := tx.Portal(ctx, portals[0])
			if err != nil {
				return err
			}
			return portal.Conflictf("group.in_use", "the access group %q lets people into the portal %q", g.Name, p.Name).
				WithHint("take it out of the portal's access first, with `portalctl access set`")
		}
		if err := tx.RemoveGroup(ctx, g.ID); err != nil {
			return err
		}
		return a.note(ctx, tx, portal.AuditGroupRemoved, 0, aboutGroup(g.ID), Change{Field: "name", From: g.Name})
	})
	return g, err
}

// GroupContacts lists a group's contacts by address.
func (a *App) GroupContacts(ctx context.Context, name, after string, limit int) ([]ContactRow, error) {
	return a.Contacts(ctx, ContactQuery{Group: name, After: after, Limit: limit})
}

// GroupChange is what adding and removing contacts did.
type GroupChange struct {
	Group     string
	Added     []string // addresses
	Removed   []string
	Unchanged []string // were in already, or were not in
	// Joined and Left count contacts whom rules have put in and taken out.
	Joined, Left int
	Invitations
	Ended int // sessions ended
	// Silent names portals that send no invitations, because they lie on the
	// system domain; Waiting those that are not live yet.
	Silent, Waiting []string
}

// groupBatch bounds how many contacts one transaction adds or removes, so
// that a long list keeps nobody waiting.
const groupBatch = 500

// ChangeGroup adds contacts to a group and removes others. Whoever thereby
// gets into a live portal is invited, and whoever gets out loses sessions and
// links, in the same transaction. Nothing is written when an address is
// unknown.
func (a *App) ChangeGroup(ctx context.Context, name string, add, remove []string) (*GroupChange, error) {
	g, adding, removing, err := a.groupContacts(ctx, name, add, remove)
	if err != nil {
		return nil, err
	}
	done := &GroupChange{Group: g.Name}
	for _, step := range []struct {
		contacts []portal.Contact
		write    func(context.Context, *store.Tx, *portal.Group, []portal.Contact, *GroupChange) error
	}{{adding, a.addToGroup}, {removing, a.removeFromGroup}} {
		for batch := range slices.Chunk(step.contacts, groupBatch) {
			var part GroupChange
			err := a.store.Write(ctx, func(tx *store.Tx) error {
				part = GroupChange{}
				return step.write(ctx, tx, g, batch, &part)
			})
			if err != nil {
				return done, err
			}
			done.merge(&part)
		}
	}
	if done.Mails > 0 {
		a.wakeMail()
	}
	return done, nil
}

func (c *GroupChange) merge(part *GroupChange) {
	c.Added = append(c.Added, part.Added...)
	c.Removed = append(c.Removed, part.Removed...)
	c.Unchanged = append(c.Unchanged, part.Unchanged...)
	c.Invitations.merge(&part.Invitations)
	c.Ended += part.Ended
	for _, s := range part.Silent {
		c.Silent = appendNew(c.Silent, s)
	}
	for _, s := range part.Waiting {
		c.Waiting = appendNew(c.Waiting, s)
	}
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// unknownShown is how many unknown addresses an error names.
const unknownShown = 20

// groupContacts finds the group and everybody named, each once.
func (a *App) groupContacts(ctx context.Context, name string, add, remove []string) (g *portal.Group, adding, removing []portal.Contact, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		if g, err = groupNamed(ctx, tx, name); err != nil {
			return err
		}
		if g.ByRule() {
			return portal.Conflictf("group.by_rule", "rules decide who is in the access group %q; nobody is added or removed by hand", g.Name).
				WithHint("change contacts' properties with `portalctl contacts set`, or the group's rules with `portalctl groups set`")
		}
		var problems [2]error
		adding, problems[0] = contactsWith(ctx, tx, "add", add)
		removing, problems[1] = contactsWith(ctx, tx, "remove", remove)
		if err := errors.Join(problems[:]...); err != nil {
			return err
		}
		for _, c := range removing {
			if slices.ContainsFunc(adding, func(o portal.Contact) bool { return o.ID == c.ID }) {
				return portal.Invalidf("group.both", "remove", "%s is to be added and removed", c.Email)
			}
		}
		return nil
	})
	return g, adding, removing, err
}

// contactsWith finds contacts by address, each once, and names all that are
// unknown at once.
func contactsWith(ctx context.Context, tx *store.Tx, field string, addresses []string) ([]portal.Contact, error) {
	var found []portal.Contact
	var problems []error
	seen := map[portal.ContactID]bool{}
	for _, address := range addresses {
		c, err := contactWith(ctx, tx, field, address)
		switch {
		case err != nil && portal.KindOf(err) == portal.Internal:
			return nil, err
		case err != nil:
			if problems = append(problems, err); len(problems) == unknownShown {
				return nil, errors.Join(problems...)
			}
		case !seen[c.ID]:
			seen[c.ID] = true
			found = append(found, *c)
		}
	}
	return found, errors.Join(problems...)
}

func (a *App) addToGroup(ctx context.Context, tx *store.Tx, g *portal.Group, contacts []portal.Contact, done *GroupChange) error {
	var added []portal.ContactID
	for _, c := range contacts {
		ok, err := tx.AddToGroup(ctx, g.ID, c.ID)
		if err != nil {
			return err
		}
		if !ok {
			done.Unchanged = append(done.Unchanged, c.Email)
			continue
		}
		if err := a.note(ctx, tx, portal.AuditGroupJoined, 0, portal.AboutContact(c.ID), fact("group", aboutGroup(g.ID))); err != nil {
			return err
		}
		done.Added = append(done.Added, c.Email)
		added = append(added, c.ID)
	}
	if len(added) == 0 {
		return nil
	}
	portals, err := portalsOf(ctx, tx, g.ID)
	if err != nil {
		return err
	}
	return a.inviteToPortals(ctx, tx, portals, g.ID, added, done)
}

// inviteAdded invites those of the contacts added to a group who were no
// members of the portal yet: being in a second group is no second invitation.
func (a *App) inviteAdded(ctx context.Context, tx *store.Tx, p *portal.Portal, g portal.GroupID, added []portal.ContactID, done *GroupChange) error {
	switch {
	case p.Access.Mode != portal.ModeGroups:
		return nil
	case p.State != portal.Live:
		done.Waiting = appendNew(done.Waiting, p.Name)
		return nil
	}
	var fresh []portal.ContactID
	for _, c := range added {
		m, err := memberOrNil(ctx, tx, p, c)
		if err != nil {
			return err
		}
		again := m != nil && (m.Status == portal.Invited || m.Status == portal.Failed)
		if again {
			// Whose invitation ended when they left their last group, gets
			// another when they come back.
			other, err := tx.InOtherGroups(ctx, p.ID, c, g)
			if err != nil {
				return err
			}
			again = !other
		}
		if m == nil || again {
			fresh = append(fresh, c)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := a.invite(ctx, tx, p, fresh, a.grace(), &done.Invitations); err != nil {
		return err
	}
	if !SendsInvitations(p) {
		done.Silent = appendNew(done.Silent, p.Name)
	}
	return nil
}

func (a *App) removeFromGroup(ctx context.Context, tx *store.Tx, g *portal.Group, contacts []portal.Contact, done *GroupChange) error {
	portals, err := portalsOf(ctx, tx, g.ID)
	if err != nil {
		return err
	}
	for _, c := range contacts {
		ok, err := tx.RemoveFromGroup(ctx, g.ID, c.ID)
		if err != nil {
			return err
		}
		if !ok {
			done.Unchanged = append(done.Unchanged, c.Email)
			continue
		}
		if err := a.note(ctx, tx, portal.AuditGroupLeft, 0, portal.AboutContact(c.ID), Change{Field: "group", From: aboutGroup(g.ID)}); err != nil {
			return err
		}
		done.Removed = append(done.Removed, c.Email)
		ended, err := a.endEntry(ctx, tx, portals, c.ID, endNoGroup, &done.Invitations)
		if err != nil {
			return err
		}
		done.Ended += ended
	}
	return nil
}

// endNoGroup is the reason of sessions that end because groups changed.
const endNoGroup = "no access group lists the contact any more"

// endEntry ends the contact's sessions and links for those of the portals
// that they may no longer enter, and returns how many sessions that were. A
// membership nobody knows of yet is taken back.
func (a *App) endEntry(ctx context.Context, tx *store.Tx, portals []*portal.Portal, c portal.ContactID, reason string, inv *Invitations) (ended int, err error) {
	for _, p := range portals {
		entry, member, err := entryOf(ctx, tx, p, c)
		if err != nil {
			return ended, err
		}
		if entry.Allowed {
			continue
		}
		if member != nil {
			back, err := a.takeBack(ctx, tx, member)
			switch {
			case err != nil:
				return ended, err
			case back:
				inv.TakenBack++
			case member.Status == portal.Invited && SendsInvitations(p):
				inv.Told++
			}
		}
		n, err := tx.EndPortalAccess(ctx, p.ID, c, reason)
		if err != nil {
			return ended, err
		}
		ended += n
		if member != nil && member.Status != portal.Disabled {
			if err := a.note(ctx, tx, portal.AuditAccessEnded, p.ID, portal.AboutContact(c), fact("reason", entry.Code), fact("sessions", n)); err != nil {
				return ended, err
			}
		}
	}
	return ended, nil
}
