package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// home is the portal's front door.
func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	v := visitFrom(r.Context())
	if v.SignedIn() {
		return redirect(w, r, v.Base()+"/tickets")
	}
	if v.Entry.Code != "" && !v.Entry.Allowed {
		return s.noEntry(w, r)
	}
	return redirect(w, r, v.Base()+"/sign-in")
}

// signInPage is the form to sign in with. Which ways there are, the portal's
// settings say.
type signInPage struct {
	*view
	*form
	Password, Link, Register bool
	Passkey                  bool
	ReturnTo                 string
	SSO                      string // the link to the identity provider; "" when there is none
	Label                    string // whom that link names
	Team                     bool   // agents sign in here, as the provider knows customers only
}

func (s *Server) signInPage(w http.ResponseWriter, r *http.Request, f *form) (signInPage, error) {
	visit := visitFrom(r.Context())
	access := &visit.Portal.Access
	v := s.view(w, r, "sign_in.title")
	passkeys, err := s.app.PasskeysWork(r.Context(), visit.Portal)
	p := signInPage{
		view: v, form: f,
		Password: access.Allows(portal.MethodPassword), Link: access.Allows(portal.MethodLink),
		Register: access.Mode == portal.ModeSelfRegister,
		Passkey:  passkeys && access.Allows(portal.MethodPasskey),
		ReturnTo: page.ReturnPath(v.Base, f.Value("return_to")),
	}
	// Agents may use every way, whatever customers have here. The team's page
	// is where they find them; with an identity provider, no other page has a
	// form to send.
	sso := access.Mode == portal.ModeSSO && access.SSO != nil
	p.Team = r.URL.Query().Get("team") != "" || f.Value("team") != "" || sso && !page.IsRead(r)
	if p.Team {
		p.Password, p.Link, p.Passkey, p.Register = true, true, passkeys, false
	}
	if sso {
		p.SSO, p.Label = ssoPath(v.Base, p.ReturnTo), access.SSO.Label
	}
	return p, err
}

// passkey is the button that signs in with one. Right after a passkey was
// refused the browser offers none by itself: it would be the same.
func (p *signInPage) passkey() passkeyAsk {
	return passkeyAsk{
		Action: "/sign-in/passkey", Label: p.T("sign_in.passkey_button"), Offer: p.Value("answer") == "",
		Or: !p.Password || !p.Link, Quiet: true, ReturnTo: p.ReturnTo, Team: p.Team,
	}
}

// username is what browsers fill the address field with: where they can, they
// list passkeys there as well.
func (p *signInPage) username() string {
	if p.Passkey {
		return "username webauthn"
	}
	return "username"
}

func (s *Server) signInForm(w http.ResponseWriter, r *http.Request) error {
	v := visitFrom(r.Context())
	back := page.ReturnPath(v.Base(), r.URL.Query().Get("return_to"))
	if v.SignedIn() {
		return s.goOn(w, r, back)
	}
	if v.Gate != "" {
		return redirect(w, r, page.GatePath(v, back))
	}
	p, err := s.signInPage(w, r, filled(map[string]string{"return_to": back}))
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, signInView(p))
}

// goOn leads somebody who is signed in to where they wanted to be.
func (s *Server) goOn(w http.ResponseWriter, r *http.Request, back string) error {
	base := visitFrom(r.Context()).Base()
	if back = page.ReturnPath(base, back); back == "" {
		back = base + "/tickets"
	}
	return redirect(w, r, back)
}

// knownFor is how long a browser is recognised after its last sign-in; no
// browser keeps a cookie longer.
const knownFor = 400 * 24 * time.Hour

// enter hands out a fresh session and leads on.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, in *app.SignedIn) error {
	s.setSession(w, r, in)
	return s.goOn(w, r, in.ReturnTo)
}

// setSession hands out a fresh session, and what the browser is recognised by.
func (s *Server) setSession(w http.ResponseWriter, r *http.Request, in *app.SignedIn) {
	page.SetSession(w, r, in.Token, in.Expires)
	if in.Device != "" {
		page.Keep(w, r, page.DeviceCookie, in.Device, knownFor)
	}
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	visit := visitFrom(r.Context())
	var in *app.SignedIn
	if err == nil {
		back := page.ReturnPath(visit.Base(), f.Value("return_to"))
		in, err = s.app.SignIn(r.Context(), visit, f.Value("email"), f.Value("password"), back, page.DeviceOf(r))
	}
	if err != nil {
		return s.signInAgain(w, r, f, err)
	}
	return s.enter(w, r, in)
}

func (s *Server) signInAgain(w http.ResponseWriter, r *http.Request, f *form, err error) error {
	p, pageErr := s.signInPage(w, r, f)
	if pageErr != nil {
		return pageErr
	}
	s.refuse(w, r, p.view, f, err, "email", "password")
	return s.render(w, r, f.Status, signInView(p))
}

