package incoming

import (
	"slices"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestParseReadsAnOrdinaryMail(t *testing.T) {
	m := Parse([]byte("From: Ana =?utf-8?Q?L=C3=B3pez?= <Ana@Example.com>\r\n" +
		"To: support@example.net\r\nSubject: =?iso-8859-1?Q?F=E4rg?=\r\nMessage-ID: <a1@example.com>\r\n\r\nHello\r\n"))
	if len(m.From) != 1 || m.From[0].Address != "ana@example.com" || m.From[0].Name != "Ana López" {
		t.Errorf("From is %+v", m.From)
	}
	if m.Subject != "Färg" || m.MessageID != "a1@example.com" || m.Text != "Hello" || len(m.Problems) != 0 {
		t.Errorf("got subject %q, id %q, text %q, problems %q", m.Subject, m.MessageID, m.Text, m.Problems)
	}
}

// A fault in one step, even in a library, must not cost the mail.
func TestParseGoesOnAfterAFault(t *testing.T) {
	p := &parser{m: &portal.Incoming{}, guard: true}
	p.step(func() { panic("fault") })
	p.step(func() { p.m.Subject = "read on" })
	if p.m.Subject != "read on" || !slices.Equal(p.m.Problems, []string{problemInternal}) {
		t.Errorf("subject %q, problems %q", p.m.Subject, p.m.Problems)
	}
}

// Who the sender is decides what a mail may do: whatever can be read in two
// ways must not read as one sender.
func TestParseReadsOneSenderOnlyWhereThereIsOne(t *testing.T) {
	tests := []struct{ name, header, want string }{
		{"an address alone", "From: ana@example.com", "ana@example.com"},
		{"a name and an address", "From: Ana <ana@example.com>", "ana@example.com"},
		{"an address as the name", "From: \"boss@example.com\" <ana@example.com>", "ana@example.com"},
		{"an address as a bare name", "From: boss@example.com <ana@example.com>", "ana@example.com"},
		{"an address in a comment", "From: ana@example.com (boss@example.com)", "ana@example.com"},
		{"an address in an encoded name", "From: =?utf-8?Q?boss=40example.com?= <ana@example.com>", "ana@example.com"},
		{"an address that is all encoded", "From: =?utf-8?Q?boss=40example.com?=", ""},
		{"two headers", "From: boss@example.com\r\nFrom: ana@example.com", "boss@example.com ana@example.com"},
		{"two headers, one spelled with a space", "From : boss@example.com\r\nFrom: ana@example.com", "boss@example.com ana@example.com"},
		{"two headers, one in capitals", "FROM: boss@example.com\r\nfrom: ana@example.com", "boss@example.com ana@example.com"},
		{"two headers, one with a NUL", "Fr\x00om: boss@example.com\r\nFrom: ana@example.com", "boss@example.com ana@example.com"},
		{"two in a list", "From: ana@example.com, boss@example.com", "ana@example.com boss@example.com"},
		{"two with a semicolon", "From: ana@example.com; boss@example.com", "ana@example.com boss@example.com"},
		{"two with a space", "From: ana@example.com boss@example.com", "ana@example.com boss@example.com"},
		{"two in brackets", "From: <ana@example.com> <boss@example.com>", "ana@example.com boss@example.com"},
		{"one behind the brackets", "From: <ana@example.com>, boss@example.com", "ana@example.com boss@example.com"},
		{"a bracket in a bracket", "From: <boss@example.com<ana@example.com>", "boss@example.com ana@example.com"},
		{"a line that was not folded", "From: ana@example.com\r\nboss@example.com\r\nTo: x@example.com", "ana@example.com boss@example.com"},
		{"a folded second address", "From: ana@example.com,\r\n boss@example.com", "ana@example.com boss@example.com"},
		{"a bare return", "From: ana@example.com\rFrom: boss@example.com", "ana@example.com boss@example.com"},
		{"a colon in the middle", "From: ana@example.com x: boss@example.com", "ana@example.com boss@example.com"},
		{"a group", "From: Team: ana@example.com, boss@example.com;", "ana@example.com boss@example.com"},
		{"two at signs", "From: ana@example.com@example.org", ""},
		{"a quoted left side", "From: \"boss@example.com\"@example.org", ""},
		{"an escaped quote", `From: "a\" <boss@example.com>" <ana@example.com>`, "ana@example.com"},
		{"a comment within the address", "From: ana(x)@example.com", ""},
		{"letters that look like others", "From: bоss@example.com", ""},
		{"nothing", "From:", ""},
		{"none", "To: x@example.com", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Parse([]byte(tt.header + "\r\nSubject: x\r\n\r\nx\r\n"))
			checkIncoming(t, m)
			var got []string
			for _, a := range m.From {
				if a.Address != "" {
					got = append(got, a.Address)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%q is from %q, want %q", tt.header, got, tt.want)
			}
			if many := slices.Contains(m.Problems, problemManyFrom); many != (len(m.From) > 1) {
				t.Errorf("%d senders, problems %q", len(m.From), m.Problems)
			}
		})
	}
}
