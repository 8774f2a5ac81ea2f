package page

import (
	"bytes"
	"fmt"
	"html"
	"net/url"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"
	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	xhtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Body shows a message. Whatever format it came in, this is the one place
// where texts become HTML, at display, so that a better sanitiser mends old
// messages too.
func Body(text string, format portal.BodyFormat) templ.Component {
	return templ.Raw(BodyHTML(text, format))
}

// BodyHTML is the markup Body writes.
func BodyHTML(text string, format portal.BodyFormat) string {
	switch format {
	case portal.Markdown:
		var b bytes.Buffer
		if err := markdown().Convert([]byte(text), &b); err != nil {
			return plainHTML(text)
		}
		return sanitise(b.String())
	case portal.HTML:
		return sanitise(text)
	}
	return plainHTML(text)
}

// markdown leaves raw HTML out, which is goldmark's default.
var markdown = sync.OnceValue(func() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.GFM))
})

// policy is an allow-list: no scripts, styles, forms, frames, pictures, ids,
// and no addresses but http, https and mailto.
var htmlPolicy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "div", "span", "b", "strong", "i", "em", "u", "s", "del", "ins", "sub", "sup", "small",
		"code", "pre", "kbd", "blockquote", "ul", "ol", "li", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6",
		"table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("td", "th")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	return p
})

// deepest is how far elements nest; what lies deeper is shown as text, so that
// no message makes a page browsers choke on.
const deepest = 50

// sanitise applies the policy and then parses and writes the result, because
// the policy leaves unclosed elements open and they would swallow the page.
func sanitise(s string) string {
	clean := htmlPolicy().Sanitize(s)
	body := &xhtml.Node{Type: xhtml.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := xhtml.ParseFragment(strings.NewReader(clean), body)
	if err != nil {
		return plainHTML(clean)
	}
	var b strings.Builder
	for _, n := range nodes {
		tidy(n, 0)
		if err := xhtml.Render(&b, n); err != nil {
			return plainHTML(clean)
		}
	}
	return b.String()
}

// tidy makes what the policy let through fit into our pages.
func tidy(n *xhtml.Node, depth int) {
	switch n.Type {
	case xhtml.TextNode:
		n.Data = showBidi(n.Data)
	case xhtml.ElementNode:
		switch n.DataAtom {
		case atom.A:
			tidyLink(n)
		case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
			// The page has its own headings; a message must not join them.
			n.Data, n.DataAtom = "p", atom.P
			bold := &xhtml.Node{Type: xhtml.ElementNode, Data: "strong", DataAtom: atom.Strong}
			for c := n.FirstChild; c != nil; c = n.FirstChild {
				n.RemoveChild(c)
				bold.AppendChild(c)
			}
			n.AppendChild(bold)
		}
		if direction(n.DataAtom) {
			n.Attr = append(n.Attr, xhtml.Attribute{Key: "dir", Val: "auto"})
		}
	}
	if depth >= deepest {
		flatten(n)
		return
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		tidy(c, depth+1)
	}
}

func tidyLink(n *xhtml.Node) {
	kept := n.Attr[:0]
	for _, a := range n.Attr {
		if a.Key == "href" {
			kept = append(kept, a, xhtml.Attribute{Key: "rel", Val: linkRel})
		}
	}
	n.Attr = kept
}

const linkRel = "noopener noreferrer nofollow ugc"

// direction names the elements that are paragraphs of their own: each takes
// its direction from its first letter and cannot turn what stands around it.
func direction(a atom.Atom) bool {
	switch a {
	case atom.P, atom.Li, atom.Blockquote, atom.Td, atom.Th, atom.Dt, atom.Dd, atom.Div, atom.Pre:
		return true
	}
	return false
}

// flatten replaces everything below n by its text.
func flatten(n *xhtml.Node) {
	var b strings.Builder
	collectText(n, &b)
	for c := n.FirstChild; c != nil; c = n.FirstChild {
		n.RemoveChild(c)
	}
	if b.Len() > 0 && n.Type == xhtml.ElementNode {
		n.AppendChild(&xhtml.Node{Type: xhtml.TextNode, Data: showBidi(b.String())})
	}
}

func collectText(n *xhtml.Node, b *strings.Builder) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == xhtml.TextNode {
			b.WriteString(c.Data)
		}
		collectText(c, b)
	}
}

