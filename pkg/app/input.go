package app

import (
	"maps"
	"slices"
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

// zoneName reads the IANA name of a time zone; empty is allowed.
func zoneName(_, s string) (string, error) {
	if strings.TrimSpace(s) == "" {
		return "", nil
	}
	return parseTimeZone(s)
}

// property reads a custom property. The contact's own fields cannot be
// shadowed by one, because rules would read the wrong of the two.
func property(key, value string) (k, v string, err error) {
	k = portal.PropertyKey(norm.NFC.String(key))
	if k == "" || len(k) > 60 {
		return "", "", portal.Invalidf("field.property", "property", "%q is not the name of a property; write it like plan=gold", key)
	}
	if _, err := portal.CleanLine("property", k); err != nil {
		return "", "", err
	}
	if slices.Contains(ownFields, k) {
		return "", "", portal.Invalidf("field.property", "property", "%s is a field of its own; set it with --%s", k, strings.ReplaceAll(k, "_", "-"))
	}
	if v, err = line("property", value); err != nil {
		return "", "", err
	}
	return k, v, nil
}

var ownFields = []string{"email", "name", "member_email", "language", "time_zone", "company", "primary_company", "domain"}

// properties applies what a command says to custom properties: an empty value
// removes one. It returns the new set and what changed.
func properties(old, set map[string]string) (map[string]string, []Change, error) {
	next := maps.Clone(old)
	if next == nil {
		next = map[string]string{}
	}
	var changes []Change
	for _, key := range slices.Sorted(maps.Keys(set)) {
		k, v, err := property(key, set[key])
		if err != nil {
			return nil, nil, err
		}
		if next[k] == v {
			continue
		}
		changes = append(changes, Change{"property " + k, next[k], v})
		next[k] = v
		if v == "" {
			delete(next, k)
		}
	}
	return next, changes, nil
}
