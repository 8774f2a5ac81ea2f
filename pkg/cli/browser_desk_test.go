package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// keys types on the keyboard, wherever the focus is.
func (b *tab) keys(text string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(text))
}

// keysTo types keys that lead to another page, and waits for it.
func (b *tab) keysTo(text string) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.KeyEvent(text)); err != nil {
		b.t.Fatalf("type %q: %v\non %s", text, err, b.where())
	}
	// Its scripts have run then, and hear the next key.
	b.until("the page as a whole", "document.readyState === 'complete'")
}

// until waits for a condition in the page.
func (b *tab) until(what, condition string) {
	b.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if is, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](condition)); err == nil && is {
			return
		}
	}
	b.t.Fatalf("%s does not come about\non %s: %s", what, b.where(), b.text("main"))
}

// deskURL is the help desk of the demo.
func (d *demo) deskURL(path string) string {
	return strings.TrimSuffix(d.home, "/help") + "/helpdesk" + path
}

// TestBrowserDeskByKeyboard works through a queue without a mouse.
func TestBrowserDeskByKeyboard(t *testing.T) {
	d := startDemo(t)
	b := newTab(browser(t), t, 1280, true)
	b.followLink(d.links[2])
	if want := d.deskURL("/tickets"); b.where() != want {
		t.Fatalf("the agent's link leads to %s, want %s", b.where(), want)
	}
	b.keys("g")
	b.keysTo("a")
	b.wantText("h1", "All open")
	b.keys("j")
	first := b.eval("document.activeElement.closest('.queue-row').querySelector('.queue-check').value")
	b.keys("j")
	b.keys("k")
	if now := b.eval("document.activeElement.closest('.queue-row').querySelector('.queue-check').value"); now != first {
		t.Errorf("j and k end at %s, want %s", now, first)
	}
	b.keysTo(kb.Enter)
	if !strings.HasSuffix(b.where(), "/tickets/"+first) {
		t.Fatalf("Enter opens %s, want %s", b.where(), first)
	}
	// chromedp waits for a load that a page from the browser's memory has not.
	b.eval("history.back(); ''")
	b.until("the list again", "document.readyState === 'complete' && document.querySelectorAll('.queue-row').length > 3")
	// Three are chosen; the keys never act in the field they are assigned in.
	b.keys("jxjxjx")
	b.until("three chosen tickets", "document.querySelectorAll('.queue-check:checked').length === 3")
	b.do(chromedp.Focus(chromedp.CSS("button[name=act][value=assign]")))
	b.keysTo(kb.Enter)
	b.wantText(".flash", "changed")

	b.keys("?")
	b.until("the overlay", "document.getElementById('desk-keys').open")
	b.keys(kb.Escape)
	b.until("the overlay to be gone", "!document.getElementById('desk-keys').open")
	// An Arabic keyboard types another question mark at the same place.
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "؟", code: "Slash", shiftKey: true, bubbles: true, cancelable: true}))`)); err != nil {
		t.Fatal(err)
	}
	b.until("the overlay by an Arabic keyboard", "document.getElementById('desk-keys').open")
	b.keys(kb.Escape)
	b.until("the overlay to be gone again", "!document.getElementById('desk-keys').open")
	b.keys("/")
	b.until("the search field", "document.activeElement.id === 'desk-q'")
	b.keys("grinder")
	b.keysTo(kb.Enter)
	b.wantText("h1", "grinder")
	b.until("what was found", "document.querySelectorAll('.queue-row').length > 0")
}

func (b *tab) eval(expression string) string {
	b.t.Helper()
	s, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		b.t.Fatalf("%s: %v\non %s", expression, err, b.where())
	}
	return s
}

// TestBrowserDeskTellsTheOther lets two agents work on one queue.
func TestBrowserDeskTellsTheOther(t *testing.T) {
	keep := t.TempDir()
	d := startDemo(t, "--keep", keep)
	d.store = filepath.Join(keep, "portal.db")
	if code, output := d.run("agents", "add", "olle@brewline.example", "--name", "Olle Berg"); code != 0 {
		t.Fatal(output)
	}
	code, link := d.run("agents", "link", "olle@brewline.example")
	if code != 0 {
		t.Fatal(link)
	}
	chromium := browser(t)
	one, two := newTab(chromium, t, 1280, true), newTab(chromium, t, 1280, true)
	one.followLink(d.links[2])
	two.followLink(regexp.MustCompile(`http://\S+`).FindString(link))
	one.open(d.deskURL("/tickets?queue=unassigned"))
	two.open(d.deskURL("/tickets?queue=unassigned"))
	number := one.eval("document.querySelector('.queue-check').value")
	before := one.text("[data-count='queue:unassigned']")

	two.do(chromedp.Click(chromedp.CSS(".queue-check[value='" + number + "']")))
	two.press("button[name=act][value=assign]")
	one.until("the other's change", "document.querySelector('.queue-check[value=\""+number+"\"]').closest('.queue-row').matches('.queue-gone')")
	one.until("the new count", "document.querySelector('[data-count=\"queue:unassigned\"]').textContent !== '"+before+"'")
	one.do(chromedp.Click(chromedp.CSS("[data-news] button")))
	one.until("the list as it is", "!document.querySelector('.queue-check[value=\""+number+"\"]')")

	// Another process's change is found as well.
	number = one.eval("document.querySelector('.queue-check').value")
	if code, output := d.run("tickets", "close", number); code != 0 {
		t.Fatal(output)
	}
	one.until("the command's change", "document.querySelector('.queue-check[value=\""+number+"\"]').closest('.queue-row').matches('.queue-gone')")
}

