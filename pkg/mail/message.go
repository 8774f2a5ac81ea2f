// Package mail writes messages and sends them. A portal.Letter says what a
// mail is about; the package finds the words in the recipient's language,
// sets them as text and HTML, and hands the message to a mail server.
package mail

import (
	"bytes"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Message is one mail to one recipient, ready to be sent.
type Message struct {
	From    netmail.Address
	To      netmail.Address
	ReplyTo netmail.Address // zero: none

	Subject    string
	Text, HTML string
	// Logo is a picture in PNG that the HTML shows by the name LogoID.
	Logo   []byte
	LogoID string

	MessageID  string // <…@host>
	InReplyTo  string
	References []string
	Date       time.Time

	// Reply says that the mail answers one that came: it is then marked as an
	// automatic answer, not only as made by a machine.
	Reply bool
	// ListID is what List-Id holds; Unsubscribe the page that ends such mail.
	ListID, Unsubscribe string
	// Topic is what Outlook groups mails by: the subject and, in ThreadIndex,
	// what the mails of one ticket have in common.
	Topic, ThreadIndex string
}

// Bytes returns the message as it goes over the wire. It fails when an
// address or a header value could not stand in a header as it is.
func (m *Message) Bytes() ([]byte, error) {
	msg := gomail.NewMsg(gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingQP), gomail.WithNoDefaultUserAgent())
	addresses := []struct {
		header  gomail.AddrHeader
		address netmail.Address
		needed  bool
	}{{gomail.HeaderFrom, m.From, true}, {gomail.HeaderTo, m.To, true}, {gomail.HeaderReplyTo, m.ReplyTo, false}}
	for _, a := range addresses {
		if a.address == (netmail.Address{}) && !a.needed {
			continue
		}
		address, err := headerAddress(a.address)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.header, err)
		}
		msg.SetAddrHeaderFromMailAddress(a.header, address)
	}
	subject, err := headerText(m.Subject)
	if err != nil {
		return nil, fmt.Errorf("subject: %w", err)
	}
	msg.SetGenHeader(gomail.HeaderSubject, subject)
	id, err := headerID(m.MessageID)
	if err != nil {
		return nil, fmt.Errorf("message id: %w", err)
	}
	msg.SetGenHeader(gomail.HeaderMessageID, id)
	if m.InReplyTo != "" {
		id, err := headerID(m.InReplyTo)
		if err != nil {
			return nil, fmt.Errorf("in reply to: %w", err)
		}
		msg.SetGenHeader(gomail.HeaderInReplyTo, id)
	}
	var references []string
	for _, r := range m.References {
		id, err := headerID(r)
		if err != nil {
			return nil, fmt.Errorf("references: %w", err)
		}
		references = append(references, id)
	}
	if len(references) > 0 {
		msg.SetGenHeader(gomail.HeaderReferences, strings.Join(references, " "))
	}
	msg.SetDateWithValue(m.Date.UTC())
	if err := m.marks(msg); err != nil {
		return nil, err
	}

	msg.SetBodyString("text/plain; format=flowed", crlf(flowed(m.Text)))
	msg.AddAlternativeString(gomail.TypeTextHTML, crlf(m.HTML))
	if len(m.Logo) > 0 {
		err := msg.EmbedReader("logo.png", bytes.NewReader(m.Logo), gomail.WithFileContentType("image/png"), gomail.WithFileContentID("<"+m.LogoID+">"))
		if err != nil {
			return nil, fmt.Errorf("logo: %w", err)
		}
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("write message: %w", err)
	}
	return b.Bytes(), nil
}

// marks writes the headers that tell programs what kind of mail it is. What
// agents write is marked, too: it leaves by itself, and programs that answer by
// themselves would have nobody to talk to. No mail program hides mail for that.
func (m *Message) marks(msg *gomail.Msg) error {
	// RFC 3834.
	auto := "auto-generated"
	if m.Reply {
		auto = "auto-replied"
	}
	msg.SetGenHeader("Auto-Submitted", auto)
	// What Exchange asks for. Not "All", which would keep back its reports of
	// mail that could not be delivered, too.
	msg.SetGenHeader("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply")
	for _, h := range []struct {
		name  gomail.Header
		value string
	}{{"List-Id", m.ListID}, {"Thread-Topic", m.Topic}, {"Thread-Index", m.ThreadIndex}} {
		if h.value == "" {
			continue
		}
		value, err := headerText(h.value)
		if err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
		msg.SetGenHeader(h.name, value)
	}
	if m.Unsubscribe == "" {
		return nil
	}
	u, err := url.Parse(m.Unsubscribe)
	if err != nil || u.Host == "" || strings.ContainsAny(m.Unsubscribe, "<> ") {
		return fmt.Errorf("%q cannot be a page to unsubscribe at", m.Unsubscribe)
	}
	msg.SetGenHeader("List-Unsubscribe", "<"+m.Unsubscribe+">")
	if u.Scheme == "https" {
		// RFC 8058 allows one click over TLS only.
		msg.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	return nil
}

// headerText refuses what would end a header line or hide in it.
func headerText(s string) (string, error) {
	if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 {
		return "", fmt.Errorf("a header cannot hold the control character at byte %d", i)
	}
	if s != strings.ToValidUTF8(s, "") {
		return "", fmt.Errorf("a header cannot hold invalid UTF-8")
	}
	return s, nil
}

// headerAddress takes an address apart and puts it together again, so that
// nothing but one address can come of it.
func headerAddress(a netmail.Address) (*netmail.Address, error) {
	name, err := headerText(a.Name)
	if err != nil {
		return nil, err
	}
	bare, err := portal.ParseEmail("address", a.Address)
	if err != nil && !isLocalAddress(a.Address) {
		return nil, fmt.Errorf("%q is not an address mail can go to", a.Address)
	}
	if err != nil {
		bare = a.Address
	}
	return &netmail.Address{Name: name, Address: bare}, nil
}

// isLocalAddress allows name@localhost, the sender of a portal that has no
// domain of its own yet.
func isLocalAddress(s string) bool {
	local, ok := strings.CutSuffix(s, "@localhost")
	return ok && local != "" && strings.Trim(local, "abcdefghijklmnopqrstuvwxyz0123456789.-_+") == ""
}

// headerID checks a Message-ID: <left@right> in visible ASCII.
func headerID(s string) (string, error) {
	inner, open := strings.CutPrefix(s, "<")
	inner, closed := strings.CutSuffix(inner, ">")
	left, right, ok := strings.Cut(inner, "@")
	bad := strings.ContainsFunc(inner, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' })
	if !open || !closed || !ok || bad || left == "" || right == "" || len(s) > 300 {
		return "", fmt.Errorf("%q is not a Message-ID; it is written <left@right>", s)
	}
	return s, nil
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
