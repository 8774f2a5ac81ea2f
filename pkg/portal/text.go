package portal

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanLine checks one line a person typed: white space at the ends is
// dropped, runs of it become one space; invalid UTF-8, control characters,
// bidirectional overrides and more than MaxLine characters are refused.
func CleanLine(field, s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", Invalidf("field.utf8", field, "%s is not valid UTF-8 text", field)
	}
	s = strings.Join(strings.Fields(s), " ")
	for _, r := range s {
		if unicode.IsControl(r) || IsBidiControl(r) {
			return "", Invalidf("field.control", field, "%s contains the invisible character U+%04X; remove it", field, r)
		}
	}
	if n := utf8.RuneCountInString(s); n > MaxLine {
		return "", Invalidf("field.too_long", field, "%s has %d characters; at most %d fit", field, n, MaxLine).With("Max", MaxLine)
	}
	return s, nil
}

// CleanBody checks a message text: line ends become \n, trailing space goes,
// NUL and other control characters but tab and newline are dropped; empty
// text, invalid UTF-8 and more than MaxBody bytes are refused. Bidirectional
// overrides stay in the text and are made harmless where it is shown.
func CleanBody(field, s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", Invalidf("field.utf8", field, "%s is not valid UTF-8 text", field)
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	s = strings.TrimRightFunc(strings.Trim(s, "\n"), unicode.IsSpace)
	if strings.TrimSpace(s) == "" {
		return "", Invalidf("field.required", field, "%s is missing", field)
	}
	if len(s) > MaxBody {
		return "", Invalidf("field.too_large", field, "%s has %d bytes; at most %d fit, attach the rest as a file", field, len(s), MaxBody).With("Max", MaxBody>>10)
	}
	return s, nil
}

// IsBidiControl reports whether r changes the direction of the text around
// it, so that what is read differs from what is stored.
func IsBidiControl(r rune) bool {
	return r == 0x061C || r == 0x200E || r == 0x200F || (r >= 0x202A && r <= 0x202E) || (r >= 0x2066 && r <= 0x2069)
}

// ParseEmail checks one bare e-mail address (RFC 5322 addr-spec, ASCII) and
// returns it in lower case, the form contacts are found by.
func ParseEmail(field, s string) (string, error) {
	s = strings.TrimSpace(s)
	bad := Invalidf("field.email", field, "%q is not an e-mail address; write it like name@example.com", s)
	if len(s) > 254 || strings.ContainsAny(s, " <>()[]\\,;:\"\t\r\n") {
		return "", bad
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return "", bad
		}
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return "", bad
	}
	local, domain, _ := strings.Cut(s, "@")
	if len(local) > 64 || !strings.Contains(domain, ".") || strings.HasPrefix(domain, ".") ||
		strings.HasSuffix(domain, ".") || strings.Contains(domain, "..") ||
		strings.HasPrefix(domain, "-") || strings.HasSuffix(domain, "-") {
		return "", bad
	}
	return strings.ToLower(s), nil
}

// EmailDomain returns the part behind the last @.
func EmailDomain(address string) string {
	return address[strings.LastIndexByte(address, '@')+1:]
}
