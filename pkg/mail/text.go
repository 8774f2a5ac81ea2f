package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/portalctl/portalctl/pkg/portal"
)

// width is how long a line of the text part gets before it is broken softly.
const width = 72

// flowed sets text for format=flowed (RFC 3676): a long line is broken after
// a space, which tells programs that know the format to join it again. Lines
// that could be taken for quotes or for mbox separators are stuffed.
func flowed(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		if line != signature {
			line = strings.TrimRight(line, " \t")
		}
		for {
			cut := softBreak(line)
			if cut == len(line) {
				break
			}
			stuff(&b, line[:cut])
			line = line[cut:]
		}
		stuff(&b, line)
	}
	return b.String()
}

// signature is the line that ends a mail's text; what follows is its footer.
const signature = "-- "

func stuff(b *strings.Builder, line string) {
	if strings.HasPrefix(line, " ") || strings.HasPrefix(line, ">") || strings.HasPrefix(line, "From ") {
		b.WriteByte(' ')
	}
	b.WriteString(line)
	b.WriteByte('\n')
}

// softBreak is where to break a line: behind the last space before width, or
// behind the first space when the first word alone is longer.
func softBreak(line string) int {
	if utf8.RuneCountInString(line) <= width {
		return len(line)
	}
	column, cut := 0, 0
	for i, r := range line {
		// A break must leave words on both sides, or a line of spaces would
		// look like the end of a paragraph.
		if r == ' ' && strings.TrimSpace(line[:i]) != "" && strings.TrimSpace(line[i+1:]) != "" {
			if column >= width && cut > 0 {
				return cut
			}
			cut = i + 1
			if column >= width {
				return cut
			}
		}
		column++
	}
	if cut == 0 {
		return len(line)
	}
	return cut
}

// harmless drops what changes how the text around it is read: control
// characters but newline and tab, and bidirectional overrides.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if portal.IsBidiControl(r) || unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// oneLine is harmless text without line ends, for headers and headings.
func oneLine(s string) string { return strings.Join(strings.Fields(harmless(s)), " ") }

// maxQuote is how much of a message a mail shows, in characters.
const maxQuote = 20_000

// shorten cuts a text that has more than most characters at the end of a line.
func shorten(s string, most int) (short string, cut bool) {
	if utf8.RuneCountInString(s) <= most {
		return s, false
	}
	end := 0
	for range most {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	if i := strings.LastIndexByte(s[:end], '\n'); i > end/2 {
		end = i
	}
	return strings.TrimRight(s[:end], " \n") + " …", true
}

// span is a piece of a line: words, or an address they lead to.
type span struct{ words, url string }

// paragraphs takes plain text apart for HTML: paragraphs at empty lines, of
// lines, of spans.
func paragraphs(text string) [][][]span {
	var all [][][]span
	var current [][]span
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) == "" {
			if current != nil {
				all, current = append(all, current), nil
			}
			continue
		}
		current = append(current, spans(indented(strings.TrimRight(line, " \t"))))
	}
	if current != nil {
		all = append(all, current)
	}
	return all
}

// indented keeps a line's leading space, which HTML would drop.
func indented(line string) string {
	rest := strings.TrimLeft(line, " \t")
	indent := strings.ReplaceAll(line[:len(line)-len(rest)], "\t", "    ")
	return strings.Repeat("\u00a0", min(len(indent), 40)) + rest
}

// spans finds the web addresses in a line.
func spans(line string) []span {
	var list []span
	for line != "" {
		start := addressStart(line)
		if start < 0 {
			return append(list, span{words: line})
		}
		if start > 0 {
			list = append(list, span{words: line[:start]})
		}
		end := start + addressLength(line[start:])
		list = append(list, span{words: line[start:end], url: line[start:end]})
		line = line[end:]
	}
	return list
}

func addressStart(line string) int {
	from := 0
	for {
		i := strings.Index(line[from:], "http")
		if i < 0 {
			return -1
		}
		i += from
		rest := strings.TrimPrefix(strings.TrimPrefix(line[i:], "http"), "s")
		before, _ := utf8.DecodeLastRuneInString(line[:i])
		if strings.HasPrefix(rest, "://") && len(rest) > 3 && !unicode.IsLetter(before) && !unicode.IsDigit(before) && isAddressRune(rune(rest[3])) {
			return i
		}
		from = i + 4
	}
}

// addressLength ends an address before space, quotes and brackets, and before
// the punctuation of the sentence it stands in.
func addressLength(s string) int {
	end := len(s)
	if i := strings.IndexFunc(s, func(r rune) bool { return !isAddressRune(r) }); i >= 0 {
		end = i
	}
	for end > 0 {
		last := s[end-1]
		if last == ')' && strings.Count(s[:end], "(") >= strings.Count(s[:end], ")") || !strings.ContainsRune(".,;:!?')", rune(last)) {
			break
		}
		end--
	}
	return end
}

func isAddressRune(r rune) bool {
	return !unicode.IsSpace(r) && !unicode.IsControl(r) && !strings.ContainsRune(`<>"{}|\^`+"`”“»«", r)
}

// PlainFromHTML returns the words of an HTML text, for the text part and for
// a terminal. Markup goes; what starts a block starts a line.
func PlainFromHTML(s string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	skip := 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			return collapseLines(b.String())
		case html.TextToken:
			if skip == 0 {
				b.WriteString(strings.NewReplacer("\r", " ", "\n", " ").Replace(string(z.Text())))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "script", "style", "head", "title":
				skip++
			case "br", "tr":
				b.WriteByte('\n')
			case "p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre":
				b.WriteString("\n\n")
			case "li":
				b.WriteString("\n- ")
			case "td", "th":
				b.WriteByte(' ')
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "script", "style", "head", "title":
				skip = max(skip-1, 0)
			case "p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre":
				b.WriteString("\n\n")
			}
		}
	}
}

// collapseLines makes runs of space one, as HTML does, and leaves at most one
// empty line between paragraphs.
func collapseLines(s string) string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		if line == "" && (len(lines) == 0 || lines[len(lines)-1] == "") {
			continue
		}
		lines = append(lines, line)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
