package auth

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// The vectors of RFC 6238, appendix B, for SHA-1; apps show the last six of
// their eight digits.
func TestCheckTOTPKnowsTheVectorsOfTheStandard(t *testing.T) {
	key := []byte("12345678901234567890")
	for second, code := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471",
		1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		step, ok := CheckTOTP(key, code, time.Unix(second, 0), 0)
		if !ok || step != second/30 {
			t.Errorf("at %d s the code %s belongs to step %d (%t), want step %d", second, code, step, ok, second/30)
		}
	}
}

func TestCheckTOTPAcceptsOneStepEitherSide(t *testing.T) {
	key, now := NewTOTPKey(), time.Unix(1_800_000_000, 0)
	present := now.Unix() / 30
	for off, want := range map[int64]bool{-3: false, -2: false, -1: true, 0: true, 1: true, 2: false, 3: false} {
		code := codeAt(t, key, present+off)
		step, ok := CheckTOTP(key, code, now, 0)
		if ok != want || ok && step != present+off {
			t.Errorf("a code %d steps from now: step %d, %t; want %d, %t", off, step-present, ok, off, want)
		}
	}
}

func TestCheckTOTPRefusesUsedAndOvertakenSteps(t *testing.T) {
	key, now := NewTOTPKey(), time.Unix(1_800_000_000, 0)
	present := now.Unix() / 30
	for _, tt := range []struct {
		name      string
		last, off int64
		want      bool
	}{
		{"the same again", present, 0, false},
		{"the one before the last", present, -1, false},
		{"the next", present, 1, true},
		{"after one from a fast clock", present + 1, 0, false},
	} {
		if _, ok := CheckTOTP(key, codeAt(t, key, present+tt.off), now, tt.last); ok != tt.want {
			t.Errorf("%s: accepted %t, want %t", tt.name, ok, tt.want)
		}
	}
}

func TestCheckTOTPRefusesWhatIsNoCode(t *testing.T) {
	key, now := NewTOTPKey(), time.Unix(1_800_000_000, 0)
	right := codeAt(t, key, now.Unix()/30)
	for _, code := range []string{"", right[:5], right + "0", " " + right, "０" + right[1:], codeAt(t, NewTOTPKey(), now.Unix()/30) + "x"} {
		if _, ok := CheckTOTP(key, code, now, 0); ok {
			t.Errorf("%q was accepted; the code is %s", code, right)
		}
	}
}

func codeAt(t *testing.T, key []byte, step int64) string {
	t.Helper()
	code, err := TOTPCode(key, time.Unix(step*30, 0))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestTOTPURLCarriesTheKeyAndTheNames(t *testing.T) {
	key := NewTOTPKey()
	address := TOTPURL(key, "Café: Support & Co", "ann+1@example.com")
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Café Support & Co:ann+1@example.com" {
		t.Errorf("the address is %s", address)
	}
	for name, want := range map[string]string{"secret": TOTPText(key), "issuer": "Café Support & Co", "digits": "6", "period": "30", "algorithm": "SHA1"} {
		if q.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, q.Get(name), want)
		}
	}
	long := TOTPURL(key, strings.Repeat("𝄞", 200), strings.Repeat("a", 250)+"@x.y")
	if len(long) > 2000 || !strings.Contains(long, "%E2%80%A6&") {
		t.Errorf("a long name makes an address of %d bytes: %s", len(long), long)
	}
	if strings.ContainsAny(TOTPText(key), "=01 ") {
		t.Errorf("%q has signs people mistype", TOTPText(key))
	}
}
