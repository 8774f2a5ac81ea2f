package helpdesk

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// queuePage is the list of a queue. Its rows hold ready texts, because
// templates spend their time on rows.
type queuePage struct {
	*view
	list       *app.QueuePage
	Rows       []queueRow
	Found      string
	Next, Prev templ.SafeURL
	Here       string // the page's own address
	Sorts      []queueSort
	Filters    []queueFilter // what narrows the list beside its queue
	Save       *page.Form    // the form that keeps the query as a view
	Fields     [][2]string   // the query as that form's fields
	bulk       *bulkChoices
	choose     string // the words of a row's box, before the number
}

// queueCheck is the box of a row, by which it is chosen; written by hand, as
// templ's attributes cost more than the row.
type queueCheck struct{ Number, Choose string }

// Render writes the box.
func (c queueCheck) Render(_ context.Context, w io.Writer) error {
	return page.WriteAll(w, `<input type="checkbox" class="queue-check" name="ticket" value="`, c.Number, `" aria-label="`, c.Choose, ` `, c.Number, `">`)
}

// queueFilter is something that narrows the list, and where it does not.
type queueFilter struct {
	Label string
	Clear templ.SafeURL
}

type queueSort struct {
	Label   string
	URL     templ.SafeURL
	Current bool
}

type queueRow struct {
	URL                                   templ.SafeURL
	Number, Subject                       string
	Requester, Company, Assignee, Inbox   string
	Priority, Status, Since, Due, Snoozed string
	Tags                                  []string
	Updated                               page.Moment
	OurTurn, Closed, Confidential, Late   bool
	Called                                bool // a note the agent has not seen names them
}

// queryFields are a query of the list as the fields of its address.
func queryFields(q *portal.DeskQuery) [][2]string {
	var fields [][2]string
	add := func(name, value string) {
		if value != "" && value != "0" {
			fields = append(fields, [2]string{name, value})
		}
	}
	add("queue", string(q.Queue))
	add("inbox", strconv.FormatInt(int64(q.Inbox), 10))
	add("assignee", strconv.FormatInt(int64(q.Assignee), 10))
	add("status", string(q.Status))
	add("priority", string(q.Priority))
	add("tag", q.Tag)
	add("q", q.Words)
	if q.Sort != portal.SortUpdated {
		add("sort", string(q.Sort))
	}
	return fields
}

// address writes a query of the list as an address; place is "after=…" or
// "before=…".
func (v *view) address(q portal.DeskQuery, place string) templ.SafeURL {
	var b strings.Builder
	b.WriteString(v.Base + "/tickets")
	between := byte('?')
	for _, f := range queryFields(&q) {
		b.WriteByte(between)
		b.WriteString(f[0] + "=" + url.QueryEscape(f[1]))
		between = '&'
	}
	if place != "" {
		b.WriteByte(between)
		b.WriteString(place)
	}
	return templ.SafeURL(b.String())
}

// queryOf reads what was asked for. What it does not know counts as absent.
func queryOf(get url.Values) portal.DeskQuery {
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(get.Get(name), 10, 64) // what is no number is 0
		return n
	}
	return portal.DeskQuery{
		Queue: portal.Queue(get.Get("queue")), Inbox: portal.InboxID(number("inbox")), Assignee: portal.AgentID(number("assignee")),
		Status: portal.Status(get.Get("status")), Priority: portal.Priority(get.Get("priority")), Tag: get.Get("tag"),
		Words: get.Get("q"), Sort: portal.QueueSort(get.Get("sort")),
	}
}

func (s *Server) queueShow(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(w, r, "")
	if err != nil {
		return err
	}
	get := r.URL.Query()
	q := queryOf(get)
	saved, err := savedView(v, get.Get("view"))
	if err != nil {
		return err
	}
	if saved != nil {
		sort := q.Sort
		if q = saved.Query; sort != "" {
			q.Sort = sort
		}
	}
	p, err := s.queuePage(r, v, q, get.Get("after"), get.Get("before"))
	if err != nil {
		return err
	}
	if saved != nil {
		v.Nav, v.Title = viewNav(saved.ID), saved.Name
	}
	return page.Render(w, r, http.StatusOK, queueView(p))
}

// savedView is the view an address names, or nil.
func savedView(v *view, id string) (*portal.DeskView, error) {
	if id == "" {
		return nil, nil
	}
	for i := range v.Frame.Views {
		if one := &v.Frame.Views[i]; strconv.FormatInt(one.ID, 10) == id {
			return one, nil
		}
	}
	return nil, portal.NotFoundf("desk_view.none", "there is no such view")
}

func (s *Server) queuePage(r *http.Request, v *view, q portal.DeskQuery, after, before string) (*queuePage, error) {
	list, err := s.app.QueueTickets(r.Context(), v.Visit, app.QueueQuery{DeskQuery: q, After: after, Before: before})
	if err != nil {
		return nil, err
	}
	return newQueuePage(v, list), nil
}

func newQueuePage(v *view, list *app.QueuePage) *queuePage {
	p := &queuePage{view: v, list: list, Save: page.Filled(nil), Fields: queryFields(&list.Query), bulk: v.bulkChoices(), choose: html.EscapeString(v.T("bulk.choose"))}
	q := list.Query
	p.name()
	p.filters()
	p.Here = string(v.address(q, ""))
	if list.Next != "" {
		p.Next = v.address(q, "after="+url.QueryEscape(list.Next))
	}
	if list.Prev != "" {
		p.Prev = v.address(q, "before="+url.QueryEscape(list.Prev))
	}
	if q.Queue != portal.QueueClosed && q.Queue != portal.QueueSnoozed && q.Words == "" {
		for _, sort := range portal.QueueSorts {
			sorted := q
			sorted.Sort = sort
			p.Sorts = append(p.Sorts, queueSort{v.T("queue.sort." + string(sort)), v.address(sorted, ""), q.Sort == sort})
		}
	}
	words := v.rowWords()
	p.Rows = make([]queueRow, len(list.Rows))
	for i := range list.Rows {
		words.row(&p.Rows[i], &list.Rows[i])
	}
	p.Found = p.found()
	return p
}

