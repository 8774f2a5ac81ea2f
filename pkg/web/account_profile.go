package web

import (
	"net/http"

	"github.com/portalctl/portalctl/pkg/web/page"
)

// profileForm is the section's form.
func (p *accountPage) profileForm() *form {
	return p.form("profile", map[string]string{"name": p.Contact.Name, "language": p.Contact.Language, "time_zone": p.Contact.TimeZone})
}

// languages lists them with the chosen one.
func (p *accountPage) languages(chosen string) []option {
	return page.Languages(p.Printer, p.Visit.Portal, chosen)
}

func (p *accountPage) timeZones(chosen string) []option {
	return page.TimeZones(p.Printer, p.Visit.Portal.TimeZone, chosen)
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
