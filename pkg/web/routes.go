package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// handler answers a request or returns what is wrong with it.
type handler func(w http.ResponseWriter, r *http.Request) error

// access says who may use a route. The zero value is the strictest but one,
// so a route that forgets to say is private.
type access int

const (
	signedIn access = iota // contacts and agents
	contacts               // contacts only: agents have no account here and open no tickets
	anyone                 // strangers too
	arriving               // as anyone, and while the portal is paused: agents get in this way
	atGate                 // who has signed in and is still asked something; while paused too
)

// How many bytes a route takes.
const (
	noBody  = 0
	small   = 64 << 10 // a few fields
	text    = 1 << 20  // a message, which escaping can make three times as long
	uploads = portal.MaxFiles*portal.MaxFileSize + 2*text
)

type route struct {
	pattern string
	handle  handler
	who     access
	limit   int64 // of the body
}

// routes is everything a browser can reach below a portal's address.
func (s *Server) routes() []route {
	return []route{
		{"GET /{$}", s.home, anyone, noBody},

		{"GET /sign-in", s.signInForm, anyone, noBody},
		{"POST /sign-in", s.signIn, anyone, small},
		{"POST /sign-in/link", s.linkRequest, anyone, small},
		{"POST /sign-in/passkey/begin", s.passkeySignInBegin, anyone, small},
		{"POST /sign-in/passkey", s.passkeySignIn, anyone, text},
		{"GET /sign-in/sent", s.linkSent, anyone, noBody},
		{"GET /sign-in/link/{token}", s.linkShow, arriving, noBody},
		{"POST /sign-in/link/{token}", s.linkUse, arriving, small},
		{"GET /view/{token}", s.lookShow, anyone, noBody},
		{"POST /view/{token}", s.lookOpen, anyone, small},
		{"GET /sign-out", s.signOutForm, arriving, noBody},
		{"POST /sign-out", s.signOut, arriving, small},

		{"GET /sign-in/factor", s.factorForm, atGate, noBody},
		{"POST /sign-in/factor", s.factorGive, atGate, small},
		{"GET /sign-in/enrol", s.enrolForm, atGate, noBody},
		{"POST /sign-in/enrol", s.enrol, atGate, small},
		{"GET /sso", s.ssoBegin, anyone, noBody},
		{"GET /sso/callback", s.ssoFinish, anyone, noBody},
		{"GET /sso/signed-out", s.ssoSignedOut, arriving, noBody},

		{"GET /consent", s.consentForm, atGate, noBody},
		{"POST /consent", s.consentGive, atGate, small},
		{"GET /not-me/{token}", s.notMeForm, arriving, noBody},
		{"POST /not-me/{token}", s.notMe, arriving, small},

		{"GET /rate/{token}", s.ratingShow, anyone, noBody},
		{"POST /rate/{token}", s.rate, anyone, text},

		{"GET /register", s.registerForm, anyone, noBody},
		{"POST /register", s.register, anyone, small},
		{"GET /register/sent", s.registerSent, anyone, noBody},
		{"GET /register/pending", s.registerPending, anyone, noBody},
		{"GET /register/{token}", s.joinForm(app.TokenRegister), anyone, noBody},
		{"POST /register/{token}", s.join(app.TokenRegister), anyone, small},
		{"GET /invitation/{token}", s.joinForm(app.TokenInvitation), anyone, noBody},
		{"POST /invitation/{token}", s.join(app.TokenInvitation), anyone, small},
		{"GET /reset", s.resetRequestForm, anyone, noBody},
		{"POST /reset", s.resetRequest, anyone, small},
		{"GET /reset/sent", s.resetSent, anyone, noBody},
		{"GET /reset/{token}", s.resetForm, anyone, noBody},
		{"POST /reset/{token}", s.reset, anyone, small},

		{"GET /tickets", s.ticketList, signedIn, noBody},
		{"GET /tickets.csv", s.ticketsCSV, signedIn, noBody},
		{"GET /tickets/new", s.ticketForm, contacts, noBody},
		{"POST /tickets/new", s.ticketOpen, contacts, uploads},
		{"POST /tickets/new/draft", s.newDraft, contacts, text},
		{"GET /tickets/{number}", s.ticketShow, signedIn, noBody},
		{"POST /tickets/{number}/replies", s.ticketReply, signedIn, uploads},
		{"POST /tickets/{number}/draft", s.replyDraft, contacts, text},
		{"POST /tickets/{number}/close", s.ticketClose, signedIn, small},
		{"POST /tickets/{number}/rating", s.ticketRate, contacts, text},
		{"POST /tickets/{number}/reopen", s.ticketReopen, signedIn, small},
		{"POST /tickets/{number}/participants", s.participantAdd, signedIn, small},
		{"POST /tickets/{number}/participants/{id}/remove", s.participantRemove, signedIn, small},
		{"POST /tickets/{number}/confidential", s.ticketConfidential, signedIn, small},
		{"GET /files/{id}/{name}", s.file, signedIn, noBody},

		{"GET /account", s.accountShow, signedIn, noBody},
		{"POST /account/profile", s.profileSave, contacts, small},
		{"POST /account/notifications", s.notifySave, contacts, small},
		{"GET /account/notifications/{token}", s.noticesOffForm, arriving, noBody},
		{"POST /account/notifications/{token}", s.noticesOff, arriving, small},
		{"POST /account/password", s.passwordChange, signedIn, small},
		{"POST /account/email", s.emailChange, contacts, small},
		{"GET /account/email/{token}", s.emailConfirmForm, contacts, noBody},
		{"POST /account/email/{token}", s.emailConfirm, contacts, small},
		{"GET /account/proof", s.proofForm, signedIn, noBody},
		{"POST /account/proof", s.prove, signedIn, small},
		{"POST /account/proof/mail", s.proofMail, signedIn, small},
		{"GET /account/factor", s.factorShow, signedIn, noBody},
		{"GET /account/factor/set-up", s.setupForm, signedIn, noBody},
		{"POST /account/factor/set-up", s.setup, signedIn, small},
		{"POST /account/factor/codes", s.codesMake, signedIn, small},
		{"POST /account/factor/off", s.factorOff, signedIn, small},
		{"POST /account/proof/passkey/begin", s.proofPasskeyBegin, signedIn, small},
		{"POST /account/proof/passkey", s.proofPasskey, signedIn, small},
		{"GET /account/passkeys/new", s.passkeyNew, signedIn, noBody},
		{"POST /account/passkeys/begin", s.passkeyBegin, signedIn, small},
		{"POST /account/passkeys", s.passkeyAdd, signedIn, text},
		{"GET /account/passkeys/{id}", s.passkeyShow, signedIn, noBody},
		{"POST /account/passkeys/{id}", s.passkeyRename, signedIn, small},
		{"POST /account/passkeys/{id}/remove", s.passkeyRemove, signedIn, small},
		{"POST /account/sessions/{id}/end", s.sessionEnd, signedIn, small},
		{"POST /account/sessions/end", s.sessionsEnd, signedIn, small},
		{"POST /account/data", s.takeOut, contacts, small},
		{"POST /account/consent/withdraw", s.consentWithdraw, contacts, small},
	}
}

