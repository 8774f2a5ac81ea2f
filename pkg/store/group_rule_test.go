package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/portaltest"
	"github.com/portalctl/portalctl/pkg/store"
)

var gold = portal.RuleSet{{{Property: "plan", Op: portal.OpEquals, Values: []string{"gold"}}}}

func customer(email, plan string) *portal.Contact {
	return &portal.Contact{Email: email, Properties: map[string]string{"plan": plan}}
}

// ruled is a store with a group by rule that has one contact.
func ruled(t *testing.T) (s *store.Store, g *portal.Group, ann *portal.Contact) {
	t.Helper()
	s, g, ann = portaltest.Store(t), &portal.Group{Name: "Gold", Rules: gold}, customer("ann@example.com", "Gold")
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.AddContact(t.Context(), ann), tx.AddGroup(t.Context(), g))
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, g, ann
}

func TestMovesOfAWriteAreSettledInIt(t *testing.T) {
	s, g, ann := ruled(t)
	ctx := t.Context()
	var got []store.GroupMove
	settled, after := 0, 0
	fail := errors.New("settling failed")
	var answer error
	s.OnMoves(func(_ context.Context, _ *store.Tx, moves []store.GroupMove) (func(), error) {
		settled, got = settled+1, moves
		return func() { after++ }, answer
	})
	bo, cy, dan := customer("bo@example.com", "gold"), customer("cy@example.com", "gold"), customer("dan@example.com", "")
	change := func(tx *store.Tx) error {
		ann.Properties = map[string]string{}
		err := errors.Join(tx.SaveContact(ctx, ann), tx.ImportContact(ctx, bo), tx.AddContact(ctx, cy), tx.AddContact(ctx, dan))
		// Whoever comes and goes again, is removed, or whose row is undone, does
		// not count.
		dan.Properties = map[string]string{"plan": "gold"}
		err = errors.Join(err, tx.SaveContact(ctx, dan))
		dan.Properties = nil
		err = errors.Join(err, tx.SaveContact(ctx, dan), tx.RemoveContact(ctx, cy.ID))
		undone := tx.Attempt(ctx, func() error {
			return errors.Join(tx.AddContact(ctx, customer("eve@example.com", "gold")), fail)
		})
		if !errors.Is(undone, fail) {
			return undone
		}
		return err
	}
	answer = fail
	if err := s.Write(ctx, change); !errors.Is(err, fail) || after != 0 {
		t.Fatalf("a write whose settling fails gave %v and went on %d times; want it undone", err, after)
	}
	answer = nil
	bo, cy, dan = customer("bo@example.com", "gold"), customer("cy@example.com", "gold"), customer("dan@example.com", "")
	if err := s.Write(ctx, change); err != nil {
		t.Fatal(err)
	}
	want := []store.GroupMove{{Group: g.ID, Contact: ann.ID}, {Group: g.ID, Contact: bo.ID, Joined: true}}
	if !slices.Equal(got, want) || settled != 2 || after != 1 {
		t.Errorf("settled %v in %d calls, went on after %d; want %v", got, settled, after, want)
	}
	if err := s.Write(ctx, func(tx *store.Tx) error { return tx.SaveContact(ctx, bo) }); err != nil || settled != 2 {
		t.Errorf("a change that moves nobody was settled, or failed: %v", err)
	}
	taken := func(tx *store.Tx) error {
		bo.Properties = nil
		err := tx.SaveContact(ctx, bo)
		if moves := tx.TakeMoves(); len(moves) != 1 || moves[0].Joined {
			t.Errorf("took %v; want that bo left", moves)
		}
		return err
	}
	if err := s.Write(ctx, taken); err != nil || settled != 2 {
		t.Errorf("moves that were taken were settled again, or failed: %v", err)
	}
}

func TestGroupRulesAreKept(t *testing.T) {
	s, g, _ := ruled(t)
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		got, err := tx.GroupByName(t.Context(), "gold")
		if err == nil && (len(got.Rules) != 1 || portal.FormatRule(got.Rules[0]) != "plan equals gold" || got.Members != 1 || got.ID != g.ID) {
			t.Errorf("the group reads back as %+v", got)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An undone group must not be remembered by the transaction that goes on.
func TestUndoneGroupTakesNobody(t *testing.T) {
	s, ctx := portaltest.Store(t), t.Context()
	err := s.Write(ctx, func(tx *store.Tx) error {
		undo := errors.New("undo")
		err := tx.Attempt(ctx, func() error {
			return errors.Join(tx.AddGroup(ctx, &portal.Group{Name: "Gold", Rules: gold}), tx.AddContact(ctx, customer("a@example.com", "gold")), undo)
		})
		if !errors.Is(err, undo) {
			return err
		}
		return tx.AddContact(ctx, customer("b@example.com", "gold"))
	})
	if err != nil {
		t.Errorf("a contact after an undone group: %v", err)
	}
}

// Without groups by rule an import pays one statement a transaction for them.
func TestContactsCostNothingWithoutRules(t *testing.T) {
	s, ctx := portaltest.Store(t), t.Context()
	err := s.Write(ctx, func(tx *store.Tx) error {
		var costs [3]int64
		for i, email := range []string{"a@example.com", "b@example.com", "c@example.com"} {
			before := s.Queries()
			if err := tx.AddContact(ctx, customer(email, "gold")); err != nil {
				return err
			}
			costs[i] = s.Queries() - before
		}
		if costs[0] != costs[1]+1 || costs[1] != costs[2] {
			t.Errorf("adding contacts took %v statements; want the first to ask once for groups by rule and the others not at all", costs)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Rules that change between two contacts of one transaction count for the
// second.
func TestChangedRulesCountAtOnce(t *testing.T) {
	s, ctx := portaltest.Store(t), t.Context()
	none := func([]store.GroupMove) error { return nil }
	err := s.Write(ctx, func(tx *store.Tx) error {
		g := &portal.Group{Name: "Gold"}
		add := func(email string, want bool) error {
			c := customer(email, "gold")
			err := tx.AddContact(ctx, c)
			in, inErr := tx.InGroup(ctx, g.ID, c.ID)
			if in != want {
				t.Errorf("%s is in the group: %v; want %v", email, in, want)
			}
			return errors.Join(err, inErr)
		}
		return errors.Join(
			tx.AddGroup(ctx, g), add("a@example.com", false),
			tx.SetRules(ctx, g, gold, none), add("b@example.com", true),
			tx.SetRules(ctx, g, nil, none), add("c@example.com", false),
			tx.SetRules(ctx, g, gold, none), add("d@example.com", true),
			tx.RemoveGroup(ctx, g.ID), add("e@example.com", false))
	})
	if err != nil {
		t.Fatal(err)
	}
}
