package i18n

import (
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// These tests know no list of languages: they hold for whatever files there
// are. A text that is rightly the same as the English one says so behind it:
//
//	"column.status" = "Status" # as in English
//
// so that a new language stays one new file.

// asInEnglish marks such a text.
const asInEnglish = "# as in English"

// mostAsInEnglish bounds the marks of one language, so that marking does not
// take the place of translating.
const mostAsInEnglish = 60

// readLocales reads every file there is, with what is wrong in them.
func readLocales(files fs.FS) (map[string]map[string]entry, []error) {
	c, err := openCatalog(files)
	if err != nil {
		return nil, []error{err}
	}
	texts, all := map[string]map[string]entry{}, []error{}
	for code, data := range c.files {
		entries, errs := readLocale(code, data)
		texts[code], all = entries, append(all, errs...)
	}
	return texts, all
}

// allTexts are the texts of an entry by plural form; a simple one is under "".
func (e entry) allTexts() map[string]string {
	if e.forms != nil {
		return e.forms
	}
	return map[string]string{"": e.text}
}

// placeholders of a text, each once, sorted.
func placeholders(text string) []string {
	var names []string
	pt, _ := parsePattern(text)
	for _, part := range pt {
		if part.name != "" && !slices.Contains(names, part.name) {
			names = append(names, part.name)
		}
	}
	slices.Sort(names)
	return names
}

// names are the placeholders of all forms together.
func (e entry) names() []string {
	var all strings.Builder
	for _, text := range e.allTexts() {
		all.WriteString(text)
	}
	return placeholders(all.String())
}

// words is a text without its placeholders.
func words(text string) string {
	var b strings.Builder
	pt, _ := parsePattern(text)
	for _, part := range pt {
		b.WriteString(part.words)
	}
	return b.String()
}

// clocks may write the hour with a zero in front or without.
var clocks = []string{"time.24", "time.12"}

func TestLanguagesHoldTheSameTexts(t *testing.T) {
	texts, _ := readLocales(locales)
	english := texts[Default]
	for lang, own := range texts {
		for key := range own {
			if _, ok := english[key]; !ok {
				t.Errorf("%s: %q is in no other language; is it an old key?", lang, key)
			}
		}
		for key, en := range english {
			e, ok := own[key]
			if !ok {
				t.Errorf("%s: %q is missing; in English it is %q%v", lang, key, en.text, en.forms)
				continue
			}
			if (e.forms == nil) != (en.forms == nil) {
				t.Errorf("%s: %q is a plural in only one of %s and English", lang, key, lang)
			}
			if slices.Contains(clocks, key) {
				continue
			}
			if got, want := e.names(), en.names(); !slices.Equal(got, want) {
				t.Errorf("%s: %q has the placeholders %v, in English %v", lang, key, got, want)
			}
		}
	}
}

// pluralSamples are numbers that reach every form CLDR gives whole numbers
// written out: rules look at the last one, two or six digits and at whether
// it is a whole million.
func pluralSamples() []int {
	var list []int
	for n := range 1200 {
		list = append(list, n)
	}
	for n := 10_000; n <= 1_000_000_000; n *= 10 {
		list = append(list, n-1, n, n+1, n+2, n+3, n+11, 2*n, 5*n)
	}
	return list
}

// formsNeeded are the forms a language needs, and how many of the samples
// take each.
func formsNeeded(p *Printer) map[string]int {
	forms := map[string]int{}
	for _, n := range pluralSamples() {
		forms[p.choose(n)]++
	}
	return forms
}

func TestPluralFormsAreThoseOfCLDR(t *testing.T) {
	texts, _ := readLocales(locales)
	for lang, own := range texts {
		p, err := newPrinter(lang, language.MustParse(lang), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		takes := formsNeeded(p)
		// "other" is the form of fractions, where whole numbers have others,
		// and what a number takes that has no form of its own.
		takes["other"]++
		needed := slices.Sorted(maps.Keys(takes))
		for key, e := range own {
			if e.forms == nil {
				continue
			}
			if got := slices.Sorted(maps.Keys(e.forms)); !slices.Equal(got, needed) {
				t.Errorf("%s: %q has the plural forms %v, want %v", lang, key, got, needed)
			}
			// A form of one number may say it in a word, كتابان; a form that
			// several numbers share has to tell which it is.
			for form, text := range e.forms {
				if takes[form] > 1 && slices.Contains(e.names(), "Count") && !slices.Contains(placeholders(text), "Count") && !singular(takes[form], form) {
					t.Errorf("%s: %q in the form %s serves several numbers and has no {{.Count}}: %q", lang, key, form, text)
				}
			}
		}
	}
}

// singular reports whether a form is that of 0 and 1 and nothing else, as in
// French: where there is nothing, another sentence says so.
func singular(taken int, form string) bool { return form == "one" && taken <= 2 }

func TestPluralsAreComputed(t *testing.T) {
	for lang, want := range map[string][]string{
		"en": {"one", "other"}, "ja": {"other"}, "fr": {"many", "one", "other"}, "es": {"many", "one", "other"},
		"pl": {"few", "many", "one"}, "ar": {"few", "many", "one", "other", "two", "zero"},
	} {
		p, err := newPrinter(lang, language.MustParse(lang), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Sorted(maps.Keys(formsNeeded(p))); !slices.Equal(got, want) {
			t.Errorf("%s takes the forms %v, want %v", lang, got, want)
		}
	}
}

// marked are the keys whose line ends with the mark, by language.
func marked(t *testing.T, files fs.FS) map[string]map[string]bool {
	t.Helper()
	names, err := fs.Glob(files, "locales/*.toml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no locale files: %v", err)
	}
	found := map[string]map[string]bool{}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		lang := strings.TrimSuffix(strings.TrimPrefix(name, "locales/"), ".toml")
		found[lang] = map[string]bool{}
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSpace(line)
			if key, _, ok := strings.Cut(strings.TrimPrefix(line, `"`), `"`); ok && strings.HasPrefix(line, `"`) && strings.HasSuffix(line, asInEnglish) {
				found[lang][key] = true
			}
		}
	}
	return found
}

