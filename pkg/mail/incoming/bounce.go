package incoming

import (
	"slices"
	"strconv"
	"strings"

	"github.com/jhillyerd/enmime/v2"

	"github.com/portalctl/portalctl/pkg/portal"
)

const (
	// mostRecipients bounds how many addresses a report may speak of.
	mostRecipients = 100
	// longestReason is as much of a server's words as is kept, in bytes.
	longestReason = 500
)

// bounceOf reads a delivery report (RFC 3464, RFC 6533), or one of the letters
// that servers write instead of one. It returns nil for everything else: for
// read receipts and complaints about spam, which are reports of other things,
// for answers of people who are away, and for a report that a person passes
// on. m needs its addresses, subject and text by now.
func bounceOf(root *enmime.Part, m *portal.Incoming) *portal.Bounce {
	switch reportType(root.Header.Get("Content-Type")) {
	case "feedback-report", "disposition-notification", "tlsrpt":
		return nil
	}
	r := reportParts{}
	r.collect(root, 0)
	if r.otherReport {
		return nil
	}
	var bounce *portal.Bounce
	switch {
	case r.status != nil && (reportType(root.Header.Get("Content-Type")) != "" || fromServer(root, m)):
		bounce = &portal.Bounce{Recipients: statusRecipients(string(r.status.Content))}
		if len(bounce.Recipients) == 0 {
			bounce.Recipients = textRecipients(root, m)
		}
	case fromServer(root, m):
		bounce = textBounce(root, m)
	}
	if bounce == nil {
		return nil
	}
	bounce.MessageID = r.messageID()
	if bounce.MessageID == "" {
		bounce.MessageID = quotedMessageID(m)
	}
	return bounce
}

// reportParts are the parts of a report that matter.
type reportParts struct {
	status      *enmime.Part
	originals   []*enmime.Part // the mail it is about, or its header
	otherReport bool           // it reports something else than delivery
}

func (r *reportParts) collect(part *enmime.Part, depth int) {
	switch part.ContentType {
	case "message/delivery-status", "message/global-delivery-status":
		if r.status == nil {
			r.status = part
		}
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers",
		"message/global-headers", "text/rfc822":
		r.originals = append(r.originals, part)
	case "message/feedback-report", "message/disposition-notification", "message/global-disposition-notification":
		r.otherReport = true
	}
	if depth > 4 {
		return // no report is nested deeper
	}
	for child := part.FirstChild; child != nil; child = child.NextSibling {
		r.collect(child, depth+1)
	}
}

// messageID is the id of the mail the report encloses.
func (r *reportParts) messageID() string {
	for _, part := range r.originals {
		if id := messageIDIn(string(part.Content[:min(len(part.Content), maxHeader)]), false); id != "" {
			return id
		}
	}
	return ""
}

// messageIDIn looks for a Message-ID line: in a header, which an empty line
// ends, or anywhere in a text that quotes one.
func messageIDIn(text string, anywhere bool) string {
	const name = "message-id:"
	for {
		line, rest, more := strings.Cut(text, "\n")
		if anywhere {
			line = strings.TrimLeft(line, "> \t*|")
		} else if strings.TrimSpace(line) == "" {
			return ""
		}
		if len(line) >= len(name) && strings.EqualFold(line[:len(name)], name) {
			value := line[len(name):]
			if below, _, _ := strings.Cut(rest, "\n"); strings.TrimSpace(value) == "" {
				value = strings.TrimLeft(below, "> \t") // folded
			}
			if ids := messageIDs([]string{value}); len(ids) > 0 {
				return ids[0]
			}
		}
		if !more {
			return ""
		}
		text = rest
	}
}

// quotedMessageID is the id of the mail a report quotes in its text, or refers
// to as an answer would.
func quotedMessageID(m *portal.Incoming) string {
	for _, text := range []string{m.Text, m.Quoted} {
		if id := messageIDIn(text, true); id != "" {
			return id
		}
	}
	switch {
	case len(m.InReplyTo) == 1:
		return m.InReplyTo[0]
	case len(m.References) > 0:
		return m.References[len(m.References)-1]
	}
	return ""
}

