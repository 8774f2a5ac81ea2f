package cli

import (
	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newContactsCmd(env *Env) *cobra.Command {
	cmd := noun("contacts", "Contacts: people known by e-mail address",
		`  portalctl contacts add --email ann@example.com --name "Ann Lee" --company Acme
  portalctl contacts list --search lee`,
		newContactsAddCmd(env),
		newContactsListCmd(env),
		newContactsShowCmd(env),
		newContactsSetCmd(env),
		newContactsResetFactorCmd(env),
		newContactsRemoveCmd(env),
		newContactsEraseCmd(env),
		newContactsImportCmd(env),
		newContactsExportCmd(env),
	)
	cmd.Aliases = []string{"contact"}
	return cmd
}

const contactQuestion, contactPass = "Which contact? E-mail address:", "the contact's e-mail address as an argument"

var contactColumns = []output.Column{
	{Name: "email", Head: "E-mail", Keep: true},
	{Name: "name", Head: "Name"},
	{Name: "company", Head: "Company"},
	{Name: "language", Head: "Language", Spare: true},
	{Name: "companies"},
	{Name: "member_email"},
	{Name: "time_zone"},
	{Name: "properties"},
	{Name: "external_id"},
	{Name: "created_at", Head: "Added", Spare: true},
	{Name: "updated_at"},
}

func contactRow(c *app.ContactRow) []any {
	return []any{
		c.Email, c.Name, c.PrimaryName, c.Language, c.CompanyNames, c.MemberEmail, c.TimeZone, c.Properties,
		c.ExternalID, c.CreatedAt, c.UpdatedAt,
	}
}

// contactFlags are the flags that say something about a contact.
type contactFlags struct {
	email, name, memberEmail, language, timeZone, primary string
	notify                                                string
	companies, properties                                 []string
}

func (f *contactFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.email, "email", "", "e-mail address")
	flags.StringVar(&f.name, "name", "", "name")
	flags.StringVar(&f.memberEmail, "member-email", "", "where registration mail goes, if not to --email")
	flags.StringVar(&f.language, "language", "", "en or sv; the portal's if not given")
	flags.StringVar(&f.timeZone, "time-zone", "", "such as Europe/Stockholm; the portal's if not given")
	flags.StringVar(&f.notify, "notify", "", "of what they hear by mail: all, mine (tickets they opened), digest (once a day) or none")
	choices(cmd, "notify", "all", "mine", "digest", "none")
	flags.StringArrayVar(&f.companies, "company", nil, "a company by name or domain (repeatable; the first is primary)")
	flags.StringVar(&f.primary, "primary-company", "", "the primary company, if it is not the first")
	flags.StringArrayVar(&f.properties, "property", nil, "a custom property, KEY=VALUE (repeatable)")
}

// input is what the flags say; what was not given stays as it is.
func (f *contactFlags) input(cmd *cobra.Command) (app.ContactInput, error) {
	properties, err := pairs(f.properties)
	if err != nil {
		return app.ContactInput{}, err
	}
	notify, err := parsed(given(cmd, "notify", f.notify), portal.ParseContactNotify)
	return app.ContactInput{
		Email: given(cmd, "email", f.email), Name: given(cmd, "name", f.name),
		MemberEmail: given(cmd, "member-email", f.memberEmail),
		Language:    given(cmd, "language", f.language), TimeZone: given(cmd, "time-zone", f.timeZone),
		Companies: given(cmd, "company", f.companies), Primary: given(cmd, "primary-company", f.primary),
		Properties: properties, Notify: notify,
	}, err
}
