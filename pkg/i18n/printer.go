package i18n

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Printer prints texts, dates and numbers in one language and for one
// country. It is made once and may be used by many goroutines.
type Printer struct {
	*texts
	tag     string // with the country: en-GB
	region  string // "" when no country is known
	numbers *message.Printer
	dates   *dates
	hours   int // of the clock: 12 or 24
	week    time.Weekday
}

// texts are those of one language, shared by the printers of its countries.
type texts struct {
	lang     string
	plain    map[string]string             // texts without placeholders
	patterns map[string]pattern            // texts with them
	plurals  map[string]map[string]pattern // by plural form
	forms    [100]string                   // the plural forms of small numbers
	chooser  *goi18n.Localizer             // knows the plural form of any number
	fallback *texts                        // the default language's; nil in its own
}

// formKey is the one message go-i18n is given: its plural forms are their own
// names, so what it returns is the form CLDR's rules choose for a number.
const formKey = "form"

func newPrinter(code string, tag language.Tag, entries map[string]entry, fallback *texts) (*Printer, error) {
	bundle := goi18n.NewBundle(tag)
	err := bundle.AddMessages(tag, &goi18n.Message{
		ID:   formKey,
		Zero: "zero", One: "one", Two: "two", Few: "few", Many: "many", Other: "other",
	})
	if err != nil {
		return nil, fmt.Errorf("plurals of %s: %w", code, err)
	}
	p := &Printer{
		tag: code,
		texts: &texts{
			lang:     code,
			plain:    map[string]string{},
			patterns: map[string]pattern{},
			plurals:  map[string]map[string]pattern{},
			chooser:  goi18n.NewLocalizer(bundle, code),
			fallback: fallback,
		},
		numbers: newNumbers(tag),
	}
	for n := range p.forms {
		p.forms[n] = p.choose(n)
	}
	for key, e := range entries {
		if err := p.add(key, e); err != nil {
			return p, fmt.Errorf("%s: %q: %w", code, key, err)
		}
	}
	p.dates = newDates(p)
	p.hours, p.week = 24, time.Monday
	if p.T("time.hours") == "12" {
		p.hours = 12
	}
	if day, err := strconv.Atoi(p.T("week.first")); err == nil {
		p.week = time.Weekday(day % 7)
	}
	return p, nil
}

// newNumbers writes numbers with the digits 0 to 9 in every language: ticket
// numbers, times and addresses beside them are written in them, too.
func newNumbers(tag language.Tag) *message.Printer {
	if latin, err := tag.SetTypeForKey("nu", "latn"); err == nil {
		tag = latin
	}
	return message.NewPrinter(tag)
}

// in is the printer for a country where the language is read.
func (p *Printer) in(region string) *Printer {
	q := *p
	q.region, q.tag = region, p.lang+"-"+region
	q.hours, q.week = hoursOf(p.lang, region), weekStartOf(region)
	if tag, err := language.Parse(q.tag); err == nil {
		q.numbers = newNumbers(tag)
	}
	return &q
}

// add takes a text apart once, so that printing it is quick.
func (t *texts) add(key string, e entry) error {
	if e.forms != nil {
		forms := map[string]pattern{}
		for form, text := range e.forms {
			pt, err := parsePattern(text)
			if err != nil {
				return err
			}
			forms[form] = pt
		}
		t.plurals[key] = forms
		return nil
	}
	pt, err := parsePattern(e.text)
	if err != nil {
		return err
	}
	if len(pt) == 1 && pt[0].name == "" || len(pt) == 0 {
		t.plain[key] = e.text
	} else {
		t.patterns[key] = pt
	}
	return nil
}

// Lang is the language's code: en.
func (p *Printer) Lang() string { return p.lang }

// Tag is the language as a BCP 47 tag, with the reader's country when it is
// known: en-GB.
func (p *Printer) Tag() string { return p.tag }

// Dir is the direction the language is written in: ltr or rtl.
func (p *Printer) Dir() string { return p.T("language.dir") }

// WeekStart is the day weeks begin with where the reader lives.
func (p *Printer) WeekStart() time.Weekday { return p.week }

// Has reports whether there is a text for the key, plural or not.
func (p *Printer) Has(key string) bool { return p.texts.has(key) }

func (t *texts) has(key string) bool {
	if _, ok := t.plain[key]; ok {
		return true
	}
	if _, ok := t.patterns[key]; ok {
		return true
	}
	if _, ok := t.plurals[key]; ok {
		return true
	}
	return t.fallback != nil && t.fallback.has(key)
}

