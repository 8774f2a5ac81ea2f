package incoming

import "strings"

// Bounds of what is looked at. A text longer than this is a log or a book;
// what lies behind follows the last line that was looked at.
const (
	mostLines = 20_000
	mostBytes = 2 << 20
	// longestLine is the longest that can be the beginning of a quotation; no
	// program writes longer ones.
	longestLine = 1000
	// mostIntros bounds how many lines are tried as "On … wrote:".
	mostIntros = 500
)

// split tells what somebody writes now from what they quote, from their
// signature and from the footer of their phone. No line is lost: each is in
// one of the two, in the order it came in; only empty lines at the edges go.
//
// A quotation at the end is folded away, one at the beginning as well. What
// stands between two answers stays visible, since it is what they answer, and
// then so does what the first one answers. Nothing is folded away when nothing
// would be left, so that a mail that only forwards another shows it.
func split(text string) (visible, quoted string) {
	l := newLetter(text)
	l.findQuotes()
	cut := l.findCut()
	l.findSignatures(cut)
	first, last := l.answers(cut)
	if first < 0 {
		return trimBlank(text), ""
	}
	return l.parts(first, last)
}

type lineKind byte

const (
	lineText lineKind = iota
	lineBlank
	lineQuote // begins with >
	lineIntro // "On … wrote:" above such lines
	lineSign  // of a signature, or a phone's footer
)

// letter is a text by its lines.
type letter struct {
	text   string
	lines  []string
	starts []int // where each line begins in text
	kinds  []lineKind
	end    int // of the lines looked at, in text
	intros int // lines tried as "On … wrote:"
	looked int // bytes looked at, for the test that counts them
}

func newLetter(text string) *letter {
	l := &letter{text: text}
	at := 0
	for at < len(text) && len(l.lines) < mostLines && at < mostBytes {
		end, next := len(text), len(text)
		if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
			end, next = at+i, at+i+1
		}
		l.lines = append(l.lines, text[at:end])
		l.starts = append(l.starts, at)
		at = next
	}
	l.end = at
	l.kinds = make([]lineKind, len(l.lines))
	for i, line := range l.lines {
		switch {
		case len(line) <= longestLine && tidy(line) == "":
			l.kinds[i] = lineBlank
		case strings.HasPrefix(line, ">"), l.indentedQuote(i):
			l.kinds[i] = lineQuote
		}
		l.looked += min(len(line), longestLine) + 1
	}
	return l
}

// indentedQuote reports whether line i is quoted although its sign does not
// stand first. A sign behind white space may be the writer's own, which is how
// format=flowed keeps it apart; below a quotation, or below the sentence that
// introduces one, some programs indent theirs.
func (l *letter) indentedQuote(i int) bool {
	if !strings.HasPrefix(strings.TrimLeft(head(l.lines[i]), " \t\u00a0"), ">") {
		return false
	}
	above := i - 1
	for above >= 0 && l.kinds[above] == lineBlank && i-above < 3 {
		above--
	}
	return above >= 0 && (l.kinds[above] == lineQuote || i-above > 1 && endsIntro(tidy(head(l.lines[above]))))
}

// head is as much of a line as is worth looking at.
func head(line string) string {
	if len(line) > longestLine {
		return line[:longestLine]
	}
	return line
}

// tidy takes off a line what only steers its looks: space at the ends, carriage
// returns, marks of writing direction, and space that does not break.
func tidy(line string) string {
	if !isASCII(line) {
		line = strings.Map(func(r rune) rune {
			switch {
			case r == 0xa0 || r == 0x202f || r == 0x2007 || r == 0x3000:
				return ' '
			case r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e,
				r >= 0x2066 && r <= 0x2069, r == 0xfeff, r == 0xad:
				return -1
			}
			return r
		}, line)
	}
	return strings.TrimSpace(line)
}

// findQuotes takes back what a mail program broke while it quoted: the tail of
// a long quoted line that lost its sign, with the quotation going on below.
func (l *letter) findQuotes() {
	for i := 1; i+1 < len(l.lines); i++ {
		if l.kinds[i] != lineText || l.kinds[i-1] != lineQuote || l.kinds[i+1] != lineQuote {
			continue
		}
		above, here := strings.TrimSpace(head(l.lines[i-1])), strings.TrimSpace(head(l.lines[i]))
		// An answer follows a whole sentence; a broken tail follows its middle.
		if len(above) < 60 || len(here) > 24 || strings.ContainsAny(above[len(above)-1:], ".?!:;)") {
			continue
		}
		l.kinds[i] = lineQuote
	}
}

