package web

import (
	"net/http"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// accountPage is where people look after their account. Its sections stand in
// files of their own; accountView lists them.
type accountPage struct {
	*view
	*app.Account
	Proven  bool   // who they are, again and recently
	section string // whose form was refused; "" when none was
	refused *form
}

func (s *Server) accountPage(w http.ResponseWriter, r *http.Request) (*accountPage, error) {
	a, err := s.app.Account(r.Context(), visitFrom(r.Context()))
	if err != nil {
		return nil, err
	}
	return &accountPage{view: s.view(w, r, "account.title"), Account: a, Proven: s.app.Proven(visitFrom(r.Context()))}, nil
}

// asksFactor reports whether a second factor of ours is asked of the reader,
// or is there to be taken away. An identity provider asks for its own.
func (p *accountPage) asksFactor() bool {
	return p.Visit.Agent != nil || p.Factor.On || p.Visit.Portal.Access.Mode != portal.ModeSSO
}

// form is a section's form: with what was typed when it was refused, else with
// the values it has now.
func (p *accountPage) form(section string, values map[string]string) *form {
	if p.section == section {
		return p.refused
	}
	return filled(values)
}

func (s *Server) accountShow(w http.ResponseWriter, r *http.Request) error {
	p, err := s.accountPage(w, r)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, accountView(p))
}

// accountAgain shows the account with a section's form that was refused, and
// what is wrong with it, or leads to the page that asks for the proof which is
// missing. fields are those the form has.
func (s *Server) accountAgain(w http.ResponseWriter, r *http.Request, section string, f *form, err error, fields ...string) error {
	if needsProof(err) {
		return redirect(w, r, proofPath(visitFrom(r.Context()), "/account"))
	}
	p, pageErr := s.accountPage(w, r)
	if pageErr != nil {
		return pageErr
	}
	p.section, p.refused = section, f
	s.refuse(w, r, p.view, f, err, fields...)
	f.Call("password", p.T("account.password_new"))
	return s.render(w, r, f.Status, accountView(p))
}

// accountDone leads back to the account with a notice of what was done.
func accountDone(w http.ResponseWriter, r *http.Request, flash string) error {
	page.SetFlash(w, r, flash)
	return redirect(w, r, visitFrom(r.Context()).Base()+"/account")
}
