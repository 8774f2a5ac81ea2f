package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func wide(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/wide.svg")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkClean holds what is written against the lists, with a reader of its own.
func checkClean(t *testing.T, data []byte) {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(data))
	depth := 0
	for {
		token, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, data)
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth++
			if e.Name.Space != "" || !elements[e.Name.Local] {
				t.Errorf("an element <%s:%s> was written", e.Name.Space, e.Name.Local)
			}
			for _, a := range e.Attr {
				checkAttribute(t, depth, a)
			}
		case xml.EndElement:
			depth--
		case xml.ProcInst, xml.Directive, xml.Comment:
			t.Errorf("%T was written: %v", token, token)
		}
	}
	for _, bad := range []string{"javascript", "<!", "<?", "@import", "expression("} {
		// Text may say what it likes; tags may not.
		if i := bytes.Index(bytes.ToLower(data), []byte(bad)); i >= 0 && bytes.LastIndexByte(data[:i], '<') > bytes.LastIndexByte(data[:i], '>') {
			t.Errorf("%q stands in a tag of %s", bad, data)
		}
	}
}

func checkAttribute(t *testing.T, depth int, a xml.Attr) {
	t.Helper()
	name, value := a.Name.Local, a.Value
	switch {
	case a.Name.Space != "":
		t.Errorf("an attribute %s:%s was written", a.Name.Space, name)
	case name == "xmlns":
		if depth != 1 || value != svgSpace {
			t.Errorf("xmlns=%q was written", value)
		}
	case name == "id":
		if strings.Trim(strings.TrimPrefix(value, "i"), "0123456789") != "" {
			t.Errorf("id=%q was written", value)
		}
	case name == "href":
		if !strings.HasPrefix(value, "#i") {
			t.Errorf("href=%q was written", value)
		}
	case !geometry[name] && !properties[name]:
		t.Errorf("an attribute %s was written", name)
	case strings.Contains(strings.ToLower(value), "url") && name != "font-family":
		if !strings.HasPrefix(value, "url(#i") || strings.Count(strings.ToLower(value), "url") != 1 {
			t.Errorf("%s=%q was written", name, value)
		}
	case strings.ContainsAny(value, `\<>@;{}`):
		t.Errorf("%s=%q was written", name, value)
	}
}

func TestSVGKeepsWhatIsDrawnAndNothingElse(t *testing.T) {
	p, err := Read(wide(t))
	if err != nil {
		t.Fatal(err)
	}
	checkClean(t, p.Data)
	want := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="10 20 300 60" width="300" height="60"><defs>` +
		`<linearGradient id="i1" x1="0" x2="1"><stop offset="0" stop-color="#e4572e"/><stop offset="1" stop-color="#f2c744"/></linearGradient>` +
		`<rect id="i2" width="14" height="40" rx="3"/></defs>` +
		`<g><circle cx="40" cy="50" r="28" fill="#0f5fc2"/><path d="M28 50l8 8 16-18" fill="none" stroke="#fff" stroke-width="6" stroke-linecap="round"/></g>` +
		`<g transform="translate(90 30)"><use href="#i2" x="0" fill="#0f5fc2"/><use href="#i2" x="24" fill="url(#i1)"/>` +
		`<use href="#i2" fill="#17692f" x="48" y="5"/><rect x="80" width="120" height="40" fill="url(#i1)"/></g>` +
		`<g><rect x="295" y="30" width="10" height="40"/></g></svg>`
	if got := string(p.Data); got != want {
		t.Errorf("got\n%s\nwanted\n%s", got, want)
	}
	told := strings.Join(p.Removed, "\n")
	for _, what := range []string{
		"<!DOCTYPE>", "<script>", "the script onload", "a reference to javascript:alert(3)", "<image>", "<foreignObject>",
		"a style: @import url(https://example.com/x.css)", "a style: @media (prefers-color-scheme: dark)", "what a drawing program noted", "links",
	} {
		if !strings.Contains(told, what) {
			t.Errorf("the operator is not told of %q:\n%s", what, told)
		}
	}
	if !p.Exact || p.Width != 300 || p.Height != 60 {
		t.Errorf("exact %v, %d by %d; wanted true, 300 by 60", p.Exact, p.Width, p.Height)
	}
}

func in(inner string) string {
	return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10">` + inner + `</svg>`
}

