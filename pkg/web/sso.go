package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// ssoBegin sends the browser to the identity provider. It is reached by a
// link and not by a form, whose redirects the policy keeps on our own host.
func (s *Server) ssoBegin(w http.ResponseWriter, r *http.Request) error {
	v := visitFrom(r.Context())
	back := page.ReturnPath(v.Base(), r.URL.Query().Get("return_to"))
	if v.SignedIn() {
		return s.goOn(w, r, back)
	}
	if foreign(r) {
		// A provider that knows the browser asks nobody anything, so another
		// site could sign its visitors in here. They press the button first.
		return redirect(w, r, page.SignInPath(v, back))
	}
	j, err := s.app.BeginSSO(r.Context(), v, back, page.InfoFrom(r.Context()).Ref, page.DeviceOf(r))
	if err != nil {
		return s.ssoFailed(w, r, back, err)
	}
	page.Keep(w, r, page.SSOCookie, j.Token, app.SSOLife)
	return redirect(w, r, j.URL)
}

// foreign reports whether a browser says that another site led it here.
func foreign(r *http.Request) bool {
	from := r.Header.Get("Sec-Fetch-Site")
	return from == "cross-site" || from == "same-site"
}

// ssoFinish takes what the identity provider sends back.
func (s *Server) ssoFinish(w http.ResponseWriter, r *http.Request) error {
	v, token := visitFrom(r.Context()), page.Kept(r, page.SSOCookie)
	// A query that cannot be read in full is read as far as it goes: what is
	// missing then is refused with everything else.
	answer := r.URL.Query()
	in, err := s.app.FinishSSO(r.Context(), v, token, answer, page.InfoFrom(r.Context()).Ref, page.DeviceOf(r))
	if err != nil {
		return s.ssoFailed(w, r, "", err)
	}
	page.Keep(w, r, page.SSOCookie, "", -time.Second)
	return s.enter(w, r, in)
}

// ssoFailed is the one plain page for everything that goes wrong on the way to
// an identity provider and back. The reference leads to the reason, which the
// operator finds in the audit log.
func (s *Server) ssoFailed(w http.ResponseWriter, r *http.Request, back string, err error) error {
	var e *portal.Error
	if !errors.As(err, &e) || e.Code != "sso.failed" && e.Code != "sso.refused" && e.Code != "sso.down" {
		return err
	}
	v := s.view(w, r, e.Code+".title")
	words, _ := v.ErrorText(e.Code, nil)
	return s.render(w, r, page.Blame(w, r, err), noticeView(noticePage{
		view: v, Icon: "lock", Heading: v.Title,
		Lines:  []string{words, v.T("failed.reference", "Ref", page.InfoFrom(r.Context()).Ref)},
		Action: v.T("sso.again"), To: page.SignInPath(v.Visit, back),
	}))
}

// leaveProvider goes on to the identity provider, to end the session there
// too. A redirect would not do: the policy holds those after a form to our own
// host. The page's link works where the header does not.
func (s *Server) leaveProvider(w http.ResponseWriter, r *http.Request, to string) error {
	w.Header().Set("Refresh", "0;url="+to)
	v := s.view(w, r, "sso.leaving_title")
	v.User, v.Agent = "", false
	return s.render(w, r, http.StatusOK, noticeView(noticePage{
		view: v, Icon: "log-out", Heading: v.Title, Lines: []string{v.T("sso.leaving_text")},
		Action: v.T("sso.leaving_action"), To: to,
	}))
}

// ssoSignedOut is where the identity provider leads back to.
func (s *Server) ssoSignedOut(w http.ResponseWriter, r *http.Request) error {
	if s.app.SignedOutAtProvider(r.URL.Query().Get("state")) {
		page.SetFlash(w, r, "signed_out_provider")
	}
	return redirect(w, r, visitFrom(r.Context()).Base()+"/sign-in")
}

// ssoPath is the link that begins the way to the identity provider.
func ssoPath(base, back string) string {
	to := base + "/sso"
	if back != "" {
		to += "?return_to=" + url.QueryEscape(back)
	}
	return to
}
