package portal

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// calendar makes a calendar from hours as operators write them.
func calendar(t testing.TB, zone, week, holidays string) *Calendar {
	t.Helper()
	w, err := ParseWeek(week)
	if err != nil {
		t.Fatal(err)
	}
	dates, err := ParseHolidays(holidays)
	if err != nil {
		t.Fatal(err)
	}
	h := Hours{Zone: zone, Week: w, Holidays: dates}
	c, err := h.Calendar()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// on reads a time on the wall with its offset.
func on(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04 -0700", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWeeksAreReadAndWritten(t *testing.T) {
	for typed, want := range map[string]string{
		"":                      "always",
		"always":                "always",
		"mon-fri 09:00-17:00":   "mon-fri 09:00-17:00",
		"MON-FRI 9-17":          "mon-fri 09:00-17:00",
		"fri-mon 10:00-11:00":   "mon 10:00-11:00, fri-sun 10:00-11:00",
		"mon-sun 00:00-24:00":   "mon-sun 00:00-24:00",
		"mon-sun 22:00-06:00":   "mon-sun 22:00-06:00",
		"mon 13-17 9-12, tue 9": "",
		"mon-thu 13:00-17:00 09:00-12:00; fri 09:00-15:00": "mon-thu 09:00-12:00 13:00-17:00, fri 09:00-15:00",
		"mon 09:00-12:00 11:00-13:00":                      "", // overlap
		"mon 22:00-06:00, tue 05:00-09:00":                 "", // into the next day
		"sun 22:00-06:00, mon 05:00-09:00":                 "", // into the next week
		"mon 22:00-06:00 23:00-24:00":                      "",
		"mon 22:00-06:00, tue 06:00-09:00":                 "mon 22:00-06:00, tue 06:00-09:00",
		"mon":                                              "", "day 9-17": "", "mon 25:00-26:00": "", "mon 24:00-06:00": "", "mon 9:5-10": "",
		"mon 09:00": "", "mon-xyz 9-17": "", "mon 9-17-18": "", "mon -1-5": "",
	} {
		week, err := ParseWeek(typed)
		if want == "" {
			if KindOf(err) != Invalid {
				t.Errorf("%q: %v, want Invalid", typed, err)
			}
			continue
		}
		if err != nil || FormatWeek(week) != want {
			t.Errorf("%q became %q, %v; want %q", typed, FormatWeek(week), err, want)
			continue
		}
		again, err := ParseWeek(want)
		if err != nil || FormatWeek(again) != want {
			t.Errorf("%q does not read back: %v", want, err)
		}
	}
	dates, err := ParseHolidays("2026-12-25,2026-12-24\n# remark\n 2027-01-01 # new year\n2026-12-24")
	if err != nil || strings.Join(dates, " ") != "2026-12-24 2026-12-25 2027-01-01" {
		t.Errorf("holidays %v, %v", dates, err)
	}
	for _, bad := range []string{"24.12.2026", "2026-02-30", "tomorrow"} {
		if _, err := ParseHolidays(bad); KindOf(err) != Invalid {
			t.Errorf("%q was taken for a date", bad)
		}
	}
	if _, err := (&Hours{Zone: "Mars/Olympus", Week: [7][]Interval{1: {{0, 60}}}}).Calendar(); KindOf(err) != Invalid {
		t.Errorf("a zone nobody knows: %v", err)
	}
}

// The clocks go forward in Stockholm on 2026-03-29 at 02:00, and back on
// 2026-10-25 at 03:00.
func TestBusinessTimePasses(t *testing.T) {
	const office, night = "mon-fri 09:00-17:00", "mon-sun 22:00-06:00"
	for name, test := range map[string]struct {
		zone, week, holidays string
		from                 string
		add                  time.Duration
		want                 string
	}{
		"within a day":              {"Europe/Stockholm", office, "", "2026-11-23 10:00 +0100", 3 * time.Hour, "2026-11-23 13:00 +0100"},
		"to the very end":           {"Europe/Stockholm", office, "", "2026-11-23 10:00 +0100", 7 * time.Hour, "2026-11-23 17:00 +0100"},
		"into the next day":         {"Europe/Stockholm", office, "", "2026-11-23 16:00 +0100", 2 * time.Hour, "2026-11-24 10:00 +0100"},
		"before opening":            {"Europe/Stockholm", office, "", "2026-11-23 03:00 +0100", time.Hour, "2026-11-23 10:00 +0100"},
		"over the weekend":          {"Europe/Stockholm", office, "", "2026-11-20 16:30 +0100", time.Hour, "2026-11-23 09:30 +0100"},
		"on a Saturday":             {"Europe/Stockholm", office, "", "2026-11-21 12:00 +0100", time.Minute, "2026-11-23 09:01 +0100"},
		"over lunch":                {"Europe/Stockholm", "mon-fri 09:00-12:00 13:00-17:00", "", "2026-11-23 11:30 +0100", time.Hour, "2026-11-23 13:30 +0100"},
		"over holidays":             {"Europe/Stockholm", office, "2026-12-24,2026-12-25", "2026-12-23 16:00 +0100", 2 * time.Hour, "2026-12-28 10:00 +0100"},
		"over the year's end":       {"Europe/Stockholm", office, "2026-12-31,2027-01-01", "2026-12-30 16:00 +0100", 9 * time.Hour, "2027-01-04 17:00 +0100"},
		"forward over a weekend":    {"Europe/Stockholm", office, "", "2026-03-27 16:00 +0100", 2 * time.Hour, "2026-03-30 10:00 +0200"},
		"back over a weekend":       {"Europe/Stockholm", office, "", "2026-10-23 16:00 +0200", 2 * time.Hour, "2026-10-26 10:00 +0100"},
		"a night with an hour less": {"Europe/Stockholm", night, "", "2026-03-28 22:00 +0100", 7 * time.Hour, "2026-03-29 06:00 +0200"},
		"a night with an hour more": {"Europe/Stockholm", night, "", "2026-10-24 22:00 +0200", 9 * time.Hour, "2026-10-25 06:00 +0100"},
		"the hour that is left out": {"Europe/Stockholm", "sun 01:00-02:30 03:30-05:00", "", "2026-03-29 01:00 +0100", 90 * time.Minute, "2026-03-29 04:00 +0200"},
		"the hour that comes twice": {"Europe/Stockholm", "sun 02:30-04:00", "", "2026-10-25 00:00 +0200", 2 * time.Hour, "2026-10-25 03:30 +0100"},
		"a night before a holiday":  {"Europe/Stockholm", night, "2026-12-24", "2026-12-23 23:00 +0100", 2 * time.Hour, "2026-12-25 01:00 +0100"},
		"asked from elsewhere":      {"America/New_York", office, "", "2026-11-23 08:00 +0000", time.Hour, "2026-11-23 15:00 +0000"},
		"a day that never was":      {"Pacific/Apia", office, "", "2011-12-29 12:00 -1000", 8 * time.Hour, "2012-01-02 12:00 +1400"},
		"round the clock":           {"", "always", "", "2026-03-28 22:00 +0100", 24 * time.Hour, "2026-03-29 22:00 +0100"},
		"nothing":                   {"Europe/Stockholm", office, "", "2026-11-21 12:00 +0100", 0, "2026-11-21 12:00 +0100"},
	} {
		c := calendar(t, test.zone, test.week, test.holidays)
		from, want := on(t, test.from), on(t, test.want)
		got := c.Add(from, test.add)
		if !got.Equal(want) {
			t.Errorf("%s: %s after %s is %s, want %s", name, test.add, test.from, got, want)
		}
		if between := c.Between(from, got); between != test.add {
			t.Errorf("%s: %s lie between, want %s", name, between, test.add)
		}
	}
	c := calendar(t, "Europe/Stockholm", office, "2026-11-24")
	for at, open := range map[string]bool{
		"2026-11-23 08:59 +0100": false, "2026-11-23 09:00 +0100": true, "2026-11-23 16:59 +0100": true,
		"2026-11-23 17:00 +0100": false, "2026-11-24 12:00 +0100": false, "2026-11-22 12:00 +0100": false,
	} {
		if c.Open(on(t, at)) != open {
			t.Errorf("open at %s: %v", at, !open)
		}
	}
	// A week that is all holidays ends somewhere.
	closed := calendar(t, "UTC", "mon 09:00-10:00", "")
	for d := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC); d.Year() < 2028; d = d.AddDate(0, 0, 7) {
		closed.holidays[dateOf(d)] = true
	}
	if got := closed.Add(on(t, "2026-01-05 00:00 +0000"), time.Hour); !got.Equal(on(t, "2028-01-03 10:00 +0000")) {
		t.Errorf("two years closed end at %s", got)
	}
}

