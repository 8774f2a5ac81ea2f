package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// factorPage asks at the gate for a code of the authenticator app, or for a
// recovery code.
type factorPage struct {
	*view
	*form
	Recovery bool
	Back     string
	Other    string // the page that asks for the other kind
}

func (s *Server) factorPage(w http.ResponseWriter, r *http.Request, f *form) *factorPage {
	p := &factorPage{view: s.view(w, r, "factor.title"), form: f, Recovery: f.Value("recovery") != ""}
	p.Back = page.ReturnPath(p.Base, f.Value("return_to"))
	other := url.Values{}
	if !p.Recovery {
		other.Set("recovery", "yes")
	}
	if p.Back != "" {
		other.Set("return_to", p.Back)
	}
	p.Other = p.Base + "/sign-in/factor"
	if len(other) > 0 {
		p.Other += "?" + other.Encode()
	}
	return p
}

func (s *Server) factorForm(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if v := visitFrom(r.Context()); v.Gate != app.GateFactor {
		return redirect(w, r, page.GatePath(v, q.Get("return_to")))
	}
	f := filled(map[string]string{"return_to": q.Get("return_to"), "recovery": q.Get("recovery")})
	return s.render(w, r, http.StatusOK, factorView(s.factorPage(w, r, f)))
}

func (s *Server) factorGive(w http.ResponseWriter, r *http.Request) error {
	if v := visitFrom(r.Context()); v.Gate != app.GateFactor {
		return redirect(w, r, page.GatePath(v, ""))
	}
	f, err := s.readForm(r)
	defer f.Close()
	visit := visitFrom(r.Context())
	var given *app.GivenFactor
	if err == nil {
		back := page.ReturnPath(visit.Base(), f.Value("return_to"))
		given, err = s.app.GiveFactor(r.Context(), visit, f.Value("code"), back, page.DeviceOf(r))
	}
	if hasCode(err, "factor.ended") {
		page.EndSession(w, r)
		page.SetFlash(w, r, "factor_ended")
		return redirect(w, r, page.SignInPath(visit, f.Value("return_to")))
	}
	if err != nil {
		f.Values.Del("code") // a code is typed anew, never mended
		p := s.factorPage(w, r, f)
		s.refuse(w, r, p.view, f, err, "code")
		f.Call("code", p.codeLabel())
		return s.render(w, r, f.Status, factorView(p))
	}
	if given.Recovery {
		page.SetFlash(w, r, "recovery_used")
	}
	return s.enter(w, r, given.SignedIn)
}

func (p *factorPage) codeLabel() string {
	if p.Recovery {
		return p.T("factor.recovery_code")
	}
	return p.T("factor.code")
}

func hasCode(err error, code string) bool {
	for _, e := range portal.Errors(err) {
		if e.Code == code {
			return true
		}
	}
	return false
}

// setupPage shows what goes into an authenticator app and asks for its first
// code: at the gate, or from the account.
type setupPage struct {
	*view
	*form
	Setup *app.FactorSetup
	QR    *qrCode
	Gate  bool
	Path  string // where the code is posted to
	Back  string
}

func (s *Server) setupPage(w http.ResponseWriter, r *http.Request, f *form) (*setupPage, error) {
	visit := visitFrom(r.Context())
	setup, err := s.app.SetUpFactor(r.Context(), visit)
	if err != nil {
		return nil, err
	}
	p := &setupPage{view: s.view(w, r, "factor.setup_title"), form: f, Setup: setup, Gate: visit.Gate == app.GateEnrol}
	p.Path, p.Back = p.Base+"/account/factor/set-up", page.ReturnPath(p.Base, f.Value("return_to"))
	if p.Gate {
		p.Path = p.Base + "/sign-in/enrol"
	}
	p.QR, err = newQR(setup.URL)
	return p, err
}

// enrolForm is the gate of who must have a second factor and has none.
func (s *Server) enrolForm(w http.ResponseWriter, r *http.Request) error {
	back := r.URL.Query().Get("return_to")
	if v := visitFrom(r.Context()); v.Gate != app.GateEnrol {
		return redirect(w, r, page.GatePath(v, back))
	}
	p, err := s.setupPage(w, r, filled(map[string]string{"return_to": back}))
	if hasCode(err, "factor.sign_in_again") {
		return s.signInFirst(w, r)
	}
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, setupView(p))
}

// signInFirst tells somebody whose session is not fresh why they must sign in
// again before they set up a second factor.
func (s *Server) signInFirst(w http.ResponseWriter, r *http.Request) error {
	v := s.view(w, r, "factor.demanded_title")
	return s.render(w, r, http.StatusOK, noticeView(noticePage{
		view: v, Icon: "lock", Heading: v.Title, Lines: []string{v.T("factor.demanded_text"), v.T("factor.sign_in_again")}, SignOut: true,
	}))
}

