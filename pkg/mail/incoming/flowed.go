package incoming

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// unflow joins the lines of format=flowed (RFC 3676): a line that ends in a
// space goes on in the next of the same depth of quoting.
func unflow(text string, delsp bool) string {
	var b strings.Builder
	b.Grow(len(text))
	open, last := false, 0 // a paragraph goes on, at this depth
	for l := range strings.SplitSeq(text, "\n") {
		rest := strings.TrimLeft(l, ">")
		depth := len(l) - len(rest)
		rest = strings.TrimPrefix(rest, " ") // stuffing
		signature := rest == "-- " || rest == "--"
		if open && (depth != last || signature) {
			b.WriteByte('\n')
			open = false
		}
		if !open && depth == 0 && strings.HasPrefix(rest, ">") {
			// The sender's own >, which is no quote: its space tells them apart.
			b.WriteByte(' ')
		}
		if !open && depth > 0 {
			b.WriteString(strings.Repeat(">", depth))
			if rest != "" {
				b.WriteByte(' ')
			}
		}
		last = depth
		if !signature && strings.HasSuffix(rest, " ") {
			if delsp {
				rest = rest[:len(rest)-1]
			}
			b.WriteString(rest)
			open = true
			continue
		}
		b.WriteString(rest)
		b.WriteByte('\n')
		open = false
	}
	// A letter and its accent may have stood on two lines.
	return norm.NFC.String(strings.TrimRight(b.String(), "\n"))
}
