package app

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

// How much of a list is looked at. Lists ordered by their last update are
// read from an index and end nowhere; other orders and searches work on the
// newest matches, so that no list costs more because the store holds more.
const (
	listPage   = 25
	listMost   = 100
	countMost  = 1000
	sortedMost = 1000
	searchMost = 250
	exportMost = 10000
)

// ListQuery is what a customer asked the ticket list for. Unknown values are
// treated as absent, so an old bookmark never fails.
type ListQuery struct {
	Scope  store.Scope // mine, company; agents always see all
	Query  string      // search words
	Status string      // "open" (the default, ""), "all", or one status
	Who    portal.ContactID
	From   time.Time           // updated from this day on
	To     time.Time           // updated before the day after this
	Sort   portal.TicketColumn // "" = updated
	Asc    bool
	After  string // cursors made by the list before
	Before string
	Limit  int // 0: 25
}

// TicketList is one page of the ticket list.
type TicketList struct {
	Query  ListQuery
	Rows   []portal.TicketRow
	Count  int  // matching tickets, up to 1,000
	Capped bool // there are more than Count
	First  int  // place of the first row, from 1; 0 when unknown
	// Next and Prev are cursors for ListQuery.After and Before; "" at the ends.
	Next, Prev string
	// Bounded is set when the rows were sorted or searched among the newest
	// matches only, because there are more than that.
	Bounded    bool
	Any        bool             // the viewer sees at least one ticket in this scope without filters
	Colleagues []portal.Contact // for the "who" filter, in company scope
}

// Tickets lists what the visitor sees.
func (a *App) Tickets(ctx context.Context, v *Visit, q ListQuery) (*TicketList, error) {
	q = q.clean(v)
	list := &TicketList{Query: q}
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		var err error
		if q.indexed() {
			err = list.readPage(ctx, tx, v)
		} else {
			err = list.readSorted(ctx, tx, v)
		}
		if err != nil {
			return err
		}
		list.Any = len(list.Rows) > 0
		if !list.Any && q.filtered() {
			rows, err := tx.Tickets(ctx, &v.Viewer, v.readFrom(), store.TicketFilter{Scope: q.Scope}, store.TicketPage{Limit: 1})
			if err != nil {
				return err
			}
			list.Any = len(rows) > 0
		}
		if q.Scope == store.ScopeCompany && v.Viewer.CompanyView() && list.Any {
			list.Colleagues, err = tx.Colleagues(ctx, &v.Viewer, 200)
		}
		return err
	})
	return list, err
}

// clean puts a query into the form the rest relies on.
func (q ListQuery) clean(v *Visit) ListQuery {
	if q.Scope != store.ScopeCompany || !v.Viewer.CompanyView() {
		q.Scope = store.ScopeMine
	}
	q.Query = clip(strings.TrimSpace(q.Query), portal.MaxLine)
	if st, err := portal.ParseStatus(q.Status); err == nil {
		q.Status = string(st)
	} else if q.Status != "all" {
		q.Status = "open"
	}
	if q.Sort == "" || !slices.Contains(portal.TicketColumns, q.Sort) {
		q.Sort = portal.ColumnUpdated
	}
	if q.Limit <= 0 || q.Limit > listMost {
		q.Limit = listPage
	}
	return q
}

// filtered reports whether anything but the scope narrows the list.
func (q *ListQuery) filtered() bool {
	return q.Query != "" || q.Status != "all" || q.Who != 0 || !q.From.IsZero() || !q.To.IsZero()
}

// indexed reports whether an index has the list's order.
func (q *ListQuery) indexed() bool {
	return q.Query == "" && q.Sort == portal.ColumnUpdated && !q.Asc
}

