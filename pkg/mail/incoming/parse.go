// Package incoming reads mail that comes in, whatever state it is in. It says
// what a mail claims; who sent it and where it belongs is decided elsewhere.
package incoming

import (
	"bytes"
	"net/textproto"
	"slices"
	"strings"

	"github.com/jhillyerd/enmime/v2"

	"github.com/portalctl/portalctl/pkg/portal"
)

// The bounds of what is read of one mail. What lies beyond is left out and
// named as a problem; the raw source is the taker's to keep.
const (
	// MaxMail is how many bytes of a mail are looked at.
	MaxMail = 25<<20 + maxHeader
	// MaxText is how many bytes of text are handed on: ten times what a message
	// holds, so that the taker decides what to cut. A longer text is kept whole
	// as a file besides.
	MaxText = 1 << 20

	maxHeader     = 256 << 10 // of the mail
	maxPartHeader = 64 << 10  // of one part
	maxDepth      = 50
	maxParts      = 1000
	maxAddresses  = 1000 // of one header
	maxIDs        = 1000 // of one header
)

// The problems a mail can have, as Incoming.Problems names them.
const (
	problemTooLarge     = "too_large"     // longer than MaxMail; the rest was not read
	problemNoHeader     = "no_header"     // nothing that could be a header; all of it is text
	problemHeaderBroken = "header_broken" // lines that are no header, or no blank line below it
	problemHeaderCut    = "header_cut"
	problemNoFrom       = "no_from"   // no From with an address
	problemManyFrom     = "many_from" // more than one address, or more than one header
	problemBadDate      = "bad_date"
	problemAddressesCut = "addresses_cut"
	problemCharset      = "charset_unknown" // no charset of that name
	problemWrongCharset = "charset_wrong"   // the text is not in the charset it claims
	problemEncoding     = "encoding_unknown"
	problemBadEncoding  = "encoding_broken" // base64 or quoted-printable with errors
	problemNoBoundary   = "boundary_missing"
	problemUnclosed     = "boundary_unclosed"
	problemTooDeep      = "too_deep"
	problemTooManyParts = "too_many_parts"
	problemTextCut      = "text_cut" // the whole is among the files
	problemNoText       = "no_text"
	problemEncrypted    = "encrypted"
	problemInternal     = "internal" // a fault of the reader; what it had until then is there
)

// Parse reads one mail. It never fails and never panics: of a very odd mail it
// says what could be understood, with Problems. Text is valid UTF-8 in NFC
// with \n at line ends and without control characters. The content of files
// may share memory with raw, which must not change afterwards.
func Parse(raw []byte) *portal.Incoming {
	p := &parser{m: &portal.Incoming{}, guard: true}
	p.parse(raw)
	return p.m
}

// parser reads one mail.
type parser struct {
	m     *portal.Incoming
	guard bool // a panic costs a step only; off in tests, which look for them
	parts int
	hint  string // the first charset a part names, for bytes nobody declared
	texts int    // how many bytes of text were read so far
	held  int    // how many pictures HTML held itself
}

// step runs a step; a panic in it, be it in a library, costs that step and not
// the mails behind this one.
func (p *parser) step(work func()) {
	if p.guard {
		defer func() {
			if recover() != nil {
				p.problem(problemInternal)
			}
		}()
	}
	work()
}

func (p *parser) problem(word string) {
	if !slices.Contains(p.m.Problems, word) {
		p.m.Problems = append(p.m.Problems, word)
	}
}

func (p *parser) parse(raw []byte) {
	if len(raw) > MaxMail {
		raw = raw[:MaxMail]
		p.problem(problemTooLarge)
	}
	root := &enmime.Part{}
	p.step(func() { root = p.tree(beginning(raw)) })
	h := root.Header
	p.step(func() { p.decodeHeaders(root) })
	p.step(func() { p.envelope(h) })
	p.step(func() { p.body(root) })
	p.step(func() { p.m.Text, p.m.Quoted = split(p.m.Text) })
	p.step(func() { p.m.Verdicts = verdictsOf(h["Authentication-Results"]) })
	p.step(func() { p.m.Bounce = bounceOf(root, p.m) })
	p.step(func() { p.m.Auto = autoOf(h, p.m) })
}

// beginning drops what precedes the first header: marks of encodings, empty
// lines, the line mbox files begin a mail with.
func beginning(raw []byte) []byte {
	raw = fromUTF16(raw)
	if bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') >= 0 {
		raw = bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
	}
	for {
		line, rest := cutLine(raw)
		switch {
		case len(rest) < len(raw) && len(bytes.TrimSpace(line)) == 0:
		case isMboxLine(line):
		default:
			return raw
		}
		raw = rest
	}
}

// deliveredHeaders are where servers note whom a mail was delivered to.
var deliveredHeaders = []string{
	"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To",
	"X-Original-Delivered-To", "X-Rcpt-To", "X-Real-To", "X-Forwarded-To", "Apparently-To",
}

// envelope reads the mail's own header.
func (p *parser) envelope(h textproto.MIMEHeader) {
	m := p.m
	m.From = p.addresses(h["From"])
	m.ReplyTo = p.addresses(h["Reply-To"])
	m.To = p.addresses(h["To"])
	m.CC = p.addresses(h["Cc"])
	written := slices.DeleteFunc(slices.Clone(m.From), func(a portal.MailAddress) bool { return a.Address == "" })
	if len(written) == 0 {
		p.problem(problemNoFrom)
	}
	if len(m.From) > 1 || len(h["From"]) > 1 {
		p.problem(problemManyFrom)
	}
	m.Delivered = p.delivered(h)
	m.Subject = line(decodeWords(first(h["Subject"]), p))
	m.Date = p.date(h)
	if ids := messageIDs(h["Message-Id"]); len(ids) > 0 {
		m.MessageID = ids[0]
	}
	m.InReplyTo = messageIDs(h["In-Reply-To"])
	m.References = messageIDs(h["References"])
	if paths, ok := h["Return-Path"]; ok {
		m.HasReturnPath, m.ReturnPath = true, returnPath(paths[0])
	}
}

// returnPath is the address in a Return-Path header. Servers make longer and
// stranger ones than people have; only an empty one is the null path.
func returnPath(value string) string {
	value = line(value)
	if _, after, ok := strings.Cut(value, "<"); ok {
		value, _, _ = strings.Cut(after, ">")
	}
	if address := bareAddress(value); address != "" {
		return address
	}
	return strings.ToLower(line(cutText(value, 320)))
}

func (p *parser) delivered(h textproto.MIMEHeader) []string {
	var list []string
	seen := map[string]bool{}
	add := func(address string) {
		if address != "" && !seen[address] && len(list) < maxAddresses {
			seen[address] = true
			list = append(list, address)
		}
	}
	for _, name := range deliveredHeaders {
		for _, a := range p.addresses(h[name]) {
			add(a.Address)
		}
	}
	for _, value := range h["Received"] {
		add(receivedFor(value))
	}
	return list
}

// receivedFor returns the address in "for <address>" of a Received header.
func receivedFor(value string) string {
	_, rest, ok := strings.Cut(value, " for <")
	if !ok {
		return ""
	}
	address, _, ok := strings.Cut(rest, ">")
	if !ok {
		return ""
	}
	return bareAddress(address)
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
