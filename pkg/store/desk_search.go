package store

import (
	"context"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Bounds on a search at the desk, beside those of texts: what it costs must
// not depend on what somebody types, nor on how much there is.
const (
	deskTexts   = 200 // tickets found by their texts
	deskPeople  = 20  // contacts, and as many companies, looked at
	deskOfEach  = 20  // tickets of each
	deskTagged  = 100 // tickets found by a tag
	deskResults = 100 // tickets shown
)

// DeskSearch finds the tickets an agent sees by the words customers use: a
// number, words of subject and messages, a person's name or address, a
// company, a tag. The ticket with the number comes first, then what changed
// last. bounded says that there may be more.
func (tx *Tx) DeskSearch(ctx context.Context, v *portal.Viewer, f portal.DeskQuery) (rows []portal.DeskRow, bounded bool, err error) {
	if v.Agent == 0 {
		return nil, false, nil
	}
	s := deskSearch{tx: tx, v: v, f: f}
	for _, find := range []func(context.Context) error{s.texts, s.contacts, s.companies, s.tagged} {
		if err := find(ctx); err != nil {
			return nil, false, err
		}
	}
	number, _ := portal.ParseTicketNumber(f.Words) // 0 when it is none
	if rows, err = s.rows(ctx); err != nil {
		return nil, false, err
	}
	slices.SortStableFunc(rows, func(a, b portal.DeskRow) int {
		switch {
		case a.Number == number:
			return -1
		case b.Number == number:
			return 1
		}
		return b.UpdatedAt.Compare(a.UpdatedAt)
	})
	if len(rows) > deskResults {
		return rows[:deskResults], true, nil
	}
	return rows, s.bounded, nil
}

// deskSearch is one search under way.
type deskSearch struct {
	tx      *Tx
	v       *portal.Viewer
	f       portal.DeskQuery
	numbers []portal.TicketNumber
	bounded bool
}

func (s *deskSearch) found(numbers []portal.TicketNumber, limit int) {
	s.bounded = s.bounded || len(numbers) >= limit
	s.numbers = append(s.numbers, numbers...)
}

// texts finds by number, subject and messages.
func (s *deskSearch) texts(ctx context.Context) error {
	f := TicketFilter{Inbox: s.f.Inbox, Assignee: s.f.Assignee, Unassigned: s.f.Queue == portal.QueueUnassigned, Statuses: statusesOf(&s.f)}
	if len(f.Statuses) == len(portal.Statuses) {
		f.Statuses = nil
	}
	rows, err := s.tx.SearchTickets(ctx, s.v, 0, s.f.Words, f, deskTexts)
	if err != nil {
		return err
	}
	numbers := make([]portal.TicketNumber, len(rows))
	for i := range rows {
		numbers[i] = rows[i].Number
	}
	s.found(numbers, deskTexts)
	return nil
}

// everyWord is the expression for rows that hold all the words, the last one as a
// beginning.
func everyWord(words []phrase) string {
	parts := make([]string, len(words))
	for i, w := range words {
		parts[i] = `"` + strings.Join(w.tokens, " ") + `"`
		if w.begins {
			parts[i] += ` *`
		}
	}
	return strings.Join(parts, " AND ")
}

func (s *deskSearch) contacts(ctx context.Context) error {
	return s.of(ctx, `SELECT rowid FROM contact_search WHERE contact_search MATCH $1 ORDER BY rowid DESC LIMIT $2`, `t.contact_id = ?`)
}

func (s *deskSearch) companies(ctx context.Context) error {
	return s.of(ctx, `SELECT rowid FROM company_search WHERE company_search MATCH $1 ORDER BY rowid DESC LIMIT $2`, `t.company_id = ?`)
}

// of finds the newest tickets of whoever the words name.
func (s *deskSearch) of(ctx context.Context, who, owner string) error {
	words := searchWords(s.f.Words)
	if len(words) == 0 {
		return nil
	}
	ids, err := list(ctx, s.tx, who, []any{everyWord(words), deskPeople}, func(r row) (id int64, err error) { return id, r.Scan(&id) })
	if err != nil {
		return err
	}
	s.bounded = s.bounded || len(ids) >= deskPeople
	for _, id := range ids {
		q := newQuery(`SELECT t.number FROM ticket t WHERE `)
		q.add(owner, id)
		q.deskFilter(s.v, &s.f, s.tx.Now, "")
		q.add(` ORDER BY t.updated_at DESC, t.number DESC LIMIT ?`, deskOfEach)
		if err := s.numbersOf(ctx, q, deskOfEach); err != nil {
			return err
		}
	}
	return nil
}

func (s *deskSearch) numbersOf(ctx context.Context, q *query, limit int) error {
	numbers, err := list(ctx, s.tx, q.text(), q.args, func(r row) (n portal.TicketNumber, err error) { return n, r.Scan(&n) })
	s.found(numbers, limit)
	return err
}

func (s *deskSearch) tagged(ctx context.Context) error {
	q := newQuery(``)
	q.add(`SELECT g.ticket FROM ticket_tag g WHERE g.tag = ? ORDER BY g.ticket DESC LIMIT ?`, fold(s.f.Words), deskTagged)
	return s.numbersOf(ctx, q, deskTagged)
}

// rows are the tickets found, each once, judged again by their own columns.
func (s *deskSearch) rows(ctx context.Context) ([]portal.DeskRow, error) {
	slices.Sort(s.numbers)
	numbers := slices.Compact(s.numbers)
	if len(numbers) == 0 {
		return nil, nil
	}
	in, args := inList(numbers)
	q := newQuery(`SELECT `)
	q.add(deskColumns+` FROM (SELECT t.number AS number FROM ticket t WHERE `, s.v.Agent)
	q.add(`t.number `+in, args...)
	q.deskFilter(s.v, &s.f, s.tx.Now, "")
	q.add(`) p CROSS JOIN ticket r ON r.number = p.number` + deskJoins)
	var scan deskScan
	into := scan.into()
	return list(ctx, s.tx, q.text(), q.args, func(r row) (portal.DeskRow, error) {
		err := r.Scan(into...)
		return scan.take(), err
	})
}
