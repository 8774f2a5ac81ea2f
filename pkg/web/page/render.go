package page

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
)

func (h *Head) banner() templ.Component {
	if h.Banner == nil {
		return templ.NopComponent
	}
	return h.Banner
}

// face is how the page looks.
func (h *Head) face() *Face {
	if h.Face == nil {
		return &Face{Theme: ThemeURL(h.Accent, ""), Icons: []IconLink{{"icon", "image/svg+xml", "", FaviconURL(h.Accent)}}}
	}
	return h.Face
}

// Render writes a page as a whole, or returns why it cannot.
func Render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	b := Buffer()
	defer Release(b)
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

// Redirect leads on after a form was accepted.
func Redirect(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// SignInPath is the sign-in page that leads back to a path.
func SignInPath(v *app.Visit, back string) string {
	to := v.Base() + "/sign-in"
	if back = ReturnPath(v.Base(), back); back != "" && back != v.Base()+"/" {
		to += "?return_to=" + url.QueryEscape(back)
	}
	return to
}

// GatePath is the page of the gate somebody stands at, which leads back to a
// path.
func GatePath(v *app.Visit, back string) string {
	base := v.Base()
	to := base + "/consent"
	switch v.Gate {
	case app.GateFactor:
		to = base + "/sign-in/factor"
	case app.GateEnrol:
		to = base + "/sign-in/enrol"
	}
	if back = ReturnPath(base, back); back != "" && back != base+"/" {
		to += "?return_to=" + url.QueryEscape(back)
	}
	return to
}

// Asked is the path, with its query, that a request asks for.
func Asked(r *http.Request, v *app.Visit) string {
	path := v.Base() + r.URL.Path
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	return path
}

// DeviceOf is the browser a request comes from.
func DeviceOf(r *http.Request) app.Device {
	agent := r.UserAgent()
	if len(agent) > 400 {
		agent = agent[:400]
	}
	return app.Device{
		UserAgent: agent, Address: InfoFrom(r.Context()).Address,
		Token: Kept(r, DeviceCookie), Asked: Kept(r, AskedCookie),
	}
}

// zones keeps time zones: reading one takes longer than the rest of a page.
var zones sync.Map

// ZoneOf is the time zone a visitor reads times in.
func ZoneOf(v *app.Visit) *time.Location {
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

// Initials stand in a person's circle.
func Initials(name string) string {
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

// FormType reports whether a body is what forms send. Other types can be sent
// by other sites' scripts in ways forms cannot.
func FormType(r *http.Request) bool {
	contentType := r.Header.Get("Content-Type")
	if contentType == "" {
		return r.ContentLength == 0
	}
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/x-www-form-urlencoded" || kind == "multipart/form-data")
}

// IsRead reports whether a request only reads.
func IsRead(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}