func TestSVGTricks(t *testing.T) {
	for _, tt := range []struct{ name, inner, want string }{
		{"a script", `<script>alert(1)</script>`, ``},
		{"a script in a namespace", `<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>`, ``},
		{"handlers in any case", `<rect onClick="a()" ONLOAD="b()" width="1"/>`, `<rect width="1"/>`},
		{"a picture within", `<image href="data:image/png;base64,AAAA"/>`, ``},
		{"a picture for a filter", `<filter id="f"><feImage href="https://e.example/x"/></filter><g filter="url(#f)"/>`, `<filter id="i1"/><g filter="url(#i1)"/>`},
		{"use of another file", `<use href="https://e.example/a.svg#x"/>`, `<use/>`},
		{"use of data", `<use xlink:href="data:image/svg+xml,&lt;svg/>#x"/>`, `<use/>`},
		{"paint from elsewhere", `<rect fill="url(https://e.example/#a)"/>`, `<rect/>`},
		{"paint from elsewhere with a gap", `<rect fill="url ( //e.example/#a )"/>`, `<rect/>`},
		{"paint escaped", `<rect fill="\75rl(//e.example/#a)"/>`, `<rect/>`},
		{"paint with quotes", `<linearGradient id="g"/><rect fill="url('#g') red"/>`, `<linearGradient id="i1"/><rect fill="url(#i1) red"/>`},
		{"paint of two", `<linearGradient id="g"/><rect fill="url(#g) url(//e.example)"/>`, `<linearGradient/><rect/>`},
		{"a style with a cursor", `<rect style="cursor:url(//e.example/c);fill:red"/>`, `<rect fill="red"/>`},
		{"a style for all", `<style>rect{fill:blue}#x{fill:red}.c{fill:green}</style><rect id="x" class="c"/><rect class="c"/>`, `<rect fill="red"/><rect fill="green"/>`},
		{"a font from elsewhere", `<style>@font-face{font-family:x;src:url(//e.example/x)}</style><text font-family="x">hi</text>`, `<text font-family="x">hi</text>`},
		{"things that move", `<rect><animate attributeName="href" to="javascript:a()"/><set attributeName="onload" to="a()"/></rect>`, `<rect/>`},
		{"HTML within", `<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="//e.example"/></foreignObject>`, ``},
		{"a link", `<a href="javascript:a()"><rect/></a>`, `<g><rect/></g>`},
		{"a document within", `<svg onload="a()"><rect/></svg>`, ``},
		{"a base elsewhere", `<g xml:base="https://e.example/"><use href="#x"/></g>`, `<g><use/></g>`},
		{"markup in a text", `<text>&lt;script&gt;&amp;</text>`, `<text>&lt;script&gt;&amp;</text>`},
		{"a text in parts", `<text>a<!-- --> <![CDATA[<b>]]></text>`, `<text>a &lt;b&gt;</text>`},
		{"a quote in a value", `<text font-family="a&quot; onload=&quot;b"/>`, `<text/>`},
		{"a quoted font", `<text font-family="'Open Sans', serif"/>`, `<text font-family="&#39;Open Sans&#39;, serif"/>`},
		{"names that nobody uses", `<g id="Layer_1"><rect id="b"/></g>`, `<g><rect/></g>`},
		{"names twice", `<rect id="a" width="1"/><rect id="a" width="2"/><use href="#a"/>`, `<rect id="i1" width="1"/><rect width="2"/><use href="#i1"/>`},
		{"functions that fetch", `<rect fill="image(red)"/><rect fill="src(x)"/><rect fill="var(--x)"/><rect fill="rgb(1,2,3)"/>`, `<rect/><rect/><rect/><rect fill="rgb(1,2,3)"/>`},
		{"words of direction", "<text>a\u202eb</text>", "<text>ab</text>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, data, err := cleanSVG([]byte(in(tt.inner)))
			if err != nil {
				t.Fatal(err)
			}
			checkClean(t, data)
			got := strings.TrimPrefix(string(data), `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" width="10" height="10"`)
			want := ">" + tt.want + "</svg>"
			if tt.want == "" {
				want = "/>"
			}
			if got != want {
				t.Errorf("got %s, wanted %s", got, want)
			}
		})
	}
}