// deskPaths are the beginnings of the routes that the help desk has as well:
// getting in and out, the account, files.
var deskPaths = []string{"/sign-in", "/sign-out", "/not-me/", "/account", "/files/"}

// atDesk reports whether a route is one of the help desk, too. The rest of a
// portal's pages are for customers.
func atDesk(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	return slices.ContainsFunc(deskPaths, func(begin string) bool { return strings.HasPrefix(path, begin) })
}

// visitFrom returns the request's visit, or nil before it is known.
func visitFrom(ctx context.Context) *app.Visit { return page.InfoFrom(ctx).Visit }

// serve lets a request through to its handler if who asks may.
func (s *Server) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page.InfoFrom(r.Context()).Route = rt.pattern
		v := visitFrom(r.Context())
		err := s.handle(w, r, v, rt)
		if on, ok := err.(*movedOn); ok { // never wrapped: it is no error
			err = s.showMoved(w, r, on)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *Server) handle(w http.ResponseWriter, r *http.Request, v *app.Visit, rt route) error {
	if v.Portal.State == portal.Paused && v.Agent == nil && v.ArrivingAgent == nil && rt.who != arriving {
		return s.paused(w, r)
	}
	if v.Stopped && !v.SignedIn() && v.Gate == "" && waysIn(rt.pattern) {
		return s.stopped(w, r)
	}
	if !page.IsRead(r) {
		if v.ReadOnly && rt.pattern != "POST /sign-out" && rt.pattern != "POST /view/{token}" {
			return portal.Forbiddenf("view.read_only", "this is a look at somebody's portal; nothing can be changed")
		}
		if !page.FormType(r) {
			return page.ErrMediaType
		}
		r.Body = http.MaxBytesReader(w, r.Body, rt.limit)
		if err := takeHere(v, r, rt.pattern); err != nil {
			return err
		}
	}
	if v.ReadOnly && !inLook(rt.pattern) {
		return portal.Forbiddenf("view.private", "this page is for the contact alone")
	}
	switch rt.who {
	case anyone, arriving:
	case atGate:
		if v.Gate == "" {
			return s.pastGate(w, r, v)
		}
	case contacts, signedIn:
		if !v.SignedIn() {
			return s.turnAway(w, r, v)
		}
		if rt.who == contacts && v.Contact == nil {
			return portal.NotFoundf("page.agent", "agents have no such page")
		}
	}
	return rt.handle(w, r)
}

