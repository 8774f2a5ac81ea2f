package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/portalctl/portalctl/pkg/portal"
)

// GroupMove says that rules put a contact into a group, or took them out.
type GroupMove struct {
	Group   portal.GroupID
	Contact portal.ContactID
	Joined  bool // false: left
}

type movesFunc func(ctx context.Context, tx *Tx, moves []GroupMove) (after func(), err error)

// OnMoves sets what is done at the end of every Write that changed contacts so
// that they joined or left groups by rule: in the same transaction, so that
// nobody keeps or lacks access in between. after, which may be nil, runs once
// it is all on disk.
func (s *Store) OnMoves(fn func(ctx context.Context, tx *Tx, moves []GroupMove) (after func(), err error)) {
	f := movesFunc(fn)
	s.onMoves.Store(&f)
}

// settle passes on the moves that the function of a Write has not taken.
func (s *Store) settle(ctx context.Context, tx *Tx) (after func(), err error) {
	moves := tx.TakeMoves()
	fn := s.onMoves.Load()
	if len(moves) == 0 || fn == nil {
		return nil, nil
	}
	return (*fn)(ctx, tx, moves)
}

// TakeMoves returns who joined or left groups by rule since the transaction
// began, or since it was last asked, because contacts were added or changed.
// Whoever came and went again is left out. The caller then sees to what
// follows from it; otherwise OnMoves does.
func (tx *Tx) TakeMoves() []GroupMove {
	if len(tx.moves) == 0 {
		return nil
	}
	all := tx.moves
	tx.moves = nil
	type place struct {
		portal.GroupID
		portal.ContactID
	}
	// Joining and leaving alternate: of an even number nothing is left, and of
	// an odd one any tells the same as the last.
	odd := make(map[place]bool, len(all))
	for _, m := range all {
		at := place{m.Group, m.Contact}
		odd[at] = !odd[at]
	}
	return slices.DeleteFunc(all, func(m GroupMove) bool {
		at := place{m.Group, m.Contact}
		once := odd[at]
		odd[at] = false
		return !once
	})
}

// forgetMoves leaves out a contact who is removed.
func (tx *Tx) forgetMoves(c portal.ContactID) {
	tx.moves = slices.DeleteFunc(tx.moves, func(m GroupMove) bool { return m.Contact == c })
}

// groupsByRule returns the groups whose rules every changed contact is
// compared with. They are read once in a transaction, so that an import pays
// for them once in a few hundred rows.
func (tx *Tx) groupsByRule(ctx context.Context) ([]portal.Group, error) {
	if tx.ruled == nil {
		groups, err := list(ctx, tx, `SELECT g.id, g.rules FROM access_group g WHERE g.rules <> '[]' ORDER BY g.id`, nil,
			func(r row) (g portal.Group, err error) { return g, r.Scan(&g.ID, rulesInto{&g.Rules}) })
		if err != nil {
			return nil, err
		}
		tx.ruled = &groups
	}
	return *tx.ruled, nil
}

// followRules puts a contact who was added or changed into the groups whose
// rules match, and takes them out of the others.
func (tx *Tx) followRules(ctx context.Context, c *portal.Contact, added bool) error {
	groups, err := tx.groupsByRule(ctx)
	if err != nil || len(groups) == 0 {
		return err
	}
	var in []portal.GroupID
	if !added {
		in, err = list(ctx, tx, `SELECT group_id FROM group_contact WHERE contact_id = $1 AND by_rule = 1`, []any{c.ID},
			func(r row) (id portal.GroupID, err error) { return id, r.Scan(&id) })
		if err != nil {
			return err
		}
	}
	for _, g := range groups {
		m := GroupMove{g.ID, c.ID, g.Rules.Match(c) > 0}
		if m.Joined == slices.Contains(in, g.ID) {
			continue
		}
		if err := tx.place(ctx, m); err != nil {
			return err
		}
		tx.moves = append(tx.moves, m)
	}
	return nil
}

func (tx *Tx) place(ctx context.Context, m GroupMove) error {
	if m.Joined {
		return tx.do(ctx, `INSERT INTO group_contact (group_id, contact_id, by_rule) VALUES ($1, $2, 1) ON CONFLICT DO NOTHING`, m.Group, m.Contact)
	}
	return tx.do(ctx, `DELETE FROM group_contact WHERE group_id = $1 AND contact_id = $2`, m.Group, m.Contact)
}