// filter is what the store is asked for.
func (q *ListQuery) filter() store.TicketFilter {
	f := store.TicketFilter{Scope: q.Scope, Requester: q.Who, From: q.From}
	if !q.To.IsZero() {
		f.To = q.To.AddDate(0, 0, 1)
	}
	switch q.Status {
	case "all":
	case "open":
		f.Statuses = []portal.Status{portal.New, portal.WaitingOnUs, portal.WaitingOnCustomer}
	default:
		f.Statuses = []portal.Status{portal.Status(q.Status)}
	}
	return f
}

// readPage reads one page in the order of an index.
func (l *TicketList) readPage(ctx context.Context, tx *store.Tx, v *Visit) error {
	q, f := &l.Query, l.Query.filter()
	// One row more tells whether another page follows.
	page := store.TicketPage{Limit: q.Limit + 1, After: parseCursor(q.After), Columns: shownColumns(v)}
	backwards := false
	if page.After == nil {
		page.Before = parseCursor(q.Before)
		backwards = page.Before != nil
	}
	rows, err := tx.Tickets(ctx, &v.Viewer, v.readFrom(), f, page)
	if err != nil {
		return err
	}
	more := len(rows) > q.Limit
	switch {
	case more && backwards:
		rows = rows[1:]
	case more:
		rows = rows[:q.Limit]
	}
	l.Rows = rows
	if len(rows) > 0 {
		first, last := rows[0], rows[len(rows)-1]
		if page.After != nil || backwards && more {
			l.Prev = formatCursor(first)
		}
		if backwards || more {
			l.Next = formatCursor(last)
		}
	}
	if page.After == nil && !backwards {
		l.First = min(1, len(rows))
		if !more {
			l.Count = len(rows)
			return nil
		}
	}
	n, err := tx.CountTickets(ctx, &v.Viewer, f, countMost+1)
	l.Count, l.Capped = min(n, countMost), n > countMost
	return err
}

// shownColumns are those whose values a list needs; nil is all.
func shownColumns(v *Visit) []portal.TicketColumn {
	if v.Agent != nil {
		return nil
	}
	return v.Portal.Tickets.Columns
}

// readSorted reads the newest matches, sorts them as asked, and cuts the page
// out.
func (l *TicketList) readSorted(ctx context.Context, tx *store.Tx, v *Visit) error {
	rows, bounded, err := l.Query.matches(ctx, tx, v)
	if err != nil {
		return err
	}
	l.Query.sort(rows, v)
	q := &l.Query
	start := 0
	if n, ok := parseOffset(q.After); ok {
		start = n
	} else if n, ok := parseOffset(q.Before); ok {
		start = max(n-q.Limit, 0)
	}
	start = min(start, len(rows))
	end := min(start+q.Limit, len(rows))
	l.Rows, l.Count, l.Bounded, l.Capped = rows[start:end], len(rows), bounded, bounded
	if end > start {
		l.First = start + 1
	}
	if start > 0 {
		l.Prev = "o" + strconv.Itoa(start)
	}
	if end < len(rows) {
		l.Next = "o" + strconv.Itoa(end)
	}
	return nil
}

// matches reads the newest matches of a search or a filtered list.
func (q *ListQuery) matches(ctx context.Context, tx *store.Tx, v *Visit) (rows []portal.TicketRow, bounded bool, err error) {
	limit := sortedMost
	if q.Query != "" {
		limit = searchMost
		rows, err = tx.SearchTickets(ctx, &v.Viewer, v.readFrom(), q.Query, q.filter(), limit+1)
	} else {
		rows, err = tx.Tickets(ctx, &v.Viewer, v.readFrom(), q.filter(), store.TicketPage{Limit: limit + 1})
	}
	if len(rows) > limit {
		rows, bounded = rows[:limit], true
	}
	return rows, bounded, err
}