func TestSVGRefused(t *testing.T) {
	bomb := `<defs><g id="a0"><rect/></g>`
	for i := range 20 {
		bomb += fmt.Sprintf(`<g id="a%d">%s</g>`, i+1, strings.Repeat(fmt.Sprintf(`<use href="#a%d"/>`, i), 4))
	}
	for _, tt := range []struct{ name, file, code string }{
		{"an entity bomb", `<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>` + in(`<text>&b;</text>`), "picture.broken"},
		{"a file of the machine", `<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + in(`<text>&x;</text>`), "picture.broken"},
		{"half a file", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><g>`, "picture.broken"},
		{"another alphabet", `<?xml version="1.0" encoding="UTF-16"?>` + in(``), "picture.broken"},
		{"HTML", `<html><body/></html>`, "picture.type"},
		{"HTML called svg", `<svg xmlns="http://www.w3.org/1999/xhtml" viewBox="0 0 1 1"/>`, "picture.type"},
		{"no size", `<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="100%"/>`, "picture.shape"},
		{"no number", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 NaN Inf"/>`, "picture.shape"},
		{"too narrow", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 1"/>`, "picture.shape"},
		{"references that multiply", in(bomb + `</defs><use href="#a20"/>`), "picture.complex"},
		{"a reference to itself", in(`<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>`), "picture.complex"},
		{"a pattern in itself", in(`<pattern id="a"><rect fill="url(#a)"/></pattern><rect fill="url(#a)"/>`), "picture.complex"},
		{"too deep", in(strings.Repeat("<g>", 100) + strings.Repeat("</g>", 100)), "picture.complex"},
		{"too many", in(strings.Repeat("<g/>", maxElements+1)), "picture.complex"},
		{"too long", in(`<path d="` + strings.Repeat("M0 0", MaxSVGBytes/4) + `"/>`), "picture.size"},
		{"nothing", ``, "picture.type"},
		{"a GIF", "GIF89a\x01\x00\x01\x00", "picture.type"},
		{"a JPEG", "\xff\xd8\xff\xe0", "picture.type"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read([]byte(tt.file))
			var got *portal.Error
			if !errors.As(err, &got) || got.Code != tt.code {
				t.Errorf("got %v, wanted %s", err, tt.code)
			}
		})
	}
}

// FuzzSVG holds that whatever comes in, what goes out holds nothing but what is
// listed, and stays the same when it is taken apart again.
func FuzzSVG(f *testing.F) {
	f.Add(string(wide(f)))
	f.Add(in(`<style>.a{fill:url(#b)}</style><g class="a" style="stroke:red"><text>a &amp; <tspan>b</tspan></text></g><clipPath id="b"/>`))
	f.Add(in(`<use href="#x" fill="url('#x')"/><symbol id="x"><path d="M0 0"/></symbol>`))
	f.Add(`<svg width="10mm" height="5mm"><a/><switch><g/></switch></svg>`)
	f.Fuzz(func(t *testing.T, file string) {
		_, data, err := cleanSVG([]byte(file))
		if err != nil {
			return
		}
		checkClean(t, data)
		d, again, err := cleanSVG(data)
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, data)
		}
		if !bytes.Equal(data, again) {
			t.Errorf("written once:\n%s\nwritten again:\n%s", data, again)
		}
		if len(d.removed) > 0 {
			t.Errorf("of what was written, %q was removed", d.removed)
		}
	})
}