func (s *Server) linkRequest(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	visit := visitFrom(r.Context())
	var asked *app.AskedForLink
	if err == nil {
		back := page.ReturnPath(visit.Base(), f.Value("return_to"))
		asked, err = s.app.RequestLink(r.Context(), visit, f.Value("email"), back, page.DeviceOf(r))
	}
	if err != nil {
		return s.signInAgain(w, r, f, err)
	}
	page.Keep(w, r, page.AskedCookie, asked.Token, app.SignInLinkLife+5*time.Minute)
	return redirect(w, r, visit.Base()+"/sign-in/sent")
}

// noticePage says one thing and offers one way on.
type noticePage struct {
	*view
	Icon, Heading string
	Lines         []string
	Action, To    string // a link; "" when there is none
	SignOut       bool   // offer to sign out
	Typed         string // text to take along
	Code          string // to type on another device
}

// sent is the page after a mail was asked for, the same for every address.
func (s *Server) sent(w http.ResponseWriter, r *http.Request, what string) error {
	v := s.view(w, r, what+".sent_title")
	return s.render(w, r, http.StatusOK, noticeView(noticePage{
		view: v, Icon: "mail", Heading: v.Title,
		Lines:  []string{v.T(what + ".sent_text"), v.T("sent.hint")},
		Action: v.T("sent.back"), To: v.Base + "/sign-in",
	}))
}

// linkSent shows the code that another device asks for, whether or not a mail
// was sent.
func (s *Server) linkSent(w http.ResponseWriter, r *http.Request) error {
	v := s.view(w, r, "link.sent_title")
	code := app.LinkCode(page.Kept(r, page.AskedCookie))
	if code != "" {
		code = code[:3] + " " + code[3:]
	}
	return s.render(w, r, http.StatusOK, noticeView(noticePage{
		view: v, Icon: "mail", Heading: v.Title, Code: code,
		Lines:  []string{v.T("link.sent_text"), v.T("sent.hint")},
		Action: v.T("sent.back"), To: v.Base + "/sign-in",
	}))
}

// linkPage shows a button; only the POST behind it uses the link, so that
// programs which follow links in mails cannot.
type linkPage struct {
	*view
	*form
	Path    string
	Who     string
	Consent string
	Code    bool // it was asked for in another browser
}

func (s *Server) linkPage(w http.ResponseWriter, r *http.Request, f *form) (*linkPage, error) {
	token := r.PathValue("token")
	state, err := s.app.PeekToken(r.Context(), visitFrom(r.Context()), app.TokenSignIn, token)
	if err != nil {
		return nil, err
	}
	if !state.Valid {
		return nil, deadLink(state)
	}
	p := &linkPage{view: s.viewIn(w, r, "link.title", state.Language), form: f, Who: state.Email, Consent: state.Consent, Code: state.NeedsCode}
	p.Path = p.Base + "/sign-in/link/" + url.PathEscape(token)
	return p, nil
}

// deadLink is the refusal of a link that cannot be used any more.
func deadLink(state *app.LinkState) error {
	if state.Code == "token.used" || state.Code == "token.expired" {
		return portal.Conflictf(state.Code, "the link cannot be used any more")
	}
	return portal.NotFoundf("token.unknown", "the link is not known")
}

func (s *Server) linkShow(w http.ResponseWriter, r *http.Request) error {
	p, err := s.linkPage(w, r, filled(nil))
	if err != nil {
		return s.linkFailed(w, r, err)
	}
	return s.render(w, r, http.StatusOK, linkView(*p))
}

func (s *Server) linkUse(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	var in *app.SignedIn
	if err == nil {
		in, err = s.app.UseLink(r.Context(), visitFrom(r.Context()), r.PathValue("token"), app.LinkAnswer{Agree: f.Value("agree") != "", Code: f.Value("code")}, page.DeviceOf(r))
	}
	if err == nil {
		return s.enter(w, r, in)
	}
	if portal.KindOf(err) != portal.Invalid {
		return s.linkFailed(w, r, err)
	}
	p, pageErr := s.linkPage(w, r, f)
	if pageErr != nil {
		return s.linkFailed(w, r, pageErr)
	}
	s.refuse(w, r, p.view, f, err, "code", "agree")
	return s.render(w, r, f.Status, linkView(*p))
}

