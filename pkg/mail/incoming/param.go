package incoming

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jhillyerd/enmime/v2"
)

// maxParameters bounds what one Content-Type may say.
const maxParameters = 16 << 10

// describe reads what the header says of a part.
func (p *parser) describe(part *enmime.Part, fallback string) {
	kind, params := p.parameters(first(part.Header["Content-Type"]))
	disposition, more := p.parameters(first(part.Header["Content-Disposition"]))
	part.Disposition = disposition
	part.FileName = cmp.Or(more["filename"], more["name"], params["name"], params["filename"])
	part.ContentType = mediaType(kind, fallback, part.FileName != "")
	part.ContentTypeParams = params
	part.Boundary = params["boundary"]
	part.Charset = params["charset"]
	part.ContentID = strings.Trim(line(first(part.Header["Content-Id"])), "<> ")
}

// mediaType makes a type of what senders write for one.
func mediaType(kind, fallback string, file bool) string {
	kind = strings.ToLower(kind)
	switch kind {
	case "":
		if file && fallback == "text/plain" {
			return "application/octet-stream"
		}
		return fallback
	case "text", "text/", "plain":
		return "text/plain"
	case "html":
		return "text/html"
	case "multipart", "multipart/":
		return "multipart/mixed"
	}
	top, sub, ok := strings.Cut(kind, "/")
	sub, _, _ = strings.Cut(sub, "/")
	if !ok || !isToken(top) || !isToken(sub) {
		if file {
			return "application/octet-stream"
		}
		return fallback
	}
	return top + "/" + sub
}

func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// parameter is one piece of a header's parameters.
type parameter struct {
	value    string
	index    int // of a continuation (RFC 2231 3); 0 of a whole one
	extended bool
}

// parameters takes a header such as Content-Type apart: the word in front, and
// the parameters decoded, whichever of the ways to write them was used.
func (p *parser) parameters(value string) (word string, params map[string]string) {
	if len(value) > maxParameters {
		value = value[:maxParameters]
		p.problem(problemHeaderCut)
	}
	word, rest := value, ""
	if i := strings.IndexAny(value, ";"); i >= 0 {
		word, rest = value[:i], value[i+1:]
	}
	word, _, _ = strings.Cut(word, "(")
	if before, after, ok := cutSpace(strings.TrimSpace(word)); ok {
		// "text/plain charset=x": a semicolon was forgotten.
		word, rest = before, after+";"+rest
	}
	word = strings.Trim(word, "\"' \t")
	if name, _, ok := strings.Cut(word, "="); ok && !strings.Contains(name, "/") {
		word, rest = "", word+";"+rest
	}

	pieces := map[string][]parameter{}
	for n := 0; rest != "" && n < 500; n++ {
		var name, text string
		name, text, rest = nextParameter(rest)
		if name == "" {
			continue
		}
		name, piece := readName(strings.ToLower(name))
		piece.value = text
		pieces[name] = append(pieces[name], piece)
	}
	params = make(map[string]string, len(pieces))
	// In the order of their names the charset comes before what it may help to
	// read, and the same header always yields the same problems.
	for _, name := range slices.Sorted(maps.Keys(pieces)) {
		params[name] = p.join(pieces[name])
		if name == "charset" && p.hint == "" {
			p.hint = helpful(params[name])
		}
	}
	return strings.ToLower(word), params
}

// helpful is a charset's name if it says more than that a text is ASCII.
func helpful(name string) string {
	if name = canonicalCharset(name); name == "us-ascii" {
		return ""
	}
	return name
}

func cutSpace(s string) (before, after string, ok bool) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// readName splits name*1* into its parts.
func readName(name string) (string, parameter) {
	piece := parameter{}
	name, piece.extended = strings.CutSuffix(name, "*")
	if base, digits, ok := strings.Cut(name, "*"); ok {
		if n, err := strconv.Atoi(digits); err == nil && n >= 0 && n < 1000 {
			piece.index = n
			// The first piece and a whole value are the same thing here.
			return base, piece
		}
	}
	return name, piece
}

