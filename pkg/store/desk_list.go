package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// DeskCursor is a place in a list of the help desk: the value the list is
// ordered by, in milliseconds, and the ticket's number.
type DeskCursor struct {
	Key    int64
	Number portal.TicketNumber
}

// DeskPage asks for rows behind or in front of a place, in the list's order.
type DeskPage struct {
	After, Before *DeskCursor
	Limit         int
}

// deskOrder is an order of the help desk's lists.
type deskOrder struct {
	column string
	desc   bool
}

// maxArmsOfDesk is how many inboxes of an agent get an arm of the list of
// their own. With more, the inboxes are one filter among others.
const maxArmsOfDesk = 16

func deskOrderOf(q *portal.DeskQuery) deskOrder {
	if q.Queue == portal.QueueSnoozed {
		return deskOrder{"snoozed_until", false} // who is back first
	}
	switch q.Sort {
	case portal.SortCreated:
		return deskOrder{"created_at", true}
	case portal.SortWaiting:
		return deskOrder{"waits_at", false}
	case portal.SortDue:
		return deskOrder{"due_at", false}
	}
	return deskOrder{"updated_at", true}
}

func (o deskOrder) by(backwards bool) string {
	if o.desc != backwards {
		return ` ORDER BY ` + o.column + ` DESC, number DESC`
	}
	return ` ORDER BY ` + o.column + `, number`
}

// DeskTickets lists what an agent sees of a queue, in one statement: the page
// is found in covering indexes, and what its rows show is looked up for them
// alone. It returns each row's place beside it.
func (tx *Tx) DeskTickets(ctx context.Context, v *portal.Viewer, f portal.DeskQuery, p DeskPage) ([]portal.DeskRow, []DeskCursor, error) {
	q := deskQuery(v, f, p, tx.Now)
	if q == nil {
		return nil, nil, nil
	}
	type placed struct {
		row   portal.DeskRow
		place DeskCursor
	}
	var s deskScan
	rows := make([]placed, 0, min(limitOr(p.Limit, 50), 101))
	into := append([]any{&s.key}, s.into()...)
	err := tx.each(ctx, q.text(), q.args, func(r row) (more bool, err error) {
		if err := r.Scan(into...); err != nil {
			return false, err
		}
		t := s.take()
		rows = append(rows, placed{t, DeskCursor{s.key, t.Number}})
		return true, nil
	})
	if err != nil {
		return nil, nil, err
	}
	// The joined rows come as the list inside had them, but nothing promises
	// that; and a page before a place is read from its end.
	desc := deskOrderOf(&f).desc
	slices.SortFunc(rows, func(a, b placed) int {
		if desc {
			a, b = b, a
		}
		return cmp.Or(cmp.Compare(a.place.Key, b.place.Key), cmp.Compare(a.place.Number, b.place.Number))
	})
	list, places := make([]portal.DeskRow, len(rows)), make([]DeskCursor, len(rows))
	for i := range rows {
		list[i], places[i] = rows[i].row, rows[i].place
	}
	return list, places, nil
}

// deskColumns are what a row of the help desk's lists shows of ticket r. The
// parameter is the agent who reads it.
const deskColumns = `r.number, r.subject, r.status, r.priority, r.category, r.contact_id, c.name, c.email, coalesce(r.company_id, 0), coalesce(k.name, ''),
	coalesce(r.assignee_id, 0), coalesce(a.name, ''), r.inbox_id, i.name, r.confidential, r.created_at, r.updated_at, r.status_at,
	r.answered_at, r.answer_due_at, r.resolve_due_at, r.snoozed_until, r.promised_at,
	coalesce((SELECT string_agg(g.tag, ',') FROM ticket_tag g WHERE g.ticket = r.number), ''),
	EXISTS (SELECT 1 FROM mention n WHERE n.agent_id = ? AND n.ticket = r.number AND n.seen_at IS NULL)`

const deskJoins = ` CROSS JOIN contact c ON c.id = r.contact_id LEFT JOIN company k ON k.id = r.company_id
	LEFT JOIN agent a ON a.id = r.assignee_id CROSS JOIN inbox i ON i.id = r.inbox_id`

// deskScan scans row after row into the same places; making them anew for
// each costs more than reading it.
type deskScan struct {
	t    portal.DeskRow
	who  person
	tags string
	key  int64
}

