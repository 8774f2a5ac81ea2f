package incoming

import (
	"bytes"
	"net/textproto"
	"strings"

	"github.com/jhillyerd/enmime/v2"
)

// field is one header, unfolded, its value as it came.
type field struct {
	name  string // canonical
	value string
}

// headerBlock is what readHeader found.
type headerBlock struct {
	fields []field
	body   []byte
	broken bool // lines that are no header, or no blank line
	cut    bool // longer than the limit
}

// readHeader takes the header off a mail or part. It takes what real senders
// get wrong: lines folded without a space, white space in the blank line, no
// blank line at all.
func readHeader(raw []byte, limit int) headerBlock {
	var h headerBlock
	var name string
	var value []byte
	odd := false // the name was not written as it should be
	size := 0
	flush := func() {
		// A verdict in a spelling that a server does not know as one, and so
		// does not remove from what strangers send, is none.
		if name != "" && (!odd || name != "Authentication-Results") {
			h.fields = append(h.fields, field{name, strings.TrimSpace(string(value))})
		}
		name, value = "", value[:0]
	}
	ahead := 0 // how much of raw is left at the next well-known header, 0: not looked for
	for len(raw) > 0 {
		text, rest := cutLine(raw)
		nul := bytes.IndexByte(text, 0) >= 0
		if nul {
			text = bytes.ReplaceAll(text, []byte{0}, nil)
		}
		if size += len(raw) - len(rest); size > limit {
			h.cut = true
		}
		trimmed := bytes.TrimSpace(text)
		switch n := fieldName(text); {
		case len(text) == 0:
			flush()
			h.body = rest
			return h
		case len(trimmed) == 0:
			// White space alone is a blank line to those who write it, unless
			// the header goes on below.
			if next, _ := cutLine(rest); fieldName(next) == 0 && !folded(next) {
				flush()
				h.body = rest
				return h
			}
		case h.cut:
		case folded(text):
			if name != "" {
				value = append(append(value, ' '), trimmed...)
			} else {
				h.broken = true
			}
		case n > 0:
			flush()
			written := bytes.TrimRight(text[:n], " \t")
			odd = nul || len(written) < n
			name = textproto.CanonicalMIMEHeaderKey(string(written))
			value = append(value[:0], text[n+1:]...)
		case isMboxLine(text):
		default:
			h.broken = true
			if ahead == 0 || ahead > len(rest) {
				ahead = knownAhead(rest)
			}
			if ahead < 0 || isDashes(text) {
				flush()
				h.body = raw
				return h
			}
			if name != "" {
				value = append(append(value, ' '), trimmed...)
			}
		}
		raw = rest
	}
	flush()
	return h
}

// cutLine returns the first line without its end, and what follows it.
func cutLine(raw []byte) (text, rest []byte) {
	i := bytes.IndexByte(raw, '\n')
	if i < 0 {
		return bytes.TrimRight(raw, "\r"), nil
	}
	return bytes.TrimRight(raw[:i], "\r"), raw[i+1:]
}

func folded(text []byte) bool {
	return len(text) > 0 && (text[0] == ' ' || text[0] == '\t') && len(bytes.TrimSpace(text)) > 0
}

func isMboxLine(text []byte) bool {
	return fieldName(text) == 0 && (bytes.HasPrefix(text, []byte("From ")) || bytes.HasPrefix(text, []byte(">From ")))
}

// fieldName returns where the colon of a header's name is, or 0.
func fieldName(text []byte) int {
	for i, c := range text {
		switch {
		case c == ':':
			return i
		case c == ' ' || c == '\t':
			// Space is let pass before the colon and nowhere else.
			rest := bytes.TrimLeft(text[i:], " \t")
			if i > 0 && len(rest) > 0 && rest[0] == ':' {
				return len(text) - len(rest)
			}
			return 0
		case c < '!' || c > '~' || i >= 100:
			return 0
		}
	}
	return 0
}

// knownHeaders are names that tell a header from a line of text with a colon.
var knownHeaders = map[string]bool{
	"From": true, "To": true, "Cc": true, "Bcc": true, "Subject": true, "Date": true,
	"Sender": true, "Reply-To": true, "Message-Id": true, "In-Reply-To": true, "References": true,
	"Received": true, "Return-Path": true, "Mime-Version": true, "Delivered-To": true,
	"Content-Type": true, "Content-Transfer-Encoding": true, "Content-Disposition": true,
	"Content-Id": true, "Content-Description": true, "Content-Language": true, "Content-Location": true,
	"Authentication-Results": true, "Dkim-Signature": true, "Received-Spf": true, "Auto-Submitted": true,
	"List-Id": true, "List-Unsubscribe": true, "Precedence": true, "Importance": true, "Priority": true,
	"User-Agent": true, "Thread-Topic": true, "Thread-Index": true, "Envelope-To": true, "Organization": true,
}

func known(name string) bool {
	return knownHeaders[name] || strings.HasPrefix(name, "X-")
}

// isDashes reports whether a line looks like the boundary of parts, behind
// which no header of the mail goes on.
func isDashes(text []byte) bool {
	return len(text) > 2 && text[0] == '-' && text[1] == '-'
}

// knownAhead looks for a well-known header before the next blank line and
// returns how much of raw is left there, or -1.
func knownAhead(raw []byte) int {
	for len(raw) > 0 {
		text, rest := cutLine(raw)
		if len(text) == 0 || isDashes(text) {
			return -1
		}
		if n := fieldName(text); n > 0 && known(textproto.CanonicalMIMEHeaderKey(string(bytes.TrimRight(text[:n], " \t")))) {
			return len(raw)
		}
		raw = rest
	}
	return -1
}

// hasKnown reports whether there is anything in a mail's header that makes it
// one.
func hasKnown(fields []field) bool {
	for _, f := range fields {
		if known(f.name) {
			return true
		}
	}
	return false
}

func mimeHeader(fields []field) textproto.MIMEHeader {
	h := make(textproto.MIMEHeader, len(fields))
	for _, f := range fields {
		h[f.name] = append(h[f.name], f.value)
	}
	return h
}

// decodeHeaders makes valid UTF-8 of what headers hold raw; encoded words stay
// as they are. It comes after the tree is read, because the charset of the text
// says what the header of a sloppy sender is written in.
func (p *parser) decodeHeaders(part *enmime.Part) {
	for ; part != nil; part = part.NextSibling {
		for _, values := range part.Header {
			for i, value := range values {
				values[i] = p.raw8(value)
			}
		}
		p.decodeHeaders(part.FirstChild)
	}
}

// raw8 decodes bytes in a header that nobody declared.
func (p *parser) raw8(value string) string {
	if isASCII(value) && !strings.Contains(value, "\x1b$") && strings.IndexByte(value, 0) < 0 {
		return value
	}
	text, _ := decodeText([]byte(value), "", p.hint)
	return strings.ReplaceAll(text, "\x00", "")
}
