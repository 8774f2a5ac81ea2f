package incoming

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/jhillyerd/enmime/v2"
)

func transferEncoding(part *enmime.Part) string {
	word, _, _ := strings.Cut(first(part.Header["Content-Transfer-Encoding"]), ";")
	word, _, _ = strings.Cut(word, "(")
	return strings.ToLower(strings.Trim(word, "\"' \t."))
}

// decodeTransfer undoes the transfer encoding. What is broken in it costs
// those bytes only; an encoding nobody knows leaves the content as it is.
func (p *parser) decodeTransfer(part *enmime.Part, body []byte) []byte {
	encoding := transferEncoding(part)
	// RFC 2046 5.2 forbids to encode mails within mails. Some are, others only
	// say so, and what is quoted-printable in them must stay.
	mail := strings.HasPrefix(part.ContentType, "message/")
	if mail && looksLikeHeader(body) && (encoding == "base64" || part.ContentType == "message/rfc822") {
		return body
	}
	switch encoding {
	case "", "7bit", "8bit", "binary", "7-bit", "8-bit", "7bits", "8bits", "none", "utf-8", "us-ascii", "ascii":
		return body
	case "quoted-printable", "quotedprintable", "quoted printable", "qp":
		decoded, ok := unquotePrintable(body)
		if !ok {
			p.problem(problemBadEncoding)
		}
		return decoded
	case "base64", "base-64", "b64":
		decoded, ok := unbase64(body)
		if !ok {
			p.problem(problemBadEncoding)
		}
		return decoded
	case "x-uuencode", "uuencode", "x-uue", "uue":
		if decoded, ok := unuuencode(body); ok {
			return decoded
		}
		p.problem(problemBadEncoding)
		return body
	default:
		p.problem(problemEncoding)
		return body
	}
}

func looksLikeHeader(body []byte) bool {
	text, _ := cutLine(bytes.TrimLeft(body, "\r\n"))
	return fieldName(text) > 0
}

// base64Values maps a byte to its six bits, or 64 to what is passed over, 65 to
// padding, 66 to what should not be there.
var base64Values = func() (table [256]byte) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range table {
		table[i] = 66
	}
	for i := range len(letters) {
		table[letters[i]] = byte(i) // #nosec G115 -- below 64
	}
	table['-'], table['_'] = 62, 63 // the URL alphabet
	for _, c := range []byte(" \t\r\n") {
		table[c] = 64
	}
	table['='] = 65
	return table
}()

// unbase64 decodes what can be decoded. Padding in the middle, where somebody
// put two texts together, starts a new group.
func unbase64(body []byte) (decoded []byte, ok bool) {
	body = bytes.TrimSpace(body)
	decoded = make([]byte, base64.StdEncoding.DecodedLen(len(body))+3)
	// Without stray characters the library is ten times as fast, and it skips
	// line ends itself.
	if n, err := base64.StdEncoding.Decode(decoded, body); err == nil {
		return decoded[:n], true
	}
	decoded = decoded[:0]
	body = withoutFooter(body)
	ok = true
	var group uint32
	count := 0
	flush := func() {
		switch count {
		case 2:
			decoded = append(decoded, byte(group>>4)) // #nosec G115 -- meant
		case 3:
			decoded = append(decoded, byte(group>>10), byte(group>>2)) // #nosec G115 -- meant
		case 1:
			ok = false
		}
		group, count = 0, 0
	}
	for _, c := range body {
		switch v := base64Values[c]; v {
		case 64:
		case 65:
			flush()
		case 66:
			ok = false
		default:
			group = group<<6 | uint32(v)
			if count++; count == 4 {
				decoded = append(decoded, byte(group>>16), byte(group>>8), byte(group)) // #nosec G115 -- meant
				group, count = 0, 0
			}
		}
	}
	flush()
	return decoded, ok
}

// withoutFooter cuts off the lines of text that lists and gateways hang below
// base64 without looking what it is.
func withoutFooter(body []byte) []byte {
	for at := 0; at < len(body); {
		text, rest := cutLine(body[at:])
		trimmed := bytes.TrimSpace(text)
		if bytes.HasPrefix(trimmed, []byte("--")) || bytes.HasPrefix(trimmed, []byte("__")) || bytes.Count(trimmed, []byte(" ")) > 1 {
			return body[:at]
		}
		at = len(body) - len(rest)
	}
	return body
}

// unquotePrintable decodes quoted-printable. What is no code stays as it is.
func unquotePrintable(body []byte) (decoded []byte, ok bool) {
	decoded = make([]byte, 0, len(body))
	ok = true
	for len(body) > 0 {
		i := bytes.IndexByte(body, '\n')
		var text []byte
		end := ""
		if i < 0 {
			text, body = body, nil
		} else {
			text, body = body[:i], body[i+1:]
			end = "\n"
		}
		if trimmed := bytes.TrimRight(text, "\r"); len(trimmed) < len(text) {
			text = trimmed
			if end != "" {
				end = "\r\n"
			}
		}
		// White space at the end of a line was added on the way.
		text = bytes.TrimRight(text, " \t")
		if bytes.HasSuffix(text, []byte("=")) {
			text, end = text[:len(text)-1], ""
		}
		for {
			i := bytes.IndexByte(text, '=')
			if i < 0 {
				break
			}
			decoded = append(decoded, text[:i]...)
			text = text[i+1:]
			if len(text) >= 2 {
				if high, low := hexDigit(text[0]), hexDigit(text[1]); high >= 0 && low >= 0 {
					decoded = append(decoded, byte(high<<4|low)) // #nosec G115 -- two digits
					text = text[2:]
					continue
				}
			}
			ok = false
			decoded = append(decoded, '=')
		}
		decoded = append(decoded, text...)
		decoded = append(decoded, end...)
	}
	return decoded, ok
}

// unuuencode decodes what stands between begin and end.
func unuuencode(body []byte) (decoded []byte, ok bool) {
	started := false
	for len(body) > 0 {
		var text []byte
		text, body = cutLine(body)
		switch {
		case !started:
			started = bytes.HasPrefix(text, []byte("begin "))
			continue
		case bytes.Equal(text, []byte("end")):
			return decoded, true
		case len(text) == 0:
			continue
		}
		n := int(text[0]-' ') & 63
		for i := 1; n > 0; i += 4 {
			var group uint32
			for k := range 4 {
				group <<= 6
				if i+k < len(text) {
					group |= uint32(text[i+k]-' ') & 63
				}
			}
			for k := 0; k < 3 && n > 0; k++ {
				decoded = append(decoded, byte(group>>(16-8*k))) // #nosec G115 -- meant
				n--
			}
		}
	}
	return decoded, started
}