// Adding, taking off and measuring agree, whatever the hours and the zone, and
// later never comes before earlier.
func TestCalendarAgreesWithItself(t *testing.T) {
	zones := []string{"UTC", "Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "America/Scoresbysund"}
	weeks := []string{
		"always", "mon-fri 09:00-17:00", "mon-sun 22:00-06:00", "mon-sun 00:00-24:00", "sun 00:30-03:15, wed 23:00-23:01",
		"mon-sun 01:00-02:30 02:45-03:00", "fri 18:00-18:00",
	}
	r := rand.New(rand.NewPCG(4, 2))
	begin := time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)
	for range 3000 {
		zone, week := zones[r.IntN(len(zones))], weeks[r.IntN(len(weeks))]
		var holidays []string
		for range r.IntN(6) {
			holidays = append(holidays, begin.AddDate(0, 0, r.IntN(400)).Format(time.DateOnly))
		}
		c := calendar(t, zone, week, strings.Join(holidays, ","))
		a := begin.Add(time.Duration(r.IntN(400*24*60)) * time.Minute)
		b := a.Add(time.Duration(r.IntN(30*24*60)) * time.Minute)
		d := time.Duration(1+r.IntN(60*60)) * time.Minute
		what := func() string { return zone + " " + week + " " + strings.Join(holidays, ",") + " " + a.String() }

		end := c.Add(a, d)
		if got := c.Between(a, end); got != d {
			t.Fatalf("%s: %s added make %s", what(), d, got)
		}
		if got := c.Between(c.Sub(end, d), end); got != d {
			t.Fatalf("%s: %s taken off make %s", what(), d, got)
		}
		if start := c.Sub(end, d); start.Before(a) || c.Between(a, start) != 0 {
			t.Fatalf("%s: %s added and taken off is %s", what(), d, start)
		}
		if later := c.Add(b, d); later.Before(end) {
			t.Fatalf("%s: begun later it ends earlier", what())
		}
		if c.Between(a, b) != c.Between(a, end)+c.Between(end, b) && end.Before(b) {
			t.Fatalf("%s: the parts are not the whole", what())
		}
		if c.Between(b, a) != 0 && b.After(a) {
			t.Fatalf("%s: time passes backwards", what())
		}
		if b.Sub(a) < c.Between(a, b) {
			t.Fatalf("%s: more business time than time", what())
		}
	}
}

