package auth

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"
)

func TestNewTokenIsParsedToItsOwnHash(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		token, hash, err := NewToken()
		if err != nil {
			t.Fatal(err)
		}
		if seen[token] {
			t.Fatalf("token %q came twice", token)
		}
		seen[token] = true
		if len(token) != 43 {
			t.Errorf("token %q has %d characters, want 43", token, len(token))
		}
		sum := sha256.Sum256([]byte(token))
		if !bytes.Equal(hash, sum[:]) {
			t.Errorf("hash of %q is %x, want %x", token, hash, sum)
		}
		got, err := ParseToken(token)
		if err != nil || !bytes.Equal(got, hash) {
			t.Errorf("ParseToken(%q) = %x, %v; want %x, nil", token, got, err, hash)
		}
	}
}

func TestParseTokenRefusesOtherSpellings(t *testing.T) {
	const good = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	if _, err := ParseToken(good); err != nil {
		t.Fatalf("ParseToken(%q) = %v, want nil", good, err)
	}
	for name, s := range map[string]string{
		"empty":           "",
		"one too few":     good[1:],
		"one too many":    good + "A",
		"padded":          good + "=",
		"stray last bits": good[:42] + "B",
		"standard base64": good[:41] + "+/",
		"a line break":    good[:20] + "\n" + good[21:],
		"a space":         good[:20] + " " + good[21:],
		"not ASCII":       good[:41] + "å",
	} {
		if hash, err := ParseToken(s); !errors.Is(err, ErrToken) || hash != nil {
			t.Errorf("%s: ParseToken(%q) = %x, %v; want nil, %v", name, s, hash, err, ErrToken)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")
	f.Fuzz(func(t *testing.T, s string) {
		hash, err := ParseToken(s)
		if err != nil {
			return
		}
		if !bytes.Equal(hash, HashToken(s)) {
			t.Errorf("ParseToken(%q) = %x, HashToken says %x", s, hash, HashToken(s))
		}
		for _, r := range s {
			if r > 'z' || r < '-' {
				t.Errorf("%q was accepted and holds %q", s, r)
			}
		}
	})
}
