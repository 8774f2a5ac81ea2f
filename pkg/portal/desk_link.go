package portal

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// LinkKind is what a ticket is to another one. The words are stable in JSON.
type LinkKind string

// The kinds of link. Each has another that says the same from the other side.
const (
	LinkRelated   LinkKind = "related"
	LinkBlocks    LinkKind = "blocks"
	LinkBlockedBy LinkKind = "blocked_by"
	LinkDuplicate LinkKind = "duplicate_of"
	LinkOriginal  LinkKind = "duplicated_by"
)

// LinkKinds lists every kind of link.
var LinkKinds = []LinkKind{LinkRelated, LinkBlocks, LinkBlockedBy, LinkDuplicate, LinkOriginal}

// ParseLinkKind reads a kind of link; hyphens serve as underscores.
func ParseLinkKind(s string) (LinkKind, error) {
	k := LinkKind(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "-", "_"))
	if k == "" {
		return LinkRelated, nil
	}
	if slices.Contains(LinkKinds, k) {
		return k, nil
	}
	return "", Invalidf("ticket.link_kind", "kind", "%q is not a kind of link; use related, blocks, blocked_by, duplicate_of or duplicated_by", s)
}

// Inverse is what the other ticket is to this one.
func (k LinkKind) Inverse() LinkKind {
	switch k {
	case LinkBlocks:
		return LinkBlockedBy
	case LinkBlockedBy:
		return LinkBlocks
	case LinkDuplicate:
		return LinkOriginal
	case LinkOriginal:
		return LinkDuplicate
	}
	return LinkRelated
}

// Link is another ticket that one has to do with.
type Link struct {
	Kind    LinkKind // what the ticket is to Other
	Other   TicketNumber
	Subject string
	Status  Status
}

// Bounds on tags.
const (
	MaxTag  = 40 // characters
	MaxTags = 20 // on one ticket
)

// ParseTag reads one tag: a word in lower case, in which white space becomes a
// hyphen.
func ParseTag(field, s string) (string, error) {
	s, err := CleanLine(field, s)
	if err != nil {
		return "", err
	}
	tag := strings.ToLower(strings.ReplaceAll(strings.Trim(strings.TrimPrefix(s, "#"), " "), " ", "-"))
	if tag == "" || utf8.RuneCountInString(tag) > MaxTag || strings.ContainsAny(tag, ",;\"'<>&") {
		return "", Invalidf("ticket.tag", field, "%q is not a tag; use a word of at most %d letters, such as refund", s, MaxTag).With("Max", MaxTag)
	}
	return tag, nil
}

// ParseTags reads tags separated by commas, each once, in order. All that is
// wrong comes at once.
func ParseTags(field, s string) ([]string, error) {
	var tags []string
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ';' || r == '\n' }) {
		if strings.TrimSpace(word) == "" {
			continue
		}
		tag, err := ParseTag(field, word)
		if err != nil {
			return nil, err
		}
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	return slices.Compact(tags), nil
}
