package web

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/portalctl/portalctl/pkg/web/page"
)

// fail is the one place where an error becomes a status, a page and a part of
// the log line.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	info := page.InfoFrom(r.Context())
	status := page.Blame(w, r, err)
	v := s.view(w, r, "")
	p := errorPage{view: v, Status: status}
	p.Heading, p.Text = page.ErrorWords(v.Printer, status, err)
	v.Title = p.Heading
	if status >= 500 {
		p.Ref = info.Ref
	}
	if renderErr := s.render(w, r, status, errorView(p)); renderErr != nil {
		info.Err = errors.Join(err, renderErr)
		http.Error(w, strconv.Itoa(status)+" "+info.Ref, status)
	}
}
