package portal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestCleanLineRefusesWhatCannotBeSeen(t *testing.T) {
	for in, want := range map[string]string{
		"  Printer  is\tbroken ": "Printer is broken",
		"Smörgås 🧇":              "Smörgås 🧇",
		"":                       "",
		"a\nb":                   "a b",
	} {
		if got, err := portal.CleanLine("subject", in); err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
	for _, bad := range []string{"a\x00b", "\x1b[31mred", "abc\u202Etxt.exe", "\xff", strings.Repeat("å", portal.MaxLine+1)} {
		if _, err := portal.CleanLine("subject", bad); portal.KindOf(err) != portal.Invalid {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestParseSlug(t *testing.T) {
	for in, want := range map[string]string{"": "", "/help/": "help", "Help-2": "help-2"} {
		if got, err := portal.ParseSlug(in); err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
	for _, bad := range []string{"a/b", "tickets", "sign-in", "-", "-x", "å", "helpdesk", strings.Repeat("a", 61)} {
		if _, err := portal.ParseSlug(bad); portal.KindOf(err) != portal.Invalid {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestErrorsFindsEveryProblemOfAForm(t *testing.T) {
	a := portal.Invalidf("field.required", "subject", "subject is missing")
	b := portal.Invalidf("field.required", "body", "body is missing")
	got := portal.Errors(fmt.Errorf("open: %w", errors.Join(a, errors.Join(b, nil))))
	if len(got) != 2 || got[0] != a || got[1] != b {
		t.Errorf("got %v", got)
	}
}

func FuzzParseTicketNumber(f *testing.F) {
	for _, s := range []string{"T-1042", "t-1", "1042", "T-", "-1", "T-0001", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := portal.ParseTicketNumber(s)
		if err != nil {
			return
		}
		if again, err := portal.ParseTicketNumber(n.String()); err != nil || again != n {
			t.Errorf("%q parsed as %v, which reads back as %v, %v", s, n, again, err)
		}
	})
}

func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"ana@example.com", "Ana@Example.COM", "a@b", "a b@c.d", "<a@b.c>", "a@b.c,d@e.f", "\"x\"@y.z", "a@-b.c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := portal.ParseEmail("email", s)
		if err != nil {
			return
		}
		if again, err := portal.ParseEmail("email", got); err != nil || again != got {
			t.Errorf("%q became %q, which reads back as %q, %v", s, got, again, err)
		}
		if strings.ContainsAny(got, "\r\n <>,;") || strings.Count(got, "@") != 1 {
			t.Errorf("%q was accepted as %q", s, got)
		}
	})
}

func FuzzParseRule(f *testing.F) {
	for _, s := range []string{`department equals Finance`, `a one-of x,"y,z" and b known`, `plan is-not "no \"name\"" and n less-than 3`, `"and" known`, `a known and`, `d before 2026-01-01`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		group, err := portal.ParseRule(s)
		if err != nil {
			return
		}
		written := portal.FormatRule(group)
		again, err := portal.ParseRule(written)
		if err != nil || portal.FormatRule(again) != written {
			t.Errorf("%q was written %q, which reads back as %v, %v", s, written, again, err)
		}
	})
}

func FuzzCleanBody(f *testing.F) {
	f.Add("Hello\r\n\r\nworld\x00\x1b[0m ")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := portal.CleanBody("body", s)
		if err != nil {
			return
		}
		if again, err := portal.CleanBody("body", got); err != nil || again != got {
			t.Errorf("%q became %q, then %q, %v", s, got, again, err)
		}
		if !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
			t.Errorf("%q became %q", s, got)
		}
	})
}
