package app

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// random is a world of three portals, five groups and some thirty contacts.
type random struct {
	*world
	*rand.Rand
	contacts []*portal.Contact
	portals  []*portal.Portal
	groups   []string
}

func newRandom(t *testing.T, seed uint64) *random {
	t.Helper()
	r := &random{world: newWorld(t, nil), Rand: rand.New(rand.NewPCG(seed, 7)), groups: []string{"customers"}}
	r.contacts, r.portals = []*portal.Contact{r.ana, r.bo, r.eve}, []*portal.Portal{r.portal}
	ids := []portal.GroupID{r.group.ID}
	for i := range 4 {
		g, _, err := r.AddGroup(t.Context(), fmt.Sprintf("group%d", i), r.rules())
		if err != nil {
			t.Fatal(err)
		}
		r.groups, ids = append(r.groups, g.Name), append(ids, g.ID)
	}
	r.write(func(ctx context.Context, tx *store.Tx) error {
		for i := range 30 {
			c := &portal.Contact{Email: fmt.Sprintf("c%d@example.org", i), Properties: r.properties()}
			if err := tx.AddContact(ctx, c); err != nil {
				return err
			}
			r.contacts = append(r.contacts, c)
		}
		for i, state := range []portal.PortalState{portal.Live, portal.Draft} {
			p := *r.portal
			p.ID, p.Name, p.Slug, p.State = 0, fmt.Sprintf("Portal %d", i), fmt.Sprintf("p%d", i), state
			p.Access.Groups = nil
			for _, id := range ids {
				if r.IntN(2) == 0 || len(p.Access.Groups) == 0 {
					p.Access.Groups = append(p.Access.Groups, id)
				}
			}
			if err := tx.AddPortal(ctx, &p); err != nil {
				return err
			}
			r.portals = append(r.portals, &p)
		}
		return nil
	})
	return r
}

func (r *random) properties() map[string]string {
	m := map[string]string{}
	for _, key := range []string{"role", "team"} {
		if v := r.IntN(4); v > 0 {
			m[key] = []string{"x", "y", "z"}[v-1]
		}
	}
	m["age"] = fmt.Sprint(r.IntN(10))
	return m
}

// rules are up to two random ones; none make a static group.
func (r *random) rules() portal.RuleSet {
	var rules portal.RuleSet
	for range r.IntN(3) {
		var group []portal.Condition
		for range 1 + r.IntN(2) {
			group = append(group, []portal.Condition{
				{Property: "role", Op: portal.OpEquals, Values: []string{"x"}},
				{Property: "role", Op: portal.OpUnknown},
				{Property: "team", Op: portal.OpOneOf, Values: []string{"y", "z"}},
				{Property: "team", Op: portal.OpNot, Values: []string{"z"}},
				{Property: "age", Op: portal.OpMore, Values: []string{"6"}},
				{Property: "email", Op: portal.OpContains, Values: []string{"2@"}},
			}[r.IntN(6)])
		}
		rules = append(rules, group)
	}
	return rules
}

// entries tells who may enter where, as "address portal".
func (r *random) entries() map[string]bool {
	r.t.Helper()
	may := map[string]bool{}
	r.write(func(ctx context.Context, tx *store.Tx) error {
		for _, p := range r.portals {
			for _, c := range r.contacts {
				entry, _, err := entryOf(ctx, tx, p, c.ID)
				if err != nil {
					return err
				}
				if entry.Allowed {
					may[c.Email+" "+p.Name] = true
				}
			}
		}
		return nil
	})
	return may
}

