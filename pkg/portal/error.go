// Package portal is the domain of portalctl: portals, contacts, companies,
// tickets and who may see them. It holds types, rules and errors, uses the
// standard library only and does no I/O.
package portal

import (
	"errors"
	"fmt"
)

// Kind says what an error means to whoever caused it. Pages and commands
// turn it into a status and an exit code, and nothing else does.
type Kind int

// The kinds. Internal is the zero value, so an error nobody thought about is
// never shown to a customer.
const (
	Internal  Kind = iota // a bug, a full disk
	Invalid               // the input breaks a rule
	NotFound              // no such thing, or not yours to see
	Conflict              // true a moment ago
	Forbidden             // visible to you, not yours to change
	// Unavailable is a passing lack: a full disk, a store that is busy.
	Unavailable
	// TooMany is a limit reached; RetryAfter says when to come back.
	TooMany
)

// String returns the kind's stable name, as it stands in JSON output.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case NotFound:
		return "not_found"
	case Conflict:
		return "conflict"
	case Forbidden:
		return "forbidden"
	case Unavailable:
		return "unavailable"
	case TooMany:
		return "too_many"
	default:
		return "internal"
	}
}

// Error is an error a person caused or can fix. Everything else is an
// ordinary error and counts as Internal.
type Error struct {
	Kind  Kind
	Code  string         // "ticket.closed": the key of its text in i18n, stable in JSON output
	Field string         // the form field or flag at fault, if one is
	Msg   string         // English; no SQL, no file paths, nobody else's data
	Hint  string         // what to try next, if we know
	Args  map[string]any // values the translated text names, such as Max
	Err   error          // the cause, for the log
}

// Error returns the English message, with the cause behind it if there is one.
func (e *Error) Error() string {
	if e.Err != nil && e.Msg == "" {
		return e.Err.Error()
	}
	return e.Msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first *Error in err's chain, or Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Errors lists every *Error that err carries, those joined with errors.Join
// included, so that a form can show each beside its field.
func Errors(err error) []*Error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok {
		return []*Error{e}
	}
	switch u := err.(type) {
	case interface{ Unwrap() []error }:
		var all []*Error
		for _, inner := range u.Unwrap() {
			all = append(all, Errors(inner)...)
		}
		return all
	case interface{ Unwrap() error }:
		return Errors(u.Unwrap())
	}
	return nil
}

// Invalidf makes an Invalid error for one field. The code is the key of its
// translated text.
func Invalidf(code, field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Code: code, Field: field, Msg: fmt.Sprintf(format, args...)}
}

// NotFoundf makes a NotFound error.
func NotFoundf(code, format string, args ...any) *Error {
	return &Error{Kind: NotFound, Code: code, Msg: fmt.Sprintf(format, args...)}
}

// Conflictf makes a Conflict error.
func Conflictf(code, format string, args ...any) *Error {
	return &Error{Kind: Conflict, Code: code, Msg: fmt.Sprintf(format, args...)}
}

// Forbiddenf makes a Forbidden error.
func Forbiddenf(code, format string, args ...any) *Error {
	return &Error{Kind: Forbidden, Code: code, Msg: fmt.Sprintf(format, args...)}
}

// WithHint returns the error with a hint added.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// With returns the error with a value its translated text names.
func (e *Error) With(name string, value any) *Error {
	if e.Args == nil {
		e.Args = map[string]any{}
	}
	e.Args[name] = value
	return e
}
