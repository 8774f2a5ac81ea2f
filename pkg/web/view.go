package web

import (
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// The parts of pages are page's, which the help desk's pages are made of too.
type (
	moment = page.Moment
	words  = page.Text
	chip   = page.Chip
)

// view is what every page knows: its language, its portal, who reads it.
type view struct {
	*i18n.Printer
	Visit  *app.Visit // nil on an error before the portal is known
	Title  string     // of the page, in front of the portal's name
	Portal string     // the portal's name
	Base   string     // the portal's path: "" or "/help"
	User   string     // who is signed in
	Agent  bool
	Flash  string // a notice about what was just done
	Now    time.Time
	Zone   *time.Location
	Print  bool  // the page is to go on paper
	Look   *look // an operator looks as a customer; nil: nobody does

	// Tongues are the languages the page can be read in by somebody who has no
	// account to choose one in, and Alternates where they are found.
	Tongues    []page.Tongue
	Alternates []page.Alternate

	// The word customers read for ticket, as a heading and within a sentence.
	One, Many, one, many string

	accent string
	face   *page.Face   // nil: the product's own
	notice *page.Notice // nil: there is nothing to announce
}

// view makes the view of a request. title is the key of the page's title, or
// "" when the handler sets it.
func (s *Server) view(w http.ResponseWriter, r *http.Request, title string) *view {
	return s.viewIn(w, r, title, "")
}

// viewIn is view in a language other than the visitor's, for somebody who
// comes by a mailed link and is not signed in yet. "" is the visitor's.
func (s *Server) viewIn(w http.ResponseWriter, r *http.Request, title, language string) *view {
	v := &view{Visit: visitFrom(r.Context()), Now: s.now(), Zone: time.UTC, accent: portal.DefaultAccent}
	v.Printer = page.Printer(w, r, v.Visit, language)
	if v.Visit != nil {
		p := v.Visit.Portal
		v.Portal, v.Base, v.Zone = p.Name, v.Visit.Base(), page.ZoneOf(v.Visit)
		if p.IsDesk() {
			v.Portal = v.T("desk.name")
		}
		if _, err := portal.ParseAccent(p.Accent); err == nil {
			v.accent = p.Accent
		}
		if !p.IsDesk() {
			v.face = s.faceOf(p)
			if v.notice = page.NoticeOf(r, p.Brand.Banner, v.Now); v.notice != nil {
				v.notice.Label, v.notice.Dismiss = v.T("layout.announcement"), v.T("layout.announcement.dismiss")
			}
		}
		v.One, v.Many = p.Tickets.LabelOne, p.Tickets.LabelMany
		switch {
		case v.Visit.Agent != nil:
			v.User, v.Agent = v.Visit.Agent.Name, true
		case v.Visit.Contact != nil:
			v.User = v.Visit.Contact.DisplayName()
		}
		if session := v.Visit.Session; session != nil && session.OpenedBy != "" {
			v.Look = &look{By: session.OpenedBy, Until: session.ExpiresAt}
		}
		v.Flash = v.flash(page.TakeFlash(w, r))
		_, v.Print = r.URL.Query()["print"]
		if !v.Visit.SignedIn() && v.Visit.OwnLanguage() == "" {
			s.tongues(r, v)
		}
	}
	if v.One == "" || v.Many == "" {
		v.One, v.Many = v.T("ticket.one"), v.T("ticket.many")
	}
	v.one, v.many = withinSentence(v.Lang(), v.One), withinSentence(v.Lang(), v.Many)
	if title != "" {
		v.Title = v.T(title)
	}
	return v
}

// flashes are the notices a cookie may ask for.
var flashes = []string{
	"signed_out", "signed_out_everywhere", "session_ended", "session_ended_kept", "ticket_opened", "reply_sent", "note_saved",
	"closed", "reopened", "rated", "participant_added", "participant_removed", "confidential_on", "confidential_off",
	"profile_saved", "notify_saved", "password_changed", "session_removed", "welcome",
	"factor_off", "factor_again", "factor_ended", "recovery_used",
	"email_sent", "email_changed", "proof_sent",
	"signed_out_provider",
	"passkey_added", "passkey_renamed", "passkey_removed",
	"consent_withdrawn",
}

func (v *view) flash(key string) string {
	for _, known := range flashes {
		if key == known {
			return v.T("flash." + key)
		}
	}
	return ""
}

// withinSentence writes a label as it stands in the middle of a sentence:
// "ticket", but "RMA", and as it is in German, which writes every noun with a
// capital.
func withinSentence(lang, s string) string {
	if base, _, _ := strings.Cut(lang, "-"); base == "de" {
		return s
	}
	first, size := utf8.DecodeRuneInString(s)
	if second, _ := utf8.DecodeRuneInString(s[size:]); unicode.IsUpper(second) {
		return s
	}
	return string(unicode.ToLower(first)) + s[size:]
}

// URL is the address of a path of the portal.
func (v *view) URL(path string) templ.SafeURL { return templ.SafeURL(v.Base + path) }

// DocumentTitle is what the browser's tab says.
func (v *view) DocumentTitle() string {
	switch {
	case v.Portal == "":
		return v.Title
	case v.Title == "" || v.Title == v.Portal:
		return v.Portal
	}
	return v.Title + " · " + v.Portal
}

// head is what is said of the page before it begins.
func (v *view) head(class string) page.Head {
	var styles []string
	if v.hasBrand() {
		styles = []string{"brand.css"}
	}
	return page.Head{
		Styles: styles,
		Lang:   v.Tag(), Dir: v.Dir(), Title: v.DocumentTitle(), Accent: v.accent, Class: class, Print: v.Print, Skip: v.T("layout.skip"),
		Banner: above(v), Face: v.face, Alternates: v.Alternates,
	}
}

// menu is what stands behind the name of who is signed in.
func (v *view) menu() page.Menu {
	m := page.Menu{
		Label: v.T("layout.menu"), User: v.User, Account: v.URL("/account"), AccountText: v.T("account.title"),
		SignOut: v.URL("/sign-out"), SignOutText: v.T("sign_out.button"),
	}
	if v.Look != nil {
		m.Account, m.SignOutText = "", v.T("look.end")
	}
	return m
}

// ZoneName is the time zone times are shown in.
func (v *view) ZoneName() string { return strings.ReplaceAll(v.Zone.String(), "_", " ") }

func (v *view) moment(t time.Time) moment { return page.MomentOf(v.Printer, v.Now, v.Zone, t) }

// status is a status in the reader's words.
func (v *view) status(s portal.Status) string {
	if v.Agent {
		return v.T("status.desk." + string(s))
	}
	return v.T("status." + string(s))
}

func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	return page.Render(w, r, status, c)
}

func redirect(w http.ResponseWriter, r *http.Request, to string) error {
	if v := visitFrom(r.Context()); v != nil && v.Elsewhere() && strings.HasPrefix(to, v.Base()+"/") {
		return &movedOn{onward(v, to)}
	}
	return page.Redirect(w, r, to)
}

// personName is what the reader may know of a contact. Other customers'
// addresses are for agents only.
func (v *view) personName(c *portal.Contact) string {
	if v.Agent || v.Visit.Contact != nil && v.Visit.Contact.ID == c.ID {
		return c.DisplayName()
	}
	return c.ShownName()
}
