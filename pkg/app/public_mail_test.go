package app

import (
	"testing"
)

func TestPublicMailDomain(t *testing.T) {
	for domain, want := range map[string]bool{
		"gmail.com": true, "outlook.com": true, "hotmail.se": true, "gmx.de": true, "telia.com": true, "mailinator.com": true,
		"acme.com": false, "example.com": false, "mail.acme.com": false, "ibm.com": false, "": false,
	} {
		if got := publicMailDomain(domain); got != want {
			t.Errorf("%q is public mail: %v; want %v", domain, got, want)
		}
	}
}
