package portal

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// PagePolicy is the Content-Security-Policy of pages: nothing but our own
// files, no script in the page, no other site around it.
const PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"

// PagePermissions is the Permissions-Policy of pages.
const PagePermissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), fullscreen=(self), geolocation=(), " +
	"gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(self), usb=()"

const (
	headerPolicy      = "Content-Security-Policy"
	headerPermissions = "Permissions-Policy"
)

// stricterHeader is a header a domain may have of its own. Its values are those
// that are no weaker than what pages send by themselves.
type stricterHeader struct {
	name   string
	values []string // nil: read by a rule of its own
}

// stricterHeaders are all there are. What pages send already may be asked for,
// and changes nothing.
var stricterHeaders = []stricterHeader{
	{headerPolicy, nil},
	{headerPermissions, nil},
	{"Cross-Origin-Embedder-Policy", []string{"require-corp", "credentialless"}},
	{"Cross-Origin-Opener-Policy", []string{"same-origin"}},
	{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
	{"Origin-Agent-Cluster", []string{"?1"}},
	{"Referrer-Policy", []string{"no-referrer"}},
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"X-DNS-Prefetch-Control", []string{"off"}},
	{"X-Frame-Options", []string{"DENY"}},
	{"X-Permitted-Cross-Domain-Policies", []string{"none"}},
}

// ParseHeader reads a security header of a domain, written "Name: value", in
// the one form it is kept in. No value takes the header back to the usual.
// Whatever is not provably as strict as the usual is refused with the reason.
func ParseHeader(line string) (name, value string, err error) {
	name, value, found := strings.Cut(line, ":")
	name = strings.TrimSpace(name)
	if !found {
		return "", "", Invalidf("domain.header", "header", "%q is not a header", line).
			WithHint(`write it like "Content-Security-Policy: img-src 'none'"; without a value the usual comes back`)
	}
	if strings.EqualFold(name, "Strict-Transport-Security") {
		return "", "", Invalidf("domain.header", "header", "Strict-Transport-Security has a setting of its own").WithHint("use --hsts")
	}
	at := slices.IndexFunc(stricterHeaders, func(h stricterHeader) bool { return strings.EqualFold(h.name, name) })
	if at < 0 {
		var names []string
		for _, h := range stricterHeaders {
			names = append(names, h.name)
		}
		return "", "", Invalidf("domain.header", "header", "%q is not a header that can be made stricter", name).
			WithHint("these can: %s", strings.Join(names, ", "))
	}
	name, value = stricterHeaders[at].name, strings.Join(strings.Fields(value), " ")
	if value == "" {
		return name, "", nil
	}
	switch name {
	case headerPolicy:
		value, err = parsePolicy(value)
	case headerPermissions:
		value, err = parsePermissions(value)
	default:
		value, err = oneOfHeader(stricterHeaders[at], value)
	}
	return name, value, err
}

func oneOfHeader(h stricterHeader, value string) (string, error) {
	for _, v := range h.values {
		if strings.EqualFold(v, value) {
			return v, nil
		}
	}
	return "", Invalidf("domain.header", "header", "%s: %q is weaker than %q, or means nothing", h.name, value, h.values[0])
}

// policyDirectives are those that say what a page may load or do, each with
// the one that decides in its place when it is not there.
var policyDirectives = map[string]string{
	"default-src": "", "base-uri": "-", "form-action": "-", "frame-ancestors": "-",
	"child-src": "default-src", "connect-src": "default-src", "font-src": "default-src", "frame-src": "child-src",
	"img-src": "default-src", "manifest-src": "default-src", "media-src": "default-src", "object-src": "default-src",
	"script-src": "default-src", "script-src-attr": "script-src", "script-src-elem": "script-src",
	"style-src": "default-src", "style-src-attr": "style-src", "style-src-elem": "style-src", "worker-src": "script-src",
}

// upgradeRequests has browsers use TLS for what a page loads.
const upgradeRequests = "upgrade-insecure-requests"

