package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// look is an operator's look as a customer, marked on every page.
type look struct {
	By    string
	Until time.Time
}

// lookPage shows a button; only the POST behind it opens the look.
type lookPage struct {
	*view
	Path, Email, By string
}

func (s *Server) lookShow(w http.ResponseWriter, r *http.Request) error {
	token := r.PathValue("token")
	state, err := s.app.PeekLook(r.Context(), visitFrom(r.Context()), token)
	if err != nil {
		return s.lookFailed(w, r, err)
	}
	p := lookPage{view: s.view(w, r, "look.title"), Email: state.Email, By: state.By}
	p.Path = p.Base + "/view/" + url.PathEscape(token)
	return s.render(w, r, http.StatusOK, lookView(p))
}

func (s *Server) lookOpen(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	var in *app.SignedIn
	if err == nil {
		in, err = s.app.Look(r.Context(), visitFrom(r.Context()), r.PathValue("token"), page.DeviceOf(r))
	}
	if err != nil {
		return s.lookFailed(w, r, err)
	}
	return s.enter(w, r, in)
}

// lookFailed explains a link that opens nothing. A new one comes from the
// command line alone, so the page offers none.
func (s *Server) lookFailed(w http.ResponseWriter, r *http.Request, err error) error {
	if kind := portal.KindOf(err); kind != portal.NotFound && kind != portal.Conflict {
		return err
	}
	status := page.Blame(w, r, err)
	v := s.view(w, r, "look.title")
	return s.render(w, r, status, noticeView(noticePage{
		view: v, Icon: "link-2", Heading: v.Title, Lines: []string{v.T("look.failed")},
	}))
}
