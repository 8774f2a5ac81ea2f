package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Scope says whose tickets a list holds.
type Scope string

// The scopes.
const (
	ScopeMine    Scope = "mine"    // requester or participant
	ScopeCompany Scope = "company" // everything the viewer sees: mine and the companies'
)

// TicketFilter narrows a list. The viewer's rule is applied always.
type TicketFilter struct {
	Scope      Scope            // agents: ignored, they see all
	Statuses   []portal.Status  // none: any. If it excludes closed, the open index serves
	Requester  portal.ContactID // who: only this requester's
	Company    portal.CompanyID // agents and operators only
	Assignee   portal.AgentID   // agents and operators only
	Unassigned bool
	Inbox      portal.InboxID
	From, To   time.Time // updated in [From, To)
	Tag        string    // agents and operators only, like all below
	Overdue    time.Time // a target has passed at this time
	Snoozed    time.Time // snoozed at this time
	Awake      time.Time // not snoozed at this time
}

// Cursor is a place in a list ordered by updated, number descending.
type Cursor struct {
	UpdatedAt time.Time
	Number    portal.TicketNumber
}

// TicketPage asks for rows after (older than) or before (newer than) a place.
// Rows come newest first in both cases.
type TicketPage struct {
	After, Before *Cursor
	Limit         int // 0: 25
	// Columns are those whose values are wanted; number, subject, status,
	// priority and the last update are there always. Nil: everything.
	Columns []portal.TicketColumn
}

// maxArms is how many companies get an arm of the list of their own. A viewer
// with more of them has a list that is sorted each time.
const maxArms = 32

// Tickets lists what the viewer sees, newest update first, read from
// covering indexes; the names and unread marks of the page are looked up for
// its rows only. One statement.
func (tx *Tx) Tickets(ctx context.Context, v *portal.Viewer, readFrom portal.MessageID, f TicketFilter, p TicketPage) ([]portal.TicketRow, error) {
	q := ticketsQuery(v, readFrom, f, p)
	if q == nil {
		return nil, nil
	}
	scan := newRowScan(v, partsOf(p.Columns))
	rows := make([]portal.TicketRow, 0, min(limitOr(p.Limit, 25), 101))
	err := tx.each(ctx, q.text(), q.args, func(r row) (more bool, err error) {
		t, err := scan.scan(r)
		rows = append(rows, t)
		return true, err
	})
	if err != nil {
		return nil, err
	}
	// The joined rows come as the list inside had them, but nothing promises
	// that; and a page before a place is read from its end.
	slices.SortFunc(rows, func(a, b portal.TicketRow) int {
		return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(b.Number, a.Number))
	})
	return rows, nil
}

// CountTickets counts to max and stops.
func (tx *Tx) CountTickets(ctx context.Context, v *portal.Viewer, f TicketFilter, max int) (n int, err error) {
	q := countQuery(v, f, max)
	if q == nil {
		return 0, nil
	}
	err = tx.value(ctx, &n, q.text(), q.args...)
	return n, err
}

// rowColumns are what a list reads of a ticket, all of it in every covering
// index.
const rowColumns = `t.number, t.subject, t.status, t.priority, t.category, t.contact_id, t.company_id, t.assignee_id,
	t.inbox_id, t.confidential, t.created_at, t.updated_at, t.status_at, t.last_public`

// rowPart is a piece of what a list shows beside what every row has: read,
// joined and scanned only where it is wanted, as each costs a look-up a row.
type rowPart struct {
	column  portal.TicketColumn // "": only where everything is wanted
	columns string
	join    string
	into    func(*portal.TicketRow, *person) []any
}

// person is a requester's name and address as they were read.
type person struct{ name, email string }

var rowParts = []rowPart{
	{
		portal.ColumnRequester, `c.name, c.email`, ` LEFT JOIN contact c ON c.id = r.contact_id`,
		func(_ *portal.TicketRow, p *person) []any { return []any{&p.name, &p.email} },
	},
	{
		portal.ColumnCompany, `r.company_id, coalesce(k.name, '')`, ` LEFT JOIN company k ON k.id = r.company_id`,
		func(t *portal.TicketRow, _ *person) []any { return []any{refInto(&t.Company), &t.CompanyName} },
	},
	{
		portal.ColumnAssignee, `r.assignee_id, coalesce(a.name, '')`, ` LEFT JOIN agent a ON a.id = r.assignee_id`,
		func(t *portal.TicketRow, _ *person) []any { return []any{refInto(&t.Assignee), &t.AssigneeName} },
	},
	{portal.ColumnCategory, `r.category`, ``, func(t *portal.TicketRow, _ *person) []any { return []any{&t.Category} }},
	{portal.ColumnCreated, `r.created_at`, ``, func(t *portal.TicketRow, _ *person) []any { return []any{timeInto{&t.CreatedAt}} }},
	{
		"", `coalesce(i.name, '')`, ` LEFT JOIN inbox i ON i.id = r.inbox_id`,
		func(t *portal.TicketRow, _ *person) []any { return []any{&t.InboxName} },
	},
}

