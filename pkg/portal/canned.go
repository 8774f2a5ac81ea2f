package portal

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Canned is a text agents answer with again and again.
type Canned struct {
	ID    CannedID
	Name  string // unique, whatever its case
	Body  string // Markdown with placeholders
	Inbox InboxID
	// InboxName is filled in by the store; "" for one that is for all inboxes.
	InboxName            string
	CreatedAt, UpdatedAt time.Time
}

// CannedID names a canned answer.
type CannedID int64

// Placeholders are what a canned answer may hold between double braces, such
// as {{first_name}}.
var Placeholders = []string{"customer", "first_name", "number", "subject", "agent", "company", "portal", "link"}

var placeholder = regexp.MustCompile(`\{\{([^{}\n]*)\}\}`)

// CheckPlaceholders refuses a text with a placeholder nobody knows: it would
// go out to customers as it stands.
func CheckPlaceholders(field, body string) error {
	for _, m := range placeholder.FindAllStringSubmatch(body, -1) {
		if slices.Contains(Placeholders, strings.ToLower(strings.TrimSpace(m[1]))) {
			continue
		}
		known := "{{" + strings.Join(Placeholders, "}}, {{") + "}}"
		return Invalidf("canned.placeholder", field, "%q is not a placeholder; use %s", m[0], known).
			With("Placeholder", m[0]).With("Known", known)
	}
	return nil
}

// FillPlaceholders puts values, which are plain text, where the placeholders
// of a Markdown text stand. One without a value becomes nothing.
func FillPlaceholders(body string, values map[string]string) string {
	return placeholder.ReplaceAllStringFunc(body, func(s string) string {
		name := strings.ToLower(strings.TrimSpace(s[2 : len(s)-2]))
		if name == "link" {
			return values[name] // an address of ours, which escaping would break
		}
		return EscapeMarkdown(values[name])
	})
}

// EscapeMarkdown writes plain text so that Markdown shows it as it is: what a
// customer calls themselves must not become a link in what an agent sends.
func EscapeMarkdown(s string) string { return markdownMarks.Replace(s) }

var markdownMarks = strings.NewReplacer(
	"\\", "\\\\", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "<", "\\<", ">", "\\>", "~", "\\~", "|", "\\|", "!", "\\!", "&", "\\&",
)