func (s *deskScan) into() []any {
	t := &s.t
	return []any{
		&t.Number, &t.Subject, &t.Status, &t.Priority, &t.Category, &t.Requester, &s.who.name, &s.who.email, &t.Company, &t.CompanyName,
		&t.Assignee, &t.AssigneeName, &t.InboxID, &t.InboxName, &t.Confidential,
		timeInto{&t.CreatedAt},
		timeInto{&t.UpdatedAt},
		timeInto{&t.StatusAt},
		timeInto{&t.AnsweredAt},
		timeInto{&t.AnswerDueAt},
		timeInto{&t.ResolveDueAt},
		timeInto{&t.SnoozedUntil},
		timeInto{&t.PromisedAt},
		&s.tags, &t.Called,
	}
}

func (s *deskScan) take() portal.DeskRow {
	s.t.RequesterName, s.t.RequesterEmail = shownName(s.who.name, s.who.email, true), s.who.email
	s.t.Tags = nil
	if s.tags != "" {
		s.t.Tags = strings.Split(s.tags, ",")
	}
	return s.t
}

// deskQuery composes a page of a queue, or returns nil for who is no agent.
func deskQuery(v *portal.Viewer, f portal.DeskQuery, p DeskPage, now time.Time) *query {
	if v.Agent == 0 {
		return nil
	}
	o := deskOrderOf(&f)
	q := newQuery(`SELECT p.` + o.column + `, `)
	q.add(deskColumns+` FROM (`, v.Agent)
	q.deskArms(v, &f, p, now, `t.`+o.column+` AS `+o.column+`, t.number AS number`)
	q.add(o.by(p.Before != nil)+` LIMIT ?) p CROSS JOIN ticket r ON r.number = p.number`, limitOr(p.Limit, 50))
	q.add(deskJoins)
	return q
}

// CountDesk counts what an agent sees of a queue to max and stops.
func (tx *Tx) CountDesk(ctx context.Context, v *portal.Viewer, f portal.DeskQuery, max int) (n int, err error) {
	q := newQuery(`SELECT `)
	q.deskCount(v, f, max, tx.Now)
	err = tx.value(ctx, &n, q.text(), q.args...)
	return n, err
}

// CountQueues counts every one of the queries to max, in one statement.
func (tx *Tx) CountQueues(ctx context.Context, v *portal.Viewer, queries []portal.DeskQuery, max int) ([]int, error) {
	counts := make([]int, len(queries))
	if v.Agent == 0 || len(queries) == 0 {
		return counts, nil
	}
	q := queuesQuery(v, queries, max, tx.Now)
	into := make([]any, len(counts))
	for i := range counts {
		into[i] = &counts[i]
	}
	_, err := tx.one(ctx, q.text(), q.args, func(r row) error { return r.Scan(into...) })
	return counts, err
}

func queuesQuery(v *portal.Viewer, queries []portal.DeskQuery, max int, now time.Time) *query {
	q := newQuery(`SELECT `)
	for i, f := range queries {
		if i > 0 {
			q.add(`, `)
		}
		q.deskCount(v, f, max, now)
	}
	return q
}

func (q *query) deskCount(v *portal.Viewer, f portal.DeskQuery, max int, now time.Time) {
	q.add(`(SELECT count(*) FROM (`)
	f.Sort = portal.SortUpdated
	q.deskArms(v, &f, DeskPage{}, now, `1`)
	q.add(` LIMIT ?))`, max)
}

// deskArm is a part of a queue that one index holds in the list's order.
type deskArm struct {
	part  string
	value []any
}

// deskArms writes a queue as one SELECT for each part that an index holds in
// the list's order, joined by UNION ALL, so that a page is a merge of their
// beginnings. Other orders than the last change are read from the one index
// that has them.
func (q *query) deskArms(v *portal.Viewer, f *portal.DeskQuery, p DeskPage, now time.Time, columns string) {
	o := deskOrderOf(f)
	arms := []deskArm{{part: ``}}
	if o.column == "updated_at" {
		arms = armsOfDesk(v, f)
	}
	for i, arm := range arms {
		if i > 0 {
			q.add(` UNION ALL `)
		}
		q.add(`SELECT ` + columns + ` FROM ticket t WHERE 1 = 1`)
		q.add(arm.part, arm.value...)
		q.deskFilter(v, f, now, arm.part)
		q.deskPlace(o, p)
	}
}

