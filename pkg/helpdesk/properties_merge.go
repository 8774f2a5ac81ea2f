package helpdesk

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// mergePage asks which ticket to merge one into, and shows what that does
// before it is done.
type mergePage struct {
	*view
	Ticket *portal.Ticket
	Path   templ.SafeURL
	Form   *page.Form
	Plan   *app.MergePlan // nil until a ticket was named
}

func (s *Server) mergeShow(w http.ResponseWriter, r *http.Request) error {
	return s.mergeAgain(w, r, nil, page.Filled(map[string]string{"into": r.URL.Query().Get("into")}))
}

func (s *Server) merge(w http.ResponseWriter, r *http.Request) error {
	n, err := ticketNumber(r)
	if err != nil {
		return err
	}
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	visit := visitFrom(r)
	var into portal.TicketNumber
	if err == nil {
		into, err = otherTicket(f.Value("into"), "into")
	}
	if err == nil {
		err = s.app.Merge(r.Context(), app.HandOf(visit), n, into, f.Value("seen"))
	}
	if err != nil {
		return s.mergeAgain(w, r, err, f)
	}
	page.SetFlash(w, r, "merged")
	return page.Redirect(w, r, visit.Portal.BasePath()+"/tickets/"+into.String())
}

// mergeAgain shows the page, with the plan of what would be done when a ticket
// is named.
func (s *Server) mergeAgain(w http.ResponseWriter, r *http.Request, err error, f *page.Form) error {
	panel, loadErr := s.propertiesPanel(w, r)
	if loadErr != nil {
		return loadErr
	}
	p := &mergePage{view: panel.view, Ticket: panel.Ticket, Path: templ.SafeURL(panel.Path + "/merge"), Form: f}
	p.Title = p.T("merge.title", "Number", p.Ticket.Number.String())
	if typed := f.Value("into"); typed != "" {
		into, planErr := otherTicket(typed, "into")
		if planErr == nil {
			p.Plan, planErr = s.app.PlanMerge(r.Context(), app.HandOf(p.Visit), p.Ticket.Number, into)
		}
		if err == nil {
			err = otherMissing(planErr, typed, "into")
		}
	}
	status := http.StatusOK
	if err != nil {
		f.Refuse(w, r, p.Printer, func(string) string { return p.T("merge.into") }, err, "into")
		status = f.Status
	}
	return page.Render(w, r, status, mergeView(p))
}

// Effects says, one sentence each, what the merge does.
func (p *mergePage) Effects() []string {
	plan := p.Plan
	from, into := plan.From.Number.String(), plan.Into.Number.String()
	list := []string{p.T("merge.moves", "From", from, "Into", into)}
	if len(plan.Joins) > 0 {
		list = append(list, p.T("merge.joins", "Names", people(plan.Joins), "Into", into))
	}
	if len(plan.Readers) > 0 {
		list = append(list, p.T("merge.readers", "Names", people(plan.Readers), "From", from))
	}
	if plan.Colleagues != "" {
		list = append(list, p.T("merge.colleagues", "Company", plan.Colleagues, "From", from))
	}
	if plan.Confidential {
		list = append(list, p.T("merge.confidential", "Into", into))
	}
	if len(plan.Loses) > 0 {
		list = append(list, p.T("merge.loses", "Companies", strings.Join(plan.Loses, ", ")))
	}
	if plan.Reopens {
		list = append(list, p.T("merge.reopens", "Into", into))
	}
	if plan.OtherInbox {
		list = append(list, p.T("merge.inbox", "Inbox", plan.Into.InboxName, "From", from))
	}
	return list
}

// people names contacts with their addresses, so that nobody is mistaken.
func people(list []portal.Contact) string {
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].ShownName()
		if list[i].Name != "" {
			names[i] += " <" + list[i].Email + ">"
		}
	}
	return strings.Join(names, ", ")
}

// splitPage asks at which message to split a ticket.
type splitPage struct {
	*view
	Ticket  *portal.Ticket
	Path    templ.SafeURL
	Form    *page.Form
	Choices []splitChoice
}

type splitChoice struct {
	ID, Author, Text string
	At               page.Moment
	Chosen           bool
}

func (s *Server) splitShow(w http.ResponseWriter, r *http.Request) error {
	return s.splitAgain(w, r, nil, page.Filled(map[string]string{"at": r.URL.Query().Get("at")}))
}

func (s *Server) split(w http.ResponseWriter, r *http.Request) error {
	n, err := ticketNumber(r)
	if err != nil {
		return err
	}
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	visit := visitFrom(r)
	var split portal.TicketNumber
	if err == nil {
		at, _ := strconv.ParseInt(f.Value("at"), 10, 64) // what is no number is no message
		split, err = s.app.Split(r.Context(), app.HandOf(visit), n, portal.MessageID(at), strings.TrimSpace(f.Value("subject")))
	}
	if err != nil {
		return s.splitAgain(w, r, err, f)
	}
	page.SetFlash(w, r, "split")
	return page.Redirect(w, r, visit.Portal.BasePath()+"/tickets/"+split.String())
}

func (s *Server) splitAgain(w http.ResponseWriter, r *http.Request, err error, f *page.Form) error {
	n, numberErr := ticketNumber(r)
	if numberErr != nil {
		return numberErr
	}
	t, messages, loadErr := s.app.SplitChoices(r.Context(), app.HandOf(visitFrom(r)), n)
	if loadErr != nil {
		return loadErr
	}
	v, viewErr := s.view(w, r, "")
	if viewErr != nil {
		return viewErr
	}
	p := &splitPage{view: v, Ticket: t, Path: templ.SafeURL(v.Base + "/tickets/" + n.String() + "/split"), Form: f}
	p.Title = p.T("split.title", "Number", n.String())
	for i := range messages {
		m := &messages[i]
		id := strconv.FormatInt(int64(m.ID), 10)
		p.Choices = append(p.Choices, splitChoice{id, m.AuthorName, firstWords(m), v.moment(m.At), id == f.Value("at")})
	}
	status := http.StatusOK
	if err != nil {
		// The page is there; it is the message that is not.
		if portal.KindOf(err) == portal.NotFound {
			err = portal.Invalidf("ticket.split_message", "at", "%v", err)
		}
		f.Refuse(w, r, p.Printer, func(field string) string { return p.T("split." + field) }, err, "at", "subject")
		status = f.Status
	}
	return page.Render(w, r, status, splitView(p))
}

// firstWords is the beginning of a message, by which its reader knows it.
func firstWords(m *portal.Message) string {
	const most = 160
	text := m.Body
	if m.Format == portal.HTML {
		text = htmlText(text)
	}
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most]) + "…"
}

// htmlText is what an HTML text says, without its markup.
func htmlText(text string) string {
	var b strings.Builder
	for z := html.NewTokenizer(strings.NewReader(text)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.Write(z.Text())
			b.WriteByte(' ')
		}
	}
}
