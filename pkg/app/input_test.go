package app

import (
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestInputIsComposedAndChecked(t *testing.T) {
	tests := []struct {
		what     string
		read     func(field, s string) (string, error)
		in, want string
		code     string
	}{
		{"a decomposed name is composed", line, "  Ame\u0301lie   Roux ", "Am\u00e9lie Roux", ""},
		{"an empty line is allowed", line, " ", "", ""},
		{"a line with an escape is refused", line, "a\x1b[31mb", "", "field.control"},
		{"a line that turns direction is refused", line, "a\u202eb", "", "field.control"},
		{"a name is asked for", requiredLine, " \t", "", "field.required"},
		{"a text is composed", bodyText, "cafe\u0301\r\n", "caf\u00e9", ""},
		{"an address is lower case", email, " Ann@Example.COM ", "ann@example.com", ""},
		{"a domain outside ASCII becomes its ASCII form", email, "ann@Bu\u0308cher.example", "ann@xn--bcher-kva.example", ""},
		{"a local part outside ASCII is refused", email, "\u00e5sa@example.com", "", "field.email"},
		{"a domain that is none is refused", email, "ann@b\u00fc cher.example", "", "field.email"},
		{"a display name is refused", email, "Ann <ann@example.com>", "", "field.email"},
		{"a host becomes its ASCII form", hostName, "B\u00fccher.Example.", "xn--bcher-kva.example", ""},
		{"a host needs a dot", hostName, "localhost", "", "field.host"},
		{"a URL is no host", hostName, "https://example.com/", "", "field.host"},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			got, err := test.read("field", test.in)
			code := ""
			if all := portal.Errors(err); len(all) > 0 {
				code = all[0].Code
			}
			if got != test.want || code != test.code {
				t.Errorf("%q was read as %q, %v; want %q, code %q", test.in, got, err, test.want, test.code)
			}
		})
	}
}

func FuzzEmail(f *testing.F) {
	for _, s := range []string{"ann@example.com", "ann@b\u00fccher.example", "a@b@c.d", "@", "\u00e5@x.y", "A@XN--BCHER-KVA.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		address, err := email("email", s)
		if err != nil {
			return
		}
		if again, err := email("email", address); err != nil || again != address {
			t.Errorf("%q was read as %q, which reads back as %q, %v", s, address, again, err)
		}
	})
}
