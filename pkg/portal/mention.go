package portal

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FindMentions returns the agents a note names with @: by address, by their
// whole name or, where only one is called so, by its first word. What names
// nobody is text like any other. A name that several have is refused, because
// nobody could tell who was meant.
func FindMentions(text string, agents []Agent) ([]AgentID, error) {
	lower := strings.ToLower(text)
	var found []AgentID
	for at := 0; ; {
		i := strings.IndexByte(lower[at:], '@')
		if i < 0 {
			return found, nil
		}
		i += at
		at = i + 1
		if before, _ := utf8.DecodeLastRuneInString(lower[:i]); i > 0 && (wordRune(before) || before == '@' || before == '.') {
			continue // the middle of an address
		}
		who, length, name := mentioned(lower[i+1:], agents)
		if len(who) > 1 {
			return nil, Invalidf("mention.ambiguous", "body", "several agents are called %q; write the whole name or the address behind the @", name).With("Name", name)
		}
		if len(who) == 1 {
			at = i + 1 + length
			if !slices.Contains(found, who[0]) {
				found = append(found, who[0])
			}
		}
	}
}

// mentioned finds whom the longest name or address at the start of a text,
// which is in lower case, belongs to.
func mentioned(text string, agents []Agent) (who []AgentID, length int, name string) {
	for i := range agents {
		a := &agents[i]
		first, _, _ := strings.Cut(a.Name, " ")
		for _, word := range []string{a.Email, a.Name, first} {
			l := strings.ToLower(word)
			if l == "" || len(l) < length || !strings.HasPrefix(text, l) || !wordEnds(text[len(l):]) {
				continue
			}
			if len(l) > length {
				who, length, name = nil, len(l), word
			}
			if !slices.Contains(who, a.ID) {
				who = append(who, a.ID)
			}
		}
	}
	return who, length, name
}

// wordEnds reports whether a name may end before rest: not in the middle of a
// longer name or of an address.
func wordEnds(rest string) bool {
	r, size := utf8.DecodeRuneInString(rest)
	if size == 0 {
		return true
	}
	if wordRune(r) {
		return false
	}
	if strings.ContainsRune(".-@", r) {
		next, size := utf8.DecodeRuneInString(rest[size:])
		return size == 0 || !wordRune(next)
	}
	return true
}

func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
