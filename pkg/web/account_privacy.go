package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
	"github.com/portalctl/portalctl/pkg/web/takeout"
)

// mayWithdraw reports whether there is something agreed to that still holds.
func (p *accountPage) mayWithdraw() bool {
	for _, c := range p.Consents {
		if c.WithdrawnAt.IsZero() {
			return true
		}
	}
	return false
}

// languageName is a language in its own words.
func languageName(code string) string { return i18n.For(code).T("language.name") }

// takeOut hands somebody everything the store holds about them. It is streamed:
// when something fails on the way, the connection breaks, so that no browser
// takes half of it for the whole.
func (s *Server) takeOut(w http.ResponseWriter, r *http.Request) error {
	visit := visitFrom(r.Context())
	t, err := s.app.TakeOutOwn(r.Context(), visit)
	if needsProof(err) && !visit.ReadOnly {
		return redirect(w, r, proofPath(visit, "/account"))
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", disposition("attachment", takeOutName(visit.Portal, t.At.In(page.ZoneOf(visit)))))
	h.Set("Content-Security-Policy", page.FilePolicy)
	h.Set("No-Gzip-Compression", "1") // it is compressed already
	w.WriteHeader(http.StatusOK)
	if _, err := takeout.Write(r.Context(), w, t); err != nil {
		if r.Context().Err() == nil {
			s.log.Error("a take-out broke off", "error", err)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

func takeOutName(p *portal.Portal, at time.Time) string {
	return strings.Trim(p.Slug+"-data-"+at.Format(time.DateOnly)+".zip", "-")
}

// consentWithdraw takes back what somebody agreed to, which signs them out.
func (s *Server) consentWithdraw(w http.ResponseWriter, r *http.Request) error {
	visit := visitFrom(r.Context())
	if err := s.app.WithdrawConsent(r.Context(), visit); err != nil {
		return err
	}
	page.EndSession(w, r)
	page.SetFlash(w, r, "consent_withdrawn")
	return redirect(w, r, visit.Base()+"/sign-in")
}