// T returns the text of a key. args are names and values in turn, or one
// map[string]any: T("sign_in.title", "Portal", name). Whole numbers are
// written as the language writes them. A key nobody wrote a text for comes
// back marked, ⟦key⟧, as does a placeholder without a value.
func (p *Printer) T(key string, args ...any) string {
	for t := p.texts; t != nil; t = t.fallback {
		if text, ok := t.plain[key]; ok {
			return text
		}
		if pt, ok := t.patterns[key]; ok {
			return pt.fill(p, args, nil)
		}
	}
	return missing(key)
}

// N returns the text of a key in the plural form count takes. {{.Count}} is
// the number; args are as in T.
func (p *Printer) N(key string, count int, args ...any) string {
	for t := p.texts; t != nil; t = t.fallback {
		forms, ok := t.plurals[key]
		if !ok {
			continue
		}
		pt, ok := forms[t.form(count)]
		if !ok {
			pt = forms["other"]
		}
		return pt.fill(p, args, &count)
	}
	return missing(key)
}

// ErrorText returns the text of an error by its code, in the words of the
// customer who reads it; false when there is none. Its key is the code behind
// "error.".
func (p *Printer) ErrorText(code string, args map[string]any) (string, bool) {
	key := "error." + code
	if !p.Has(key) {
		return "", false
	}
	return p.T(key, args), true
}

func missing(name string) string { return "⟦" + name + "⟧" }

// form is the plural form of a count.
func (t *texts) form(n int) string {
	if n >= 0 && n < len(t.forms) {
		return t.forms[n]
	}
	return t.choose(n)
}

func (t *texts) choose(n int) string {
	form, err := t.chooser.Localize(&goi18n.LocalizeConfig{MessageID: formKey, PluralCount: n})
	if err != nil {
		return "other"
	}
	return form
}

// pattern is a text taken apart: words, and names of values between them.
type pattern []piece

type piece struct {
	words string
	name  string // of a value; words is then empty
}

// parsePattern takes a text apart at its placeholders {{.Name}}.
func parsePattern(text string) (pattern, error) {
	var pt pattern
	for text != "" {
		before, rest, open := strings.Cut(text, "{{")
		if before != "" {
			pt = append(pt, piece{words: before})
		}
		if !open {
			if strings.Contains(before, "}}") {
				return nil, fmt.Errorf("}} without {{ in %q", before)
			}
			break
		}
		name, after, closed := strings.Cut(rest, "}}")
		name, dotted := strings.CutPrefix(strings.TrimSpace(name), ".")
		if !closed || !dotted || !isName(name) {
			return nil, fmt.Errorf("a placeholder is written {{.Name}}, not {{%.20s", rest)
		}
		pt = append(pt, piece{name: name})
		text = after
	}
	return pt, nil
}

func isName(s string) bool {
	for i, r := range s {
		letter := r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// fill puts values in the place of names. count is nil outside plurals.
func (pt pattern) fill(p *Printer, args []any, count *int) string {
	var b strings.Builder
	for _, part := range pt {
		if part.name == "" {
			b.WriteString(part.words)
			continue
		}
		if value, ok := lookUp(args, part.name); ok {
			b.WriteString(p.value(value))
		} else if count != nil && part.name == "Count" {
			b.WriteString(p.Number(*count))
		} else {
			b.WriteString(missing(part.name))
		}
	}
	return b.String()
}

func lookUp(args []any, name string) (any, bool) {
	if len(args) == 1 {
		if m, ok := args[0].(map[string]any); ok {
			value, found := m[name]
			return value, found
		}
	}
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1], true
		}
	}
	return nil, false
}

func (p *Printer) value(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case fmt.Stringer:
		return v.String()
	case int:
		return p.Number(v)
	case int64:
		return p.number(v)
	}
	return fmt.Sprint(v)
}

// Number writes a whole number with the language's separators: 12,345.
func (p *Printer) Number(n int) string { return p.number(int64(n)) }

func (p *Printer) number(n int64) string {
	if n > -1000 && n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	return p.numbers.Sprintf("%d", n)
}

// byteUnits are the keys of the units, each 1,024 of the one before, as file
// managers count.
var byteUnits = []string{"unit.bytes", "unit.kilobytes", "unit.megabytes", "unit.gigabytes", "unit.terabytes"}

// Bytes writes a size as people read it: 2.4 MB, and 25 MB for 25 << 20.
func (p *Printer) Bytes(n int64) string {
	size, unit := float64(n), 0
	// 1023.95 would be written as 1,024.
	for (size >= 1023.95 || size <= -1023.95) && unit < len(byteUnits)-1 {
		size /= 1024
		unit++
	}
	number := p.number(int64(size))
	if tenths := strconv.FormatFloat(size, 'f', 1, 64); !strings.HasSuffix(tenths, ".0") {
		number = p.numbers.Sprintf("%.1f", size)
	} else if size != float64(int64(size)) {
		number = p.number(int64(size + 0.5))
	}
	return number + "\u00a0" + p.T(byteUnits[unit])
}
