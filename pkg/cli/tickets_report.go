package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

type ticketsReportOptions struct {
	By, Inbox, From, To, Chart string
}

func newTicketsReportCmd(env *Env) *cobra.Command {
	var opts ticketsReportOptions
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Volume, first answers, resolution and ratings",
		Long: `Tell what became of tickets: how many were opened, answered and closed, how long
first answers and closing took, how many targets were met, and how customers
rated it. Each thing counts in the week it happened, from Monday on. "Half" is
the median; nine in ten took no longer than "most". Without --from: the last
twelve weeks.`,
		Example: `  portalctl tickets report
  portalctl tickets report --by agent --from 30d --chart first_answer
  portalctl tickets report --by company --from 2026-01-01 --to 2026-03-31 --output csv`,
		Args: upTo(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runTicketsReport(cmd.Context(), env, opts) },
	}
	f := cmd.Flags()
	f.StringVar(&opts.By, "by", string(portal.ReportByWeek), "week, inbox, company or agent")
	f.StringVar(&opts.Inbox, "inbox", "", "only tickets of an inbox, by name or address")
	f.StringVar(&opts.From, "from", "", "from, such as 2026-01-31 or 90d")
	f.StringVar(&opts.To, "to", "", "until, that day included")
	f.StringVar(&opts.Chart, "chart", chartOpened, "what the bars show: "+strings.Join(chartNames, ", "))
	return cmd
}

// What the bars beside a report can show.
const chartOpened = "opened"

var chartNames = []string{chartOpened, "closed", "first_answer", "resolution", "rating"}

// charted is what a bar of a row shows.
func charted(chart string, r *portal.ReportRow) float64 {
	switch chart {
	case "closed":
		return float64(r.Closed)
	case "first_answer":
		return r.FirstAnswer.Median.Hours()
	case "resolution":
		return r.Resolution.Median.Hours()
	case "rating":
		return r.Stars
	}
	return float64(r.Opened)
}

func (o *ticketsReportOptions) query(env *Env) (q app.ReportQuery, err error) {
	var problems [4]error
	q.Zone, q.Week, q.Inbox = time.Local, time.Monday, strings.TrimSpace(o.Inbox)
	q.By, problems[0] = portal.ParseReportBy(o.By)
	q.From, problems[1] = env.moment("from", o.From, false)
	q.To, problems[2] = env.moment("to", o.To, true)
	if !slices.Contains(chartNames, o.Chart) {
		problems[3] = portal.Invalidf("report.chart", "chart", "%q is nothing bars can show; use %s", o.Chart, strings.Join(chartNames, ", "))
	}
	return q, errors.Join(problems[:]...)
}

func runTicketsReport(ctx context.Context, env *Env, opts ticketsReportOptions) error {
	q, err := opts.query(env)
	if err != nil {
		return err
	}
	return env.withApp(ctx, func(a *app.App) error {
		r, err := a.OperatorReport(ctx, q)
		if err != nil {
			return err
		}
		switch env.Config.Output {
		case output.JSON:
			return env.Printer().JSON(newReportJSON(r))
		case output.CSV:
			return env.Printer().List(reportCSV, reportRecords(r), "")
		}
		return env.Printer().List(reportColumns(r.By, opts.Chart), reportTable(r, opts.Chart), "no tickets in this time")
	})
}

func reportColumns(by portal.ReportBy, chart string) []output.Column {
	head := map[portal.ReportBy]string{
		portal.ReportByWeek: "Week of", portal.ReportByInbox: "Inbox", portal.ReportByCompany: "Company", portal.ReportByAgent: "Agent",
	}[by]
	bars := map[string]string{
		chartOpened: "Opened", "closed": "Closed", "first_answer": "First answer, half", "resolution": "Resolution, half", "rating": "Rating",
	}[chart]
	return []output.Column{
		{Name: "name", Head: head, Keep: by == portal.ReportByWeek},
		{Name: "opened", Head: "Opened", Keep: true},
		{Name: "closed", Head: "Closed", Keep: true},
		{Name: "first_answer", Head: "First answer", Keep: true},
		{Name: "resolution", Head: "Resolution", Keep: true},
		{Name: "rating", Head: "Rating", Keep: true},
		{Name: "chart", Head: bars, Keep: true},
		{Name: "targets", Head: "In time", Keep: true, Spare: true},
		{Name: "most", Head: "Most first answers", Keep: true, Spare: true},
	}
}

// reportTable are a report's rows as people read them, the total last.
func reportTable(r *portal.Report, chart string) [][]any {
	if r.Total.Opened == 0 && r.Total.Closed == 0 && r.Total.Rated == 0 {
		return nil
	}
	longest := 0.0
	for i := range r.Rows {
		longest = max(longest, charted(chart, &r.Rows[i]))
	}
	if chart == "rating" {
		longest = portal.MostStars
	}
	var rows [][]any
	for i := range r.Rows {
		row := &r.Rows[i]
		rows = append(rows, reportLine(rowName(r.By, row), row, bar(charted(chart, row), longest)))
	}
	return append(rows, reportLine("in all", &r.Total, ""))
}

