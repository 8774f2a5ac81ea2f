package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

func newContactsShowCmd(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:     "show [<e-mail>]",
		Short:   "Show a contact with companies, groups, memberships and tickets",
		Example: "  portalctl contacts show ann@example.com",
		Args:    upTo(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runContactsShow(cmd.Context(), env, firstOf(args))
		},
	}
}

var contactViewColumns = []output.Column{
	{Name: "email", Head: "E-mail"},
	{Name: "name", Head: "Name"},
	{Name: "member_email", Head: "Member e-mail"},
	{Name: "language", Head: "Language"},
	{Name: "time_zone", Head: "Time zone"},
	{Name: "company", Head: "Primary company"},
	{Name: "companies", Head: "Companies"},
	{Name: "groups", Head: "Access groups"},
	{Name: "memberships", Head: "Memberships"},
	{Name: "consents", Head: "Consents"},
	{Name: "authenticator", Head: "App set up"},
	{Name: "notify", Head: "Mail"},
	{Name: "bounced", Head: "Mail comes back"},
	{Name: "tickets", Head: "Tickets opened"},
	{Name: "properties", Head: "Properties"},
	{Name: "external_id", Head: "External id"},
	{Name: "created_at", Head: "Added"},
	{Name: "updated_at", Head: "Changed"},
}

func runContactsShow(ctx context.Context, env *Env, address string) error {
	if err := env.ask(ctx, &address, contactQuestion, contactPass); err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		c, err := a.ShowContact(ctx, address)
		if err != nil {
			return err
		}
		var groups []string
		for _, g := range c.Groups {
			groups = append(groups, g.Name)
		}
		return env.Printer().Object(contactViewColumns, []any{
			c.Email, c.Name, c.MemberEmail, c.Language, c.TimeZone, c.PrimaryName, c.CompanyNames, groups,
			membershipList(c.Memberships),
			consentList(c.Consents),
			c.HasFactor,
			c.Notify.String(), bouncedWhy(&c.Contact),
			count{c.Tickets, c.Capped},
			c.Properties, c.ExternalID, c.CreatedAt, c.UpdatedAt,
		})
	})
}

// bouncedWhy says why mail to a contact's address comes back, or nothing.
func bouncedWhy(c *portal.Contact) string {
	if c.Bounced == "" || c.Bounced != c.Email {
		return ""
	}
	return fmt.Sprintf("since %s: %s", c.BouncedAt.Local().Format(time.DateOnly), c.BouncedWhy)
}

// membershipList is where a contact stands in each portal.
type membershipList []app.Membership

// String tells it to people, a line for each portal.
func (l membershipList) String() string {
	lines := make([]string, len(l))
	for i, m := range l {
		lines[i] = fmt.Sprintf("%s: %s", m.PortalName, m.Status)
		if t := statusSince(&m.Member); !t.IsZero() {
			lines[i] += " since " + t.Local().Format(time.DateOnly)
		}
		if !m.LastSignInAt.IsZero() {
			lines[i] += ", last signed in " + m.LastSignInAt.Local().Format(time.DateOnly)
		}
		if !m.Entry.Allowed {
			lines[i] += " (may not enter: " + m.Entry.Why + ")"
		}
	}
	return strings.Join(lines, "\n")
}

// MarshalJSON tells it to scripts.
func (l membershipList) MarshalJSON() ([]byte, error) {
	type membership struct {
		Portal       string     `json:"portal"`
		Status       string     `json:"status"`
		StatusAt     *time.Time `json:"status_at"`
		LastSignInAt *time.Time `json:"last_sign_in_at"`
		MayEnter     bool       `json:"may_enter"`
		Why          string     `json:"why"`
	}
	all := make([]membership, len(l))
	for i, m := range l {
		all[i] = membership{m.PortalName, string(m.Status), momentJSON(statusSince(&m.Member)), momentJSON(m.LastSignInAt), m.Entry.Allowed, m.Entry.Why}
	}
	return json.Marshal(all)
}

// consentList is what a contact agreed to.
type consentList []portal.Consent

// String tells it to people, a line for each text.
func (l consentList) String() string {
	lines := make([]string, len(l))
	for i, c := range l {
		lines[i] = fmt.Sprintf("%s: version %d (%s) on %s", c.Portal, c.Version, c.Language, c.At.Local().Format(time.DateOnly))
		if !c.WithdrawnAt.IsZero() {
			lines[i] += ", withdrawn on " + c.WithdrawnAt.Local().Format(time.DateOnly)
		}
	}
	return strings.Join(lines, "\n")
}

// MarshalJSON tells it to scripts.
func (l consentList) MarshalJSON() ([]byte, error) {
	type consent struct {
		Portal      string     `json:"portal"`
		Version     int        `json:"version"`
		Language    string     `json:"language"`
		AgreedAt    *time.Time `json:"agreed_at"`
		WithdrawnAt *time.Time `json:"withdrawn_at"`
	}
	all := make([]consent, len(l))
	for i, c := range l {
		all[i] = consent{c.Portal, c.Version, c.Language, momentJSON(c.At), momentJSON(c.WithdrawnAt)}
	}
	return json.Marshal(all)
}

// momentJSON is a time for JSON, null for none.
func momentJSON(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

// count is a number that stops at 1,000. Scripts read the number.
type count struct {
	n      int
	capped bool
}

// String is how people read it.
func (c count) String() string {
	if c.capped {
		return "1,000+"
	}
	return fmt.Sprint(c.n)
}

// MarshalJSON is the number.
func (c count) MarshalJSON() ([]byte, error) { return json.Marshal(c.n) }
