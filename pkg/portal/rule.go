package portal

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Operator compares a property with values.
type Operator string

// The operators. Texts compare without regard to case; less and more compare
// numbers, before and after compare dates written 2006-01-02 or RFC 3339.
const (
	OpEquals   Operator = "equals"
	OpNot      Operator = "is-not"
	OpContains Operator = "contains"
	OpOneOf    Operator = "one-of"
	OpKnown    Operator = "known"
	OpUnknown  Operator = "unknown"
	OpLess     Operator = "less-than"
	OpMore     Operator = "more-than"
	OpBefore   Operator = "before"
	OpAfter    Operator = "after"
)

// Condition compares one contact property.
type Condition struct {
	Property string   `json:"property"`
	Op       Operator `json:"op"`
	Values   []string `json:"values,omitempty"`
}

// RuleSet matches a contact when all conditions of one of its groups hold:
// AND within a group, OR between groups. An empty set matches nobody.
type RuleSet [][]Condition

// Match returns the first group of conditions the contact meets, counted
// from 1, or 0.
func (r RuleSet) Match(c *Contact) int {
	for i, group := range r {
		if len(group) == 0 {
			continue
		}
		all := true
		for _, cond := range group {
			if !cond.holds(c) {
				all = false
				break
			}
		}
		if all {
			return i + 1
		}
	}
	return 0
}

func (c Condition) holds(contact *Contact) bool {
	got := contact.Property(c.Property)
	value := ""
	if len(c.Values) > 0 {
		value = c.Values[0]
	}
	switch c.Op {
	case OpKnown:
		return got != ""
	case OpUnknown:
		return got == ""
	case OpEquals:
		return strings.EqualFold(got, value)
	case OpNot:
		return got != "" && !strings.EqualFold(got, value)
	case OpContains:
		return got != "" && strings.Contains(strings.ToLower(got), strings.ToLower(value))
	case OpOneOf:
		for _, v := range c.Values {
			if got != "" && strings.EqualFold(got, v) {
				return true
			}
		}
		return false
	case OpLess, OpMore:
		a, errA := strconv.ParseFloat(strings.TrimSpace(got), 64)
		b, errB := strconv.ParseFloat(value, 64)
		if errA != nil || errB != nil {
			return false
		}
		return c.Op == OpLess && a < b || c.Op == OpMore && a > b
	case OpBefore, OpAfter:
		a, okA := parseDate(got)
		b, okB := parseDate(value)
		if !okA || !okB {
			return false
		}
		return c.Op == OpBefore && a.Before(b) || c.Op == OpAfter && a.After(b)
	}
	return false
}

func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, time.RFC3339, time.DateTime, "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// ParseRule reads one group of conditions as operators write it:
//
//	department equals Finance and seniority one-of lead,manager
//
// Values with spaces stand in double quotes.
func ParseRule(s string) ([]Condition, error) {
	words, err := ruleWords(s)
	if err != nil {
		return nil, err
	}
	var group []Condition
	for len(words) > 0 {
		if len(words) < 2 {
			return nil, badRule(s, "each condition needs a property and an operator")
		}
		cond := Condition{Property: PropertyKey(words[0].text), Op: Operator(strings.ToLower(words[1].text))}
		words = words[2:]
		if cond.Property == "" {
			return nil, badRule(s, "a condition names no property")
		}
		switch cond.Op {
		case OpKnown, OpUnknown:
		case OpEquals, OpNot, OpContains, OpOneOf, OpLess, OpMore, OpBefore, OpAfter:
			if len(words) == 0 {
				return nil, badRule(s, fmt.Sprintf("%q needs a value", cond.Op))
			}
			cond.Values = []string{words[0].text}
			if cond.Op == OpOneOf {
				cond.Values = words[0].list
			}
			words = words[1:]
			if err := cond.check(s); err != nil {
				return nil, err
			}
		default:
			return nil, badRule(s, fmt.Sprintf("%q is not an operator; use equals, is-not, contains, one-of, known, unknown, less-than, more-than, before or after", cond.Op))
		}
		group = append(group, cond)
		if len(words) > 0 {
			if !strings.EqualFold(words[0].text, "and") || words[0].quoted {
				return nil, badRule(s, fmt.Sprintf("%q stands where \"and\" was expected", words[0].text))
			}
			if words = words[1:]; len(words) == 0 {
				return nil, badRule(s, "nothing follows the last \"and\"")
			}
		}
	}
	if len(group) == 0 {
		return nil, badRule(s, "it is empty")
	}
	return group, nil
}

func (c Condition) check(rule string) error {
	switch c.Op {
	case OpLess, OpMore:
		if _, err := strconv.ParseFloat(c.Values[0], 64); err != nil {
			return badRule(rule, fmt.Sprintf("%q is not a number", c.Values[0]))
		}
	case OpBefore, OpAfter:
		if _, ok := parseDate(c.Values[0]); !ok {
			return badRule(rule, fmt.Sprintf("%q is not a date; write it like 2026-01-31", c.Values[0]))
		}
	}
	return nil
}

func badRule(rule, why string) *Error {
	return Invalidf("rule.syntax", "rule", "rule %q: %s", rule, why).
		WithHint(`write it like: department equals Finance and seniority one-of lead,manager`)
}

// FormatRule writes a group of conditions as ParseRule reads it.
func FormatRule(group []Condition) string {
	parts := make([]string, len(group))
	for i, c := range group {
		s := quoteWord(c.Property) + " " + string(c.Op)
		if len(c.Values) > 0 {
			quoted := make([]string, len(c.Values))
			for j, v := range c.Values {
				quoted[j] = quoteWord(v)
			}
			s += " " + strings.Join(quoted, ",")
		}
		parts[i] = s
	}
	return strings.Join(parts, " and ")
}

func quoteWord(s string) string {
	if s == "" || strings.ContainsAny(s, " \t\n,\"\\") || strings.EqualFold(s, "and") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return s
}

// ruleWord is one word of a rule; list holds its parts between commas that
// stand outside quotes.
type ruleWord struct {
	text   string
	list   []string
	quoted bool
}

func ruleWords(s string) ([]ruleWord, error) {
	var words []ruleWord
	var part, whole strings.Builder
	word := ruleWord{}
	open, inWord := false, false
	endPart := func() { word.list = append(word.list, part.String()); part.Reset() }
	endWord := func() {
		if inWord {
			endPart()
			word.text = whole.String()
			words = append(words, word)
		}
		word, inWord = ruleWord{}, false
		whole.Reset()
	}
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			part.WriteRune(r)
			whole.WriteRune(r)
			escaped = false
		case open && r == '\\':
			escaped = true
		case r == '"':
			open, inWord, word.quoted = !open, true, true
		case open:
			part.WriteRune(r)
			whole.WriteRune(r)
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			endWord()
		case r == ',':
			inWord = true
			endPart()
			whole.WriteRune(r)
		default:
			inWord = true
			part.WriteRune(r)
			whole.WriteRune(r)
		}
	}
	if open || escaped {
		return nil, badRule(s, "a quotation mark is not closed")
	}
	endWord()
	return words, nil
}
