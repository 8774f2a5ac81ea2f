package app

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// ReportQuery is what somebody asked a report for.
type ReportQuery struct {
	From, To time.Time // [From, To); zero: the last twelve weeks, this one included
	By       portal.ReportBy
	Inbox    string         // by name or address; "": every one
	InboxID  portal.InboxID // or by number
	Zone     *time.Location // in which weeks begin; nil: UTC
	// Week is the day they begin with where the reader lives: Sunday when it
	// is not set, so whoever has no reader says Monday (ISO 8601).
	Week time.Weekday
}

// reportWeeks are told of when nothing else is asked for.
const reportWeeks = 12

// settle fills in what was not asked for and checks the rest.
func (q *ReportQuery) settle(now time.Time) error {
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	if q.By == "" {
		q.By = portal.ReportByWeek
	}
	if q.To.IsZero() {
		q.To = now
	}
	if q.From.IsZero() {
		q.From = portal.WeekStart(q.To.In(q.Zone), q.Week).AddDate(0, 0, -7*(reportWeeks-1))
	}
	if !q.From.Before(q.To) {
		return portal.Invalidf("report.range", "from", "the report ends before it begins: from %s to %s", q.From.In(q.Zone).Format(time.DateOnly), q.To.In(q.Zone).Format(time.DateOnly)).
			WithHint("give --from the earlier day")
	}
	if q.To.Sub(q.From) > portal.MaxReport {
		return portal.Invalidf("report.long", "from", "a report tells of two years at most, not of the time from %s to %s", q.From.In(q.Zone).Format(time.DateOnly), q.To.In(q.Zone).Format(time.DateOnly)).
			WithHint("ask for a shorter time")
	}
	return nil
}

// Report tells what became of the tickets a viewer sees in a time.
func (a *App) Report(ctx context.Context, viewer *portal.Viewer, q ReportQuery) (r *portal.Report, err error) {
	if err := q.settle(a.now()); err != nil {
		return nil, err
	}
	err = a.store.Read(ctx, func(tx *store.Tx) error {
		if q.Inbox != "" {
			inbox, err := tx.InboxByName(ctx, q.Inbox)
			if err != nil {
				return err
			}
			q.InboxID = inbox.ID
		}
		b := &reporter{Report: portal.Report{From: q.From, To: q.To, By: q.By}, zone: q.Zone, first: q.Week, at: map[int64]int{}}
		b.weeks()
		f := store.FactFilter{From: q.From, To: q.To, Inbox: q.InboxID}
		for _, kind := range []store.FactKind{store.FactOpened, store.FactClosed, store.FactRated} {
			if err := tx.TicketFacts(ctx, viewer, kind, f, b.add); err != nil {
				return err
			}
		}
		if err := b.name(ctx, tx); err != nil {
			return err
		}
		for i := range b.Rows {
			b.Rows[i].Settle()
		}
		b.Total.Settle()
		if q.By != portal.ReportByWeek {
			b.SortByVolume()
		}
		r = &b.Report
		return nil
	})
	return r, err
}

// OperatorReport is the report of a command, which tells of every inbox.
func (a *App) OperatorReport(ctx context.Context, q ReportQuery) (*portal.Report, error) {
	v := operatorViewer()
	return a.Report(ctx, &v, q)
}

// reporter counts facts into the rows of a report.
type reporter struct {
	portal.Report
	zone  *time.Location
	first time.Weekday
	at    map[int64]int // the row of an id, or of the Unix time a week begins
	week  struct {      // the last one a fact fell into: facts come in their order
		from, to time.Time
		row      int
	}
}

// weeks makes a row of each week, so that those in which nothing happened
// show.
func (b *reporter) weeks() {
	if b.By != portal.ReportByWeek {
		return
	}
	for start := portal.WeekStart(b.From.In(b.zone), b.first); start.Before(b.To); start = start.AddDate(0, 0, 7) {
		b.at[start.Unix()] = len(b.Rows)
		b.Rows = append(b.Rows, portal.ReportRow{Start: start})
	}
}

func (b *reporter) add(f *store.TicketFact) {
	b.count(&b.Total, f)
	b.count(&b.Rows[b.row(f)], f)
}

// row is the row a fact belongs to, made when it is the first of its kind.
func (b *reporter) row(f *store.TicketFact) int {
	var id int64
	switch b.By {
	case portal.ReportByInbox:
		id = int64(f.Inbox)
	case portal.ReportByCompany:
		id = int64(f.Company)
	case portal.ReportByAgent:
		id = int64(f.Agent)
	default:
		if f.At.Before(b.week.from) || !f.At.Before(b.week.to) {
			start := portal.WeekStart(f.At.In(b.zone), b.first)
			b.week.from, b.week.to, b.week.row = start, start.AddDate(0, 0, 7), b.at[start.Unix()]
		}
		return b.week.row
	}
	row, ok := b.at[id]
	if !ok {
		row = len(b.Rows)
		b.at[id] = row
		b.Rows = append(b.Rows, portal.ReportRow{ID: id})
	}
	return row
}

func (b *reporter) count(r *portal.ReportRow, f *store.TicketFact) {
	switch f.Kind {
	case store.FactOpened:
		r.Opened++
		if f.Answered {
			r.Answered++
			r.FirstAnswer.Add(f.Took)
		}
		if f.Target {
			r.AnswerTarget.Add(f.Met)
		}
	case store.FactClosed:
		r.Closed++
		r.Resolution.Add(f.Took)
		if f.Target {
			r.ResolveTarget.Add(f.Met)
		}
	case store.FactRated:
		r.Rate(f.Stars)
	}
}

// name finds out what the rows are called.
func (b *reporter) name(ctx context.Context, tx *store.Tx) error {
	names := map[int64]string{}
	switch b.By {
	case portal.ReportByInbox:
		list, err := tx.Inboxes(ctx)
		if err != nil {
			return err
		}
		for _, i := range list {
			names[int64(i.ID)] = i.Name
		}
	case portal.ReportByAgent:
		list, err := tx.Agents(ctx)
		if err != nil {
			return err
		}
		for _, g := range list {
			names[int64(g.ID)] = g.Name
		}
	case portal.ReportByCompany:
		for _, r := range b.Rows {
			if r.ID == 0 {
				continue
			}
			c, err := tx.Company(ctx, portal.CompanyID(r.ID))
			if err != nil {
				return err
			}
			names[r.ID] = c.Name
		}
	}
	for i := range b.Rows {
		b.Rows[i].Name = names[b.Rows[i].ID]
	}
	return nil
}
