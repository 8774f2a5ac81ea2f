package cli

import (
	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
)

func newGroupsCmd(env *Env) *cobra.Command {
	cmd := noun("groups", "Access groups: named sets of contacts who may enter a portal",
		`  portalctl groups add customers
  portalctl groups members customers --add ann@example.com
  portalctl groups add managers --rule 'role equals Manager'`,
		newGroupsAddCmd(env),
		newGroupsListCmd(env),
		newGroupsShowCmd(env),
		newGroupsSetCmd(env),
		newGroupsMembersCmd(env),
		newGroupsRemoveCmd(env),
	)
	cmd.Aliases = []string{"group"}
	return cmd
}

var groupColumns = []output.Column{
	{Name: "name", Head: "Name"},
	{Name: "kind", Head: "Kind"},
	{Name: "contacts", Head: "Contacts"},
	{Name: "portals", Head: "Portals"},
	{Name: "rules", Head: "Rules", Spare: true},
	{Name: "created_at", Head: "Created", Spare: true},
}

func groupRow(g *app.GroupView) []any {
	var portals []string
	for _, p := range g.Portals {
		portals = append(portals, p.Name)
	}
	kind := "static"
	if g.ByRule() {
		kind = "rule"
	}
	return []any{g.Name, kind, g.Members, portals, ruleTexts(g.Rules), g.CreatedAt}
}
