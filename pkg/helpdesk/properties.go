package helpdesk

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// propertiesPanel is what stands beside a conversation: whose turn it is, how
// the targets stand, and everything that can be changed, as forms that need no
// script.
type propertiesPanel struct {
	*view
	*app.Properties
	Path  string // the ticket's own
	Form  *page.Form
	Alone bool // a page of its own: forms lead back to it
}

func newPropertiesPanel(v *view, p *app.Properties) *propertiesPanel {
	return &propertiesPanel{view: v, Properties: p, Path: v.Base + "/tickets/" + p.Ticket.Number.String(), Form: page.Filled(nil)}
}

// propertyRoutes are everything the panel's forms and links lead to.
func (s *Server) propertyRoutes() []route {
	change := func(name string, do propertyChange) route {
		return route{"POST /tickets/{number}/properties/" + name, s.changeProperty(do), agents, small}
	}
	return []route{
		{"GET /tickets/{number}/properties", s.propertiesShow, agents, noBody},
		change("assign", s.assign),
		change("set", s.setProperties),
		change("confidential", s.confide),
		change("tags", s.tag),
		change("snooze", s.snooze),
		change("promise", s.promise),
		change("links", s.link),
		{"GET /tickets/{number}/merge", s.mergeShow, agents, noBody},
		{"POST /tickets/{number}/merge", s.merge, agents, small},
		{"GET /tickets/{number}/split", s.splitShow, agents, noBody},
		{"POST /tickets/{number}/split", s.split, agents, small},
	}
}

// ticketNumber reads the number in a request's path. What is none is no ticket
// either; there is one answer for both.
func ticketNumber(r *http.Request) (portal.TicketNumber, error) {
	n, err := portal.ParseTicketNumber(r.PathValue("number"))
	if err != nil {
		return 0, portal.NotFoundf("ticket.none", "there is no such ticket")
	}
	return n, nil
}

// propertiesPanel loads the panel of the ticket in the path.
func (s *Server) propertiesPanel(w http.ResponseWriter, r *http.Request) (*propertiesPanel, error) {
	n, err := ticketNumber(r)
	if err != nil {
		return nil, err
	}
	p, err := s.app.Properties(r.Context(), app.HandOf(visitFrom(r)), n)
	if err != nil {
		return nil, err
	}
	v, err := s.view(w, r, "")
	if err != nil {
		return nil, err
	}
	v.Title = n.String() + " " + p.Ticket.Subject
	return newPropertiesPanel(v, p), nil
}

func (s *Server) propertiesShow(w http.ResponseWriter, r *http.Request) error {
	p, err := s.propertiesPanel(w, r)
	if err != nil {
		return err
	}
	p.Alone = true
	return page.Render(w, r, http.StatusOK, propertiesView(p))
}

// propertyChange does what one of the panel's forms asks for.
type propertyChange func(ctx context.Context, h app.Hand, n portal.TicketNumber, f *page.Form, zone *time.Location) error

// changeProperty lets a form through to what it changes, and leads back. What
// was refused comes back with what was typed.
func (s *Server) changeProperty(do propertyChange) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		n, err := ticketNumber(r)
		if err != nil {
			return err
		}
		f, err := page.ReadForm(r, s.tempDir)
		defer f.Close()
		visit := visitFrom(r)
		if err == nil {
			err = do(r.Context(), app.HandOf(visit), n, f, page.ZoneOf(visit))
		}
		if err == nil {
			page.SetFlash(w, r, "property_saved")
			return page.Redirect(w, r, propertiesBack(visit, n, f))
		}
		if portal.KindOf(err) == portal.NotFound {
			return err
		}
		p, loadErr := s.propertiesPanel(w, r)
		if loadErr != nil {
			return loadErr
		}
		p.Form, p.Alone = f, true
		f.Refuse(w, r, p.Printer, p.propertyLabel, err, "tags", "until", "promise", "other", "to", "priority", "category", "inbox", "subject", "field_*")
		return page.Render(w, r, f.Status, propertiesView(p))
	}
}

