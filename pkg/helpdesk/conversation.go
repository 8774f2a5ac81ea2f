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

// conversationRoutes are a ticket's page and everything that is done there.
func (s *Server) conversationRoutes() []route {
	return []route{
		{"GET /tickets/new", s.ticketNew, agents, noBody},
		{"POST /tickets/new", s.ticketCreate, agents, text},
		{"POST /tickets/new/draft", s.ticketNewDraft, agents, text},
		{"GET /tickets/{number}", s.conversation, agents, noBody},
		{"GET /tickets/{number}/history", s.ticketHistory, agents, noBody},
		{"POST /tickets/{number}/answers", s.answerSend, agents, uploads},
		{"POST /tickets/{number}/notes", s.noteSave, agents, uploads},
		{"POST /tickets/{number}/compose/{mode}", s.compose, agents, uploads},
		{"POST /tickets/{number}/draft/{mode}", s.draftKeep, agents, text},
		{"POST /tickets/{number}/preview", s.preview, agents, text},
		{"GET /tickets/{number}/canned/{id}", s.cannedFilled, agents, noBody},
		{"POST /tickets/{number}/presence", s.presence, agents, small},
		{"POST /tickets/{number}/undo/{id}", s.answerUndo, agents, small},
		{"POST /tickets/{number}/close", s.conversationClose, agents, small},
		{"POST /tickets/{number}/reopen", s.conversationReopen, agents, small},
		{"POST /tickets/{number}/participants", s.participantAdd, agents, small},
		{"POST /tickets/{number}/participants/{id}/remove", s.participantRemove, agents, small},
		{"GET /canned", s.cannedList, agents, noBody},
		{"GET /canned/new", s.cannedNew, agents, noBody},
		{"POST /canned/new", s.cannedSave, agents, text},
		{"GET /canned/{id}", s.cannedEdit, agents, noBody},
		{"POST /canned/{id}", s.cannedSave, agents, text},
		{"POST /canned/{id}/remove", s.cannedRemove, agents, small},
	}
}

// conversationPage is a ticket as agents work on it.
type conversationPage struct {
	*view
	*app.Conversation
	Path    string // the ticket's own, below the host
	Status  string
	OurTurn bool
	Items   []talkItem
	Present []string
	Seen    []string // who has seen the newest answer
	Newer   []talkItem
	Invite  *page.Form

	Answer composer
	Note   composer
	Card   contactCard
	People []talkPerson
	Props  *propertiesPanel
}

// talkItem is an entry of the conversation: a message, an answer that waits,
// or something that happened.
type talkItem struct {
	Anchor   string
	Class    string
	Event    string // what happened; "": a message
	Word     string // what kind of message it is, for who does not see colours
	Icon     string
	Author   string
	Mine     bool
	At       page.Moment
	Body     templ.Component
	Quoted   string
	ByMail   string // says that it came by mail
	Called   bool   // the reader is named in it
	Files    []talkFile
	Undo     templ.SafeURL // of an answer that waits and is the reader's
	Due      string
	DueWords string
}

// again is the entry as it stands a second time on the page.
func (m *talkItem) again() *talkItem {
	other := *m
	other.Anchor, other.Due, other.Undo = "again-"+m.Anchor, "", ""
	return &other
}

// urlQuery is a text as it stands in an address.
func urlQuery(s string) string { return url.QueryEscape(s) }

type talkFile struct {
	URL, Picture templ.SafeURL
	Name, Size   string
}

// talkPerson takes part in the ticket.
type talkPerson struct {
	Name, Email, Role, Mail string
	Remove                  templ.SafeURL
}

func number(r *http.Request) (portal.TicketNumber, error) {
	n, err := portal.ParseTicketNumber(r.PathValue("number"))
	if err != nil {
		return 0, portal.NotFoundf("ticket.none", "there is no such ticket")
	}
	return n, nil
}

