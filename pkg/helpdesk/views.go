package helpdesk

import (
	"net/http"
	"strconv"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// viewsPage is where an agent puts their saved views in order.
type viewsPage struct {
	*view
	Items []viewItem
}

// viewItem is one view with what the agent may do to it.
type viewItem struct {
	portal.DeskView
	ID          string
	Mine        bool
	Change      bool // rename, move and remove it
	First, Last bool // of its owner's
	Form        *page.Form
}

func (s *Server) viewsShow(w http.ResponseWriter, r *http.Request) error {
	p, err := s.viewsPage(w, r)
	if err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, viewsView(p))
}

func (s *Server) viewsPage(w http.ResponseWriter, r *http.Request) (*viewsPage, error) {
	v, err := s.view(w, r, "views.title")
	if err != nil {
		return nil, err
	}
	v.Nav = "views"
	p := &viewsPage{view: v}
	all := v.Frame.Views
	for i := range all {
		one := &all[i]
		id := strconv.FormatInt(one.ID, 10)
		p.Items = append(p.Items, viewItem{
			DeskView: *one, ID: id, Mine: one.Agent == v.Agent.ID, Change: one.MayChange(v.Agent),
			First: i == 0 || all[i-1].Agent != one.Agent, Last: i == len(all)-1 || all[i+1].Agent != one.Agent,
			Form: page.Filled(map[string]string{"name": one.Name}),
		})
	}
	return p, nil
}

// viewSave keeps the query of the list a form stood on under a name.
func (s *Server) viewSave(w http.ResponseWriter, r *http.Request) error {
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	if err != nil {
		return err
	}
	q := queryOf(f.Values)
	saved, err := s.app.SaveView(r.Context(), visitFrom(r), f.Value("name"), f.Value("shared") != "", q)
	if err == nil {
		page.SetFlash(w, r, "view_saved")
		return page.Redirect(w, r, visitFrom(r).Portal.BasePath()+"/tickets?view="+strconv.FormatInt(saved.ID, 10))
	}
	v, viewErr := s.view(w, r, "")
	if viewErr != nil {
		return viewErr
	}
	f.Refuse(w, r, v.Printer, v.labelOf, err, "name")
	p, err := s.queuePage(r, v, q, "", "")
	if err != nil {
		return err
	}
	p.Save = f
	return page.Render(w, r, f.Status, queueView(p))
}

// viewChange runs a change of a view and leads back to the list of them.
func (s *Server) viewChange(change func(r *http.Request, id int64, f *page.Form) error, flash string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if err != nil {
			return portal.NotFoundf("desk_view.none", "there is no such view")
		}
		f, err := page.ReadForm(r, s.tempDir)
		defer f.Close()
		if err != nil {
			return err
		}
		err = change(r, id, f)
		if portal.KindOf(err) == portal.Invalid {
			p, pageErr := s.viewsPage(w, r)
			if pageErr != nil {
				return pageErr
			}
			f.Refuse(w, r, p.Printer, p.labelOf, err, "name")
			for i := range p.Items {
				if p.Items[i].DeskView.ID == id {
					p.Items[i].Form = f
				}
			}
			return page.Render(w, r, f.Status, viewsView(p))
		}
		if err != nil {
			return err
		}
		if flash != "" {
			page.SetFlash(w, r, flash)
		}
		return page.Redirect(w, r, visitFrom(r).Portal.BasePath()+"/views")
	}
}

func (s *Server) viewRename(r *http.Request, id int64, f *page.Form) error {
	return s.app.RenameView(r.Context(), visitFrom(r), id, f.Value("name"), f.Value("shared") != "")
}

func (s *Server) viewMove(r *http.Request, id int64, f *page.Form) error {
	return s.app.MoveView(r.Context(), visitFrom(r), id, f.Value("dir") == "up")
}

func (s *Server) viewRemove(r *http.Request, id int64, _ *page.Form) error {
	return s.app.RemoveView(r.Context(), visitFrom(r), id)
}

// labelOf is what a field is called, for the summary of problems.
func (v *view) labelOf(name string) string {
	switch name {
	case "name":
		return v.T("views.name")
	case "language":
		return v.T("account.language")
	case "time_zone":
		return v.T("account.zone")
	case "signature":
		return v.T("settings.signature")
	case "notify":
		return v.T("settings.notify")
	}
	return ""
}
