package portal

import (
	"cmp"
	"slices"
	"time"
)

// ReportBy is what the rows of a report stand for.
type ReportBy string

// What a report can be told by.
const (
	ReportByWeek    ReportBy = "week"
	ReportByInbox   ReportBy = "inbox"
	ReportByCompany ReportBy = "company"
	ReportByAgent   ReportBy = "agent"
)

// ReportBys lists them in the order pages offer them.
var ReportBys = []ReportBy{ReportByWeek, ReportByInbox, ReportByCompany, ReportByAgent}

// ParseReportBy reads week, inbox, company or agent.
func ParseReportBy(s string) (ReportBy, error) {
	return oneOf("report.by", "by", "what a report can be told by", s, ReportBys...)
}

// MaxReport is the longest time one report tells of.
const MaxReport = 2 * 366 * 24 * time.Hour

// Report tells what a desk did in a time.
type Report struct {
	From, To time.Time // [From, To)
	By       ReportBy
	Rows     []ReportRow // weeks in order; others by how much was opened, most first
	Total    ReportRow
}

// ReportRow is one week, inbox, company or agent. What was opened, closed and
// rated is counted where it happened: a ticket opened in one week and closed in
// the next counts in both.
type ReportRow struct {
	ID    int64     // of the inbox, company or agent; 0 for none
	Name  string    // of the same; "" for none
	Start time.Time // of the week

	Opened, Answered, Closed int // answered: of those opened
	FirstAnswer, Resolution  Spread
	AnswerTarget             Share // first answers that had a target, and those in time
	ResolveTarget            Share
	Rated                    int
	Stars                    float64 // the mean; 0 when nobody rated
	StarCounts               [MostStars]int

	sum int
}

// Spread is how long things took: half of them at most Median, nine in ten at
// most Most. Both are 0 for no things.
type Spread struct {
	Median, Most time.Duration
	took         []time.Duration
}

// Add counts one more.
func (s *Spread) Add(d time.Duration) { s.took = append(s.took, d) }

func (s *Spread) settle() {
	if n := len(s.took); n > 0 {
		slices.Sort(s.took)
		s.Median, s.Most = s.took[(n-1)/2], s.took[(n*9+9)/10-1]
	}
	s.took = nil
}

// Share is how many of some.
type Share struct{ Of, Met int }

// Percent is the share in whole percent, and false when there is nothing to
// have a share of.
func (s Share) Percent() (int, bool) {
	if s.Of == 0 {
		return 0, false
	}
	return (s.Met*200 + s.Of) / (2 * s.Of), true
}

// Add counts one more.
func (s *Share) Add(met bool) {
	s.Of++
	if met {
		s.Met++
	}
}

// Rate counts one more rating.
func (r *ReportRow) Rate(stars int) {
	r.Rated++
	r.sum += stars
	r.StarCounts[min(max(stars, FewestStars), MostStars)-1]++
}

// Settle works out what needs all of the row's tickets.
func (r *ReportRow) Settle() {
	r.FirstAnswer.settle()
	r.Resolution.settle()
	if r.Rated > 0 {
		r.Stars = float64(r.sum) / float64(r.Rated)
	}
}

// SortByVolume puts the rows with the most tickets first.
func (r *Report) SortByVolume() {
	slices.SortStableFunc(r.Rows, func(a, b ReportRow) int {
		return cmp.Or(cmp.Compare(b.Opened, a.Opened), cmp.Compare(b.Closed, a.Closed), cmp.Compare(a.Name, b.Name))
	})
}

// WeekStart is the midnight in the zone of t with which its week begins, where
// weeks begin on the day first.
func WeekStart(t time.Time, first time.Weekday) time.Time {
	back := (int(t.Weekday()-first) + 7) % 7
	return time.Date(t.Year(), t.Month(), t.Day()-back, 0, 0, 0, 0, t.Location())
}