func (s *Server) conversation(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	p, err := s.conversationPage(w, r, n)
	if err != nil {
		return err
	}
	switch mode := portal.DeskMode(r.URL.Query().Get("preview")); {
	case mode == portal.ModeNote && p.Note.Form.Value("body") != "":
		p.Note.preview()
	case mode == portal.ModeAnswer && p.Answer.Form.Value("body") != "":
		p.Answer.preview()
	}
	return page.Render(w, r, http.StatusOK, conversationView(p))
}

func (s *Server) conversationPage(w http.ResponseWriter, r *http.Request, n portal.TicketNumber) (*conversationPage, error) {
	v, err := s.view(w, r, "")
	if err != nil {
		return nil, err
	}
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // what is no number is the newest part
	c, err := s.app.Conversation(r.Context(), v.Visit, n, portal.MessageID(before))
	if err != nil {
		return nil, err
	}
	props, err := s.app.Properties(r.Context(), app.HandOf(v.Visit), n)
	if err != nil {
		return nil, err
	}
	v.Title = n.String() + " " + c.Ticket.Subject
	p := newConversationPage(v, c, r.URL.Query().Get("mode"))
	p.Props = newPropertiesPanel(v, props)
	return p, nil
}

func newConversationPage(v *view, c *app.Conversation, mode string) *conversationPage {
	p := &conversationPage{view: v, Conversation: c, Status: v.status(c.Ticket.Status), Invite: page.Filled(nil)}
	p.Path = v.Base + "/tickets/" + c.Ticket.Number.String()
	p.OurTurn = c.Ticket.Status == portal.New || c.Ticket.Status == portal.WaitingOnUs
	p.items()
	p.waiting()
	p.present()
	p.people()
	p.seen()
	p.composers(mode)
	p.card()
	return p
}

// EarlierURL leads to the part of the conversation before the one shown.
func (p *conversationPage) EarlierURL() templ.SafeURL {
	return templ.SafeURL(p.Path + "?before=" + strconv.FormatInt(int64(p.Earlier), 10))
}

// At is the address of something of the ticket.
func (p *conversationPage) At(path string) templ.SafeURL { return templ.SafeURL(p.Path + path) }

// items puts messages and what happened between them in one order.
func (p *conversationPage) items() {
	called := map[portal.MessageID]bool{}
	for _, m := range p.Mentions {
		called[m.Message] = true
	}
	messages := p.TicketView.Messages
	from, until := time.Time{}, time.Time{}
	if p.Earlier != 0 && len(messages) > 0 {
		from = messages[0].At
	}
	if p.Later && len(messages) > 0 {
		until = messages[len(messages)-1].At
	}
	next := 0
	happened := func(before time.Time) {
		for ; next < len(p.Events) && (before.IsZero() || p.Events[next].At.Before(before) || p.Events[next].Kind == portal.EventCreated); next++ {
			e := &p.Events[next]
			if e.Kind == portal.EventReplied || e.Kind == portal.EventNoted || e.At.Before(from) || !until.IsZero() && e.At.After(until) {
				continue // the message itself stands there, or it belongs to another part
			}
			p.Items = append(p.Items, talkItem{Class: "talk-event", Event: p.event(e), At: p.moment(e.At)})
		}
	}
	for i := range messages {
		happened(messages[i].At)
		item := p.message(&messages[i])
		item.Called = called[messages[i].ID]
		p.Items = append(p.Items, item)
	}
	happened(time.Time{})
}

