package picture

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Style sheets do not stay in a drawing: what they say of an element is written
// into its attributes, which say no more than the lists allow.

// rule is one selector with what it sets.
type rule struct {
	element, id string
	classes     []string
	weight      int // by CSS's own order: identifiers, then classes, then names
	sets        []attribute
}

var (
	selector = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(\*|[A-Za-z][\w-]*)?((?:[.#][\pL_][\pL\pN_-]*)*)$`)
	})
	selectorPart = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[.#][^.#]+`) })
)

// readRules reads a style sheet. Rules that depend on the reader's screen, on
// where an element stands or on what happens to it are left out.
func (d *drawing) readRules(css string) {
	css = withoutComments(css)
	for css != "" {
		at := strings.IndexAny(css, "{;")
		if at < 0 {
			return
		}
		head := strings.TrimSpace(css[:at])
		if css[at] == ';' {
			if head != "" {
				d.remove("a style: %s", clip(head))
			}
			css = css[at+1:]
			continue
		}
		body, rest := block(css[at+1:])
		css = rest
		if strings.HasPrefix(head, "@") {
			d.remove("a style: %s", clip(head))
			continue
		}
		sets := d.declarations(body)
		for _, s := range strings.Split(head, ",") {
			s = strings.TrimSpace(s)
			r, ok := parseSelector(s)
			if !ok || len(d.rules) >= maxRules {
				d.remove("a style for %s", clip(s))
				continue
			}
			r.sets = sets
			d.rules = append(d.rules, r)
		}
	}
}

func withoutComments(css string) string {
	css = strings.NewReplacer("<!--", " ", "-->", " ").Replace(css)
	var b strings.Builder
	for {
		before, after, found := strings.Cut(css, "/*")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, css, _ = strings.Cut(after, "*/")
		b.WriteByte(' ')
	}
}

// block returns what stands before the brace that closes, and what after it.
func block(s string) (body, rest string) {
	depth := 1
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return s[:i], s[i+1:]
			}
		}
	}
	return s, ""
}

func parseSelector(s string) (r rule, ok bool) {
	m := selector().FindStringSubmatch(s)
	if m == nil || s == "" || len(s) > 200 {
		return r, false
	}
	if m[1] != "" && m[1] != "*" {
		r.element, r.weight = m[1], 1
	}
	for _, part := range selectorPart().FindAllString(m[2], -1) {
		if part[0] == '.' {
			r.classes, r.weight = append(r.classes, part[1:]), r.weight+100
			continue
		}
		if r.id != "" && r.id != part[1:] {
			return r, false
		}
		r.id, r.weight = part[1:], r.weight+10000
	}
	return r, true
}

// declarations reads what stands between the braces of a rule, or in a style
// attribute.
func (d *drawing) declarations(css string) []attribute {
	var sets []attribute
	for _, line := range strings.Split(css, ";") {
		name, value, ok := strings.Cut(line, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || strings.HasPrefix(name, "-") || name == "enable-background" {
			continue // nothing, or a drawing program's own
		}
		value = strings.TrimSuffix(strings.TrimSpace(value), "!important")
		if properties[name] {
			if v, ok := allowedValue(name, value); ok {
				sets = append(sets, attribute{name, v})
				continue
			}
		}
		d.remove("a style: %s", clip(name))
	}
	return sets
}

func (r *rule) fits(n *node) bool {
	if r.element != "" && r.element != n.name || r.id != "" && r.id != n.id {
		return false
	}
	for _, c := range r.classes {
		if !slices.Contains(n.classes, c) {
			return false
		}
	}
	return true
}

// applyStyle writes what styles say of an element into its attributes.
func (d *drawing) applyStyle(n *node) {
	if n.name == "" {
		return
	}
	var fitting []*rule
	for i := range d.rules {
		if d.rules[i].fits(n) {
			fitting = append(fitting, &d.rules[i])
		}
	}
	slices.SortStableFunc(fitting, func(a, b *rule) int { return a.weight - b.weight })
	for _, r := range fitting {
		for _, a := range r.sets {
			n.set(a.name, a.value)
		}
	}
	if n.style != "" {
		for _, a := range d.declarations(withoutComments(n.style)) {
			n.set(a.name, a.value)
		}
	}
}
