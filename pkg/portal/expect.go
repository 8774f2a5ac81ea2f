package portal

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Act is what an expectation is about.
type Act string

// The acts.
const (
	ActSignIn Act = "sign in"
	ActSee    Act = "see"
	ActAnswer Act = "answer"
)

// Expectation says what a contact may or may not do, as operators write it
// down to have it checked.
type Expectation struct {
	Line    int    // where it stands in its file, from 1
	Contact string // e-mail address, lower case
	Not     bool
	Act     Act
	Ticket  TicketNumber // 0 when signing in
	Portal  string       // its slug or name; "" leaves it to whoever asks
}

// String writes the expectation as ParseExpectations reads it.
func (e Expectation) String() string {
	var b strings.Builder
	b.WriteString(e.Contact + " may ")
	if e.Not {
		b.WriteString("not ")
	}
	b.WriteString(string(e.Act))
	if e.Ticket != 0 {
		b.WriteString(" " + e.Ticket.String())
	}
	if e.Portal != "" {
		b.WriteString(" [portal " + e.Portal + "]")
	}
	return b.String()
}

// ParseExpectations reads expectations, one a line:
//
//	# who            may or may not   what
//	ana@acme.example may sign in
//	ana@acme.example may see T-1001
//	bo@acme.example  may not answer T-1002 [portal help]
//
// Empty lines and what follows a # at the start of a word are left out. The
// error joins one for each line that cannot be read. A text without any
// expectation is an error too: nothing would be checked.
func ParseExpectations(text string) ([]Expectation, error) {
	if !utf8.ValidString(text) {
		return nil, Invalidf("field.utf8", "file", "the expectations are not valid UTF-8 text")
	}
	var all []Expectation
	var problems []error
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		n++
		line = strings.TrimSpace(withoutComment(line))
		if line == "" {
			continue
		}
		e, err := parseExpectation(line)
		if err != nil {
			err.Msg = fmt.Sprintf("line %d: %s", n, err.Msg)
			problems = append(problems, err)
			continue
		}
		e.Line = n
		all = append(all, e)
	}
	if len(problems) == 0 && len(all) == 0 {
		return nil, expectationError("no line says what may or may not be")
	}
	return all, errors.Join(problems...)
}

// withoutComment cuts a line where a word begins with #, unless that word is
// part of a portal's name in brackets.
func withoutComment(line string) string {
	inside := false
	before := ' '
	for i, r := range line {
		switch {
		case r == '[':
			inside = true
		case r == ']':
			inside = false
		case r == '#' && !inside && (before == ' ' || before == '\t'):
			return line[:i]
		}
		before = r
	}
	return line
}

func expectationError(format string, args ...any) *Error {
	return Invalidf("access.expectation", "file", format, args...).
		WithHint("write each line like: ana@acme.example may not see T-1042")
}

func parseExpectation(line string) (e Expectation, _ *Error) {
	rest, name, inPortal := strings.Cut(line, "[")
	if inPortal {
		var err *Error
		if e.Portal, err = parseInPortal("[" + name); err != nil {
			return e, err
		}
	}
	words := strings.Fields(rest)
	if len(words) == 0 {
		return e, expectationError("nobody is named in %q", line)
	}
	address, err := ParseEmail("file", words[0])
	if err != nil {
		return e, expectationError("%q is not an e-mail address, with which each line begins", words[0])
	}
	e.Contact, words = address, words[1:]
	if len(words) == 0 || !strings.EqualFold(words[0], "may") {
		return e, expectationError("%q is not followed by \"may\" or \"may not\"", address)
	}
	if words = words[1:]; len(words) > 0 && strings.EqualFold(words[0], "not") {
		e.Not, words = true, words[1:]
	}
	return e, e.parseAct(words)
}

// parseAct reads what may be done, the end of a line.
func (e *Expectation) parseAct(words []string) *Error {
	said := strings.Join(words, " ")
	if strings.EqualFold(said, string(ActSignIn)) {
		e.Act = ActSignIn
		return nil
	}
	if len(words) == 0 {
		return expectationError("what %s may do is missing; say sign in, see T-1042 or answer T-1042", e.Contact)
	}
	switch act := Act(strings.ToLower(words[0])); act {
	case ActSee, ActAnswer:
		e.Act = act
	default:
		return expectationError("%q is nothing that can be expected; say sign in, see T-1042 or answer T-1042", said)
	}
	switch len(words) {
	case 1:
		return expectationError("which ticket %s may %s is missing", e.Contact, e.Act)
	case 2:
	default:
		return expectationError("%q is too much; name one ticket a line", strings.Join(words[2:], " "))
	}
	var err error
	if e.Ticket, err = ParseTicketNumber(words[1]); err != nil {
		return expectationError("%s", err)
	}
	return nil
}

// parseInPortal reads [portal NAME], the end of a line.
func parseInPortal(s string) (string, *Error) {
	bad := expectationError("%q does not name a portal; write it like [portal help]", s)
	inner, after, closed := strings.Cut(strings.TrimPrefix(s, "["), "]")
	if !closed || strings.TrimSpace(after) != "" {
		return "", bad
	}
	line, err := CleanLine("file", inner)
	if err != nil {
		return "", expectationError("%s", err)
	}
	word, name, _ := strings.Cut(line, " ")
	if !strings.EqualFold(word, "portal") || name == "" || strings.Contains(name, "[") {
		return "", bad
	}
	return name, nil
}
