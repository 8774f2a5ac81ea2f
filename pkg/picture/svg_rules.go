package picture

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

func set(words string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(words) {
		all[w] = true
	}
	return all
}

// elements are those that may stay: shapes, text, paint, and what clips and
// blurs. None runs, moves, embeds or fetches anything.
var elements = set(`svg g defs symbol use path rect circle ellipse line polyline polygon text tspan textPath
	linearGradient radialGradient stop clipPath mask pattern marker
	filter feGaussianBlur feOffset feBlend feColorMatrix feFlood feComposite feMerge feMergeNode feDropShadow`)

// replaced are elements whose content stays without them.
var replaced = map[string]string{"a": "g", "switch": "g"}

// quietly are elements nobody misses on a page: the words for a picture stand
// in the page itself.
var quietly = set("title desc metadata")

// geometry are the attributes that are no properties of style.
var geometry = set(`x y x1 y1 x2 y2 cx cy r rx ry fx fy fr width height d points transform viewBox preserveAspectRatio
	dx dy rotate textLength lengthAdjust startOffset method spacing side pathLength
	offset gradientUnits gradientTransform spreadMethod clipPathUnits maskUnits maskContentUnits
	patternUnits patternContentUnits patternTransform markerWidth markerHeight markerUnits refX refY orient
	filterUnits primitiveUnits in in2 result stdDeviation mode type values operator k1 k2 k3 k4`)

// properties are the attributes that a style may set, too.
var properties = set(`fill fill-opacity fill-rule stroke stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin
	stroke-miterlimit stroke-opacity stroke-width opacity color display visibility overflow clip-path clip-rule mask filter
	font-family font-size font-style font-weight font-stretch font-variant text-anchor text-decoration
	dominant-baseline alignment-baseline baseline-shift letter-spacing word-spacing direction writing-mode
	stop-color stop-opacity flood-color flood-opacity marker-start marker-mid marker-end paint-order vector-effect
	shape-rendering text-rendering color-interpolation color-interpolation-filters`)

// pointers are the properties that may refer to another element.
var pointers = set("fill stroke clip-path mask filter marker-start marker-mid marker-end")

// functions are those values may be written with. url is none of them: a
// reference is checked by its own rule.
var functions = set("matrix translate scale rotate skewX skewY rgb rgba hsl hsla hwb lab lch oklab oklch")

// quietAttribute reports whether an attribute says nothing to whoever looks at
// the picture.
func quietAttribute(name string) bool {
	switch name {
	case "version", "baseProfile", "role", "lang", "tabindex", "focusable", "enable-background", "contentScriptType", "contentStyleType", "zoomAndPan":
		return true
	}
	return strings.HasPrefix(name, "data-") || strings.HasPrefix(name, "aria-")
}

var (
	localName = `#[\pL_][\pL\pN_.:\-]{0,150}`
	patterns  = sync.OnceValue(func() (p struct{ href, pointer, function *regexp.Regexp }) {
		p.href = regexp.MustCompile(`^` + localName + `$`)
		p.pointer = regexp.MustCompile(`^url\(\s*(?:'(` + localName + `)'|"(` + localName + `)"|(` + localName + `))\s*\)\s*(.*)$`)
		p.function = regexp.MustCompile(`([A-Za-z-]*)\s*\(`)
		return p
	})
)

// allowedValue returns a value of an attribute as it is written, and whether
// the attribute may have it.
func allowedValue(name, value string) (string, bool) {
	value = strings.TrimSpace(oneSpace(value))
	switch {
	case name == "href":
		return value, patterns().href.MatchString(value)
	case name == "font-family":
		return value, onlyHas(value, ` ,.-_'"`, true)
	case pointers[name] && strings.Contains(strings.ToLower(value), "url"):
		m := patterns().pointer.FindStringSubmatch(value)
		if m == nil {
			return "", false
		}
		target, rest := "url("+m[1]+m[2]+m[3]+")", strings.TrimSpace(m[4])
		if rest == "" {
			return target, true
		}
		return target + " " + rest, plainValue(rest)
	case geometry[name] || properties[name]:
		return value, value != "" && plainValue(value)
	}
	return "", false
}

// plainValue allows numbers, words, colours and the functions above.
func plainValue(s string) bool {
	if !onlyHas(s, " .,+-#%()_", false) {
		return false
	}
	calls := patterns().function.FindAllStringSubmatch(s, -1)
	for _, call := range calls {
		if !functions[call[1]] {
			return false
		}
	}
	return true
}

// onlyHas reports whether a text holds letters, digits and the marks given.
func onlyHas(s, marks string, anyLetter bool) bool {
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(marks, r):
		case anyLetter && (unicode.IsLetter(r) || unicode.IsDigit(r)):
		default:
			return false
		}
	}
	return true
}
