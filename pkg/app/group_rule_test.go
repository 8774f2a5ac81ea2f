package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
	"github.com/portalctl/portalctl/pkg/transfer"
)

func rulesOf(t *testing.T, lines ...string) portal.RuleSet {
	t.Helper()
	var rules portal.RuleSet
	for _, s := range lines {
		group, err := portal.ParseRule(s)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, group)
	}
	return rules
}

// managers is a world whose portal is on a domain of its own and lets in
// nobody but managers, of whom Ana is one.
func managers(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, nil)
	w.connect()
	w.properties(w.ana, map[string]string{"role": "Manager"})
	if _, _, _, err := w.SetGroup(t.Context(), "customers", GroupInput{Rules: new(rulesOf(t, "role equals manager", "team one-of board,audit and country equals SE"))}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) properties(c *portal.Contact, set map[string]string) {
	w.t.Helper()
	if _, _, err := w.SetContact(w.t.Context(), c.Email, ContactInput{Properties: set}); err != nil {
		w.t.Fatal(err)
	}
}

// in lists who is in a group, by address without its domain.
func (w *world) in(group string) string {
	w.t.Helper()
	list, err := w.GroupContacts(w.t.Context(), group, "", 10000)
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, c := range list {
		local, _, _ := strings.Cut(c.Email, "@")
		names = append(names, local)
	}
	return strings.Join(names, " ")
}

func TestPropertyChangeGivesAndEndsAccess(t *testing.T) {
	w := managers(t)
	if got := w.in("customers"); got != "ana" {
		t.Fatalf("the group has %q; want only ana, who is a manager", got)
	}
	w.mails()
	w.properties(w.bo, map[string]string{"team": "audit"})
	if got := w.mails(); len(got) != 0 {
		t.Errorf("half a rule sent %v", got)
	}
	w.properties(w.bo, map[string]string{"country": "se"})
	if got := w.mails(); !slices.Equal(got, []string{"invitation to bo@example.com"}) || w.statusOf(w.bo) != portal.Invited {
		t.Errorf("matching a rule sent %v and made the member %q; want one invitation", got, w.statusOf(w.bo))
	}

	host := "help.example.com"
	at := func(token string) *Visit {
		t.Helper()
		v, err := w.Enter(t.Context(), host, "/help/tickets", token)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	signIn := func(c *portal.Contact) string {
		t.Helper()
		in, err := w.UseLink(t.Context(), at(""), w.link(store.Token{Kind: store.TokenSignIn, Contact: c.ID}), LinkAnswer{}, phone)
		if err != nil {
			t.Fatal(err)
		}
		return in.Token
	}
	session, other := signIn(w.bo), signIn(w.ana)
	link := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.bo.ID})
	if at(session).Contact == nil {
		t.Fatal("bo cannot enter although a rule matches")
	}
	w.properties(w.bo, map[string]string{"country": ""})
	if v := at(session); v.Contact != nil {
		t.Error("bo's session went on after the rule ceased to match")
	}
	if _, err := w.UseLink(t.Context(), at(""), link, LinkAnswer{}, phone); err == nil {
		t.Error("bo's link worked after the rule ceased to match")
	}
	if at(other).Contact == nil {
		t.Error("ana, who still is a manager, was signed out")
	}
	// Coming back is no second invitation, and revives no session.
	w.properties(w.bo, map[string]string{"role": "manager"})
	if got := w.mails(); len(got) != 0 || at(session).Contact != nil {
		t.Errorf("coming back sent %v, and the old session's visitor is %v", got, at(session).Contact)
	}
}

