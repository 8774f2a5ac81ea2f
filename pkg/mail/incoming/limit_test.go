package incoming

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const someHead = "From: ana@example.com\r\nTo: support@example.net\r\nSubject: x\r\nMIME-Version: 1.0\r\n"

// Mail that is too much of something is read as far as the bounds go, and the
// rest is named.
func TestParseKeepsItsBounds(t *testing.T) {
	parts := func(n int) string {
		return strings.Repeat("--b\r\nContent-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment\r\n\r\nx\r\n", n) + "--b--\r\n"
	}
	nested := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i, i+1)
		}
		fmt.Fprintf(&b, "--b%d\r\n\r\ninnermost\r\n", n)
		return b.String()
	}
	multipart := someHead + "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	tests := []struct {
		name, mail string
		problem    string // "" for none
		files      int
	}{
		{"as many parts as are read", multipart + parts(maxParts-1), "", maxParts - 1},
		{"10,000 parts", multipart + parts(10000), problemTooManyParts, maxParts - 1},
		{"forty levels", someHead + "Content-Type: multipart/mixed; boundary=b0\r\n\r\n" + nested(40), "", 0},
		{"sixty levels", someHead + "Content-Type: multipart/mixed; boundary=b0\r\n\r\n" + nested(60), problemTooDeep, 1},
		{"a header longer than is read", someHead + strings.Repeat("X-Filler: "+strings.Repeat("x", 90)+"\r\n", 3000) + "\r\nbody\r\n", problemHeaderCut, 0},
		{"a part's header longer than is read", multipart + "--b\r\n" + strings.Repeat("X-Filler: "+strings.Repeat("x", 90)+"\r\n", 1000) + "\r\nbody\r\n--b--\r\n", problemHeaderCut, 0},
		{"a list of 2,000 addresses", "From: ana@example.com\r\nTo: " + strings.Repeat("a@example.com,\r\n ", 2000) + "b@example.com\r\n\r\nx", problemAddressesCut, 0},
		{"a text longer than is handed on", someHead + "\r\n" + strings.Repeat("It goes on and on.\r\n", 70000), problemTextCut, 1},
		{"HTML longer than is read", someHead + "Content-Type: text/html\r\n\r\n<body>" + strings.Repeat("<p>It goes on and on.</p>\r\n", 200000), problemTextCut, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Parse([]byte(tt.mail))
			checkIncoming(t, m)
			problems := slices.DeleteFunc(slices.Clone(m.Problems), func(s string) bool { return s == problemUnclosed || s == problemNoText })
			if tt.problem == "" && len(problems) > 0 || tt.problem != "" && !slices.Equal(problems, []string{tt.problem}) {
				t.Errorf("problems %q, want %q", problems, tt.problem)
			}
			if len(m.Files) != tt.files {
				t.Errorf("%d files, want %d", len(m.Files), tt.files)
			}
		})
	}
}

func TestParseReadsNoMoreThanItsLimit(t *testing.T) {
	raw := append([]byte(someHead+"Content-Type: application/octet-stream; name=a.bin\r\n\r\n"), bytes.Repeat([]byte("x"), MaxMail)...)
	m := Parse(raw)
	if !slices.Contains(m.Problems, problemTooLarge) || len(m.Files) != 1 || len(m.Files[0].Content) >= MaxMail {
		t.Errorf("problems %q, %d files", m.Problems, len(m.Files))
	}
}

// A cut text is whole among the files.
func TestParseKeepsTheWholeOfALongText(t *testing.T) {
	long := strings.Repeat("Wort für Wort.\r\n", 100000)
	m := Parse([]byte(someHead + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + long))
	if len(m.Files) != 1 || m.Files[0].Name != "message.txt" || !strings.HasPrefix(string(m.Files[0].Content), m.Text) {
		t.Fatalf("%d files", len(m.Files))
	}
	if want := strings.TrimRight(strings.ReplaceAll(long, "\r\n", "\n"), "\n"); string(m.Files[0].Content) != want {
		t.Errorf("the file holds %d bytes, want %d", len(m.Files[0].Content), len(want))
	}
	if len(m.Text) > MaxText || len(m.Text) < MaxText-100 || strings.HasSuffix(m.Text, "\ufffd") {
		t.Errorf("%d bytes of text", len(m.Text))
	}
}