// armsOfDesk chooses the parts of a queue in the order of the last change.
func armsOfDesk(v *portal.Viewer, f *portal.DeskQuery) []deskArm {
	inboxes := v.Inboxes
	if f.Inbox != 0 {
		inboxes = []portal.InboxID{f.Inbox}
	}
	limited := (v.Limited || f.Inbox != 0) && len(inboxes) <= maxArmsOfDesk
	switch {
	case f.Queue == portal.QueueMine:
		return []deskArm{{` AND t.assignee_id = ?`, []any{v.Agent}}}
	case f.Assignee != 0 && f.Queue != portal.QueueClosed && f.Queue != portal.QueueUnassigned:
		return []deskArm{{` AND t.assignee_id = ?`, []any{f.Assignee}}}
	case limited:
		var arms []deskArm
		for _, id := range padded(inboxes) {
			arms = append(arms, deskArm{` AND t.inbox_id = ?`, []any{id}})
		}
		return arms
	case f.Queue == portal.QueueUnassigned:
		return []deskArm{{` AND t.assignee_id IS NULL`, nil}}
	}
	var arms []deskArm
	for _, s := range statusesOf(f) {
		arms = append(arms, deskArm{` AND t.status = ?`, []any{s}})
	}
	return arms
}

// statusesOf are the statuses of a queue.
func statusesOf(f *portal.DeskQuery) []portal.Status {
	all := []portal.Status{portal.New, portal.WaitingOnUs, portal.WaitingOnCustomer}
	switch f.Queue {
	case portal.QueueUs:
		all = all[:2]
	case portal.QueueCustomer:
		all = all[2:]
	case portal.QueueClosed:
		return []portal.Status{portal.Closed}
	case "":
		all = portal.Statuses
	}
	if f.Status != "" && slices.Contains(all, f.Status) {
		return []portal.Status{f.Status}
	}
	return all
}

// deskFilter adds what the arm has not said yet. The pluses keep the planner
// from indexes that have not the list's order.
func (q *query) deskFilter(v *portal.Viewer, f *portal.DeskQuery, now time.Time, said string) {
	if f.Queue != portal.QueueClosed && f.Queue != "" {
		q.add(` AND t.status <> 'closed'`) // as the open indexes say it
	}
	if statuses := statusesOf(f); !strings.Contains(said, "t.status") && len(statuses) < 3 {
		q.add(` AND +t.status IN (?, ?)`, statuses[0], statuses[len(statuses)-1])
	}
	if f.Status != "" && !slices.Contains(statusesOf(f), f.Status) {
		q.add(` AND 1 = 0`)
	}
	switch f.Queue {
	case "", portal.QueueClosed:
	case portal.QueueSnoozed:
		q.add(` AND t.snoozed_until IS NOT NULL AND t.snoozed_until > ?`, now.UnixMilli())
	default:
		q.add(` AND (t.snoozed_until IS NULL OR t.snoozed_until <= ?)`, now.UnixMilli())
	}
	mine := portal.AgentID(0)
	if f.Queue == portal.QueueMine {
		mine = v.Agent
	}
	for _, id := range []portal.AgentID{mine, f.Assignee} {
		if id != 0 {
			q.add(` AND +t.assignee_id = ?`, id)
		}
	}
	if f.Queue == portal.QueueUnassigned && !strings.Contains(said, "IS NULL") {
		q.add(` AND +t.assignee_id IS NULL`)
	}
	if f.Inbox != 0 {
		q.add(` AND +t.inbox_id = ?`, f.Inbox)
	}
	q.inboxesOf(v)
	if f.Priority != "" {
		q.add(` AND t.priority = ?`, f.Priority)
	}
	if f.Tag != "" {
		q.add(` AND EXISTS (SELECT 1 FROM ticket_tag g WHERE g.ticket = t.number AND g.tag = ?)`, f.Tag)
	}
}

// deskPlace adds the page's place.
func (q *query) deskPlace(o deskOrder, p DeskPage) {
	place, than := p.After, `<`
	if p.After == nil {
		place = p.Before
	}
	if place == nil {
		return
	}
	if o.desc != (p.After != nil) {
		than = `>`
	}
	q.add(` AND (t.`+o.column+`, t.number) `+than+` (?, ?)`, place.Key, place.Number)
}
