package portal

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Hours are when a desk works: its week by the clock on its wall, and the
// dates on which it stays closed. Without a week it works round the clock.
//
// An interval opens and closes when the wall clock of the zone shows its
// times; in between, an hour is an hour that this clock shows. So a night
// shift has an hour less when the clocks go forward and one more when they go
// back, and nine o'clock stays nine o'clock.
type Hours struct {
	Zone string `json:"zone,omitempty"` // IANA name; empty: UTC
	// Week holds the intervals of each day, Sunday first, as time.Weekday
	// counts.
	Week [7][]Interval `json:"week,omitzero"`
	// Holidays are dates, as 2006-01-02, closed from midnight to midnight: of a
	// night shift that ends or begins on one, only the part on it falls away.
	Holidays []string `json:"holidays,omitempty"`
}

// Interval is a part of a day, in minutes since midnight on the wall. One that
// ends before it begins, or when, goes through the night into the next day.
type Interval struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// dayMinutes is how many minutes the wall clock shows on an ordinary day.
const dayMinutes = 24 * 60

// String writes the interval as 09:00-17:00.
func (i Interval) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", i.From/60, i.From%60, i.To/60, i.To%60)
}

// AlwaysOpen reports whether the desk works round the clock.
func (h *Hours) AlwaysOpen() bool {
	for _, day := range h.Week {
		if len(day) > 0 {
			return false
		}
	}
	return true
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// dayOrder is the week as people write it: from Monday.
var dayOrder = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}

// ParseWeek reads the hours of a week as operators write them: days, then
// intervals, such as "mon-thu 09:00-12:00 13:00-17:00, fri 09:00-15:00".
// "always", and nothing, mean round the clock.
func ParseWeek(s string) (week [7][]Interval, err error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" || s == "always" {
		return week, nil
	}
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ';' }) {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		days, err := parseDays(words[0])
		if err != nil {
			return week, err
		}
		if len(words) == 1 {
			return week, badHours("%q says no times; write it like mon-fri 09:00-17:00", strings.TrimSpace(part))
		}
		for _, word := range words[1:] {
			i, err := parseInterval(word)
			if err != nil {
				return week, err
			}
			for _, d := range days {
				week[d] = append(week[d], i)
			}
		}
	}
	return week, checkWeek(&week)
}

func badHours(format string, args ...any) *Error {
	return Invalidf("inbox.hours", "hours", format, args...)
}

// parseDays reads mon, or mon-fri; a range may go over the end of the week.
func parseDays(s string) ([]time.Weekday, error) {
	from, to, isRange := strings.Cut(s, "-")
	a, b := slices.Index(weekdays, from), slices.Index(weekdays, to)
	if !isRange {
		b = a
	}
	if a < 0 || b < 0 {
		return nil, badHours("%q is no day or range of days; use mon, tue, wed, thu, fri, sat, sun, as in mon-fri", s)
	}
	days := []time.Weekday{time.Weekday(a)}
	for d := a; d != b; {
		d = (d + 1) % 7
		days = append(days, time.Weekday(d))
	}
	return days, nil
}

func parseInterval(s string) (Interval, error) {
	from, to, ok := strings.Cut(s, "-")
	a, okA := parseClock(from)
	b, okB := parseClock(to)
	if !ok || !okA || !okB || a == dayMinutes {
		return Interval{}, badHours("%q is no interval of a day; write it like 09:00-17:00, in 24 hours", s)
	}
	return Interval{a, b}, nil
}

// parseClock reads 09:00, or 9; 24:00 is the end of a day.
func parseClock(s string) (minutes int, ok bool) {
	hours, rest, colon := strings.Cut(s, ":")
	h, err := strconv.Atoi(hours)
	if err != nil || len(hours) > 2 || h < 0 {
		return 0, false
	}
	m := 0
	if colon {
		if m, err = strconv.Atoi(rest); err != nil || len(rest) != 2 || m < 0 || m > 59 {
			return 0, false
		}
	}
	minutes = h*60 + m
	return minutes, minutes <= dayMinutes
}

// checkWeek puts each day in order and refuses intervals that overlap, which
// are more often a slip than meant.
func checkWeek(week *[7][]Interval) error {
	for d := range week {
		slices.SortFunc(week[d], func(a, b Interval) int { return cmp.Compare(a.From, b.From) })
	}
	for d, day := range week {
		for i, one := range day {
			if i+1 < len(day) && (one.overnight() || day[i+1].From < one.To) {
				return badHours("%s and %s overlap on %s", one, day[i+1], weekdays[d])
			}
			next := week[(d+1)%7]
			if one.overnight() && len(next) > 0 && next[0].From < one.To {
				return badHours("%s on %s goes on into %s on %s", one, weekdays[d], next[0], weekdays[(d+1)%7])
			}
		}
	}
	return nil
}

func (i Interval) overnight() bool { return i.To <= i.From }

// FormatWeek writes a week as ParseWeek reads it, days with the same times
// together.
func FormatWeek(week [7][]Interval) string {
	var parts []string
	for i := 0; i < len(dayOrder); {
		first := dayOrder[i]
		last, n := first, 1
		for i+n < len(dayOrder) && slices.Equal(week[dayOrder[i+n]], week[first]) {
			last = dayOrder[i+n]
			n++
		}
		i += n
		if len(week[first]) == 0 {
			continue
		}
		part := weekdays[first]
		if n > 1 {
			part += "-" + weekdays[last]
		}
		for _, one := range week[first] {
			part += " " + one.String()
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return "always"
	}
	return strings.Join(parts, ", ")
}

// ParseHolidays reads dates separated by commas or white space, as on the
// command line or in a file; what follows # on a line is a remark. Each date
// stands once in what is returned, in order.
func ParseHolidays(s string) ([]string, error) {
	var dates []string
	for line := range strings.Lines(s) {
		line, _, _ = strings.Cut(line, "#")
		for word := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == ',' || r == ';' || r <= ' ' || r == '\ufeff' }) {
			d, err := time.Parse(time.DateOnly, word)
			if err != nil {
				return nil, Invalidf("inbox.holidays", "holidays", "%q is no date; write it like 2026-12-24", word)
			}
			dates = append(dates, d.Format(time.DateOnly))
		}
	}
	const most = 1000
	slices.Sort(dates)
	if dates = slices.Compact(dates); len(dates) > most {
		return nil, Invalidf("inbox.holidays", "holidays", "%d holidays are too many; at most %d fit", len(dates), most)
	}
	return dates, nil
}
