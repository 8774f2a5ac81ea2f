package app

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// GroupInput is what a command says about an access group. What is nil stays
// as it is.
type GroupInput struct {
	Name *string
	// Rules decide who is in the group; an empty set makes it static, with the
	// contacts it has then.
	Rules *portal.RuleSet
}

// SetGroup changes an access group's name and rules. Everybody who thereby
// gets into a live portal is invited, and whoever gets out loses sessions and
// links, in the same transaction.
func (a *App) SetGroup(ctx context.Context, name string, in GroupInput) (g *portal.Group, changes []Change, done *GroupChange, err error) {
	to := ""
	if in.Name != nil {
		if to, err = requiredLine("name", *in.Name); err != nil {
			return nil, nil, nil, err
		}
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		changes, done = nil, &GroupChange{}
		if g, err = groupNamed(ctx, tx, name); err != nil {
			// The second run of a renaming finds the new name in place.
			again, otherwise := tx.GroupByName(ctx, to)
			if to == "" || otherwise != nil {
				return err
			}
			g = again
		}
		if to != "" && g.Name != to {
			changes = append(changes, Change{"name", g.Name, to})
			g.Name = to
			if err := tx.SaveGroup(ctx, g); err != nil {
				return err
			}
		}
		done.Group = g.Name
		ruled := in.Rules != nil && written(g.Rules) != written(*in.Rules)
		if ruled {
			changes = append(changes, Change{"rule", written(g.Rules), written(*in.Rules)})
		}
		if len(changes) > 0 {
			if err := a.note(ctx, tx, portal.AuditGroupChanged, 0, aboutGroup(g.ID), changes...); err != nil {
				return err
			}
		}
		if !ruled {
			return nil
		}
		return tx.SetRules(ctx, g, *in.Rules, func(moves []store.GroupMove) error {
			return a.reconcileGroups(ctx, tx, moves, done)
		})
	})
	if err != nil {
		return nil, nil, nil, err
	}
	if done.Mails > 0 {
		a.wakeMail()
	}
	return g, changes, done, nil
}

// settleMoves sees to what follows from a change of contacts that rules have
// put into groups or taken out; the store calls it before every commit.
func (a *App) settleMoves(ctx context.Context, tx *store.Tx, moves []store.GroupMove) (after func(), err error) {
	var done GroupChange
	if err := a.reconcileGroups(ctx, tx, moves, &done); err != nil {
		return nil, err
	}
	if done.Mails == 0 {
		return nil, nil
	}
	return a.wakeMail, nil
}

// reconcileGroups invites whom rules let into a live portal, and ends sessions
// and links of whom they let in no more.
func (a *App) reconcileGroups(ctx context.Context, tx *store.Tx, moves []store.GroupMove, done *GroupChange) error {
	portals := map[portal.GroupID][]*portal.Portal{}
	joined := map[portal.GroupID][]portal.ContactID{}
	var order []portal.GroupID
	for _, m := range moves {
		if _, known := portals[m.Group]; !known {
			named, err := portalsOf(ctx, tx, m.Group)
			if err != nil {
				return err
			}
			portals[m.Group], order = named, append(order, m.Group)
		}
		// A group that lets in nowhere gives and takes no right.
		if len(portals[m.Group]) > 0 {
			if err := a.noteMove(ctx, tx, m); err != nil {
				return err
			}
		}
		if m.Joined {
			done.Joined++
			joined[m.Group] = append(joined[m.Group], m.Contact)
			continue
		}
		done.Left++
		ended, err := a.endEntry(ctx, tx, portals[m.Group], m.Contact, endNoGroup, &done.Invitations)
		if err != nil {
			return err
		}
		done.Ended += ended
	}
	for _, g := range order {
		if len(joined[g]) == 0 {
			continue
		}
		if err := a.inviteToPortals(ctx, tx, portals[g], g, joined[g], done); err != nil {
			return err
		}
	}
	return nil
}

// noteMove writes down that rules moved a contact.
func (a *App) noteMove(ctx context.Context, tx *store.Tx, m store.GroupMove) error {
	if m.Joined {
		return a.note(ctx, tx, portal.AuditGroupJoined, 0, portal.AboutContact(m.Contact), fact("group", aboutGroup(m.Group)), fact("by", "rule"))
	}
	return a.note(ctx, tx, portal.AuditGroupLeft, 0, portal.AboutContact(m.Contact), Change{Field: "group", From: aboutGroup(m.Group)}, fact("by", "rule"))
}

// portalsOf returns the portals whose access names the group.
func portalsOf(ctx context.Context, tx *store.Tx, g portal.GroupID) ([]*portal.Portal, error) {
	ids, err := tx.PortalsOfGroup(ctx, g)
	if err != nil {
		return nil, err
	}
	portals := make([]*portal.Portal, len(ids))
	for i, id := range ids {
		if portals[i], err = tx.Portal(ctx, id); err != nil {
			return nil, err
		}
	}
	return portals, nil
}

