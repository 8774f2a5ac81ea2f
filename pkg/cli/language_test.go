package cli

import (
	"slices"
	"testing"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
)

// app may not import i18n and keeps a list of its own.
func TestLanguagesPeopleMayChooseAreThoseThereAreTextsIn(t *testing.T) {
	var texts []string
	for _, l := range i18n.Languages() {
		texts = append(texts, l.Code)
	}
	chosen := slices.Clone(app.Languages)
	slices.Sort(texts)
	slices.Sort(chosen)
	if !slices.Equal(texts, chosen) {
		t.Errorf("people may choose %v, there are texts in %v", chosen, texts)
	}
}
