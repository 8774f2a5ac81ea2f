package incoming

import (
	"testing"
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
