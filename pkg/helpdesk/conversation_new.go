package helpdesk

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// newTicketPage is the form for a ticket that an agent opens for somebody.
type newTicketPage struct {
	*view
	Form    *page.Form
	Search  string
	Found   []portal.Contact
	Inboxes []page.Option
	Portals []page.Option
	Unknown bool // nobody has the address: offer to add them
}

// newTicketFields are those of the form.
var newTicketFields = []string{"email", "name", "add", "subject", "body", "inbox", "portal", "as"}

func (s *Server) ticketNew(w http.ResponseWriter, r *http.Request) error {
	form, err := s.app.NewDraft(r.Context(), visitFrom(r))
	if err != nil {
		return err
	}
	f := page.Filled(form)
	get := r.URL.Query()
	if address := get.Get("email"); address != "" {
		f.Values.Set("email", address)
	}
	p, err := s.newTicketPage(w, r, f, get.Get("contact"))
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, newTicketView(p))
}

func (s *Server) newTicketPage(w http.ResponseWriter, r *http.Request, f *page.Form, words string) (*newTicketPage, error) {
	v, err := s.view(w, r, "talk.new_title")
	if err != nil {
		return nil, err
	}
	o, err := s.app.DeskOpening(r.Context(), v.Visit, words)
	if err != nil {
		return nil, err
	}
	v.Nav = "new"
	p := &newTicketPage{view: v, Form: f, Search: words, Found: o.Found}
	for _, i := range o.Inboxes {
		id := strconv.FormatInt(int64(i.ID), 10)
		p.Inboxes = append(p.Inboxes, page.Option{Value: id, Label: i.Name, Chosen: f.Value("inbox") == id})
	}
	for _, one := range o.Portals {
		id := strconv.FormatInt(int64(one.ID), 10)
		p.Portals = append(p.Portals, page.Option{Value: id, Label: one.Name, Chosen: f.Value("portal") == id})
	}
	return p, nil
}

func (s *Server) ticketCreate(w http.ResponseWriter, r *http.Request) error {
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	var n portal.TicketNumber
	if err == nil {
		inbox, _ := strconv.ParseInt(f.Value("inbox"), 10, 64)  // what is no number is the portal's
		where, _ := strconv.ParseInt(f.Value("portal"), 10, 64) // what is no number is the inbox's
		n, err = s.app.OpenFor(r.Context(), visitFrom(r), app.NewForContact{
			Email: f.Value("email"), Name: f.Value("name"), Add: f.Value("add") != "", Subject: f.Value("subject"), Body: f.Value("body"),
			Inbox: portal.InboxID(max(inbox, 0)), Portal: portal.PortalID(max(where, 0)), AsAgent: f.Value("as") == "agent",
		})
	}
	if err == nil {
		return s.ticketDone(w, r, n, "talk_opened", nil)
	}
	p, pageErr := s.newTicketPage(w, r, f, "")
	if pageErr != nil {
		return errors.Join(pageErr, err)
	}
	for _, e := range portal.Errors(err) {
		p.Unknown = p.Unknown || e.Code == "desk.no_contact"
	}
	f.Refuse(w, r, p.Printer, p.label, err, "email", "subject", "body", "name")
	return page.Render(w, r, f.Status, newTicketView(p))
}

// ticketNewDraft keeps what is being written; the script asks for it.
func (s *Server) ticketNewDraft(w http.ResponseWriter, r *http.Request) error {
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	if err != nil {
		return err
	}
	form := map[string]string{}
	for _, name := range newTicketFields {
		form[name] = f.Value(name)
	}
	if err := s.app.KeepNewDraft(r.Context(), visitFrom(r), form); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// historyPage is everything that happened to a ticket.
type historyPage struct {
	*view
	Number, Subject, Path string
	Events                []historyLine
	Audit                 []historyLine
}

type historyLine struct {
	At        page.Moment
	Who, Text string
	Changes   []string
}

func (s *Server) ticketHistory(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	v, err := s.view(w, r, "")
	if err != nil {
		return err
	}
	h, err := s.app.DeskHistory(r.Context(), v.Visit, n)
	if err != nil {
		return err
	}
	v.Title = v.T("talk.history_title", "Number", n.String())
	p := historyPage{view: v, Number: n.String(), Subject: h.Ticket.Subject, Path: v.Base + "/tickets/" + n.String()}
	for i := range h.Events {
		p.Events = append(p.Events, historyLine{At: v.moment(h.Events[i].At), Text: v.event(&h.Events[i])})
	}
	for i := range h.Audit {
		l := &h.Audit[i]
		line := historyLine{At: v.moment(l.At), Who: l.Who, Text: string(l.Kind)}
		for _, c := range l.Changed {
			text := c.Field + ": " + c.To
			if c.From != "" {
				text = c.Field + ": " + c.From + " → " + c.To
			}
			line.Changes = append(line.Changes, text)
		}
		p.Audit = append(p.Audit, line)
	}
	return page.Render(w, r, http.StatusOK, historyView(p))
}