// statusRecipients reads the fields of a delivery status. A recipient's group
// ends with an empty line, or, where servers forget it, with the next address.
func statusRecipients(text string) []portal.BouncedRecipient {
	var found []portal.BouncedRecipient
	group := statusGroup{}
	end := func() {
		if r, ok := group.recipient(); ok && len(found) < mostRecipients {
			found = append(found, r)
		}
		group = statusGroup{}
	}
	for name, value := range statusFields(text) {
		switch name {
		case "":
			end()
		case "final-recipient":
			if group.final != "" {
				end()
			}
			group.final = statusAddress(value)
		case "original-recipient":
			if group.original != "" {
				end()
			}
			group.original = statusAddress(value)
		case "x-actual-recipient":
			group.actual = statusAddress(value)
		case "action":
			group.action = firstWord(value)
		case "status":
			group.status = statusIn(value)
		case "diagnostic-code":
			group.diagnostic = withoutType(value)
		}
	}
	end()
	return found
}

// statusFields yields the unfolded fields of a delivery status, names in lower
// case, and an empty name for an empty line.
func statusFields(text string) func(yield func(name, value string) bool) {
	return func(yield func(name, value string) bool) {
		var name string
		var value strings.Builder
		flush := func() bool {
			if name == "" {
				return true
			}
			ok := yield(name, strings.TrimSpace(value.String()))
			name = ""
			value.Reset()
			return ok
		}
		for line := range strings.SplitSeq(text, "\n") {
			line = strings.TrimRight(line, "\r \t")
			switch {
			case line == "":
				if !flush() || !yield("", "") {
					return
				}
			case name != "" && (line[0] == ' ' || line[0] == '\t'):
				if value.Len() < 4*longestReason {
					value.WriteString(" " + strings.TrimSpace(line))
				}
			default:
				if !flush() {
					return
				}
				before, after, ok := strings.Cut(line, ":")
				if !ok {
					continue
				}
				name = strings.ToLower(strings.TrimSpace(before))
				value.WriteString(cutText(after, 4*longestReason))
			}
		}
		flush()
	}
}

// statusGroup is what a delivery status says of one recipient.
type statusGroup struct {
	original, final, actual, action, status, diagnostic string
}

// recipient is the address the mail was sent to, as far as it is known: the
// original one, since the final one may be where a server passed it on to.
func (g statusGroup) recipient() (portal.BouncedRecipient, bool) {
	r := portal.BouncedRecipient{Action: g.action, Status: g.status, Text: oneLine(g.diagnostic)}
	for _, address := range []string{g.original, g.final, g.actual} {
		if address != "" {
			r.Address = address
			break
		}
	}
	if r.Address == "" {
		return r, false
	}
	// Servers that know no better say 5.0.0 and quote the one that does.
	if in := statusIn(g.diagnostic); in != "" && (r.Status == "" || strings.HasSuffix(r.Status, ".0.0") && in[0] == r.Status[0]) {
		r.Status = in
	}
	switch r.Action {
	case "failed", "delayed", "delivered", "relayed", "expanded":
	default:
		r.Action = actionOf(r.Status)
	}
	r.Permanent = permanent(r)
	return r, true
}

func actionOf(status string) string {
	switch {
	case strings.HasPrefix(status, "2"):
		return "delivered"
	case strings.HasPrefix(status, "4"):
		return "delayed"
	}
	return "failed"
}

// statusAddress reads "rfc822; ana@customer.example", and the escapes that
// RFC 6533 has for addresses in other letters. What has no domain is nothing
// a mail could have been sent to.
func statusAddress(value string) string {
	kind, address, ok := strings.Cut(value, ";")
	if !ok {
		kind, address = "", value
	}
	if strings.EqualFold(strings.TrimSpace(kind), "utf-8") {
		address = unescapeUTF8(address)
	}
	found := addressesIn(address)
	if len(found) == 0 {
		return ""
	}
	return found[0].address
}

// unescapeUTF8 replaces \x{HEX} by the letter it stands for.
func unescapeUTF8(s string) string {
	var b strings.Builder
	for {
		at := strings.Index(s, `\x{`)
		if at < 0 {
			break
		}
		end := strings.IndexByte(s[at:], '}')
		if end < 0 || end > 10 {
			break
		}
		code, err := strconv.ParseUint(s[at+3:at+end], 16, 21)
		if err != nil {
			break
		}
		b.WriteString(s[:at])
		b.WriteRune(rune(code))
		s = s[at+end+1:]
	}
	b.WriteString(s)
	return b.String()
}

