package cli

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// testFace is a company's face as flags of portal set give it, beside those that
// take the last one away.
type testFace struct {
	name  string
	flags []string
}

// testFaces are logos of every kind: wide, tall, for dark pages only, of pixels
// with a ground of their own, none, with names and links as long as they can be.
func testFaces(t *testing.T) []testFace {
	t.Helper()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	svg := func(box, inner string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="` + box + `">` + inner + `</svg>`
	}
	opaque := image.NewNRGBA(image.Rect(0, 0, 900, 300))
	draw.Draw(opaque, opaque.Bounds(), image.NewUniform(color.NRGBA{0x8a, 0x1c, 0x5f, 0xff}), image.Point{}, draw.Src)
	draw.Draw(opaque, image.Rect(60, 60, 840, 240), image.NewUniform(color.White), image.Point{}, draw.Src)
	var pixels bytes.Buffer
	if err := png.Encode(&pixels, opaque); err != nil {
		t.Fatal(err)
	}
	wide := file("wide.svg", svg("0 0 480 40", `<rect width="40" height="40" rx="8" fill="#0b7a75"/><path d="M60 8h400v24h-400z" fill="#16302b"/>`))
	tall := file("tall.svg", svg("0 0 40 90", `<rect x="4" y="2" width="32" height="60" rx="16" fill="#b3261e"/><rect x="10" y="68" width="20" height="20" fill="#16191d"/>`))
	pale := file("pale.svg", svg("0 0 220 40", `<g fill="#fff"><rect x="4" y="4" width="8" height="32"/><rect x="20" y="4" width="196" height="12"/><rect x="20" y="24" width="120" height="12"/></g>`))
	long := strings.Repeat("Konsumentenverträglichkeits", 3)
	notice := []string{
		"--banner", "On Friday we move to a new building. " + strings.Repeat("Answers may take until Monday afternoon. ", 3),
		"--banner-link", "What that means for deliveries=https://status.brewline.example",
	}
	return []testFace{
		{"wide", append([]string{"--logo", wide, "--logo-dark", "none", "--accent", "#ffee00", "--font", "inter"}, notice...)},
		{"tall", []string{"--logo", tall, "--banner-warning", "--accent", "#b3261e", "--font", "source-serif"}},
		{"pale", []string{"--logo", "none", "--logo-dark", pale, "--accent", "#101010", "--font", "vazirmatn"}},
		{"opaque", []string{"--logo", file("own.png", pixels.String()), "--logo-dark", "none", "--accent", "#ffffff", "--font", "system", "--banner", "none"}},
		{"none", []string{
			"--logo", "none", "--logo-dark", "none", "--accent", "#777777", "--name", long,
			"--header-link", long[:40] + "=https://brewline.example", "--header-link", "One=https://a.example", "--header-link", "Two=https://b.example",
			"--header-link", "Three=https://c.example", "--header-link", "Four=https://d.example",
			"--footer-link", strings.ToUpper(long[:38]) + "=https://brewline.example/imprint", "--footer-link", "Privacy=mailto:privacy@brewline.example",
		}},
	}
}

// TestBrowserFaces looks at every kind of face: for barriers, for what sticks
// out, and for what the policy forbids. It leaves pictures where PORTALCTL_SHOTS
// says.
func TestBrowserFaces(t *testing.T) {
	script := axe(t)
	keep := t.TempDir()
	d := startDemo(t, "--keep", keep)
	d.store = filepath.Join(keep, "portal.db")
	b := newTab(browser(t), t, 1280, true)
	stranger := newTab(b.ctx, t, 1280, true)
	b.followLink(d.links[0])
	faces := append([]testFace{{"demo", nil}}, testFaces(t)...)
	for _, face := range faces {
		if face.flags != nil {
			if code, output := d.run(append([]string{"portal", "set", "help"}, face.flags...)...); code != 0 {
				t.Fatalf("%s: %d\n%s", face.name, code, output)
			}
		}
		for _, width := range []int64{1280, 360} {
			for _, scheme := range []string{"light", "dark"} {
				stranger.barriers(script, d.home+"/sign-in", width, scheme)
				stranger.shot(face.name, "sign-in", width, scheme)
				b.barriers(script, d.home+"/tickets", width, scheme)
				b.shot(face.name, "tickets", width, scheme)
				if wide := b.eval("String(document.documentElement.scrollWidth > innerWidth)"); wide != "false" {
					t.Errorf("%s at %d px: the page is wider than the window", face.name, width)
				}
				if lost := b.eval("String([...document.images].filter(i => !i.complete || !i.naturalWidth).length)"); lost != "0" {
					t.Errorf("%s: %s pictures do not show", face.name, lost)
				}
			}
		}
	}
}

// shot keeps a picture of the page where PORTALCTL_SHOTS says.
func (b *tab) shot(face, page string, width int64, scheme string) {
	b.t.Helper()
	folder := os.Getenv("PORTALCTL_SHOTS")
	if folder == "" {
		return
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	name := strings.Join([]string{"face", face, page, itoaWidth(width), scheme}, "-") + ".png"
	if err := os.WriteFile(filepath.Join(folder, name), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func TestBrowserAnnouncementStaysAway(t *testing.T) {
	keep := t.TempDir()
	d := startDemo(t, "--keep", keep)
	d.store = filepath.Join(keep, "portal.db")
	announce := func(args ...string) {
		t.Helper()
		if code, output := d.run(append([]string{"portal", "set", "help"}, args...)...); code != 0 {
			t.Fatal(output)
		}
	}
	announce("--banner", "Closed on Friday.")
	chromium := browser(t)
	shown := func(b *tab) bool {
		t.Helper()
		b.open(d.home + "/sign-in")
		return b.eval("String(!!document.querySelector('.announce'))") == "true"
	}
	plain := newTab(chromium, t, 360, false)
	plain.open(d.home + "/sign-in")
	plain.wantText(".announce", "Closed on Friday.")
	b := newTab(chromium, t, 360, true)
	if !shown(b) {
		t.Fatal("the announcement does not show")
	}
	b.do(chromedp.Click(chromedp.CSS(".announce button")))
	if shown(b) {
		t.Error("the announcement is back after it was put away")
	}
	announce("--banner", "Closed on Monday, too.")
	if !shown(b) {
		t.Error("a new announcement does not show to who has put the last one away")
	}
}
