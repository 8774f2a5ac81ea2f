package web

import (
	"net/http"
	"strconv"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// toGate leads somebody to what is still asked of them. What they were about
// to send is kept as a draft.
func (s *Server) toGate(w http.ResponseWriter, r *http.Request, v *app.Visit) error {
	if page.IsRead(r) {
		return redirect(w, r, page.GatePath(v, page.Asked(r, v)))
	}
	back := v.Base() + pageOf(r)
	if _, answered, err := s.rescue(w, r, v, back); answered {
		return err
	}
	return redirect(w, r, page.GatePath(v, back))
}

// pastGate answers a gate's page to somebody who does not stand at it.
func (s *Server) pastGate(w http.ResponseWriter, r *http.Request, v *app.Visit) error {
	back := r.URL.Query().Get("return_to")
	if v.SignedIn() {
		return s.goOn(w, r, back)
	}
	return redirect(w, r, page.SignInPath(v, page.ReturnPath(v.Base(), back)))
}

// consentPage asks for agreement to a text that is new to somebody.
type consentPage struct {
	*view
	*form
	Text    string
	Version string
	Back    string
}

func (s *Server) consentPage(w http.ResponseWriter, r *http.Request, f *form) consentPage {
	v := s.view(w, r, "consent.title")
	access := &v.Visit.Portal.Access
	return consentPage{
		view: v, form: f, Text: access.Consent, Version: strconv.Itoa(access.ConsentVersion),
		Back: page.ReturnPath(v.Base, f.Value("return_to")),
	}
}

func (s *Server) consentForm(w http.ResponseWriter, r *http.Request) error {
	if v := visitFrom(r.Context()); v.Gate != app.GateConsent {
		return redirect(w, r, page.GatePath(v, r.URL.Query().Get("return_to")))
	}
	f := filled(map[string]string{"return_to": r.URL.Query().Get("return_to")})
	return s.render(w, r, http.StatusOK, consentView(s.consentPage(w, r, f)))
}

func (s *Server) consentGive(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	visit := visitFrom(r.Context())
	if err == nil {
		// A page that names no version cannot be agreed to; none has the number 0.
		version, _ := strconv.Atoi(f.Value("version"))
		err = s.app.Agree(r.Context(), visit, version, f.Value("agree") != "")
	}
	if err != nil {
		f.Values.Del("agree")
		p := s.consentPage(w, r, f)
		s.refuse(w, r, p.view, f, err, "agree")
		return s.render(w, r, f.Status, consentView(p))
	}
	return s.goOn(w, r, f.Value("return_to"))
}
