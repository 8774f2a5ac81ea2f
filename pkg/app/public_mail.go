package app

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// public_mail.txt.gz holds domains under which anybody can have an address, in
// lower case, sorted by byte, one a line. It is made from the list in the npm
// package free-email-domains 1.12.6 by testdata/public-mail.sh, and like that
// package is under the MIT licence; see public_mail.LICENSE.
//
//go:embed public_mail.txt.gz
var publicMail []byte

// publicMailList unpacks the list when it is asked first: few commands need it.
var publicMailList = sync.OnceValue(func() []string {
	unpack, err := gzip.NewReader(bytes.NewReader(publicMail))
	if err != nil {
		panic(fmt.Sprintf("the embedded list of public mail domains is damaged: %v", err))
	}
	text, err := io.ReadAll(unpack)
	if err != nil {
		panic(fmt.Sprintf("the embedded list of public mail domains is damaged: %v", err))
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
})

// publicMailDomain reports whether anybody can have an address at the domain,
// as at gmail.com, so that it says nothing of who somebody works for. The
// domain is in lower case and its ASCII form.
func publicMailDomain(domain string) bool {
	_, found := slices.BinarySearch(publicMailList(), domain)
	return found
}
