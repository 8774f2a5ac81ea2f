package web

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// sendOn leads who reads at an address the portal has besides, or had once, to
// the same page at its own. The answer may not be kept, as "permanent" ones
// are, by browsers for ever: the address can be taken back an hour later, and
// a browser that remembered would run in circles between the two.
func (s *Server) sendOn(w http.ResponseWriter, r *http.Request, v *app.Visit) {
	page.InfoFrom(r.Context()).Route = "moved"
	below := url.URL{Path: path.Clean(v.Path), RawPath: belowBase(r.URL, v.At)}
	to := v.Onward(below.EscapedPath())
	if query := onwardQuery(v, r.URL.RawQuery); query != "" {
		to += "?" + query
	}
	http.Redirect(w, r, to, http.StatusTemporaryRedirect) //nolint:gosec // G710: scheme and host come from the store
}

// onwardQuery has a page to return to lie at the portal's own address too.
func onwardQuery(v *app.Visit, query string) string {
	if !strings.Contains(query, "return_to=") {
		return query
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return query
	}
	if back := page.ReturnPath(v.At, values.Get("return_to")); back != "" {
		values.Set("return_to", v.Portal.BasePath()+strings.TrimPrefix(back, v.At))
	}
	return values.Encode()
}

// onward is where a path at the address the visitor came by lies at the
// portal's own.
func onward(v *app.Visit, to string) string {
	below := strings.TrimPrefix(to, v.At)
	if before, query, ok := strings.Cut(below, "?"); ok {
		query, fragment, _ := strings.Cut(query, "#")
		below = before + "?" + onwardQuery(v, query)
		if fragment != "" {
			below += "#" + fragment
		}
	}
	return v.Onward(below)
}

// movedOn is where a form that was posted at an address on another host leads.
type movedOn struct{ to string }

// Error says what it is not: nothing went wrong.
func (m *movedOn) Error() string { return "the portal has moved to another host" }

// atHome are the routes that only make a session, or make one of something
// that is good for one use. On a host the portal has moved away from, the
// session would be good for nothing.
var atHome = []string{
	"POST /sign-in", "POST /sign-in/link/{token}", "POST /sign-in/passkey", "POST /sign-in/factor", "POST /view/{token}",
}

// takeHere says what becomes of a form posted on a host the portal has moved away
// from: nil when it is taken where it arrived. It cannot be sent on. Browsers
// let no form pass from one host to another under our policy, nor the session
// with it; and where one did, it would count as another site's.
func takeHere(v *app.Visit, r *http.Request, pattern string) error {
	switch {
	case !v.Elsewhere():
		return nil
	case strings.HasSuffix(pattern, "/passkey/begin"):
		// The page's script then loads it again, and so comes to the new address.
		return portal.Forbiddenf("address.moved", "the portal has moved to %s", v.Moved)
	case slices.Contains(atHome, pattern):
		return &movedOn{v.Onward(r.URL.EscapedPath())}
	}
	return nil
}

// movedPage tells where the portal is now, after a form was taken.
type movedPage struct {
	*view
	To, Host string
}

// showMoved is a page and not a redirect, which browsers would not follow
// after a form.
func (s *Server) showMoved(w http.ResponseWriter, r *http.Request, m *movedOn) error {
	done := page.TellNow(w, r)
	p := movedPage{view: s.view(w, r, "moved.title"), To: m.to}
	p.Flash = p.flash(done)
	if u, err := url.Parse(m.to); err == nil {
		p.Host = u.Host
	}
	return s.render(w, r, http.StatusOK, movedView(p))
}
