// Package i18n holds every sentence a customer reads, by key and language.
//
// The texts are TOML files under locales, one for each language and named by
// its BCP 47 code: sv.toml. A key is quoted and stands on one line:
//
//	"sign_in.title" = "Sign in to {{.Portal}}"
//	"tickets.found" = { one = "{{.Count}} result", other = "{{.Count}} results" }
//
// {{.Name}} stands for a value and nothing else is allowed between the
// braces. Which plural form a number takes is CLDR's answer, by go-i18n.
package i18n

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/BurntSushi/toml"
	"golang.org/x/text/language"
)

// Default is the language readers get whose own is not offered.
const Default = "en"

//go:embed locales/*.toml
var locales embed.FS

// pluralForms are CLDR's names of the forms.
var pluralForms = []string{"zero", "one", "two", "few", "many", "other"}

// entry is one text: simple, or a plural with its forms.
type entry struct {
	text  string
	forms map[string]string
}

// catalog is every language. A language's texts are read when the first of
// them is needed: most portals speak two or three of them.
type catalog struct {
	codes   []string       // codes[0] is Default
	tags    []language.Tag // of codes
	matcher language.Matcher
	files   map[string][]byte                // by code, as embedded
	texts   map[string]func() *Printer       // by code; made once
	locales sync.Map                         // tags with a country, as *Printer
	kept    atomic.Int32                     // how many locales there are
	accepts sync.Map                         // what browsers send, as []wish
	heard   atomic.Int32                     // how many accepts there are
	mistake func(code string, mistake error) // reports what is wrong in a file
}

// loaded reads the embedded texts when the first of them is needed. What is
// wrong with a file is a mistake in the program; a test reports it in full.
var loaded = sync.OnceValue(func() *catalog {
	c, err := openCatalog(locales)
	if err != nil {
		panic(fmt.Sprintf("i18n: %v", err))
	}
	return c
})

// openCatalog finds the languages of locales/*.toml and reads no texts yet.
func openCatalog(files fs.FS) (*catalog, error) {
	names, err := fs.Glob(files, "locales/*.toml")
	if err != nil {
		return nil, err
	}
	c := &catalog{files: map[string][]byte{}, texts: map[string]func() *Printer{}}
	for _, name := range names {
		code := strings.TrimSuffix(path.Base(name), ".toml")
		tag, err := language.Parse(code)
		if err != nil {
			return nil, fmt.Errorf("language %q: %w", code, err)
		}
		if c.files[code], err = fs.ReadFile(files, name); err != nil {
			return nil, err
		}
		c.texts[code] = sync.OnceValue(func() *Printer { return c.read(code, tag) })
		if code == Default {
			c.codes, c.tags = slices.Insert(c.codes, 0, code), slices.Insert(c.tags, 0, tag)
		} else {
			c.codes, c.tags = append(c.codes, code), append(c.tags, tag)
		}
	}
	if len(c.codes) == 0 || c.codes[0] != Default {
		return nil, fmt.Errorf("no texts in %s", Default)
	}
	c.matcher = language.NewMatcher(c.tags)
	return c, nil
}

// read makes the printer of a language.
func (c *catalog) read(code string, tag language.Tag) *Printer {
	entries, errs := readLocale(code+".toml", c.files[code])
	var fallback *texts
	if code != Default {
		fallback = c.texts[Default]().texts
	}
	p, err := newPrinter(code, tag, entries, fallback)
	if err != nil {
		errs = append(errs, err)
	}
	if c.mistake != nil {
		for _, err := range errs {
			c.mistake(code, err)
		}
	}
	return p
}

// readLocale returns the texts of a file, with what is wrong in them.
func readLocale(name string, data []byte) (map[string]entry, []error) {
	var raw map[string]any
	if err := toml.Unmarshal(data, &raw); err != nil {
		return nil, []error{fmt.Errorf("%s: %w", name, err)}
	}
	texts, errs := make(map[string]entry, len(raw)), []error{}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		e, err := newEntry(raw[key])
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %q: %w", name, key, err))
			continue
		}
		texts[key] = e
	}
	return texts, errs
}

