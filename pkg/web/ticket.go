package web

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// ticketPage is a conversation with everything that can be done to it.
type ticketPage struct {
	*view
	*app.TicketView
	Path     string // the ticket's own, below the host
	Status   string
	YourTurn bool
	Messages []messageItem
	Facts    []fact
	History  []historyItem
	People   []person
	Readers  string // for agents: who reads a public message
	Reply    *form
	Invite   *form
	Rating   *form  // nil: not theirs to rate, or not now
	Typed    string // text that can no longer be sent here
	Files    fileLimits
}

// messageItem is one entry of the conversation.
type messageItem struct {
	Anchor    string
	Class     string
	Author    string
	Initials  string
	Mine      bool
	Desk      bool // written by the desk
	Note      bool // internal
	FirstNew  bool // unread from here on
	At        moment
	Body      templ.Component
	Quoted    templ.Component // what a mail quoted below its text; nil: nothing
	Files     []fileItem
	AgentText string // the word beside an agent's name
}

// fileItem is an attachment.
type fileItem struct {
	URL     templ.SafeURL
	Name    string
	Size    string
	Picture templ.SafeURL // "" when it is no picture we show
}

// fact is a line beside the conversation.
type fact struct {
	Label, Value string
	At           moment
}

// person takes part in a ticket.
type person struct {
	Name, Initials, Email string
	Requester, You        bool
	Remove                string // where to post to remove them; "" when one may not
}

// historyItem is a line of the history.
type historyItem struct {
	Text     string
	At       moment
	Internal bool
}

func number(r *http.Request) (portal.TicketNumber, error) {
	n, err := portal.ParseTicketNumber(r.PathValue("number"))
	if err != nil {
		// What is no number is no ticket either; there is one answer for both.
		return 0, portal.NotFoundf("ticket.none", "there is no such ticket")
	}
	return n, nil
}

func (s *Server) ticketShow(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	p, err := s.ticketPage(w, r, n)
	if err != nil {
		return err
	}
	if p.LeadsTo != 0 {
		return redirect(w, r, visitFrom(r.Context()).Base()+"/tickets/"+p.LeadsTo.String())
	}
	return s.render(w, r, http.StatusOK, ticketView(*p))
}

func (s *Server) ticketPage(w http.ResponseWriter, r *http.Request, n portal.TicketNumber) (*ticketPage, error) {
	visit := visitFrom(r.Context())
	before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if err != nil || before <= 0 {
		before = math.MaxInt64
	}
	t, err := s.app.TicketBefore(r.Context(), visit, n, portal.MessageID(before))
	if err != nil {
		return nil, err
	}
	v := s.view(w, r, "")
	v.Title = t.Ticket.Number.String() + " " + t.Ticket.Subject
	return newTicketPage(v, t), nil
}

func newTicketPage(v *view, t *app.TicketView) *ticketPage {
	p := &ticketPage{
		view: v, TicketView: t, Path: v.Base + "/tickets/" + t.Ticket.Number.String(),
		Status: v.status(t.Ticket.Status), Reply: filled(t.Draft), Invite: filled(nil), Files: v.fileLimits(),
	}
	if t.MayRate {
		p.Rating = filled(map[string]string{"comment": t.Ticket.RatingText})
		if t.Ticket.Rating > 0 {
			p.Rating.Values.Set("rating", strconv.Itoa(t.Ticket.Rating))
		}
	}
	p.YourTurn = t.Ticket.Status.CustomersTurn()
	if v.Agent {
		p.YourTurn = t.Ticket.Status == portal.New || t.Ticket.Status == portal.WaitingOnUs
	}
	p.messages()
	p.facts()
	p.people()
	for i := range t.Events {
		if e := &t.Events[i]; v.Agent || !e.Kind.Internal() {
			p.History = append(p.History, historyItem{Text: p.event(e), At: v.moment(e.At), Internal: e.Kind.Internal()})
		}
	}
	return p
}

// EarlierURL leads to the part of the conversation before the one shown.
func (p *ticketPage) EarlierURL() templ.SafeURL {
	return templ.SafeURL(p.Path + "?before=" + strconv.FormatInt(int64(p.Earlier), 10))
}

