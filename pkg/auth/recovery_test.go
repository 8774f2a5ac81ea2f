package auth

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
)

func TestRecoveryCodesAreReadAsPeopleTypeThem(t *testing.T) {
	form, seen := regexp.MustCompile(`^([0-9A-HJKMNP-TV-Z]{6}-){3}[0-9A-HJKMNP-TV-Z]{6}$`), map[string]bool{}
	for range 200 {
		code, hash := NewRecoveryCode()
		if !form.MatchString(code) || seen[code] {
			t.Fatalf("the code %q is not four groups of six, or came twice", code)
		}
		seen[code] = true
		typed := []string{
			code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), strings.ReplaceAll(code, "-", " "),
			"  " + code + "\n", strings.ReplaceAll(code, "-", "–"), strings.ReplaceAll(code, "0", "o"),
			strings.ReplaceAll(code, "0", "O"), strings.ReplaceAll(code, "1", "l"), strings.ReplaceAll(code, "1", "I"),
		}
		for _, s := range typed {
			if got, err := ParseRecoveryCode(s); err != nil || !bytes.Equal(got, hash) {
				t.Errorf("%q is read as %x, %v; want the hash of %s", s, got, err, code)
			}
		}
	}
}

func TestOtherTextsAreNoRecoveryCodes(t *testing.T) {
	const good = "000000-000000-000000-000000"
	if _, err := ParseRecoveryCode(good); err != nil {
		t.Fatalf("%q is refused: %v", good, err)
	}
	for _, s := range []string{"", "123456", good[1:], good + "0", strings.Replace(good, "0", "U", 1), strings.Replace(good, "0", "å", 1), strings.Repeat(" ", 200) + good} {
		if hash, err := ParseRecoveryCode(s); !errors.Is(err, ErrRecoveryCode) || hash != nil {
			t.Errorf("%q is read as %x, %v; want %v", s, hash, err, ErrRecoveryCode)
		}
	}
}

func FuzzParseRecoveryCode(f *testing.F) {
	f.Add("7Q2MXA-00ABCD-EFGHJK-MNPQRS")
	f.Add("oOlI1a 00abcd efghjk mnpqrs")
	f.Fuzz(func(t *testing.T, s string) {
		hash, err := ParseRecoveryCode(s)
		if err != nil {
			return
		}
		for _, again := range []string{strings.ToUpper(s), strings.ToLower(s), " " + s + " "} {
			if len(again) > 100 {
				continue
			}
			if got, err := ParseRecoveryCode(again); err != nil || !bytes.Equal(got, hash) {
				t.Errorf("%q and %q are read as %x and %x (%v)", s, again, hash, got, err)
			}
		}
	})
}
