package incoming

import "testing"

func TestUnflow(t *testing.T) {
	tests := []struct {
		name, text string
		delsp      bool
		want       string
	}{
		{"a paragraph", "one \ntwo \nthree\nfour", false, "one two three\nfour"},
		{"without the space", "one \ntwo", true, "onetwo"},
		{"an accent on the next line", "e \n\u0301te", true, "\u00e9te"},
		{"the rule of a signature", "one \n-- \nAna", false, "one \n-- \nAna"},
		{"quotes by depth", "> one \n> two\n>> three \n> four", false, "> one two\n>> three \n> four"},
		{"a quote ends a paragraph", "one \n> two", false, "one \n> two"},
		{"stuffed", " From here\n >no quote\n  two spaces", false, "From here\n >no quote\n two spaces"},
		{"an empty quoted line", "> one\n>\n> two", false, "> one\n>\n> two"},
		{"nothing", "", false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := unflow(tt.text, tt.delsp); got != tt.want {
				t.Errorf("%q became %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestHTMLText(t *testing.T) {
	tests := []struct{ name, html, want string }{
		{"paragraphs", "<p>one</p><p>two</p>", "one\n\ntwo"},
		{"white space", "<p>  one\n\t two </p>", "one two"},
		{"words in tags", "a<b>b</b> c <i> d</i>", "ab c d"},
		{"breaks", "one<br>two<br><br>three", "one\ntwo\n\nthree"},
		{"no more than one empty line", "one<br><br><br><br>two<p></p><p></p><p>three", "one\n\ntwo\n\nthree"},
		{"divs as Gmail writes them", "<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"},
		{"a link", `<a href="https://example.com/x">here</a>`, "here <https://example.com/x>"},
		{"a link that says where it goes", `<a href="https://example.com/">example.com</a>`, "example.com"},
		{"a link that lies", `<a href="https://evil.example/">https://example.com</a>`, "https://example.com <https://evil.example/>"},
		{"a link with a script", `<a href="javascript:x()">here</a>`, "here"},
		{"a link around a picture", `<a href="https://example.com/x"><img src="b.png" alt="Pay"></a>`, "Pay <https://example.com/x>"},
		{"a link never closed", `<a href="https://example.com/x">here`, "here <https://example.com/x>"},
		{"scripts and styles", "<style>p{}</style><script>x()</script><p>seen</p><noscript>no</noscript>", "seen"},
		{"hidden by style", `<div style="color:red; DISPLAY : none !important">gone<div>gone too</div></div><p>seen</p>`, "seen"},
		{"hidden by attribute", "<p hidden>gone</p>seen", "seen"},
		{"a head that is not closed", "<head><title>gone</title><body>seen</body>", "seen"},
		{"comments of Outlook", "<!--[if mso]><p>gone</p><![endif]-->seen", "seen"},
		{"a quote", "<p>new</p><blockquote><p>one</p><p>two</p><blockquote>deeper</blockquote></blockquote><p>end</p>", "new\n\n> one\n>\n> two\n>\n>> deeper\n\nend"},
		{"a list", "<ul><li>one</li><li><p>two</p></li></ul><ol><li>three</li></ol>", "* one\n* two\n\n1. three"},
		{"a table", "<table><tr><td>a</td><td>b</td></tr><tr><th>c</th></tr></table>", "a b\nc"},
		{"as it is written", "<pre>a\n  b</pre>", "a\n  b"},
		{"entities", "&lt;b&gt; &amp; &eacute; &#8364; &nosuch;", "<b> & é € &nosuch;"},
		{"ends nobody opened", "</div></blockquote></ol></a>seen</p>", "seen"},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := htmlText(tt.html); got != tt.want {
				t.Errorf("%s\nbecame %q\nwant   %q", tt.html, got, tt.want)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	tests := []struct{ header, word, name, value string }{
		{`text/plain; charset=utf-8`, "text/plain", "charset", "utf-8"},
		{`Text/Plain ; Charset = "UTF-8" ; x=y`, "text/plain", "charset", "UTF-8"},
		{`text/plain charset=utf-8`, "text/plain", "charset", "utf-8"},
		{`text/plain; charset=utf-8 format=flowed`, "text/plain", "format", "flowed"},
		{`text/plain;;charset="a;b"; x=y`, "text/plain", "charset", "a;b"},
		{`text/plain (a comment); charset=utf-8`, "text/plain", "charset", "utf-8"},
		{`charset=utf-8`, "", "charset", "utf-8"},
		{`attachment; filename="a\"b\\c.txt"`, "attachment", "filename", `a"b\c.txt`},
		{`attachment; filename="a"b".txt"`, "attachment", "filename", `a"b".txt`},
		{`attachment; filename=a.txt; filename=b.txt`, "attachment", "filename", "a.txt"},
		{`attachment; filename*0*=utf-8''%E2%82; filename*1*=%AC.txt`, "attachment", "filename", "€.txt"},
		{`attachment; filename*=utf-8'%'x`, "attachment", "filename", "x"},
		{`attachment; filename`, "attachment", "filename", ""},
		{`attachment; =x; filename=a`, "attachment", "filename", "a"},
		{``, "", "filename", ""},
	}
	for _, tt := range tests {
		t.Run(tt.header, func(t *testing.T) {
			p := testParser()
			word, params := p.parameters(tt.header)
			if word != tt.word || params[tt.name] != tt.value {
				t.Errorf("%q and %s=%q, want %q and %q", word, tt.name, params[tt.name], tt.word, tt.value)
			}
		})
	}
}
