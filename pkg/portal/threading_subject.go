package portal

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// SubjectTag is how the subject of a mail names its ticket: [T-1042].
func SubjectTag(n TicketNumber) string { return "[" + n.String() + "]" }

// tag finds what SubjectTag writes, in any case.
var tag = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)\[T-(\d{1,18})\]`) })

// SubjectTags are the tickets a subject names, each once, in order.
func SubjectTags(subject string) []TicketNumber {
	var all []TicketNumber
	for _, m := range tag().FindAllStringSubmatch(subject, 20) {
		if n, err := ParseTicketNumber(m[1]); err == nil && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

// replyWords stand before the subject of an answered or forwarded mail.
var replyWords = []string{
	"re", "fw", "fwd", // English and whoever keeps it
	"aw", "antw", "antwort", "wg", // German, Dutch
	"sv", "svar", "vs", "vb", "vl", "vid", "ang", // Swedish, Danish, Norwegian, Finnish
	"tr", "rép", "rv", "enc", "res", "rif", "inoltra", // French, Spanish, Portuguese, Italian
	"odp", "pd", "odpověď", "vá", "továbbítás", "ynt", "ilt", // Polish, Czech, Hungarian, Turkish
	"отв", "ответ", "пересл", "на", "σχετ", "απ", "πρθ", // Russian, Bulgarian, Greek
	"回复", "答复", "转发", "回覆", "轉寄", "返信", "転送", "회신", "전달", // Chinese, Japanese, Korean
	"השב", "הועבר", "רד", "רע", "رد", "إعادة توجيه", "bls", // Hebrew, Arabic, Indonesian
}

// CleanSubject is a mail's subject as that of a ticket: without tags of ours
// and without what answering and forwarding put before it, on one line of at
// most MaxLine characters. It is empty when nothing is left.
func CleanSubject(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case IsBidiControl(r):
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
	s = tag().ReplaceAllString(s, " ")
	s = strings.Join(strings.Fields(s), " ")
	for {
		rest, cut := cutReplyWord(s)
		if !cut {
			break
		}
		s = rest
	}
	if utf8.RuneCountInString(s) > MaxLine {
		s = strings.TrimSpace(string([]rune(s)[:MaxLine-1])) + "…"
	}
	return s
}

// cutReplyWord takes one word such as "Re:", "AW :" or "Re[2]:" off the front.
func cutReplyWord(s string) (rest string, cut bool) {
	at := strings.IndexAny(s, ":：")
	if at <= 0 || at > 40 {
		return s, false
	}
	word := strings.ToLower(strings.TrimSpace(s[:at]))
	if i := strings.IndexAny(word, "[(^"); i > 0 { // a count of answers
		if strings.Trim(word[i:], "[]()^0123456789") != "" {
			return s, false
		}
		word = strings.TrimSpace(word[:i])
	}
	if !slices.Contains(replyWords, word) {
		return s, false
	}
	_, size := utf8.DecodeRuneInString(s[at:])
	return strings.TrimSpace(s[at+size:]), true
}
