package page

import (
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// ImagePath is where the pictures of portals' faces are served.
const ImagePath = "/-/image/"

// imagePolicy is the Content-Security-Policy of a portal's pictures. They hold
// nothing that it would have to stop.
const imagePolicy = "default-src 'none'; sandbox"

// Face is how a portal looks: what its head, its top and its foot are made of.
// It is worked out once for each change of settings.
type Face struct {
	Theme  string // the address of its colours and font
	Icons  []IconLink
	Logo   *Logo // nil: the mark and the name stand for it
	Header []portal.WebLink
	Footer []portal.WebLink
}

// IconLink is an icon as the head of a page names it.
type IconLink struct{ Rel, Type, Sizes, URL string }

// Logo is a portal's logo as its pages show it.
type Logo struct {
	URL, DarkURL          string // DarkURL: "" when there is one for both
	Width, Height         int
	DarkWidth, DarkHeight int
	Class                 string
	Wordless              bool // it is too narrow to hold the portal's name, which stands beside it
}

// wordy is how wide a logo is that holds the name of its company, measured by
// its height.
const wordy = 1.8

// NewFace works a portal's face out.
func NewFace(p *portal.Portal) *Face {
	accent := portal.DefaultAccent
	if _, err := portal.ParseAccent(p.Accent); err == nil {
		accent = p.Accent
	}
	b := &p.Brand
	f := &Face{Theme: ThemeURL(accent, b.Font), Header: b.HeaderLinks, Footer: b.FooterLinks, Logo: newLogo(b)}
	for _, i := range []struct {
		kind             portal.ImageKind
		rel, media, size string
	}{
		// Browsers take the last one they can show, so the drawing comes after
		// the pixels.
		{portal.ImageIconTab, "icon", "image/png", "32x32"},
		{portal.ImageIcon, "icon", "image/svg+xml", "any"},
		{portal.ImageIconHome, "apple-touch-icon", "", "180x180"},
	} {
		if image := b.Image(i.kind); image != nil {
			f.Icons = append(f.Icons, IconLink{i.rel, i.media, i.size, ImageURL(image)})
		}
	}
	if len(f.Icons) == 0 {
		f.Icons = []IconLink{{"icon", "image/svg+xml", "", FaviconURL(accent)}}
	}
	return f
}

func newLogo(b *portal.Brand) *Logo {
	light := b.Logo()
	if light == nil {
		return nil
	}
	l := &Logo{URL: ImageURL(light), Width: light.Width, Height: light.Height, Wordless: float64(light.Width) < wordy*float64(light.Height)}
	classes := []string{"logo"}
	if l.Wordless {
		classes = append(classes, "logo-sign")
	}
	dark := b.Image(portal.ImageLogoDark)
	if dark == nil {
		dark = light
	} else if dark.SHA256 != light.SHA256 {
		l.DarkURL, l.DarkWidth, l.DarkHeight = ImageURL(dark), dark.Width, dark.Height
	}
	if light.LostOnLight {
		classes = append(classes, "logo-lost-light")
	}
	if dark.LostOnDark {
		classes = append(classes, "logo-lost-dark")
	}
	l.Class = strings.Join(classes, " ")
	return l
}

// ImageURL is the address of a picture, which changes with its content.
func ImageURL(i *portal.BrandImage) string {
	return ImagePath + i.SHA256 + "." + strings.ToLower(i.Format())
}

// ImageAsked is the hash that an address of a picture names; "" when it is none.
func ImageAsked(r *http.Request) string {
	name, _ := strings.CutPrefix(r.URL.Path, ImagePath)
	hash := strings.TrimSuffix(name, path.Ext(name))
	if len(hash) != 64 || strings.Trim(hash, "0123456789abcdef") != "" {
		return ""
	}
	if ext := path.Ext(name); ext != ".svg" && ext != ".png" {
		return ""
	}
	return hash
}

// ServeImage serves a picture of a portal's face.
func ServeImage(w http.ResponseWriter, r *http.Request, contentType string, data []byte) {
	w.Header().Set("Content-Security-Policy", imagePolicy)
	serveForever(w, r, contentType, data, nil)
}

func pixels(n int) string { return strconv.Itoa(n) }

// noticeCookie holds the keys of announcements that were put away. The page's
// script writes it; it says nothing else.
const noticeCookie = "portalctl-notice"

// maxNotices is how many announcements a browser remembers that it put away.
const maxNotices = 5

// Notice is an announcement above a page.
type Notice struct {
	Text    string
	Link    *portal.WebLink
	Warning bool
	// Label names the region, Dismiss its button; in the reader's language.
	Label, Dismiss string
	Cookie, Kept   string // what the script writes when it is put away
}

// NoticeOf is the announcement a reader is to see; nil when there is none now,
// or they have put it away.
func NoticeOf(r *http.Request, b *portal.Banner, now time.Time) *Notice {
	if !b.Shown(now) {
		return nil
	}
	key := b.Key()
	var away []string
	if kept := cookieValue(r, noticeCookie); kept != "" {
		away = strings.Split(kept, ".")
	}
	if slices.Contains(away, key) {
		return nil
	}
	away = append(slices.DeleteFunc(away, func(s string) bool {
		return len(s) > 13 || strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyz") != ""
	}), key)
	away = away[max(0, len(away)-maxNotices):]
	return &Notice{
		Text: b.Text, Link: b.Link, Warning: b.Warning,
		Cookie: cookieName(r, noticeCookie), Kept: strings.Join(away, "."),
	}
}