// propertiesBack is the page a form of the panel was on.
func propertiesBack(v *app.Visit, n portal.TicketNumber, f *page.Form) string {
	to := v.Portal.BasePath() + "/tickets/" + n.String()
	if f.Value("back") == "properties" {
		to += "/properties"
	}
	return to
}

func (p *propertiesPanel) propertyLabel(field string) string {
	if key, ok := strings.CutPrefix(field, "field_"); ok {
		for _, f := range p.Fields {
			if f.Key == key {
				return f.Label
			}
		}
		return key
	}
	return p.T("prop." + field)
}

func (s *Server) assign(ctx context.Context, h app.Hand, n portal.TicketNumber, f *page.Form, _ *time.Location) error {
	id, err := strconv.ParseInt(f.Value("to"), 10, 64)
	if err != nil {
		return portal.Invalidf("agent.none", "to", "%q is not an agent", f.Value("to"))
	}
	_, err = s.app.Assign(ctx, h, n, portal.AgentID(id))
	return err
}

func (s *Server) setProperties(ctx context.Context, h app.Hand, n portal.TicketNumber, f *page.Form, _ *time.Location) error {
	var patch app.TicketPatch
	if f.Value("priority") != "" {
		p, err := portal.ParsePriority(f.Value("priority"))
		if err != nil {
			return err
		}
		patch.Priority = &p
	}
	for name, to := range map[string]**string{"category": &patch.Category, "subject": &patch.Subject} {
		if f.Values.Has(name) {
			*to = new(f.Value(name))
		}
	}
	if id, err := strconv.ParseInt(f.Value("inbox"), 10, 64); err == nil {
		patch.Inbox = new(portal.InboxID(id))
	}
	for name := range f.Values {
		if key, ok := strings.CutPrefix(name, "field_"); ok {
			if patch.Fields == nil {
				patch.Fields = map[string]string{}
			}
			patch.Fields[key] = f.Value(name)
		}
	}
	_, err := s.app.SetTicket(ctx, h, n, patch)
	return err
}

func (s *Server) confide(ctx context.Context, h app.Hand, n portal.TicketNumber, f *page.Form, _ *time.Location) error {
	_, err := s.app.SetTicket(ctx, h, n, app.TicketPatch{Confidential: new(f.Value("confidential") == "on")})
	return err
}

func (s *Server) tag(ctx context.Context, h app.Hand, n portal.TicketNumber, f *page.Form, _ *time.Location) error {
	_, err := s.app.TagTicket(ctx, h, n, f.Value("tags"), f.Value("remove"))
	return err
}

func (s *Server) snooze(ctx context.Context, h app.Hand, n portal.TicketNumber, f *page.Form, zone *time.Location) error {
	if f.Value("wake") != "" {
		_, err := s.app.Wake(ctx, h, n)
		return err
	}
	until, err := s.ahead(f, "until", zone)
	if err == nil {
		_, err = s.app.Snooze(ctx, h, n, until)
	}
	return err
}

func (s *Server) promise(ctx context.Context, h app.Hand, n portal.TicketNumber, f *page.Form, zone *time.Location) error {
	if f.Value("none") != "" {
		_, err := s.app.Promise(ctx, h, n, time.Time{})
		return err
	}
	at, err := s.ahead(f, "promise", zone)
	if err == nil {
		_, err = s.app.Promise(ctx, h, n, at)
	}
	return err
}

// aheadChoices are the times the panel offers.
var aheadChoices = []string{"hour", "three_hours", "evening", "tomorrow", "monday"}

// morning is when a day begins for what is put off to it.
const morning, evening = 9, 17

