package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// The search index is one row a message, found by SQLite's full-text search.
// Its scope column holds words that say who may find the message: c7 for each
// party of the ticket, k3 for its company unless it is confidential. Internal
// messages have none. So the hits of one contact are read without passing
// over everybody else's. What is found is judged again by the ticket's own
// columns, like any other ticket.

// Bounds on a search: what it costs must not depend on what somebody types,
// nor on how much there is.
const (
	maxWords      = 10      // further ones are left out
	maxHits       = 2000    // messages looked at for one page of results
	maxCandidates = 200     // tickets whose texts are read
	maxText       = 4 << 20 // bytes of text read
	maxIndex      = 64000   // bytes of a message that are indexed
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
//
// Messages that hold all the words themselves are found however old they are.
// Words that stand in different messages, and words of which only the
// beginning was typed, are looked for in the texts of the newest tickets that
// come into question: the index could answer both only by reading every hit
// of a common word, whoever it belongs to.
func (tx *Tx) SearchTickets(ctx context.Context, v *portal.Viewer, readFrom portal.MessageID, typed string, f TicketFilter, limit int) ([]portal.TicketRow, error) {
	if v.Agent == 0 && v.Contact == 0 || limit <= 0 {
		return nil, nil
	}
	s := search{tx: tx, v: v, readFrom: readFrom, f: f}
	if n, err := portal.ParseTicketNumber(typed); err == nil {
		number := func(q *query) { q.add(`t.number = ?`, n) }
		if s.rows, err = s.run(ctx, `ticket t`, number, nil, 1); err != nil {
			return nil, err
		}
	}
	words := searchWords(typed)
	if len(words) == 0 || len(s.rows) >= limit {
		return s.rows, nil
	}
	found, err := s.run(ctx, hits, s.matching(exactly(words)), s.rows, limit-len(s.rows))
	if err != nil {
		return nil, err
	}
	if s.rows = append(s.rows, found...); len(s.rows) >= limit {
		return s.rows, nil
	}
	candidates, err := s.run(ctx, hits, s.matching(roughly(words)), s.rows, maxCandidates)
	if err != nil || len(candidates) == 0 {
		return s.rows, err
	}
	if found, err = s.read(ctx, candidates, words); err != nil {
		return nil, err
	}
	return append(s.rows, found[:min(len(found), limit-len(s.rows))]...), nil
}

// hits are the messages that match and their tickets; the order of the join
// is the order of the hits.
const hits = `message_search CROSS JOIN message m ON m.id = message_search.rowid CROSS JOIN ticket t ON t.number = m.ticket`

// search is one search under way; rows are the tickets found so far.
type search struct {
	tx       *Tx
	v        *portal.Viewer
	readFrom portal.MessageID
	f        TicketFilter
	rows     []portal.TicketRow
}

// run returns at most limit tickets of one statement, each once and without
// those in but.
func (s *search) run(ctx context.Context, from string, where func(*query), but []portal.TicketRow, limit int) (found []portal.TicketRow, err error) {
	q := newQuery("")
	columns, joins := rowQuery(rowParts)
	q.add(strings.ReplaceAll(columns, "r.", "t.")+from+strings.ReplaceAll(joins, "r.", "t.")+` WHERE `, unreadSince(s.v, s.readFrom), s.v.Contact)
	where(q)
	q.seenBy(s.v, s.f.Scope)
	q.filter(s.f, TicketPage{}, "t.updated_at", "t.number")
	if from == hits {
		q.add(` ORDER BY message_search.rowid DESC LIMIT ?`, maxHits)
	}
	has := func(rows []portal.TicketRow, n portal.TicketNumber) bool {
		return slices.ContainsFunc(rows, func(t portal.TicketRow) bool { return t.Number == n })
	}
	scan := newRowScan(s.v, rowParts)
	err = s.tx.each(ctx, q.text(), q.args, func(r row) (more bool, err error) {
		t, err := scan.scan(r)
		if err != nil {
			return false, err
		}
		if !has(found, t.Number) && !has(but, t.Number) {
			found = append(found, t)
		}
		return len(found) < limit, nil
	})
	return found, err
}

// matching asks the index: one of the viewer's scope words, and the
// expression in subject or body.
func (s *search) matching(expression string) func(*query) {
	match := `{subject body} : (` + expression + `)`
	if s.v.Agent == 0 {
		scope := []string{fmt.Sprintf(`"c%d"`, s.v.Contact)}
		if s.f.Scope == ScopeCompany {
			for _, id := range companiesOf(s.v) {
				scope = append(scope, fmt.Sprintf(`"k%d"`, id))
			}
		}
		match = `scope : (` + strings.Join(scope, " OR ") + `) AND ` + match
	}
	return func(q *query) { q.add(`message_search MATCH ?`, match) }
}

// read returns those of the candidates whose texts hold every word.
func (s *search) read(ctx context.Context, candidates []portal.TicketRow, words []phrase) (found []portal.TicketRow, err error) {
	texts := make(map[portal.TicketNumber][]string, len(candidates))
	q := newQuery(`SELECT m.ticket, m.body FROM message m WHERE m.ticket IN (0`)
	for _, t := range candidates {
		texts[t.Number] = append(tokens(t.Subject), "")
		q.add(`, ?`, t.Number)
	}
	// Filled up, so that few different statements exist.
	for i := len(candidates); i&(i-1) != 0; i++ {
		q.add(`, ?`, 0)
	}
	q.add(`)`)
	if s.v.Agent == 0 {
		q.add(` AND m.kind = 'public'`)
	}
	size := 0
	err = s.tx.each(ctx, q.text(), q.args, func(r row) (more bool, err error) {
		var n portal.TicketNumber
		var body string
		if err := r.Scan(&n, &body); err != nil {
			return false, err
		}
		texts[n] = append(append(texts[n], tokens(body[:min(len(body), maxIndex)])...), "")
		size += len(body)
		return size < maxText, nil
	})
	for _, t := range candidates {
		if !slices.ContainsFunc(words, func(w phrase) bool { return !w.in(texts[t.Number]) }) {
			found = append(found, t)
		}
	}
	return found, err
}