func newEntry(value any) (entry, error) {
	switch v := value.(type) {
	case string:
		return entry{text: v}, nil
	case map[string]any:
		e := entry{forms: map[string]string{}}
		for form, text := range v {
			s, ok := text.(string)
			if !ok || !slices.Contains(pluralForms, form) {
				return entry{}, fmt.Errorf("%q is not a plural form with its text; quote keys that contain dots", form)
			}
			e.forms[form] = s
		}
		return e, nil
	}
	return entry{}, fmt.Errorf("%v is neither a text nor plural forms", value)
}

// Language is one the texts exist in.
type Language struct {
	Code string // "sv"
	Name string // in the language itself: "Svenska"
	Dir  string // ltr or rtl
}

// Languages lists every language there is, the default first.
func Languages() []Language { return slices.Clone(listed()) }

var listed = sync.OnceValue(func() []Language { return loaded().languages() })

func (c *catalog) languages() []Language {
	list := make([]Language, len(c.codes))
	for i, code := range c.codes {
		list[i] = Language{Code: code, Name: simple(c.files[code], "language.name"), Dir: simple(c.files[code], "language.dir")}
	}
	return list
}

// simple finds one text without reading them all.
func simple(file []byte, key string) string {
	_, rest, _ := bytes.Cut(file, []byte(`"`+key+`" = "`))
	text, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(text)
}

// Codes lists the codes of every language there is, the default first.
func Codes() []string { return slices.Clone(loaded().codes) }

// NoteWords are the words of every language that make an agent's mail an
// internal note, in lower case: which one people write in is theirs to choose.
func NoteWords() []string { return slices.Clone(noteWords()) }

var noteWords = sync.OnceValue(func() []string { return loaded().noteWords() })

func (c *catalog) noteWords() []string {
	var all []string
	for _, code := range c.codes {
		words := simple(c.files[code], "mail.agent.note_words")
		for word := range strings.FieldsFuncSeq(words, func(r rune) bool { return r == ',' || r == '،' }) {
			if word = strings.ToLower(strings.TrimSpace(word)); word != "" && !slices.Contains(all, word) {
				all = append(all, word)
			}
		}
	}
	return all
}

// For returns the printer of a language given as a BCP 47 tag, such as sv or
// sv-FI. The country decides about clock, weeks and numbers; the texts are
// the language's. A language there are no texts in gets English.
func For(tag string) *Printer { return loaded().printer(tag) }

// mostLocales bounds the printers kept for languages with a country: tags
// come from strangers, too.
const mostLocales = 300

func (c *catalog) printer(tag string) *Printer {
	if printer := c.texts[tag]; printer != nil {
		return printer()
	}
	if p, ok := c.locales.Load(tag); ok {
		return p.(*Printer)
	}
	parsed, err := language.Parse(tag)
	if err != nil || tag == "" {
		return c.texts[Default]()
	}
	code, ok := c.matchTag(parsed)
	region := regionOf(parsed)
	if !ok || region == "" {
		return c.texts[code]()
	}
	name := code + "-" + region
	if p, ok := c.locales.Load(name); ok {
		return p.(*Printer)
	}
	p := c.texts[code]().in(region)
	if c.kept.Load() < mostLocales {
		kept, already := c.locales.LoadOrStore(name, p)
		if !already {
			c.kept.Add(1)
		}
		return kept.(*Printer)
	}
	return p
}

func (c *catalog) match(tag string) (string, bool) {
	if c.texts[tag] != nil {
		return tag, true
	}
	parsed, err := language.Parse(tag)
	if err != nil || tag == "" {
		return Default, false
	}
	return c.matchTag(parsed)
}

// matchTag accepts only readers of the same language: CLDR would also send
// readers of one language to another that most of them understand.
func (c *catalog) matchTag(tag language.Tag) (string, bool) {
	_, i, confidence := c.matcher.Match(tag)
	base, _ := tag.Base()
	switch {
	case confidence == language.Exact:
	case confidence == language.High && (base.String() == c.codes[i] || base.String() == "nn"):
		// Bokmål for readers of Nynorsk is no more foreign than the reverse.
	default:
		return Default, false
	}
	return c.codes[i], true
}