// deskPages are every kind of page of the help desk.
var deskPages = []string{
	"/tickets?queue=all", "/tickets?queue=unassigned&sort=due", "/tickets?q=nothing+at+all", "/tickets?q=grinder", "/views", "/settings", "/nowhere",
	"/tickets/T-1036", "/tickets/T-1037?mode=note", "/tickets/T-1037/history", "/tickets/new", "/canned", "/held", "/reports", "/reports?by=agent",
}

func TestBrowserDeskHasNoBarriers(t *testing.T) {
	script := axe(t)
	d := startDemo(t)
	b := newTab(browser(t), t, 1280, true)
	b.followLink(d.links[2])
	b.open(d.deskURL("/tickets?queue=all"))
	b.do(chromedp.Click(chromedp.CSS(".queue-save > summary")))
	b.fill(".queue-save input[name=name]", "A view")
	b.press(".queue-save button")
	for _, width := range []int64{1280, 360} {
		for _, scheme := range []string{"light", "dark"} {
			for _, path := range deskPages {
				b.barriers(script, d.deskURL(path), width, scheme)
			}
		}
	}
}

// TestBrowserDeskIsDrawn leaves pictures where PORTALCTL_SHOTS says.
func TestBrowserDeskIsDrawn(t *testing.T) {
	folder := os.Getenv("PORTALCTL_SHOTS")
	if folder == "" {
		t.Skip("set PORTALCTL_SHOTS to a folder to have the help desk drawn")
	}
	d := startDemo(t)
	b := newTab(browser(t), t, 1280, true)
	b.followLink(d.links[2])
	for _, language := range []string{"en", "sv", "ar"} {
		b.open(d.deskURL("/settings"))
		b.do(chromedp.SetValue(chromedp.CSS("[name=language]"), language))
		b.press("main form button")
		for _, width := range []int64{1280, 360} {
			for _, scheme := range []string{"light", "dark"} {
				b.do(chromedp.EmulateViewport(width, 900))
				media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
				if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
					t.Fatal(err)
				}
				for i, path := range append([]string{"/tickets/T-1037"}, deskPages...) {
					b.open(d.deskURL(path))
					if i == 1 {
						b.keys("jxjx")
					}
					picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
					if err != nil {
						t.Fatal(err)
					}
					name := strings.Join([]string{language, itoaWidth(width), scheme, strings.Trim(strings.NewReplacer("/", "-", "?", "-", "=", "-", "&", "-", "+", "-").Replace(path), "-")}, "-") + ".png"
					if err := os.WriteFile(filepath.Join(folder, name), picture, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}

func itoaWidth(width int64) string {
	if width < 600 {
		return "phone"
	}
	return "desktop"
}
