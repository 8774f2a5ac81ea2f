package web

import (
	"net/http"
	"strings"

	"github.com/portalctl/portalctl/pkg/web/page"
)

// Plain answers who comes without TLS where there is TLS: it sends visitors on
// to the same page with it. A host the store does not serve is 421 and is sent
// nowhere. answer is asked first and may answer by itself, as an authority's
// question about a certificate is; nil: there are none.
func (s *Server) Plain(answer func(http.ResponseWriter, *http.Request) bool) http.Handler {
	h := http.Handler(http.HandlerFunc(s.sendToTLS))
	h = s.answers(answer, h)
	h = page.Recover(s.fail, h)
	h = page.Headers(h)
	h = page.Pace(h)
	h = page.Log(s.log, h)
	return page.WithInfo(s.proxies, false, h)
}

// answers answers by plain HTTP what may be asked that way.
func (s *Server) answers(answer func(http.ResponseWriter, *http.Request) bool, next http.Handler) http.Handler {
	health := s.infrastructure(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := page.InfoFrom(r.Context())
		switch {
		case answer != nil && answer(w, r):
			info.Route = "plain challenge"
		case r.URL.Path == "/-/health", r.URL.Path == "/-/ready":
			health.ServeHTTP(w, r)
		default:
			info.Route = "plain"
			next.ServeHTTP(w, r)
		}
	})
}

func (s *Server) sendToTLS(w http.ResponseWriter, r *http.Request) {
	info := page.InfoFrom(r.Context())
	site, err := s.app.SiteOf(r.Context(), info.Host)
	switch {
	case err != nil && page.StatusOf(err) == http.StatusMisdirectedRequest:
		plain(w, r, http.StatusMisdirectedRequest, "This host is not served here.\n")
	case err != nil:
		info.Err = err
		plain(w, r, http.StatusServiceUnavailable, "Try again in a moment.\n")
	case !page.IsRead(r):
		// What was sent with it has been readable to everybody on its way;
		// sending it on would hide that from whoever made the form.
		w.Header().Set("Allow", "GET, HEAD")
		plain(w, r, http.StatusMethodNotAllowed, "Use "+site+"\n")
	default:
		http.Redirect(w, r, site+localPath(r), http.StatusMovedPermanently) //nolint:gosec // G710: the host is the store's, and localPath begins with a slash
	}
}

// localPath is the path and query of a request. It always begins with a slash:
// what a client sends in place of a path (such as http:@other.example) would
// else become part of the host it is put behind.
func localPath(r *http.Request) string {
	path := r.URL.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		path = "/"
	}
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	return path
}
