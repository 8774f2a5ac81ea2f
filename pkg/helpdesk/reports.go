package helpdesk

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// reportsPage tells what became of the tickets of the agent's inboxes.
type reportsPage struct {
	*view
	*page.Form
	Report  *portal.Report
	Bys     []page.Option
	Inboxes []page.Option // none: there is one inbox only
	Periods []reportPeriod
	Facts   []reportFact
	Charts  []reportChart
	Rows    []reportRow
	Total   reportRow
	CSV     templ.SafeURL
}

// reportPeriod is a span one click away.
type reportPeriod struct {
	Label   string
	URL     templ.SafeURL
	Current bool
}

// reportFact is one figure at the top.
type reportFact struct{ Label, Value, Hint string }

// reportChart is a drawing with the words for its series.
type reportChart struct {
	Heading string
	Chart   chart
}

// reportRow is a row in words.
type reportRow struct {
	Name                                         string
	URL                                          templ.SafeURL // "" for what leads nowhere
	Opened, Closed                               string
	FirstAnswer, Resolution, Most, InTime, Stars string
	Share                                        string // of the largest row, in percent
}

// reportWeeks are the spans that are one click away.
var reportWeeks = []int{4, 12, 52}

// reportQuery reads what is asked for. Days are those of the reader's zone;
// the last one is included.
func reportQuery(v *view, r *http.Request) (q app.ReportQuery, f *page.Form, err error) {
	given := r.URL.Query()
	today := v.Now.In(v.Zone)
	q.Zone, q.Week, q.By = v.Zone, v.WeekStart(), portal.ReportByWeek
	if by := given.Get("by"); by != "" {
		if q.By, err = portal.ParseReportBy(by); err != nil {
			return q, nil, err
		}
	}
	weeks := 12
	if n, err := strconv.Atoi(given.Get("weeks")); err == nil && n > 0 && n <= 104 {
		weeks = n
	}
	q.From = portal.WeekStart(today, q.Week).AddDate(0, 0, -7*(weeks-1))
	last := time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, v.Zone)
	if day, err := time.ParseInLocation(time.DateOnly, given.Get("from"), v.Zone); err == nil {
		q.From = day
	}
	if day, err := time.ParseInLocation(time.DateOnly, given.Get("to"), v.Zone); err == nil {
		last = day
	}
	q.To = last.AddDate(0, 0, 1)
	if id, err := strconv.ParseInt(given.Get("inbox"), 10, 64); err == nil && id > 0 {
		q.InboxID = portal.InboxID(id)
	}
	return q, page.Filled(map[string]string{
		"by": string(q.By), "from": q.From.Format(time.DateOnly), "to": last.Format(time.DateOnly), "inbox": given.Get("inbox"),
	}), nil
}

func (s *Server) reports(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(w, r, "reports.title")
	if err != nil {
		return err
	}
	v.Nav = "reports"
	q, f, err := reportQuery(v, r)
	if err != nil {
		return err
	}
	p := &reportsPage{view: v, Form: f}
	status := http.StatusOK
	if p.Report, err = s.app.Report(r.Context(), &v.Visit.Viewer, q); err != nil {
		if portal.KindOf(err) != portal.Invalid {
			return err
		}
		// The dates come back as they were chosen, with what is wrong with them.
		p.Refuse(w, r, v.Printer, func(field string) string { return v.T("reports." + field) }, err, "from", "to")
		p.Report, status = &portal.Report{By: q.By, From: q.From, To: q.To}, p.Status
	}
	p.fill(q)
	return page.Render(w, r, status, reportsView(p))
}

func (p *reportsPage) fill(q app.ReportQuery) {
	for _, by := range portal.ReportBys {
		p.Bys = append(p.Bys, page.Option{Value: string(by), Label: p.T("reports.by." + string(by)), Chosen: by == q.By})
	}
	if len(p.Frame.Inboxes) > 1 {
		p.Inboxes = []page.Option{{Value: "", Label: p.T("reports.every_inbox"), Chosen: q.InboxID == 0}}
		for _, i := range p.Frame.Inboxes {
			p.Inboxes = append(p.Inboxes, page.Option{Value: strconv.FormatInt(int64(i.ID), 10), Label: i.Name, Chosen: i.ID == q.InboxID})
		}
	}
	given := url.Values{"by": {string(q.By)}}
	if q.InboxID != 0 {
		given.Set("inbox", strconv.FormatInt(int64(q.InboxID), 10))
	}
	week := portal.WeekStart(p.Now.In(p.Zone), q.Week)
	for _, n := range reportWeeks {
		given.Set("weeks", strconv.Itoa(n))
		p.Periods = append(p.Periods, reportPeriod{
			Label: p.N("reports.weeks", n), URL: templ.SafeURL(p.Base + "/reports?" + given.Encode()),
			Current: q.From.Equal(week.AddDate(0, 0, -7*(n-1))) && q.To.After(p.Now),
		})
	}
	given.Del("weeks")
	given.Set("from", p.Value("from"))
	given.Set("to", p.Value("to"))
	p.CSV = templ.SafeURL(p.Base + "/reports.csv?" + given.Encode())
	p.facts()
	if q.By == portal.ReportByWeek {
		p.charts()
	}
	p.rows()
}

