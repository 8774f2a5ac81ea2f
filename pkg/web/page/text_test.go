package page

import (
	"slices"
	"strings"
	"testing"

	xhtml "golang.org/x/net/html"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestBodies(t *testing.T) {
	const rel = ` rel="noopener noreferrer nofollow ugc"`
	tests := []struct {
		name   string
		format portal.BodyFormat
		text   string
		want   string
	}{
		{"paragraphs and lines", portal.Plain, "Hello\nthere\n\n\nBye\n", `<p dir="auto">Hello<br>there</p><p dir="auto">Bye</p>`},
		{"markup in plain text", portal.Plain, `<script>alert("1")</script>`, `<p dir="auto">&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;</p>`},
		{
			"a link in a sentence", portal.Plain, "See (https://example.com/a_(b)), please.",
			`<p dir="auto">See (<a href="https://example.com/a_(b)"` + rel + `>https://example.com/a_(b)</a>), please.</p>`,
		},
		{
			"a link with a query", portal.Plain, `https://example.com/?a=1&b="`,
			`<p dir="auto"><a href="https://example.com/?a=1&amp;b="` + rel + `>https://example.com/?a=1&amp;b=</a>&#34;</p>`,
		},
		{"mail address", portal.Plain, "mailto:anna@example.com.", `<p dir="auto"><a href="mailto:anna@example.com"` + rel + `>mailto:anna@example.com</a>.</p>`},
		{"a script address is not a link", portal.Plain, "javascript:alert(1) http:// xhttp://a.b", `<p dir="auto">javascript:alert(1) http:// xhttp://a.b</p>`},
		{"an override is shown as what it is", portal.Plain, "pay \u202e05 to", `<p dir="auto">pay [U+202E]05 to</p>`},
		{"marks of right-to-left text stay", portal.Plain, "שלום\u200f!", "<p dir=\"auto\">שלום\u200f!</p>"},
		{
			"markdown", portal.Markdown, "**Hello** [there](https://example.com)",
			`<p dir="auto"><strong>Hello</strong> <a href="https://example.com"` + rel + `>there</a></p>` + "\n",
		},
		{"markdown keeps HTML out", portal.Markdown, "a <b onclick=x>b</b> <script>c</script>", "<p dir=\"auto\">a b c</p>\n"},
		{"markdown with a script address", portal.Markdown, "[x](javascript:alert(1))", "<p dir=\"auto\">x</p>\n"},
		{"markdown pictures stay outside", portal.Markdown, "![x](https://tracker.example/x.png)", "<p dir=\"auto\"></p>\n"},
		{"headings do not join the page's", portal.Markdown, "# Hi", "<p dir=\"auto\"><strong>Hi</strong></p>\n"},
		{"unclosed elements are closed", portal.HTML, "<div><b>x", `<div dir="auto"><b>x</b></div>`},
		{"closing more than was opened", portal.HTML, "</div></main>x", "x"},
		{"attributes", portal.HTML, `<p id="a" class="b" style="c" onclick="d" name="e">x</p>`, `<p dir="auto">x</p>`},
		{"foreign elements", portal.HTML, `<form><input><svg><a href="javascript:x">t</a></svg></form><iframe src="x"></iframe>`, "t"},
		{"style and script vanish with what is in them", portal.HTML, `<style>a{}</style><script>b</script>c`, "c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := BodyHTML(tt.text, tt.format); got != tt.want {
				t.Errorf("BodyHTML(%q)\n got %q\nwant %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestDeepNestingIsCut(t *testing.T) {
	got := BodyHTML(strings.Repeat("<blockquote>", 500)+"deep", portal.HTML)
	if n := strings.Count(got, "<blockquote"); n > deepest+1 || !strings.Contains(got, "deep") {
		t.Errorf("500 nested quotations became %d, wanted at most %d with the text kept", n, deepest+1)
	}
}

// harmless reports what in a piece of markup must not be there.
func harmless(markup string) []string {
	elements := strings.Fields("html head body p br hr div span b strong i em u s del ins sub sup small code pre kbd blockquote ul ol li dl dt dd " +
		"table thead tbody tfoot tr th td caption a")
	attributes := strings.Fields("href rel dir colspan rowspan start")
	var bad []string
	doc, err := xhtml.Parse(strings.NewReader(markup))
	if err != nil {
		return []string{err.Error()}
	}
	for n := range doc.Descendants() {
		switch n.Type {
		case xhtml.ElementNode:
			if !slices.Contains(elements, n.Data) {
				bad = append(bad, "element "+n.Data)
			}
			rel := false
			for _, a := range n.Attr {
				if !slices.Contains(attributes, a.Key) {
					bad = append(bad, "attribute "+a.Key)
				}
				if a.Key == "href" && !usableHref(a.Val) {
					bad = append(bad, "address "+a.Val)
				}
				rel = rel || a.Key == "rel" && a.Val == linkRel
			}
			if n.Data == "a" && len(n.Attr) > 0 && !rel {
				bad = append(bad, "link without rel")
			}
		case xhtml.CommentNode, xhtml.DoctypeNode:
			bad = append(bad, "comment or doctype")
		case xhtml.TextNode:
			if strings.ContainsFunc(n.Data, reorders) {
				bad = append(bad, "reordering character")
			}
		}
	}
	return bad
}

func usableHref(s string) bool {
	s = strings.ToLower(s)
	return strings.HasPrefix(s, "http:") || strings.HasPrefix(s, "https:") || strings.HasPrefix(s, "mailto:")
}

func FuzzBodiesAreHarmless(f *testing.F) {
	for _, s := range []string{
		"Hello https://example.com/?a=b&c=d.", `<a href="javascript:alert(1)">x</a>`, "<svg/onload=alert(1)>", "**b** <i>", "```\ncode\n```",
		"| a | b |\n|---|---|\n| <script> | c |", "<table><p>x</table></div>", "<math><mtext><style><img src=x onerror=alert(1)>",
		"<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "\u202ea\u2066b", "mailto:a@b", "<a href=' https://x'>", "<!--><p>", "\xff<b>",
		"https://a.b/\"onmouseover=x", "<https://a.b/<b>>", "[a](<java\nscript:x>)", "<plaintext>x", "<textarea></div>", "<a href=\"//x\">",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, format := range []portal.BodyFormat{portal.Plain, portal.Markdown, portal.HTML} {
			got := BodyHTML(s, format)
			if bad := harmless(got); len(bad) > 0 {
				t.Errorf("%s %q became %q, which has %q", format, s, got, bad)
			}
			if again := sanitise(got); len(harmless(again)) > 0 {
				t.Errorf("%s %q: sanitising again gave %q", format, s, again)
			}
			// A message must not end the element it stands in.
			if wrapped := render(t, "<div><section>"+got+"</section>end</div>"); !strings.HasSuffix(wrapped, "</section>end</div>") {
				t.Errorf("%s %q leaves its place: %q", format, s, wrapped)
			}
		}
	})
}

func render(t *testing.T, s string) string {
	t.Helper()
	nodes, err := xhtml.ParseFragment(strings.NewReader(s), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, n := range nodes {
		if err := xhtml.Render(&b, n); err != nil {
			t.Fatal(err)
		}
	}
	// The parser makes a whole document of it.
	return strings.TrimSuffix(b.String(), "</body></html>")
}
