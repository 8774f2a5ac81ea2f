package i18n

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOperatorsWordsAreChecked(t *testing.T) {
	one := func(s string) map[string]string { return map[string]string{"other": s} }
	for name, tt := range map[string]struct {
		lang, key string
		forms     map[string]string
		want      string // "" is fine
	}{
		"other words":             {"en", "sign_in.heading", one("Welcome to {{.Portal}}"), ""},
		"a placeholder less":      {"en", "sign_in.heading", one("Welcome"), ""},
		"a placeholder twice":     {"sv", "sign_in.heading", one("{{.Portal}}, {{.Portal}}"), ""},
		"another placeholder":     {"en", "sign_in.heading", one("Welcome, {{.Name}}"), "there is {{.Portal}}"},
		"one where none is":       {"en", "sign_in.title", one("{{.Portal}}"), "there is none"},
		"a broken placeholder":    {"en", "sign_in.heading", one("{{Portal}}"), "{{.Name}}"},
		"all plural forms":        {"en", "tickets.found", map[string]string{"one": "x", "other": "{{.Count}}"}, ""},
		"a plural form too few":   {"en", "duration.days", map[string]string{"other": "{{.Count}} d"}, "one, other"},
		"a plural form too many":  {"en", "duration.days", map[string]string{"one": "x", "few": "y", "other": "{{.Count}} d"}, "one, other"},
		"plurals where none are":  {"en", "sign_in.title", map[string]string{"one": "x", "other": "y"}, "no plural forms"},
		"nothing":                 {"en", "sign_in.title", one(" "), "empty"},
		"too much":                {"en", "sign_in.title", one(strings.Repeat("ö", 1001)), "1000"},
		"just enough":             {"en", "sign_in.title", one(strings.Repeat("ö", 1000)), ""},
		"a line break":            {"en", "sign_in.title", one("a\nb"), "control character U+000A"},
		"an override":             {"en", "sign_in.title", one("a\u202eb"), "control character U+202E"},
		"no text at all":          {"en", "sign_in.titel", one("x"), `no text "sign_in.titel"`},
		"a setting":               {"en", "time.hours", one("12"), "setting"},
		"a direction":             {"en", "language.dir", one("rtl"), "setting"},
		"a language that is none": {"tlh", "sign_in.title", one("x"), "tlh"},
		"not UTF-8":               {"en", "sign_in.title", one("a\xff"), "UTF-8"},
	} {
		if name == "all plural forms" {
			tt.key = "duration.days"
		}
		err := Check(tt.lang, tt.key, tt.forms)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	var unknown *KeyError
	for key, want := range map[string]string{"sign_in.titel": "sign_in.title", "signin.title": "sign_in.title", "ticket.anser": "ticket.answer", "zzzzzzzzzzzzzzzzzzzz": ""} {
		if err := Check("en", key, nil); !errors.As(err, &unknown) || unknown.Nearest != want {
			t.Errorf("for %q %q is suggested, want %q", key, unknown.Nearest, want)
		}
	}
}

// What is listed may be set: our own texts pass the check in every language.
func TestOurTextsPassTheirCheck(t *testing.T) {
	for _, l := range Languages() {
		list := Sentences(l.Code)
		if len(list) < 500 {
			t.Errorf("%s lists %d sentences", l.Code, len(list))
		}
		p := For(l.Code)
		for _, s := range list {
			if err := p.check(s.Key, s.Forms); err != nil {
				t.Errorf("%s: %v", l.Code, err)
			}
		}
	}
}

func TestOperatorsWordsArePrinted(t *testing.T) {
	en, at := For("en-US"), time.Date(2026, 11, 18, 14, 5, 0, 0, time.UTC)
	p := en.With(map[string]map[string]string{
		"sign_in.heading": {"other": "Welcome to {{.Portal}}"},
		"sign_in.title":   {"other": "Enter"},
		"duration.days":   {"one": "a single day", "other": "{{.Count}} whole days"},
		"date.long":       {"other": "{{.Month}} {{.Day}}, {{.Year}}"},
		"sign_in.email":   {"other": "{{.Wrong}}"}, // refused by Check, so ours stays
		"gone.key":        {"other": "from an older version"},
	})
	for _, tt := range []struct{ got, want string }{
		{p.T("sign_in.heading", "Portal", "Nordlys"), "Welcome to Nordlys"},
		{p.T("sign_in.title"), "Enter"},
		{p.N("duration.days", 1), "a single day"},
		{p.N("duration.days", 1234), "1,234 whole days"},
		{p.DateTime(at), "November 18, 2026 at 2:05\u00a0PM"},
		{p.T("sign_in.email"), en.T("sign_in.email")},
		{p.T("sign_in.button"), en.T("sign_in.button")},
		{p.T("gone.key"), "⟦gone.key⟧"},
		{en.T("sign_in.title"), "Sign in"},
		{p.Tag() + p.Lang() + p.Dir(), "en-USenltr"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	if en.With(nil) != en {
		t.Error("a printer without other words is a new one")
	}
}

func TestFilesOfWordsAreRead(t *testing.T) {
	got, err := ParseForms([]byte("\"a.b\" = \"x\"\n\"c\" = { one = \"1\", other = \"2\" } # note\n"))
	if err != nil || len(got) != 2 || !maps.Equal(got["a.b"], map[string]string{"other": "x"}) || !maps.Equal(got["c"], map[string]string{"one": "1", "other": "2"}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"a.b = \"x\"", "\"a\" = 1", "\"a", "[t]\n\"a\" = \"x\"\n\"z\" = 1"} {
		if got, err := ParseForms([]byte(bad)); err == nil {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
}

func BenchmarkPlainTextWithOwnWords(b *testing.B) {
	p := For("sv").With(map[string]map[string]string{"sign_in.title": {"other": "Stig på"}})
	b.ReportAllocs()
	for b.Loop() {
		p.T("status.waiting_on_us")
	}
}

func TestEveryLanguageHasItsWordForANote(t *testing.T) {
	words := NoteWords()
	if !slices.Contains(words, "note") || !slices.Contains(words, "ملاحظة") {
		t.Errorf("the words are %q", words)
	}
	for _, lang := range Codes() {
		for own := range strings.SplitSeq(strings.ReplaceAll(For(lang).T("mail.agent.note_words"), "،", ","), ",") {
			own = strings.ToLower(strings.TrimSpace(own))
			if own == "" || strings.Contains(own, ":") || !slices.Contains(words, own) {
				t.Errorf("%s: %q is not among %q", lang, own, words)
			}
		}
	}
}