// withoutType takes the kind of a diagnostic code off its front: "smtp; 550 …".
func withoutType(value string) string {
	kind, text, ok := strings.Cut(value, ";")
	if ok && !strings.ContainsAny(strings.TrimSpace(kind), " \t") {
		return strings.TrimSpace(text)
	}
	return value
}

func oneLine(s string) string {
	return cutText(strings.Join(strings.Fields(cutText(s, 4*longestReason)), " "), longestReason)
}

// permanent says whether trying the address again is of no use. A full mailbox
// (x.2.2) may be emptied, and a mail that is too large (x.2.3, x.3.4) says
// nothing about the address, whatever the server calls it.
func permanent(r portal.BouncedRecipient) bool {
	if r.Action != "failed" {
		return false
	}
	if len(r.Status) > 2 {
		switch r.Status[2:] {
		case "2.2", "2.3", "3.4":
			return false
		case "0.0", "1.0", "2.0", "7.0":
		default:
			return true
		}
	}
	text := strings.ToLower(r.Text)
	return !hasAnyOf(text, fullWords)
}

// fullWords say that a mailbox is full, where the status does not.
var fullWords = []string{
	"quota", "mailbox full", "mailbox is full", "mailbox size limit", "full mailbox", "insufficient storage", "exceeded storage",
	"out of storage", "storage limit", "over limit", "exceeds allowed size", "not enough space", "too much mail data",
	"postfach voll", "postfach ist voll", "boîte pleine", "buzón lleno", "casella piena", "postvak is vol", "brevlådan är full",
	"message size exceeds", "message too large", "message is too large",
}

// statusIn finds an enhanced status code (RFC 3463) such as 5.1.1 and does not
// mistake a network address for one.
func statusIn(s string) string {
	for i := 0; i+4 < len(s); i++ {
		if s[i] != '2' && s[i] != '4' && s[i] != '5' || s[i+1] != '.' || i > 0 && (isDigit(s[i-1]) || s[i-1] == '.') {
			continue
		}
		second := i + 2
		dot := second
		for dot < len(s) && isDigit(s[dot]) {
			dot++
		}
		if dot == second || dot-second > 3 || dot+1 >= len(s) || s[dot] != '.' {
			continue
		}
		end := dot + 1
		for end < len(s) && isDigit(s[end]) {
			end++
		}
		if end == dot+1 || end-dot > 4 || end+1 < len(s) && s[end] == '.' && isDigit(s[end+1]) {
			continue
		}
		return s[i:end]
	}
	return ""
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// foundAddress is an address in a line of text, and where it stands.
type foundAddress struct {
	address    string
	start, end int
}

// addressesIn finds what could be mail addresses in one line, lower case.
func addressesIn(line string) []foundAddress {
	var found []foundAddress
	from := 0
	for len(found) < mostRecipients {
		at := strings.IndexByte(line[from:], '@')
		if at < 0 {
			break
		}
		at += from
		start, end := at, at+1
		for start > from && addressByte(line[start-1]) {
			start--
		}
		for end < len(line) && (line[end] == '.' || line[end] == '-' || line[end] >= 0x80 || isAlphanumeric(line[end])) {
			end++
		}
		end = start + len(strings.TrimRight(line[start:end], ".-"))
		from = max(end, at+1)
		domain := ""
		if end > at {
			domain = line[at+1 : end]
		}
		if start == at || !strings.Contains(domain, ".") && !strings.EqualFold(domain, "localhost") {
			continue
		}
		found = append(found, foundAddress{strings.ToLower(line[start:end]), start, end})
	}
	return found
}

func isAlphanumeric(b byte) bool {
	return isDigit(b) || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

func addressByte(b byte) bool {
	return isAlphanumeric(b) || b >= 0x80 || strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", b) >= 0
}

// isOurs reports whether a report was sent to the address, so that it cannot
// be about it.
func isOurs(m *portal.Incoming, address string) bool {
	return slices.ContainsFunc(m.To, func(a portal.MailAddress) bool { return a.Address == address }) ||
		slices.Contains(m.Delivered, address)
}
