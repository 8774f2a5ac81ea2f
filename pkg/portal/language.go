package portal

import (
	"slices"
	"strings"
)

// LanguageCode is the language of a tag without its country: en for en-GB.
func LanguageCode(tag string) string {
	code, _, _ := strings.Cut(tag, "-")
	return code
}

// SameLanguage returns next, or the present tag when it is the same language
// with a country: who chooses English again keeps British dates.
func SameLanguage(present, next string) string {
	if next != "" && LanguageCode(present) == next {
		return present
	}
	return next
}

// Offers lists the codes of the languages the portal's pages and mails come
// in: its domain's first, then the others an operator named. The help desk
// comes in every language there is.
func (p *Portal) Offers() []string {
	own := LanguageCode(p.Language())
	list := []string{own}
	for _, code := range p.Languages {
		if code != own {
			list = append(list, code)
		}
	}
	return list
}

// Speaks reports whether the portal's pages come in the language of a tag.
func (p *Portal) Speaks(tag string) bool {
	code := LanguageCode(tag)
	return code != "" && (p.IsDesk() || code == LanguageCode(p.Language()) || slices.Contains(p.Languages, code))
}

// LanguageFor is the language the portal writes to somebody in who chose own:
// that if the portal offers it, else its domain's.
func (p *Portal) LanguageFor(own string) string {
	if p.Speaks(own) {
		return own
	}
	return p.Language()
}