// facts are the figures of the whole time.
func (p *reportsPage) facts() {
	t := &p.Report.Total
	p.Facts = []reportFact{
		{Label: p.T("reports.opened"), Value: p.Number(t.Opened)},
		{Label: p.T("reports.closed"), Value: p.Number(t.Closed)},
		{Label: p.T("reports.first_answer"), Value: p.took(t.FirstAnswer.Median, t.Answered), Hint: p.most(t.FirstAnswer, t.Answered)},
		{Label: p.T("reports.resolution"), Value: p.took(t.Resolution.Median, t.Closed), Hint: p.most(t.Resolution, t.Closed)},
	}
	if t.AnswerTarget.Of+t.ResolveTarget.Of > 0 {
		p.Facts = append(p.Facts, reportFact{Label: p.T("reports.in_time"), Value: p.inTime(t), Hint: p.T("reports.in_time_hint")})
	}
	if t.Rated > 0 {
		p.Facts = append(p.Facts, reportFact{Label: p.T("reports.rating"), Value: p.stars(t), Hint: p.N("reports.rated", t.Rated)})
	}
}

// most says how long nine in ten took.
func (p *reportsPage) most(s portal.Spread, n int) string {
	if n == 0 {
		return ""
	}
	return p.T("reports.most", "Time", p.took(s.Most, n))
}

// took is a span as people say it; a dash for nothing to tell.
func (p *reportsPage) took(d time.Duration, n int) string {
	switch {
	case n == 0:
		return "–"
	case d < 90*time.Minute:
		return p.Duration(max(d.Round(time.Minute), time.Minute))
	case d < 48*time.Hour:
		return p.Duration(d.Round(time.Hour))
	}
	return p.Duration(d.Round(24 * time.Hour))
}

func (p *reportsPage) inTime(r *portal.ReportRow) string {
	both := portal.Share{Of: r.AnswerTarget.Of + r.ResolveTarget.Of, Met: r.AnswerTarget.Met + r.ResolveTarget.Met}
	if percent, ok := both.Percent(); ok {
		return p.T("reports.percent", "Percent", percent)
	}
	return "–"
}

func (p *reportsPage) stars(r *portal.ReportRow) string {
	if r.Rated == 0 {
		return "–"
	}
	return p.T("reports.stars", "Stars", p.tenths(r.Stars))
}

// tenths is a number with one digit behind the mark, as the language writes it.
func (p *reportsPage) tenths(f float64) string {
	n := int(f*10 + 0.5)
	return p.T("reports.tenths", "Whole", n/10, "Tenth", n%10)
}

func (p *reportsPage) charts() {
	n := len(p.Report.Rows)
	labels, full := make([]string, n), make([]string, n)
	opened, closed, answer, resolved, stars := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range p.Report.Rows {
		r := &p.Report.Rows[i]
		labels[i], full[i] = p.DayMonth(r.Start), p.T("reports.week_of", "Date", p.Date(r.Start))
		opened[i], closed[i], stars[i] = float64(r.Opened), float64(r.Closed), r.Stars
		answer[i], resolved[i] = r.FirstAnswer.Median.Hours(), r.Resolution.Median.Hours()
	}
	count := func(f float64) string { return p.Number(int(f + 0.5)) }
	hours := func(f float64) string {
		if f == 0 {
			return "0"
		}
		return p.took(time.Duration(f*float64(time.Hour)), 1)
	}
	p.chart("volume", chart{Words: count, Labels: labels, Full: full, Series: []series{{p.T("reports.opened"), opened}, {p.T("reports.closed"), closed}}})
	p.chart("first_answer", chart{Words: hours, Labels: labels, Full: full, Series: []series{{p.T("reports.first_answer"), answer}}})
	p.chart("resolution", chart{Words: hours, Labels: labels, Full: full, Series: []series{{p.T("reports.resolution"), resolved}}})
	p.chart("rating", chart{Words: p.tenths, Labels: labels, Full: full, Top: portal.MostStars, Series: []series{{p.T("reports.rating"), stars}}})
}