// inviteToPortals invites contacts who joined a group into its portals.
func (a *App) inviteToPortals(ctx context.Context, tx *store.Tx, portals []*portal.Portal, g portal.GroupID, joined []portal.ContactID, done *GroupChange) error {
	for _, p := range portals {
		if err := a.inviteAdded(ctx, tx, p, g, joined, done); err != nil {
			return err
		}
	}
	return nil
}

// The changes a GroupPreview tells of one contact.
const (
	Gains  = "gains"  // gets into portals
	Loses  = "loses"  // gets into portals no more
	Joins  = "joins"  // is in the group and gets in nowhere new
	Leaves = "leaves" // is not in the group and gets in wherever they did
)

// PreviewRow is one contact whom a change to a group would concern.
type PreviewRow struct {
	Email, Name string
	Change      string
	Portals     []string // gained or lost
}

// GroupPreview is who would gain or lose access by a change that was not made.
type GroupPreview struct {
	Group   string
	Portals []portal.Portal // those that let the group in
	Rows    []PreviewRow
	Counts  map[string]int // by Change
}

// PreviewGroup tells what AddGroup would do. Nothing is written.
func (a *App) PreviewGroup(ctx context.Context, name string, rules portal.RuleSet) (p *GroupPreview, err error) {
	n, err := requiredLine("name", name)
	if err != nil {
		return nil, err
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		g, err := tx.GroupByName(ctx, n)
		switch {
		case err == nil && len(rules) > 0 && written(g.Rules) != written(rules):
			return otherRules(g)
		case portal.KindOf(err) == portal.NotFound:
			g = &portal.Group{Name: n}
		case err != nil:
			return err
		}
		p, err = previewRules(ctx, tx, g, rules)
		return err
	})
	return p, err
}

// PreviewRules tells what SetGroup with these rules would do. Nothing is
// written.
func (a *App) PreviewRules(ctx context.Context, name string, rules portal.RuleSet) (p *GroupPreview, err error) {
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		g, err := groupNamed(ctx, tx, name)
		if err == nil {
			p, err = previewRules(ctx, tx, g, rules)
		}
		return err
	})
	return p, err
}

func previewRules(ctx context.Context, tx *store.Tx, g *portal.Group, rules portal.RuleSet) (*GroupPreview, error) {
	p, err := newPreview(ctx, tx, g)
	if err != nil || len(rules) == 0 { // a static group keeps whom it has
		return p, err
	}
	return p, tx.RuleMoves(ctx, g.ID, rules, func(moves []store.GroupMove) error { return p.tell(ctx, tx, moves) })
}

// PreviewChange tells what ChangeGroup would do. Nothing is written.
func (a *App) PreviewChange(ctx context.Context, name string, add, remove []string) (p *GroupPreview, err error) {
	g, adding, removing, err := a.groupContacts(ctx, name, add, remove)
	if err != nil {
		return nil, err
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		if p, err = newPreview(ctx, tx, g); err != nil {
			return err
		}
		var moves []store.GroupMove
		for i, c := range append(adding, removing...) {
			in, err := tx.InGroup(ctx, g.ID, c.ID)
			if err != nil {
				return err
			}
			if join := i < len(adding); join != in {
				moves = append(moves, store.GroupMove{Group: g.ID, Contact: c.ID, Joined: join})
			}
		}
		return p.tell(ctx, tx, moves)
	})
	return p, err
}

func newPreview(ctx context.Context, tx *store.Tx, g *portal.Group) (*GroupPreview, error) {
	portals, err := tx.Portals(ctx)
	if err != nil {
		return nil, err
	}
	return &GroupPreview{Group: g.Name, Portals: portalsWith(portals, g.ID), Counts: map[string]int{}}, nil
}

// tell adds contacts who would join or leave the group.
func (p *GroupPreview) tell(ctx context.Context, tx *store.Tx, moves []store.GroupMove) error {
	for _, m := range moves {
		c, err := tx.Contact(ctx, m.Contact)
		if err != nil {
			return err
		}
		row := PreviewRow{Email: c.Email, Name: c.Name}
		for i := range p.Portals {
			turns, err := turnsEntry(ctx, tx, &p.Portals[i], m)
			if err != nil {
				return err
			}
			if turns {
				row.Portals = append(row.Portals, p.Portals[i].Name)
			}
		}
		switch {
		case m.Joined && len(row.Portals) > 0:
			row.Change = Gains
		case m.Joined:
			row.Change = Joins
		case len(row.Portals) > 0:
			row.Change = Loses
		default:
			row.Change = Leaves
		}
		p.Counts[row.Change]++
		p.Rows = append(p.Rows, row)
	}
	return nil
}

// turnsEntry reports whether joining or leaving the group decides if the
// contact gets into the portal: no other group lets them in, and nothing else
// keeps them out.
func turnsEntry(ctx context.Context, tx *store.Tx, p *portal.Portal, m store.GroupMove) (bool, error) {
	other, err := tx.InOtherGroups(ctx, p.ID, m.Contact, m.Group)
	if err != nil || other {
		return false, err
	}
	member, err := memberOrNil(ctx, tx, p, m.Contact)
	return err == nil && portal.MayEnter(p, member, true).Allowed, err
}
