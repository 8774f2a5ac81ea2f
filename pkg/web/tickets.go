package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
)

// ticketsPage is the list. Its rows hold ready texts, because templates spend
// their time on rows.
type ticketsPage struct {
	*view
	list    *app.TicketList
	asked   listAsked
	Columns []listColumn
	Rows    []listRow
	Chip    bool // the subject carries the status: there is no column for it
	Tabs    []listTab
	Who     []option
	Status  []option
	Sorts   []option
	Filters bool // the filters beside search and status are open
	Active  bool // something is filtered
	Found   string
	Next    templ.SafeURL
	Prev    templ.SafeURL
	Clear   templ.SafeURL
	CSV     templ.SafeURL
}

// listAsked is what the address asked for, as it was written, so that forms
// and links carry on what the reader chose.
type listAsked struct {
	View, Query, Status, Who, From, To, Sort, Dir string
}

type listTab struct {
	Label   string
	URL     templ.SafeURL
	Current bool
}

type listColumn struct {
	Column portal.TicketColumn
	Label  string
	URL    templ.SafeURL // sorts by the column
	Sort   string        // "ascending", "descending" or ""
}

type listRow struct {
	URL                                                          templ.SafeURL
	Number, Subject, Status, Priority, Category                  string
	Requester, Company, Assignee                                 string
	Created, Updated, Since                                      moment
	Promise                                                      string // when the reader hears again; "": not said
	Unread, Confidential, YourTurn, Closed, Important, Unclaimed bool
}

// listQuery reads the address. What it does not know counts as absent.
func (s *Server) listQuery(r *http.Request, zone *time.Location) (app.ListQuery, listAsked) {
	visit, get := visitFrom(r.Context()), r.URL.Query()
	asked := listAsked{
		Query: clip(get.Get("q"), portal.MaxLine), Status: get.Get("status"), Who: get.Get("who"),
		From: get.Get("from"), To: get.Get("to"), Sort: get.Get("sort"), Dir: get.Get("dir"),
	}
	q := app.ListQuery{
		Scope: app.ScopeMine, Query: asked.Query,
		After: clip(get.Get("after"), 200), Before: clip(get.Get("before"), 200),
	}
	if get.Get("view") == "company" && visit.Viewer.CompanyView() {
		q.Scope, asked.View = app.ScopeCompany, "company"
	}
	switch {
	case asked.Status == "all", slices.Contains(portal.Statuses, portal.Status(asked.Status)):
		q.Status = asked.Status
	default:
		asked.Status = ""
	}
	if who, err := strconv.ParseInt(asked.Who, 10, 64); err == nil && who > 0 && q.Scope == app.ScopeCompany {
		q.Who = portal.ContactID(who)
	} else {
		asked.Who = ""
	}
	q.From, asked.From = day(asked.From, zone)
	q.To, asked.To = day(asked.To, zone)
	if c := portal.TicketColumn(asked.Sort); slices.Contains(portal.TicketColumns, c) {
		q.Sort, q.Asc = c, asked.Dir == "asc"
	} else {
		asked.Sort, asked.Dir = "", ""
	}
	return q, asked
}

func day(s string, zone *time.Location) (time.Time, string) {
	t, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err != nil || t.Year() < 1970 || t.Year() > 9000 {
		return time.Time{}, ""
	}
	return t, s
}

func clip(s string, characters int) string {
	for i := range s {
		if characters == 0 {
			return s[:i]
		}
		characters--
	}
	return s
}

