// Package helpdesk is the agents' pages. It lies below the portal's chain of
// handlers, which knows the visit and serves signing in and the account.
package helpdesk

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// Options are what a Server works with.
type Options struct {
	App *app.App
	Log *slog.Logger // nil: discarded
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// TempDir is where uploads lie until they are accepted; "": the system's.
	TempDir string
}

// Server serves the help desk. It expects the path below /helpdesk in the
// request and the visit in page.InfoFrom: see web.Options.Desk.
type Server struct {
	app     *app.App
	log     *slog.Logger
	now     func() time.Time
	tempDir string
	mux     *http.ServeMux
}

// New makes a Server.
func New(o Options) *Server {
	s := &Server{app: o.App, log: o.Log, now: o.Now, tempDir: o.TempDir, mux: http.NewServeMux()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	for _, rt := range s.routes() {
		s.mux.Handle(rt.pattern, s.serve(rt))
	}
	return s
}

// ServeHTTP answers a request below /helpdesk.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h, pattern := s.mux.Handler(r); pattern == "" {
		s.fail(w, r, page.Unrouted(w, r, h))
		return
	}
	s.mux.ServeHTTP(w, r)
}