// partsOf are the parts that the columns wanted need; nil wants everything.
func partsOf(wanted []portal.TicketColumn) []rowPart {
	if wanted == nil {
		return rowParts
	}
	return slices.DeleteFunc(slices.Clone(rowParts), func(p rowPart) bool { return !slices.Contains(wanted, p.column) })
}

// rowQuery is the beginning and the joins of a statement that reads a page of
// rows r. The parameters are readFrom in the beginning and, in the joins, the
// reader of the read marks.
func rowQuery(parts []rowPart) (columns, joins string) {
	columns = `SELECT r.number, r.subject, r.status, r.priority, r.contact_id, r.confidential, r.updated_at, r.status_at, turn.promised_at,
	CASE WHEN r.last_public > coalesce(seen.message_id, 0) AND r.last_public > ? THEN 1 ELSE 0 END`
	for _, p := range parts {
		columns += `, ` + p.columns
		joins += p.join
	}
	return columns + ` FROM `, joins + ` LEFT JOIN ticket turn ON turn.number = r.number LEFT JOIN read_mark seen ON seen.contact_id = ? AND seen.ticket = r.number`
}

// readNothing is a message id newer than any, so that agents, who have no
// read marks, see nothing as unread.
const readNothing = portal.MessageID(1<<63 - 1)

// rowScan scans row after row into the same places; making them anew for
// each costs more than reading it.
type rowScan struct {
	v    *portal.Viewer
	t    portal.TicketRow
	who  person
	into []any
}

func newRowScan(v *portal.Viewer, parts []rowPart) *rowScan {
	s := &rowScan{v: v}
	t := &s.t
	s.into = []any{&t.Number, &t.Subject, &t.Status, &t.Priority, &t.Requester, &t.Confidential, timeInto{&t.UpdatedAt}, timeInto{&t.StatusAt}, timeInto{&t.PromisedAt}, &t.Unread}
	for _, p := range parts {
		s.into = append(s.into, p.into(t, &s.who)...)
	}
	return s
}

func (s *rowScan) scan(r row) (portal.TicketRow, error) {
	err := r.Scan(s.into...)
	s.t.RequesterName = shownName(s.who.name, s.who.email, s.v.Agent != 0 || s.t.Requester == s.v.Contact)
	return s.t, err
}

// shownName is how a contact is called in front of a reader: by name, or by
// address where no name is known. Other customers read only the part of the
// address before the @.
func shownName(name, email string, address bool) string {
	if name != "" {
		return name
	}
	if address {
		return email
	}
	local, _, _ := strings.Cut(email, "@")
	return local
}

// unreadSince is from where on a viewer's messages count as unread.
func unreadSince(v *portal.Viewer, readFrom portal.MessageID) portal.MessageID {
	if v.Agent != 0 {
		return readNothing
	}
	return readFrom
}

// ticketsQuery composes a page of the list, or returns nil for a viewer who
// sees nothing.
func ticketsQuery(v *portal.Viewer, readFrom portal.MessageID, f TicketFilter, p TicketPage) *query {
	columns, joins := rowQuery(partsOf(p.Columns))
	q := newQuery("")
	q.add(columns+`(`, unreadSince(v, readFrom))
	if !q.arms(v, f, p, "") {
		return nil
	}
	if p.Before != nil {
		q.add(` ORDER BY updated_at, number LIMIT ?`, limitOr(p.Limit, 25))
	} else {
		q.add(` ORDER BY updated_at DESC, number DESC LIMIT ?`, limitOr(p.Limit, 25))
	}
	q.add(`) r`+joins, v.Contact)
	return q
}

func countQuery(v *portal.Viewer, f TicketFilter, max int) *query {
	q := newQuery(`SELECT count(*) FROM (`)
	if !q.arms(v, f, TicketPage{}, "1") {
		return nil
	}
	q.add(` LIMIT ?) counted`, max)
	return q
}