// ahead is a time that was chosen or typed, as the reader's clock shows it.
func (s *Server) ahead(f *page.Form, field string, zone *time.Location) (time.Time, error) {
	if typed := f.Value(field); typed != "" {
		at, err := time.ParseInLocation("2006-01-02T15:04", typed, zone)
		if err != nil {
			return at, portal.Invalidf("ticket.time", field, "%q is not a time", typed)
		}
		return at, nil
	}
	now := s.now().In(zone)
	at := func(days, hour int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, hour, 0, 0, 0, zone)
	}
	switch f.Value("in") {
	case "hour":
		return now.Add(time.Hour), nil
	case "three_hours":
		return now.Add(3 * time.Hour), nil
	case "evening":
		if today := at(0, evening); today.After(now) {
			return today, nil
		}
		return at(1, evening), nil
	case "tomorrow":
		return at(1, morning), nil
	case "monday":
		days := (int(time.Monday-now.Weekday())+6)%7 + 1
		return at(days, morning), nil
	}
	return time.Time{}, portal.Invalidf("field.required", field, "no time was chosen")
}

func (s *Server) link(ctx context.Context, h app.Hand, n portal.TicketNumber, f *page.Form, _ *time.Location) error {
	if gone := f.Value("unlink"); gone != "" {
		other, err := portal.ParseTicketNumber(gone)
		if err == nil {
			_, err = s.app.UnlinkTickets(ctx, h, n, other)
		}
		return err
	}
	kind, err := portal.ParseLinkKind(f.Value("kind"))
	if err != nil {
		return err
	}
	other, err := otherTicket(f.Value("other"), "other")
	if err == nil {
		_, err = s.app.LinkTickets(ctx, h, n, kind, other)
	}
	return otherMissing(err, f.Value("other"), "other")
}

// otherTicket reads the number of another ticket in a form's field.
func otherTicket(typed, field string) (portal.TicketNumber, error) {
	n, err := portal.ParseTicketNumber(typed)
	if err != nil {
		return 0, portal.Invalidf("ticket.number", field, "%q is not a ticket number; write it like T-1042", typed)
	}
	return n, nil
}

// otherMissing tells a form that the other ticket is not there: the page is.
func otherMissing(err error, typed, field string) error {
	if portal.KindOf(err) != portal.NotFound {
		return err
	}
	return portal.Invalidf("ticket.other_none", field, "there is no ticket %s that you see", typed).With("Number", typed)
}

// The panel's words.

// clockItem is how a target stands, ready to be shown.
type clockItem struct {
	Label, Words, Icon, Class string
	Due                       page.Moment
	Paused                    bool
}

// Clocks are the targets the ticket has.
func (p *propertiesPanel) Clocks() []clockItem {
	var items []clockItem
	for _, one := range []struct {
		label string
		clock portal.Clock
	}{{"prop.answer", p.Answer}, {"prop.resolve", p.Resolve}} {
		if one.clock.State != "" {
			items = append(items, p.clockItem(p.T(one.label), one.clock))
		}
	}
	return items
}

// clockItem says how a target stands: by word and icon, not by colour alone.
func (v *view) clockItem(label string, k portal.Clock) clockItem {
	left := max(k.Left, -k.Left).Round(time.Minute)
	c := clockItem{Label: label, Icon: "clock", Class: "clock clock-" + string(k.State), Due: v.moment(k.Due), Paused: k.Paused}
	key := string(k.State)
	switch k.State {
	case portal.ClockMet:
		c.Icon = "circle-check"
	case portal.ClockLate:
		c.Icon = "circle-alert"
		if !k.Done.IsZero() {
			key = "late_done"
		}
	}
	switch {
	case left < time.Minute:
		left = time.Minute
	case left >= 48*time.Hour:
		left = left.Truncate(24 * time.Hour)
	case left >= 2*time.Hour:
		left = left.Truncate(time.Hour)
	}
	c.Words = v.T("clock."+key, "Time", v.Duration(left))
	return c
}

// Whose says whose turn it is.
func (p *propertiesPanel) Whose() string { return p.T("turn.at_desk." + string(p.Turn.Who)) }

