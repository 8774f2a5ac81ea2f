package dns

import (
	"net/url"
	"strings"
)

// LetsEncrypt is the name of Let's Encrypt in CAA records.
const LetsEncrypt = "letsencrypt.org"

// issuers are the names certificate authorities have in CAA records, by the
// host of their ACME directory.
var issuers = []struct {
	host  string
	names []string
}{
	{"api.letsencrypt.org", []string{LetsEncrypt}},
	{"zerossl.com", []string{"sectigo.com", "trust-provider.com", "usertrust.com", "comodoca.com", "comodo.com"}},
	{"sectigo.com", []string{"sectigo.com", "trust-provider.com", "usertrust.com", "comodoca.com", "comodo.com"}},
	{"api.pki.goog", []string{"pki.goog"}},
	{"digicert.com", []string{"digicert.com", "www.digicert.com", "digicert.ne.jp", "cybertrust.ne.jp", "thawte.com", "geotrust.com", "rapidssl.com", "symantec.com"}},
	{"buypass.com", []string{"buypass.com"}},
	{"ssl.com", []string{"ssl.com"}},
	{"globalsign.com", []string{"globalsign.com"}},
	{"entrust.net", []string{"entrust.net"}},
	{"actalis.it", []string{"actalis.it"}},
}

// IssuersOf returns the names that a certificate authority has in CAA records,
// by the address of its ACME directory; none when it is not known.
func IssuersOf(directory string) []string {
	u, err := url.Parse(directory)
	if err != nil {
		return nil
	}
	host := strings.ToLower(u.Hostname())
	for _, i := range issuers {
		if within(host, i.host) {
			return i.names
		}
	}
	return nil
}
