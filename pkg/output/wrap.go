package output

import "strings"

// Wrap breaks a text at spaces into lines that are at most width cells wide,
// and makes it harmless for a terminal on the way. Its own line breaks stay.
func Wrap(s string, width int) []string {
	lines := wrap(CleanText(s), max(width, 1))
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}