func TestTargetsAreReadAndWritten(t *testing.T) {
	var s DeskSettings
	for typed, want := range map[string]string{
		"urgent=1h/8h": "1h/8h", "normal=4h": "4h", "low=/40h": "/40h", "high=30m/1d": "30m/24h", "normal = 1h30m / 2d": "1h30m/48h",
		"low=none": "none", "urgent": "", "soon=1h": "", "low=": "", "low=8h/1h": "", "low=30s": "", "low=1000d": "", "low=x/y": "", "low=-1h": "",
	} {
		p, target, err := ParseTarget(typed)
		if want == "" {
			if KindOf(err) != Invalid {
				t.Errorf("%q: %v, want Invalid", typed, err)
			}
			continue
		}
		if err != nil || FormatTarget(target) != want {
			t.Errorf("%q became %s %q, %v; want %q", typed, p, FormatTarget(target), err, want)
		}
	}
	s.SetTarget(Normal, Target{Answer: 4 * time.Hour})
	before := s.Targets
	s.SetTarget(Urgent, Target{Answer: time.Hour, Resolve: 8 * time.Hour})
	if got := s.FormatTargets(); got != "urgent=1h/8h,normal=4h" || len(before) != 1 {
		t.Errorf("targets %q", got)
	}
	s.SetTarget(Normal, Target{})
	if got := s.FormatTargets(); got != "urgent=1h/8h" {
		t.Errorf("targets %q", got)
	}
	for typed, want := range map[string]AssignRule{"none": AssignNone, "": AssignNone, "round-robin": AssignRoundRobin, "Least_Open": AssignLeastOpen} {
		if got, err := ParseAssignRule(typed); err != nil || got != want {
			t.Errorf("%q became %q, %v", typed, got, err)
		}
	}
	if _, err := ParseAssignRule("best"); KindOf(err) != Invalid {
		t.Error("a rule nobody knows was taken")
	}
}

func TestIntervalsOfADayStayInOrder(t *testing.T) {
	c := calendar(t, "UTC", "mon 09:00-12:00 22:00-06:00, tue 13:00-17:00 06:00-07:00", "")
	for d, day := range c.days {
		if !slices.IsSortedFunc(day, func(a, b Interval) int { return a.From - b.From }) {
			t.Errorf("day %d: %v", d, day)
		}
	}
}

func BenchmarkDueTimes(b *testing.B) {
	s := &DeskSettings{Targets: map[Priority]Target{Normal: {Answer: 4 * time.Hour, Resolve: 40 * time.Hour}}}
	c := calendar(b, "Europe/Stockholm", "mon-fri 09:00-12:00 13:00-17:00", "2026-12-24,2026-12-25,2026-12-31,2027-01-01")
	t := &Ticket{Priority: Normal, Status: New, CreatedAt: on(b, "2026-12-23 15:00 +0100")}
	b.Run("set", func(b *testing.B) {
		for b.Loop() {
			t.SetDue(s, c)
		}
	})
	now := on(b, "2026-12-29 10:00 +0100")
	b.Run("clocks of a row", func(b *testing.B) {
		for b.Loop() {
			_ = t.NextClock(now, s, c)
		}
	})
}
