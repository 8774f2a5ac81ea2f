package page

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestNewFace(t *testing.T) {
	sha := strings.Repeat("ab", 32)
	image := func(kind portal.ImageKind, media string, w, h int) portal.BrandImage {
		return portal.BrandImage{Kind: kind, SHA256: sha, Type: media, Width: w, Height: h, LostOnDark: true}
	}
	p := &portal.Portal{Accent: "#0f5fc2", Brand: portal.Brand{Font: portal.FontInter, Images: []portal.BrandImage{
		image(portal.ImageLogo, "image/svg+xml", 240, 40), image(portal.ImageIconTab, "image/png", 32, 32), image(portal.ImageIcon, "image/svg+xml", 32, 32),
	}}}
	f := NewFace(p)
	if f.Theme != ThemeURL("#0f5fc2", portal.FontInter) || len(f.Icons) != 2 || f.Icons[0].URL != ImagePath+sha+".png" || f.Icons[1].URL != ImagePath+sha+".svg" {
		t.Errorf("got %+v", f)
	}
	if f.Logo.Wordless || f.Logo.DarkURL != "" || f.Logo.Class != "logo logo-lost-dark" {
		t.Errorf("the logo is %+v", f.Logo)
	}
	// One for dark pages only stands on both.
	p.Brand.Images[0].Kind, p.Brand.Images[0].Width = portal.ImageLogoDark, 40
	if f = NewFace(p); f.Logo == nil || !f.Logo.Wordless || f.Logo.DarkURL != "" || f.Logo.Class != "logo logo-sign logo-lost-dark" {
		t.Errorf("a logo for dark pages alone is %+v", f.Logo)
	}
	if f = NewFace(&portal.Portal{Accent: "red"}); f.Logo != nil || len(f.Icons) != 1 || f.Icons[0].URL != FaviconURL(portal.DefaultAccent) {
		t.Errorf("without a face: %+v", f)
	}
}

func TestImageAsked(t *testing.T) {
	sha := strings.Repeat("0f", 32)
	for path, want := range map[string]string{
		ImagePath + sha + ".svg": sha, ImagePath + sha + ".png": sha,
		ImagePath + sha: "", ImagePath + sha + ".html": "", ImagePath + sha[1:] + ".svg": "", ImagePath + strings.ToUpper(sha) + ".svg": "",
		ImagePath + "../" + sha + ".svg": "", ImagePath: "",
	} {
		if got := ImageAsked(httptest.NewRequest("GET", "/", nil)); got != "" {
			t.Errorf("/ names the picture %q", got)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		if got := ImageAsked(r); got != want {
			t.Errorf("%s: %q, wanted %q", path, got, want)
		}
	}
	w := httptest.NewRecorder()
	ServeImage(w, httptest.NewRequest("GET", ImagePath+sha+".svg", nil), "image/svg+xml", []byte("<svg/>"))
	if got := w.Header().Get("Content-Security-Policy"); got != "default-src 'none'; sandbox" {
		t.Errorf("a picture is served with the policy %q", got)
	}
}

func TestNoticeOf(t *testing.T) {
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	b := &portal.Banner{Text: "Closed.", StartsAt: now, EndsAt: now.Add(time.Hour)}
	asked := func(cookie string) *Notice {
		r := httptest.NewRequest("GET", "/", nil)
		if cookie != "" {
			r.Header.Set("Cookie", noticeCookie+"="+cookie)
		}
		return NoticeOf(r, b, now)
	}
	if n := asked(""); n == nil || n.Kept != b.Key() || n.Cookie != noticeCookie {
		t.Errorf("got %+v", n)
	}
	if n := asked("abc." + b.Key()); n != nil {
		t.Errorf("an announcement that was put away shows: %+v", n)
	}
	if n := asked("a.b.c.d.e.f.<x>.%22"); n == nil || n.Kept != "c.d.e.f."+b.Key() {
		t.Errorf("what the browser keeps next is %+v", n)
	}
	if NoticeOf(httptest.NewRequest("GET", "/", nil), b, now.Add(time.Hour)) != nil || NoticeOf(httptest.NewRequest("GET", "/", nil), nil, now) != nil {
		t.Error("an announcement shows that has ended, or that there is none of")
	}
}

func TestEveryFontIsShipped(t *testing.T) {
	for _, font := range portal.Fonts {
		css := fontCSS(font)
		if strings.Count(css, "@font-face") != 4 || !strings.Contains(css, ":root{--font:") || strings.Contains(css, "://") {
			t.Errorf("%s: %s", font, css)
		}
	}
	if fontCSS("none") != "" {
		t.Error("a font that is not shipped has a style sheet")
	}
	var size int
	for name, a := range assets() {
		if strings.HasSuffix(name, ".woff2") {
			size += len(a.plain)
		}
	}
	if size > 700<<10 {
		t.Errorf("the fonts have %d bytes, which everybody carries who installs the program", size)
	}
}