// address writes the list's address with some of what was asked changed:
// names and values in turn.
func (a listAsked) address(path string, changes ...string) string {
	var b strings.Builder
	b.Grow(len(path) + 100)
	b.WriteString(path)
	separator := byte('?')
	for _, kv := range [...][2]string{
		{"view", a.View},
		{"q", a.Query},
		{"status", a.Status},
		{"who", a.Who},
		{"from", a.From},
		{"to", a.To},
		{"sort", a.Sort},
		{"dir", a.Dir},
		{"after", ""},
		{"before", ""},
	} {
		name, value := kv[0], kv[1]
		for i := 0; i+1 < len(changes); i += 2 {
			if changes[i] == name {
				value = changes[i+1]
			}
		}
		if value != "" {
			b.WriteByte(separator)
			b.WriteString(name)
			b.WriteByte('=')
			b.WriteString(url.QueryEscape(value))
			separator = '&'
		}
	}
	return b.String()
}

func (s *Server) ticketList(w http.ResponseWriter, r *http.Request) error {
	v := s.view(w, r, "")
	v.Title = v.Many
	q, asked := s.listQuery(r, v.Zone)
	list, err := s.app.Tickets(r.Context(), v.Visit, q)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, ticketsView(newTicketsPage(v, list, asked)))
}

func newTicketsPage(v *view, list *app.TicketList, asked listAsked) ticketsPage {
	path := v.Base + "/tickets"
	p := ticketsPage{view: v, list: list, asked: asked}
	p.Active = asked.Query != "" || asked.Status != "" || asked.Who != "" || asked.From != "" || asked.To != ""
	p.Filters = asked.Who != "" || asked.From != "" || asked.To != ""
	p.Clear = templ.SafeURL(listAsked{View: asked.View, Sort: asked.Sort, Dir: asked.Dir}.address(path))
	p.CSV = templ.SafeURL(asked.address(v.Base + "/tickets.csv"))
	if list.Next != "" {
		p.Next = templ.SafeURL(asked.address(path, "after", list.Next))
	}
	if list.Prev != "" {
		p.Prev = templ.SafeURL(asked.address(path, "before", list.Prev))
	}
	if v.Visit.Viewer.CompanyView() {
		p.Tabs = []listTab{
			{v.T("tickets.mine"), templ.SafeURL(asked.address(path, "view", "", "who", "")), asked.View == ""},
			{v.T("tickets.company"), templ.SafeURL(asked.address(path, "view", "company")), asked.View == "company"},
		}
	}
	p.options()
	columns := listColumns(v)
	p.Chip = !slices.Contains(columns, portal.ColumnStatus)
	for _, c := range columns {
		p.Columns = append(p.Columns, p.column(c, path))
	}
	words := v.rowWords(columns)
	p.Rows = make([]listRow, len(list.Rows))
	for i := range list.Rows {
		words.row(&p.Rows[i], &list.Rows[i])
	}
	p.Found = p.found()
	return p
}

// listColumns are the columns the operator chose; agents also see whose a
// ticket is.
func listColumns(v *view) []portal.TicketColumn {
	columns := v.Visit.Portal.Tickets.Columns
	if len(columns) == 0 {
		columns = portal.DefaultTicketSettings().Columns
	}
	if v.Agent {
		columns = slices.Clone(columns)
		for _, c := range []portal.TicketColumn{portal.ColumnRequester, portal.ColumnAssignee} {
			if !slices.Contains(columns, c) {
				columns = append(columns, c)
			}
		}
	}
	return columns
}

func (p *ticketsPage) column(c portal.TicketColumn, path string) listColumn {
	col := listColumn{Column: c, Label: p.columnLabel(c)}
	asked := p.asked
	sorted := asked.Sort
	if sorted == "" {
		sorted = string(portal.ColumnUpdated)
	}
	next := "asc"
	if c == portal.ColumnUpdated || c == portal.ColumnCreated {
		next = "" // times begin with the newest
	}
	if sorted == string(c) {
		if asked.Dir == "asc" {
			col.Sort, next = "ascending", ""
		} else {
			col.Sort, next = "descending", "asc"
		}
	}
	col.URL = templ.SafeURL(asked.address(path, "sort", string(c), "dir", next))
	return col
}

