package web

import (
	"net/http"
	"net/url"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// emailChange mails a link to a new address.
func (s *Server) emailChange(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	if err == nil {
		err = s.app.ChangeEmail(r.Context(), visitFrom(r.Context()), f.Value("email"))
	}
	if err != nil {
		return s.accountAgain(w, r, "email", f, err, "email")
	}
	return accountDone(w, r, "email_sent")
}

// hasEmailChange reports whether the reader may change the address they sign
// in with.
func (p *accountPage) hasEmailChange() bool {
	return p.Visit.Contact != nil && p.Visit.Portal.Access.Mode != portal.ModeSSO
}

// confirmPage is a button behind a mailed link; only its POST does something.
type confirmPage struct {
	*view
	Path, Heading, Lead, Button string
}

func (s *Server) confirmPage(w http.ResponseWriter, r *http.Request, kind app.TokenKind, path, texts string) (*confirmPage, error) {
	token := r.PathValue("token")
	state, err := s.app.PeekToken(r.Context(), visitFrom(r.Context()), kind, token)
	if err != nil {
		return nil, err
	}
	if !state.Valid {
		return nil, deadLink(state)
	}
	v := s.viewIn(w, r, texts+".title", state.Language)
	return &confirmPage{
		view: v, Path: v.Base + path + url.PathEscape(token), Heading: v.Title,
		Lead: v.T(texts+".lead", "Email", state.Email, "Portal", v.Portal), Button: v.T(texts + ".button"),
	}, nil
}

func (s *Server) emailConfirmForm(w http.ResponseWriter, r *http.Request) error {
	p, err := s.confirmPage(w, r, app.TokenEmail, "/account/email/", "email_change")
	if err != nil {
		return s.linkFailed(w, r, err)
	}
	return s.render(w, r, http.StatusOK, confirmView(*p))
}

func (s *Server) emailConfirm(w http.ResponseWriter, r *http.Request) error {
	in, err := s.app.ConfirmEmail(r.Context(), visitFrom(r.Context()), r.PathValue("token"), page.DeviceOf(r))
	if err != nil {
		return s.linkFailed(w, r, err)
	}
	s.setSession(w, r, in)
	return accountDone(w, r, "email_changed")
}

func (s *Server) notMeForm(w http.ResponseWriter, r *http.Request) error {
	p, err := s.confirmPage(w, r, app.TokenNotMe, "/not-me/", "not_me")
	if err != nil {
		return s.linkFailed(w, r, err)
	}
	return s.render(w, r, http.StatusOK, confirmView(*p))
}

// notMe signs out everywhere and says what to do next.
func (s *Server) notMe(w http.ResponseWriter, r *http.Request) error {
	visit := visitFrom(r.Context())
	removed, err := s.app.NotMe(r.Context(), visit, r.PathValue("token"), page.DeviceOf(r))
	if err != nil {
		return s.linkFailed(w, r, err)
	}
	v := s.view(w, r, "not_me.done_title")
	p := noticePage{view: v, Icon: "circle-check", Heading: v.Title, Lines: []string{v.T("not_me.done_text")}, Action: v.T("sent.back"), To: v.Base + "/sign-in"}
	if removed != "" {
		p.Lines = append(p.Lines, v.T("not_me.done_passkey", "Name", removed))
	}
	if visit.Portal.Access.Allows(portal.MethodPassword) {
		p.Lines = append(p.Lines, v.T("not_me.done_password"))
		p.Action, p.To = v.T("not_me.done_reset"), v.Base+"/reset"
	}
	return s.render(w, r, http.StatusOK, noticeView(p))
}
