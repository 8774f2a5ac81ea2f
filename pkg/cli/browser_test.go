package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// findChromium returns the browser to test with. Without one the test is
// skipped, except in CI.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("there is no Chromium, and CI must test the pages in one")
	}
	t.Skip("there is no Chromium on this machine; install the package chromium to test the pages in a browser")
	return ""
}

// browser starts Chromium; each tab of it is a person of their own.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := findChromium(t)
	// Not t.TempDir: Chromium may still write while it ends.
	profile, err := os.MkdirTemp("", "portalctl-chromium-") //nolint:usetesting // it outlives the test by a moment
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(profile), chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("host-resolver-rules", "MAP *.example.com 127.0.0.1"))
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		end()
		endAllocator()
		_ = os.RemoveAll(profile)
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return ctx
}

// tab is one person's browser window.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// newTab opens a window with its own cookies.
func newTab(browser context.Context, t *testing.T, width int64, script bool) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	ctx, timeout := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(func() { timeout(); cancel() })
	b := &tab{t, ctx}
	b.do(chromedp.EmulateViewport(width, 800))
	if !script {
		if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("%v\non %s", err, b.where())
	}
}

func (b *tab) where() string {
	at, _ := chromedp.Run(b.ctx, chromedp.Location())
	return at
}

func (b *tab) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// press clicks and waits for the page that follows.
func (b *tab) press(selector string) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		b.t.Fatalf("press %s: %v\non %s", selector, err, b.where())
	}
}

func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

func (b *tab) text(selector string) string {
	b.t.Helper()
	s, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		b.t.Fatalf("text of %s: %v\non %s", selector, err, b.where())
	}
	return strings.Join(strings.Fields(s), " ")
}

func (b *tab) wantText(selector, want string) {
	b.t.Helper()
	if got := b.text(selector); !strings.Contains(got, want) {
		b.t.Errorf("%s says %q, want %q in it\non %s", selector, got, want, b.where())
	}
}

// followLink signs in by a one-time link, as a person would: look, press.
func (b *tab) followLink(link string) {
	b.t.Helper()
	b.open(link)
	b.press("main form button")
}

// mailedLink asks for a sign-in link as an address and reads it in the
// demo's mail.
func (b *tab) mailedLink(d *demo, address string) string {
	b.t.Helper()
	b.open(d.home + "/sign-in")
	b.fill("input[name=email]", address)
	b.press("button[formaction$='/sign-in/link']")
	return b.newestMail(d, address, regexp.MustCompile(`http://\S+/sign-in/link/[\w-]+`))
}

func TestBrowserCustomerJourney(t *testing.T) {
	d := startDemo(t)
	chromium := browser(t)
	upload := filepath.Join(t.TempDir(), "Räkning 7.txt")
	if err := os.WriteFile(upload, []byte("seven coffees"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		width  int64
		script bool
	}{{"desktop", 1280, true}, {"desktop without script", 1280, false}, {"phone", 360, true}, {"phone without script", 360, false}} {
		t.Run(c.name, func(t *testing.T) {
			b := newTab(chromium, t, c.width, c.script)
			link := b.mailedLink(d, "noah@harbour-hotels.example")
			b.followLink(link)
			b.wantText("h1", "Tickets")

			b.press("a[href$='/tickets/new']")
			b.fill("[name=subject]", "The kettle sings "+c.name)
			b.fill("[name=body]", "It sings in the morning.\nAnd at night.")
			b.do(chromedp.SetUploadFiles(chromedp.CSS("[name=files]"), []string{upload}))
			b.press("form[action$='/tickets/new'] button[type=submit]:not([formaction])")
			b.wantText("h1", "The kettle sings "+c.name)
			b.wantText("main", "And at night.")
			b.wantText("main", "Räkning 7.txt")

			b.fill("[name=body]", "It has stopped.")
			b.press("button[name=how][value=send]")
			b.wantText("main", "It has stopped.")
			b.press("form[action$='/close'] button")
			b.wantText("main", "Closed")
			b.press("form[action$='/reopen'] button")
			b.wantText("main", "Waiting for us")

			b.open(d.home + "/sign-out")
			b.press("main form button")
			b.open(d.home + "/tickets")
			if !strings.Contains(b.where(), "/sign-in") {
				t.Errorf("signed out, and %s opens", b.where())
			}
			b.open(link)
			if b.text("main") == "" || strings.Contains(b.where(), "/tickets") {
				t.Error("a used link leads in")
			}
		})
	}
}

func TestBrowserSpeaksSwedish(t *testing.T) {
	d := startDemo(t)
	b := newTab(browser(t), t, 360, true)
	b.followLink(b.mailedLink(d, "elin@nordkontor.example"))
	lang, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.documentElement.lang"))
	if err != nil || lang != "sv" {
		t.Errorf("the page is in %q, %v", lang, err)
	}
	b.wantText("h1", "Ärenden")
	b.wantText("main", "Väntar på dig")
	b.open(d.home + "/tickets/new")
	b.fill("[name=subject]", " ")
	b.fill("[name=body]", " ")
	b.press("form[action$='/tickets/new'] button[type=submit]:not([formaction])")
	b.wantText("[role=alert]", "behöver rättas")
	b.open(d.home + "/account")
	b.do(chromedp.SetValue(chromedp.CSS("[name=language]"), "en"))
	b.press("form[action$='/account/profile'] button")
	b.open(d.home + "/tickets")
	b.wantText("h1", "Tickets")
}

// axe returns the script that looks for barriers.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("PORTALCTL_AXE")
	if path == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("PORTALCTL_AXE does not name axe.min.js, and CI must look for barriers")
		}
		t.Skip("set PORTALCTL_AXE to axe.min.js of the npm package axe-core to look for barriers")
	}
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

