package web

import (
	"net/http"
	"net/url"

	"github.com/portalctl/portalctl/pkg/portal"
)

// notifyForm is the section's form.
func (p *accountPage) notifyForm() *form {
	return p.form("notifications", map[string]string{"notify": p.Contact.Notify.String()})
}

// notices lists of what somebody may hear by mail, with the chosen one.
func (p *accountPage) notices(chosen string) []option {
	list := make([]option, len(portal.ContactNotifies))
	for i, n := range portal.ContactNotifies {
		list[i] = option{Value: string(n), Label: p.T("account.notify." + string(n)), Chosen: chosen == string(n)}
	}
	return list
}

// bounced reports whether mail to the reader comes back.
func (p *accountPage) bounced() bool {
	return p.Contact.Bounced != "" && p.Contact.Bounced == p.Contact.Email
}

func (s *Server) notifySave(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	if err == nil {
		err = s.app.SaveNotify(r.Context(), visitFrom(r.Context()), f.Value("notify"))
	}
	if err != nil {
		return s.accountAgain(w, r, "notifications", f, err, "notify")
	}
	return accountDone(w, r, "notify_saved")
}

// noticesOffForm is behind the link of a mail that turns its kind off. Only
// the button does, as programs follow links, too; mail programs that offer to
// unsubscribe post to the same address (RFC 8058).
func (s *Server) noticesOffForm(w http.ResponseWriter, r *http.Request) error {
	token := r.PathValue("token")
	n, err := s.app.NoticeOff(r.Context(), token)
	if err != nil {
		return err
	}
	v := s.viewIn(w, r, "notices_off.title", n.Language)
	return s.render(w, r, http.StatusOK, confirmView(confirmPage{
		view: v, Path: v.Base + "/account/notifications/" + url.PathEscape(token), Heading: v.Title,
		Lead: v.T("notices_off.lead." + string(n.Kind)), Button: v.T("notices_off.button"),
	}))
}

func (s *Server) noticesOff(w http.ResponseWriter, r *http.Request) error {
	n, err := s.app.TurnNoticeOff(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	v := s.viewIn(w, r, "notices_off.done", n.Language)
	return s.render(w, r, http.StatusOK, noticeView(noticePage{
		view: v, Icon: "circle-check", Heading: v.Title, Lines: []string{v.T("notices_off.done." + string(n.Kind)), v.T("notices_off.back")},
		Action: v.T("notices_off.account"), To: v.Base + "/account",
	}))
}