// linkFailed explains a link that does not work and says where to get a new
// one.
func (s *Server) linkFailed(w http.ResponseWriter, r *http.Request, err error) error {
	var code string
	for _, e := range portal.Errors(err) {
		code = e.Code
	}
	if code != "token.unknown" && code != "token.used" && code != "token.expired" {
		return err
	}
	if visit := visitFrom(r.Context()); visit.Portal.State == portal.Draft && visit.Agent == nil {
		// Nobody but agents learns that there is a draft here.
		page.InfoFrom(r.Context()).Visit = nil
		return portal.NotFoundf("portal.none", "no portal lies at this address")
	}
	status := page.Blame(w, r, err)
	v := s.view(w, r, "link.failed_title")
	words, _ := v.ErrorText(code, nil)
	return s.render(w, r, status, noticeView(noticePage{
		view: v, Icon: "link-2", Heading: v.Title, Lines: []string{words},
		Action: v.T("link.failed_action"), To: v.Base + "/sign-in",
	}))
}

func (s *Server) signOutForm(w http.ResponseWriter, r *http.Request) error {
	v := s.view(w, r, "sign_out.title")
	if !v.Visit.SignedIn() && v.Visit.Gate == "" {
		return redirect(w, r, v.Base+"/sign-in")
	}
	return s.render(w, r, http.StatusOK, noticeView(noticePage{
		view: v, Icon: "log-out", Heading: v.Title, Lines: []string{v.T("sign_out.text", "User", v.User)}, SignOut: true,
		Action: v.T("sign_out.stay"), To: v.Base + "/tickets",
	}))
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	visit := visitFrom(r.Context())
	provider := ""
	if visit.Session != nil {
		if err := s.app.SignOut(r.Context(), visit); err != nil {
			return err
		}
		var err error
		if provider, err = s.app.ProviderSignOut(r.Context(), visit); err != nil {
			return err
		}
	}
	page.EndSession(w, r)
	if provider != "" {
		return s.leaveProvider(w, r, provider)
	}
	page.SetFlash(w, r, "signed_out")
	return redirect(w, r, visit.Base()+"/sign-in")
}

// noEntry tells somebody who is signed in why they may not enter.
func (s *Server) noEntry(w http.ResponseWriter, r *http.Request) error {
	v := s.view(w, r, "no_entry.title")
	words, ok := v.ErrorText(v.Visit.Entry.Code, nil)
	if !ok {
		words = v.T("no_entry.text")
	}
	return s.render(w, r, http.StatusForbidden, noticeView(noticePage{
		view: v, Icon: "lock", Heading: v.Title, Lines: []string{words}, SignOut: true,
	}))
}

// paused is what customers see of a portal that takes a break.
func (s *Server) paused(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Retry-After", "3600")
	v := s.view(w, r, "paused.title")
	return s.render(w, r, http.StatusServiceUnavailable, noticeView(noticePage{
		view: v, Icon: "clock", Heading: v.Title, Lines: []string{v.T("paused.text")},
	}))
}

// stopped is what strangers see of a portal whose domain is not proven any
// more.
func (s *Server) stopped(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Retry-After", "3600")
	v := s.view(w, r, "stopped.title")
	return s.render(w, r, http.StatusServiceUnavailable, noticeView(noticePage{
		view: v, Icon: "lock", Heading: v.Title, Lines: []string{v.T("stopped.text"), v.T("stopped.others")},
	}))
}

// draftKey names the draft a form belongs to; "" when it has none.
func draftKey(r *http.Request) string {
	switch p := r.URL.Path; {
	case p == "/tickets/new", p == "/tickets/new/draft":
		return "new"
	case r.PathValue("number") != "" && (strings.HasSuffix(p, "/replies") || strings.HasSuffix(p, "/draft")):
		if n, err := portal.ParseTicketNumber(r.PathValue("number")); err == nil {
			return n.String()
		}
	}
	return ""
}

// keepTyped keeps the text of a form whose session has ended, as a draft. It
// reports whether it is kept.
func (s *Server) keepTyped(r *http.Request, v *app.Visit, key string, f *form) bool {
	fields := draftFields(f)
	if v.Ended == 0 || len(fields) == 0 {
		return false
	}
	if err := s.app.KeepDraft(r.Context(), v, key, fields); err != nil {
		if kind := portal.KindOf(err); kind == portal.Internal || kind == portal.Unavailable {
			page.InfoFrom(r.Context()).Err = err
		}
		return false
	}
	return true
}

// showTyped gives back what was typed and could not be kept: by somebody we do
// not know any more, or with a store that takes nothing.
func (s *Server) showTyped(w http.ResponseWriter, r *http.Request, back string, f *form) error {
	v := s.view(w, r, "typed.title")
	return s.render(w, r, http.StatusUnauthorized, noticeView(noticePage{
		view: v, Icon: "clock", Heading: v.Title, Lines: []string{v.T("typed.text")}, Typed: f.Value("body"),
		Action: v.T("typed.action"), To: page.SignInPath(v.Visit, back),
	}))
}
