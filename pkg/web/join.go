package web

import (
	"net/http"
	"net/url"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// askPage asks for an address to send a mail to.
type askPage struct {
	*view
	*form
	Texts  string // the first part of the keys of its texts
	Action string
	Back   string
}

func (s *Server) askPage(w http.ResponseWriter, r *http.Request, texts, path string, f *form) askPage {
	v := s.view(w, r, texts+".title")
	return askPage{view: v, form: f, Texts: texts, Action: v.Base + path, Back: page.ReturnPath(v.Base, f.Value("return_to"))}
}

func (s *Server) registerForm(w http.ResponseWriter, r *http.Request) error {
	v := visitFrom(r.Context())
	if v.SignedIn() {
		return s.goOn(w, r, "")
	}
	if v.Portal.Access.Mode != portal.ModeSelfRegister {
		return portal.NotFoundf("register.closed", "this portal takes no registrations")
	}
	f := filled(map[string]string{"return_to": r.URL.Query().Get("return_to")})
	return s.render(w, r, http.StatusOK, askView(s.askPage(w, r, "register", "/register", f)))
}

func (s *Server) register(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	visit := visitFrom(r.Context())
	if err == nil {
		back := page.ReturnPath(visit.Base(), f.Value("return_to"))
		err = s.app.Register(r.Context(), visit, f.Value("email"), back, page.DeviceOf(r))
	}
	if err != nil {
		return s.askAgain(w, r, "register", "/register", f, err)
	}
	return redirect(w, r, visit.Base()+"/register/sent")
}

func (s *Server) askAgain(w http.ResponseWriter, r *http.Request, texts, path string, f *form, err error) error {
	if portal.KindOf(err) == portal.NotFound {
		return err
	}
	p := s.askPage(w, r, texts, path, f)
	s.refuse(w, r, p.view, f, err, "email")
	return s.render(w, r, f.Status, askView(p))
}

func (s *Server) registerSent(w http.ResponseWriter, r *http.Request) error {
	return s.sent(w, r, "register")
}

func (s *Server) registerPending(w http.ResponseWriter, r *http.Request) error {
	v := s.view(w, r, "register.pending_title")
	return s.render(w, r, http.StatusOK, noticeView(noticePage{
		view: v, Icon: "circle-check", Heading: v.Title, Lines: []string{v.T("register.pending_text")},
	}))
}

// joinPage completes a registration or accepts an invitation.
type joinPage struct {
	*view
	*form
	Invited          bool
	Path             string
	Email            string
	Password         bool // offer to choose one
	PasswordRequired bool // there is no other way to sign in
	Consent          string
}

func (s *Server) joinPage(w http.ResponseWriter, r *http.Request, kind app.TokenKind, f *form) (*joinPage, error) {
	visit, token := visitFrom(r.Context()), r.PathValue("token")
	state, err := s.app.PeekToken(r.Context(), visit, kind, token)
	if err != nil {
		return nil, err
	}
	if !state.Valid {
		return nil, deadLink(state)
	}
	p := &joinPage{
		form: f, Invited: kind == app.TokenInvitation, Email: state.Email, Consent: state.Consent,
		Password: state.NeedsPassword, PasswordRequired: state.MustPassword,
	}
	title, path := "join.title_register", "/register/"
	if p.Invited {
		title, path = "join.title_invitation", "/invitation/"
	}
	p.view = s.viewIn(w, r, "", state.Language)
	p.Title = p.T(title, "Portal", p.Portal)
	p.Path = p.Base + path + url.PathEscape(token)
	if f.Values["name"] == nil {
		f.Values.Set("name", state.Name)
	}
	return p, nil
}

func (s *Server) joinForm(kind app.TokenKind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, err := s.joinPage(w, r, kind, filled(nil))
		if err != nil {
			return s.linkFailed(w, r, err)
		}
		return s.render(w, r, http.StatusOK, joinView(*p))
	}
}

func (s *Server) join(kind app.TokenKind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		f, err := s.readForm(r)
		defer f.Close()
		visit := visitFrom(r.Context())
		if err == nil {
			var in *app.SignedIn
			var pending bool
			in, pending, err = s.app.Join(r.Context(), visit, kind, r.PathValue("token"), app.Joining{
				Name: f.Value("name"), Password: f.Value("password"), Agree: f.Value("agree") != "", Language: visit.Language(),
			}, page.DeviceOf(r))
			switch {
			case err == nil && pending:
				return redirect(w, r, visit.Base()+"/register/pending")
			case err == nil:
				page.SetFlash(w, r, "welcome")
				return s.enter(w, r, in)
			}
		}
		p, pageErr := s.joinPage(w, r, kind, f)
		if pageErr != nil {
			return s.linkFailed(w, r, pageErr)
		}
		s.refuse(w, r, p.view, f, err, "name", "password", "agree")
		f.Call("password", p.T("join.password"))
		return s.render(w, r, f.Status, joinView(*p))
	}
}

func (s *Server) resetRequestForm(w http.ResponseWriter, r *http.Request) error {
	if !visitFrom(r.Context()).Portal.Access.Allows(portal.MethodPassword) {
		return portal.NotFoundf("page.none", "this portal has no passwords")
	}
	return s.render(w, r, http.StatusOK, askView(s.askPage(w, r, "reset", "/reset", filled(nil))))
}

func (s *Server) resetRequest(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	visit := visitFrom(r.Context())
	if err == nil {
		err = s.app.RequestReset(r.Context(), visit, f.Value("email"), page.DeviceOf(r))
	}
	if err != nil {
		return s.askAgain(w, r, "reset", "/reset", f, err)
	}
	return redirect(w, r, visit.Base()+"/reset/sent")
}

func (s *Server) resetSent(w http.ResponseWriter, r *http.Request) error {
	return s.sent(w, r, "reset")
}

// resetPage sets a new password by a mailed link.
type resetPage struct {
	*view
	*form
	Path, Email string
}

func (s *Server) resetPage(w http.ResponseWriter, r *http.Request, f *form) (*resetPage, error) {
	token := r.PathValue("token")
	state, err := s.app.PeekToken(r.Context(), visitFrom(r.Context()), app.TokenReset, token)
	if err != nil {
		return nil, err
	}
	if !state.Valid {
		return nil, deadLink(state)
	}
	p := &resetPage{view: s.viewIn(w, r, "reset.new_title", state.Language), form: f, Email: state.Email}
	p.Path = p.Base + "/reset/" + url.PathEscape(token)
	return p, nil
}

func (s *Server) resetForm(w http.ResponseWriter, r *http.Request) error {
	p, err := s.resetPage(w, r, filled(nil))
	if err != nil {
		return s.linkFailed(w, r, err)
	}
	return s.render(w, r, http.StatusOK, resetView(*p))
}

func (s *Server) reset(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	var in *app.SignedIn
	if err == nil {
		in, err = s.app.Reset(r.Context(), visitFrom(r.Context()), r.PathValue("token"), f.Value("password"), page.DeviceOf(r))
	}
	if err == nil {
		page.SetFlash(w, r, "password_changed")
		return s.enter(w, r, in)
	}
	p, pageErr := s.resetPage(w, r, f)
	if pageErr != nil {
		return s.linkFailed(w, r, pageErr)
	}
	s.refuse(w, r, p.view, f, err, "password")
	f.Call("password", p.T("account.password_new"))
	return s.render(w, r, f.Status, resetView(*p))
}
