package mail

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/portalctl/portalctl/pkg/portal"
)

// unflow reads format=flowed back (RFC 3676, without DelSp).
func unflow(s string) string {
	var b strings.Builder
	joined := false
	for line := range strings.SplitSeq(s, "\n") {
		if joined = false; strings.HasPrefix(line, " ") {
			line = line[1:]
		}
		b.WriteString(line)
		if strings.HasSuffix(line, " ") && line != signature {
			joined = true
		}
		if !joined {
			b.WriteByte('\n')
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestTextIsFlowed(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"short":      {"Hej!\n\nBra.", "Hej!\n\nBra.\n"},
		"long":       {strings.Repeat("ord ", 20) + "slut", strings.Repeat("ord ", 18) + "\nord ord slut\n"},
		"no space":   {strings.Repeat("x", 100), strings.Repeat("x", 100) + "\n"},
		"an address": {"https://" + strings.Repeat("x", 100) + " och mer", "https://" + strings.Repeat("x", 100) + " \noch mer\n"},
		"stuffed":    {"> a\nFrom b\n  c", " > a\n From b\n   c\n"},
		"ends":       {"a  \nb\t", "a\nb\n"},
		"signature":  {"a\n-- \nb", "a\n-- \nb\n"},
		"dashes":     {"a\n--  \nb", "a\n--\nb\n"},
	}
	for name, tt := range tests {
		if got := flowed(tt.in); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func FuzzFlowedReadsBack(f *testing.F) {
	for _, s := range []string{"a b", "> x\n From y", strings.Repeat("word ", 50), "-- \nx", "  ", "\n\n", strings.Repeat(" ", 200) + "x", strings.Repeat("漢字 ", 80)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		var lines []string
		for line := range strings.SplitSeq(s, "\n") {
			if line != signature {
				line = strings.TrimRight(line, " \t")
			}
			lines = append(lines, line)
		}
		want := strings.Join(lines, "\n")
		out := flowed(s)
		if got := unflow(strings.TrimSuffix(out, "\n")); got != want {
			t.Errorf("%q becomes %q, which reads back as %q", s, out, got)
		}
		for line := range strings.SplitSeq(out, "\n") {
			if strings.HasPrefix(line, ">") || strings.HasPrefix(line, "From ") {
				t.Errorf("%q has the line %q", s, line)
			}
		}
	})
}

func TestWebAddressesAreFound(t *testing.T) {
	tests := map[string]string{
		"see https://a.example/b.":            "see [https://a.example/b].",
		"(https://a.example/x_(y))":           "([https://a.example/x_(y)])",
		"<http://a.example>":                  "<[http://a.example]>",
		"https://a.example, http://b.example": "[https://a.example], [http://b.example]",
		"xhttps://a.example":                  "xhttps://a.example",
		"https:// nothing":                    "https:// nothing",
		"http and https":                      "http and https",
		"javascript:alert(1)":                 "javascript:alert(1)",
		"”https://a.example/å”":               "”[https://a.example/å]”",
		"https://":                            "https://",
		"https://a.example/?q=1&r=2#x!":       "[https://a.example/?q=1&r=2#x]!",
	}
	for in, want := range tests {
		var b strings.Builder
		for _, s := range spans(in) {
			if s.url != "" {
				b.WriteString("[" + s.words + "]")
			} else {
				b.WriteString(s.words)
			}
		}
		if b.String() != want {
			t.Errorf("%q is read as %q, want %q", in, b.String(), want)
		}
	}
}

func FuzzSpansKeepTheText(f *testing.F) {
	f.Add("see https://a.example/b. And http://")
	f.Fuzz(func(t *testing.T, s string) {
		var b strings.Builder
		for _, part := range spans(s) {
			b.WriteString(part.words)
			if part.url != "" && !strings.HasPrefix(part.url, "http://") && !strings.HasPrefix(part.url, "https://") {
				t.Errorf("%q has the link %q", s, part.url)
			}
		}
		if b.String() != s {
			t.Errorf("%q becomes %q", s, b.String())
		}
	})
}

func TestHTMLBecomesText(t *testing.T) {
	tests := map[string]string{
		"<p>Hej <b>på</b> dig</p><p>Andra</p>": "Hej på dig\n\nAndra",
		"a<br>b<br/>c":                         "a\nb\nc",
		"<ul><li>one</li><li>two</li></ul>":    "- one\n- two",
		"<style>p{}</style><script>alert(1)</script>text &amp; &lt;more&gt;": "text & <more>",
		"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>":    "a b\nc",
		"one\n\ntwo":        "one two",
		"<b>x</b><i>y</i>":  "xy",
		"<b>x</b> <i>y</i>": "x y",
		"no <unclosed":      "no",
		"":                  "",
	}
	for in, want := range tests {
		if got := PlainFromHTML(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestLongTextIsCut(t *testing.T) {
	text, cut := shorten(strings.Repeat(strings.Repeat("å", 99)+"\n", 300), maxQuote)
	if n := utf8.RuneCountInString(text); !cut || n > maxQuote+2 || !strings.HasSuffix(text, " …") {
		t.Errorf("%d characters are left, cut=%v, ending in %q", n, cut, text[len(text)-10:])
	}
	if text, cut := shorten("short", maxQuote); cut || text != "short" {
		t.Errorf("got %q, %v", text, cut)
	}
}

func TestAccentIsReadable(t *testing.T) {
	for _, accent := range []string{"#0f5fc2", "#000000", "#ffffff", "#ffd400", "#ff7a00", "#e11d48", "#00ff00", "#888888", "#7f7f00", "nonsense", ""} {
		p := paletteOf(accent)
		for _, tt := range []struct {
			what, colour, on string
			least            float64
		}{
			{"the button's text", p.Text, p.Fill, 4.5},
			{"a mark", p.Mark, "#ffffff", 3},
			{"a link", p.Link, "#ffffff", 4.5},
			{"a link in a quote's box", p.Link, "#f6f8fa", 4.5},
		} {
			if c := portal.Contrast(tt.colour, tt.on); c < tt.least {
				t.Errorf("%q: %s has contrast %.2f, want %.1f: %+v", accent, tt.what, c, tt.least, p)
			}
		}
	}
	if p := paletteOf(portal.DefaultAccent); p.Fill != portal.DefaultAccent {
		t.Errorf("the default accent is changed to %s", p.Fill)
	}
}
