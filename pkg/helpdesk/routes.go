package helpdesk

import (
	"net/http"
	"slices"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// handler answers a request or returns what is wrong with it.
type handler func(w http.ResponseWriter, r *http.Request) error

// access says who may use a route. A route that forgets to say is for agents;
// nothing here is for strangers or customers.
type access int

const (
	agents access = iota
	admins
)

// How many bytes a route takes.
const (
	noBody  = 0
	small   = 64 << 10 // a few fields
	text    = 1 << 20  // a message, which escaping can make three times as long
	uploads = portal.MaxFiles*portal.MaxFileSize + 2*text
)

type route struct {
	pattern string
	handle  handler
	who     access
	limit   int64 // of the body
}

// routes is everything a browser can reach below /helpdesk, beside signing in,
// the account and files, which are web's.
func (s *Server) routes() []route {
	return slices.Concat(s.propertyRoutes(), s.heldRoutes(), s.conversationRoutes(), []route{
		// The queues.
		{"GET /{$}", s.home, agents, noBody},
		{"GET /tickets", s.queueShow, agents, noBody},
		{"POST /tickets/bulk", s.bulk, agents, small},
		{"GET /events", s.events, agents, noBody},
		{"GET /views", s.viewsShow, agents, noBody},
		{"POST /views", s.viewSave, agents, small},
		{"POST /views/{id}", s.viewChange(s.viewRename, "view_changed"), agents, small},
		{"POST /views/{id}/move", s.viewChange(s.viewMove, ""), agents, small},
		{"POST /views/{id}/remove", s.viewChange(s.viewRemove, "view_removed"), agents, small},

		// The agent's own settings.
		{"GET /settings", s.settingsShow, agents, noBody},
		{"POST /settings", s.settingsSave, agents, small},

		// Reports.
		{"GET /reports", s.reports, agents, noBody},
		{"GET /reports.csv", s.reportsCSV, agents, noBody},
	})
}

// visitFrom returns the request's visit.
func visitFrom(r *http.Request) *app.Visit { return page.InfoFrom(r.Context()).Visit }

// serve lets a request through to its handler if who asks may.
func (s *Server) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page.InfoFrom(r.Context()).Route = "desk " + rt.pattern
		if err := s.handle(w, r, rt); err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *Server) handle(w http.ResponseWriter, r *http.Request, rt route) error {
	v := visitFrom(r)
	if !page.IsRead(r) {
		if !page.FormType(r) {
			return page.ErrMediaType
		}
		r.Body = http.MaxBytesReader(w, r.Body, rt.limit)
	}
	if v.Agent == nil {
		return s.turnAway(w, r, v)
	}
	if rt.who == admins && v.Agent.Role != portal.RoleAdmin {
		return portal.Forbiddenf("desk.admins", "this page is for admins")
	}
	return rt.handle(w, r)
}

// turnAway sends somebody who is not signed in to where they can be. What
// they typed while their session ended is given back to them.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, v *app.Visit) error {
	back := page.Asked(r, v)
	if !page.IsRead(r) {
		back = v.Portal.BasePath() + "/tickets"
		if number := r.PathValue("number"); number != "" {
			back += "/" + number
		}
	}
	to := page.SignInPath(v, back)
	if v.Gate != "" {
		to = page.GatePath(v, back)
	}
	if !page.IsRead(r) {
		if typed := page.ReadTyped(r).Value("body"); typed != "" {
			return s.showTyped(w, r, typed, to)
		}
		page.SetFlash(w, r, "session_ended")
	}
	return page.Redirect(w, r, to)
}

func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	return page.Redirect(w, r, visitFrom(r).Portal.BasePath()+"/tickets")
}