// message makes a message ready to be shown. What customers read and what they
// do not differ in colour, border, drawing and word.
func (v *view) message(m *portal.Message) talkItem {
	item := talkItem{
		Anchor: "m" + strconv.FormatInt(int64(m.ID), 10), Author: m.AuthorName, At: v.moment(m.At),
		Body: page.Body(m.Body, m.Format), Quoted: m.Quoted, Mine: m.Agent != 0 && m.Agent == v.Agent.ID,
	}
	if item.Author == "" {
		item.Author = v.T("ticket.author_unknown")
	}
	if m.Via == portal.ByMail {
		item.ByMail = v.T("talk.by_mail")
	}
	switch {
	case m.Kind != portal.Public:
		item.Class, item.Word, item.Icon = "message note talk-note", v.T("talk.word_note"), "eye-off"
	case m.Agent != 0:
		item.Class, item.Word, item.Icon = "message desk talk-public", v.T("talk.word_answer"), "send"
	default:
		item.Class, item.Word, item.Icon = "message talk-customer", v.T("talk.word_customer"), "user"
	}
	for i := range m.Files {
		item.Files = append(item.Files, v.file(&m.Files[i]))
	}
	return item
}

func (v *view) file(f *portal.File) talkFile {
	path := v.Base + page.FileURL(f)
	one := talkFile{URL: templ.SafeURL(path), Name: f.Name, Size: v.Bytes(f.Size)}
	if page.ShownType(f.Type) {
		one.Picture = templ.SafeURL(path + "?inline")
	}
	return one
}

// waiting adds the answers that are about to be sent.
func (p *conversationPage) waiting() {
	for i := range p.Waiting {
		a := &p.Waiting[i]
		item := talkItem{
			Anchor: "a" + strconv.FormatInt(int64(a.ID), 10), Class: "message desk talk-waiting", Word: p.T("talk.word_waiting"), Icon: "clock",
			Author: a.AgentName, Mine: a.Agent == p.Agent.ID, At: p.moment(a.CreatedAt), Body: page.Body(a.Body, portal.Markdown),
		}
		for _, f := range a.Files {
			item.Files = append(item.Files, talkFile{Name: f.Name, Size: p.Bytes(f.Size)})
		}
		left := max(a.DueAt.Sub(p.Conversation.Now).Round(time.Second), 0)
		item.Due, item.DueWords = strconv.FormatInt(left.Milliseconds(), 10), p.T("talk.sending_in", "Seconds", int(left.Seconds()))
		if item.Mine {
			item.Undo = p.At("/undo/" + strconv.FormatInt(int64(a.ID), 10))
		}
		p.Items = append(p.Items, item)
	}
}

// present says in words who else has the page open.
func (p *conversationPage) present() { p.Present = p.presentWords(p.Conversation.Present) }

func (v *view) presentWords(list []portal.Presence) []string {
	words := []string{}
	for _, one := range list {
		words = append(words, v.T("talk.present."+string(one.Mode), "Name", one.Name))
	}
	return words
}

// people lists who takes part, and whether mail reaches them.
func (p *conversationPage) people() {
	for i := range p.Parties {
		one := &p.Parties[i]
		person := talkPerson{Name: one.ShownName(), Email: one.Email}
		if i == 0 {
			person.Role = p.T("ticket.requester")
		} else {
			person.Remove = p.At("/participants/" + strconv.FormatInt(int64(one.Contact), 10) + "/remove")
		}
		switch {
		case one.Erased:
			person.Mail = p.T("talk.mail_erased")
		case one.Bounced:
			person.Mail = p.T("talk.mail_bounced")
		case one.Notify == "none":
			person.Mail = p.T("talk.mail_none")
		case one.Notify == "digest":
			person.Mail = p.T("talk.mail_digest")
		}
		p.People = append(p.People, person)
	}
}

// seen says who has read the newest message of the desk's.
func (p *conversationPage) seen() {
	last := portal.MessageID(0)
	for i := range p.TicketView.Messages {
		if m := &p.TicketView.Messages[i]; m.Kind == portal.Public && m.Agent != 0 {
			last = m.ID
		}
	}
	if last == 0 || p.Later {
		return
	}
	for i := range p.Parties {
		one := &p.Parties[i]
		switch {
		case one.Seen < last:
		case one.SeenAt.IsZero():
			p.Seen = append(p.Seen, p.T("talk.seen", "Name", one.ShownName()))
		default:
			p.Seen = append(p.Seen, p.T("talk.seen_at", "Name", one.ShownName(), "When", p.Relative(p.Conversation.Now, one.SeenAt)))
		}
	}
}

