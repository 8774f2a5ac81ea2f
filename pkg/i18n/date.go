package i18n

import (
	"strconv"
	"strings"
	"time"
)

// dates is what a language needs to write dates: month and weekday names, and
// layouts with {{.Day}}, {{.Month}}, {{.Year}}, {{.Date}} and {{.Time}}.
type dates struct {
	months, shortMonths                [12]string
	long, short, shortNoYear, dateTime pattern
	yesterday, earlier                 pattern
	weekdays                           [7]pattern // "Monday at {{.Time}}", as said of the days before yesterday
	minutes                            [60]string // "5 minutes ago"
	hours                              [24]string
	clock24, clock12                   pattern // {{.Hour}} with two digits, {{.H}} without a zero, {{.Minute}}, {{.Half}}
	am, pm                             string
}

var weekdayKeys = [7]string{
	"date.ago.sunday", "date.ago.monday", "date.ago.tuesday", "date.ago.wednesday",
	"date.ago.thursday", "date.ago.friday", "date.ago.saturday",
}

func newDates(p *Printer) *dates {
	d := &dates{
		long: p.pattern("date.long"), short: p.pattern("date.short"),
		shortNoYear: p.pattern("date.short_no_year"), dateTime: p.pattern("date.time"),
		yesterday: p.pattern("date.ago.yesterday"), earlier: p.pattern("date.ago.this_year"),
		clock24: p.pattern("time.24"), clock12: p.pattern("time.12"), am: p.T("time.am"), pm: p.T("time.pm"),
	}
	// A name of two words is written with a space that does not break.
	copy(d.months[:], strings.Split(p.T("date.months"), " "))
	copy(d.shortMonths[:], strings.Split(p.T("date.months_short"), " "))
	for i, key := range weekdayKeys {
		d.weekdays[i] = p.pattern(key)
	}
	// Lists say these in every row, so they are ready-made.
	for n := range d.minutes {
		d.minutes[n] = p.N("date.ago.minutes", n)
	}
	for n := range d.hours {
		d.hours[n] = p.N("date.ago.hours", n)
	}
	return d
}

func (p *Printer) pattern(key string) pattern {
	for t := p.texts; t != nil; t = t.fallback {
		if pt, ok := t.patterns[key]; ok {
			return pt
		}
		if text, ok := t.plain[key]; ok {
			return pattern{{words: text}}
		}
	}
	return pattern{{words: p.T(key)}}
}

// Date writes a day in full: 31 January 2026. Like every time given to a
// Printer, t is in the reader's zone already.
func (p *Printer) Date(t time.Time) string { return p.date(p.dates.long, t, &p.dates.months) }

// DateShort writes a day for lists: 31 Jan 2026.
func (p *Printer) DateShort(t time.Time) string {
	return p.date(p.dates.short, t, &p.dates.shortMonths)
}

// DayMonth writes a day of a year everybody knows: 31 Jan.
func (p *Printer) DayMonth(t time.Time) string {
	return p.date(p.dates.shortNoYear, t, &p.dates.shortMonths)
}

// Time writes a time of day by the reader's clock: 14:05, 2:05 PM.
func (p *Printer) Time(t time.Time) string {
	var b strings.Builder
	p.writeTime(&b, t)
	return b.String()
}

func (p *Printer) writeTime(b *strings.Builder, t time.Time) {
	pt, hour, half := p.dates.clock24, t.Hour(), p.dates.am
	if p.hours == 12 {
		pt = p.dates.clock12
		if hour >= 12 {
			half = p.dates.pm
		}
		hour = (hour+11)%12 + 1
	}
	for _, part := range pt {
		switch part.name {
		case "":
			b.WriteString(part.words)
		case "Hour":
			writeTwo(b, hour)
		case "H":
			b.WriteString(strconv.Itoa(hour))
		case "Minute":
			writeTwo(b, t.Minute())
		case "Half":
			b.WriteString(half)
		default:
			b.WriteString(missing(part.name))
		}
	}
}

// writeTwo writes a number below 100 with two digits.
func writeTwo(b *strings.Builder, n int) {
	if n < 10 {
		b.WriteByte('0')
	}
	b.WriteString(strconv.Itoa(n))
}

// DateTime writes the exact time: 31 January 2026 at 14:05.
func (p *Printer) DateTime(t time.Time) string { return p.at(p.dates.dateTime, p.Date(t), t) }

// Relative says how long ago t was, in words that suit the distance: "just
// now", "5 minutes ago", "3 hours ago" of the same day, "yesterday at 14:05",
// "Monday at 14:05" within a week, "31 Jan at 14:05" within the year, then
// the date. Times ahead of now get the exact time, but for a little, which
// is two clocks that disagree.
func (p *Printer) Relative(now, t time.Time) string {
	now = now.In(t.Location())
	passed := now.Sub(t)
	switch days := dayNumber(now) - dayNumber(t); {
	case passed < -time.Minute:
		return p.DateTime(t)
	case passed < time.Minute:
		return p.T("date.ago.now")
	case passed < time.Hour:
		return p.dates.minutes[int(passed/time.Minute)]
	case days == 0:
		return p.dates.hours[min(int(passed/time.Hour), 23)]
	case days == 1:
		return p.at(p.dates.yesterday, "", t)
	case days < 7:
		return p.at(p.dates.weekdays[t.Weekday()], "", t)
	case now.Year() == t.Year():
		return p.at(p.dates.earlier, p.date(p.dates.shortNoYear, t, &p.dates.shortMonths), t)
	}
	return p.DateShort(t)
}

// dayNumber counts the days of t's own calendar.
func dayNumber(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// Duration writes a span in its largest whole unit: 10 minutes, 7 days.
func (p *Printer) Duration(d time.Duration) string {
	day := 24 * time.Hour
	switch {
	case d >= day && d%day == 0:
		return p.N("duration.days", int(d/day))
	case d >= time.Hour && d%time.Hour == 0:
		return p.N("duration.hours", int(d/time.Hour))
	}
	return p.N("duration.minutes", int((d+time.Minute-1)/time.Minute))
}

func (p *Printer) date(pt pattern, t time.Time, months *[12]string) string {
	y, m, d := t.Date()
	var b strings.Builder
	for _, part := range pt {
		switch part.name {
		case "":
			b.WriteString(part.words)
		case "Day":
			b.WriteString(strconv.Itoa(d))
		case "Month":
			b.WriteString(months[m-1])
		case "Year":
			b.WriteString(strconv.Itoa(y))
		default:
			b.WriteString(missing(part.name))
		}
	}
	return b.String()
}

func (p *Printer) at(pt pattern, date string, t time.Time) string {
	var b strings.Builder
	for _, part := range pt {
		switch part.name {
		case "":
			b.WriteString(part.words)
		case "Date":
			b.WriteString(date)
		case "Time":
			p.writeTime(&b, t)
		default:
			b.WriteString(missing(part.name))
		}
	}
	return b.String()
}
