package store

import (
	"strconv"
	"strings"
)

// query puts a statement together from fixed parts. A ? in a part becomes the
// next numbered placeholder, which both engines know; values never become
// part of the text.
type query struct {
	sql  strings.Builder
	args []any
}

func newQuery(text string) *query {
	q := &query{args: make([]any, 0, 16)}
	q.sql.Grow(2048)
	q.sql.WriteString(text)
	return q
}

// add appends a part with its values.
func (q *query) add(part string, args ...any) {
	for {
		before, after, found := strings.Cut(part, "?")
		q.sql.WriteString(before)
		if !found {
			break
		}
		q.args = append(q.args, args[0])
		args = args[1:]
		q.sql.WriteByte('$')
		q.sql.WriteString(strconv.Itoa(len(q.args)))
		part = after
	}
}

func (q *query) text() string { return q.sql.String() }
