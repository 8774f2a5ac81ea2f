package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/portalctl/portalctl/pkg/auth"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// codeTries is how many wrong codes a mailed link survives.
const codeTries = 5

// AskedForLink is what the browser that asked for a link gets: something to
// be recognised by, and the code that another browser has to show instead.
type AskedForLink struct {
	Token string // for the cookie
	Code  string // six digits
}

// newAsking makes what a browser that asks for a link gets. data goes along
// with the mail; nothing in it signs in.
func newAsking() (asked *AskedForLink, data map[string]string, err error) {
	token, hash, err := auth.NewToken()
	if err != nil {
		return nil, nil, err
	}
	code := LinkCode(token)
	return &AskedForLink{Token: token, Code: code}, map[string]string{
		"asked": hex.EncodeToString(hash), "code": hex.EncodeToString(auth.HashToken(code)),
	}, nil
}

// LinkCode is the short code that belongs to what a browser was given when it
// asked for a link: six digits, "" when it holds nothing of the kind.
func LinkCode(asked string) string {
	if _, err := auth.ParseToken(asked); err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte("code for another device\x00" + asked))
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[:])%1_000_000)
}

// askedHere reports whether a link may be used in the browser without a code:
// it was asked for there, or no browser asked for it.
func askedHere(t *store.Token, d Device) bool {
	if len(t.Asked) == 0 {
		return true
	}
	hash, err := auth.ParseToken(d.Asked)
	return err == nil && subtle.ConstantTimeCompare(hash, t.Asked) == 1
}

// digitsOf leaves the digits of what somebody typed as a code: people write
// 123 456 and 123-456.
func digitsOf(typed string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, clip(typed, 40))
}

// checkLinkCode lets a link be used in another browser than the one that
// asked for it. wrong is set when the code was not the one shown there; that
// counts, and must be committed.
func checkLinkCode(ctx context.Context, tx *store.Tx, t *store.Token, code string, d Device) (wrong bool, err error) {
	if askedHere(t, d) {
		return false, nil
	}
	digits := digitsOf(code)
	if digits == "" {
		return false, portal.Invalidf("link.code_needed", "code", "the code is missing")
	}
	if subtle.ConstantTimeCompare(auth.HashToken(digits), t.Code) == 1 {
		return false, nil
	}
	return true, tx.CountTry(ctx, t.Hash, codeTries)
}