const axeRun = `axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(r =>
	r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 200) + ' (' + n.failureSummary.replace(/\s+/g, ' ') + ')')))`

func TestBrowserFindsNoBarriers(t *testing.T) {
	script := axe(t)
	keep := t.TempDir()
	d := startDemo(t, "--keep", keep)
	d.store = filepath.Join(keep, "portal.db")
	terms := filepath.Join(t.TempDir(), "terms.txt")
	if err := os.WriteFile(terms, []byte("Be kind."), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "--name", "Open house", "--domain", "system", "--slug", "open", "--inbox", "Support", "--permissions", "contact", "--access", "self-register"},
		{"access", "set", "self-register", "--consent", terms, "--portal", "open"},
		{"contacts", "add", "--email", "new@example.com", "--name", "New"},
	} {
		if code, output := d.run(args...); code != 0 {
			t.Fatalf("portalctl %s: %d\n%s", strings.Join(args, " "), code, output)
		}
	}
	code, invitation := d.run("members", "link", "new@example.com", "--portal", "open")
	link := regexp.MustCompile(`http://\S+`).FindString(invitation)
	if code != 0 || link == "" {
		t.Fatalf("members link: %d\n%s", code, invitation)
	}
	chromium := browser(t)
	open := strings.TrimSuffix(d.home, "/help") + "/open"
	people := []struct {
		name  string
		link  string
		pages []string
	}{
		{"stranger", "", []string{
			d.home + "/sign-in", d.home + "/sign-in/sent", d.home + "/reset", d.home + "/reset/sent", d.home + "/sign-in/link/none", d.home + "/none",
			open + "/register", open + "/register/sent", open + "/register/pending", link, d.links[2],
		}},
		{"customer", d.links[0], []string{
			d.home + "/tickets", d.home + "/tickets?status=closed", d.home + "/tickets?q=nothing", d.home + "/tickets/new", d.home + "/tickets/T-1037",
			d.home + "/tickets/T-1038", d.home + "/tickets/T-1001", d.home + "/account", d.home + "/sign-out",
		}},
		{"colleague", d.links[1], []string{d.home + "/tickets?view=company&status=all", d.home + "/tickets/T-1033"}},
		{"agent", d.links[2], []string{d.home + "/tickets", d.home + "/tickets/T-1037"}},
	}
	for _, who := range people {
		t.Run(who.name, func(t *testing.T) {
			b := newTab(chromium, t, 1280, true)
			if who.link != "" {
				b.followLink(who.link)
			}
			for _, width := range []int64{1280, 360, 320} {
				for _, scheme := range []string{"light", "dark"} {
					for _, address := range who.pages {
						b.barriers(script, address, width, scheme)
					}
				}
			}
		})
	}
}

// barriers looks at one page in one size and colour scheme.
func (b *tab) barriers(script, address string, width int64, scheme string) {
	b.t.Helper()
	name := fmt.Sprintf("%s at %d px, %s", address, width, scheme)
	b.do(chromedp.EmulateViewport(width, 800))
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true}); err != nil {
		b.t.Fatal(err)
	}
	b.open(address)
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[chromedp.Void](script)); err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	for _, f := range found {
		b.t.Errorf("%s: %s", name, f)
	}
	wide, err := chromedp.Run(b.ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
	if err != nil || wide > width {
		b.t.Errorf("%s: the page is %d px wide, %v", name, wide, err)
	}
}

// TestBrowserAsksNobodyElse watches what pages fetch and what the browser
// complains about, with the policy in force.
func TestBrowserAsksNobodyElse(t *testing.T) {
	d := startDemo(t)
	b := newTab(browser(t), t, 1280, true)
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	requests := chromedp.Events(b.ctx, network.RequestWillBeSent)
	watching, enough := context.WithCancel(b.ctx)
	defer enough()
	exceptions := chromedp.Events(watching, runtime.ExceptionThrown)
	b.followLink(d.links[0])
	pages := []string{d.home + "/tickets", d.home + "/tickets/new", d.home + "/tickets/T-1038", d.home + "/account", d.home + "/sign-out", d.home + "/none"}
	for _, address := range pages {
		b.open(address)
	}
	violations, err := chromedp.Run(b.ctx, chromedp.Evaluate[int]("document.querySelectorAll('[style],style,script:not([src])').length"))
	if err != nil || violations != 0 {
		t.Errorf("%d inline styles or scripts, %v", violations, err)
	}
	host := strings.TrimSuffix(d.home, "/help")
	seen := 0
	for e, err := range requests {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(e.Request.URL, host) && !strings.HasPrefix(e.Request.URL, "data:") {
			t.Errorf("a page asked for %s", e.Request.URL)
		}
		if strings.HasSuffix(e.Request.URL, "/none") {
			break
		}
		seen++
	}
	if seen < len(pages) {
		t.Errorf("saw %d requests only", seen)
	}
	enough()
	for e, err := range exceptions {
		if err != nil {
			break
		}
		t.Errorf("a script failed: %s", e.ExceptionDetails.Text)
	}
}
