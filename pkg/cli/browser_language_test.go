package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
)

// portalPages are the kinds of page customers read.
var portalPages = []string{"/tickets", "/tickets?tab=company&q=nothing+at+all", "/tickets/new", "/tickets/T-1037", "/account", "/account/factor", "/nowhere"}

// frontPages are those in front of the door.
var frontPages = []string{"/sign-in", "/reset", "/reset/sent", "/sign-in/sent"}

// speak makes a language the reader's own.
func (b *tab) speak(account, language string) {
	b.t.Helper()
	b.open(account)
	b.do(chromedp.SetValue(chromedp.CSS("[name=language]"), language))
	b.press("main form:has([name=language]) button:not([name])")
}

// box is where an element lies, measured from the side its line begins at.
type box struct{ Start, End, Top, Width float64 }

// boxes measures elements of the page as the reader's direction has them.
func (b *tab) boxes(selectors []string) map[string]box {
	b.t.Helper()
	names, err := json.Marshal(selectors)
	if err != nil {
		b.t.Fatal(err)
	}
	measured := b.eval(`JSON.stringify(Object.fromEntries(` + string(names) + `.flatMap(s => {
		const e = document.querySelector(s)
		if (!e) return []
		const r = e.getBoundingClientRect(), wide = document.documentElement.clientWidth
		const rtl = document.documentElement.dir === 'rtl'
		return [[s, {Start: rtl ? wide - r.right : r.left, End: rtl ? r.left : wide - r.right, Top: r.top, Width: r.width}]]
	})))`)
	var found map[string]box
	if err := json.Unmarshal([]byte(measured), &found); err != nil {
		b.t.Fatal(err)
	}
	return found
}

// overflow is how far the page reaches beyond the window.
const overflow = `String(document.documentElement.scrollWidth - document.documentElement.clientWidth)`

// clipped lists elements whose own words do not fit them, apart from those a
// person can scroll and names that people gave, which may be of any length.
const clipped = `JSON.stringify([...document.querySelectorAll('body *')].filter(e => {
	const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
	const style = getComputedStyle(e)
	if (!own || !e.checkVisibility() || e.closest('.hidden, .skip, [dir=auto], .menu-name, .queue-tag, pre, svg, textarea, select, option')) return false
	if (style.display === 'inline' || ['auto', 'scroll'].includes(style.overflowX)) return false
	return e.scrollWidth > e.clientWidth + 1 || style.textOverflow === 'ellipsis' && e.matches('button, a, .button, .chip, label')
}).map(e => e.tagName + '.' + e.className + ': ' + e.textContent.trim().slice(0, 60)))`

func (b *tab) wantFitting(language string) {
	b.t.Helper()
	if beyond := b.eval(overflow); beyond != "0" {
		b.t.Errorf("in %s the page reaches %s px beyond the window\non %s", language, beyond, b.where())
	}
	if cut := b.eval(clipped); cut != "[]" {
		b.t.Errorf("in %s words are cut off: %s\non %s", language, cut, b.where())
	}
}

// longest are the languages whose texts are longest as a whole.
func longest(n int) []string {
	type length struct {
		code  string
		runes int
	}
	var all []length
	for _, code := range i18n.Codes() {
		l := length{code: code}
		for _, s := range i18n.Sentences(code) {
			l.runes += len([]rune(app.TextLine(s.Forms)))
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b length) int { return b.runes - a.runes })
	var codes []string
	for _, l := range all[:min(n, len(all))] {
		codes = append(codes, l.code)
	}
	return codes
}

// The edges of these are the same in a language from right to left as in one
// from left to right, measured from where a line begins.
var (
	sameStart = []string{".top .brand", "main h1", ".front-brand", ".front-card", "main .card", ".desk-top .brand", ".desk-nav", ".desk-nav a", "main > :first-child"}
	sameEnd   = []string{".top .menu", ".desk-top .menu", "main .card"}
)

