package i18n

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"
)

// newCatalog is openCatalog with every text read. The error joins every
// mistake found.
func newCatalog(files fs.FS) (*catalog, error) {
	c, err := openCatalog(files)
	if err != nil {
		return nil, err
	}
	var errs []error
	c.mistake = func(_ string, err error) { errs = append(errs, err) }
	for _, code := range c.codes {
		c.texts[code]()
	}
	return c, errors.Join(errs...)
}

func TestCatalogueIsSound(t *testing.T) {
	if _, err := newCatalog(locales); err != nil {
		t.Errorf("the locale files have mistakes:\n%v", err)
	}
}

// used finds a text asked for by a literal key; a key that ends with a dot is
// completed while the program runs.
var used = regexp.MustCompile(`\.(T|N|Has)\(\s*"([a-z0-9_.]+)"`)

// coded finds an error made with a literal code.
var coded = regexp.MustCompile(`(?:Invalidf|NotFoundf|Conflictf|Forbiddenf)\(\s*"([a-z0-9_.]+)"|(?:Code:|Weak\w+\s*=)\s*"([a-z0-9_.]+)"`)

func TestEveryKeyInTheSourcesExists(t *testing.T) {
	texts, _ := readLocales(locales)
	exists := func(lang, key string) bool {
		if _, ok := texts[lang][key]; ok || !strings.HasSuffix(key, ".") {
			return ok
		}
		return slices.ContainsFunc(slices.Collect(maps.Keys(texts[lang])), func(k string) bool { return strings.HasPrefix(k, key) })
	}
	check := func(path, key string) {
		for lang := range texts {
			if !exists(lang, key) {
				t.Errorf("%s asks for %q, which is not in %s", path, key, lang)
			}
		}
	}
	found := 0
	for path, source := range sources(t) {
		for _, m := range used.FindAllStringSubmatch(source, -1) {
			if strings.HasPrefix(path, filepath.Join("pkg", "i18n")) && strings.Contains(path, "_test") {
				continue
			}
			found++
			check(path, m[2])
		}
		// The rules of the domain speak to customers; what only operators can
		// cause (store, cli, config) is said in English on their terminal.
		if dir := filepath.Dir(path); (dir == filepath.Join("pkg", "portal") || dir == filepath.Join("pkg", "auth")) && !strings.HasSuffix(path, "_test.go") {
			for _, m := range coded.FindAllStringSubmatch(source, -1) {
				found++
				check(path, "error."+m[1]+m[2])
			}
		}
	}
	if found < 40 {
		t.Errorf("found only %d keys in the sources; the search is broken", found)
	}
}

// sources reads every Go and templ file that people wrote.
func sources(t *testing.T) map[string]string {
	t.Helper()
	root, files := filepath.Join("..", ".."), map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(path); ext != ".go" && ext != ".templ" || strings.HasSuffix(path, "_templ.go") {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestMistakesInLocaleFilesAreFound(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	tests := map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"a key without quotes": {fstest.MapFS{"locales/en.toml": file(`x.y = "1"`)}, "quote keys"},
		"a number":             {fstest.MapFS{"locales/en.toml": file(`"x" = 1`)}, "neither a text"},
		"broken TOML":          {fstest.MapFS{"locales/en.toml": file(`"x = 1`), "locales/sv.toml": file(`"y" = "1"`)}, "en.toml"},
		"a calculation":        {fstest.MapFS{"locales/en.toml": file(`"x" = "{{len .X}}"`)}, "{{.Name}}"},
		"an open placeholder":  {fstest.MapFS{"locales/en.toml": file(`"x" = "{{.X"`)}, "{{.Name}}"},
		"no English":           {fstest.MapFS{"locales/sv.toml": file(`"x" = "1"`)}, "no texts in en"},
	}
	for name, tt := range tests {
		if _, err := newCatalog(tt.files); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error is %v, want one about %q", name, err, tt.want)
		}
	}
}

