package incoming

import (
	"net/mail"
	"net/textproto"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"

	"github.com/portalctl/portalctl/pkg/portal"
)

// maxLine is how many bytes of one line, a subject or a name, are handed on.
const maxLine = 8 << 10

// line makes one harmless line of a header's text: control characters and
// direction marks go, white space becomes single spaces.
func line(s string) string {
	if len(s) > maxLine {
		s = strings.ToValidUTF8(s[:maxLine], "")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case portal.IsBidiControl(r), r == '\ufeff':
			return -1
		}
		return western(r)
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.Join(strings.Fields(norm.NFC.String(s)), " ")
}

// cleanText makes a text harmless: valid UTF-8 in NFC, \n at line ends, no
// control character but tab.
func cleanText(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if strings.ContainsAny(s, "\r\u2028\u2029") {
		s = strings.NewReplacer("\r\r\n", "\n", "\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n\n").Replace(s)
	}
	s = strings.Map(func(r rune) rune {
		switch r {
		case '\n', '\t':
			return r
		case '\ufeff':
			return -1
		}
		return western(r)
	}, s)
	return norm.NFC.String(s)
}

// western drops control characters. Those above ASCII are no controls in mail,
// but windows-1252 that a program took for ISO-8859-1: U+0080 was a euro.
func western(r rune) rune {
	if !unicode.IsControl(r) {
		return r
	}
	if r >= 0x80 {
		if r = charmap.Windows1252.DecodeByte(byte(r)); !unicode.IsControl(r) { // #nosec G115 -- below 0xa0
			return r
		}
	}
	return -1
}

// cutText cuts a text at the end of a line, so that it fits.
func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	s = s[:limit]
	if i := strings.LastIndexByte(s, '\n'); i > limit/2 {
		return s[:i+1]
	}
	for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) {
		r, size := utf8.DecodeLastRuneInString(s)
		if r != utf8.RuneError || size != 1 {
			break
		}
		s = s[:len(s)-1]
	}
	return s
}

// dateLayouts are how senders write dates whom net/mail does not understand.
var dateLayouts = []string{
	"Mon, 2 Jan 2006 15:04:05 -07:00",
	"Mon, 2 Jan 2006 15:04:05",
	"Mon, 2 Jan 2006 15:04 -0700",
	"Mon, 2 Jan 2006 15.04.05 -0700",
	"Mon 2 Jan 2006 15:04:05 -0700",
	"Mon, 2-Jan-2006 15:04:05 -0700",
	"Mon, 2-Jan-2006 15:04:05 MST",
	"Mon, Jan 2 2006 15:04:05 -0700",
	"Mon Jan 2 15:04:05 2006",
	"Mon Jan 2 15:04:05 MST 2006",
	"Mon Jan 2 15:04:05 2006 -0700",
	"2 Jan 2006 15:04:05",
	"2 January 2006 15:04:05 -0700",
	"Monday, 2 January 2006 15:04:05 -0700",
	"Monday, January 2, 2006 3:04 PM",
	"2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05",
	"2006-01-02T15:04:05Z07:00",
	"1/2/2006 3:04:05 PM",
}

// date reads when a mail was written.
func (p *parser) date(h textproto.MIMEHeader) time.Time {
	value := line(first(h["Date"]))
	if value == "" {
		return time.Time{}
	}
	if len(value) <= 200 {
		if t, err := mail.ParseDate(value); err == nil {
			return p.sane(t)
		}
		short, _, _ := strings.Cut(value, "(")
		short = strings.NewReplacer(" UT", " +0000", " GMT+", " +", " GMT-", " -", "Sept ", "Sep ").Replace(strings.Join(strings.Fields(short), " "))
		if t, err := mail.ParseDate(short); err == nil {
			return p.sane(t)
		}
		for _, layout := range dateLayouts {
			if t, err := time.Parse(layout, short); err == nil {
				return p.sane(t)
			}
		}
	}
	p.problem(problemBadDate)
	return time.Time{}
}

// sane leaves out years that no mail is from.
func (p *parser) sane(t time.Time) time.Time {
	if t.Year() < 1970 || t.Year() > 2199 {
		p.problem(problemBadDate)
		return time.Time{}
	}
	return t.UTC()
}
