package incoming

import (
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"github.com/portalctl/portalctl/pkg/portal"
)

// addresses reads the address lists of headers. Where a list can be read in
// two ways it yields both addresses: two senders are no sender, and none is
// ever guessed out of a name.
func (p *parser) addresses(values []string) []portal.MailAddress {
	var list []portal.MailAddress
	for _, value := range values {
		s := &addressScanner{s: value}
		for !s.done() {
			if len(list) >= maxAddresses {
				p.problem(problemAddressesCut)
				return list
			}
			list = append(list, p.mailboxes(s.next())...)
		}
	}
	return list
}

// mailbox is one entry of a list as it was written.
type mailbox struct {
	words    []string // outside of brackets, quotes undone
	brackets []string // what stands in <>
	comments []string
}

func (m *mailbox) hasAddress() bool {
	return slices.ContainsFunc(m.words, func(s string) bool { return strings.Contains(s, "@") })
}

// addressScanner cuts an address list into its entries.
type addressScanner struct {
	s  string
	at int
}

func (s *addressScanner) done() bool { return s.at >= len(s.s) }

// next reads up to the next comma or semicolon outside of quotes, comments and
// brackets. The name of a group ends at its colon and is dropped.
func (s *addressScanner) next() mailbox {
	var m mailbox
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			m.words = append(m.words, text.String())
			text.Reset()
		}
	}
	for s.at < len(s.s) {
		c := s.s[s.at]
		s.at++
		switch c {
		case ',', ';':
			flush()
			return m
		case ' ', '\t', '\r', '\n':
			flush()
		case '"':
			quoted, ok := s.until('"', 0)
			if !ok {
				// A quote that never closes is a character like any other.
				text.WriteByte('"')
				continue
			}
			if strings.HasPrefix(s.s[s.at:], "@") {
				// A quoted left side belongs to its address.
				text.WriteString(`"` + quoted + `"`)
				continue
			}
			flush()
			m.words = append(m.words, quoted)
		case '(':
			if comment, ok := s.until(')', '('); ok {
				flush()
				m.comments = append(m.comments, comment)
				continue
			}
			text.WriteByte(c)
		case '<':
			if inside, ok := s.bracket(); ok {
				flush()
				m.brackets = append(m.brackets, inside)
				continue
			}
			flush()
		case ':':
			word := text.String()
			if strings.EqualFold(word, "mailto") || len(m.brackets) > 0 || strings.Contains(word, "@") || m.hasAddress() {
				// No group: what stands in front must not be lost.
				text.WriteByte(c)
				continue
			}
			text.Reset()
			m = mailbox{}
		default:
			text.WriteByte(c)
		}
	}
	flush()
	return m
}

// until reads to a closing character, with \ in front of what is meant as it
// is; nest is a character that opens another level. Without the closing
// character nothing is read.
func (s *addressScanner) until(closing, nest byte) (string, bool) {
	var b strings.Builder
	depth := 1
	// Real names are short; a quote left open must not cost the whole list for
	// each one that is.
	limit := min(len(s.s), s.at+4096)
	for i := s.at; i < limit; i++ {
		switch c := s.s[i]; {
		case c == '\\' && i+1 < limit:
			i++
			b.WriteByte(s.s[i])
			continue
		case c == closing:
			if depth--; depth == 0 {
				s.at = i + 1
				return b.String(), true
			}
		case nest != 0 && c == nest:
			depth++
		}
		b.WriteByte(s.s[i])
	}
	return "", false
}

// bracket reads what stands in <>, where a missing > is closed by the end of
// the entry.
func (s *addressScanner) bracket() (string, bool) {
	rest := s.s[s.at:]
	end := strings.IndexAny(rest, "><")
	if end < 0 || rest[end] == '<' {
		end = strings.IndexAny(rest, ",;<")
		if end < 0 {
			end = len(rest)
		}
		s.at += end
		return rest[:end], true
	}
	s.at += end + 1
	return rest[:end], true
}

// mailboxes is what an entry says: usually one address with a name.
func (p *parser) mailboxes(m mailbox) []portal.MailAddress {
	var list []portal.MailAddress
	var name []string
	var bare []string
	for _, word := range m.words {
		if address := bareAddress(word); address != "" && len(m.brackets) == 0 {
			bare = append(bare, address)
		} else {
			name = append(name, word)
		}
	}
	display := p.name(strings.Join(name, " "))
	if display == "" {
		display = p.name(strings.Join(m.comments, " "))
	}
	for _, inside := range m.brackets {
		address := bareAddress(inside)
		shown := display
		if address == "" {
			shown = strings.TrimSpace(display + " " + p.name(inside))
		}
		if address != "" || shown != "" {
			list = append(list, portal.MailAddress{Name: shown, Address: address})
		}
	}
	for _, address := range bare {
		list = append(list, portal.MailAddress{Name: display, Address: address})
	}
	if len(list) == 0 && display != "" {
		list = append(list, portal.MailAddress{Name: display})
	}
	return list
}

// name decodes a display name.
func (p *parser) name(s string) string {
	s = line(decodeWords(s, p))
	if len(s) >= 2 && (s[0] == '\'' && s[len(s)-1] == '\'' || s[0] == '"' && s[len(s)-1] == '"') {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	if strings.Count(s, `"`) == 1 {
		s = strings.TrimSpace(strings.Trim(s, `"`))
	}
	return s
}

// bareAddress makes the form contacts are found by of one written address, or
// "" of what is none. A domain in another script becomes its ASCII form.
func bareAddress(s string) string {
	s = strings.Trim(s, " \t'\"<>")
	if len(s) > 400 {
		return ""
	}
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	if strings.HasPrefix(s, "@") {
		// A route (RFC 5322 4.4) ends at a colon.
		if _, after, ok := strings.Cut(s, ":"); ok {
			s = after
		}
	}
	at := strings.LastIndexByte(s, '@')
	if at <= 0 {
		return ""
	}
	local, domain := strings.Join(strings.Fields(s[:at]), ""), strings.Trim(strings.Join(strings.Fields(s[at+1:]), ""), ".")
	if !isASCII(domain) {
		ascii, err := idna.Lookup.ToASCII(domain)
		if err != nil {
			return ""
		}
		domain = ascii
	}
	address, err := portal.ParseEmail("address", local+"@"+domain)
	if err != nil {
		return ""
	}
	return address
}

// messageIDs reads the ids in headers such as References.
func messageIDs(values []string) []string {
	var ids []string
	add := func(s string) {
		s = strings.Join(strings.Fields(s), "")
		left, right, ok := strings.Cut(s, "@")
		if !ok || left == "" || right == "" || len(s) > 500 || strings.ContainsAny(s, "<>,") || line(s) != s {
			return
		}
		for _, id := range ids[max(0, len(ids)-20):] {
			if id == s {
				return
			}
		}
		ids = append(ids, s)
	}
	for _, value := range values {
		if !strings.Contains(value, "<") {
			for _, word := range strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
				add(strings.Trim(word, ">"))
			}
			continue
		}
		for {
			_, after, ok := strings.Cut(value, "<")
			if !ok {
				break
			}
			end := strings.IndexAny(after, "<>")
			if end < 0 {
				end = len(after)
			}
			add(after[:end])
			value = after[end:]
		}
	}
	if len(ids) > maxIDs {
		// The newest say which mail was answered; they stand last.
		ids = ids[len(ids)-maxIDs:]
	}
	return ids
}
