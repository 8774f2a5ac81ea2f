package helpdesk

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/web/page"
)

// errorPage says what went wrong in words, and gives a reference when it was
// our fault.
type errorPage struct {
	*view
	Status        int
	Heading, Text string
	Ref           string
}

// fail is the one place where an error becomes a status, a page and a part of
// the log line.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	info := page.InfoFrom(r.Context())
	status := page.Blame(w, r, err)
	v := s.bareView(w, r, "")
	if v.Agent != nil && status < http.StatusInternalServerError {
		// The queues are a way on. When the store has a problem, they are not
		// asked for: this page has to come.
		if frame, frameErr := s.app.DeskFrame(r.Context(), v.Visit); frameErr == nil {
			v.Frame = frame
		}
	}
	p := errorPage{view: v, Status: status}
	p.Heading, p.Text = page.ErrorWords(v.Printer, status, err)
	v.Title = p.Heading
	if status >= http.StatusInternalServerError {
		p.Ref = info.Ref
	}
	if renderErr := page.Render(w, r, status, errorView(p)); renderErr != nil {
		info.Err = errors.Join(err, renderErr)
		http.Error(w, strconv.Itoa(status)+" "+info.Ref, status)
	}
}

// typedPage gives back what was typed and could not be taken.
type typedPage struct {
	*view
	Typed string
	To    templ.SafeURL
}

func (s *Server) showTyped(w http.ResponseWriter, r *http.Request, typed, to string) error {
	return page.Render(w, r, http.StatusUnauthorized, typedView(typedPage{
		view: s.bareView(w, r, "typed.title"), Typed: typed, To: templ.SafeURL(to),
	}))
}
