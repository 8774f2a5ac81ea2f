package app

import (
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

// threeLanguages stands in for the texts, which app does not know.
var threeLanguages = &Texts{
	Languages: []string{"en", "fi", "sv"},
	Canonical: func(tag string) (string, bool) {
		tag = strings.ReplaceAll(tag, "_", "-")
		code, region, _ := strings.Cut(tag, "-")
		code = strings.ToLower(code)
		if region != "" {
			tag = code + "-" + strings.ToUpper(region)
		} else {
			tag = code
		}
		return tag, slices.Contains([]string{"en", "fi", "sv"}, code)
	},
}

func TestLanguagesPeopleChooseAreThoseOfTheTexts(t *testing.T) {
	a := New(Options{Texts: threeLanguages})
	for s, want := range map[string]string{"": "", "sv": "sv", " fi ": "fi", "EN_gb": "en-GB"} {
		if got, err := a.language("language", s); got != want || err != nil {
			t.Errorf("%q is %q, %v, want %q", s, got, err, want)
		}
	}
	_, err := a.language("language", "tlh")
	if portal.KindOf(err) != portal.Invalid || !strings.Contains(err.Error(), "en, fi or sv") {
		t.Errorf("tlh is refused with %v", err)
	}
	for locale, want := range map[string]string{"sv_SE": "sv-SE", "fi": "fi", "tlh": "", "": ""} {
		if got := a.localeLanguage(locale); got != want {
			t.Errorf("the locale %q is %q, want %q", locale, got, want)
		}
	}
	if _, err := New(Options{}).language("language", "sv"); err == nil {
		t.Error("an app that was told of no texts takes Swedish")
	}
}