// nextParameter cuts one name=value off. Values that should have been quoted
// and are not, or whose quotes do not match, are read as they were meant.
func nextParameter(s string) (name, value, rest string) {
	s = strings.TrimLeft(s, "; \t")
	end := strings.IndexAny(s, "=;")
	if end < 0 {
		return "", "", ""
	}
	if s[end] == ';' {
		return "", "", s[end+1:]
	}
	name = strings.TrimSpace(s[:end])
	if i := strings.LastIndexAny(name, " \t"); i >= 0 {
		name = name[i+1:]
	}
	s = strings.TrimLeft(s[end+1:], " \t")
	if strings.HasPrefix(s, `"`) {
		value, rest = quotedValue(s[1:])
		return name, value, rest
	}
	end = len(s)
	if i := strings.IndexByte(s, ';'); i >= 0 {
		end = i
	}
	for i := 0; i < end; i++ {
		// A name and = behind white space begin the next parameter.
		if s[i] == ' ' || s[i] == '\t' {
			word := strings.TrimLeft(s[i:end], " \t")
			if eq := strings.IndexByte(word, '='); eq > 0 && isToken(strings.TrimSuffix(word[:eq], "*")) && !strings.HasPrefix(word, "=?") {
				return name, strings.TrimSpace(s[:i]), s[i:]
			}
		}
	}
	return name, strings.TrimSpace(s[:end]), s[min(end+1, len(s)):]
}

// quotedValue reads up to the closing quote: one behind which the parameters go
// on or end.
func quotedValue(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case c == '"' && closes(s[i+1:]):
			return b.String(), s[i+1:]
		default:
			b.WriteByte(c)
		}
	}
	// Never closed: the value ends where the next parameter begins.
	value, rest, _ = strings.Cut(b.String(), ";")
	return strings.TrimSpace(value), rest
}

func closes(s string) bool {
	t := strings.TrimLeft(s, " \t")
	if t == "" || t[0] == ';' || t[0] == '(' {
		return true
	}
	if len(t) == len(s) {
		return false
	}
	word, _, ok := strings.Cut(t, "=")
	return ok && len(word) < 40 && isToken(strings.TrimRight(word, "*"))
}

// join puts the pieces of a value together and decodes it. Of a name given
// both plainly and extended the extended one holds.
func (p *parser) join(pieces []parameter) string {
	if slices.ContainsFunc(pieces, func(x parameter) bool { return x.extended }) {
		pieces = slices.DeleteFunc(pieces, func(x parameter) bool {
			return !x.extended && x.index == 0 && slices.ContainsFunc(pieces, func(y parameter) bool { return y.extended && y.index == 0 })
		})
	}
	slices.SortStableFunc(pieces, func(a, b parameter) int { return cmp.Compare(a.index, b.index) })
	var raw []byte
	charset, extended := "", false
	for i, piece := range pieces {
		if i > 0 && piece.index == pieces[i-1].index {
			continue // said twice
		}
		value := piece.value
		if piece.extended {
			if !extended {
				// Of charset'language'value many senders leave out a part.
				if name, rest, ok := strings.Cut(value, "'"); ok {
					if _, text, ok := strings.Cut(rest, "'"); ok {
						charset, value = name, text
					} else if charsetOf(canonicalCharset(name)) != nil {
						charset, value = name, rest
					}
				}
				extended = true
			}
			raw = append(raw, unpercent(value)...)
			continue
		}
		raw = append(raw, value...)
	}
	if extended {
		text, problem := decodeText(raw, charset, p.hint)
		if problem != "" {
			p.problem(problem)
		}
		return decodeWords(text, p)
	}
	return decodeWords(p.raw8(string(raw)), p)
}

func unpercent(s string) []byte {
	raw := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if high, low := hexDigit(s[i+1]), hexDigit(s[i+2]); high >= 0 && low >= 0 {
				raw = append(raw, byte(high<<4|low)) // #nosec G115 -- two digits
				i += 2
				continue
			}
		}
		raw = append(raw, s[i])
	}
	return raw
}

// hexDigit returns the value of a digit, or -1.
func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
