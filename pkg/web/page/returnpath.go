package page

import (
	"net/url"
	"slices"
	"strings"
)

// ReturnPath checks where a form wants to lead: a path on this host at or
// below base. It returns "" for anything else.
func ReturnPath(base, target string) string {
	if len(target) > 1000 || !localPath(target) {
		return ""
	}
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	if base != "" && u.Path != base && !strings.HasPrefix(u.Path, base+"/") {
		return ""
	}
	// Dots could lead out of base again.
	if slices.Contains(strings.Split(u.Path, "/"), "..") {
		return ""
	}
	return target
}

// localPath reports whether target is a path on this host and nothing else: one
// slash at its start, no second slash or backslash behind it, no control
// characters, no scheme and no host.
func localPath(target string) bool {
	if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") {
		return false
	}
	if strings.ContainsFunc(target, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return false
	}
	u, err := url.Parse(target)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil &&
		strings.HasPrefix(u.Path, "/") && !strings.HasPrefix(u.Path, "//")
}
