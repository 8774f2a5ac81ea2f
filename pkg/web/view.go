package web

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
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

	// The word customers read for ticket, as a heading and within a sentence.
	One, Many, one, many string

	accent string
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
	if v.Visit == nil {
		v.Printer = i18n.For(i18n.Match(r.Header.Get("Accept-Language")))
	} else {
		p := v.Visit.Portal
		v.Printer = i18n.For(cmp.Or(language, v.Visit.Language()))
		v.Portal, v.Base, v.Zone = p.Name, p.BasePath(), zoneOf(v.Visit)
		if p.IsDesk() {
			v.Portal = v.T("desk.name")
		}
		if _, err := portal.ParseAccent(p.Accent); err == nil {
			v.accent = p.Accent
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
	}
	if v.One == "" || v.Many == "" {
		v.One, v.Many = v.T("ticket.one"), v.T("ticket.many")
	}
	v.one, v.many = withinSentence(v.One), withinSentence(v.Many)
	if title != "" {
		v.Title = v.T(title)
	}
	return v
}

// flashes are the notices a cookie may ask for.
var flashes = []string{
	"signed_out", "signed_out_everywhere", "session_ended", "session_ended_kept", "ticket_opened", "reply_sent", "note_saved",
	"closed", "reopened", "participant_added", "participant_removed", "confidential_on", "confidential_off",
	"profile_saved", "password_changed", "session_removed", "welcome",
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
// "ticket", but "RMA".
func withinSentence(s string) string {
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

// ZoneName is the time zone times are shown in.
func (v *view) ZoneName() string { return strings.ReplaceAll(v.Zone.String(), "_", " ") }

// moment is a time as pages show it.
type moment struct {
	ISO   string // for programs
	Exact string
	Ago   string
}

func (v *view) moment(t time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	local := t.In(v.Zone)
	return moment{ISO: t.UTC().Format(time.RFC3339), Exact: v.DateTime(local), Ago: v.Relative(v.Now, local)}
}

// status is a status in the reader's words.
func (v *view) status(s portal.Status) string {
	if v.Agent {
		return v.T("status.desk." + string(s))
	}
	return v.T("status." + string(s))
}

// render writes a page as a whole, or returns why it cannot.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	b := page.Buffer()
	defer page.Release(b)
	if err := c.Render(r.Context(), b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes()) // the visitor may be gone
	}
	return nil
}

// redirect leads on after a form was accepted.
func redirect(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // G710: our own paths, and what page.ReturnPath let through
	return nil
}

// zones keeps time zones: reading one takes longer than the rest of a page.
var zones sync.Map

func zoneOf(v *app.Visit) *time.Location {
	for _, name := range []string{v.OwnZone(), v.Portal.TimeZone} {
		if name == "" {
			continue
		}
		if kept, ok := zones.Load(name); ok {
			if loc, ok := kept.(*time.Location); ok {
				return loc
			}
		}
		if loc, err := time.LoadLocation(name); err == nil {
			zones.Store(name, loc)
			return loc
		}
	}
	return time.UTC
}

// personName is what the reader may know of a contact. Other customers'
// addresses are for agents only.
func (v *view) personName(c *portal.Contact) string {
	if v.Agent || v.Visit.Contact != nil && v.Visit.Contact.ID == c.ID {
		return c.DisplayName()
	}
	return c.ShownName()
}

// initials stand in a person's circle.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if strings.Contains(name, "@") && len(words) > 0 {
		words = words[:1]
	}
	var b strings.Builder
	for i, w := range words {
		if i == 0 || i == len(words)-1 {
			first, _ := utf8.DecodeRuneInString(w)
			b.WriteRune(unicode.ToUpper(first))
		}
	}
	return b.String()
}