// chart adds a drawing, unless there is nothing to draw.
func (p *reportsPage) chart(name string, c chart) {
	if !slices.ContainsFunc(c.Series, func(s series) bool { return slices.Max(s.Values) > 0 }) {
		return
	}
	c.Mirrored = p.Dir() == "rtl"
	c.ID, c.Title = "chart-"+name, p.T("reports.chart."+name)
	p.Charts = append(p.Charts, reportChart{Heading: c.Title, Chart: c})
}

func (p *reportsPage) rows() {
	largest := 0
	for _, r := range p.Report.Rows {
		largest = max(largest, r.Opened)
	}
	for i := range p.Report.Rows {
		r := &p.Report.Rows[i]
		row := p.row(r)
		row.Name, row.Share = p.rowName(r), strconv.Itoa(share(float64(r.Opened), float64(largest)))
		if p.Report.By == portal.ReportByInbox {
			row.URL = p.inboxURL(portal.InboxID(r.ID))
		}
		p.Rows = append(p.Rows, row)
	}
	p.Total = p.row(&p.Report.Total)
	p.Total.Name = p.T("reports.total")
}

func (p *reportsPage) row(r *portal.ReportRow) reportRow {
	return reportRow{
		Opened: p.Number(r.Opened), Closed: p.Number(r.Closed), FirstAnswer: p.took(r.FirstAnswer.Median, r.Answered),
		Most: p.took(r.FirstAnswer.Most, r.Answered), Resolution: p.took(r.Resolution.Median, r.Closed), InTime: p.inTime(r), Stars: p.stars(r),
	}
}

func (p *reportsPage) rowName(r *portal.ReportRow) string {
	switch {
	case p.Report.By == portal.ReportByWeek:
		return p.T("reports.week_of", "Date", p.DateShort(r.Start))
	case r.Name != "":
		return r.Name
	case p.Report.By == portal.ReportByAgent:
		return p.T("tickets.unassigned")
	}
	return p.T("reports.none")
}

// reportsCSV is the same as a file. The mark in front tells spreadsheets that
// it is UTF-8.
func (s *Server) reportsCSV(w http.ResponseWriter, r *http.Request) error {
	v := s.bareView(w, r, "")
	q, _, err := reportQuery(v, r)
	if err != nil {
		return err
	}
	report, err := s.app.Report(r.Context(), &v.Visit.Viewer, q)
	if err != nil {
		return err
	}
	b := page.Buffer()
	defer page.Release(b)
	b.WriteString("\ufeff")
	out := csv.NewWriter(b)
	p := &reportsPage{view: v, Report: report}
	records := [][]string{{
		p.T("reports.by." + string(q.By)), p.T("reports.opened"), p.T("reports.answered"), p.T("reports.closed"), p.T("reports.first_answer_minutes"),
		p.T("reports.first_answer_most_minutes"), p.T("reports.resolution_minutes"), p.T("reports.targets"), p.T("reports.targets_met"),
		p.T("reports.rated_count"), p.T("reports.rating"),
	}}
	for i := range report.Rows {
		records = append(records, p.record(&report.Rows[i]))
	}
	if err := out.WriteAll(records); err != nil {
		return err
	}
	name := fmt.Sprintf("report-%s-%s.csv", q.By, q.From.Format(time.DateOnly))
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes()) // the agent may be gone
	}
	return nil
}

func (p *reportsPage) record(r *portal.ReportRow) []string {
	name := p.rowName(r)
	if p.Report.By == portal.ReportByWeek {
		name = r.Start.Format(time.DateOnly)
	}
	minutes := func(d time.Duration, n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(int(d.Round(time.Minute).Minutes()))
	}
	stars := ""
	if r.Rated > 0 {
		stars = strconv.FormatFloat(r.Stars, 'f', 2, 64)
	}
	return []string{
		page.CSVCell(name), strconv.Itoa(r.Opened), strconv.Itoa(r.Answered), strconv.Itoa(r.Closed), minutes(r.FirstAnswer.Median, r.Answered),
		minutes(r.FirstAnswer.Most, r.Answered), minutes(r.Resolution.Median, r.Closed), strconv.Itoa(r.AnswerTarget.Of + r.ResolveTarget.Of),
		strconv.Itoa(r.AnswerTarget.Met + r.ResolveTarget.Met), strconv.Itoa(r.Rated), stars,
	}
}
