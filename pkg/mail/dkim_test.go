package mail

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/portalctl/portalctl/pkg/portal"
)

func pemKey(t *testing.T, kind string, der []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// What serve signs, a receiver verifies with the record that `mail dkim`
// prints, and with nothing else.
func TestSignedMailIsVerifiedByItsRecord(t *testing.T) {
	made, err := MakeDKIMKey()
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edDER, err := x509.MarshalPKCS8PrivateKey(edwards)
	keys := map[string][]byte{
		"made": made, "PKCS#1": pemKey(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(short), nil), "Ed25519": pemKey(t, "PRIVATE KEY", edDER, err),
	}
	for name, key := range keys {
		d, err := NewDKIM("Nordic.example.", "portalctl", key)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		record, text, err := d.Record()
		if err != nil || record != "portalctl._domainkey.nordic.example" {
			t.Fatalf("%s: the record is at %q, %v", name, record, err)
		}
		look := &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
			if name != record {
				return nil, errors.New("no such record")
			}
			return []string{text}, nil
		}}
		for _, kind := range []portal.LetterKind{portal.LetterMessage, portal.LetterParticipant, portal.LetterAgentMessage, portal.LetterReset} {
			m, err := testWriter().Compose(letters("sv")[kind])
			if err != nil {
				t.Fatal(err)
			}
			raw, err := m.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			signed, err := d.sign(raw)
			if err != nil {
				t.Fatal(err)
			}
			valid := func(raw []byte) *dkim.Verification {
				t.Helper()
				list, err := dkim.VerifyWithOptions(bytes.NewReader(raw), look)
				if err != nil || len(list) != 1 {
					t.Fatalf("%s: %d signatures, %v", name, len(list), err)
				}
				return list[0]
			}
			got := valid(signed)
			if got.Err != nil || got.Domain != "nordic.example" {
				t.Errorf("%s: %s: %v for %s", name, kind, got.Err, got.Domain)
			}
			covered := strings.ToLower(strings.Join(got.HeaderKeys, " "))
			if kind == portal.LetterParticipant && (!strings.Contains(covered, "list-unsubscribe list-unsubscribe") || !strings.Contains(covered, "list-unsubscribe-post")) {
				t.Errorf("%s: what unsubscribes is not covered: %s", name, covered)
			}
			for what, forged := range map[string][]byte{
				"another subject": bytes.Replace(signed, []byte("\r\nSubject:"), []byte("\r\nSubject: Urgent"), 1),
				"a second From":   append([]byte("From: <evil@evil.example>\r\n"), signed...),
				"a List-Id":       append([]byte("List-Id: <x.evil.example>\r\n"), signed...),
				"more text":       append(bytes.Clone(signed), "and more\r\n"...),
			} {
				if valid(forged).Err == nil {
					t.Errorf("%s: %s: %s goes through", name, kind, what)
				}
			}
		}
	}
}

func TestKeysThatCannotSign(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	good := pemKey(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small), nil)
	public, err := x509.MarshalPKIXPublicKey(small.Public())
	for name, tt := range map[string]struct {
		domain, selector string
		key              []byte
		field            string
	}{
		"no PEM":                          {"a.example", "s", []byte("x"), "dkim-key"},
		"a public key":                    {"a.example", "s", pemKey(t, "PUBLIC KEY", public, err), "dkim-key"},
		"no domain":                       {"", "s", good, "dkim-domain"},
		"a bad domain":                    {"a b.example", "s", good, "dkim-domain"},
		"no selector":                     {"a.example", "", good, "dkim-selector"},
		"a selector that ends the header": {"a.example", "s\r\nBcc: x", good, "dkim-selector"},
	} {
		_, err := NewDKIM(tt.domain, tt.selector, tt.key)
		if list := portal.Errors(err); len(list) != 1 || list[0].Field != tt.field {
			t.Errorf("%s: %v, want an error of %s", name, err, tt.field)
		}
	}
	d, err := NewDKIM("example.com", "s", good)
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]bool{"a@example.com": true, "a@mail.Example.com": true, "a@notexample.com": false, "a@example.org": false} {
		if d.Aligned(from) != want {
			t.Errorf("%s is aligned: %v, want %v", from, !want, want)
		}
	}
}
