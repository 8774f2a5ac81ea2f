package helpdesk

import (
	"net/http"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// settingsPage is how an agent wants the help desk and its mail.
type settingsPage struct {
	*view
	*page.Form
}

func (s *Server) settingsShow(w http.ResponseWriter, r *http.Request) error {
	a := visitFrom(r).Agent
	f := page.Filled(map[string]string{
		"language": a.Language, "time_zone": a.TimeZone, "notify": string(a.Notify), "signature": a.Signature,
		"away": checked(a.Away), "shortcuts": checked(!a.NoShortcuts),
	})
	return s.settings(w, r, f, http.StatusOK, nil)
}

func checked(on bool) string {
	if on {
		return "yes"
	}
	return ""
}

func (s *Server) settings(w http.ResponseWriter, r *http.Request, f *page.Form, status int, problem error) error {
	v, err := s.view(w, r, "settings.title")
	if err != nil {
		return err
	}
	v.Nav = "settings"
	if problem != nil {
		f.Refuse(w, r, v.Printer, v.labelOf, problem, "language", "time_zone", "notify", "signature")
		status = f.Status
	}
	return page.Render(w, r, status, settingsView(settingsPage{v, f}))
}

func (s *Server) settingsSave(w http.ResponseWriter, r *http.Request) error {
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	if err != nil {
		return err
	}
	in := app.DeskSettings{}
	for name, to := range map[string]**string{
		"language": &in.Language, "time_zone": &in.TimeZone, "notify": &in.Notify, "signature": &in.Signature,
	} {
		value := f.Value(name)
		*to = &value
	}
	away, shortcuts := f.Value("away") != "", f.Value("shortcuts") != ""
	in.Away, in.Shortcuts = &away, &shortcuts
	if _, err := s.app.SaveDeskSettings(r.Context(), visitFrom(r), in); err != nil {
		return s.settings(w, r, f, 0, err)
	}
	page.SetFlash(w, r, "settings_saved")
	return page.Redirect(w, r, visitFrom(r).Portal.BasePath()+"/settings")
}

// notices are the choices of which tickets an agent hears by mail.
func (p *settingsPage) notices() []page.Option {
	var list []page.Option
	for _, n := range []portal.AgentNotify{portal.AgentNotifyAll, portal.AgentNotifyMine, portal.AgentNotifyNone} {
		list = append(list, page.Option{Value: string(n), Label: p.T("settings.notify." + string(n)), Chosen: p.Value("notify") == string(n)})
	}
	return list
}