func (p *ticketPage) messages() {
	unread := false
	p.Messages = make([]messageItem, 0, len(p.TicketView.Messages))
	for i := range p.TicketView.Messages {
		m := &p.TicketView.Messages[i]
		item := messageItem{
			Anchor: "m" + strconv.FormatInt(int64(m.ID), 10), Note: m.Kind == portal.Note, Desk: m.Agent != 0,
			At: p.moment(m.At), Body: page.Body(m.Body, m.Format), Author: p.author(m),
		}
		if m.Quoted != "" {
			item.Quoted = page.Body(m.Quoted, portal.Plain)
		}
		item.Initials = page.Initials(item.Author)
		visit := p.Visit
		item.Mine = visit.Contact != nil && m.Contact == visit.Contact.ID || visit.Agent != nil && m.Agent == visit.Agent.ID
		if item.Desk && p.Visit.Portal.Tickets.ShowAgent == portal.AgentName && !p.Agent {
			item.AgentText = p.Portal
		}
		if !unread && p.UnreadFrom != 0 && m.ID > p.UnreadFrom && !item.Mine {
			item.FirstNew, unread = true, true
		}
		switch item.Class = "message"; {
		case item.Note:
			item.Class = "message note"
		case item.Mine:
			item.Class = "message mine"
		case item.Desk:
			item.Class = "message desk"
		}
		for j := range m.Files {
			item.Files = append(item.Files, p.fileItem(&m.Files[j]))
		}
		p.Messages = append(p.Messages, item)
	}
}

func (p *ticketPage) fileItem(f *portal.File) fileItem {
	path := p.Base + page.FileURL(f)
	item := fileItem{URL: templ.SafeURL(path), Name: f.Name, Size: p.Bytes(f.Size)}
	if page.ShownType(f.Type) {
		item.Picture = templ.SafeURL(path + "?inline")
	}
	return item
}

// author is who wrote a message, as the reader may know it.
func (p *ticketPage) author(m *portal.Message) string {
	switch {
	case m.Agent != 0:
		if name := p.agentName(m.AuthorName); name != "" {
			return name
		}
		return p.Portal
	case m.AuthorName != "":
		return m.AuthorName
	}
	return p.T("ticket.author_unknown")
}

func (p *ticketPage) facts() {
	t, v := p.Ticket, p.view
	add := func(label, value string) {
		if value != "" {
			p.Facts = append(p.Facts, fact{Label: label, Value: value})
		}
	}
	if t.Priority != "" && (v.Agent || t.Priority != portal.Normal || v.asks("priority")) {
		add(v.columnLabel(portal.ColumnPriority), v.T("priority."+string(t.Priority)))
	}
	add(v.columnLabel(portal.ColumnCategory), t.Category)
	add(v.T("column.company"), t.CompanyName)
	if v.Agent || v.Visit.Portal.Tickets.ShowAgent == portal.AgentName {
		add(v.T("column.assignee"), t.AssigneeName)
	}
	if v.Agent {
		add(v.T("ticket.inbox"), t.InboxName)
	}
	for _, f := range v.Visit.Portal.Tickets.Fields {
		if f.Key != "priority" && f.Key != "category" {
			add(f.Label, t.Fields[f.Key])
		}
	}
	p.Facts = append(p.Facts, fact{Label: v.T("column.created"), At: v.moment(t.CreatedAt)},
		fact{Label: v.T("column.updated"), At: v.moment(t.UpdatedAt)})
}

func (v *view) asks(key string) bool {
	for _, f := range v.Visit.Portal.Tickets.Fields {
		if f.Key == key {
			return true
		}
	}
	return false
}

// columnLabel is what a column is called: priority and category as the form
// calls them.
func (v *view) columnLabel(c portal.TicketColumn) string {
	label := v.T("column." + string(c))
	if c == portal.ColumnPriority || c == portal.ColumnCategory {
		return v.fieldLabel(string(c), label)
	}
	return label
}

func (v *view) fieldLabel(key, otherwise string) string {
	for _, f := range v.Visit.Portal.Tickets.Fields {
		if f.Key == key && f.Label != "" {
			return f.Label
		}
	}
	return otherwise
}

// event is a line of the history in words.
func (p *ticketPage) event(e *portal.Event) string {
	who := e.ByName
	switch {
	case e.By.Agent != 0:
		if who = p.agentName(who); who == "" {
			who = p.Portal
		}
	case e.By.Contact == 0:
		who = p.Portal
	case who == "":
		who = p.T("ticket.author_unknown")
	}
	from, to := e.From, e.To
	switch e.Kind {
	case portal.EventStatus:
		from, to = p.status(portal.Status(from)), p.status(portal.Status(to))
	case portal.EventPriority:
		from, to = p.T("priority."+from), p.T("priority."+to)
	case portal.EventConfidential:
		if to == "" || to == "off" || to == "false" || to == "0" {
			return p.T("event.confidential_off", "Who", who)
		}
		return p.T("event.confidential_on", "Who", who)
	case portal.EventMerged, portal.EventSplit:
		return p.T("event."+string(e.Kind)+way(to), "Who", who, "From", from, "To", to)
	case portal.EventPromised:
		if to == "" {
			return p.T("event.promise_removed", "Who", who)
		}
		to = p.timeOf(to)
	case portal.EventSnoozed:
		to = p.timeOf(to)
	case portal.EventWoken:
		if e.By == (portal.Actor{}) {
			return p.T("event.woken_by_time")
		}
	case portal.EventLinked:
		from = p.T("link." + from)
	case portal.EventField:
		to = p.fieldLabel(to, to)
	case portal.EventAssigned:
		if e.By == (portal.Actor{}) && to != "" {
			return p.T("event.assigned_by_rule", "To", to)
		}
		if to == "" {
			return p.T("event.unassigned", "Who", who)
		}
	case portal.EventCategory:
		if to == "" {
			return p.T("event.category_removed", "Who", who)
		}
	}
	return p.T("event."+string(e.Kind), "Who", who, "From", from, "To", to)
}

