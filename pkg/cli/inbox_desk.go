package cli

import (
	"context"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

// inboxDeskFlags are the settings of how an inbox's tickets are worked on.
type inboxDeskFlags struct {
	hours, zone, holidays, assign string
	targets, companies            []string
}

func (v *inboxDeskFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&v.hours, "hours", "", "when the desk works, such as `\"mon-fri 09:00-17:00\"`; always: round the clock")
	f.StringVar(&v.zone, "time-zone", "", "the time zone of the hours, such as Europe/Stockholm")
	f.StringVar(&v.holidays, "holidays", "", "dates on which it is closed, with commas, or a `FILE` with one a line; none: no holidays")
	f.StringArrayVar(&v.targets, "target", nil, "how soon tickets of a priority are answered first and closed, in its hours: `urgent=1h/8h`, low=none (repeatable)")
	f.StringVar(&v.assign, "assign", "", "who gets new tickets: none, round-robin (whose turn was longest ago) or least-open")
	f.StringArrayVar(&v.companies, "assign-company", nil, "whose the tickets of a company are, first of all: `Acme=ana@example.com`, Acme=nobody (repeatable)")
	choices(cmd, "assign", "none", "round-robin", "least-open")
}

// changes reads the flags; nil when none was given.
func (v *inboxDeskFlags) changes(cmd *cobra.Command, env *Env) (*app.DeskChanges, error) {
	c := app.DeskChanges{
		Hours: given(cmd, "hours", v.hours), TimeZone: given(cmd, "time-zone", v.zone), Assign: given(cmd, "assign", v.assign),
		Targets: v.targets, AssignCompany: v.companies,
	}
	if cmd.Flags().Changed("holidays") {
		dates, err := env.holidays(v.holidays)
		if err != nil {
			return nil, err
		}
		c.Holidays = &dates
	}
	if c.Hours == nil && c.TimeZone == nil && c.Assign == nil && c.Holidays == nil && len(c.Targets)+len(c.AssignCompany) == 0 {
		return nil, nil
	}
	return &c, nil
}

// holidays are dates on the command line, or what a file holds.
func (e *Env) holidays(s string) (string, error) {
	if none(s) {
		return "", nil
	}
	if _, err := portal.ParseHolidays(s); err == nil {
		return s, nil
	}
	if _, err := os.Stat(s); err != nil && s != "-" && strings.Trim(s, "0123456789-,; ") == "" {
		return s, nil // dates that are none: the rule says which
	}
	file, err := e.open("holidays", s)
	if err != nil {
		return "", err
	}
	defer file.Close()
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return "", fileError("holidays", s, err)
	}
	return string(text), nil
}

var inboxDeskColumns = []output.Column{
	{Name: "hours", Head: "Hours"},
	{Name: "time_zone", Head: "Time zone"},
	{Name: "holidays", Head: "Holidays"},
	{Name: "targets", Head: "Targets"},
	{Name: "assign", Head: "New tickets go"},
	{Name: "assign_company", Head: "By company"},
}

// inboxSheet is an inbox with how mail gets in and how its tickets are worked
// on.
func inboxSheet(ctx context.Context, a *app.App, i *portal.Inbox, portals []portal.Portal) (columns []output.Column, row []any, err error) {
	companies, err := a.CompanyAgents(ctx, i)
	if err != nil {
		return nil, nil, err
	}
	d := &i.Desk
	zone := d.Hours.Zone
	if zone == "" {
		zone = "UTC"
	}
	columns = append(append(columns, inboxShowColumns...), inboxDeskColumns...)
	row = append(inboxShowRow(i, portals), portal.FormatWeek(d.Hours.Week), zone, append([]string{}, d.Hours.Holidays...),
		d.FormatTargets(), d.Assign.String(), append([]string{}, companies...))
	return columns, row, nil
}
