package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// sessionItem is a browser somebody is signed in with.
type sessionItem struct {
	Name    string // "Firefox on Windows"
	Address string
	Phone   bool
	Current bool
	Seen    moment
	Since   moment
	End     string // where to post to end it
}

// sessions lists the browsers, this one first.
func (p *accountPage) sessions() []sessionItem {
	var list []sessionItem
	for _, one := range p.Sessions {
		list = append(list, sessionItem{
			Name: p.browser(one.UserAgent), Address: one.Address, Phone: isPhone(one.UserAgent),
			Current: p.Visit.Session != nil && one.ID == p.Visit.Session.ID,
			Seen:    p.moment(one.SeenAt), Since: p.moment(one.CreatedAt),
			End: p.Base + "/account/sessions/" + strconv.FormatInt(int64(one.ID), 10) + "/end",
		})
	}
	slices.SortStableFunc(list, func(a, b sessionItem) int {
		switch {
		case a.Current == b.Current:
			return 0
		case a.Current:
			return -1
		}
		return 1
	})
	return list
}

func (s *Server) sessionEnd(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return portal.NotFoundf("session.none", "there is no such session")
	}
	if err := s.app.EndSession(r.Context(), visitFrom(r.Context()), portal.SessionID(id)); err != nil {
		return err
	}
	return accountDone(w, r, "session_removed")
}

func (s *Server) sessionsEnd(w http.ResponseWriter, r *http.Request) error {
	visit := visitFrom(r.Context())
	if err := s.app.EndAllSessions(r.Context(), visit); err != nil {
		return err
	}
	page.EndSession(w, r)
	page.SetFlash(w, r, "signed_out_everywhere")
	return redirect(w, r, visit.Base()+"/sign-in")
}

// browser names a browser in words people know.
func (v *view) browser(agent string) string {
	name, system := portal.Browser(agent)
	switch {
	case name != "" && system != "":
		return v.T("account.browser", "Browser", name, "System", system)
	case name != "":
		return name
	case system != "":
		return system
	}
	return v.T("account.browser_unknown")
}

func isPhone(agent string) bool {
	return strings.Contains(agent, "Mobile") || strings.Contains(agent, "iPhone") || strings.Contains(agent, "Android")
}
