package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"
)

// ErrRecoveryCode says that a text cannot be a recovery code.
var ErrRecoveryCode = errors.New("not a recovery code")

// A recovery code is 120 random bits, written as four groups of six from an
// alphabet in which no two signs look alike (Crockford's base 32, which has
// no I, L, O and U).
const (
	recoveryAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	recoverySigns    = 24
	recoveryGroup    = 6
)

var recoveryText = base32.NewEncoding(recoveryAlphabet).WithPadding(base32.NoPadding)

// NewRecoveryCode returns a code that lets somebody in once without their
// authenticator app, and the hash of it that goes into the store. The code
// itself is shown once and kept nowhere.
func NewRecoveryCode() (code string, hash []byte) {
	raw := make([]byte, recoverySigns*5/8)
	_, _ = rand.Read(raw) // never fails
	signs := recoveryText.EncodeToString(raw)
	var b strings.Builder
	for i := 0; i < recoverySigns; i += recoveryGroup {
		if i > 0 {
			b.WriteByte('-')
		}
		b.WriteString(signs[i : i+recoveryGroup])
	}
	return b.String(), hashRecovery(signs)
}

// ParseRecoveryCode reads a code as people type it, in any case, with or
// without what separates the groups, and with the letters that look like a
// digit for that digit, and returns the hash to look up. Anything else is
// ErrRecoveryCode.
func ParseRecoveryCode(s string) (hash []byte, err error) {
	if len(s) > 100 {
		return nil, ErrRecoveryCode
	}
	signs := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '\t', '\u00a0', '\u2010', '\u2011', '\u2013', '\u2212': // spaces and what programs make of hyphens
			return -1
		case 'O', 'o':
			return '0'
		case 'I', 'i', 'L', 'l':
			return '1'
		}
		return r
	}, strings.TrimSpace(s))
	signs = strings.ToUpper(signs)
	if len(signs) != recoverySigns || strings.Trim(signs, recoveryAlphabet) != "" {
		return nil, ErrRecoveryCode
	}
	return hashRecovery(signs), nil
}

// hashRecovery is one SHA-256. A slow hash makes up for passwords that are
// easy to guess; of 2^120 codes nobody tries a noticeable part, however fast
// the hash, and being fast and without salt it can be looked up.
func hashRecovery(signs string) []byte {
	sum := sha256.Sum256([]byte("recovery code " + signs))
	return sum[:]
}
