package output

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Clean makes a text harmless for a terminal, as one line: escape sequences,
// control characters and bidirectional overrides go, line breaks and tabs
// become a space. Customers write what operators read, and a terminal obeys
// what it is sent.
func Clean(s string) string {
	return strings.TrimSpace(clean(s, func(rune) rune { return ' ' }))
}

// CleanText is Clean for a text of several lines: line breaks and tabs stay.
func CleanText(s string) string {
	return clean(s, func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return ' '
	})
}

// clean drops what a terminal would act on. Of an escape sequence only the
// escape goes: the rest is then plain text and shows that something was there.
func clean(s string, space func(rune) rune) string {
	if plain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == '\v' || r == '\f' || r == 0x85 || r == 0x2028 || r == 0x2029:
			return space(r)
		case invisible(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), "\ufffd"))
}

// invisible reports whether r does something to a terminal instead of being
// seen: C0 and C1 controls, direction marks, tags, stray byte-order marks.
// Joiners and variation selectors stay: emoji and some scripts need them.
func invisible(r rune) bool {
	return unicode.IsControl(r) || portal.IsBidiControl(r) || r == 0xFEFF || r == 0x00AD ||
		r >= 0x206A && r <= 0x206F || r >= 0xFFF9 && r <= 0xFFFB || r >= 0xE0000 && r <= 0xE007F
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// escapeJSON writes the characters of a JSON text that encoding/json leaves as
// they are, but a terminal would act on, as \u escapes: the data is the same.
func escapeJSON(text []byte) []byte {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range string(text) {
		switch {
		case r == '\n' || r < utf8.RuneSelf && r != 0x7f || !invisible(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := surrogates(r)
			writeEscape(&b, high)
			writeEscape(&b, low)
		default:
			writeEscape(&b, r)
		}
	}
	return []byte(b.String())
}

func writeEscape(b *strings.Builder, r rune) {
	const digits = "0123456789abcdef"
	b.WriteString(`\u`)
	for shift := 12; shift >= 0; shift -= 4 {
		b.WriteByte(digits[r>>shift&0xf])
	}
}