// waysIn reports whether a route is one on which somebody new gets in.
func waysIn(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	return path != "/sso/signed-out" && slices.ContainsFunc([]string{"/sign-in", "/register", "/invitation/", "/reset", "/sso"}, func(begin string) bool {
		return strings.HasPrefix(path, begin)
	})
}

// inLook reports whether an operator who looks as a customer may see a route:
// not the account, and nothing to take away in bulk.
func inLook(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	return path != "/tickets.csv" && path != "/account" && !strings.HasPrefix(path, "/account/")
}

// turnAway sends a stranger to the sign-in page. What somebody typed while
// their session ended is kept for them.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, v *app.Visit) error {
	if v.Entry.Code != "" && !v.Entry.Allowed {
		return s.noEntry(w, r)
	}
	base := v.Base()
	if v.Gate != "" {
		return s.toGate(w, r, v)
	}
	if page.IsRead(r) {
		if v.Ended != 0 {
			page.SetFlash(w, r, "session_ended")
		}
		return redirect(w, r, page.SignInPath(v, page.Asked(r, v)))
	}
	back, flash := base+pageOf(r), "session_ended"
	kept, answered, err := s.rescue(w, r, v, back)
	if answered {
		return err
	}
	if kept {
		flash = "session_ended_kept"
	}
	page.SetFlash(w, r, flash)
	return redirect(w, r, page.SignInPath(v, back))
}

// rescue keeps what somebody typed who is not let in at this moment, as a
// draft. answered is set when the answer is written: to the script, which has
// no use for a page, and to somebody whose text cannot be kept.
func (s *Server) rescue(w http.ResponseWriter, r *http.Request, v *app.Visit, back string) (kept, answered bool, err error) {
	key := draftKey(r)
	if key == "" {
		return false, false, nil
	}
	f := page.ReadTyped(r)
	kept = s.keepTyped(r, v, key, f)
	switch {
	case strings.HasSuffix(r.URL.Path, "/draft"):
		w.WriteHeader(http.StatusUnauthorized)
		return kept, true, nil
	case !kept && f.Value("body") != "":
		return false, true, s.showTyped(w, r, back, f)
	}
	return kept, false, nil
}

// pageOf is the page a form stands on.
func pageOf(r *http.Request) string {
	if number := r.PathValue("number"); number != "" {
		return "/tickets/" + number
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/tickets/new"):
		return "/tickets/new"
	case strings.HasPrefix(r.URL.Path, "/account"):
		return "/account"
	}
	return "/"
}
