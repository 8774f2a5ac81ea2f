package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/portalctl/portalctl/pkg/web/page"
)

// tongues offers a page in the portal's other languages to somebody who is not
// signed in. The way there is a link, so it works without scripts; the page
// stays, and so does where they were going.
func (s *Server) tongues(r *http.Request, v *view) {
	path, query := r.URL.Path, r.URL.Query()
	if !page.IsRead(r) {
		// A refused form came back. It is asked for again, where it can be.
		path, query = s.formOf(r), url.Values{}
	}
	// What a stranger wrote into it stays a path: unescaped, browsers would
	// read /\evil.example as another site.
	path = (&url.URL{Path: path}).EscapedPath()
	v.Tongues = page.Tongues(v.Visit, v.Printer, v.Base+path, query)
	if len(v.Tongues) == 0 || !page.IsRead(r) || strings.Contains(page.InfoFrom(r.Context()).Route, "{token}") {
		return // an address with a secret in it is nobody else's
	}
	if address, err := s.app.URL(r.Context(), v.Visit.Portal, path); err == nil {
		v.Alternates = page.Alternates(v.Tongues, address)
	}
}

// formOf is the page a form was sent from: its own address, if that can be
// opened.
func (s *Server) formOf(r *http.Request) string {
	get := &http.Request{Method: http.MethodGet, URL: r.URL, Host: r.Host}
	if _, pattern := s.mux.Handler(get); pattern != "" {
		return r.URL.Path
	}
	return "/sign-in"
}
