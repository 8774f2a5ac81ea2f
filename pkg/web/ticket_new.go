package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// newPage is the form for a new ticket.
type newPage struct {
	*view
	*form
	Fields  []newField
	Follows string // the number of the closed ticket this one continues
	Company bool   // colleagues may see it, so confidential means something
	Kept    bool   // the form holds a draft
	Files   fileLimits
	Usual   time.Duration // how long first answers usually take; 0: unknown
}

// newField is a field the operator added.
type newField struct {
	portal.TicketField
	Name    string // of the input
	Label   string
	Options []option
}

func (s *Server) newPage(w http.ResponseWriter, r *http.Request, f *form) newPage {
	v := s.view(w, r, "")
	v.Title = v.T("new.title", "One", v.one)
	p := newPage{view: v, form: f, Files: v.fileLimits(), Company: v.Visit.Portal.Tickets.Permissions != portal.PermitContact}
	if n, err := portal.ParseTicketNumber(f.Value("follows")); err == nil {
		p.Follows = n.String()
	}
	p.Usual = s.app.UsualAnswer(r.Context(), v.Visit.Portal)
	for _, field := range v.Visit.Portal.Tickets.Fields {
		p.Fields = append(p.Fields, p.field(field))
	}
	return p
}

func (p *newPage) field(field portal.TicketField) newField {
	nf := newField{TicketField: field, Name: "field_" + field.Key, Label: field.Label}
	if nf.Label == "" {
		nf.Label = p.fieldName(field.Key)
	}
	chosen := p.Value(nf.Name)
	switch {
	case field.Key == "priority":
		if chosen == "" {
			chosen = string(portal.Normal)
		}
		for _, one := range portal.Priorities {
			nf.Options = append(nf.Options, option{Value: string(one), Label: p.T("priority." + string(one)), Chosen: chosen == string(one)})
		}
	case field.Type == portal.FieldChoice:
		nf.Options = append(nf.Options, option{Value: "", Label: p.T("new.choose"), Chosen: chosen == ""})
		for _, one := range field.Options {
			nf.Options = append(nf.Options, option{Value: one, Label: one, Chosen: chosen == one})
		}
	}
	return nf
}

func (s *Server) ticketForm(w http.ResponseWriter, r *http.Request) error {
	visit := visitFrom(r.Context())
	kept, err := s.app.Draft(r.Context(), visit, "new")
	if err != nil {
		return err
	}
	f := filled(kept)
	if follows := r.URL.Query().Get("follows"); follows != "" {
		f.Values.Set("follows", follows)
	}
	p := s.newPage(w, r, f)
	p.Kept = len(kept) > 0
	return s.render(w, r, http.StatusOK, newView(p))
}

func (s *Server) ticketOpen(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	visit := visitFrom(r.Context())
	var n portal.TicketNumber
	if err == nil {
		n, err = s.app.OpenTicket(r.Context(), visit, newTicket(visit, f))
	}
	if err != nil {
		p := s.newPage(w, r, f)
		s.refuse(w, r, p.view, f, err, "subject", "body", "participants", "files", "field_*")
		f.Call("body", p.T("new.body")) // in an answer it is the message
		return s.render(w, r, f.Status, newView(p))
	}
	page.SetFlash(w, r, "ticket_opened")
	return redirect(w, r, visit.Base()+"/tickets/"+n.String())
}

// newTicket binds the fields the form has, by name, and no others.
func newTicket(visit *app.Visit, f *form) app.NewTicket {
	t := app.NewTicket{
		Subject: f.Value("subject"), Body: f.Value("body"), Fields: map[string]string{},
		Confidential: f.Value("confidential") != "", Participants: addresses(f.Value("participants")), Files: f.Uploads(),
	}
	for _, field := range visit.Portal.Tickets.Fields {
		t.Fields[field.Key] = f.Value("field_" + field.Key)
	}
	if n, err := portal.ParseTicketNumber(f.Value("follows")); err == nil {
		t.Follows = n
	}
	return t
}

// addresses takes apart what somebody typed into one field.
func addresses(s string) []string {
	list := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",; \t\r\n", r) })
	return slices.Clip(list)
}