// way tells an event of the ticket that something went into from the one it
// came from.
func way(to string) string {
	if to != "" {
		return "_into"
	}
	return "_from"
}

// timeOf is a time of an event's value as the reader's pages show it.
func (v *view) timeOf(value string) string {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return value
	}
	return v.DateTime(at.In(v.Zone))
}

// whose says whose turn it is, from where the reader stands.
func (p *ticketPage) whose() string {
	who := p.Turn.Who
	if p.Agent {
		return p.T("turn.at_desk." + string(who))
	}
	return p.T("turn." + string(who))
}

// promise says when the reader hears again; "" when that was not said.
func (v *view) promise(t portal.Turn) string {
	switch {
	case t.Promised.IsZero():
		return ""
	case t.Overdue:
		return v.T("turn.promise_late", "When", v.DateTime(t.Promised.In(v.Zone)))
	}
	return v.T("turn.promise", "When", v.DateTime(t.Promised.In(v.Zone)))
}

func (s *Server) ticketReply(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	f, err := s.readForm(r)
	defer f.Close()
	visit, how := visitFrom(r.Context()), f.Value("how")
	done := "reply_sent"
	if err == nil {
		answer := app.Answer{Body: f.Value("body"), Files: f.Uploads(), Close: how == "close"}
		switch {
		case visit.Agent != nil && how == "note":
			answer.Note, done = true, "note_saved"
		case visit.Agent != nil && how != "public" && how != "close":
			// Nothing an agent writes becomes public by accident.
			err = portal.Invalidf("reply.how", "body", "choose whether the customer is to read this")
		case answer.Close:
			done = "closed"
		}
		if err == nil {
			err = s.app.Reply(r.Context(), visit, n, answer)
		}
	}
	if err != nil {
		return s.ticketAgain(w, r, n, f, err)
	}
	page.SetFlash(w, r, done)
	return redirect(w, r, visit.Base()+"/tickets/"+n.String()+"#end")
}

// ticketAgain shows the conversation with an answer that was refused.
func (s *Server) ticketAgain(w http.ResponseWriter, r *http.Request, n portal.TicketNumber, f *form, err error) error {
	if portal.KindOf(err) == portal.NotFound {
		return err
	}
	p, pageErr := s.ticketPage(w, r, n)
	if pageErr != nil {
		return errors.Join(pageErr, err)
	}
	p.Reply = f
	if !p.MayReply {
		p.Typed = f.Value("body")
	}
	s.refuse(w, r, p.view, f, err, "body", "files")
	return s.render(w, r, f.Status, ticketView(*p))
}

// done answers a change to a ticket that has no form of its own.
func (s *Server) ticketDone(w http.ResponseWriter, r *http.Request, n portal.TicketNumber, flash string, err error) error {
	if err != nil {
		return err
	}
	page.SetFlash(w, r, flash)
	return redirect(w, r, visitFrom(r.Context()).Base()+"/tickets/"+n.String())
}

func (s *Server) ticketClose(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	return s.ticketDone(w, r, n, "closed", s.app.CloseTicket(r.Context(), visitFrom(r.Context()), n))
}

func (s *Server) ticketReopen(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	return s.ticketDone(w, r, n, "reopened", s.app.ReopenTicket(r.Context(), visitFrom(r.Context()), n))
}

func (s *Server) ticketConfidential(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	f, err := s.readForm(r)
	if err != nil {
		return err
	}
	defer f.Close()
	on, flash := f.Value("confidential") == "on", "confidential_off"
	if on {
		flash = "confidential_on"
	}
	return s.ticketDone(w, r, n, flash, s.app.SetConfidential(r.Context(), visitFrom(r.Context()), n, on))
}

// replyDraft keeps an answer while it is being written; the script asks for it.
func (s *Server) replyDraft(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	return s.draft(w, r, n.String())
}

func (s *Server) newDraft(w http.ResponseWriter, r *http.Request) error {
	return s.draft(w, r, "new")
}

func (s *Server) draft(w http.ResponseWriter, r *http.Request, key string) error {
	f, err := s.readForm(r)
	defer f.Close()
	if err != nil {
		return err
	}
	if err := s.app.KeepDraft(r.Context(), visitFrom(r.Context()), key, draftFields(f)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
