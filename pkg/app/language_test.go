package app

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// threeLanguages stands in for the texts, which app does not know.
var threeLanguages = &Texts{
	Languages: []string{"en", "fi", "sv"},
	NoteWords: []string{"note", "sisäinen muistiinpano", "notera", "anteckning"},
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
	Check: func(_, key string, text portal.Text) error {
		if key == "no.such" || text["other"] == "" {
			return portal.Invalidf("text.invalid", "text", "%q is wrong", key)
		}
		return nil
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

func TestMailIsInTheRecipientsLanguageIfThePortalOffersIt(t *testing.T) {
	w := newWorld(t, nil)
	tests := []struct {
		own, domain string
		offers      []string
		want        string
	}{
		{"", "en", nil, "en"},
		{"sv", "en", nil, "en"},
		{"sv", "en", []string{"fi", "sv"}, "sv"},
		{"sv-FI", "en", []string{"sv"}, "sv-FI"},
		{"en-US", "en", nil, "en-US"},
		{"", "en-GB", []string{"sv"}, "en-GB"},
		{"fi", "sv", []string{"en"}, "sv"},
		{"en", "sv", []string{"en"}, "en"},
	}
	for _, tt := range tests {
		w.write(func(ctx context.Context, tx *store.Tx) error {
			w.ana.Language, w.portal.Languages = tt.own, tt.offers
			w.portal.Domain.Language = tt.domain
			if err := errors.Join(tx.SaveContact(ctx, w.ana), tx.SavePortal(ctx, w.portal), tx.SaveDomain(ctx, &w.portal.Domain)); err != nil {
				return err
			}
			p, err := w.pack(ctx, tx, &store.Mail{Kind: store.MailSignIn, Portal: w.portal.ID, Contact: w.ana.ID, Recipient: w.ana.Email, CreatedAt: tx.Now})
			if err == nil && p.letter.Language != tt.want {
				t.Errorf("a contact who chose %q gets mail of a portal in %s that offers %v in %q, want %q", tt.own, tt.domain, tt.offers, p.letter.Language, tt.want)
			}
			return err
		})
	}
}

func TestPortalOffersLanguages(t *testing.T) {
	w := newWorld(t, nil)
	set := func(languages ...string) ([]Change, error) {
		r, err := w.SetPortal(t.Context(), w.portal.ID, PortalChanges{Languages: &languages})
		if err != nil {
			return nil, err
		}
		return r.Changes, nil
	}
	for _, tt := range []struct {
		languages []string
		want      []Change
	}{
		{[]string{"sv", "EN", "sv_FI"}, []Change{{"languages", "en", "en,sv"}}},
		{[]string{"sv", "en"}, nil},
		{[]string{"fi"}, []Change{{"languages", "en,sv", "en,fi"}}},
		{nil, []Change{{"languages", "en,fi", "en"}}},
	} {
		if got, err := set(tt.languages...); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("offering %v changes %v, %v, want %v", tt.languages, got, err, tt.want)
		}
	}
	if _, err := set("sv", "tlh"); portal.KindOf(err) != portal.Invalid {
		t.Errorf("offering Klingon: %v", err)
	}
}

func TestOperatorsOwnSentences(t *testing.T) {
	w := newWorld(t, nil)
	second := w.second("second")
	set := func(language string, texts map[string]portal.Text) []Change {
		t.Helper()
		changes, err := w.SetTexts(t.Context(), w.portal.ID, language, texts)
		if err != nil {
			t.Fatal(err)
		}
		return changes
	}
	if got := set("en", map[string]portal.Text{"a": {"other": "A"}, "b": {"one": "1", "other": "2"}}); len(got) != 2 || got[1] != (Change{"b (en)", "", "one=1 | other=2"}) {
		t.Errorf("setting two sentences changes %v", got)
	}
	if got := set("en", map[string]portal.Text{"a": {"other": "A"}}); len(got) > 0 {
		t.Errorf("setting one again changes %v", got)
	}
	set("sv", map[string]portal.Text{"a": {"other": "Å"}})
	// All mistakes at once, and nothing is changed.
	_, err := w.SetTexts(t.Context(), w.portal.ID, "en", map[string]portal.Text{"a": {"other": "new"}, "no.such": {"other": "x"}, "c": {"other": ""}})
	if err == nil || !strings.Contains(err.Error(), "no.such") || !strings.Contains(err.Error(), `"c"`) {
		t.Errorf("two mistakes are told as %v", err)
	}
	list, err := w.PortalTexts(t.Context(), w.portal.ID)
	if err != nil || len(list) != 3 || list[0].Text["other"] != "A" {
		t.Errorf("the sentences are %v, %v", list, err)
	}
	if v := w.visit(""); v.Portal.Texts == nil || v.Portal.Texts.Entries["sv"]["a"]["other"] != "Å" {
		t.Error("a visit does not know the portal's sentences")
	}
	// A mail of the portal has them, one of another portal has not.
	w.write(func(ctx context.Context, tx *store.Tx) error {
		for _, p := range []*portal.Portal{w.portal, second} {
			m, err := w.pack(ctx, tx, &store.Mail{Kind: store.MailSignIn, Portal: p.ID, Contact: w.ana.ID, Recipient: w.ana.Email, CreatedAt: tx.Now})
			if err != nil {
				return err
			}
			if has := m.letter.Texts != nil && m.letter.Texts.Entries["en"]["a"]["other"] == "A"; has != (p == w.portal) {
				t.Errorf("a mail of %q has the sentences: %v", p.Name, has)
			}
		}
		return nil
	})
	if got := set("en", map[string]portal.Text{"a": nil, "b": nil, "never.set": nil}); len(got) != 2 {
		t.Errorf("giving them back changes %v", got)
	}
	set("sv", map[string]portal.Text{"a": nil})
	if v := w.visit(""); v.Portal.Texts != nil {
		t.Error("a portal without sentences of its own keeps a list of them")
	}
	if _, err := w.SetTexts(t.Context(), 999, "en", map[string]portal.Text{"a": {"other": "A"}}); portal.KindOf(err) != portal.NotFound {
		t.Errorf("a portal that is not there: %v", err)
	}
}

func TestAPreviewHasTheOperatorsOwnSentences(t *testing.T) {
	w := newWorld(t, nil)
	if _, err := w.SetTexts(t.Context(), w.portal.ID, "en", map[string]portal.Text{"a": {"other": "A"}}); err != nil {
		t.Fatal(err)
	}
	base := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	shown, err := w.PreviewPortal(t.Context(), w.portal.ID, PortalChanges{}, base, "")
	if err != nil {
		t.Fatal(err)
	}
	v, err := shown.App.Enter(t.Context(), base.Host, shown.Portal.BasePath()+"/sign-in", "")
	if err != nil {
		t.Fatal(err)
	}
	if own := v.Portal.Texts; own == nil || own.Entries["en"]["a"]["other"] != "A" {
		t.Errorf("a preview has the sentences %v, want those customers read", own)
	}
}