// showBidi writes the characters that reorder the text around them as what
// they are. The marks (U+200E, U+200F, U+061C) stay: they move nothing but
// the punctuation beside them, and texts in Arabic and Hebrew need them.
func showBidi(s string) string {
	if !strings.ContainsFunc(s, reorders) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if reorders(r) {
			fmt.Fprintf(&b, "[U+%04X]", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func reorders(r rune) bool {
	return portal.IsBidiControl(r) && r != 0x200E && r != 0x200F && r != 0x061C
}

// plainHTML shows plain text: paragraphs, line breaks, links.
func plainHTML(s string) string {
	s = showBidi(strings.ToValidUTF8(s, "�"))
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	var b strings.Builder
	b.Grow(len(s) + len(s)/8 + 32)
	for s = strings.Trim(s, "\n"); s != ""; {
		paragraph, rest, _ := strings.Cut(s, "\n\n")
		b.WriteString(`<p dir="auto">`)
		for i, line := range strings.Split(strings.Trim(paragraph, "\n"), "\n") {
			if i > 0 {
				b.WriteString("<br>")
			}
			linkify(&b, line)
		}
		b.WriteString("</p>")
		s = strings.TrimLeft(rest, "\n")
	}
	return b.String()
}

// linkify writes a line with its addresses made clickable. It looks at every
// byte of the line a few times only, as the line may be a whole message.
func linkify(b *strings.Builder, line string) {
	found := links{lower: asciiLower(line)}
	for done := 0; done < len(line); {
		at := found.next(line, done)
		if at < 0 {
			b.WriteString(html.EscapeString(line[done:]))
			return
		}
		b.WriteString(html.EscapeString(line[done:at]))
		address := line[at:]
		if end := strings.IndexFunc(address, endsLink); end >= 0 {
			address = address[:end]
		}
		address = trimLink(address)
		done = at + len(address)
		if !usableLink(address) {
			b.WriteString(html.EscapeString(address))
			continue
		}
		shown := html.EscapeString(address)
		b.WriteString(`<a href="` + shown + `" rel="` + linkRel + `">` + shown + `</a>`)
	}
}

var linkSchemes = [...]string{"http://", "https://", "mailto:"}

// links finds the addresses in a line, one after the other.
type links struct {
	lower string
	at    [len(linkSchemes)]int // where each scheme stands next, plus one; -1: nowhere
}

// next finds where an address begins, at from or behind it, that is not the
// middle of a word.
func (l *links) next(line string, from int) int {
	for {
		at := -1
		for i, scheme := range linkSchemes {
			if l.at[i] >= 0 && l.at[i] <= from {
				if l.at[i] = strings.Index(l.lower[from:], scheme); l.at[i] >= 0 {
					l.at[i] += from + 1
				}
			}
			if l.at[i] > 0 && (at < 0 || l.at[i]-1 < at) {
				at = l.at[i] - 1
			}
		}
		if at < 0 {
			return -1
		}
		before, _ := utf8.DecodeLastRuneInString(line[:at])
		if at == 0 || !unicode.IsLetter(before) && !unicode.IsDigit(before) {
			return at
		}
		from = at + 1
	}
}

// asciiLower keeps every byte in its place, which strings.ToLower does not.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}

func endsLink(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || portal.IsBidiControl(r) || strings.ContainsRune("<>\"`", r)
}

// trimLink leaves out the punctuation of the sentence around an address, and
// a bracket that was opened before it.
func trimLink(s string) string {
	const closing, opening = ")]}", "([{"
	var more [len(closing)]int // closing brackets that nothing in s opens
	for i := range more {
		more[i] = strings.Count(s, closing[i:i+1]) - strings.Count(s, opening[i:i+1])
	}
	for s != "" {
		last, size := utf8.DecodeLastRuneInString(s)
		bracket := strings.IndexRune(closing, last)
		switch {
		case strings.ContainsRune(".,;:!?'*_…”’»", last):
		case bracket >= 0 && more[bracket] > 0:
			more[bracket]--
		default:
			return s
		}
		s = s[:len(s)-size]
	}
	return s
}

func usableLink(s string) bool {
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Host != ""
	case "mailto":
		return strings.Contains(u.Opaque, "@")
	}
	return false
}
