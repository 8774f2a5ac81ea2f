package mail

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/portalctl/portalctl/pkg/portal"
)

// DKIM signs mail, so that whoever gets it can tell that the domain sent it and
// that nothing in it was changed on the way (RFC 6376, RFC 8463).
type DKIM struct {
	domain, selector string
	key              crypto.Signer
}

// leastRSA is the shortest RSA key receivers accept (RFC 8301).
const leastRSA = 1024

// ShortRSA is below what new keys should have: some receivers give such keys
// less weight.
const ShortRSA = 2048

// NewDKIM reads a private key as PEM, PKCS#1 or PKCS#8, RSA or Ed25519.
func NewDKIM(domain, selector string, key []byte) (*DKIM, error) {
	d := &DKIM{domain: strings.ToLower(strings.TrimSuffix(domain, ".")), selector: strings.ToLower(selector)}
	for _, name := range []struct{ field, value string }{{"dkim-domain", d.domain}, {"dkim-selector", d.selector}} {
		if !isDNSName(name.value) {
			return nil, portal.Invalidf("mail.dkim", name.field, "%q cannot stand in a DNS name", name.value).
				WithHint("the record will be at SELECTOR._domainkey.DOMAIN")
		}
	}
	var err error
	if d.key, err = readKey(key); err != nil {
		return nil, portal.Invalidf("mail.dkim", "dkim-key", "the DKIM key cannot be used: %v", err).
			WithHint("make one with: portalctl mail dkim --make FILE")
	}
	return d, nil
}

func isDNSName(s string) bool {
	if s == "" || len(s) > 250 || strings.Contains(s, "..") || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

func readKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it holds no PEM block")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if rsaKey, rsaErr := x509.ParsePKCS1PrivateKey(block.Bytes); rsaErr == nil {
			key, err = rsaKey, nil
		}
	}
	if err != nil {
		return nil, errors.New("it is no private key of PKCS#1 or PKCS#8, or is protected by a password")
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() < leastRSA {
			return nil, fmt.Errorf("an RSA key of %d bits is too short; receivers want %d at least, and %d is usual", key.N.BitLen(), leastRSA, ShortRSA)
		}
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("a key of type %T cannot sign mail; use RSA or Ed25519", key)
}

// MakeDKIMKey makes an RSA key, which every receiver can check, and returns it
// as PEM.
func MakeDKIMKey() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, ShortRSA)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Domain is the domain that signs.
func (d *DKIM) Domain() string { return d.domain }

// Bits is how long an RSA key is; 0 for other keys.
func (d *DKIM) Bits() int {
	if key, ok := d.key.(*rsa.PrivateKey); ok {
		return key.N.BitLen()
	}
	return 0
}

// Aligned reports whether receivers count the signature for mail from the
// address (RFC 7489, relaxed): its domain is the one that signs, or below it.
func (d *DKIM) Aligned(from string) bool {
	_, domain, _ := strings.Cut(strings.ToLower(from), "@")
	return domain == d.domain || strings.HasSuffix(domain, "."+d.domain)
}

// Record is the TXT record that lets receivers check: its name and its text.
func (d *DKIM) Record() (name, text string, err error) {
	kind := "rsa"
	var public []byte
	switch key := d.key.Public().(type) {
	case ed25519.PublicKey:
		kind, public = "ed25519", key
	default:
		if public, err = x509.MarshalPKIXPublicKey(key); err != nil {
			return "", "", err
		}
	}
	return d.selector + "._domainkey." + d.domain, "v=DKIM1; k=" + kind + "; p=" + base64.StdEncoding.EncodeToString(public), nil
}

// signedHeaders are those the signature covers. Each that must stand once is
// named once more than it stands, so that nobody can add another: mail programs
// differ in which of two they show.
var signedHeaders = []string{
	"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version", "Content-Type",
	"Auto-Submitted", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
}

// sign puts the signature in front of a mail as it goes over the wire.
func (d *DKIM) sign(raw []byte) ([]byte, error) {
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	var covered []string
	for _, name := range signedHeaders {
		if hasHeader(head, name) {
			covered = append(covered, name)
		}
		covered = append(covered, name)
	}
	signer, err := dkim.NewSigner(&dkim.SignOptions{
		Domain: d.domain, Selector: d.selector, Signer: d.key, Hash: crypto.SHA256, HeaderKeys: covered,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		return nil, err
	}
	_, err = signer.Write(raw)
	if err = errors.Join(err, signer.Close()); err != nil {
		return nil, err
	}
	return append([]byte(signer.Signature()), raw...), nil
}

func hasHeader(head []byte, name string) bool {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if found, _, ok := bytes.Cut(line, []byte(":")); ok && strings.EqualFold(string(found), name) {
			return true
		}
	}
	return false
}