func TestBrowserMirrorsArabic(t *testing.T) {
	if !slices.Contains(i18n.Codes(), "ar") {
		t.Skip("there are no texts in Arabic")
	}
	d := startDemo(t)
	chromium := browser(t)
	customer, stranger, agent := newTab(chromium, t, 1280, true), newTab(chromium, t, 1280, true), newTab(chromium, t, 1280, true)
	customer.followLink(d.links[0])
	agent.followLink(d.links[2])
	for _, who := range []struct {
		name  string
		tab   *tab
		pages []string
		speak func(language string)
	}{
		{"customer", customer, prefixed(d.home, portalPages), func(l string) { customer.speak(d.home+"/account", l) }},
		{"stranger", stranger, prefixed(d.home, frontPages), func(l string) { stranger.open(d.home + "/sign-in?lang=" + l) }},
		{"agent", agent, prefixed(d.deskURL(""), []string{"/tickets?queue=all", "/tickets/T-1037", "/settings", "/reports", "/canned"}), func(l string) { agent.speak(d.deskURL("/settings"), l) }},
	} {
		b, before := who.tab, map[string]map[string]box{}
		all := append(slices.Clone(sameStart), sameEnd...)
		for _, language := range []string{"en", "ar"} {
			who.speak(language)
			for _, width := range []int64{1280, 360} {
				b.do(chromedp.EmulateViewport(width, 800))
				for _, address := range who.pages {
					b.open(address)
					at := itoaWidth(width) + " " + address
					if language == "en" {
						before[at] = b.boxes(all)
						continue
					}
					if got := b.eval(`document.documentElement.lang + ' ' + getComputedStyle(document.body).direction`); got != "ar rtl" {
						t.Fatalf("%s is %q, want Arabic from right to left", at, got)
					}
					b.wantFitting("ar")
					if away := b.eval(`String([...document.querySelectorAll('.body li')].filter(e => getComputedStyle(e).textAlign === 'right').length)`); away != "0" {
						t.Errorf("%s: %s lines of lists in messages stand away from their numbers", at, away)
					}
					now := b.boxes(all)
					for _, s := range all {
						was, had := before[at][s]
						is, has := now[s]
						if !had || !has || was.Width == 0 {
							continue
						}
						if slices.Contains(sameStart, s) && abs(was.Start-is.Start) > 2 {
							t.Errorf("%s: %s begins %.0f px from the side in English and %.0f px in Arabic", at, s, was.Start, is.Start)
						}
						if slices.Contains(sameEnd, s) && abs(was.End-is.End) > 2 {
							t.Errorf("%s: %s ends %.0f px from the side in English and %.0f px in Arabic", at, s, was.End, is.End)
						}
					}
				}
			}
		}
	}
}

func abs(x float64) float64 { return max(x, -x) }

func prefixed(base string, paths []string) []string {
	var all []string
	for _, p := range paths {
		all = append(all, base+p)
	}
	return all
}

func TestBrowserCutsNothingOffOnAPhone(t *testing.T) {
	d := startDemo(t)
	chromium := browser(t)
	customer, stranger := newTab(chromium, t, 360, true), newTab(chromium, t, 360, true)
	customer.followLink(d.links[0])
	for _, language := range longest(3) {
		stranger.open(d.home + "/sign-in?lang=" + language)
		for _, path := range frontPages {
			stranger.open(d.home + path)
			stranger.wantFitting(language)
		}
		customer.speak(d.home+"/account", language)
		for _, path := range portalPages {
			customer.open(d.home + path)
			customer.wantFitting(language)
		}
	}
}

// TestBrowserPortalIsDrawn leaves pictures where PORTALCTL_SHOTS says.
func TestBrowserPortalIsDrawn(t *testing.T) {
	folder := os.Getenv("PORTALCTL_SHOTS")
	if folder == "" {
		t.Skip("set PORTALCTL_SHOTS to a folder to have the portal drawn")
	}
	d := startDemo(t)
	chromium := browser(t)
	customer, stranger := newTab(chromium, t, 1280, true), newTab(chromium, t, 1280, true)
	customer.followLink(d.links[0])
	for _, language := range []string{"sv", "de", "fi", "ar"} {
		if !slices.Contains(i18n.Codes(), language) {
			continue
		}
		customer.speak(d.home+"/account", language)
		stranger.open(d.home + "/sign-in?lang=" + language)
		for _, width := range []int64{1280, 360} {
			for b, paths := range map[*tab][]string{customer: portalPages, stranger: frontPages} {
				b.do(chromedp.EmulateViewport(width, 900))
				for _, path := range paths {
					b.open(d.home + path)
					picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
					if err != nil {
						t.Fatal(err)
					}
					name := "portal-" + language + "-" + itoaWidth(width) + "-" + strings.Trim(strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-", "+", "-").Replace(path), "-") + ".png"
					if err := os.WriteFile(filepath.Join(folder, name), picture, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}
