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
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

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

// catalog is every language, ready to print.
type catalog struct {
	printers map[string]*Printer
	tags     []language.Tag // tags[0] is Default
	codes    []string       // of tags
	matcher  language.Matcher
}

// loaded reads the embedded texts when the first of them is needed. What is
// wrong with a file is a mistake in the program; a test reports it in full.
var loaded = sync.OnceValue(func() *catalog {
	c, err := newCatalog(locales)
	if c == nil {
		panic(fmt.Sprintf("i18n: %v", err))
	}
	return c
})

// newCatalog reads locales/*.toml. The error joins every mistake found; the
// catalogue is nil only when the default language is missing.
func newCatalog(files fs.FS) (*catalog, error) {
	texts, errs := readLocales(files)
	if len(texts[Default]) == 0 {
		return nil, errors.Join(append(errs, fmt.Errorf("no texts in %s", Default))...)
	}
	c := &catalog{printers: map[string]*Printer{}}
	codes := slices.Sorted(maps.Keys(texts))
	codes = slices.DeleteFunc(codes, func(code string) bool { return code == Default })
	for _, code := range append([]string{Default}, codes...) {
		tag, err := language.Parse(code)
		if err != nil {
			errs = append(errs, fmt.Errorf("language %q: %w", code, err))
			continue
		}
		p, err := newPrinter(code, tag, texts[code])
		if err != nil {
			errs = append(errs, err)
		}
		c.printers[code] = p
		c.tags, c.codes = append(c.tags, tag), append(c.codes, code)
	}
	c.matcher = language.NewMatcher(c.tags)
	for _, p := range c.printers {
		p.fallback = c.printers[Default]
	}
	c.printers[Default].fallback = nil
	return c, errors.Join(errs...)
}

// readLocales returns the texts of each language, with what is wrong in them.
func readLocales(files fs.FS) (map[string]map[string]entry, []error) {
	names, err := fs.Glob(files, "locales/*.toml")
	if err != nil {
		return nil, []error{err}
	}
	texts, errs := map[string]map[string]entry{}, []error{}
	for _, name := range names {
		lang := strings.TrimSuffix(path.Base(name), ".toml")
		data, err := fs.ReadFile(files, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var raw map[string]any
		if err := toml.Unmarshal(data, &raw); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		texts[lang] = map[string]entry{}
		for _, key := range slices.Sorted(maps.Keys(raw)) {
			e, err := newEntry(raw[key])
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %q: %w", name, key, err))
				continue
			}
			texts[lang][key] = e
		}
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
}

// Languages lists every language there is, the default first.
func Languages() []Language { return loaded().languages() }

func (c *catalog) languages() []Language {
	list := make([]Language, len(c.codes))
	for i, code := range c.codes {
		list[i] = Language{Code: code, Name: c.printers[code].T("language.name")}
	}
	return list
}

// For returns the printer of a language given as a BCP 47 tag, such as sv or
// sv-FI. A language there are no texts in gets English.
func For(lang string) *Printer { return loaded().printer(lang) }

func (c *catalog) printer(lang string) *Printer {
	if p := c.printers[lang]; p != nil {
		return p
	}
	code, _ := c.match(lang)
	return c.printers[code]
}

// Supported returns the code of the offered language that serves readers of
// lang, and whether there is one.
func Supported(lang string) (string, bool) { return loaded().match(lang) }

// Match chooses a language: the first of wanted that is offered (the account's
// choice, say, and then the portal's), else the best for an Accept-Language
// header, else English. Empty strings are passed over.
func Match(acceptLanguage string, wanted ...string) string {
	return loaded().choose(acceptLanguage, wanted...)
}

func (c *catalog) choose(acceptLanguage string, wanted ...string) string {
	for _, lang := range wanted {
		if code, ok := c.match(lang); ok {
			return code
		}
	}
	// The header is a visitor's: a long one is not worth the work.
	if acceptLanguage == "" || len(acceptLanguage) > 500 {
		return Default
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return Default
	}
	for _, tag := range tags {
		if code, ok := c.matchTag(tag); ok {
			return code
		}
	}
	return Default
}

func (c *catalog) match(lang string) (string, bool) {
	if c.printers[lang] != nil {
		return lang, true
	}
	tag, err := language.Parse(lang)
	if err != nil || lang == "" {
		return Default, false
	}
	return c.matchTag(tag)
}

// matchTag accepts only readers of the same language: CLDR would also send
// readers of one language to another that most of them understand.
func (c *catalog) matchTag(tag language.Tag) (string, bool) {
	_, i, confidence := c.matcher.Match(tag)
	if confidence < language.High {
		return Default, false
	}
	return c.codes[i], true
}