func reportLine(name string, r *portal.ReportRow, bar string) []any {
	rating := ""
	if r.Rated > 0 {
		rating = fmt.Sprintf("%.1f (%d)", r.Stars, r.Rated)
	}
	targets := ""
	if percent, ok := (portal.Share{Of: r.AnswerTarget.Of + r.ResolveTarget.Of, Met: r.AnswerTarget.Met + r.ResolveTarget.Met}).Percent(); ok {
		targets = fmt.Sprintf("%d %%", percent)
	}
	return []any{name, r.Opened, r.Closed, spoken(r.FirstAnswer.Median), spoken(r.Resolution.Median), rating, bar, targets, spoken(r.FirstAnswer.Most)}
}

func rowName(by portal.ReportBy, r *portal.ReportRow) string {
	switch {
	case by == portal.ReportByWeek:
		return r.Start.Format(time.DateOnly)
	case r.Name != "":
		return r.Name
	case by == portal.ReportByAgent:
		return "(nobody)"
	}
	return "(none)"
}

// spoken is a duration with its two largest units: 3 d 4 h.
func spoken(d time.Duration) string {
	minutes := int(d.Round(time.Minute).Minutes())
	days, hours, minutes := minutes/(24*60), minutes/60%24, minutes%60
	switch {
	case d <= 0:
		return ""
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	}
	return fmt.Sprintf("%d min", max(minutes, 1))
}

// barWidth is how many letters the longest bar has.
const barWidth = 16

// bar draws a value in eighths of a letter.
func bar(value, longest float64) string {
	if value <= 0 || longest <= 0 {
		return ""
	}
	eighths := max(int(value/longest*barWidth*8+0.5), 1)
	s := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		s += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return s
}

// reportJSON is a report as scripts read it. Durations are whole seconds; what
// is not known is null.
type reportJSON struct {
	From  time.Time       `json:"from"`
	To    time.Time       `json:"to"`
	By    portal.ReportBy `json:"by"`
	Rows  []reportRowJSON `json:"rows"`
	Total reportRowJSON   `json:"total"`
}

type reportRowJSON struct {
	Week          string   `json:"week,omitempty"` // the Monday it begins with
	Name          string   `json:"name,omitempty"`
	Opened        int      `json:"opened"`
	Answered      int      `json:"answered"`
	Closed        int      `json:"closed"`
	FirstAnswer   *int64   `json:"first_answer_median_seconds"`
	FirstAnswer90 *int64   `json:"first_answer_p90_seconds"`
	Resolution    *int64   `json:"resolution_median_seconds"`
	Resolution90  *int64   `json:"resolution_p90_seconds"`
	AnswerTargets int      `json:"answer_targets"`
	AnswersMet    int      `json:"answer_targets_met"`
	Resolves      int      `json:"resolve_targets"`
	ResolvesMet   int      `json:"resolve_targets_met"`
	Rated         int      `json:"rated"`
	Rating        *float64 `json:"rating"`
}

func newReportJSON(r *portal.Report) reportJSON {
	j := reportJSON{From: r.From.UTC(), To: r.To.UTC(), By: r.By, Rows: []reportRowJSON{}, Total: newReportRowJSON(r.By, &r.Total)}
	j.Total.Week, j.Total.Name = "", ""
	for i := range r.Rows {
		j.Rows = append(j.Rows, newReportRowJSON(r.By, &r.Rows[i]))
	}
	return j
}

func newReportRowJSON(by portal.ReportBy, r *portal.ReportRow) reportRowJSON {
	j := reportRowJSON{
		Name: r.Name, Opened: r.Opened, Answered: r.Answered, Closed: r.Closed,
		AnswerTargets: r.AnswerTarget.Of, AnswersMet: r.AnswerTarget.Met, Resolves: r.ResolveTarget.Of, ResolvesMet: r.ResolveTarget.Met,
		Rated: r.Rated,
	}
	if by == portal.ReportByWeek {
		j.Week = r.Start.Format(time.DateOnly)
	}
	if r.Answered > 0 {
		j.FirstAnswer, j.FirstAnswer90 = seconds(r.FirstAnswer.Median), seconds(r.FirstAnswer.Most)
	}
	if r.Closed > 0 {
		j.Resolution, j.Resolution90 = seconds(r.Resolution.Median), seconds(r.Resolution.Most)
	}
	if r.Rated > 0 {
		j.Rating = &r.Stars
	}
	return j
}

func seconds(d time.Duration) *int64 {
	s := int64(d / time.Second)
	return &s
}

var reportCSV = []output.Column{
	{Name: "week"},
	{Name: "name"},
	{Name: "opened"},
	{Name: "answered"},
	{Name: "closed"},
	{Name: "first_answer_median_seconds"},
	{Name: "first_answer_p90_seconds"},
	{Name: "resolution_median_seconds"},
	{Name: "resolution_p90_seconds"},
	{Name: "answer_targets"},
	{Name: "answer_targets_met"},
	{Name: "resolve_targets"},
	{Name: "resolve_targets_met"},
	{Name: "rated"},
	{Name: "rating"},
}

func reportRecords(r *portal.Report) [][]any {
	var rows [][]any
	for i := range r.Rows {
		j := newReportRowJSON(r.By, &r.Rows[i])
		rows = append(rows, []any{
			j.Week, j.Name, j.Opened, j.Answered, j.Closed, known(j.FirstAnswer), known(j.FirstAnswer90), known(j.Resolution), known(j.Resolution90),
			j.AnswerTargets, j.AnswersMet, j.Resolves, j.ResolvesMet, j.Rated, known(j.Rating),
		})
	}
	return rows
}

// known is a value, or nothing.
func known[T any](v *T) any {
	if v == nil {
		return nil
	}
	return *v
}