// directive is a part of a Content-Security-Policy.
type directive struct{ name, value string }

func (d directive) String() string { return strings.TrimSpace(d.name + " " + d.value) }

func directives(policy string) []directive {
	var all []directive
	for part := range strings.SplitSeq(policy, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), " ")
		if name != "" {
			all = append(all, directive{strings.ToLower(name), strings.TrimSpace(value)})
		}
	}
	return all
}

func joined(all []directive) string {
	parts := make([]string, len(all))
	for i, d := range all {
		parts[i] = d.String()
	}
	return strings.Join(parts, "; ")
}

// deciding is the value that holds for a directive under a policy.
func deciding(policy []directive, name string) string {
	for name != "" && name != "-" {
		if at := slices.IndexFunc(policy, func(d directive) bool { return d.name == name }); at >= 0 {
			return policy[at].value
		}
		name = policyDirectives[name]
	}
	return ""
}

// parsePolicy reads directives that take away from the usual policy.
func parsePolicy(s string) (string, error) {
	refuse := func(format string, args ...any) (string, error) {
		return "", Invalidf("domain.header", "header", headerPolicy+": "+format, args...)
	}
	usual := directives(PagePolicy)
	var kept []directive
	for _, d := range directives(s) {
		fallback, known := policyDirectives[d.name]
		now := deciding(usual, d.name)
		switch {
		case slices.ContainsFunc(kept, func(k directive) bool { return k.name == d.name }):
			return refuse("%s stands there twice", d.name)
		case d.name == upgradeRequests && d.value == "":
		case !known:
			return refuse("%q is no directive that makes pages stricter", d.name)
		case d.name == "form-action" && d.value == "'none'":
			return refuse("without forms nobody can sign in")
		case d.value == "'none'":
		case d.value != now || now == "" && fallback != "":
			return refuse("%s %s may be more than pages have; write %s 'none', or leave it out", d.name, cmp.Or(d.value, "without a value"), d.name)
		}
		kept = append(kept, d)
	}
	return joined(kept), nil
}

// parsePermissions reads features that are withdrawn.
func parsePermissions(s string) (string, error) {
	var kept []string
	for part := range strings.SplitSeq(s, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		name = strings.TrimSpace(name)
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return "", Invalidf("domain.header", "header", headerPermissions+": %q is not a feature", name)
		}
		if strings.ReplaceAll(value, " ", "") != "()" {
			return "", Invalidf("domain.header", "header", headerPermissions+": features can only be withdrawn; write %s=()", name)
		}
		if feature := name + "=()"; !slices.Contains(kept, feature) {
			kept = append(kept, feature)
		}
	}
	return strings.Join(kept, ", "), nil
}

// StricterHeader puts a domain's own value of a header, as ParseHeader gives
// it, together with what a page sends. Nothing the page forbids is allowed by
// it, whatever the value is.
func StricterHeader(name, page, own string) string {
	switch name {
	case headerPolicy:
		return stricterPolicy(page, own)
	case headerPermissions:
		return stricterPermissions(page, own)
	}
	// What pages send by themselves is the strictest that works there.
	return cmp.Or(page, own)
}

func stricterPolicy(page, own string) string {
	all := directives(page)
	for _, d := range directives(own) {
		at := slices.IndexFunc(all, func(p directive) bool { return p.name == d.name })
		switch {
		case d.name == upgradeRequests && at < 0, d.value == "'none'" && at < 0:
			all = append(all, d)
		case d.value == "'none'":
			all[at].value = d.value
		}
	}
	return joined(all)
}

func stricterPermissions(page, own string) string {
	all := strings.Split(page, ", ")
	for feature := range strings.SplitSeq(own, ", ") {
		name, _, _ := strings.Cut(feature, "=")
		at := slices.IndexFunc(all, func(p string) bool { return strings.HasPrefix(p, name+"=") })
		if at < 0 {
			all = append(all, fmt.Sprintf("%s=()", name))
		} else {
			all[at] = name + "=()"
		}
	}
	return strings.Join(all, ", ")
}