// event is something that happened, in words.
func (v *view) event(e *portal.Event) string {
	who := e.ByName
	switch {
	case e.By.Operator:
		who = v.T("talk.operator")
	case e.By.Contact == 0 && e.By.Agent == 0:
		who = v.T("talk.program")
	case who == "":
		who = v.T("ticket.author_unknown")
	}
	key, from, to := "event."+string(e.Kind), e.From, e.To
	switch e.Kind {
	case portal.EventStatus:
		from, to = v.status(portal.Status(from)), v.status(portal.Status(to))
	case portal.EventPriority:
		from, to = v.T("priority."+from), v.T("priority."+to)
	case portal.EventConfidential:
		if key = "event.confidential_on"; to != "on" {
			key = "event.confidential_off"
		}
	case portal.EventAssigned:
		switch {
		case to == "":
			key = "event.unassigned"
		case e.By == (portal.Actor{}):
			key = "event.assigned_by_rule"
		}
	case portal.EventCategory:
		if to == "" {
			key = "event.category_removed"
		}
	case portal.EventSnoozed, portal.EventPromised:
		if at, err := time.Parse(time.RFC3339, to); err == nil {
			to = v.DateTime(at.In(v.Zone))
		} else if e.Kind == portal.EventPromised {
			key = "event.promise_removed"
		}
	case portal.EventWoken:
		if e.By == (portal.Actor{}) {
			key = "event.woken_by_time"
		}
	case portal.EventMerged, portal.EventSplit:
		if key += "_from"; to != "" {
			key = strings.TrimSuffix(key, "_from") + "_into"
		}
	case portal.EventLinked:
		if link := "life.link." + from; v.Has(link) {
			from = v.T(link)
		}
	}
	if !v.Has(key) {
		return who + ": " + string(e.Kind)
	}
	return v.T(key, "Who", who, "From", from, "To", to)
}

// ticketDone answers a change that has no form of its own.
func (s *Server) ticketDone(w http.ResponseWriter, r *http.Request, n portal.TicketNumber, flash string, err error) error {
	if err != nil {
		return err
	}
	page.SetFlash(w, r, flash)
	return page.Redirect(w, r, visitFrom(r).Portal.BasePath()+"/tickets/"+n.String())
}

func (s *Server) conversationClose(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	return s.ticketDone(w, r, n, "talk_closed", s.app.CloseTicket(r.Context(), visitFrom(r), n))
}

func (s *Server) conversationReopen(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	return s.ticketDone(w, r, n, "talk_reopened", s.app.ReopenTicket(r.Context(), visitFrom(r), n))
}

func (s *Server) participantAdd(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	if err == nil {
		err = s.app.AddParticipant(r.Context(), visitFrom(r), n, f.Value("participant"))
	}
	if err == nil || portal.KindOf(err) == portal.NotFound {
		return s.ticketDone(w, r, n, "talk_added", err)
	}
	p, pageErr := s.conversationPage(w, r, n)
	if pageErr != nil {
		return pageErr
	}
	p.Invite = f
	f.Refuse(w, r, p.Printer, p.label, err, "participant")
	return page.Render(w, r, f.Status, conversationView(p))
}

func (s *Server) participantRemove(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return portal.NotFoundf("page.none", "there is no such participant")
	}
	return s.ticketDone(w, r, n, "talk_removed", s.app.RemoveParticipant(r.Context(), visitFrom(r), n, portal.ContactID(id)))
}

// label is what a field of the ticket's forms is called.
func (v *view) label(field string) string { return v.T("talk.field." + field) }
