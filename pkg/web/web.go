// Package web is the customer portal: routes, handlers and pages.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// Options are what a Server works with.
type Options struct {
	App *app.App
	Log *slog.Logger // nil: discarded
	// BaseURL is the address of the system domain. When it is https, every
	// visitor counts as coming by TLS and cookies are Secure.
	BaseURL *url.URL
	// Proxies are those whose X-Forwarded-* headers count; nil: nobody's do.
	Proxies *page.Proxies
	// Ready says why the program cannot serve just now; nil: it always can.
	Ready func(context.Context) error
	// Infra adds handlers below /-/, such as the demo's mail reader. They
	// answer on any host, without a visit.
	Infra map[string]http.Handler
	// Desk is the help desk below its sign-in and account pages, which are
	// this package's. It finds the visit in page.InfoFrom and the path below
	// /helpdesk in the request. Nil: there is none.
	Desk http.Handler
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// TempDir is where uploads lie until they are accepted; "": the system's.
	TempDir string
}

// Server serves the customer portals of a store.
type Server struct {
	app     *app.App
	log     *slog.Logger
	secure  bool
	proxies *page.Proxies
	ready   func(context.Context) error
	infra   map[string]http.Handler
	now     func() time.Time
	tempDir string
	desk    http.Handler
	images  *imageChecks
	faces   sync.Map // by portal.PortalID: keptFace
	mux     *http.ServeMux
}

// New makes a Server.
func New(o Options) *Server {
	s := &Server{
		app: o.App, log: o.Log, proxies: o.Proxies, ready: o.Ready, infra: o.Infra,
		now: o.Now, tempDir: o.TempDir, desk: o.Desk, images: newImageChecks(),
		secure: o.BaseURL != nil && o.BaseURL.Scheme == "https",
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.proxies == nil {
		s.proxies = page.NewProxies(nil, false)
	}
	s.mux = http.NewServeMux()
	for _, rt := range s.routes() {
		s.mux.Handle(rt.pattern, s.serve(rt))
	}
	return s
}

// Handler is the portal with everything around it, from the inside out.
func (s *Server) Handler() http.Handler {
	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, portal.Forbiddenf("form.foreign", "the form was sent from another website"))
	}))

	h := s.visit(s.mux)
	h = origins.Handler(h)
	h = s.infrastructure(h)
	h = page.Recover(s.fail, h)
	if compressed, err := page.Compress(h); err == nil {
		h = compressed
	} else {
		s.log.Error("pages are sent uncompressed", "err", err)
	}
	h = page.Headers(h)
	h = page.Pace(h)
	h = page.Log(s.log, h)
	return page.WithInfo(s.proxies, s.secure, h)
}

// visit finds out which portal is asked for and by whom, with one query, and
// hands on the path below the portal.
func (s *Server) visit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := page.InfoFrom(r.Context())
		v, err := s.app.Enter(r.Context(), info.Host, r.URL.Path, page.SessionToken(r))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if v.Redirect != "" {
			http.Redirect(w, r, v.Redirect, http.StatusSeeOther) //nolint:gosec // G710: a portal's own path, from the store
			return
		}
		info.Visit, info.Portal = v, v.Portal.Slug
		page.DomainHeaders(w, r, v.Domain, s.now())
		if info.TLS {
			s.app.Served(v)
		}
		if v.Moved != "" && page.IsRead(r) {
			s.sendOn(w, r, v)
			return
		}
		page.Greet(w, r, v)
		if !v.Portal.IsDesk() || !strings.HasPrefix(v.Path, "/events") {
			// A page of the help desk that only listens is nobody's use of the
			// session: it ends as if the page were closed.
			s.app.Seen(v, page.DeviceOf(r))
		}
		if clean := path.Clean(v.Path); clean != v.Path && page.IsRead(r) {
			// Doubled and trailing slashes are forgiven. The mux would do the
			// same and miss the portal's own path.
			to := url.URL{Path: v.Base() + clean, RawQuery: r.URL.RawQuery}
			http.Redirect(w, r, to.String(), http.StatusPermanentRedirect)
			return
		}
		below := r.Clone(r.Context())
		below.URL.Path, below.URL.RawPath = v.Path, belowBase(r.URL, v.At)
		h, pattern := s.mux.Handler(below)
		switch {
		case v.Portal.IsDesk() && !atDesk(pattern) && s.desk != nil:
			s.desk.ServeHTTP(w, below)
		case pattern == "" || v.Portal.IsDesk() && !atDesk(pattern):
			s.unrouted(w, r, h, below)
		default:
			next.ServeHTTP(w, below)
		}
	})
}

// belowBase is the escaped path below base, or "" when the path needs none.
func belowBase(u *url.URL, base string) string {
	escaped := u.EscapedPath()
	if u.RawPath == "" || len(escaped) <= len(base) || escaped[:len(base)] != base {
		return ""
	}
	return escaped[len(base):]
}

// unrouted answers a path that leads nowhere with a page.
func (s *Server) unrouted(w http.ResponseWriter, r *http.Request, h http.Handler, below *http.Request) {
	s.fail(w, r, page.Unrouted(w, below, h))
}
