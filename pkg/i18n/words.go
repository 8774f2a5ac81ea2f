package i18n

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// With is the printer with some texts in other words: by key and plural form,
// where a text without plurals has the form "other". What is not among them is
// printed as before, and costs a little more; a printer without such words
// costs nothing more. Words that Check refuses are passed over.
func (p *Printer) With(words map[string]map[string]string) *Printer {
	if len(words) == 0 {
		return p
	}
	over := &texts{
		lang: p.lang, plain: map[string]string{}, patterns: map[string]pattern{}, plurals: map[string]map[string]pattern{},
		forms: p.forms, chooser: p.chooser, fallback: p.texts,
	}
	dates := false
	for key, forms := range words {
		if p.check(key, forms) != nil {
			continue
		}
		e := entry{forms: forms}
		if !p.plural(key) {
			e = entry{text: forms["other"]}
		}
		if over.add(key, e) == nil {
			dates = dates || strings.HasPrefix(key, "date.")
		}
	}
	q := *p
	q.texts = over
	if dates {
		q.dates = newDates(&q)
	}
	return &q
}

// plural reports whether a text has plural forms.
func (p *Printer) plural(key string) bool {
	for t := p.texts; t != nil; t = t.fallback {
		if _, ok := t.plurals[key]; ok {
			return true
		}
	}
	return false
}

// KeyError says that there is no text of a key, and names the one that looks
// most like it.
type KeyError struct{ Key, Nearest string }

// Error names the key.
func (e *KeyError) Error() string { return fmt.Sprintf("there is no text %q", e.Key) }

// longestWords is how many characters a text of an operator's may have.
const longestWords = 1000

// settled are the beginnings of keys whose texts are settings of a language
// rather than sentences.
var settled = []string{"language.", "time.", "week.", "date.months", "mail.agent.note_words"}

// Check says what is wrong with an operator's words for a text: a key there is
// no text of (*KeyError), placeholders that it is not given, plural forms that
// are missing or too many, characters nobody sees. nil: nothing.
func Check(lang, key string, forms map[string]string) error {
	code, ok := loaded().match(lang)
	if !ok {
		return fmt.Errorf("there are no texts in %q", lang)
	}
	return loaded().printer(code).check(key, forms)
}

func (p *Printer) check(key string, forms map[string]string) error {
	ours, ok := p.ours(key)
	if !ok {
		return &KeyError{key, nearest(key, loaded().keys())}
	}
	for _, begin := range settled {
		if strings.HasPrefix(key, begin) {
			return fmt.Errorf("%q is a setting of the language, not a sentence", key)
		}
	}
	want, got := slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(forms))
	if !slices.Equal(want, got) {
		if len(want) == 1 {
			return fmt.Errorf("%q has no plural forms; give one text", key)
		}
		return formsError(key, want, got)
	}
	allowed := map[string]bool{}
	for _, text := range ours {
		pt, _ := parsePattern(text) // ours, which a test has read
		for _, part := range pt {
			allowed[part.name] = true
		}
	}
	for _, form := range got {
		if err := checkWords(key, forms[form], allowed); err != nil {
			return err
		}
	}
	return nil
}

func checkWords(key, text string, allowed map[string]bool) error {
	pt, err := parsePattern(text)
	if err != nil {
		return err
	}
	for _, part := range pt {
		if part.name != "" && !allowed[part.name] {
			delete(allowed, "")
			known := slices.Sorted(maps.Keys(allowed))
			for i, name := range known {
				known[i] = "{{." + name + "}}"
			}
			return fmt.Errorf("%q is not given {{.%s}}; there is %s", key, part.name, orNone(known))
		}
	}
	switch {
	case strings.TrimSpace(text) == "":
		return fmt.Errorf("a text of %q is empty", key)
	case !utf8.ValidString(text):
		return fmt.Errorf("a text of %q is not UTF-8", key)
	case utf8.RuneCountInString(text) > longestWords:
		return fmt.Errorf("a text of %q is longer than %d characters", key, longestWords)
	}
	for _, r := range text {
		// Isolates keep what is written the other way in its place; overrides
		// turn what follows around.
		if unicode.IsControl(r) || r >= 0x202a && r <= 0x202e {
			return fmt.Errorf("a text of %q has the control character %U", key, r)
		}
	}
	return nil
}

// formsError says which plural forms are missing, and which the language does
// not have. One text without a form is the form "other".
func formsError(key string, want, got []string) error {
	if slices.Equal(got, []string{"other"}) {
		return fmt.Errorf("%q has the plural forms %s in this language; give a text for each", key, strings.Join(want, ", "))
	}
	var wrong []string
	for _, form := range want {
		if !slices.Contains(got, form) {
			wrong = append(wrong, form+" is missing")
		}
	}
	for _, form := range got {
		if !slices.Contains(want, form) {
			wrong = append(wrong, form+" is none of them")
		}
	}
	return fmt.Errorf("%q has the plural forms %s in this language: %s", key, strings.Join(want, ", "), strings.Join(wrong, ", "))
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// ours is a text as it stands in the language's file.
func (p *Printer) ours(key string) (map[string]string, bool) {
	for t := p.texts; t != nil; t = t.fallback {
		if text, ok := t.plain[key]; ok {
			return map[string]string{"other": text}, true
		}
		if pt, ok := t.patterns[key]; ok {
			return map[string]string{"other": pt.String()}, true
		}
		if plural, ok := t.plurals[key]; ok {
			forms := map[string]string{}
			for form, pt := range plural {
				forms[form] = pt.String()
			}
			return forms, true
		}
	}
	return nil, false
}

// String is the text a pattern was made of.
func (pt pattern) String() string {
	var b strings.Builder
	for _, part := range pt {
		if part.name == "" {
			b.WriteString(part.words)
		} else {
			b.WriteString("{{." + part.name + "}}")
		}
	}
	return b.String()
}

// Sentence is a text an operator may put other words in the place of.
type Sentence struct {
	Key   string
	Forms map[string]string // as Check wants them
}

// Sentences lists a language's texts by key, without those that are settings.
func Sentences(lang string) []Sentence {
	p := For(Code(lang))
	var list []Sentence
	for _, key := range loaded().keys() {
		if slices.ContainsFunc(settled, func(begin string) bool { return strings.HasPrefix(key, begin) }) {
			continue
		}
		if forms, ok := p.ours(key); ok {
			list = append(list, Sentence{key, forms})
		}
	}
	return list
}

// keys are those of the default language, in order.
func (c *catalog) keys() []string {
	t := c.texts[Default]().texts
	keys := slices.Collect(maps.Keys(t.plain))
	keys = slices.AppendSeq(keys, maps.Keys(t.patterns))
	keys = slices.AppendSeq(keys, maps.Keys(t.plurals))
	slices.Sort(keys)
	return keys
}

// nearest is the key that needs the fewest letters changed to become another.
func nearest(key string, keys []string) string {
	best, least := "", len(key)/3+2
	for _, k := range keys {
		if d := levenshtein.ComputeDistance(key, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// ParseForms reads texts written as in our own files: keys with a text or
// with plural forms.
func ParseForms(data []byte) (map[string]map[string]string, error) {
	entries, errs := readLocale("texts", data)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	all := map[string]map[string]string{}
	for key, e := range entries {
		all[key] = e.forms
		if e.forms == nil {
			all[key] = map[string]string{"other": e.text}
		}
	}
	return all, nil
}