// findCut returns the line from which on everything is quoted, whatever it
// looks like, or the number of lines. On its way it marks the lines that
// introduce a quotation of the other kind, with its > signs.
func (l *letter) findCut() int {
	for i := range l.lines {
		if l.kinds[i] != lineText {
			continue
		}
		line := tidy(head(l.lines[i]))
		l.looked += len(line)
		if l.startsWithin(line) {
			return l.withRules(i)
		}
		if len(l.lines[i]) > longestLine {
			continue
		}
		switch {
		case l.isMarker(i, line):
			return l.withIntro(l.withRules(i))
		case l.isDivider(i, line), l.isHeaderBlock(i, line):
			return l.withRules(i)
		}
		start, strong := l.intro(i, line)
		if start < 0 {
			continue
		}
		below := l.nextFilled(i + 1)
		switch {
		case below < len(l.lines) && l.kinds[below] == lineQuote:
			for j := start; j <= i; j++ {
				l.kinds[j] = lineIntro
			}
		case strong:
			return l.withRules(start)
		}
	}
	return len(l.lines)
}

// isMarker recognises the line that mails of portalctl carry above what they
// quote, "##- … -##" around words of any language. Mail programs may have
// broken it into two or three.
func (l *letter) isMarker(i int, line string) bool {
	line = strings.TrimLeft(line, "*_ ")
	if !strings.HasPrefix(line, "##-") {
		return false
	}
	for j := i; j < min(i+3, len(l.lines)); j++ {
		part := strings.TrimRight(tidy(head(l.lines[j])), "*_ ")
		l.looked += len(part)
		if strings.HasSuffix(part, "-##") {
			return true
		}
	}
	return false
}

// withRules moves a cut up over the empty lines and drawn rules above it.
func (l *letter) withRules(i int) int {
	for j := i - 1; j >= 0; j-- {
		l.looked += min(len(l.lines[j]), longestLine)
		switch {
		case l.kinds[j] == lineBlank:
		case l.kinds[j] == lineText && isRule(tidy(head(l.lines[j]))):
			i = j
		default:
			return i
		}
	}
	return i
}

// withIntro moves a cut up over a line that introduces what is below it.
func (l *letter) withIntro(i int) int {
	above := i - 1
	for above >= 0 && l.kinds[above] == lineBlank {
		above--
	}
	if above < 0 || l.kinds[above] != lineText || len(l.lines[above]) > longestLine {
		return i
	}
	if start, _ := l.introAbove(above, tidy(l.lines[above]), true); start >= 0 {
		return start
	}
	return i
}

// isRule reports whether a line is drawn rather than written.
func isRule(line string) bool {
	if len(line) < 5 {
		return false
	}
	for _, r := range line {
		if !strings.ContainsRune("_-—–=*─━ ", r) {
			return false
		}
	}
	return true
}

// nextFilled returns the first line from i on that is not blank.
func (l *letter) nextFilled(i int) int {
	for i < len(l.lines) && l.kinds[i] == lineBlank {
		i++
	}
	return i
}

// answers returns the first and last line of what stays visible, or -1 when
// nothing would.
func (l *letter) answers(cut int) (first, last int) {
	first, last = -1, -1
	for i := range cut {
		if l.kinds[i] != lineText {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
	}
	if first < 0 {
		return -1, -1
	}
	for i := first; i < last; i++ {
		if l.kinds[i] == lineQuote {
			return l.answered(first), last
		}
	}
	return first, last
}

// contextLines is how much of the quotation above the first of several answers
// stays visible as a whole; of a longer one only its last paragraph does.
const contextLines = 12

// answered returns where the quotation begins that the first of several
// answers stands below, or the answer itself when there is none.
func (l *letter) answered(first int) int {
	start, paragraph, lines := first, -1, 0
	for i := first - 1; i >= 0; i-- {
		switch l.kinds[i] {
		case lineQuote:
			start = i
			lines++
			if paragraph < 0 && lines > 1 && strings.Trim(head(l.lines[i]), "> \t\r") == "" {
				paragraph = i + 1
			}
		case lineIntro:
			start = i
		}
	}
	if lines > contextLines && paragraph >= 0 {
		return paragraph
	}
	return start
}

// parts puts the lines from first to last on one side and the rest on the
// other. What is longer than we look at belongs to its last line's side.
func (l *letter) parts(first, last int) (visible, quoted string) {
	from, to := l.starts[first], l.end
	if last+1 < len(l.lines) {
		to = l.starts[last+1]
	}
	if last == len(l.lines)-1 {
		to = len(l.text)
	}
	above, below := trimBlank(l.text[:from]), trimBlank(l.text[to:])
	quoted = above + below
	if above != "" && below != "" {
		quoted = above + "\n\n" + below
	}
	return trimBlank(l.text[from:to]), quoted
}

// trimBlank takes empty lines off both ends, and leaves the space a line
// begins with.
func trimBlank(text string) string {
	for {
		end := strings.IndexByte(text, '\n')
		if end < 0 || strings.TrimSpace(text[:end]) != "" {
			break
		}
		text = text[end+1:]
	}
	return strings.TrimRight(text, " \t\r\n")
}