func TestMovingBetweenGroupsOfOnePortalKeepsTheSession(t *testing.T) {
	w := newWorld(t, nil)
	w.groupOf("partners")
	for name, rule := range map[string]string{"customers": "tier equals customer", "partners": "tier equals partner"} {
		if name == "customers" {
			w.properties(w.ana, map[string]string{"tier": "customer"})
		}
		if _, _, _, err := w.SetGroup(t.Context(), name, GroupInput{Rules: new(rulesOf(t, rule))}); err != nil {
			t.Fatal(err)
		}
	}
	session := w.signIn(w.ana)
	w.properties(w.ana, map[string]string{"tier": "partner"})
	if w.in("customers") != "" || w.in("partners") != "ana" || w.visit(session).Contact == nil {
		t.Errorf("customers are %q, partners %q, the visitor is %v; want ana among partners and still signed in",
			w.in("customers"), w.in("partners"), w.visit(session).Contact)
	}
}

// What customers write about themselves counts like any other change.
func TestOwnProfileFollowsRules(t *testing.T) {
	w := newWorld(t, nil)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.ana.Language = "sv"
		return tx.SaveContact(ctx, w.ana)
	})
	if _, _, _, err := w.SetGroup(t.Context(), "customers", GroupInput{Rules: new(rulesOf(t, "language equals sv"))}); err != nil {
		t.Fatal(err)
	}
	session := w.signIn(w.ana)
	if err := w.SaveProfile(t.Context(), w.visit(session), "Ana", "en", ""); err != nil {
		t.Fatal(err)
	}
	if v := w.visit(session); v.Contact != nil {
		t.Error("the session went on after the rule ceased to match")
	}
}

