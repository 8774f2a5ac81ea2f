package portal

import (
	"fmt"
	"time"
)

// Calendar reckons in the business time of Hours. Make it once for many
// questions; the zero value works round the clock.
type Calendar struct {
	zone     *time.Location // nil: round the clock
	days     [7][]Interval  // none goes beyond its day
	holidays map[date]bool
}

// date is a day on the wall.
type date struct {
	year  int
	month time.Month
	day   int
}

func dateOf(t time.Time) date {
	y, m, d := t.Date()
	return date{y, m, d}
}

func (d date) add(days int) date {
	return dateOf(time.Date(d.year, d.month, d.day+days, 12, 0, 0, 0, time.UTC))
}

func (d date) weekday() time.Weekday {
	return time.Date(d.year, d.month, d.day, 12, 0, 0, 0, time.UTC).Weekday()
}

// Calendar prepares the hours for reckoning; Invalid inbox.time_zone when the
// zone is not known here.
func (h *Hours) Calendar() (*Calendar, error) {
	if h.AlwaysOpen() {
		return &Calendar{}, nil
	}
	zone, err := time.LoadLocation(h.Zone)
	if err != nil {
		return nil, Invalidf("inbox.time_zone", "time-zone", "%q is not a time zone; write it like Europe/Stockholm", h.Zone)
	}
	c := &Calendar{zone: zone, holidays: make(map[date]bool, len(h.Holidays))}
	for d, day := range h.Week {
		for _, i := range day {
			if !i.overnight() {
				c.days[d] = append(c.days[d], i)
				continue
			}
			c.days[d] = append(c.days[d], Interval{i.From, dayMinutes})
			if next := (d + 1) % 7; i.To > 0 {
				c.days[next] = append([]Interval{{0, i.To}}, c.days[next]...)
			}
		}
	}
	for _, s := range h.Holidays {
		day, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return nil, fmt.Errorf("read a holiday: %w", err)
		}
		c.holidays[dateOf(day)] = true
	}
	return c, nil
}

// open are the intervals of a date.
func (c *Calendar) open(d date) []Interval {
	if c.holidays[d] {
		return nil
	}
	return c.days[d.weekday()]
}

// at is when the wall clock shows a time: the first of two such moments when
// the clocks go back, and the moment they go forward for a time they leave
// out. It never decreases as the time on the wall grows, so intervals that
// do not overlap on the wall never overlap.
func (c *Calendar) at(d date, minutes int) time.Time {
	t := time.Date(d.year, d.month, d.day, 0, minutes, 0, 0, c.zone)
	start, end := t.ZoneBounds()
	wanted := time.Date(d.year, d.month, d.day, 0, minutes, 0, 0, time.UTC)
	shown := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	switch {
	case shown.After(wanted):
		return start
	case shown.Before(wanted):
		return end
	case start.IsZero():
		return t
	}
	_, now := t.Zone()
	_, before := start.Add(-time.Nanosecond).Zone()
	if first := t.Add(-time.Duration(before-now) * time.Second); before > now && first.Before(start) {
		return first
	}
	return t
}

// farDays bounds how far a calendar looks for business time: a desk whose
// every day is a holiday has none.
const farDays = 20 * 366

// Add returns when d of business time has passed since t. It is t itself for
// nothing, and the moment of closing rather than of the next opening when both
// would be right.
func (c *Calendar) Add(t time.Time, d time.Duration) time.Time {
	if c.zone == nil || d <= 0 {
		return t.Add(max(d, 0))
	}
	day := dateOf(t.In(c.zone))
	for range farDays {
		for _, i := range c.open(day) {
			from, to := c.at(day, i.From), c.at(day, i.To)
			if from.Before(t) {
				from = t
			}
			left := to.Sub(from)
			if left <= 0 {
				continue
			}
			if d <= left {
				return from.Add(d).In(t.Location())
			}
			d -= left
		}
		day = day.add(1)
	}
	return c.at(day, 0).In(t.Location())
}

// Sub returns when d of business time was still to pass until t: the other
// way than Add. It is t itself for nothing, and the moment of opening rather
// than of the last closing when both would be right.
func (c *Calendar) Sub(t time.Time, d time.Duration) time.Time {
	if c.zone == nil || d <= 0 {
		return t.Add(-max(d, 0))
	}
	day := dateOf(t.In(c.zone))
	for range farDays {
		open := c.open(day)
		for n := len(open) - 1; n >= 0; n-- {
			from, to := c.at(day, open[n].From), c.at(day, open[n].To)
			if to.After(t) {
				to = t
			}
			left := to.Sub(from)
			if left <= 0 {
				continue
			}
			if d <= left {
				return to.Add(-d).In(t.Location())
			}
			d -= left
		}
		day = day.add(-1)
	}
	return c.at(day, 0).In(t.Location())
}

// Between is how much business time lies from a to b; nothing when b is not
// after a. Years without business count no further than farDays.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	if !b.After(a) {
		return 0
	}
	if c.zone == nil {
		return b.Sub(a)
	}
	sum := time.Duration(0)
	day, last := dateOf(a.In(c.zone)), dateOf(b.In(c.zone))
	for range farDays {
		for _, i := range c.open(day) {
			from, to := c.at(day, i.From), c.at(day, i.To)
			if from.Before(a) {
				from = a
			}
			if to.After(b) {
				to = b
			}
			sum += max(to.Sub(from), 0)
		}
		if day == last {
			break
		}
		day = day.add(1)
	}
	return sum
}

// Open reports whether the desk works at t.
func (c *Calendar) Open(t time.Time) bool {
	if c.zone == nil {
		return true
	}
	day := dateOf(t.In(c.zone))
	for _, i := range c.open(day) {
		if !t.Before(c.at(day, i.From)) && t.Before(c.at(day, i.To)) {
			return true
		}
	}
	return false
}
