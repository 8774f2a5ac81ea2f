package app

import (
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Texts is what App has to know of the texts people read. The texts themselves
// are not its business: whoever makes an App hands this in.
type Texts struct {
	// Languages are the codes of the languages there are texts in.
	Languages []string
	// Canonical writes a language as it is kept, a code with the country if
	// one was given: "EN_gb" is en-GB. It refuses those there are no texts in.
	Canonical func(tag string) (string, bool)
	// NoteWords are the words that make an agent's mail an internal note, in
	// lower case; "note" does so anyway.
	NoteWords []string
	// Check says what is wrong with an operator's words for a text.
	Check func(language, key string, text portal.Text) error
}

// onlyEnglish is what an App knows that was told nothing of texts.
var onlyEnglish = Texts{
	Languages: []string{defaultLanguage},
	Canonical: func(tag string) (string, bool) {
		return defaultLanguage, strings.EqualFold(portal.LanguageCode(tag), defaultLanguage)
	},
	Check: func(_, key string, _ portal.Text) error {
		return portal.NotFoundf("text.none", "there is no text %q", key)
	},
}

// language checks a language people may choose; "" means the portal's.
func (a *App) language(field, s string) (string, error) {
	s, err := line(field, s)
	if err != nil || s == "" {
		return "", err
	}
	if tag, ok := a.texts.Canonical(s); ok {
		return tag, nil
	}
	return "", portal.Invalidf("field.language", field, "%q is not a language portals speak; use %s", s, oneOf(a.texts.Languages))
}

// offer sets the languages a portal offers. Countries are left out: which one
// a reader lives in is theirs to say.
func (a *App) offer(l *changeList, p *portal.Portal, tags []string) error {
	codes := []string{}
	for _, s := range tags {
		tag, err := a.language("languages", s)
		if err != nil {
			return err
		}
		if code := portal.LanguageCode(tag); code != "" && !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	before := strings.Join(p.Offers(), ",")
	if slices.Equal(codes, p.Languages) {
		return nil
	}
	p.Languages = codes
	l.note("languages", before, strings.Join(p.Offers(), ","))
	return nil
}

// oneOf lists words for a sentence: sv, en or fi.
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	words = slices.Clone(words)
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// localeLanguage is the language of ours that a locale such as sv_SE asks
// for, or "" for the portal's.
func (a *App) localeLanguage(locale string) string {
	tag, ok := a.texts.Canonical(locale)
	if !ok {
		return ""
	}
	return tag
}