// arms writes the viewer's tickets as one SELECT for each way to see them,
// joined by UNION ALL; each leaves out what those before it have. Every arm
// is read from an index that has the list's order, so the page is a merge of
// their beginnings, however many tickets there are. (An OR over all of it
// would be sorted as a whole.) columns replaces what is read. It reports
// false for a viewer who sees nothing.
func (q *query) arms(v *portal.Viewer, f TicketFilter, p TicketPage, columns string) bool {
	of := func(updated, number string) string {
		if columns != "" {
			return columns
		}
		return strings.Replace(strings.Replace(rowColumns, "t.updated_at", updated+" AS updated_at", 1), "t.number", number+" AS number", 1)
	}
	if v.Agent != 0 {
		q.add(`SELECT ` + of("t.updated_at", "t.number") + ` FROM ticket t WHERE 1 = 1`)
		q.inboxesOf(v)
		q.filter(f, p, "t.updated_at", "t.number")
		return true
	}
	if v.Contact == 0 {
		return false
	}
	q.add(`SELECT `+of("t.updated_at", "t.number")+` FROM ticket t WHERE t.contact_id = ?`, v.Contact)
	q.filter(f, p, "t.updated_at", "t.number")

	// CROSS JOIN keeps SQLite from turning the two around: the participant's
	// index has the order.
	q.add(` UNION ALL SELECT `+of("p.updated_at", "p.ticket")+` FROM participant p CROSS JOIN ticket t
		WHERE p.contact_id = ? AND t.number = p.ticket AND t.contact_id <> ?`, v.Contact, v.Contact)
	q.filter(f, p, "p.updated_at", "p.ticket")

	companies := companiesOf(v)
	if f.Scope != ScopeCompany || len(companies) == 0 {
		return true
	}
	company := func(which string, args ...any) {
		q.add(` UNION ALL SELECT `+of("t.updated_at", "t.number")+` FROM ticket t WHERE t.company_id `+which, args...)
		q.add(` AND t.contact_id <> ? AND t.confidential = 0
			AND NOT EXISTS (SELECT 1 FROM participant x WHERE x.ticket = t.number AND x.contact_id = ?)`, v.Contact, v.Contact)
		q.filter(f, p, "t.updated_at", "t.number")
	}
	if len(companies) > maxArms {
		in, args := inList(companies)
		company(in, args...)
		return true
	}
	for _, id := range padded(companies) {
		company(`= ?`, id)
	}
	return true
}