func (p *ticketsPage) options() {
	v, asked := p.view, p.asked
	p.Status = []option{{Value: "", Label: v.T("tickets.status_open"), Chosen: asked.Status == ""}}
	for _, st := range portal.Statuses {
		p.Status = append(p.Status, option{Value: string(st), Label: v.status(st), Chosen: asked.Status == string(st)})
	}
	p.Status = append(p.Status, option{Value: "all", Label: v.T("tickets.status_all"), Chosen: asked.Status == "all"})
	if asked.View == "company" && len(p.list.Colleagues) > 0 {
		p.Who = []option{{Value: "", Label: v.T("tickets.who_all"), Chosen: asked.Who == ""}}
		for i := range p.list.Colleagues {
			c := &p.list.Colleagues[i]
			id := strconv.FormatInt(int64(c.ID), 10)
			p.Who = append(p.Who, option{Value: id, Label: v.personName(c), Chosen: asked.Who == id})
		}
	}
	for _, c := range listColumns(v) {
		p.Sorts = append(p.Sorts, option{Value: string(c), Label: v.columnLabel(c), Chosen: asked.Sort == string(c) || asked.Sort == "" && c == portal.ColumnUpdated})
	}
}

// found says how many there are and which of them are on the page.
func (p *ticketsPage) found() string {
	list, v := p.list, p.view
	switch {
	case len(list.Rows) == 0:
		return ""
	case list.Capped:
		return v.T("tickets.count_capped", "Count", list.Count, "Many", v.many)
	case list.First > 0 && list.Count > len(list.Rows):
		return v.T("tickets.range", "First", list.First, "Last", list.First+len(list.Rows)-1, "Count", list.Count)
	}
	return v.N("tickets.count", list.Count, "One", v.one, "Many", v.many)
}

// rowWords are the texts rows have in common, looked up once for all of them.
type rowWords struct {
	*view
	path             string
	status, priority map[string]string
	created, updated bool // the columns are shown
}

func (v *view) rowWords(columns []portal.TicketColumn) *rowWords {
	w := &rowWords{
		view: v, path: v.Base + "/tickets/", status: map[string]string{}, priority: map[string]string{},
		created: slices.Contains(columns, portal.ColumnCreated), updated: slices.Contains(columns, portal.ColumnUpdated),
	}
	for _, s := range portal.Statuses {
		w.status[string(s)] = v.status(s)
	}
	if slices.Contains(columns, portal.ColumnPriority) {
		for _, p := range portal.Priorities {
			w.priority[string(p)] = v.T("priority." + string(p))
		}
	}
	return w
}

// row makes a row ready to be written.
func (w *rowWords) row(row *listRow, t *portal.TicketRow) {
	row.Number = t.Number.String()
	row.URL = templ.SafeURL(w.path + row.Number)
	row.Subject, row.Category = t.Subject, t.Category
	row.Status, row.Priority = w.status[string(t.Status)], w.priority[string(t.Priority)]
	row.Requester, row.Company, row.Assignee = t.RequesterName, t.CompanyName, w.agentName(t.AssigneeName)
	row.Unread, row.Confidential, row.Closed = t.Unread, t.Confidential, t.Status == portal.Closed
	row.Important = t.Priority == portal.High || t.Priority == portal.Urgent
	row.YourTurn = t.Status.CustomersTurn()
	if w.Agent {
		row.YourTurn = t.Status == portal.New || t.Status == portal.WaitingOnUs
		row.Unclaimed = t.Assignee == 0
	}
	turn := t.Turn(w.Now)
	row.Since, row.Promise = w.moment(turn.Since), w.promise(turn)
	if w.created {
		row.Created = w.moment(t.CreatedAt)
	}
	if w.updated {
		row.Updated = w.moment(t.UpdatedAt)
	}
}

// agentName is what customers read of an agent: the name, or the team's.
func (v *view) agentName(name string) string {
	if name != "" && !v.Agent && v.Visit.Portal.Tickets.ShowAgent == portal.AgentTeam {
		return v.Portal
	}
	return name
}
