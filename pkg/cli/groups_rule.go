package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

const groupRuleHelp = `A rule compares contact properties, or email, name and language, joined by
"and"; a contact that matches any of several rules is in the group. The
operators are equals, is-not, contains, one-of, known, unknown, less-than,
more-than, before and after.`

func groupRuleFlag(cmd *cobra.Command, rules *[]string) {
	cmd.Flags().StringArrayVar(rules, "rule", nil, "a `rule` over contact properties that decides who is in the group; repeat it for \"or\"")
}

func previewFlag(cmd *cobra.Command, preview *bool) {
	cmd.Flags().BoolVar(preview, "preview", false, "list who would gain or lose access, and change nothing")
}

// groupRules reads --rule flags. Unlike parseRules it takes no empty one for
// "none", which would make a static group of a rule that a script left out.
func groupRules(list []string) (portal.RuleSet, error) {
	var rules portal.RuleSet
	for _, s := range list {
		group, err := portal.ParseRule(s)
		if err != nil {
			return nil, err
		}
		rules = append(rules, group)
	}
	return rules, nil
}

func ruleTexts(rules portal.RuleSet) []string {
	texts := make([]string, len(rules))
	for i, group := range rules {
		texts[i] = portal.FormatRule(group)
	}
	return texts
}

// saySelfMade warns of rules over what customers write about themselves.
func saySelfMade(env *Env, rules portal.RuleSet) {
	for _, own := range []string{"name", "language"} {
		asks := func(c portal.Condition) bool { return c.Property == own }
		if slices.ContainsFunc(rules, func(group []portal.Condition) bool { return slices.ContainsFunc(group, asks) }) {
			env.say("note: members can change their own %s, and so join or leave a group whose rules ask for it", own)
		}
	}
}

var groupPreviewColumns = []output.Column{
	{Name: "email", Head: "E-mail", Keep: true},
	{Name: "name", Head: "Name"},
	{Name: "change", Head: "Access"},
	{Name: "portals", Head: "Portals"},
}

// groupPreviewHeads read the changes to people; scripts read the words.
var groupPreviewHeads = map[string]string{
	app.Gains: "gains", app.Loses: "loses", app.Joins: "as before (joins)", app.Leaves: "as before (leaves)",
}

// showGroupPreview lists who would gain or lose access.
func showGroupPreview(env *Env, p *app.GroupPreview) error {
	rows := make([][]any, len(p.Rows))
	for i, r := range p.Rows {
		change := r.Change
		if env.Config.Output == output.Table {
			change = groupPreviewHeads[change]
		}
		rows[i] = []any{r.Email, r.Name, change, r.Portals}
	}
	if err := env.Printer().List(groupPreviewColumns, rows, fmt.Sprintf("nobody would join or leave the access group %q", p.Group)); err != nil {
		return err
	}
	if len(p.Portals) == 0 {
		env.say("no portal uses the access group %q, so nobody's access would change", p.Group)
	} else {
		env.say("%s would gain access, %s would lose it", counted(p.Counts[app.Gains], "contact", "contacts"), counted(p.Counts[app.Loses], "contact", "contacts"))
	}
	for _, portals := range p.Portals {
		if portals.State != portal.Live {
			env.say("%q is not live: nobody gets in before it is", portals.Name)
		}
	}
	env.say("this is a preview: nothing was changed")
	return nil
}