// AgentOptions are who may have the ticket.
func (p *propertiesPanel) AgentOptions() []page.Option {
	list := []page.Option{{Value: "0", Label: p.T("prop.nobody"), Chosen: p.Ticket.Assignee == 0}}
	for i := range p.Agents {
		a := &p.Agents[i]
		label := a.Name
		if a.Away {
			label = p.T("prop.away", "Name", a.Name)
		}
		list = append(list, page.Option{Value: strconv.FormatInt(int64(a.ID), 10), Label: label, Chosen: a.ID == p.Ticket.Assignee})
	}
	if !slices.ContainsFunc(list, func(o page.Option) bool { return o.Chosen }) {
		// Somebody who does not see the inbox any more still has it.
		list = append(list, page.Option{Value: strconv.FormatInt(int64(p.Ticket.Assignee), 10), Label: p.Ticket.AssigneeName, Chosen: true})
	}
	return list
}

// PriorityOptions are the priorities, the most urgent first.
func (p *propertiesPanel) PriorityOptions() (list []page.Option) {
	for _, one := range slices.Backward(portal.Priorities) {
		list = append(list, page.Option{Value: string(one), Label: p.T("priority." + string(one)), Chosen: one == p.Ticket.Priority})
	}
	return list
}

// CategoryOptions are the categories of the portal's form, and what the ticket
// has.
func (p *propertiesPanel) CategoryOptions() []page.Option {
	list := []page.Option{{Value: "", Label: p.T("prop.none"), Chosen: p.Ticket.Category == ""}}
	names := p.Categories
	if p.Ticket.Category != "" && !slices.Contains(names, p.Ticket.Category) {
		names = append(slices.Clone(names), p.Ticket.Category)
	}
	for _, name := range names {
		list = append(list, page.Option{Value: name, Label: name, Chosen: name == p.Ticket.Category})
	}
	return list
}

// InboxOptions are where the ticket can lie.
func (p *propertiesPanel) InboxOptions() (list []page.Option) {
	for _, i := range p.Inboxes {
		list = append(list, page.Option{Value: strconv.FormatInt(int64(i.ID), 10), Label: i.Name, Chosen: i.ID == p.Ticket.InboxID})
	}
	return list
}

// AheadOptions are the times offered.
func (p *propertiesPanel) AheadOptions() (list []page.Option) {
	for _, key := range aheadChoices {
		list = append(list, page.Option{Value: key, Label: p.T("ahead." + key), Chosen: p.Form.Value("in") == key})
	}
	return list
}

// LinkOptions are the kinds of link.
func (p *propertiesPanel) LinkOptions() (list []page.Option) {
	for _, k := range portal.LinkKinds {
		list = append(list, page.Option{Value: string(k), Label: p.T("link." + string(k)), Chosen: p.Form.Value("kind") == string(k)})
	}
	return list
}

// FieldOptions are what a field of choices lets choose.
func (p *propertiesPanel) FieldOptions(f *app.FieldValue) []page.Option {
	list := []page.Option{{Value: "", Label: p.T("prop.none"), Chosen: f.Value == ""}}
	for _, o := range f.Options {
		list = append(list, page.Option{Value: o, Label: o, Chosen: o == f.Value})
	}
	return list
}

// FieldType is the kind of input a field has.
func (p *propertiesPanel) FieldType(f *app.FieldValue) string {
	if f.Type == portal.FieldDate {
		return "date"
	}
	return "text"
}

// Typed is what a field of the panel holds: what was refused, or what is.
func (p *propertiesPanel) Typed(name, value string) string {
	if p.Form.Values.Has(name) {
		return p.Form.Value(name)
	}
	return value
}

func (p *propertiesPanel) action(name string) templ.SafeURL {
	return templ.SafeURL(p.Path + "/properties/" + name)
}

func (v *view) ticketURL(n portal.TicketNumber) templ.SafeURL {
	return templ.SafeURL(v.Base + "/tickets/" + n.String())
}

func (p *propertiesPanel) mine() bool { return p.Agent != nil && p.Ticket.Assignee == p.Agent.ID }

func (p *propertiesPanel) me() string { return strconv.FormatInt(int64(p.Agent.ID), 10) }
