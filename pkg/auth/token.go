package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// ErrToken says that a text cannot be a token NewToken made. Callers answer it
// as they answer a token that is unknown or used up.
var ErrToken = errors.New("not a token")

// tokenBytes of randomness make a token 43 characters long, none of which
// needs escaping in a URL.
const tokenBytes = 32

// NewToken returns a random token for a link or a session, and the hash of it
// that goes into the store. The token itself is handed out once and kept
// nowhere.
func NewToken() (token string, hash []byte, err error) {
	raw := make([]byte, tokenBytes)
	if _, err := io.ReadFull(rand.Reader, raw); err != nil {
		return "", nil, fmt.Errorf("make a token: %w", err)
	}
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, HashToken(token), nil
}

// HashToken returns the SHA-256 of a token. Tokens hold 256 random bits, so
// unlike passwords they need no salt and no slow hash.
func HashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// ParseToken checks that s is written exactly as NewToken writes tokens and
// returns the hash to look up. Anything else is ErrToken: shorter, longer,
// padded, or with stray bits in its last character, so that one token has one
// spelling.
func ParseToken(s string) (hash []byte, err error) {
	if len(s) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return nil, ErrToken
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	// The decoder skips line breaks, which a length check alone lets through.
	if err != nil || len(raw) != tokenBytes {
		return nil, ErrToken
	}
	return HashToken(s), nil
}
