package portal

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DeskSettings are how the tickets of an inbox are worked on. They are kept as
// JSON with the inbox; the names are stable.
type DeskSettings struct {
	Hours Hours `json:"hours,omitzero"`
	// Targets are how soon a ticket is to be answered and closed, by its
	// priority. They count in the hours.
	Targets map[Priority]Target `json:"targets,omitempty"`
	// Assign is the rule that gives new tickets to agents.
	Assign AssignRule `json:"assign,omitempty"`
	// AssignCompany names the agents who get the tickets of certain companies,
	// whatever the rule says.
	AssignCompany map[CompanyID]AgentID `json:"assign_company,omitempty"`
}

// Target is how soon a ticket is to be answered first and to be closed, in
// business time; 0 is no target.
type Target struct {
	Answer  time.Duration `json:"answer,omitempty"`
	Resolve time.Duration `json:"resolve,omitempty"`
}

// AssignRule is how new tickets of an inbox get an agent.
type AssignRule string

// The rules; the zero value leaves them to whoever takes them.
const (
	AssignNone       AssignRule = ""
	AssignRoundRobin AssignRule = "round-robin" // whose turn was longest ago
	AssignLeastOpen  AssignRule = "least-open"  // who has the fewest open tickets
)

// ParseAssignRule reads none, round-robin or least-open.
func ParseAssignRule(s string) (AssignRule, error) {
	switch r := AssignRule(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "_", "-")); r {
	case "none", AssignNone:
		return AssignNone, nil
	case AssignRoundRobin, AssignLeastOpen:
		return r, nil
	}
	return AssignNone, Invalidf("inbox.assign", "assign", "%q is not a rule of assignment; use none, round-robin or least-open", s)
}

// String writes the rule as ParseAssignRule reads it.
func (r AssignRule) String() string {
	if r == AssignNone {
		return "none"
	}
	return string(r)
}

// maxTarget bounds a target: further away than a year of days and nights
// nobody waits for it.
const maxTarget = 366 * 24 * time.Hour

// ParseTarget reads a target as operators write it: PRIORITY=ANSWER/RESOLVE,
// such as urgent=1h/8h, normal=4h, low=/40h or low=none. Days are of 24 hours
// of business time.
func ParseTarget(s string) (p Priority, t Target, err error) {
	bad := Invalidf("inbox.target", "target", "%q is not a target; write it like urgent=1h/8h: the first answer, then closing", s)
	name, times, ok := strings.Cut(s, "=")
	if !ok {
		return "", t, bad
	}
	p = Priority(strings.ToLower(strings.TrimSpace(name)))
	if !slices.Contains(Priorities, p) {
		return "", t, Invalidf("inbox.target", "target", "%q is not a priority; use low, normal, high or urgent", name)
	}
	if times = strings.TrimSpace(times); times == "none" {
		return p, t, nil
	}
	answer, resolve, _ := strings.Cut(times, "/")
	if t.Answer, err = parseTargetTime(answer); err != nil {
		return "", t, bad
	}
	if t.Resolve, err = parseTargetTime(resolve); err != nil || t == (Target{}) {
		return "", t, bad
	}
	if t.Answer > 0 && t.Resolve > 0 && t.Resolve < t.Answer {
		return "", t, Invalidf("inbox.target", "target", "%q wants a ticket closed before it is answered", s)
	}
	return p, t, nil
}

// parseTargetTime reads 30m, 1h, 1h30m or 2d; nothing is no target.
func parseTargetTime(s string) (time.Duration, error) {
	if s = strings.TrimSpace(s); s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(min(n, 10000)) * 24 * time.Hour
	}
	if err == nil && (d < time.Minute || d > maxTarget || d%time.Minute != 0) {
		err = fmt.Errorf("%s is out of range", d)
	}
	return d, err
}

// FormatTarget writes a target as ParseTarget reads it behind the =.
func FormatTarget(t Target) string {
	switch {
	case t == Target{}:
		return "none"
	case t.Resolve == 0:
		return FormatHours(t.Answer)
	case t.Answer == 0:
		return "/" + FormatHours(t.Resolve)
	}
	return FormatHours(t.Answer) + "/" + FormatHours(t.Resolve)
}

// FormatHours writes a span of time in hours and minutes, such as 1h30m.
func FormatHours(d time.Duration) string {
	d = d.Truncate(time.Minute)
	h, m := d/time.Hour, d%time.Hour/time.Minute
	switch {
	case h == 0:
		return fmt.Sprintf("%dm", m)
	case m == 0:
		return fmt.Sprintf("%dh", h)
	}
	return fmt.Sprintf("%dh%dm", h, m)
}

// FormatTargets writes every target, the most urgent first.
func (s *DeskSettings) FormatTargets() string {
	var list []string
	for _, p := range slices.Backward(Priorities) {
		if t := s.Targets[p]; t != (Target{}) {
			list = append(list, string(p)+"="+FormatTarget(t))
		}
	}
	return strings.Join(list, ",")
}

// SetTarget changes the target of one priority in a copy of the others.
func (s *DeskSettings) SetTarget(p Priority, t Target) {
	targets := maps.Clone(s.Targets)
	if targets == nil {
		targets = map[Priority]Target{}
	}
	targets[p] = t
	if t == (Target{}) {
		delete(targets, p)
	}
	s.Targets = targets
}