// name says what the list is, and which entry of the navigation leads to it.
func (p *queuePage) name() {
	q := &p.list.Query
	p.Words = q.Words
	switch {
	case q.Words != "":
		p.Title = p.T("desk.results", "Words", q.Words)
	case q.Inbox != 0 && q.Queue == portal.QueueAll:
		p.Title, p.Nav = p.T("desk.inbox_none"), inboxNav(q.Inbox)
		for _, i := range p.Frame.Inboxes {
			if i.ID == q.Inbox {
				p.Title = i.Name
			}
		}
	default:
		p.Title, p.Nav = p.queueName(q.Queue), queueNav(q.Queue)
	}
}

// filters are what narrows the list beside its queue.
func (p *queuePage) filters() {
	q := p.list.Query
	add := func(label string, clear func(*portal.DeskQuery)) {
		without := q
		clear(&without)
		p.Filters = append(p.Filters, queueFilter{label, p.address(without, "")})
	}
	if q.Words != "" && q.Queue != "" {
		add(p.queueName(q.Queue), func(q *portal.DeskQuery) { q.Queue = "" })
	}
	if q.Inbox != 0 && (q.Queue != portal.QueueAll || q.Words != "") {
		for _, i := range p.Frame.Inboxes {
			if i.ID == q.Inbox {
				add(i.Name, func(q *portal.DeskQuery) { q.Inbox = 0 })
			}
		}
	}
	if q.Assignee != 0 {
		for _, a := range p.Frame.Agents {
			if a.ID == q.Assignee {
				add(a.Name, func(q *portal.DeskQuery) { q.Assignee = 0 })
			}
		}
	}
	if q.Status != "" {
		add(p.status(q.Status), func(q *portal.DeskQuery) { q.Status = "" })
	}
	if q.Priority != "" {
		add(p.T("priority."+string(q.Priority)), func(q *portal.DeskQuery) { q.Priority = "" })
	}
	if q.Tag != "" {
		add(q.Tag, func(q *portal.DeskQuery) { q.Tag = "" })
	}
}

// found says how many there are and which of them are on the page.
func (p *queuePage) found() string {
	list := p.list
	switch {
	case len(list.Rows) == 0:
		return ""
	case list.Capped:
		return p.T("desk.found_capped", "Count", list.Count)
	case list.First > 0 && list.Count > len(list.Rows):
		return p.T("desk.found_range", "First", list.First, "Last", list.First+len(list.Rows)-1, "Count", list.Count)
	}
	return p.N("desk.found", list.Count)
}

// rowWords are the texts rows have in common, looked up once for all of them.
type rowWords struct {
	*view
	path             string
	status, priority map[string]string
	inboxes          bool // there are several, so that a row says which is its own
	spans            map[time.Duration]string
}

func (v *view) rowWords() *rowWords {
	w := &rowWords{
		view: v, path: v.Base + "/tickets/", status: map[string]string{}, priority: map[string]string{}, inboxes: len(v.Frame.Inboxes) > 1,
		spans: map[time.Duration]string{},
	}
	for _, s := range portal.Statuses {
		w.status[string(s)] = v.status(s)
	}
	for _, p := range portal.Priorities {
		w.priority[string(p)] = v.T("priority." + string(p))
	}
	return w
}

// row makes a row ready to be written.
func (w *rowWords) row(row *queueRow, t *portal.DeskRow) {
	row.Number = t.Number.String()
	row.URL = templ.SafeURL(w.path + row.Number)
	row.Subject, row.Status, row.Tags = t.Subject, w.status[string(t.Status)], t.Tags
	row.Requester, row.Company, row.Assignee = t.RequesterName, t.CompanyName, t.AssigneeName
	if w.inboxes {
		row.Inbox = t.InboxName
	}
	if t.Priority == portal.High || t.Priority == portal.Urgent {
		row.Priority = w.priority[string(t.Priority)]
	}
	row.OurTurn, row.Closed, row.Confidential = t.Status == portal.New || t.Status == portal.WaitingOnUs, t.Status == portal.Closed, t.Confidential
	row.Called = t.Called
	row.Updated = w.moment(t.UpdatedAt)
	if waited := w.Now.Sub(t.StatusAt); waited >= time.Minute && t.Status != portal.Closed {
		row.Since = w.T("desk.since", "Time", w.span(waited))
	}
	if due := t.DueAt(); !due.IsZero() {
		row.Due, row.Late = w.until(due), due.Before(w.Now)
	}
	if t.SnoozedUntil.After(w.Now) {
		row.Snoozed = w.T("desk.snoozed_until", "Time", w.DateTime(t.SnoozedUntil.In(w.Zone)))
	}
}

// until says how far away a target is, or how long it has passed.
func (w *rowWords) until(due time.Time) string {
	left, key := due.Sub(w.Now), "desk.due_in"
	if left < 0 {
		left, key = -left, "desk.overdue"
	}
	return w.T(key, "Time", w.span(left))
}

// span is a length of time in the unit that suits it, each worked out once for
// a page: plurals take longer than the rest of a row.
func (w *rowWords) span(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		d = d.Truncate(24 * time.Hour)
	case d >= time.Hour:
		d = d.Truncate(time.Hour)
	default:
		d = d.Truncate(time.Minute)
	}
	text, ok := w.spans[d]
	if !ok {
		text = w.Duration(d)
		w.spans[d] = text
	}
	return text
}