// SetRules writes an access group's rules and compares every contact with
// them. moved is told who joined and who left, a few hundred contacts at a
// time, after each of these has been written. A static group that gets rules
// keeps of its contacts those that match; one whose rules are taken away keeps
// all it has, listed from then on.
func (tx *Tx) SetRules(ctx context.Context, g *portal.Group, rules portal.RuleSet, moved func([]GroupMove) error) error {
	text := "[]"
	if len(rules) > 0 {
		text = jsonOf(rules)
	}
	n, err := tx.exec(ctx, `UPDATE access_group SET rules = $2 WHERE id = $1`, g.ID, text)
	if err := tx.changed(ctx, oneChanged(n, err, noGroup())); err != nil {
		return err
	}
	g.Rules, tx.ruled = rules, nil
	if g.ByRule() {
		err := tx.RuleMoves(ctx, g.ID, rules, func(moves []GroupMove) error {
			for _, m := range moves {
				if err := tx.place(ctx, m); err != nil {
					return err
				}
			}
			return moved(moves)
		})
		if err != nil {
			return err
		}
	}
	return tx.do(ctx, `UPDATE group_contact SET by_rule = $2 WHERE group_id = $1 AND by_rule <> $2`, g.ID, flag(g.ByRule()))
}

// movesBatch is how many contacts are compared with rules at a time.
const movesBatch = 500

// RuleMoves tells who would join and who would leave the group if it had the
// rules, a few hundred contacts at a time. It writes nothing; a group that is
// not there yet has the id 0 and no contacts.
func (tx *Tx) RuleMoves(ctx context.Context, g portal.GroupID, rules portal.RuleSet, moved func([]GroupMove) error) error {
	type compared struct {
		portal.Contact
		in bool
	}
	for last := portal.ContactID(0); ; {
		contacts, err := list(ctx, tx, `SELECT c.id, c.email, c.name, c.language, c.properties,
				EXISTS (SELECT 1 FROM group_contact gc WHERE gc.group_id = $1 AND gc.contact_id = c.id)
			FROM contact c WHERE c.id > $2 AND c.erased_at IS NULL ORDER BY c.id LIMIT $3`, []any{g, last, movesBatch},
			func(r row) (c compared, err error) {
				return c, r.Scan(&c.ID, &c.Email, &c.Name, &c.Language, jsonInto{&c.Properties}, &c.in)
			})
		if err != nil {
			return err
		}
		var moves []GroupMove
		for i := range contacts {
			c := &contacts[i]
			if match := rules.Match(&c.Contact) > 0; match != c.in {
				moves = append(moves, GroupMove{g, c.ID, match})
			}
		}
		if len(moves) > 0 {
			if err := moved(moves); err != nil {
				return err
			}
		}
		if len(contacts) < movesBatch {
			return nil
		}
		last = contacts[len(contacts)-1].ID
	}
}

// listedByHand refuses to change by hand who is in a group by rule.
func (tx *Tx) listedByHand(ctx context.Context, id portal.GroupID) error {
	groups, err := tx.groupsByRule(ctx)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g.ID == id {
			return portal.Conflictf("group.by_rule", "rules decide who is in the access group; nobody is added or removed by hand").
				WithHint("change contacts' properties with `portalctl contacts set`, the rules with `portalctl groups set --rule`, or list contacts by hand again after `portalctl groups set --no-rules`")
		}
	}
	return nil
}

// InGroup reports whether a contact is in the group.
func (tx *Tx) InGroup(ctx context.Context, g portal.GroupID, c portal.ContactID) (bool, error) {
	return tx.exists(ctx, `SELECT 1 FROM group_contact WHERE group_id = $1 AND contact_id = $2`, g, c)
}

// InOtherGroups is InGroups without regard to one group.
func (tx *Tx) InOtherGroups(ctx context.Context, p portal.PortalID, c portal.ContactID, but portal.GroupID) (bool, error) {
	return tx.exists(ctx, `SELECT 1 FROM portal_group pg JOIN group_contact gc ON gc.group_id = pg.group_id
		WHERE pg.portal_id = $1 AND gc.contact_id = $2 AND pg.group_id <> $3 LIMIT 1`, p, c, but)
}

// rulesInto scans rules; none are nil.
type rulesInto struct{ rules *portal.RuleSet }

// Scan implements sql.Scanner.
func (d rulesInto) Scan(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("rules are stored as %T", v)
	}
	*d.rules = nil
	if text == "[]" {
		return nil
	}
	return json.Unmarshal([]byte(text), d.rules)
}
