package auth

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// MinPasswordLength is the shortest password, in characters, unless the
	// operator lowers it.
	MinPasswordLength = 15
	// LowestPasswordLength is how far an operator may lower it.
	LowestPasswordLength = 12
	// MaxPasswordBytes bounds the work a stranger can ask for. It is far above
	// what anybody types or a password manager makes.
	MaxPasswordBytes = 1024
)

// The reasons CheckPassword gives. They are keys of texts in i18n.
const (
	WeakTooShort = "password.too_short" // WeakError.Min is the least length
	WeakTooLong  = "password.too_long"  // WeakError.Max is the most bytes
	WeakNotText  = "password.not_text"  // not UTF-8
	WeakCommon   = "password.common"    // on the list everybody tries first
	WeakPattern  = "password.pattern"   // repeats, rows of the keyboard, counting
	WeakNames    = "password.names"     // made of the names given in the rules
)

// WeakError says why a password was refused.
type WeakError struct {
	Code string // one of the Weak… constants
	Min  int    // characters needed, for WeakTooShort
	Max  int    // bytes allowed, for WeakTooLong
}

// Error says what is wrong in English, for logs and the command line.
func (e WeakError) Error() string {
	switch e.Code {
	case WeakTooShort:
		return fmt.Sprintf("the password is too short; use at least %d characters", e.Min)
	case WeakTooLong:
		return fmt.Sprintf("the password is too long; use at most %d bytes", e.Max)
	case WeakNotText:
		return "the password is not valid UTF-8 text"
	case WeakCommon:
		return "the password is on a list of passwords that are tried first"
	case WeakPattern:
		return "the password repeats or counts; use several unrelated words"
	case WeakNames:
		return "the password is made of names that others know; use several unrelated words"
	}
	return "the password is too weak"
}

// PasswordRules is what a password is checked against besides the fixed rules.
type PasswordRules struct {
	// MinLength in characters. Zero means MinPasswordLength; anything below
	// LowestPasswordLength counts as that.
	MinLength int
	// Names are what a stranger would guess for this account: the portal's and
	// company's name, the person's name, the part of their address before @.
	Names []string
}

// leastUnits is how many unconnected characters must be left of a password
// after runs, repeats and known words count as one each.
const leastUnits = 6

// leastSquashed is how many letters and digits a password needs before they
// are judged without the symbols between them, as in 1-2-3-4-5-6-7-8.
const leastSquashed = 8

// commonWords are what people build passwords from at a customer portal,
// whatever the company is called.
var commonWords = []string{
	"portalctl", "password", "passwort", "lösenord", "losenord", "lösen",
	"customer", "support", "helpdesk", "portal", "ticket", "welcome",
	"välkommen", "valkommen", "kundtjänst", "kundtjanst", "login", "admin",
	"secret", "hemligt", "letmein", "changeme",
}

// CheckPassword returns a WeakError when a password must not be chosen. There
// are no rules on which characters it has to contain. Use it where a password
// is set, never where one is asked for, or old accounts are locked out.
func CheckPassword(password string, rules PasswordRules) error {
	if !utf8.ValidString(password) {
		return WeakError{Code: WeakNotText}
	}
	if len(password) > MaxPasswordBytes {
		return WeakError{Code: WeakTooLong, Max: MaxPasswordBytes}
	}
	normal := norm.NFC.String(password)
	if least := rules.minLength(); utf8.RuneCountInString(normal) < least {
		return WeakError{Code: WeakTooShort, Min: least}
	}
	lower := strings.ToLower(normal)
	if isCommon(lower) {
		return WeakError{Code: WeakCommon}
	}
	squashed := squash(lower)
	if isPattern([]rune(lower)) || utf8.RuneCountInString(squashed) >= leastSquashed && isPattern([]rune(squashed)) {
		return WeakError{Code: WeakPattern}
	}
	if madeOf(squashed, commonWords) {
		return WeakError{Code: WeakCommon}
	}
	if madeOf(squashed, slices.Concat(nameWords(rules.Names), commonWords)) {
		return WeakError{Code: WeakNames}
	}
	return nil
}

func (r PasswordRules) minLength() int {
	if r.MinLength == 0 {
		return MinPasswordLength
	}
	return max(r.MinLength, LowestPasswordLength)
}

// nameWords turns "Nordic Tools AB" into the whole and its words of three
// letters or more.
func nameWords(names []string) []string {
	var words []string
	for _, name := range names {
		name = strings.ToLower(norm.NFC.String(name))
		parts := strings.FieldsFunc(name, func(r rune) bool { return !isWordRune(r) })
		for _, word := range append(parts, squash(name)) {
			if utf8.RuneCountInString(word) >= 3 {
				words = append(words, word)
			}
		}
	}
	return words
}

// madeOf reports whether little is left of s, a squashed text, once the words
// are taken out. A text without any of them is judged by isPattern alone: what
// squash leaves of a password full of symbols may be short by chance.
func madeOf(s string, words []string) bool {
	// Longest first, or taking out "nord" would hide "nordic".
	words = slices.SortedFunc(slices.Values(words), func(a, b string) int { return len(b) - len(a) })
	rest := s
	for _, word := range words {
		// The gap is marked: closing it could make up a word that was not there.
		rest = strings.ReplaceAll(rest, word, " ")
	}
	if rest == s {
		return false
	}
	return units([]rune(strings.ReplaceAll(rest, " ", ""))) < leastUnits
}

// squash leaves the letters and digits: "Nordic-Tools!" is "nordictools".
func squash(s string) string {
	return strings.Map(func(r rune) rune {
		if isWordRune(r) {
			return r
		}
		return -1
	}, s)
}

func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}