// untranslated lists the keys whose text has letters of its own and reads as
// in English.
func untranslated(own, english map[string]entry) []string {
	var keys []string
	for key, e := range own {
		en := english[key]
		hasWords := slices.ContainsFunc(slices.Collect(maps.Values(e.allTexts())), func(text string) bool {
			return strings.ContainsFunc(words(text), unicode.IsLetter)
		})
		// What a form says that English does not have is no copy.
		same := hasWords && (e.forms == nil) == (en.forms == nil) && e.text == en.text
		for form, text := range e.forms {
			if other, ok := en.forms[form]; ok {
				same = same && other == text
			} else {
				same = same && text == en.forms["other"]
			}
		}
		if same && key != "language.dir" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func TestNothingIsLeftInEnglish(t *testing.T) {
	texts, _ := readLocales(locales)
	for lang, marks := range marked(t, locales) {
		if lang == Default {
			continue
		}
		if len(marks) > mostAsInEnglish {
			t.Errorf("%s: %d texts are marked %q; at most %d are", lang, len(marks), asInEnglish, mostAsInEnglish)
		}
		same := untranslated(texts[lang], texts[Default])
		for _, key := range same {
			if !marks[key] {
				t.Errorf("%s: %q reads as in English: %q%v; translate it, or end its line with %s where that is right",
					lang, key, texts[lang][key].text, texts[lang][key].forms, asInEnglish)
			}
		}
		for key := range marks {
			if !slices.Contains(same, key) {
				t.Errorf("%s: %q is marked %q and is not the same as the English text", lang, key, asInEnglish)
			}
		}
	}
}

func TestCopiesAreSeen(t *testing.T) {
	texts, errs := readLocales(fstest.MapFS{
		"locales/en.toml": {Data: []byte(`
"a" = "Status"
"b" = "Name"
"c" = "{{.A}} – {{.B}}"
"d" = { one = "{{.Count}} file", other = "{{.Count}} files" }
"e" = { one = "{{.Count}} page", other = "{{.Count}} pages" }
`)},
		"locales/fr.toml": {Data: []byte(`
"a" = "Status"
"b" = "Nom"
"c" = "{{.A}} – {{.B}}"
"d" = { one = "{{.Count}} file", many = "{{.Count}} files", other = "{{.Count}} files" }
"e" = { one = "{{.Count}} page", many = "{{.Count}} de pages", other = "{{.Count}} pages" }
`)},
	})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if got, want := untranslated(texts["fr"], texts["en"]), []string{"a", "d"}; !slices.Equal(got, want) {
		t.Errorf("copies are %v, want %v", got, want)
	}
}

// careless is what no language has: space around a text, doubled spaces,
// typewriter marks, and characters nobody sees.
var careless = regexp.MustCompile(`^\s|\s$|[ \x{a0}\x{202f}]{2}|"|\.\.\.|[\x{0}-\x{1f}\x{7f}\x{ad}\x{200b}\x{202a}-\x{202e}\x{feff}]`)

// typedApostrophe is one between letters.
var typedApostrophe = regexp.MustCompile(`\pL'\pL`)

// unwelcome are words and marks that give a language away as translated by
// somebody else, or that we write another way. A language need not be here.
var unwelcome = map[string]*regexp.Regexp{
	"sv": regexp.MustCompile(`(?i)\b(ticket|tickets|login|logga på|signera in|email|e-mail|mailet|biljett\w*|Ni|Er|Ert|Era|vänligen|klicka här|support ärende|i dag|idag's)\b|[“„«»]`),
	"nb": regexp.MustCompile(`(?i)\b(tickets?|billett\w*|email|e-mail|klikk her)\b|[“”„]`),
	"da": regexp.MustCompile(`(?i)\b(tickets?|billet\w*|email|klik her)\b`),
	"fi": regexp.MustCompile(`(?i)\b(tickets?|lippu\w*|tiketti\w*|email|e-mail|klikkaa tästä)\b|[“„«]`),
	"de": regexp.MustCompile(`\b(du|dir|dich|deine?[mnrs]?|klicken Sie hier|Email|E-mail)\b|”`),
	"nl": regexp.MustCompile(`(?i)\b(klik hier|email)\b`),
	// French sets its marks off by a space that does not break.
	"fr": regexp.MustCompile(`(?i)(^|[^\pL])(tu|toi|tes|cliquez ici|email)($|[^\pL])|[^\x{a0}\x{202f}\s][:;!?»](\s|$)| [:;!?»]|«[^\x{a0}\x{202f}]`),
	"es": regexp.MustCompile(`(?i)\b(haga clic aquí|email)\b|^[^¿]*\?$|^[^¡]*!$`),
	// Our digits are European throughout; comma and question mark are not.
	"ar": regexp.MustCompile(`[٠-٩۰-۹کی,;?]`),
}

func TestTextsAreWrittenWithCare(t *testing.T) {
	texts, _ := readLocales(locales)
	for lang, own := range texts {
		if e := own["language.name"]; e.text == "" || !utf8.ValidString(e.text) {
			t.Errorf("%s: the language has no name of its own", lang)
		}
		if dir := own["language.dir"].text; dir != "ltr" && dir != "rtl" {
			t.Errorf(`%s: "language.dir" is %q, want ltr or rtl`, lang, dir)
		}
		if hours := own["time.hours"].text; hours != "12" && hours != "24" {
			t.Errorf(`%s: "time.hours" is %q, want 12 or 24`, lang, hours)
		}
		if first := own["week.first"].text; len(first) != 1 || first < "1" || first > "7" {
			t.Errorf(`%s: "week.first" is %q, want 1 for Monday to 7 for Sunday`, lang, first)
		}
		if got := own["time.24"].names(); !slices.Equal(got, []string{"Hour", "Minute"}) && !slices.Equal(got, []string{"H", "Minute"}) {
			t.Errorf(`%s: "time.24" has %v, want {{.Hour}} or {{.H}}, and {{.Minute}}`, lang, got)
		}
		if got := own["time.12"].names(); !slices.Equal(got, []string{"Half", "Hour", "Minute"}) && !slices.Equal(got, []string{"H", "Half", "Minute"}) {
			t.Errorf(`%s: "time.12" has %v, want {{.Hour}} or {{.H}}, {{.Minute}} and {{.Half}}`, lang, got)
		}
		for key, e := range own {
			for _, text := range e.allTexts() {
				if text == "" {
					t.Errorf("%s: %q is empty", lang, key)
				}
				if m := careless.FindString(text); m != "" {
					t.Errorf("%s: %q has %q: %q", lang, key, m, text)
				}
				if m := typedApostrophe.FindString(text); m != "" && lang != Default {
					t.Errorf("%s: %q has a typewriter's apostrophe in %q; write ’", lang, key, m)
				}
				if re := unwelcome[lang]; re != nil {
					if m := re.FindString(words(text)); m != "" {
						t.Errorf("%s: %q says %q: %s", lang, key, m, text)
					}
				}
			}
		}
	}
}
