package transfer

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// DateOrder says which number comes first in a date such as 03/04/2026.
type DateOrder string

// The orders.
const (
	DayFirst   DateOrder = "dmy"
	MonthFirst DateOrder = "mdy"
)

// ParseDateOrder reads dmy or mdy; empty text leaves it to the file.
func ParseDateOrder(s string) (DateOrder, error) {
	switch o := DateOrder(strings.ToLower(strings.TrimSpace(s))); o {
	case "", DayFirst, MonthFirst:
		return o, nil
	}
	return "", portal.Invalidf("import.date_order", "date-order", "%q is not an order of dates; use dmy (31/01/2026) or mdy (01/31/2026)", s)
}

// dates reads the dates of one file. The order of day and month is looked for
// in the file once, when the first date needs it.
type dates struct {
	loc      *time.Location
	order    DateOrder
	looked   bool
	evidence func() (DateOrder, error)
}

// isoLayouts are the forms that leave no doubt. HubSpot writes the second.
var isoLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02 15:04",
	"2006-01-02 15:04:05",
	time.DateOnly,
	"2006-01-02T15:04:05",
	"2006-01-02T15:04",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05 -0700 MST",
	"2006-01-02 15:04:05 MST",
	"2006-01-02 3:04 PM",
	"2006/01/02",
	"2006/01/02 15:04",
	"2006/01/02 15:04:05",
	"20060102",
	"Jan 2, 2006",
	"Jan 2, 2006 3:04 PM",
	"Jan 2, 2006, 3:04 PM",
	"January 2, 2006",
	"January 2, 2006 3:04 PM",
	"2 Jan 2006",
	"2 Jan 2006 15:04",
	"Mon, 2 Jan 2006 15:04:05 -0700",
}

var (
	numericDate = regexp.MustCompile(`^(\d{1,2})([./-])(\d{1,2})([./-])(\d{4})(?:,? +(\d{1,2}:\d{2}(?::\d{2})?(?: ?[AaPp][Mm])?))?$`)
	gmtSuffix   = regexp.MustCompile(`^(.*\S) +(?:GMT|UTC)([+-])(\d{1,2})(?::?(\d{2}))?$`)
)

// parse reads a date; empty text is the zero time.
func (d *dates) parse(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	t, err := d.read(s)
	if err != nil {
		return time.Time{}, err
	}
	t = t.UTC().Truncate(time.Millisecond)
	if t.Year() < 1970 || t.Year() > 2200 {
		return time.Time{}, fmt.Errorf("%q lies outside the years 1970 to 2200", s)
	}
	return t, nil
}

func (d *dates) read(s string) (time.Time, error) {
	loc := d.loc
	if loc == nil {
		loc = time.UTC
	}
	if t, ok := epoch(s); ok {
		return t, nil
	}
	if m := gmtSuffix.FindStringSubmatch(s); m != nil {
		hours, _ := strconv.Atoi(m[3])
		minutes, _ := strconv.Atoi("0" + m[4])
		offset := hours*3600 + minutes*60
		if hours > 14 || minutes > 59 {
			return time.Time{}, badDate(s)
		}
		if m[2] == "-" {
			offset = -offset
		}
		s, loc = m[1], time.FixedZone("", offset)
	}
	for _, layout := range isoLayouts {
		if t, err := time.ParseInLocation(layout, s, loc); err == nil {
			return t, nil
		}
	}
	m := numericDate.FindStringSubmatch(s)
	if m == nil || m[2] != m[4] {
		return time.Time{}, badDate(s)
	}
	a, _ := strconv.Atoi(m[1])
	b, _ := strconv.Atoi(m[3])
	year, _ := strconv.Atoi(m[5])
	day, month, err := d.dayMonth(s, a, b, m[2])
	if err != nil {
		return time.Time{}, err
	}
	clock, err := clockTime(m[6])
	if err != nil {
		return time.Time{}, badDate(s)
	}
	t := time.Date(year, time.Month(month), day, clock.Hour(), clock.Minute(), clock.Second(), 0, loc)
	if month < 1 || month > 12 || t.Day() != day || t.Month() != time.Month(month) {
		return time.Time{}, badDate(s)
	}
	return t, nil
}

// dayMonth decides which number is the day. With dots it is the first
// everywhere; otherwise the numbers, the options or the file have to say.
func (d *dates) dayMonth(s string, a, b int, separator string) (day, month int, err error) {
	switch {
	case separator == ".", a > 12, a == b:
		return a, b, nil
	case b > 12:
		return b, a, nil
	}
	if d.order == "" && !d.looked && d.evidence != nil {
		d.looked = true
		if d.order, err = d.evidence(); err != nil {
			return 0, 0, err
		}
	}
	switch d.order {
	case DayFirst:
		return a, b, nil
	case MonthFirst:
		return b, a, nil
	}
	return 0, 0, fmt.Errorf("%q can be read two ways; say --date-order dmy (day first) or mdy (month first)", s)
}

func clockTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	var err error
	for _, layout := range []string{"15:04", "15:04:05", "3:04PM", "3:04:05PM"} {
		var t time.Time
		if t, err = time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, err
}

// epoch reads seconds or milliseconds since 1970, told apart by their length.
func epoch(s string) (time.Time, bool) {
	if len(s) != 10 && len(s) != 13 {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strings.HasPrefix(s, "+") {
		return time.Time{}, false
	}
	if len(s) == 10 {
		return time.Unix(n, 0), true
	}
	return time.UnixMilli(n), true
}

func badDate(s string) error {
	return fmt.Errorf("%q is not a date; write it like 2026-01-31 14:05", s)
}

// dateEvidence reads through the file for a date whose numbers leave one
// order only. Two that contradict each other decide nothing.
func (f *file) dateEvidence() (DateOrder, error) {
	rows, err := f.rows()
	if err != nil {
		return "", err
	}
	var found DateOrder
	for {
		res, err := rows.read()
		switch {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return "", err
		case res.reason != "":
			continue
		}
		for _, name := range dateColumns {
			order := plainOrder(f.cell(res.row, name))
			if order == "" || order == found {
				continue
			}
			if found != "" {
				return "", nil
			}
			found = order
		}
	}
}

// dateColumns are the columns that hold dates of our own.
var dateColumns = []string{"created_at", "updated_at", "status_at", "closed_at", "message_at"}

func plainOrder(s string) DateOrder {
	m := numericDate.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil || m[2] == "." {
		return ""
	}
	a, _ := strconv.Atoi(m[1])
	b, _ := strconv.Atoi(m[3])
	switch {
	case a > 12 && b <= 12:
		return DayFirst
	case b > 12 && a <= 12:
		return MonthFirst
	}
	return ""
}

// formatTime writes a time as exports hold it; the zero time is empty.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}
