package web

import (
	"net/http"
	"strings"

	"github.com/portalctl/portalctl/pkg/i18n"
)

// profileForm is the section's form.
func (p *accountPage) profileForm() *form {
	return p.form("profile", map[string]string{"name": p.Contact.Name, "language": p.Contact.Language, "time_zone": p.Contact.TimeZone})
}

// languages lists them with the chosen one.
func (p *accountPage) languages(chosen string) []option {
	list := []option{{Value: "", Label: p.T("account.language_portal", "Language", i18n.For(p.Visit.Portal.Language()).T("language.name")), Chosen: chosen == ""}}
	for _, l := range i18n.Languages() {
		list = append(list, option{Value: l.Code, Label: l.Name, Chosen: chosen == l.Code})
	}
	return list
}

// timeZones lists them with the chosen one, which need not be one we list.
func (p *accountPage) timeZones(chosen string) []option {
	portals := p.Visit.Portal.TimeZone
	if portals == "" {
		portals = "UTC"
	}
	list := []option{{Value: "", Label: p.T("account.zone_portal", "Zone", strings.ReplaceAll(portals, "_", " ")), Chosen: chosen == ""}}
	known := chosen == ""
	for _, name := range zoneNames {
		list = append(list, option{Value: name, Label: strings.ReplaceAll(name, "_", " "), Chosen: chosen == name})
		known = known || chosen == name
	}
	if !known {
		list = append(list, option{Value: chosen, Label: chosen, Chosen: true})
	}
	return list
}

func (s *Server) profileSave(w http.ResponseWriter, r *http.Request) error {
	f, err := s.readForm(r)
	defer f.Close()
	if err == nil {
		err = s.app.SaveProfile(r.Context(), visitFrom(r.Context()), f.Value("name"), f.Value("language"), f.Value("time_zone"))
	}
	if err != nil {
		return s.accountAgain(w, r, "profile", f, err, "name", "language", "time_zone")
	}
	return accountDone(w, r, "profile_saved")
}
