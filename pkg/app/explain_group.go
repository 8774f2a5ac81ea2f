package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// groupVerdict is what the rules of one of the portal's access groups say
// about the contact.
type groupVerdict struct {
	portal.Group
	rule int // the first that matches, counted from 1; 0 for none
}

func (x *Explanation) loadGroups(ctx context.Context, tx *store.Tx) error {
	in, err := tx.GroupsOf(ctx, x.Contact.ID)
	if err != nil {
		return err
	}
	for _, g := range in {
		if slices.Contains(x.Portal.Access.Groups, g.ID) {
			x.Groups = append(x.Groups, g.Name)
		}
	}
	all, err := tx.Groups(ctx)
	if err != nil {
		return err
	}
	for _, g := range groupsOf(x.Portal, all) {
		if g.ByRule() {
			x.ruled = append(x.ruled, groupVerdict{g, g.Rules.Match(x.Contact)})
		}
	}
	x.Entry = portal.MayEnter(x.Portal, x.Member, len(x.Groups) > 0)
	switch x.Entry.Code {
	case "entry.group":
		x.nameRules()
	case "entry.no_group":
		x.nameRuleChange()
	}
	return nil
}

// nameRules says which groups list the contact, and by which rules.
func (x *Explanation) nameRules() {
	var why []string
	for _, name := range x.Groups {
		s := fmt.Sprintf("access group %s lists the contact", name)
		for _, v := range x.ruled {
			if v.Name == name && v.rule > 0 {
				s += fmt.Sprintf(" by rule %d: %s", v.rule, portal.FormatRule(v.Rules[v.rule-1]))
			}
		}
		why = append(why, s)
	}
	if len(x.ruled) > 0 {
		x.Entry.Why = strings.Join(why, "; ")
	}
}

// nameRuleChange says how rules would let the contact in.
func (x *Explanation) nameRuleChange() {
	switch len(x.ruled) {
	case 0:
	case len(x.Portal.Access.Groups):
		x.Entry.Change = "change the contact's properties with `contacts set` so that a rule matches, or the rules with `groups set`"
	default:
		x.Entry.Change += ", or change its properties with `contacts set` so that a group's rule matches"
	}
}

// tellGroupRules lists the rules that let people in, and what each says.
func (x *Explanation) tellGroupRules() {
	for _, v := range x.ruled {
		for i, group := range v.Rules {
			verdict := "does not match"
			if alone := (portal.RuleSet{group}); alone.Match(x.Contact) > 0 {
				verdict = "matches"
			}
			x.fact(fmt.Sprintf("access rule %d", i+1), "%s: %s: %s (%s)", v.Name, portal.FormatRule(group), verdict, x.values(group))
		}
	}
}