func (s *Server) enrol(w http.ResponseWriter, r *http.Request) error {
	if v := visitFrom(r.Context()); v.Gate != app.GateEnrol {
		return redirect(w, r, page.GatePath(v, ""))
	}
	return s.confirmFactor(w, r)
}

// setupForm begins to set an app up from the account.
func (s *Server) setupForm(w http.ResponseWriter, r *http.Request) error {
	p, err := s.setupPage(w, r, filled(nil))
	if needsProof(err) {
		return redirect(w, r, proofPath(visitFrom(r.Context()), "/account/factor/set-up"))
	}
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, setupView(p))
}

func (s *Server) setup(w http.ResponseWriter, r *http.Request) error { return s.confirmFactor(w, r) }

// confirmFactor takes the app's first code and answers with the recovery
// codes. They stand in this answer and nowhere else, so it is no redirect.
func (s *Server) confirmFactor(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	visit := visitFrom(r.Context())
	var made *app.NewFactor
	if err == nil {
		back := page.ReturnPath(visit.Base(), f.Value("return_to"))
		made, err = s.app.ConfirmFactor(r.Context(), visit, f.Value("code"), back, page.DeviceOf(r))
	}
	if err == nil {
		s.setSession(w, r, made.SignedIn)
		return s.showCodes(w, r, made.Codes, made.ReturnTo)
	}
	if hasCode(err, "handshake.none") || hasCode(err, "proof.needed") || hasCode(err, "factor.elsewhere") {
		// It took too long, or too many codes were wrong: begin again, with
		// another key.
		page.SetFlash(w, r, "factor_again")
		if visit.Gate != "" {
			return redirect(w, r, page.GatePath(visit, f.Value("return_to")))
		}
		return redirect(w, r, visit.Base()+"/account/factor")
	}
	f.Values.Del("code")
	p, pageErr := s.setupPage(w, r, f)
	if pageErr != nil {
		return pageErr
	}
	s.refuse(w, r, p.view, f, err, "code")
	f.Call("code", p.T("factor.code"))
	return s.render(w, r, f.Status, setupView(p))
}

// codesPage shows recovery codes, once.
type codesPage struct {
	*view
	Codes []string
	Gate  bool
	On    string // where to go from here
}

func (s *Server) showCodes(w http.ResponseWriter, r *http.Request, codes []string, back string) error {
	p := &codesPage{view: s.view(w, r, "factor.codes_title"), Codes: codes, Gate: visitFrom(r.Context()).Gate != "", On: back}
	if p.On == "" {
		p.On = p.Base + "/account/factor"
		if p.Gate {
			p.On = p.Base + "/"
		}
	}
	return s.render(w, r, http.StatusOK, codesView(p))
}

// File is the codes as a text file, in an address of its own: what is shown
// once needs no second request.
func (p *codesPage) File() templ.SafeURL {
	lines := []string{p.T("factor.file_title", "Portal", p.Portal), p.T("factor.codes_once"), ""}
	lines = append(lines, p.Codes...)
	text := strings.Join(append(lines, "", p.T("factor.file_made", "At", p.DateTime(p.Now.In(p.Zone)))), "\r\n") + "\r\n"
	return templ.SafeURL("data:text/plain;charset=utf-8," + url.PathEscape(text))
}

// factorAccountPage is where somebody looks after their second factor.
type factorAccountPage struct {
	*view
	*app.FactorState
	Since, CodesOf moment
}

func (s *Server) factorShow(w http.ResponseWriter, r *http.Request) error {
	state, err := s.app.Factor(r.Context(), visitFrom(r.Context()))
	if err != nil {
		return err
	}
	p := &factorAccountPage{view: s.view(w, r, "factor.account_title"), FactorState: state}
	p.Since, p.CodesOf = p.moment(state.Since), p.moment(state.CodesOf)
	return s.render(w, r, http.StatusOK, factorAccountView(p))
}

func (s *Server) codesMake(w http.ResponseWriter, r *http.Request) error {
	visit := visitFrom(r.Context())
	codes, err := s.app.NewRecoveryCodes(r.Context(), visit, page.DeviceOf(r))
	if needsProof(err) {
		return redirect(w, r, proofPath(visit, "/account/factor"))
	}
	if err != nil {
		return err
	}
	return s.showCodes(w, r, codes, "")
}

func (s *Server) factorOff(w http.ResponseWriter, r *http.Request) error {
	visit := visitFrom(r.Context())
	err := s.app.TurnOffFactor(r.Context(), visit, page.DeviceOf(r))
	if needsProof(err) {
		return redirect(w, r, proofPath(visit, "/account/factor"))
	}
	if err != nil {
		return err
	}
	page.SetFlash(w, r, "factor_off")
	return redirect(w, r, visit.Base()+"/account/factor")
}
