package web

import (
	"net/http"
	"net/url"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// proofPage asks somebody who is signed in to prove again who they are.
type proofPage struct {
	*view
	*form
	*app.Proof
	Back string
	Sent bool // a code was mailed to this browser's asking
}

// proofPath is the page that asks for a proof and then leads back.
func proofPath(v *app.Visit, back string) string {
	return v.Base() + "/account/proof?return_to=" + url.QueryEscape(v.Base()+back)
}

func (s *Server) proofPage(w http.ResponseWriter, r *http.Request, f *form) (*proofPage, error) {
	ways, err := s.app.ProofWays(r.Context(), visitFrom(r.Context()))
	if err != nil {
		return nil, err
	}
	v := s.view(w, r, "proof.title")
	return &proofPage{
		view: v, form: f, Proof: ways, Back: page.ReturnPath(v.Base, f.Value("return_to")),
		Sent: page.Kept(r, page.ProofCookie) != "",
	}, nil
}

func (s *Server) proofForm(w http.ResponseWriter, r *http.Request) error {
	back := r.URL.Query().Get("return_to")
	if s.app.Proven(visitFrom(r.Context())) {
		return s.proofDone(w, r, back)
	}
	p, err := s.proofPage(w, r, filled(map[string]string{"return_to": back}))
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, proofView(*p))
}

// proofDone leads back to the change that asked for the proof.
func (s *Server) proofDone(w http.ResponseWriter, r *http.Request, back string) error {
	base := visitFrom(r.Context()).Base()
	if back = page.ReturnPath(base, back); back == "" {
		back = base + "/account"
	}
	return redirect(w, r, back)
}

// prove takes a password or a mailed code, whichever the form brings.
func (s *Server) prove(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	visit := visitFrom(r.Context())
	var in *app.SignedIn
	switch {
	case err != nil:
	case f.Value("code") != "":
		in, err = s.app.ProveByMail(r.Context(), visit, page.Kept(r, page.ProofCookie), f.Value("code"), f.Value("factor"), page.DeviceOf(r))
	default:
		in, err = s.app.ProveByPassword(r.Context(), visit, f.Value("present"), f.Value("factor"), page.DeviceOf(r))
	}
	if err != nil {
		return s.proofAgain(w, r, f, err)
	}
	s.setSession(w, r, in)
	page.Keep(w, r, page.ProofCookie, "", -1)
	return s.proofDone(w, r, f.Value("return_to"))
}

// proofAgain asks again after a proof that does not count.
func (s *Server) proofAgain(w http.ResponseWriter, r *http.Request, f *form, err error) error {
	p, pageErr := s.proofPage(w, r, f)
	if pageErr != nil {
		return pageErr
	}
	s.refuse(w, r, p.view, f, err, "present", "code", "factor")
	return s.render(w, r, f.Status, proofView(*p))
}

func (s *Server) proofMail(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	visit := visitFrom(r.Context())
	var token string
	if err == nil {
		token, err = s.app.MailProof(r.Context(), visit)
	}
	if err != nil {
		return err
	}
	page.Keep(w, r, page.ProofCookie, token, app.ProofLife)
	page.SetFlash(w, r, "proof_sent")
	to := visit.Base() + "/account/proof"
	if back := page.ReturnPath(visit.Base(), f.Value("return_to")); back != "" {
		to += "?return_to=" + url.QueryEscape(back)
	}
	return redirect(w, r, to)
}

// needsProof reports whether an error asks for a fresh proof first.
func needsProof(err error) bool {
	for _, e := range portal.Errors(err) {
		if e.Code == "proof.needed" {
			return true
		}
	}
	return false
}
