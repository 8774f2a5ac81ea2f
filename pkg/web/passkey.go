package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// passkeyAsk is a passkeyForm: where it posts, and what it says.
type passkeyAsk struct {
	Action   string // the path; the challenge comes from the path /begin below it
	Label    string
	New      bool // makes a passkey
	Offer    bool // the browser offers passkeys in the list of the address field too
	Or       bool // stands below another way
	Quiet    bool
	ReturnTo string
	Team     bool // stands on the team's sign-in page
}

func (k passkeyAsk) what() string {
	if k.New {
		return "create"
	}
	return "get"
}

// passkeyBegun answers the script with what it asks the authenticator.
func passkeyBegun(w http.ResponseWriter, r *http.Request, step *app.PasskeyStep) error {
	page.Keep(w, r, page.PasskeyCookie, step.Held, time.Hour)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(step.Options) //nolint:gosec // G705: JSON with its own type; the visitor may be gone
	return nil
}

func (s *Server) passkeySignInBegin(w http.ResponseWriter, r *http.Request) error {
	step, err := s.app.BeginPasskeySignIn(r.Context(), visitFrom(r.Context()), page.Kept(r, page.PasskeyCookie), page.DeviceOf(r))
	if err != nil {
		return err
	}
	return passkeyBegun(w, r, step)
}

func (s *Server) passkeySignIn(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	visit := visitFrom(r.Context())
	var in *app.SignedIn
	if err == nil {
		back := page.ReturnPath(visit.Base(), f.Value("return_to"))
		in, err = s.app.SignInByPasskey(r.Context(), visit, page.Kept(r, page.PasskeyCookie), f.Value("answer"), back, page.DeviceOf(r))
	}
	if err != nil {
		return s.signInAgain(w, r, f, err)
	}
	return s.enter(w, r, in)
}

func (s *Server) proofPasskeyBegin(w http.ResponseWriter, r *http.Request) error {
	step, err := s.app.BeginPasskeyProof(r.Context(), visitFrom(r.Context()), page.Kept(r, page.PasskeyCookie), page.DeviceOf(r))
	if err != nil {
		return err
	}
	return passkeyBegun(w, r, step)
}

func (s *Server) proofPasskey(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	var in *app.SignedIn
	if err == nil {
		in, err = s.app.ProveByPasskey(r.Context(), visitFrom(r.Context()), page.Kept(r, page.PasskeyCookie), f.Value("answer"), page.DeviceOf(r))
	}
	if err != nil {
		return s.proofAgain(w, r, f, err)
	}
	s.setSession(w, r, in)
	return s.proofDone(w, r, f.Value("return_to"))
}

// provingFirst leads to the page that asks for a fresh proof, where that is
// what is missing, and back to a page from there.
func provingFirst(w http.ResponseWriter, r *http.Request, v *app.Visit, back string, err error) error {
	if needsProof(err) {
		return redirect(w, r, proofPath(v, back))
	}
	return err
}

// passkeyPage adds a passkey, or removes one.
type passkeyPage struct {
	*view
	*form
	Passkey *app.PasskeyInfo
}

func (s *Server) passkeyNew(w http.ResponseWriter, r *http.Request) error {
	visit := visitFrom(r.Context())
	if err := s.app.MayAddPasskey(r.Context(), visit); err != nil {
		return provingFirst(w, r, visit, "/account/passkeys/new", err)
	}
	return s.render(w, r, http.StatusOK, passkeyNewView(passkeyPage{view: s.view(w, r, "passkey.new_title")}))
}

func (s *Server) passkeyBegin(w http.ResponseWriter, r *http.Request) error {
	step, err := s.app.BeginPasskey(r.Context(), visitFrom(r.Context()), page.Kept(r, page.PasskeyCookie), page.DeviceOf(r))
	if err != nil {
		return err
	}
	return passkeyBegun(w, r, step)
}

func (s *Server) passkeyAdd(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	v := s.view(w, r, "passkey.new_title")
	if err == nil {
		err = s.app.AddPasskey(r.Context(), v.Visit, page.Kept(r, page.PasskeyCookie), f.Value("answer"), v.browser(r.UserAgent()), page.DeviceOf(r))
	}
	if err != nil {
		if kind := portal.KindOf(err); kind != portal.Invalid && kind != portal.Conflict {
			return provingFirst(w, r, v.Visit, "/account/passkeys/new", err)
		}
		s.refuse(w, r, v, f, err)
		return s.render(w, r, f.Status, passkeyNewView(passkeyPage{view: v, form: f}))
	}
	return accountDone(w, r, "passkey_added")
}

// passkeyID reads the number in the path. One that cannot be is nobody's.
func passkeyID(r *http.Request) portal.PasskeyID {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0
	}
	return portal.PasskeyID(id)
}

func passkeyPath(id portal.PasskeyID, rest string) string {
	return "/account/passkeys/" + strconv.FormatInt(int64(id), 10) + rest
}

// passkeyShow is where a passkey is renamed and removed.
func (s *Server) passkeyShow(w http.ResponseWriter, r *http.Request) error {
	p, err := s.passkeyPage(w, r)
	if err != nil {
		return err
	}
	p.form = filled(map[string]string{"name": p.Passkey.Name})
	return s.render(w, r, http.StatusOK, passkeyView(*p))
}

func (s *Server) passkeyPage(w http.ResponseWriter, r *http.Request) (*passkeyPage, error) {
	k, err := s.app.Passkey(r.Context(), visitFrom(r.Context()), passkeyID(r))
	if err != nil {
		return nil, err
	}
	v := s.view(w, r, "")
	v.Title = k.Name
	return &passkeyPage{view: v, Passkey: k}, nil
}

func (s *Server) passkeyRename(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	if err == nil {
		err = s.app.RenamePasskey(r.Context(), visitFrom(r.Context()), passkeyID(r), f.Value("name"))
	}
	if portal.KindOf(err) == portal.Invalid && err != nil {
		p, pageErr := s.passkeyPage(w, r)
		if pageErr != nil {
			return pageErr
		}
		p.form = f
		s.refuse(w, r, p.view, f, err, "name")
		return s.render(w, r, f.Status, passkeyView(*p))
	}
	if err != nil {
		return err
	}
	return accountDone(w, r, "passkey_renamed")
}

func (s *Server) passkeyRemove(w http.ResponseWriter, r *http.Request) error {
	visit, id := visitFrom(r.Context()), passkeyID(r)
	if err := s.app.RemovePasskey(r.Context(), visit, id, page.DeviceOf(r)); err != nil {
		return provingFirst(w, r, visit, passkeyPath(id, ""), err)
	}
	return accountDone(w, r, "passkey_removed")
}
