package output

import (
	"strings"
	"testing"
)

func TestFlow(t *testing.T) {
	command := "portalctl domain verify support.example.com --wait"
	for _, tt := range []struct {
		name, text  string
		width, hang int
		want        string
	}{
		{"no terminal", "one two three", 0, 0, "one two three"},
		{"it fits", "one two", 7, 2, "one two"},
		{"words", "one two three four", 9, 0, "one two\nthree\nfour"},
		{"further in", "  fail  one two", 12, 6, "  fail  one\n        two"},
		{"lines of its own", "one two\n  three four", 8, 0, "one two\n  three\n  four"},
		{"gaps stay", "ok    one  two", 20, 0, "ok    one  two"},
		{"a long word", "look at https://support.example.com/help/ now", 12, 0, "look at\nhttps://support.example.com/help/\nnow"},
		{"a command", "look then: " + command, 30, 0, "look then:\n" + command},
		{"a label", "do:  " + command, 30, 4, "do:  " + command},
		{"a command in quotes", "look at: `portalctl domain list` names them", 23, 0, "look at:\n`portalctl domain list`\nnames them"},
		{"a record", "now add: example.com. 300 IN TXT \"v=spf1 mx\"", 20, 2, "now add:\n  example.com. 300 IN TXT \"v=spf1 mx\""},
		{"wide letters", "日本 日本", 6, 0, "日本\n日本"},
		{"nothing", "", 10, 2, ""},
	} {
		if got := Flow(tt.text, tt.width, tt.hang); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
	if got := Flow("do: "+command, 40, 4); strings.Count(got, command) != 1 {
		t.Errorf("a command cannot be copied: %q", got)
	}
}
