package app

import (
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"github.com/portalctl/portalctl/pkg/portal"
)

// What people type comes in through the functions below: in Unicode's
// composed form (NFC), so that the same name typed on two machines is the
// same text, then checked by the portal's rules.

// line reads one line that may be empty, such as a contact's name.
func line(field, s string) (string, error) {
	return portal.CleanLine(field, norm.NFC.String(s))
}

// requiredLine reads one line that may not be empty, such as a group's name.
func requiredLine(field, s string) (string, error) {
	return portal.ParseName(field, norm.NFC.String(s))
}

// bodyText reads a message's text.
func bodyText(field, s string) (string, error) {
	return portal.CleanBody(field, norm.NFC.String(s))
}

// email reads an e-mail address. A domain with letters outside ASCII becomes
// its ASCII form, which is what mail servers and contacts are found by.
func email(field, s string) (string, error) {
	s = norm.NFC.String(strings.TrimSpace(s))
	local, domain, ok := cutLast(s, '@')
	if ok && !ascii(domain) {
		if d, err := idna.Lookup.ToASCII(domain); err == nil {
			return portal.ParseEmail(field, local+"@"+d)
		}
	}
	return portal.ParseEmail(field, s)
}

// hostName reads a company's own host name, such as acme.com; empty is allowed.
func hostName(field, s string) (string, error) {
	typed, err := line(field, s)
	if err != nil || typed == "" {
		return "", err
	}
	bad := portal.Invalidf("field.host", field, "%q is not a host name; write it like example.com", typed)
	h := strings.TrimSuffix(strings.ToLower(typed), ".")
	if !ascii(h) {
		if h, err = idna.Lookup.ToASCII(h); err != nil {
			return "", bad
		}
	}
	if len(h) > 253 || !strings.Contains(h, ".") || strings.Trim(h, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
		return "", bad
	}
	for label := range strings.SplitSeq(h, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return "", bad
		}
	}
	return h, nil
}

func cutLast(s string, sep byte) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
