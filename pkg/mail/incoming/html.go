package incoming

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// maxPictures is how many pictures of one HTML part are looked for, and how many
// that HTML holds itself become files of a mail.
const maxPictures = 200

// maxQuote is how deep quotes are marked; deeper ones count as this deep.
const maxQuote = 20

// rule is how Outlook writes a line across the page in plain text; what stands
// below it is often a quote, and is known by it.
const rule = "________________________________"

// htmlMost is how much text is made of HTML: marks of lists and quotes can be
// longer than the tags they stand for.
const htmlMost = 2 * MaxText

// metaPattern finds the charset that HTML names itself.
var metaPattern = regexp.MustCompile(`(?i)<meta[^>]{0,200}charset\s*=\s*["']?\s*([a-z0-9_.:-]{2,40})`)

func metaCharset(raw []byte) string {
	if m := metaPattern.FindSubmatch(raw[:min(len(raw), 4<<10)]); m != nil {
		return string(m[1])
	}
	return ""
}

// htmlText makes readable text of HTML, and lists where its pictures come
// from. It goes through the tags once and builds no tree, so that neither size
// nor depth costs more than the text: links are kept, scripts, styles and what
// is hidden are not, quotes are marked with > as in plain text.
func htmlText(source string) (text string, pictures []string) {
	w := &htmlWriter{}
	z := html.NewTokenizer(strings.NewReader(source))
	for w.out.Len() <= htmlMost {
		switch z.Next() {
		case html.ErrorToken:
			w.endLink()
			return w.out.String(), w.pictures
		case html.TextToken:
			if w.silent == "" {
				w.text(string(z.Text()))
			}
		case html.StartTagToken:
			w.start(z, false)
		case html.SelfClosingTagToken:
			w.start(z, true)
		case html.EndTagToken:
			name, _ := z.TagName()
			w.end(string(name))
		}
	}
	return w.out.String(), w.pictures
}

// htmlWriter turns tags and text into lines.
type htmlWriter struct {
	out      strings.Builder
	pictures []string

	silent string // the element that hides all below it
	depth  int    // how often it was opened

	quote   int
	quoted  int // how deep the last line was quoted
	pre     int
	breaks  int  // line ends due before the next text
	space   bool // white space due before the next text
	started bool // text was written on this line
	any     bool // text was written at all
	marked  bool // the mark of a list's item was written and nothing yet behind it

	href     string
	linkFrom int // where the link's text begins in out
	lists    []int
}

// blocks begin and end on lines of their own; the number is how many line ends
// stand around them.
var blocks = map[string]int{
	"p": 2, "div": 1, "section": 1, "article": 1, "header": 1, "footer": 1, "main": 1, "aside": 1, "address": 1,
	"h1": 2, "h2": 2, "h3": 2, "h4": 2, "h5": 2, "h6": 2, "ul": 1, "ol": 1, "dl": 1, "dt": 1, "dd": 1, "li": 1,
	"table": 1, "tr": 1, "caption": 1, "pre": 2, "blockquote": 1, "form": 1, "fieldset": 1, "center": 1, "body": 1, "figure": 1,
	"figcaption": 1, "nav": 1, "details": 1, "summary": 1, "hr": 1,
}

// mute are elements of which nothing is read.
var mute = map[string]bool{
	"script": true, "style": true, "head": true, "title": true, "template": true, "noscript": true, "object": true,
	"iframe": true, "svg": true, "math": true, "select": true, "textarea": true, "audio": true, "video": true, "xml": true,
}

// void elements have no end.
var void = map[string]bool{
	"br": true, "hr": true, "img": true, "input": true, "meta": true, "link": true, "area": true, "base": true,
	"col": true, "embed": true, "source": true, "track": true, "wbr": true,
}

func (w *htmlWriter) start(z *html.Tokenizer, closed bool) {
	raw, more := z.TagName()
	name := string(raw)
	if w.silent != "" {
		if name == w.silent && !closed && !void[name] {
			w.depth++
		}
		// A body ends a head that was never closed.
		if name != "body" || w.silent != "head" {
			return
		}
		w.silent = ""
	}
	attrs := attributes(z, more)
	if mute[name] || hidden(attrs) {
		if !closed && !void[name] {
			w.silent, w.depth = name, 1
		}
		return
	}
	if n, ok := blocks[name]; ok {
		w.newline(n)
	}
	switch name {
	case "br":
		w.breaks = min(w.breaks+1, 2)
		w.space = false
	case "hr":
		w.text(rule)
		w.newline(1)
	case "blockquote":
		w.quote++
	case "pre":
		w.pre++
	case "ul":
		w.lists = append(w.lists, -1)
	case "ol":
		w.lists = append(w.lists, 1)
	case "li":
		w.item()
	case "td", "th":
		w.space = w.started
	case "a":
		w.endLink()
		w.href, w.linkFrom = linkTarget(attrs["href"]), -1
	case "img":
		w.picture(attrs)
	}
}

func (w *htmlWriter) end(name string) {
	if w.silent != "" {
		if name == w.silent {
			if w.depth--; w.depth <= 0 {
				w.silent = ""
			}
		}
		return
	}
	switch name {
	case "a":
		w.endLink()
	case "blockquote":
		w.newline(1)
		w.quote = max(0, w.quote-1)
		return
	case "pre":
		w.pre = max(0, w.pre-1)
	case "ul", "ol":
		if len(w.lists) > 0 {
			w.lists = w.lists[:len(w.lists)-1]
		}
	}
	if n, ok := blocks[name]; ok {
		w.newline(n)
	}
}

