package helpdesk

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// cannedPage is the list of canned answers, or the form of one.
type cannedPage struct {
	*view
	List    []portal.Canned
	One     *portal.Canned // nil: a new one
	Form    *page.Form
	Inboxes []page.Option
	Known   string // the placeholders
	Path    string
}

func cannedID(r *http.Request) (portal.CannedID, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, portal.NotFoundf("canned.none", "there is no such canned answer")
	}
	return portal.CannedID(id), nil
}

func (s *Server) cannedList(w http.ResponseWriter, r *http.Request) error {
	v, err := s.view(w, r, "canned.title")
	if err != nil {
		return err
	}
	v.Nav = "canned"
	list, err := s.app.CannedAnswers(r.Context(), v.Visit)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, cannedListView(cannedPage{view: v, List: list}))
}

func (s *Server) cannedNew(w http.ResponseWriter, r *http.Request) error {
	p, err := s.cannedPage(w, r, nil)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, cannedFormView(p))
}

func (s *Server) cannedEdit(w http.ResponseWriter, r *http.Request) error {
	c, err := s.cannedOf(r)
	if err != nil {
		return err
	}
	p, err := s.cannedPage(w, r, c)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, cannedFormView(p))
}

func (s *Server) cannedOf(r *http.Request) (*portal.Canned, error) {
	id, err := cannedID(r)
	if err != nil {
		return nil, err
	}
	return s.app.Canned(r.Context(), visitFrom(r), id)
}

// cannedPage makes the form of a canned answer.
func (s *Server) cannedPage(w http.ResponseWriter, r *http.Request, c *portal.Canned) (*cannedPage, error) {
	title := "canned.new"
	if c != nil {
		title = "canned.edit"
	}
	v, err := s.view(w, r, title)
	if err != nil {
		return nil, err
	}
	v.Nav = "canned"
	p := &cannedPage{view: v, One: c, Form: page.Filled(nil), Path: v.Base + "/canned/new"}
	p.Known = "{{" + strings.Join(portal.Placeholders, "}}, {{") + "}}"
	if c != nil {
		p.Path = v.Base + "/canned/" + strconv.FormatInt(int64(c.ID), 10)
		p.Form = page.Filled(map[string]string{"name": c.Name, "body": c.Body, "inbox": c.InboxName})
	}
	p.options()
	return p, nil
}

// options are the inboxes it can be for: all of them at once only for agents
// who are not limited to some.
func (p *cannedPage) options() {
	chosen := p.Form.Value("inbox")
	p.Inboxes = nil
	if !p.Visit.Viewer.Limited || p.One != nil && p.One.Inbox == 0 {
		p.Inboxes = append(p.Inboxes, page.Option{Label: p.T("canned.all_inboxes"), Chosen: chosen == ""})
	}
	for _, i := range p.Frame.Inboxes {
		p.Inboxes = append(p.Inboxes, page.Option{Value: i.Name, Label: i.Name, Chosen: chosen == i.Name})
	}
}

func (s *Server) cannedSave(w http.ResponseWriter, r *http.Request) error {
	var c *portal.Canned
	if r.PathValue("id") != "" {
		var err error
		if c, err = s.cannedOf(r); err != nil {
			return err
		}
	}
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	if err == nil {
		name, body, inbox := f.Value("name"), f.Value("body"), f.Value("inbox")
		in := app.CannedInput{Name: &name, Body: &body, Inbox: &inbox}
		if c != nil {
			in.ID = c.ID
		}
		_, _, _, err = s.app.SetCanned(r.Context(), visitFrom(r), in)
	}
	if err == nil {
		page.SetFlash(w, r, "canned_saved")
		return page.Redirect(w, r, visitFrom(r).Portal.BasePath()+"/canned")
	}
	p, pageErr := s.cannedPage(w, r, c)
	if pageErr != nil {
		return errors.Join(pageErr, err)
	}
	p.Form = f
	p.options()
	for _, e := range portal.Errors(err) {
		if e.Code == "canned.exists" {
			e.Field = "name"
		}
	}
	f.Refuse(w, r, p.Printer, p.label, err, "name", "body", "inbox")
	return page.Render(w, r, f.Status, cannedFormView(p))
}

func (s *Server) cannedRemove(w http.ResponseWriter, r *http.Request) error {
	id, err := cannedID(r)
	if err != nil {
		return err
	}
	if _, err := s.app.RemoveCanned(r.Context(), visitFrom(r), id, ""); err != nil {
		return err
	}
	page.SetFlash(w, r, "canned_removed")
	return page.Redirect(w, r, visitFrom(r).Portal.BasePath()+"/canned")
}
