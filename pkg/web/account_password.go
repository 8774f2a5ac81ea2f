package web

import (
	"net/http"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// hasPasswords reports whether the portal signs this person in by password.
func (p *accountPage) hasPasswords() bool {
	return p.Contact == nil || p.Visit.Portal.Access.Allows(portal.MethodPassword)
}

func (s *Server) passwordChange(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	var in *app.SignedIn
	if err == nil {
		in, err = s.app.ChangePassword(r.Context(), visitFrom(r.Context()), f.Value("present"), f.Value("password"), page.DeviceOf(r))
	}
	if err != nil {
		return s.accountAgain(w, r, "password", f, err, "present", "password")
	}
	s.setSession(w, r, in)
	return accountDone(w, r, "password_changed")
}