func attributes(z *html.Tokenizer, more bool) map[string]string {
	var attrs map[string]string
	for n := 0; more && n < 100; n++ {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch string(key) {
		case "style", "hidden", "href", "src", "alt", "width", "height":
			if attrs == nil {
				attrs = map[string]string{}
			}
			if _, twice := attrs[string(key)]; !twice && (len(value) < 8<<10 || string(key) == "src") {
				attrs[string(key)] = string(value)
			}
		}
	}
	return attrs
}

// hidden reports whether an element is not shown: the lines that mailing
// systems write for previews.
func hidden(attrs map[string]string) bool {
	if _, ok := attrs["hidden"]; ok {
		return true
	}
	style := attrs["style"]
	if style == "" {
		return false
	}
	style = strings.ToLower(strings.Join(strings.Fields(style), ""))
	for declaration := range strings.SplitSeq(style, ";") {
		declaration = strings.TrimSuffix(declaration, "!important")
		switch declaration {
		case "display:none", "visibility:hidden", "mso-hide:all", "font-size:0", "font-size:0px", "opacity:0", "max-height:0", "max-height:0px":
			return true
		}
	}
	return false
}

// linkTarget is where a link leads, if a reader could go there.
func linkTarget(href string) string {
	href = strings.TrimSpace(href)
	scheme, _, _ := strings.Cut(strings.ToLower(href), ":")
	switch scheme {
	case "http", "https", "mailto", "tel", "ftp":
		return strings.Join(strings.Fields(href), "%20")
	}
	return ""
}

// endLink writes where a link leads, unless its text says so already.
func (w *htmlWriter) endLink() {
	href := w.href
	w.href = ""
	if href == "" {
		return
	}
	if w.linkFrom < 0 {
		// A picture, or nothing: the address alone would be noise.
		return
	}
	shown := strings.TrimSpace(w.out.String()[w.linkFrom:])
	if strings.ContainsAny(shown, "\n") && len(shown) > 500 {
		return
	}
	bare := func(s string) string {
		s = strings.TrimPrefix(strings.TrimPrefix(s, "mailto:"), "tel:")
		s = strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
		return strings.ToLower(strings.TrimSuffix(strings.ReplaceAll(s, " ", ""), "/"))
	}
	if bare(shown) == bare(href) {
		return
	}
	w.out.WriteString(" <" + href + ">")
}

func (w *htmlWriter) picture(attrs map[string]string) {
	src := strings.TrimSpace(attrs["src"])
	if src == "" {
		return
	}
	if (len(src) < 500 || strings.HasPrefix(src, "data:image/")) && len(w.pictures) < maxPictures {
		w.pictures = append(w.pictures, src)
	}
	if w.href == "" || attrs["width"] == "1" || attrs["height"] == "1" {
		return
	}
	if alt := strings.TrimSpace(attrs["alt"]); alt != "" {
		w.text(alt)
	}
}

func (w *htmlWriter) item() {
	mark := "* "
	if n := len(w.lists); n > 0 && w.lists[n-1] > 0 {
		mark = strconv.Itoa(w.lists[n-1]) + ". "
		w.lists[n-1]++
	}
	w.put(strings.Repeat("  ", max(0, min(len(w.lists), 8)-1)) + mark)
	w.marked = true
}

// newline asks for line ends before the next text.
func (w *htmlWriter) newline(n int) {
	w.space = false
	if !w.any || w.marked {
		return
	}
	if w.started || w.breaks > 0 {
		w.breaks = max(w.breaks, n)
	}
	w.started = false
}

// text writes text, with white space as browsers show it.
func (w *htmlWriter) text(s string) {
	if w.pre > 0 {
		for i, l := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
			if i > 0 {
				w.breaks = min(w.breaks+1, 2)
				w.started = false
			}
			if l != "" {
				w.put(l)
			}
		}
		return
	}
	if !w.started && strings.Trim(s, " \t\r\n\u00a0") == "" {
		return // a space that holds a line open
	}
	words := strings.FieldsFunc(s, isHTMLSpace)
	if len(words) == 0 {
		w.space = w.space || s != "" && !w.marked
		return
	}
	if isHTMLSpace(rune(s[0])) && !w.marked {
		w.space = true
	}
	w.put(strings.Join(words, " "))
	w.space = isHTMLSpace(rune(s[len(s)-1]))
}

func isHTMLSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\f'
}

func (w *htmlWriter) put(s string) {
	depth := min(w.quote, maxQuote)
	if w.breaks > 0 && w.any {
		for i := range w.breaks {
			if i > 0 {
				// An empty line within a quote is quoted too.
				w.out.WriteString(strings.Repeat(">", min(depth, w.quoted)))
			}
			w.out.WriteByte('\n')
		}
		w.started = false
	}
	w.breaks, w.quoted = 0, depth
	if !w.started {
		if depth > 0 {
			w.out.WriteString(strings.Repeat(">", depth) + " ")
		}
	} else if w.space {
		w.out.WriteByte(' ')
	}
	w.space = false
	if w.href != "" && w.linkFrom < 0 {
		w.linkFrom = w.out.Len()
	}
	w.out.WriteString(s)
	w.started, w.any, w.marked = true, true, false
}
