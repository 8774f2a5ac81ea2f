package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/portalctl/portalctl/pkg/portal"
)

// The search index is one row a message, found by SQLite's full-text search.
// Its scope column holds words that say who may find the message: c7 for each
// party of the ticket, k3 for its company unless it is confidential. Internal
// messages have none. So the hits of one contact are read without passing
// over everybody else's. What is found is judged again by the ticket's own
// columns, like any other ticket.

// Bounds on a search: what it costs must not depend on what somebody types.
const (
	maxWords  = 10    // further ones are left out
	maxHits   = 2000  // messages looked at for one page of results
	maxWordly = 1500  // messages looked at for each word when words stand in different ones
	maxIndex  = 64000 // bytes of a message that are indexed
)

// scopeOf is who may find the ticket's public messages.
func scopeOf(t *portal.Ticket) string {
	var b strings.Builder
	for _, id := range partiesOf(t) {
		fmt.Fprintf(&b, "c%d ", id)
	}
	if t.Company != 0 && !t.Confidential {
		fmt.Fprintf(&b, "k%d", t.Company)
	}
	return b.String()
}

// index makes a message findable.
func (tx *Tx) index(ctx context.Context, t *portal.Ticket, id portal.MessageID, kind portal.MessageKind, body string) error {
	scope := ""
	if kind == portal.Public {
		scope = scopeOf(t)
	}
	if len(body) > maxIndex {
		body = strings.ToValidUTF8(body[:maxIndex], "")
	}
	return tx.do(ctx, `INSERT INTO message_search (rowid, scope, subject, body) VALUES ($1, $2, $3, $4)`, id, scope, t.Subject, body)
}

// reindex writes the ticket's messages to the index anew.
func (tx *Tx) reindex(ctx context.Context, t *portal.Ticket) error {
	messages, err := list(ctx, tx, `SELECT id, kind, body FROM message WHERE ticket = $1 ORDER BY id`, []any{t.Number},
		func(r row) (m portal.Message, err error) { return m, r.Scan(&m.ID, &m.Kind, &m.Body) })
	if err != nil {
		return err
	}
	for _, m := range messages {
		if err := tx.do(ctx, `DELETE FROM message_search WHERE rowid = $1`, m.ID); err != nil {
			return err
		}
		if err := tx.index(ctx, t, m.ID, m.Kind, m.Body); err != nil {
			return err
		}
	}
	return nil
}

// SearchTickets returns the tickets the viewer sees whose subject or messages
// hold every word of the query (the last as a prefix), or whose number it is;
// the newest hits first, at most limit tickets, filter applied.
func (tx *Tx) SearchTickets(ctx context.Context, v *portal.Viewer, readFrom portal.MessageID, typed string, f TicketFilter, limit int) ([]portal.TicketRow, error) {
	if v.Agent == 0 && v.Contact == 0 || limit <= 0 {
		return nil, nil
	}
	s := search{tx: tx, v: v, readFrom: readFrom, f: f, limit: limit}
	if n, err := portal.ParseTicketNumber(typed); err == nil {
		if err := s.run(ctx, `ticket t`, func(q *query) { q.add(`t.number = ?`, n) }, 1); err != nil {
			return nil, err
		}
	}
	words := searchWords(typed)
	if len(words) == 0 {
		return s.rows, nil
	}
	all := s.match(strings.Join(words, " AND "))
	if err := s.run(ctx, hits, func(q *query) { q.add(`message_search MATCH ?`, all) }, maxHits); err != nil {
		return nil, err
	}
	if len(words) == 1 || len(s.rows) >= limit {
		return s.rows, nil
	}
	// Words that stand in different messages of one ticket: for each word the
	// tickets of its newest hits, then those that all of them share.
	err := s.run(ctx, `ticket t`, func(q *query) {
		for i, w := range words {
			if i > 0 {
				q.add(` AND `)
			}
			q.add(`t.number IN (SELECT ticket FROM (SELECT m.ticket FROM message_search CROSS JOIN message m ON m.id = message_search.rowid
				WHERE message_search MATCH ? ORDER BY message_search.rowid DESC LIMIT ?) hit)`, s.match(w), maxWordly)
		}
	}, limit+len(s.rows))
	return s.rows, err
}

// hits are the messages that match and their tickets; the order of the join
// is the order of the hits.
const hits = `message_search CROSS JOIN message m ON m.id = message_search.rowid CROSS JOIN ticket t ON t.number = m.ticket`

// search collects the tickets found by one or more statements, each once.
type search struct {
	tx       *Tx
	v        *portal.Viewer
	readFrom portal.MessageID
	f        TicketFilter
	limit    int
	rows     []portal.TicketRow
}

// run adds the tickets of one statement, until there are enough or it has
// looked at most rows.
func (s *search) run(ctx context.Context, from string, where func(*query), most int) error {
	q := newQuery("")
	q.add(strings.ReplaceAll(namedRow, "r.", "t.")+from+strings.ReplaceAll(namedJoins, "r.", "t.")+` WHERE `, unreadSince(s.v, s.readFrom), s.v.Contact)
	where(q)
	q.seenBy(s.v, s.f.Scope)
	q.filter(s.f, TicketPage{}, "t.updated_at", "t.number")
	if from == hits {
		q.add(` ORDER BY message_search.rowid DESC LIMIT ?`, most)
	} else {
		q.add(` ORDER BY t.number DESC LIMIT ?`, most)
	}
	return s.tx.each(ctx, q.text(), q.args, func(r row) (more bool, err error) {
		t, err := scanTicketRow(r, s.v)
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(s.rows, func(o portal.TicketRow) bool { return o.Number == t.Number }) {
			s.rows = append(s.rows, t)
		}
		return len(s.rows) < s.limit, nil
	})
}

// match is a full-text expression: one of the viewer's scope words, and the
// words in subject or body.
func (s *search) match(words string) string {
	text := `{subject body} : (` + words + `)`
	if s.v.Agent != 0 {
		return text
	}
	scope := []string{fmt.Sprintf(`"c%d"`, s.v.Contact)}
	if s.f.Scope == ScopeCompany {
		for _, id := range companiesOf(s.v) {
			scope = append(scope, fmt.Sprintf(`"k%d"`, id))
		}
	}
	return `scope : (` + strings.Join(scope, " OR ") + `) AND ` + text
}

// searchWords quotes what somebody typed, word by word, so that nothing in it
// is read as an operator. The last one is a prefix, unless it is a single
// letter. Words without a letter or digit are nothing to search for.
func searchWords(typed string) []string {
	var words []string
	for _, w := range strings.Fields(strings.ToValidUTF8(typed, " ")) {
		w = strings.ReplaceAll(w, "\x00", "")
		if strings.ContainsFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) && len(words) < maxWords {
			words = append(words, w)
		}
	}
	for i, w := range words {
		words[i] = `"` + strings.ReplaceAll(w, `"`, `""`) + `"`
		if i == len(words)-1 && utf8.RuneCountInString(w) > 1 {
			words[i] += " *"
		}
	}
	return words
}
