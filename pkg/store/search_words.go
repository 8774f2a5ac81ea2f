package store

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// phrase is a word somebody typed, as the index cuts it up: "e-mail" is two
// tokens that follow one another.
type phrase struct {
	tokens []string
	begins bool // the last token is only the beginning of one
}

// searchWords cuts up what somebody typed. Words without a letter or digit
// are nothing to search for. The last word may be a beginning, unless it is a
// single letter.
func searchWords(typed string) []phrase {
	var words []phrase
	for _, w := range strings.Fields(typed) {
		if t := tokens(w); len(t) > 0 && len(words) < maxWords {
			words = append(words, phrase{tokens: t})
		}
	}
	if n := len(words); n > 0 {
		words[n-1].begins = utf8.RuneCountInString(words[n-1].last()) > 1
	}
	return words
}

// tokens cuts text up like the index's tokenizer, "unicode61
// remove_diacritics 2": runs of letters and digits in lower case, without
// their accents.
func tokens(text string) []string {
	var all []string
	var b strings.Builder
	end := func() {
		if b.Len() > 0 {
			all = append(all, b.String())
			b.Reset()
		}
	}
	for _, r := range norm.NFD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r), unicode.IsNumber(r), unicode.Is(unicode.Co, r):
			b.WriteRune(unicode.ToLower(r))
		default:
			end()
		}
	}
	end()
	return all
}

func (p phrase) last() string { return p.tokens[len(p.tokens)-1] }

// in reports whether the tokens of a text hold the phrase.
func (p phrase) in(text []string) bool {
	last := len(p.tokens) - 1
	for i := range len(text) - last {
		if slices.Equal(text[i:i+last], p.tokens[:last]) &&
			(text[i+last] == p.tokens[last] || p.begins && strings.HasPrefix(text[i+last], p.tokens[last])) {
			return true
		}
	}
	return false
}

// shortPrefix is the longest beginning that the index keeps lists of its own
// for (its option prefix). The hits of a longer one would have to be put
// together from those of every word that begins so.
const shortPrefix = 3

// exactly is the expression for messages that hold all the words. Each is
// quoted, so that nothing in it is read as an operator.
func exactly(words []phrase) string {
	parts := make([]string, len(words))
	for i, w := range words {
		parts[i] = `"` + strings.Join(w.tokens, " ") + `"`
		if w.begins && utf8.RuneCountInString(w.last()) <= shortPrefix {
			parts[i] += " *"
		}
	}
	return strings.Join(parts, " AND ")
}

// roughly is an expression that every ticket with all the words meets with
// one of its messages, and few others: the longest token that was typed
// whole, or else the first letters of the last one.
func roughly(words []phrase) string {
	longest := ""
	for i, w := range words {
		whole := w.tokens
		if i == len(words)-1 && w.begins {
			whole = whole[:len(whole)-1]
		}
		for _, t := range whole {
			if len(t) > len(longest) {
				longest = t
			}
		}
	}
	if longest != "" {
		return `"` + longest + `"`
	}
	last := []rune(words[len(words)-1].last())
	return `"` + string(last[:min(len(last), shortPrefix)]) + `" *`
}
