package output

import (
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// Flow breaks the lines of a text at spaces, for a terminal that is width cells
// wide; what follows stands hang cells further in than the line began. What
// people copy stays in one piece, even if it is too wide: words, commands and
// DNS records. A width of 0 leaves the text as it is.
func Flow(s string, width, hang int) string {
	if width <= 0 {
		return s
	}
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		lines = append(lines, flowLine(line, width, hang)...)
	}
	return strings.Join(lines, "\n")
}

func flowLine(s string, width, hang int) []string {
	text := strings.TrimLeft(s, " ")
	line := s[:len(s)-len(text)]
	indent := strings.Repeat(" ", len(line)+hang)
	var lines []string
	gap, words := "", 0
	for text != "" {
		end := wordEnd(text)
		word := text[:end]
		// What is too wide anywhere stays beside its label, such as "do:".
		fits := twwidth.Width(indent+word) <= width
		if words > 0 && twwidth.Width(line+gap+word) > width && (fits || words > 1) {
			lines, line, gap, words = append(lines, line), indent, "", 0
		}
		line, words = line+gap+word, words+1
		rest := strings.TrimLeft(text[end:], " ")
		gap, text = text[end:len(text)-len(rest)], rest
	}
	return append(lines, line)
}

// wordEnd is where the first word of a text ends. A command and a record are one
// word: up to the closing quote, or to the end.
func wordEnd(s string) int {
	end := strings.IndexByte(s, ' ')
	if end < 0 {
		return len(s)
	}
	name := s[:end]
	if fields := strings.Fields(s); name == "portalctl" || len(fields) > 3 && fields[2] == "IN" {
		return len(s)
	}
	for _, quote := range []string{"`", `"`} {
		if name != quote+"portalctl" {
			continue
		}
		if at := strings.Index(s[1:], quote); at >= 0 {
			end = at + 2
			for end < len(s) && s[end] != ' ' {
				end++
			}
			return end
		}
	}
	return end
}
