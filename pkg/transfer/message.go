package transfer

import (
	"strconv"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Author says who wrote a message.
type Author string

// The authors. Imported messages may have none that is known.
const (
	ByContact Author = "contact"
	ByAgent   Author = "agent"
	ByUnknown Author = ""
)

// Message is one entry of a conversation.
type Message struct {
	At     time.Time          `json:"at"`
	Kind   portal.MessageKind `json:"kind"`
	By     Author             `json:"by,omitempty"`
	Email  string             `json:"author,omitempty"`      // the author's address, if known
	Name   string             `json:"author_name,omitempty"` // for authors that are neither
	Format portal.BodyFormat  `json:"format"`
	Body   string             `json:"body"`
	Files  []string           `json:"files,omitempty"` // names only: the bytes do not travel in CSV
}

// Description says what becomes of a ticket's description, which other
// systems keep beside the conversation.
type Description string

// What can become of a description. By default it is public when the file
// says that the customer wrote it (HubSpot's source is e-mail, form or chat)
// and internal otherwise: an agent may have written it for colleagues.
const (
	DescriptionBySource Description = ""
	DescriptionPublic   Description = "public"
	DescriptionInternal Description = "internal"
)

// ParseDescription reads public or internal; empty text leaves it to the
// source of each ticket.
func ParseDescription(s string) (Description, error) {
	switch d := Description(strings.ToLower(strings.TrimSpace(s))); d {
	case DescriptionBySource, DescriptionPublic, DescriptionInternal:
		return d, nil
	}
	return "", portal.Invalidf("import.descriptions", "descriptions", "%q is not a way to take descriptions; use public or internal", s)
}

// message reads the message of a row; a ticket without any has one row.
func (p *parser) message() (Message, bool) {
	if p.trimmed("message_kind") == "" && strings.TrimSpace(p.raw("message_body")) == "" && p.trimmed("message_at") == "" {
		return Message{}, false
	}
	m := Message{
		At:     p.date("message_at"),
		Kind:   portal.MessageKind(strings.ToLower(p.trimmed("message_kind"))),
		By:     Author(strings.ToLower(p.trimmed("message_by"))),
		Email:  p.email("message_author"),
		Name:   p.line("message_author_name"),
		Format: portal.BodyFormat(strings.ToLower(p.trimmed("message_format"))),
	}
	if m.At.IsZero() {
		p.fail("message_at", "", "the message has no time")
	}
	if m.Kind != portal.Public && m.Kind != portal.Note {
		p.fail("message_kind", string(m.Kind), "a message is public or internal; say which")
	}
	switch m.By {
	case ByContact, ByAgent, ByUnknown:
	default:
		p.fail("message_by", string(m.By), strconv.Quote(string(m.By))+" is not an author; use contact, agent or nothing")
	}
	if m.By != ByUnknown && m.Email == "" {
		p.fail("message_author", "", "the message names no address of its author")
	}
	switch m.Format {
	case "":
		m.Format = portal.Plain
	case portal.Plain, portal.Markdown, portal.HTML:
	default:
		p.fail("message_format", string(m.Format), strconv.Quote(string(m.Format))+" is not a format; use text, markdown or html")
	}
	for _, parts := range splitRefs(p.raw("message_files")) {
		if name := p.lineOf("message_files", parts[0]); name != "" {
			m.Files = append(m.Files, name)
		}
	}
	m.Body = p.body("message_body", len(m.Files) > 0)
	return m, true
}

func (p *parser) body(column string, mayBeEmpty bool) string {
	body, err := portal.CleanBody(p.label(column), p.raw(column))
	if err != nil && (!mayBeEmpty || !missing(err)) {
		p.fail(column, "", reason(err))
	}
	return body
}

// description makes the first message of a ticket from another system.
func (p *parser) description(t *Ticket, o Options) (Message, bool) {
	if strings.TrimSpace(visible(p.raw("description"))) == "" {
		return Message{}, false
	}
	m := Message{At: t.CreatedAt, Kind: portal.Note, Format: portal.Plain, Body: p.body("description", false)}
	byCustomer := false
	switch strings.ToLower(p.trimmed("source")) {
	case "email", "e-mail", "form", "chat":
		byCustomer = true
	}
	if o.Description == DescriptionPublic || o.Description == DescriptionBySource && byCustomer {
		m.Kind = portal.Public
	} else {
		p.file.notes.Add("a description became an internal note, because the file does not say that the customer wrote it; --descriptions public shows them to customers")
	}
	if byCustomer {
		m.By, m.Email, m.Name = ByContact, t.Requester.Email, t.Requester.Name
	}
	return m, true
}