// filter adds the filter's conditions and the page's place. updated and
// number are the columns that give the arm its order.
func (q *query) filter(f TicketFilter, p TicketPage, updated, number string) {
	if len(f.Statuses) > 0 {
		if !slices.Contains(f.Statuses, portal.Closed) {
			q.add(` AND t.status <> 'closed'`) // as the open indexes say it
		}
		if !allOpen(f.Statuses) {
			s := f.Statuses
			// The plus keeps the planner from the desk's index, which has not the
			// order of several statuses.
			at := func(i int) portal.Status { return s[min(i, len(s)-1)] }
			q.add(` AND +t.status IN (?, ?, ?, ?)`, at(0), at(1), at(2), at(3))
		}
	}
	if f.Requester != 0 {
		q.add(` AND t.contact_id = ?`, f.Requester)
	}
	if f.Company != 0 {
		q.add(` AND t.company_id = ?`, f.Company)
	}
	if f.Assignee != 0 {
		q.add(` AND t.assignee_id = ?`, f.Assignee)
	}
	if f.Unassigned {
		q.add(` AND t.assignee_id IS NULL`)
	}
	if f.Inbox != 0 {
		// The plus keeps the planner from the index on inboxes, which has not
		// the list's order: an inbox has too many tickets to sort them.
		q.add(` AND +t.inbox_id = ?`, f.Inbox)
	}
	if f.Tag != "" {
		q.add(` AND EXISTS (SELECT 1 FROM ticket_tag g WHERE g.ticket = t.number AND g.tag = ?)`, f.Tag)
	}
	if !f.Overdue.IsZero() {
		at := f.Overdue.UnixMilli()
		q.add(` AND t.status <> 'closed' AND (t.answered_at IS NULL AND t.answer_due_at < ? OR t.status <> 'waiting_on_customer' AND t.resolve_due_at < ?)`, at, at)
	}
	if !f.Snoozed.IsZero() {
		q.add(` AND +t.snoozed_until > ?`, f.Snoozed.UnixMilli())
	}
	if !f.Awake.IsZero() {
		q.add(` AND (t.snoozed_until IS NULL OR t.snoozed_until <= ?)`, f.Awake.UnixMilli())
	}
	if !f.From.IsZero() {
		q.add(` AND `+updated+` >= ?`, f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		q.add(` AND `+updated+` < ?`, f.To.UnixMilli())
	}
	if p.After != nil {
		q.add(` AND (`+updated+`, `+number+`) < (?, ?)`, p.After.UpdatedAt.UnixMilli(), p.After.Number)
	}
	if p.Before != nil {
		q.add(` AND (`+updated+`, `+number+`) > (?, ?)`, p.Before.UpdatedAt.UnixMilli(), p.Before.Number)
	}
}

// allOpen reports whether the statuses are every one but closed, which the
// open indexes answer by themselves.
func allOpen(statuses []portal.Status) bool {
	for _, s := range portal.Statuses {
		if slices.Contains(statuses, s) == (s == portal.Closed) {
			return false
		}
	}
	return true
}

// seenBy adds the viewer's rule for single tickets t: portal.Viewer.Sees in
// SQL.
func (q *query) seenBy(v *portal.Viewer, scope Scope) {
	switch {
	case v.Agent != 0:
		q.inboxesOf(v)
		return
	case v.Contact == 0:
		q.add(` AND 1 = 0`)
		return
	}
	q.add(` AND (t.contact_id = ? OR EXISTS (SELECT 1 FROM participant x WHERE x.ticket = t.number AND x.contact_id = ?)`, v.Contact, v.Contact)
	if companies := companiesOf(v); scope == ScopeCompany && len(companies) > 0 {
		in, args := inList(companies)
		q.add(` OR (t.confidential = 0 AND t.company_id `+in+`)`, args...)
	}
	q.add(`)`)
}

// inboxesOf keeps an agent to the inboxes they are given. The plus keeps the
// planner from the index on inboxes, which has not the list's order.
func (q *query) inboxesOf(v *portal.Viewer) {
	if !v.Limited {
		return
	}
	in, args := inList(v.Inboxes)
	q.add(` AND +t.inbox_id `+in, args...)
}

// companiesOf lists the viewer's companies, each once.
func companiesOf(v *portal.Viewer) []portal.CompanyID {
	ids := slices.Clone(v.Companies)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return slices.DeleteFunc(ids, func(id portal.CompanyID) bool { return id <= 0 })
}

// padded fills ids up to a power of two with 0, which is nobody's id, so that
// few different statements exist.
func padded[T ~int64](ids []T) []T {
	size := 1
	for size < len(ids) {
		size *= 2
	}
	return append(slices.Clone(ids), make([]T, size-len(ids))...)
}

func inList[T ~int64](ids []T) (part string, args []any) {
	ids = padded(ids)
	for _, id := range ids {
		args = append(args, id)
	}
	return `IN (?` + strings.Repeat(`, ?`, len(ids)-1) + `)`, args
}

// Colleagues lists contacts who are requester of the newest tickets the
// viewer sees, by name, for the "who" filter: at most limit.
func (tx *Tx) Colleagues(ctx context.Context, v *portal.Viewer, limit int) ([]portal.Contact, error) {
	const newest = 1000 // bounds the cost, whatever the company's size
	q := newQuery(`SELECT ` + contactColumns + ` FROM (SELECT DISTINCT contact_id FROM (`)
	if !q.arms(v, TicketFilter{Scope: ScopeCompany}, TicketPage{}, "") {
		return nil, nil
	}
	q.add(` ORDER BY updated_at DESC, number DESC LIMIT ?) newest) who JOIN contact c ON c.id = who.contact_id
		ORDER BY c.name_key, c.email LIMIT ?`, newest, limit)
	return list(ctx, tx, q.text(), q.args, scanContact)
}

// TicketCounts counts tickets by status, each to max.
func (tx *Tx) TicketCounts(ctx context.Context, max int) (map[portal.Status]int, error) {
	counts := make(map[portal.Status]int)
	for _, status := range portal.Statuses {
		v := portal.OperatorViewer()
		n, err := tx.CountTickets(ctx, &v, TicketFilter{Statuses: []portal.Status{status}}, max)
		if err != nil {
			return nil, err
		}
		counts[status] = n
	}
	return counts, nil
}
