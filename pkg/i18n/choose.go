package i18n

import (
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// wish is one language a browser asks for that there are texts in.
type wish struct{ code, region string }

// locale is the wish as a tag: en, or en-GB.
func (w wish) locale() string {
	if w.region == "" {
		return w.code
	}
	return w.code + "-" + w.region
}

// Bounds of what is kept of Accept-Language headers, which strangers send:
// few browsers send a long one, and few of them differ.
const (
	longestAccept = 500
	mostAccepts   = 500
)

// wishes are the languages a header asks for, the dearest first. A header
// that cannot be read asks for nothing.
func (c *catalog) wishes(accept string) []wish {
	if accept == "" || len(accept) > longestAccept {
		return nil
	}
	if list, ok := c.accepts.Load(accept); ok {
		return list.([]wish)
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return nil
	}
	var list []wish
	for _, tag := range tags {
		if code, ok := c.matchTag(tag); ok {
			list = append(list, wish{code, regionOf(tag)})
		}
	}
	if c.heard.Load() < mostAccepts {
		// The header is part of a request's memory; the key must not be.
		if _, already := c.accepts.LoadOrStore(strings.Clone(accept), list); !already {
			c.heard.Add(1)
		}
	}
	return list
}

// Pick returns the language of offered that a browser likes best, by its
// Accept-Language header, with the country if it names one: en-GB. offered
// are codes of languages; none stands for all of them. ok is false when the
// browser reads none of them.
func Pick(accept string, offered ...string) (tag string, ok bool) {
	return loaded().pick(accept, offered)
}

func (c *catalog) pick(accept string, offered []string) (string, bool) {
	for _, w := range c.wishes(accept) {
		if len(offered) == 0 || slices.Contains(offered, w.code) {
			return w.locale(), true
		}
	}
	return "", false
}

// Locale adds a country to a language that names none, so that clock and
// calendar are those of the reader: the one their browser names together with
// the language, else that of the first of the tags in the same language.
func Locale(tag, accept string, tags ...string) string { return loaded().locale(tag, accept, tags) }

func (c *catalog) locale(tag, accept string, tags []string) string {
	if c.texts[tag] == nil {
		return tag // with a country already, or nothing to add one to
	}
	for _, w := range c.wishes(accept) {
		if w.code == tag && w.region != "" {
			return w.locale()
		}
	}
	for _, other := range tags {
		if base, _, ok := strings.Cut(other, "-"); ok && base == tag {
			return other
		}
	}
	return tag
}

// Code is the language of a tag without its country: en for en-GB.
func Code(tag string) string {
	code, _, _ := strings.Cut(tag, "-")
	return code
}

// Canonical writes a language as it is kept: the code of one there are texts
// in, and the country if one was given. "EN_gb" is en-GB. ok is false when
// there are no texts in exactly that language.
func Canonical(s string) (tag string, ok bool) {
	c := loaded()
	s = strings.ReplaceAll(strings.TrimSpace(s), "_", "-")
	parsed, err := language.Parse(s)
	if err != nil || s == "" {
		return "", false
	}
	// Readers of Nynorsk are served by Bokmål; who sets a language that is not
	// there is told. "no" is how many programs call Bokmål.
	code, ok := c.matchTag(parsed)
	if base := strings.ToLower(Code(s)); !ok || base != code && base != "no" {
		return "", false
	}
	return wish{code, regionOf(parsed)}.locale(), true
}