// step previews a change to a group, makes it, and returns what the preview
// told. A step to be refused is none.
func (r *random) step() *GroupPreview {
	r.t.Helper()
	ctx, group := r.t.Context(), r.groups[r.IntN(len(r.groups))]
	g, err := r.ShowGroup(ctx, group)
	if err != nil {
		r.t.Fatal(err)
	}
	var p *GroupPreview
	if g.ByRule() || r.IntN(2) == 0 {
		rules := r.rules()
		if p, err = r.PreviewRules(ctx, group, rules); err == nil {
			_, _, _, err = r.SetGroup(ctx, group, GroupInput{Rules: &rules})
		}
	} else {
		var add, remove []string
		for _, c := range r.contacts {
			switch r.IntN(6) {
			case 0:
				add = append(add, c.Email)
			case 1:
				remove = append(remove, c.Email)
			}
		}
		if p, err = r.PreviewChange(ctx, group, add, remove); err == nil {
			_, err = r.ChangeGroup(ctx, group, add, remove)
		}
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// upset changes a contact's properties, or disables a member.
func (r *random) upset() {
	r.t.Helper()
	c := r.contacts[r.IntN(len(r.contacts))]
	if r.IntN(3) > 0 {
		r.world.properties(c, r.properties())
		return
	}
	p := r.portals[r.IntN(len(r.portals))]
	if _, err := r.DisableMembers(r.t.Context(), p, []string{c.Email}); err != nil && portal.KindOf(err) != portal.NotFound {
		r.t.Fatal(err)
	}
}

// checkGroups compares who is in each group by rule with what the rules say.
func (r *random) checkGroups() {
	r.t.Helper()
	r.write(func(ctx context.Context, tx *store.Tx) error {
		groups, err := tx.Groups(ctx)
		if err != nil {
			return err
		}
		for _, g := range groups {
			for _, known := range r.contacts {
				c, err := tx.Contact(ctx, known.ID)
				if err != nil {
					return err
				}
				in, err := tx.InGroup(ctx, g.ID, c.ID)
				if err != nil {
					return err
				}
				if g.ByRule() && in != (g.Rules.Match(c) > 0) {
					r.t.Errorf("%s with %v is in the group with %v: %v", c.Email, c.Properties, written(g.Rules), in)
				}
			}
		}
		return nil
	})
}

func TestPreviewTellsWhatThenHappens(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(8) {
		r := newRandom(t, seed)
		for range 15 {
			before := r.entries()
			p := r.step()
			after := r.entries()
			want := maps.Clone(before)
			for _, row := range p.Rows {
				seen[row.Change]++
				for _, name := range row.Portals {
					key := row.Email + " " + name
					if gains := row.Change == Gains; gains == before[key] {
						t.Errorf("seed %d: %s %s, who entered before: %v", seed, key, row.Change, before[key])
					} else if gains {
						want[key] = true
					} else {
						delete(want, key)
					}
				}
			}
			if !maps.Equal(want, after) {
				t.Fatalf("seed %d: the preview %+v of %v led to\n%v, not to\n%v", seed, p.Rows, before, after, want)
			}
			for range 3 {
				r.upset()
			}
			r.checkGroups()
		}
	}
	for _, change := range []string{Gains, Loses, Joins, Leaves} {
		if seen[change] == 0 {
			t.Errorf("no preview had a contact who %s; the test shows nothing of that", change)
		}
	}
}

func TestPreviewWritesNothing(t *testing.T) {
	w := managers(t)
	w.mails()
	session := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	rules := rulesOf(t, "email contains bo@")
	for range 2 {
		p, err := w.PreviewRules(t.Context(), "customers", rules)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(p.Rows)
		if got != "[{ana@example.com ana loses [Help]} {bo@example.com bo gains [Help]}]" {
			t.Errorf("the preview tells %s", got)
		}
	}
	if p, err := w.PreviewGroup(t.Context(), "board", rules); err != nil || len(p.Portals) != 0 || len(p.Rows) != 1 || p.Rows[0].Change != Joins {
		t.Errorf("the preview of a new group tells %+v, %v; want that bo joins and no portal uses it", p, err)
	}
	if _, err := w.ShowGroup(t.Context(), "board"); portal.KindOf(err) != portal.NotFound {
		t.Errorf("after a preview the new group is there: %v", err)
	}
	if got := w.in("customers"); got != "ana" || len(w.mails()) != 0 {
		t.Errorf("after previews the group has %q", got)
	}
	v, err := w.Enter(t.Context(), "help.example.com", "/help", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.UseLink(t.Context(), v, session, LinkAnswer{}, phone); err != nil {
		t.Errorf("ana's link is void after a preview: %v", err)
	}
}

// Contacts and rules that change at the same time end up agreeing.
func TestRulesAndContactsChangeTogether(t *testing.T) {
	r := newRandom(t, 99)
	var work sync.WaitGroup
	for n := range 4 {
		mine := rand.New(rand.NewPCG(uint64(n), 3))
		sets := make([]portal.RuleSet, 10)
		for i := range sets {
			sets[i] = r.rules()
		}
		work.Go(func() {
			for i := range 10 {
				c := r.contacts[mine.IntN(len(r.contacts))]
				_, _, err := r.SetContact(t.Context(), c.Email, ContactInput{Properties: map[string]string{"role": []string{"x", "y", ""}[i%3]}})
				if err == nil {
					_, _, _, err = r.SetGroup(t.Context(), r.groups[mine.IntN(len(r.groups))], GroupInput{Rules: &sets[i]})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	r.checkGroups()
}