// sort orders rows by a column; texts as the reader's language orders them,
// and equals by their last update, newest first.
func (q *ListQuery) sort(rows []portal.TicketRow, v *Visit) {
	tag, err := language.Parse(v.Language())
	if err != nil {
		tag = language.English
	}
	c := collate.New(tag, collate.IgnoreCase, collate.Numeric)
	compare := func(x, y *portal.TicketRow) int {
		switch q.Sort {
		case portal.ColumnNumber:
			return int(x.Number - y.Number)
		case portal.ColumnSubject:
			return c.CompareString(x.Subject, y.Subject)
		case portal.ColumnStatus:
			return slices.Index(portal.Statuses, x.Status) - slices.Index(portal.Statuses, y.Status)
		case portal.ColumnPriority:
			return slices.Index(portal.Priorities, x.Priority) - slices.Index(portal.Priorities, y.Priority)
		case portal.ColumnCategory:
			return c.CompareString(x.Category, y.Category)
		case portal.ColumnRequester:
			return c.CompareString(x.RequesterName, y.RequesterName)
		case portal.ColumnCompany:
			return c.CompareString(x.CompanyName, y.CompanyName)
		case portal.ColumnAssignee:
			if v.Agent == nil && v.Portal.Tickets.ShowAgent == portal.AgentTeam {
				return 0 // who of the team it is must not show in the order either
			}
			return c.CompareString(x.AssigneeName, y.AssigneeName)
		case portal.ColumnCreated:
			return x.CreatedAt.Compare(y.CreatedAt)
		}
		return x.UpdatedAt.Compare(y.UpdatedAt)
	}
	slices.SortStableFunc(rows, func(x, y portal.TicketRow) int {
		n := compare(&x, &y)
		if !q.Asc {
			n = -n
		}
		if n == 0 {
			n = y.UpdatedAt.Compare(x.UpdatedAt)
		}
		if n == 0 {
			n = int(y.Number - x.Number)
		}
		return n
	})
}

// ExportTickets calls row for each ticket of the list as it is filtered and
// sorted, at most 10,000, for the CSV download.
func (a *App) ExportTickets(ctx context.Context, v *Visit, q ListQuery, row func(*portal.TicketRow) error) error {
	q = q.clean(v)
	var rows []portal.TicketRow
	err := a.store.Read(ctx, func(tx *store.Tx) error {
		var err error
		if !q.indexed() {
			rows, _, err = q.matches(ctx, tx, v)
			return err
		}
		page := store.TicketPage{Limit: 500}
		for len(rows) < exportMost {
			more, err := tx.Tickets(ctx, &v.Viewer, v.readFrom(), q.filter(), page)
			if err != nil {
				return err
			}
			rows = append(rows, more...)
			if len(more) < page.Limit {
				return nil
			}
			last := more[len(more)-1]
			page.After = &store.Cursor{UpdatedAt: last.UpdatedAt, Number: last.Number}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !q.indexed() {
		q.sort(rows, v)
	}
	// After the answer: on a full disk people still get at what is theirs.
	a.afterwards(func(ctx context.Context) error {
		return a.store.Write(ctx, func(tx *store.Tx) error {
			return a.noteVisit(ctx, tx, v, portal.AuditExport, aboutTickets, fact("format", ExportCSV), fact("rows", len(rows)))
		})
	})
	for i := range rows {
		if err := row(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// A cursor is written "<milliseconds>.<number>" in base 36, a place in a
// sorted list "o<offset>".
func formatCursor(r portal.TicketRow) string {
	return strconv.FormatInt(r.UpdatedAt.UnixMilli(), 36) + "." + strconv.FormatInt(int64(r.Number), 36)
}

func parseCursor(s string) *store.Cursor {
	at, number, ok := strings.Cut(s, ".")
	ms, errAt := strconv.ParseInt(at, 36, 64)
	n, errNumber := strconv.ParseInt(number, 36, 64)
	if !ok || errAt != nil || errNumber != nil {
		return nil
	}
	return &store.Cursor{UpdatedAt: time.UnixMilli(ms).UTC(), Number: portal.TicketNumber(n)}
}

func parseOffset(s string) (int, bool) {
	digits, ok := strings.CutPrefix(s, "o")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n >= 0 && n <= sortedMost
}
