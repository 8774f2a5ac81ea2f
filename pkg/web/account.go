package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// accountPage is where a contact looks after their account.
type accountPage struct {
	*view
	*app.Account
	Profile   *form
	Passwords *form
	Languages []option
	Zones     []option
	Sessions  []sessionItem
	Password  bool // the portal signs in by password
}

// sessionItem is a browser somebody is signed in with.
type sessionItem struct {
	Name    string // "Firefox on Windows"
	Address string
	Phone   bool
	Current bool
	Seen    moment
	Since   moment
	End     string // where to post to end it
}

func (s *Server) accountPage(w http.ResponseWriter, r *http.Request) (*accountPage, error) {
	visit := visitFrom(r.Context())
	a, err := s.app.Account(r.Context(), visit)
	if err != nil {
		return nil, err
	}
	v := s.view(w, r, "account.title")
	return newAccountPage(v, a), nil
}

func newAccountPage(v *view, a *app.Account) *accountPage {
	p := &accountPage{view: v, Account: a, Passwords: filled(nil), Password: v.Visit.Portal.Access.Allows(portal.MethodPassword)}
	p.Profile = filled(map[string]string{"name": a.Contact.Name, "language": a.Contact.Language, "time_zone": a.Contact.TimeZone})
	for _, one := range a.Sessions {
		item := sessionItem{
			Name: v.browser(one.UserAgent), Address: one.Address, Phone: isPhone(one.UserAgent),
			Current: v.Visit.Session != nil && one.ID == v.Visit.Session.ID,
			Seen:    v.moment(one.SeenAt), Since: v.moment(one.CreatedAt),
			End: v.Base + "/account/sessions/" + strconv.FormatInt(int64(one.ID), 10) + "/end",
		}
		p.Sessions = append(p.Sessions, item)
	}
	slices.SortStableFunc(p.Sessions, func(a, b sessionItem) int {
		switch {
		case a.Current == b.Current:
			return 0
		case a.Current:
			return -1
		}
		return 1
	})
	p.choices()
	return p
}

// choices fills the lists with what the form holds chosen.
func (p *accountPage) choices() {
	language, zone := p.Profile.Value("language"), p.Profile.Value("time_zone")
	p.Languages = []option{{"", p.T("account.language_portal", "Language", i18n.For(p.Visit.Portal.Language()).T("language.name")), language == ""}}
	for _, l := range i18n.Languages() {
		p.Languages = append(p.Languages, option{l.Code, l.Name, language == l.Code})
	}
	portals := p.Visit.Portal.TimeZone
	if portals == "" {
		portals = "UTC"
	}
	p.Zones = []option{{"", p.T("account.zone_portal", "Zone", strings.ReplaceAll(portals, "_", " ")), zone == ""}}
	known := false
	for _, name := range zoneNames {
		p.Zones = append(p.Zones, option{name, strings.ReplaceAll(name, "_", " "), zone == name})
		known = known || zone == name
	}
	if zone != "" && !known {
		p.Zones = append(p.Zones, option{zone, zone, true})
	}
}

func (s *Server) accountShow(w http.ResponseWriter, r *http.Request) error {
	p, err := s.accountPage(w, r)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, accountView(*p))
}

func (s *Server) profileSave(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.close()
	visit := visitFrom(r.Context())
	if err == nil {
		err = s.app.SaveProfile(r.Context(), visit, f.Value("name"), f.Value("language"), f.Value("time_zone"))
	}
	if err != nil {
		p, pageErr := s.accountPage(w, r)
		if pageErr != nil {
			return pageErr
		}
		p.Profile = f
		p.choices()
		s.refuse(w, r, p.view, f, err, "name", "language", "time_zone")
		return s.render(w, r, f.status, accountView(*p))
	}
	page.SetFlash(w, r, "profile_saved")
	return redirect(w, r, visit.Portal.BasePath()+"/account")
}

func (s *Server) passwordChange(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.close()
	visit := visitFrom(r.Context())
	var in *app.SignedIn
	if err == nil {
		in, err = s.app.ChangePassword(r.Context(), visit, f.Value("present"), f.Value("password"), device(r))
	}
	if err != nil {
		p, pageErr := s.accountPage(w, r)
		if pageErr != nil {
			return pageErr
		}
		p.Passwords = f
		s.refuse(w, r, p.view, f, err, "present", "password")
		f.call("password", p.T("account.password_new"))
		return s.render(w, r, f.status, accountView(*p))
	}
	page.SetSession(w, r, in.Token, in.Expires)
	page.SetFlash(w, r, "password_changed")
	return redirect(w, r, visit.Portal.BasePath()+"/account")
}

func (s *Server) sessionEnd(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return portal.NotFoundf("session.none", "there is no such session")
	}
	visit := visitFrom(r.Context())
	if err := s.app.EndSession(r.Context(), visit, portal.SessionID(id)); err != nil {
		return err
	}
	page.SetFlash(w, r, "session_removed")
	return redirect(w, r, visit.Portal.BasePath()+"/account")
}

func (s *Server) sessionsEnd(w http.ResponseWriter, r *http.Request) error {
	visit := visitFrom(r.Context())
	if err := s.app.EndAllSessions(r.Context(), visit); err != nil {
		return err
	}
	page.EndSession(w, r)
	page.SetFlash(w, r, "signed_out_everywhere")
	return redirect(w, r, visit.Portal.BasePath()+"/sign-in")
}

// browser names a browser in words people know. It need not be exact: it
// helps to recognise one's own.
func (v *view) browser(agent string) string {
	name, system := "", ""
	for _, b := range [][2]string{
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser", "Samsung Internet"},
		{"Firefox/", "Firefox"},
		{"FxiOS", "Firefox"},
		{"CriOS", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
	} {
		if strings.Contains(agent, b[0]) {
			name = b[1]
			break
		}
	}
	for _, o := range [][2]string{
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Android", "Android"},
		{"Windows", "Windows"},
		{"CrOS", "ChromeOS"},
		{"Mac OS X", "macOS"},
		{"Linux", "Linux"},
	} {
		if strings.Contains(agent, o[0]) {
			system = o[1]
			break
		}
	}
	switch {
	case name != "" && system != "":
		return v.T("account.browser", "Browser", name, "System", system)
	case name != "":
		return name
	case system != "":
		return system
	}
	return v.T("account.browser_unknown")
}

func isPhone(agent string) bool {
	return strings.Contains(agent, "Mobile") || strings.Contains(agent, "iPhone") || strings.Contains(agent, "Android")
}
