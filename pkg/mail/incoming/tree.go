package incoming

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/jhillyerd/enmime/v2"
)

// tree takes a mail apart into enmime's parts. enmime reads as tolerantly, but
// without bounds: 25 MB of boundaries become gigabytes of parts, and a mail
// nested a thousand deep is copied a thousand times. Here a part is a slice of
// the mail until it is decoded, each level is looked through once, and depth
// and number end the reading.
func (p *parser) tree(raw []byte) *enmime.Part {
	h := readHeader(raw, maxHeader)
	if !hasKnown(h.fields) {
		p.m.NoHeader = true
		p.problem(problemNoHeader)
		h = headerBlock{body: raw}
	}
	root := p.part(h, "text/plain", 1)
	root.PartID = "0"
	return root
}

// part makes a part of its header and body, and its children.
func (p *parser) part(h headerBlock, fallback string, depth int) *enmime.Part {
	p.parts++
	if h.broken {
		p.problem(problemHeaderBroken)
	}
	if h.cut {
		p.problem(problemHeaderCut)
	}
	part := &enmime.Part{Header: mimeHeader(h.fields)}
	p.describe(part, fallback)
	secret := isSecretMultipart(part, h.body, depth)
	if secret {
		part.ContentType = "multipart/mixed"
	}
	if !strings.HasPrefix(part.ContentType, "multipart/") {
		part.Content = p.decodeTransfer(part, h.body)
		return part
	}
	if depth >= maxDepth {
		p.problem(problemTooDeep)
		part.Content = h.body
		return part
	}
	p.children(part, h.body, depth)
	if first := part.FirstChild; secret && first != nil && first.ContentType == "text/plain" &&
		first.NextSibling != nil && first.NextSibling.ContentType == "text/html" {
		part.ContentType = "multipart/alternative"
	}
	return part
}

// isSecretMultipart reports whether a part that says it is text, or a mail that
// says nothing of what it is, holds parts after all.
func isSecretMultipart(part *enmime.Part, body []byte, depth int) bool {
	if part.Boundary != "" {
		return strings.HasPrefix(part.ContentType, "text/") && hasBoundary(body, part.Boundary)
	}
	if depth > 1 || part.Header["Content-Type"] != nil {
		return false
	}
	// The text of a mail may speak of boundaries; to be one it begins there.
	start := bytes.TrimSpace(body[:min(len(body), 1000)])
	if !bytes.HasPrefix(start, []byte("--")) && !bytes.HasPrefix(start, []byte("This is a multi-part message in MIME format")) {
		return false
	}
	boundary := guessBoundary(body)
	return boundary != "" && bytes.Contains(body, []byte("\n--"+boundary+"--"))
}

// children splits the body of a multipart.
func (p *parser) children(part *enmime.Part, body []byte, depth int) {
	// A few gateways encode a multipart as a whole, which nobody may.
	switch transferEncoding(part) {
	case "base64", "quoted-printable":
		if part.Boundary == "" || !hasBoundary(body, part.Boundary) {
			body = p.decodeTransfer(part, body)
		}
	}
	if part.Boundary == "" || !hasBoundary(body, part.Boundary) {
		p.problem(problemNoBoundary)
		part.Boundary = guessBoundary(body)
	}
	if part.Boundary == "" {
		// Nothing to split by: what is there is the text.
		part.ContentType = "text/plain"
		if beginsAsHTML(body) {
			part.ContentType = "text/html"
		}
		part.Content = p.decodeTransfer(part, body)
		return
	}
	fallback := "text/plain"
	if part.ContentType == "multipart/digest" {
		fallback = "message/rfc822"
	}
	var last *enmime.Part
	number := 0
	s := splitter{rest: body, mark: []byte("--" + part.Boundary)}
	for {
		raw, ok := s.next()
		if !ok {
			break
		}
		if p.parts >= maxParts {
			p.problem(problemTooManyParts)
			break
		}
		child := p.part(readHeader(raw, maxPartHeader), fallback, depth+1)
		number++
		child.PartID = strconv.Itoa(number)
		child.Parent = part
		if last == nil {
			part.FirstChild = child
		} else {
			last.NextSibling = child
		}
		last = child
	}
	if !s.closed && number > 0 {
		p.problem(problemUnclosed)
	}
}

// splitter cuts the body of a multipart at its boundary.
type splitter struct {
	rest    []byte
	mark    []byte // -- and the boundary
	started bool
	ended   bool
	closed  bool // the last boundary seen was the closing one
}

// next returns the next part. What stands before the first boundary and behind
// the closing one is no part; but parts that gateways hang behind the closing
// one are.
func (s *splitter) next() (part []byte, ok bool) {
	for !s.ended {
		at, after, final := findBoundary(s.rest, s.mark)
		raw := s.rest[:at]
		inside := s.started && !s.closed
		if at == len(s.rest) && after == at {
			s.ended = true
		} else {
			s.started, s.closed = true, final
		}
		s.rest = s.rest[after:]
		if inside {
			// The line end before a boundary belongs to the boundary.
			return trimLineEnd(raw), true
		}
	}
	return nil, false
}

// findBoundary returns where the next boundary line begins and where the text
// behind it does; both are the length of body when there is none.
func findBoundary(body, mark []byte) (at, after int, final bool) {
	for at = 0; ; {
		i := bytes.Index(body[at:], mark)
		if i < 0 {
			return len(body), len(body), false
		}
		at += i
		end := at + len(mark)
		if at > 0 && body[at-1] != '\n' {
			at = end
			continue
		}
		text, rest := cutLine(body[end:])
		after = len(body) - len(rest)
		text = bytes.TrimRight(text, " \t")
		if len(text) == 0 {
			return at, after, false
		}
		if bytes.Equal(text, []byte("--")) {
			return at, after, true
		}
		at = end
	}
}

func hasBoundary(body []byte, boundary string) bool {
	at, _, _ := findBoundary(body, []byte("--"+boundary))
	return at < len(body)
}

func trimLineEnd(raw []byte) []byte {
	raw = bytes.TrimSuffix(raw, []byte("\n"))
	return bytes.TrimSuffix(raw, []byte("\r"))
}

// guessBoundary looks for a line that begins with -- and has a part's header
// below it.
func guessBoundary(body []byte) string {
	for at := 0; at < len(body); {
		i := bytes.Index(body[at:], []byte("--"))
		if i < 0 {
			return ""
		}
		at += i
		if at > 0 && body[at-1] != '\n' {
			at += 2
			continue
		}
		text, rest := cutLine(body[at+2:])
		text = bytes.TrimRight(text, " \t")
		next, _ := cutLine(rest)
		if len(text) > 0 && len(text) <= 200 && len(next) > 8 && strings.EqualFold(string(next[:8]), "Content-") && fieldName(next) > 0 {
			return string(text)
		}
		at = len(body) - len(rest)
	}
	return ""
}
