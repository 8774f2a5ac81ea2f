package helpdesk

import (
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
	Sorts      []queueSort
}

type queueSort struct {
	Label   string
	URL     templ.SafeURL
	Current bool
}

type queueRow struct {
	URL                                           templ.SafeURL
	Number, Subject                               string
	Requester, Company, Assignee, Inbox, Priority string
	Status                                        string
	Updated, Since, Due                           page.Moment
	DueWords                                      string
	OurTurn, Closed, Confidential, Late           bool
}

func (v *view) queueURL(q portal.Queue) templ.SafeURL {
	return templ.SafeURL(v.Base + "/tickets?queue=" + string(q))
}

func (v *view) inboxURL(id portal.InboxID) templ.SafeURL {
	return templ.SafeURL(v.Base + "/tickets?inbox=" + strconv.FormatInt(int64(id), 10))
}

func (v *view) queueCount(q app.QueueCount) string {
	if q.Queue == portal.QueueClosed {
		return ""
	}
	return v.some(q.Count)
}

// some is a count, or nothing for none.
func (v *view) some(c app.Count) string {
	if c.N == 0 {
		return ""
	}
	return v.count(c)
}

// queueIcon is the drawing of a queue.
func queueIcon(q portal.Queue) string {
	switch q {
	case portal.QueueMine:
		return "user"
	case portal.QueueUnassigned:
		return "inbox"
	case portal.QueueUs:
		return "message-circle"
	case portal.QueueCustomer:
		return "send"
	case portal.QueueSnoozed:
		return "clock"
	case portal.QueueClosed:
		return "circle-check"
	}
	return "ticket"
}

// address writes a query of the list as an address; place is "after=…" or
// "before=…".
func (v *view) address(q portal.DeskQuery, place string) templ.SafeURL {
	var b strings.Builder
	b.WriteString(v.Base + "/tickets?queue=" + string(q.Queue))
	if q.Inbox != 0 {
		b.WriteString("&inbox=" + strconv.FormatInt(int64(q.Inbox), 10))
	}
	if q.Assignee != 0 {
		b.WriteString("&assignee=" + strconv.FormatInt(int64(q.Assignee), 10))
	}
	for _, kv := range [...][2]string{
		{"status", string(q.Status)}, {"priority", string(q.Priority)}, {"tag", q.Tag}, {"q", q.Words},
	} {
		if kv[1] != "" {
			b.WriteString("&" + kv[0] + "=" + url.QueryEscape(kv[1]))
		}
	}
	if q.Sort != portal.SortUpdated {
		b.WriteString("&sort=" + string(q.Sort))
	}
	if place != "" {
		b.WriteString("&" + place)
	}
	return templ.SafeURL(b.String())
}

// queueQuery reads the address. What it does not know counts as absent.
func queueQuery(r *http.Request) app.QueueQuery {
	get := r.URL.Query()
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(get.Get(name), 10, 64) // what is no number is 0
		return n
	}
	return app.QueueQuery{
		DeskQuery: portal.DeskQuery{
			Queue: portal.Queue(get.Get("queue")), Inbox: portal.InboxID(number("inbox")), Assignee: portal.AgentID(number("assignee")),
			Status: portal.Status(get.Get("status")), Priority: portal.Priority(get.Get("priority")), Tag: get.Get("tag"),
			Words: get.Get("q"), Sort: portal.QueueSort(get.Get("sort")),
		},
		After: get.Get("after"), Before: get.Get("before"),
	}
}

func (s *Server) queueShow(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(w, r, "")
	if err != nil {
		return err
	}
	list, err := s.app.QueueTickets(r.Context(), v.Visit, queueQuery(r))
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, queueView(newQueuePage(v, list)))
}

func newQueuePage(v *view, list *app.QueuePage) *queuePage {
	p := &queuePage{view: v, list: list}
	q := list.Query
	v.Nav, v.Title, v.Words = "queue:"+string(q.Queue), v.T("queue."+string(q.Queue)), q.Words
	if q.Inbox != 0 {
		v.Nav = "inbox:" + strconv.FormatInt(int64(q.Inbox), 10)
		for _, i := range v.Frame.Inboxes {
			if i.ID == q.Inbox {
				v.Title = i.Name
			}
		}
	}
	if list.Next != "" {
		p.Next = v.address(q, "after="+url.QueryEscape(list.Next))
	}
	if list.Prev != "" {
		p.Prev = v.address(q, "before="+url.QueryEscape(list.Prev))
	}
	if q.Queue != portal.QueueClosed && q.Queue != portal.QueueSnoozed {
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
}

func (v *view) rowWords() *rowWords {
	w := &rowWords{view: v, path: v.Base + "/tickets/", status: map[string]string{}, priority: map[string]string{}}
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
	row.Subject, row.Status = t.Subject, w.status[string(t.Status)]
	row.Requester, row.Company, row.Assignee, row.Inbox = t.RequesterName, t.CompanyName, t.AssigneeName, t.InboxName
	if t.Priority == portal.High || t.Priority == portal.Urgent {
		row.Priority = w.priority[string(t.Priority)]
	}
	row.OurTurn, row.Closed, row.Confidential = t.Status == portal.New || t.Status == portal.WaitingOnUs, t.Status == portal.Closed, t.Confidential
	row.Updated, row.Since = w.moment(t.UpdatedAt), w.moment(t.StatusAt)
	if due := t.DueAt(); !due.IsZero() {
		row.Due, row.Late = w.moment(due), due.Before(w.Now)
		row.DueWords = w.until(due)
	}
}

// until says how far away a target is, or how long it has passed.
func (w *rowWords) until(due time.Time) string {
	left, key := due.Sub(w.Now), "desk.due_in"
	if left < 0 {
		left, key = -left, "desk.overdue"
	}
	switch {
	case left >= 48*time.Hour:
		left = left.Truncate(24 * time.Hour)
	case left >= 2*time.Hour:
		left = left.Truncate(time.Hour)
	}
	return w.T(key, "Time", w.Duration(left))
}