func TestImportFollowsRules(t *testing.T) {
	w := managers(t)
	w.mails()
	session := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	file := "email,name,role\nnew@example.com,New,Manager\nother@example.com,Other,Clerk\nana@example.com,Ana,Clerk\nbo@example.com,Bo,MANAGER\nno-address,X,Manager\n"
	run := func(dry bool) *ImportResult {
		t.Helper()
		r, err := w.ImportContacts(t.Context(), strings.NewReader(file), int64(len(file)), ImportOptions{DryRun: dry, Transfer: transfer.Options{}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	want := []string{"joined an access group by its rules", "left an access group by its rules", "invited"}
	for _, dry := range []bool{true, false} {
		r := run(dry)
		for _, s := range want {
			if !strings.Contains(strings.Join(r.Notices, "\n"), s) {
				t.Errorf("dry run %v: the notices %q do not tell who %s", dry, r.Notices, s)
			}
		}
		if dry && w.in("customers") != "ana" {
			t.Errorf("the dry run changed the group to %q", w.in("customers"))
		}
	}
	if got := w.in("customers"); got != "bo new" {
		t.Errorf("after the import the group has %q; want bo and new", got)
	}
	got := w.mails()
	slices.Sort(got)
	if !slices.Equal(got, []string{"invitation to bo@example.com", "invitation to new@example.com"}) {
		t.Errorf("the import sent %v", got)
	}
	v, err := w.Enter(t.Context(), "help.example.com", "/help", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.UseLink(t.Context(), v, session, LinkAnswer{}, phone); err == nil {
		t.Error("ana's link worked after the import took her out of the group")
	}
	if r := run(false); len(r.Notices) != 0 {
		t.Errorf("the second import says %q; want nothing", r.Notices)
	}
}

// More contacts than are compared at a time.
func TestChangedRulesMoveEveryContact(t *testing.T) {
	w := managers(t)
	const many = 1234
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for i := range many {
			c := &portal.Contact{Email: fmt.Sprintf("c%d@many.example", i), Properties: map[string]string{"n": fmt.Sprint(i)}}
			if err := tx.AddContact(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	ana := w.link(store.Token{Kind: store.TokenSignIn, Contact: w.ana.ID})
	rules := rulesOf(t, "n less-than 1000")
	p, err := w.PreviewRules(t.Context(), "customers", rules)
	if err != nil {
		t.Fatal(err)
	}
	_, changes, done, err := w.SetGroup(t.Context(), "customers", GroupInput{Rules: &rules})
	if err != nil {
		t.Fatal(err)
	}
	if done.Joined != 1000 || done.Left != 1 || done.Invited != 1000 || done.Mails != 1000 || len(changes) != 1 {
		t.Errorf("the change did %+v (%v); want 1000 in and invited, ana out", done, changes)
	}
	if p.Counts[Gains] != 1000 || p.Counts[Loses] != 1 || len(p.Rows) != 1001 {
		t.Errorf("the preview told %v; want 1000 gains and ana's loss", p.Counts)
	}
	if g, err := w.ShowGroup(t.Context(), "customers"); err != nil || g.Members != 1000 {
		t.Errorf("the group counts %d (%v); want 1000", g.Members, err)
	}
	v, err := w.Enter(t.Context(), "help.example.com", "/help", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.UseLink(t.Context(), v, ana, LinkAnswer{}, phone); err == nil {
		t.Error("ana's link worked after new rules left her out")
	}
	if _, changes, done, err = w.SetGroup(t.Context(), "customers", GroupInput{Rules: &rules}); err != nil || len(changes) != 0 || done.Joined+done.Left != 0 {
		t.Errorf("the same rules again did %v, %+v, %v; want nothing", changes, done, err)
	}
}

func TestGroupIsStaticOrByRule(t *testing.T) {
	w := managers(t)
	ctx := t.Context()
	_, err := w.ChangeGroup(ctx, "customers", []string{"bo@example.com"}, nil)
	wantCode(t, err, "group.by_rule")
	_, err = w.PreviewChange(ctx, "customers", nil, []string{"ana@example.com"})
	wantCode(t, err, "group.by_rule")
	err = w.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.AddToGroup(ctx, w.group.ID, w.bo.ID)
		return err
	})
	wantCode(t, err, "group.by_rule")
	_, _, err = w.AddGroup(ctx, "Customers", rulesOf(t, "role known"))
	wantCode(t, err, "group.exists")

	// Without rules it keeps whom it has, and properties decide no more.
	if _, _, _, err := w.SetGroup(ctx, "customers", GroupInput{Rules: &portal.RuleSet{}}); err != nil {
		t.Fatal(err)
	}
	w.properties(w.ana, map[string]string{"role": "Clerk"})
	if _, err := w.ChangeGroup(ctx, "customers", []string{"bo@example.com"}, nil); err != nil {
		t.Fatal(err)
	}
	if got := w.in("customers"); got != "ana bo" {
		t.Errorf("the static group has %q; want ana, who was in, and bo, who was added", got)
	}
	// With rules again, those listed by hand stay only if they match.
	if _, _, _, err := w.SetGroup(ctx, "customers", GroupInput{Rules: new(rulesOf(t, "role equals clerk"))}); err != nil {
		t.Fatal(err)
	}
	if got := w.in("customers"); got != "ana" {
		t.Errorf("the group by rule has %q; want ana", got)
	}
	w.properties(w.ana, map[string]string{"role": ""})
	if got := w.in("customers"); got != "" {
		t.Errorf("the group by rule has %q after nobody matches", got)
	}
}

func TestExplainNamesTheRuleOfAGroup(t *testing.T) {
	w := managers(t)
	explain := func(c *portal.Contact) *Explanation {
		t.Helper()
		x, err := w.Explain(t.Context(), w.portal.ID, c.Email, 0)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	if x := explain(w.ana); !x.Entry.Allowed || x.Why != "access group customers lists the contact by rule 1: role equals manager" {
		t.Errorf("ana may enter: %v, because %q", x.Entry.Allowed, x.Why)
	}
	x := explain(w.bo)
	if x.Entry.Allowed || !strings.Contains(x.Change, "contacts set") || strings.Contains(x.Change, "groups members") {
		t.Errorf("bo may enter: %v, to change it: %q; want what would make a rule match", x.Entry.Allowed, x.Change)
	}
	if want := (Fact{"access rule 2", "customers: team one-of board,audit and country equals SE: does not match (team is unknown, country is unknown)"}); !slices.Contains(x.Facts, want) {
		t.Errorf("the facts %q lack %q", x.Facts, want)
	}
}
