package incoming

import (
	"strings"
)

// word is one encoded word (RFC 2047) before it is decoded.
type word struct {
	charset string
	base64  bool
	text    string
	start   int
	end     int // where the text behind it begins
}

// decodeWords decodes the encoded words in a header's value, in whatever form
// they come: with spaces inside, without an end, cut in the middle of a
// character, encoded twice.
func decodeWords(s string, p *parser) string {
	for range 2 {
		if !strings.Contains(s, "=?") {
			break
		}
		decoded := decodeWordsOnce(s, p)
		if decoded == s {
			break
		}
		s = decoded
	}
	return s
}

func decodeWordsOnce(s string, p *parser) string {
	var b strings.Builder
	for at := 0; ; {
		w, ok := nextWord(s, at)
		if !ok {
			b.WriteString(s[at:])
			return b.String()
		}
		b.WriteString(s[at:w.start])
		// Words of one charset side by side are one text: senders cut
		// characters, and even the base64, in half.
		raw, pending := []byte(nil), ""
		end := w.end
		for {
			raw, pending = w.add(raw, pending)
			next, ok := nextWord(s, end)
			if !ok || strings.TrimSpace(s[end:next.start]) != "" {
				break
			}
			if !strings.EqualFold(next.charset, w.charset) {
				// White space between encoded words belongs to neither.
				end = next.start
				break
			}
			w, end = next, next.end
		}
		if pending != "" {
			raw = append(raw, lettersOf(pending)...)
		}
		text, problem := decodeText(raw, w.charset, p.hint)
		if problem != "" {
			p.problem(problem)
		}
		b.WriteString(text)
		at = end
	}
}

// nextWord finds the next encoded word at or behind a place.
func nextWord(s string, from int) (w word, ok bool) {
	for {
		i := strings.Index(s[from:], "=?")
		if i < 0 {
			return w, false
		}
		from += i
		if w, ok = readWord(s, from); ok {
			return w, true
		}
		from += 2
	}
}

// readWord reads the encoded word that begins at a place.
func readWord(s string, start int) (w word, ok bool) {
	rest := s[start+2:]
	// A charset's name is short; looking no further keeps this linear.
	head := rest[:min(len(rest), 80)]
	i := strings.IndexByte(head, '?')
	if i < 0 || i+2 >= len(rest) || rest[i+2] != '?' {
		return w, false
	}
	charset, _, _ := strings.Cut(strings.TrimSpace(rest[:i]), "*") // RFC 2231 5: a language
	if strings.ContainsAny(charset, "=<>") {
		return w, false
	}
	switch rest[i+1] {
	case 'B', 'b':
		w.base64 = true
	case 'Q', 'q':
	default:
		return w, false
	}
	w.charset, w.start = charset, start
	text := rest[i+3:]
	at := start + 2 + i + 3
	end, length := endOfWord(text, w.base64)
	w.text = text[:end]
	w.end = at + end + length
	return w, true
}

// endOfWord returns where a word's text ends and how long its end mark is; the
// mark is missing when somebody cut the header.
func endOfWord(text string, base64 bool) (end, length int) {
	// Look no further than the next word: an end behind it is not ours.
	limit := len(text)
	if i := strings.Index(text, "=?"); i >= 0 && !strings.Contains(text[:min(i+3, len(text))], "?=") {
		limit = i
	}
	from := 0
	for {
		i := strings.Index(text[from:limit], "?=")
		if i < 0 {
			break
		}
		i += from
		// "?=E4" may be an unescaped question mark before a code.
		if !base64 && i+3 < limit && hexDigit(text[i+2]) >= 0 && hexDigit(text[i+3]) >= 0 {
			if more := strings.Index(text[i+2:limit], "?="); more >= 0 && !strings.Contains(text[i+2:i+2+more], "=?") {
				from = i + 2
				continue
			}
		}
		return i, 2
	}
	end = limit
	if base64 {
		for i := range limit {
			if base64Values[text[i]] > 65 {
				end = i
				break
			}
		}
	}
	return len(strings.TrimRight(text[:end], " \t")), 0
}

// add appends the bytes of a word. Base64 that does not end on a full group is
// kept back for the word behind it.
func (w *word) add(raw []byte, pending string) ([]byte, string) {
	if !w.base64 {
		if pending != "" {
			raw = append(raw, lettersOf(pending)...)
		}
		return append(raw, unquoteWord(w.text)...), ""
	}
	text := pending + strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, w.text)
	if len(text)%4 != 0 && !strings.HasSuffix(text, "=") {
		full := len(text) - len(text)%4
		return append(raw, lettersOf(text[:full])...), text[full:]
	}
	return append(raw, lettersOf(text)...), ""
}

func lettersOf(text string) []byte {
	decoded, _ := unbase64([]byte(text))
	return decoded
}

// unquoteWord decodes the Q encoding.
func unquoteWord(text string) []byte {
	raw := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '_':
			raw = append(raw, ' ')
		case c == '=' && i+2 < len(text) && hexDigit(text[i+1]) >= 0 && hexDigit(text[i+2]) >= 0:
			raw = append(raw, byte(hexDigit(text[i+1])<<4|hexDigit(text[i+2]))) // #nosec G115 -- two digits
			i += 2
		default:
			raw = append(raw, c)
		}
	}
	return raw
}
