package helpdesk

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// view is what every page knows: its language, who reads it, what there is to
// work on.
type view struct {
	*i18n.Printer
	Visit *app.Visit
	Agent *portal.Agent // nil on an error page for somebody who is not signed in
	Title string        // of the page, in front of the desk's name
	Base  string        // the desk's path
	Flash string        // a notice about what was just done
	Now   time.Time
	Zone  *time.Location
	Frame *app.DeskFrame // nil on pages that stand in front of the door
	Nav   string         // which entry of the navigation is current: "queue:mine", "inbox:7", "held"
	Words string         // what the search field holds
}

// view makes the view of a request. title is the key of the page's title, or
// "" when the handler sets it.
func (s *Server) view(w http.ResponseWriter, r *http.Request, title string) (*view, error) {
	v := s.bareView(w, r, title)
	frame, err := s.app.DeskFrame(r.Context(), v.Visit)
	if err != nil {
		return nil, err
	}
	v.Frame = frame
	return v, nil
}

// bareView is a view without the navigation: for errors.
func (s *Server) bareView(w http.ResponseWriter, r *http.Request, title string) *view {
	visit := visitFrom(r)
	v := &view{
		Printer: page.Printer(w, r, visit, ""), Visit: visit, Agent: visit.Agent, Base: visit.Portal.BasePath(),
		Now: s.now(), Zone: page.ZoneOf(visit),
	}
	v.Flash = v.flash(page.TakeFlash(w, r))
	if title != "" {
		v.Title = v.T(title)
	}
	return v
}

// flashes are the notices a cookie may ask for.
var flashes = []string{
	"session_ended", "bulk_none", "view_saved", "view_changed", "view_removed", "settings_saved", "property_saved", "merged", "split",
	"note_saved", "talk_closed", "talk_reopened", "talk_added", "talk_removed", "talk_undone", "talk_too_late", "talk_opened",
	"canned_saved", "canned_removed", "held_accepted", "held_refused",
}

func (v *view) flash(key string) string {
	if !slices.Contains(flashes, key) {
		return bulkDone(v.Printer, key)
	}
	return v.T("flash." + key)
}

// URL is the address of a path of the help desk.
func (v *view) URL(path string) templ.SafeURL { return templ.SafeURL(v.Base + path) }

// moment is a time as the reader's pages show it.
func (v *view) moment(t time.Time) page.Moment { return page.MomentOf(v.Printer, v.Now, v.Zone, t) }

// status is a status in the desk's words.
func (v *view) status(s portal.Status) string { return v.T("status.desk." + string(s)) }

// zoneName is the time zone times are shown in.
func (v *view) zoneName() string { return strings.ReplaceAll(v.Zone.String(), "_", " ") }

// head is what is said of the page before it begins.
func (v *view) head(class string) page.Head {
	title := v.T("desk.name")
	if v.Title != "" {
		title = v.Title + " · " + title
	}
	return page.Head{
		Lang: v.Tag(), Dir: v.Dir(), Title: title, Accent: v.Visit.Portal.Accent, Class: class, Skip: v.T("layout.skip"),
		Styles: []string{"desk.css", "desk-reports.css", "conversation.css"}, Scripts: []string{"desk.js", "conversation.js"},
	}
}

// menu is what stands behind the agent's name.
func (v *view) menu() page.Menu {
	return page.Menu{
		Label: v.T("layout.menu"), User: v.Agent.Name, Account: v.URL("/account"), AccountText: v.T("account.title"),
		SignOut: v.URL("/sign-out"), SignOutText: v.T("sign_out.button"),
	}
}
