package cli

import (
	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newCompaniesCmd(env *Env) *cobra.Command {
	cmd := noun("companies", "Companies: the organisations contacts belong to",
		`  portalctl companies add --name Acme --domain acme.example
  portalctl companies list`,
		newCompaniesAddCmd(env),
		newCompaniesListCmd(env),
		newCompaniesShowCmd(env),
		newCompaniesSetCmd(env),
		newCompaniesRemoveCmd(env),
		newCompaniesImportCmd(env),
		newCompaniesExportCmd(env),
	)
	cmd.Aliases = []string{"company"}
	return cmd
}

const companyQuestion, companyPass = "Which company? Name or domain:", "the company's name or domain as an argument"

var companyColumns = []output.Column{
	{Name: "id"},
	{Name: "name", Head: "Name"},
	{Name: "domain", Head: "Domain", Keep: true},
	{Name: "contacts", Head: "Contacts"},
	{Name: "properties"},
	{Name: "external_id"},
	{Name: "created_at", Head: "Added", Spare: true},
	{Name: "updated_at"},
}

func companyRow(c *portal.Company) []any {
	return []any{int64(c.ID), c.Name, c.Domain, c.Contacts, c.Properties, c.ExternalID, c.CreatedAt, c.UpdatedAt}
}

const companyRuleHelp = `Whoever proves an address at the company's --domain, by registering or by
accepting an invitation, belongs to it from then on; it becomes their primary
company if they have none. The domain counts exactly, so mail.acme.com is not
acme.com. Domains at which anybody can have an address, such as gmail.com, are
refused. Contacts who are there already stay as they are.`

// companyFlags are the flags that say something about a company.
type companyFlags struct {
	name, domain string
	properties   []string
}

func (f *companyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.name, "name", "", "the company's name")
	flags.StringVar(&f.domain, "domain", "", "the company's own mail domain, such as acme.example")
	flags.StringArrayVar(&f.properties, "property", nil, "a custom property, KEY=VALUE (repeatable)")
}

func (f *companyFlags) input(cmd *cobra.Command) (app.CompanyInput, error) {
	properties, err := pairs(f.properties)
	return app.CompanyInput{Name: given(cmd, "name", f.name), Domain: given(cmd, "domain", f.domain), Properties: properties}, err
}