func TestTexts(t *testing.T) {
	c, err := newCatalog(fstest.MapFS{
		"locales/en.toml": {Data: []byte(`
"plain" = "Sign in"
"value" = "{{.Name}} has {{.Size}} in {{.Name}}"
"found" = { one = "{{.Count}} result in {{.Place}}", other = "{{.Count}} results in {{.Place}}" }
"english" = "only here"
`)},
		"locales/pl.toml": {Data: []byte(`
"found" = { one = "{{.Count}} wynik", few = "{{.Count}} wyniki", many = "{{.Count}} wyników", other = "{{.Count}} wyniku" }
`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	en, pl := c.printer("en"), c.printer("pl")
	tests := []struct{ got, want string }{
		{en.T("plain"), "Sign in"},
		{en.T("value", "Name", "Åsa", "Size", 12345), "Åsa has 12,345 in Åsa"},
		{en.T("value", map[string]any{"Name": "a", "Size": int64(2)}), "a has 2 in a"},
		{en.T("value", "Name", time.March), "March has ⟦Size⟧ in March"},
		{en.T("nothing"), "⟦nothing⟧"},
		{en.N("nothing", 2), "⟦nothing⟧"},
		{en.N("found", 1, "Place", "T"), "1 result in T"},
		{en.N("found", 0, "Place", "T"), "0 results in T"},
		{en.N("found", 1001, "Place", "T"), "1,001 results in T"},
		{en.N("found", 1000, "Place", "T", "Count", "1,000+"), "1,000+ results in T"},
		{pl.N("found", 1), "1 wynik"},
		{pl.N("found", 3), "3 wyniki"},
		{pl.N("found", 5), "5 wyników"},
		{pl.N("found", 122), "122 wyniki"},
		{pl.T("english"), "only here"},
		{pl.T("value", "Name", "<b>", "Size", "}}"), "<b> has }} in <b>"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	if !pl.Has("english") || !en.Has("found") || pl.Has("nothing") {
		t.Error("Has is wrong about english, found or nothing")
	}
}

func TestErrorText(t *testing.T) {
	got, ok := For("sv").ErrorText("field.too_long", map[string]any{"Max": 200})
	if want := "Texten är för lång. Högst 200 tecken får plats."; !ok || got != want {
		t.Errorf("got %q, %v, want %q", got, ok, want)
	}
	if got, ok := For("en").ErrorText("field.required", nil); !ok || got == "" {
		t.Errorf("field.required is %q, %v", got, ok)
	}
	if got, ok := For("sv").ErrorText("never.heard_of", nil); ok {
		t.Errorf("an unknown code has the text %q", got)
	}
}

// twoLanguages is a catalogue that does not grow with the real one.
func twoLanguages(t *testing.T) *catalog {
	t.Helper()
	c, err := newCatalog(fstest.MapFS{
		"locales/en.toml": {Data: []byte("\"language.name\" = \"English\"\n\"language.dir\" = \"ltr\"")},
		"locales/sv.toml": {Data: []byte("\"language.name\" = \"Svenska\"\n\"language.dir\" = \"ltr\"")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLanguageIsChosen(t *testing.T) {
	c := twoLanguages(t)
	for lang, want := range map[string]string{
		"en": "en", "sv": "sv", "sv-FI": "sv", "SV-se": "sv", "en-GB": "en", "": "en", "nb": "en",
		"da": "en", "de": "en", "no such language": "en", "x": "en",
	} {
		if got := c.printer(lang).Lang(); got != want {
			t.Errorf("the printer of %q speaks %q, want %q", lang, got, want)
		}
	}
	tests := []struct {
		accept  string
		offered []string
		want    string
	}{
		{"", nil, ""},
		{"sv-SE,sv;q=0.9,en;q=0.8", nil, "sv-SE"},
		{"de,sv;q=0.5", nil, "sv"},
		{"en;q=0.1,sv;q=0.9", nil, "sv"},
		{"sv", []string{"en"}, ""},
		{"sv,en-GB;q=0.5", []string{"en"}, "en-GB"},
		{"en, ;;q=", nil, ""},
		{";;;q=1,\x00", nil, ""},
		{"en-001", nil, "en-001"},
		{"sv-ZZ", nil, "sv"},
		{strings.Repeat("sv,", 10000), nil, ""},
	}
	for range 2 { // the second time from what was kept of the first
		for _, tt := range tests {
			if got, ok := c.pick(tt.accept, tt.offered); got != tt.want || ok != (got != "") {
				t.Errorf("%.40q and %q pick %q, %v, want %q", tt.accept, tt.offered, got, ok, tt.want)
			}
		}
	}
	if got, want := fmt.Sprint(c.languages()), "[{en English ltr} {sv Svenska ltr}]"; got != want {
		t.Errorf("the languages are %s, want %s", got, want)
	}
	if code, ok := c.match("sv-SE"); code != "sv" || !ok {
		t.Errorf("sv-SE is served by %q, %v", code, ok)
	}
	if _, ok := c.match("de"); ok {
		t.Error("German is said to be supported")
	}
	if got := For("sv").Dir(); got != "ltr" {
		t.Errorf("Swedish is written %s", got)
	}
}

func TestCountryIsThatOfTheReader(t *testing.T) {
	c := twoLanguages(t)
	tests := []struct {
		tag, accept string
		others      []string
		want        string
	}{
		{"en", "", nil, "en"},
		{"en", "en-US,en;q=0.9", nil, "en-US"},
		{"en", "sv-SE,en;q=0.9,en-AU;q=0.8", nil, "en-AU"},
		{"en", "sv-SE", []string{"sv-SE", "en-IE"}, "en-IE"},
		{"sv", "en-US", []string{"en-GB"}, "sv"},
		{"en-GB", "en-US", nil, "en-GB"},
		{"tlh", "en-US", nil, "tlh"},
	}
	for _, tt := range tests {
		if got := c.locale(tt.tag, tt.accept, tt.others); got != tt.want {
			t.Errorf("%s for a browser that asks for %q, %q is %q, want %q", tt.tag, tt.accept, tt.others, got, tt.want)
		}
	}
	for s, want := range map[string]string{"en": "en", "EN_gb": "en-GB", "sv-SE": "sv-SE", "en-Latn-US": "en-US", "tlh": "", "": "", "sv-XQQ": ""} {
		if got, ok := Canonical(s); got != want || ok != (want != "") {
			t.Errorf("Canonical(%q) = %q, %v, want %q", s, got, ok, want)
		}
	}
}

func TestCountryDecidesClockWeekAndNumbers(t *testing.T) {
	at := time.Date(2026, 11, 18, 14, 5, 0, 0, time.UTC)
	tests := []struct {
		tag, time string
		week      time.Weekday
		number    string
	}{
		{"en", "14:05", time.Monday, "1,234,567"},
		{"en-US", "2:05\u00a0PM", time.Sunday, "1,234,567"},
		{"en-GB", "14:05", time.Monday, "1,234,567"},
		{"en-IE", "14:05", time.Monday, "1,234,567"},
		{"en-CA", "2:05\u00a0PM", time.Sunday, "1,234,567"},
		{"en-AU", "2:05\u00a0PM", time.Monday, "1,234,567"},
		{"en-IN", "2:05\u00a0PM", time.Sunday, "12,34,567"},
		{"en-PH", "2:05\u00a0PM", time.Sunday, "1,234,567"},
		{"en-001", "14:05", time.Monday, "1,234,567"},
		{"sv-FI", "14:05", time.Monday, "1\u00a0234\u00a0567"},
		{"sv-EG", "2:05\u00a0em", time.Saturday, "1\u00a0234\u00a0567"},
	}
	for _, tt := range tests {
		p := For(tt.tag)
		if p.Time(at) != tt.time || p.WeekStart() != tt.week || p.Number(1234567) != tt.number {
			t.Errorf("%s: %q, weeks from %v, %q; want %q, %v, %q", tt.tag,
				p.Time(at), p.WeekStart(), p.Number(1234567), tt.time, tt.week, tt.number)
		}
		if p.Tag() != tt.tag || p.Lang() != Code(tt.tag) {
			t.Errorf("%s calls itself %s, %s", tt.tag, p.Tag(), p.Lang())
		}
		if For(tt.tag) != p {
			t.Errorf("%s has a new printer each time", tt.tag)
		}
	}
	us := For("en-US")
	for hour, want := range map[int]string{0: "12:05\u00a0AM", 1: "1:05\u00a0AM", 11: "11:05\u00a0AM", 12: "12:05\u00a0PM", 23: "11:05\u00a0PM"} {
		if got := us.Time(time.Date(2026, 1, 1, hour, 5, 0, 0, time.UTC)); got != want {
			t.Errorf("%d o'clock is %q, want %q", hour, got, want)
		}
	}
	if got, want := us.DateTime(at), "18 November 2026 at 2:05\u00a0PM"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// digits are those of any script but our own.
func TestDigitsAreEuropeanEverywhere(t *testing.T) {
	at := time.Date(2026, 1, 31, 14, 5, 0, 0, time.UTC)
	for _, l := range Languages() {
		for _, tag := range []string{l.Code, l.Code + "-EG", l.Code + "-IR", l.Code + "-IN", l.Code + "-NP"} {
			p := For(tag)
			for _, s := range []string{p.Number(1234567), p.Bytes(2516582), p.DateTime(at), p.DateShort(at), p.N("date.ago.minutes", 57), p.Duration(3 * time.Hour)} {
				for _, r := range s {
					if unicode.IsDigit(r) && r > '9' {
						t.Errorf("%s writes %q", tag, s)
					}
				}
			}
		}
	}
}

func TestStrangersCannotFillTheMemory(t *testing.T) {
	c := twoLanguages(t)
	letters := "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for _, a := range letters {
		for _, b := range letters {
			tag := "en-" + string(a) + string(b)
			c.printer(tag)
			c.pick(tag+",sv", nil)
		}
	}
	locales, accepts := 0, 0
	c.locales.Range(func(any, any) bool { locales++; return true })
	c.accepts.Range(func(any, any) bool { accepts++; return true })
	if locales > mostLocales || accepts > mostAccepts || locales < 100 {
		t.Errorf("%d printers and %d headers are kept, want at most %d and %d", locales, accepts, mostLocales, mostAccepts)
	}
	if got := c.printer("en-ZW").Tag(); got != "en-ZW" {
		t.Errorf("a printer that is not kept is that of %q", got)
	}
}

func TestDates(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		tm, err := time.ParseInLocation("2006-01-02 15:04:05", s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return tm
	}
	now := at("2026-11-18 15:00:00") // a Wednesday
	tests := []struct{ at, en, sv string }{
		{"2026-11-18 15:00:30", "just now", "nyss"},
		{"2026-11-18 14:59:01", "just now", "nyss"},
		{"2026-11-18 14:59:00", "1 minute ago", "för 1 minut sedan"},
		{"2026-11-18 14:00:01", "59 minutes ago", "för 59 minuter sedan"},
		{"2026-11-18 14:00:00", "1 hour ago", "för 1 timme sedan"},
		{"2026-11-18 00:00:00", "15 hours ago", "för 15 timmar sedan"},
		{"2026-11-17 23:59:59", "yesterday at 23:59", "i går kl. 23:59"},
		{"2026-11-17 00:00:00", "yesterday at 00:00", "i går kl. 00:00"},
		{"2026-11-16 14:05:00", "Monday at 14:05", "i måndags kl. 14:05"},
		{"2026-11-12 09:30:00", "Thursday at 09:30", "i torsdags kl. 09:30"},
		{"2026-11-11 09:30:00", "11 Nov at 09:30", "11 nov. kl. 09:30"},
		{"2026-01-31 09:30:00", "31 Jan at 09:30", "31 jan. kl. 09:30"},
		{"2025-12-31 09:30:00", "31 Dec 2025", "31 dec. 2025"},
		{"2026-11-19 15:00:00", "19 November 2026 at 15:00", "19 november 2026 kl. 15:00"},
	}
	for _, tt := range tests {
		if got := For("en").Relative(now.UTC(), at(tt.at)); got != tt.en {
			t.Errorf("%s in English: got %q, want %q", tt.at, got, tt.en)
		}
		if got := For("sv").Relative(now.UTC(), at(tt.at)); got != tt.sv {
			t.Errorf("%s in Swedish: got %q, want %q", tt.at, got, tt.sv)
		}
	}
	// 15:00 on the reader's clock is 14:00 UTC: the zone of t counts.
	if got, want := For("sv").DateTime(now), "18 november 2026 kl. 15:00"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := For("sv").DateShort(at("2026-03-01 00:00:00")), "1 mars 2026"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, l := range Languages() {
		p := For(l.Code)
		if p.T("language.name") != l.Name || p.Dir() != l.Dir {
			t.Errorf("%s is listed as %q, %s, and is %q, %s", l.Code, l.Name, l.Dir, p.T("language.name"), p.Dir())
		}
		for _, key := range []string{"date.months", "date.months_short"} {
			if names := strings.Split(p.T(key), " "); len(names) != 12 {
				t.Errorf("%s: %q has %d names, want 12 (a space within a name does not break: \\u00a0): %q", l.Code, key, len(names), names)
			}
		}
	}
}

func TestDurationsNumbersSizes(t *testing.T) {
	en, sv := For("en"), For("sv")
	tests := []struct{ got, want string }{
		{en.Duration(10 * time.Minute), "10 minutes"},
		{en.Duration(time.Hour), "1 hour"},
		{en.Duration(90 * time.Minute), "90 minutes"},
		{en.Duration(7 * 24 * time.Hour), "7 days"},
		{en.Duration(61 * time.Second), "2 minutes"},
		{sv.Duration(24 * time.Hour), "1 dag"},
		{sv.Duration(36 * time.Hour), "36 timmar"},
		{en.Number(999), "999"},
		{en.Number(1234567), "1,234,567"},
		{en.Number(-1000), "-1,000"},
		{sv.Number(1234567), "1\u00a0234\u00a0567"},
		{en.Bytes(0), "0\u00a0bytes"},
		{en.Bytes(1023), "1,023\u00a0bytes"},
		{en.Bytes(1024), "1\u00a0KB"},
		{en.Bytes(2516582), "2.4\u00a0MB"},
		{sv.Bytes(2516582), "2,4\u00a0MB"},
		{sv.Bytes(25 << 20), "25\u00a0MB"},
		{en.Bytes(1<<20 - 1), "1\u00a0MB"},
		{en.Bytes(1 << 40), "1\u00a0TB"},
		{en.Bytes(1 << 62), "4,194,304\u00a0TB"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestPrintersServeManyAtOnce(t *testing.T) {
	done := make(chan string)
	for range 8 {
		go func() {
			p := For("sv")
			s := ""
			for n := range 200 {
				s = p.N("date.ago.minutes", n*1000) + p.Number(n*1000) + p.Bytes(int64(n)*1500000)
			}
			done <- s
		}()
	}
	first := <-done
	for range 7 {
		if got := <-done; got != first {
			t.Errorf("got %q, want %q", got, first)
		}
	}
}
