package web

import (
	"io"
	"net/http"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// infrastructure answers what lies below /-/ on any host: assets, and whether
// the program lives and is ready.
func (s *Server) infrastructure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := page.InfoFrom(r.Context())
		path := r.URL.Path
		if h := s.infraHandler(path); h != nil {
			info.Route = "infra " + strings.TrimSuffix(path, "/")
			h.ServeHTTP(w, r)
			return
		}
		switch {
		case path == "/robots.txt":
			info.Route = "GET /robots.txt"
			plain(w, r, http.StatusOK, "User-agent: *\nDisallow: /\n")
		case path == "/favicon.ico" && page.IsRead(r):
			info.Route = "GET /favicon.ico"
			s.favicon(w, r)
		case !strings.HasPrefix(path, "/-/"):
			next.ServeHTTP(w, r)
		case !page.IsRead(r):
			w.Header().Set("Allow", "GET, HEAD")
			s.fail(w, r, page.ErrMethod)
		case strings.HasPrefix(path, page.AssetPath):
			info.Route = "GET /-/assets/"
			page.Assets(w, r)
		case strings.HasPrefix(path, "/-/theme/"):
			info.Route = "GET /-/theme/"
			page.ServeTheme(w, r)
		case strings.HasPrefix(path, page.ImagePath):
			info.Route = "GET /-/image/"
			s.faceImage(w, r)
		case path == "/-/health":
			info.Route = "GET /-/health"
			plain(w, r, http.StatusOK, "ok\n")
		case path == "/-/ready":
			info.Route = "GET /-/ready"
			s.readiness(w, r)
		default:
			s.fail(w, r, portal.NotFoundf("page.none", "there is no such page"))
		}
	})
}

// infraHandler finds the handler of an address or of one above it.
func (s *Server) infraHandler(path string) http.Handler {
	for prefix, h := range s.infra {
		if path == prefix || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/") {
			return h
		}
	}
	return nil
}

func (s *Server) readiness(w http.ResponseWriter, r *http.Request) {
	if s.ready != nil {
		if err := s.ready(r.Context()); err != nil {
			page.InfoFrom(r.Context()).Err = err
			plain(w, r, http.StatusServiceUnavailable, "not ready\n")
			return
		}
	}
	plain(w, r, http.StatusOK, "ready\n")
}

func plain(w http.ResponseWriter, r *http.Request, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, text) // the visitor may be gone
	}
}
