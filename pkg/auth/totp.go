package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// Authenticator apps know one kind of code well: six digits every 30 seconds
// by HMAC-SHA-1 (RFC 6238). Several of them read other settings from the QR
// code and ignore them, so there are none here. What breaks SHA-1 elsewhere,
// collisions, does not touch HMAC.
const (
	totpPeriod   = 30
	totpKeyBytes = 20 // as long as the hash; RFC 4226 section 4
	totpSkew     = 1  // steps a phone's clock may be off, either way
)

// longestIssuer is how much of a name goes into an address: it stands there
// twice and escaped, all of it must fit a QR code, and a phone shows no more.
const longestIssuer = 40

var totpText = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewTOTPKey returns a random key to share with an authenticator app.
func NewTOTPKey() []byte {
	key := make([]byte, totpKeyBytes)
	_, _ = rand.Read(key) // never fails
	return key
}

// TOTPText is the key as people type it into an app that cannot scan.
func TOTPText(key []byte) string { return totpText.EncodeToString(key) }

// TOTPURL is the otpauth: address of the key, which a QR code carries: issuer
// and account are what the app calls it. The library's own function leaves an
// ampersand in the issuer as it is, which cuts the name short.
func TOTPURL(key []byte, issuer, account string) string {
	issuer = strings.Join(strings.Fields(strings.ReplaceAll(issuer, ":", " ")), " ") // a colon ends the issuer here
	if name := []rune(issuer); len(name) > longestIssuer {
		issuer = strings.TrimSpace(string(name[:longestIssuer-1])) + "…"
	}
	q := url.Values{
		"secret": {TOTPText(key)}, "issuer": {issuer},
		"algorithm": {"SHA1"}, "digits": {"6"}, "period": {strconv.Itoa(totpPeriod)},
	}
	// Apps read %20 as a space everywhere, and + only some of them.
	query := strings.ReplaceAll(q.Encode(), "+", "%20")
	return "otpauth://totp/" + url.PathEscape(issuer) + ":" + url.PathEscape(account) + "?" + query
}

// CheckTOTP looks for the time step a code belongs to, near now and later
// than last, the newest step accepted before: the caller keeps what is
// returned, so that no code counts twice. ok is false for a wrong code and
// for one that was used or overtaken.
func CheckTOTP(key []byte, code string, now time.Time, last int64) (step int64, ok bool) {
	text, present := TOTPText(key), now.Unix()/totpPeriod
	for s := present - totpSkew; s <= present+totpSkew; s++ {
		if s <= last || s < 0 {
			continue
		}
		want, err := hotp.GenerateCodeCustom(text, uint64(s), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return s, true
		}
	}
	return 0, false
}

// TOTPCode is the code an authenticator app shows at a time.
func TOTPCode(key []byte, at time.Time) (string, error) {
	return hotp.GenerateCode(TOTPText(key), uint64(at.Unix()/totpPeriod)) //nolint:gosec // G115: after 1970
}

// IsTOTP reports whether a text is written like a code: six digits.
func IsTOTP(code string) bool {
	return len(code) == 6 && strings.Trim(code, "0123456789") == ""
}
