package cli

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// inDemoMail finds a mail in the demo's list: where it is, and to whom.
var inDemoMail = regexp.MustCompile(`href="(/-/mail/\d+)">[^<]*</a>\s*to (\S+),`)

// newestMail waits for a mail to an address that holds what is looked for, and
// returns that of the newest which nobody was given yet.
func (b *tab) newestMail(d *demo, address string, wanted *regexp.Regexp) string {
	b.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		for _, m := range inDemoMail.FindAllStringSubmatch(b.fetch(d.mail()), -1) {
			if !strings.HasPrefix(m[2], address) {
				continue
			}
			b.open(strings.TrimSuffix(d.mail(), mailPath) + m[1])
			if found := wanted.FindString(b.text("pre")); found != "" && !d.given[m[1]+found] {
				d.given[m[1]+found] = true
				return found
			}
		}
	}
	b.t.Fatalf("no mail to %s holds %s", address, wanted)
	return ""
}

// fetch reads a page without the browser.
func (b *tab) fetch(address string) string {
	b.t.Helper()
	res, err := http.Get(address) //nolint:noctx // the test ends with it
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(body)
}

func TestBrowserLinkOpenedOnAnotherDevice(t *testing.T) {
	const noah = "noah@harbour-hotels.example"
	d := startDemo(t)
	chromium := browser(t)
	laptop, phone := newTab(chromium, t, 1280, true), newTab(chromium, t, 360, false)
	laptop.open(d.home + "/sign-in")
	laptop.fill("input[name=email]", noah)
	laptop.press("button[formaction$='/sign-in/link']")
	code := laptop.text(".code")
	link := phone.newestMail(d, noah, regexp.MustCompile(`http://\S+/sign-in/link/[\w-]+`))

	phone.open(link)
	wrong := "000 001"
	if code == wrong {
		wrong = "000 002"
	}
	phone.fill("input[name=code]", wrong)
	phone.press("main form button")
	phone.wantText("[role=alert]", "not the code shown")
	phone.open(link)
	phone.fill("input[name=code]", code)
	phone.press("main form button")
	phone.wantText("h1", "Tickets")

	// Used there, it is no good where it was asked for either.
	laptop.open(link)
	laptop.wantText("main", "already been used")
}

func TestBrowserPasswordAndAddress(t *testing.T) {
	const carmen, password = "carmen@harbour-hotels.example", "seven quiet rivers at dusk"
	d := startDemo(t)
	b := newTab(browser(t), t, 360, true)
	b.followLink(b.mailedLink(d, carmen))

	// A password of one's own begins with a proof of who one is.
	b.open(d.home + "/account")
	b.press("section[aria-labelledby=s-password] a")
	b.press("form[action$='/account/proof/mail'] button")
	code := b.newestMail(d, carmen, regexp.MustCompile(`\b\d{6}\b`))
	b.open(d.home + "/account/proof")
	b.fill("input[name=code]", code)
	b.press("form[action$='/account/proof'] button")
	b.open(d.home + "/account")
	b.fill("section[aria-labelledby=s-password] input[name=password]", password)
	b.press("form[action$='/account/password'] button.button")
	b.wantText("main", "password")

	b.open(d.home + "/sign-out")
	b.press("main form button")
	b.fill("input[name=email]", carmen)
	b.fill("input[name=password]", "not "+password)
	b.press("form[action$='/sign-in'] button[type=submit]:not([formaction])")
	b.wantText("[role=alert]", "wrong")
	b.fill("input[name=password]", password)
	b.press("form[action$='/sign-in'] button[type=submit]:not([formaction])")
	b.wantText("h1", "Tickets")

	// Another address, proven by its own mail; the old one is told.
	b.open(d.home + "/account/proof?return_to=/help/account")
	b.fill("input[name=present]", password)
	b.press("form[action$='/account/proof'] button.button")
	b.fill("input[name=email][required]", "carmen.ortiz@harbour-hotels.example")
	b.press("form[action$='/account/email'] button")
	b.open(b.newestMail(d, "carmen.ortiz@", regexp.MustCompile(`http://\S+/account/email/[\w-]+`)))
	b.press("main form button")
	b.wantText("main", "carmen.ortiz@harbour-hotels.example")

	// Whoever reads the old mailbox can end it all.
	b.open(b.newestMail(d, carmen, regexp.MustCompile(`http://\S+/not-me/[\w-]+`)))
	b.press("main form button")
	b.wantText("h1", "Signed out everywhere")
	b.open(d.home + "/tickets")
	if !strings.Contains(b.where(), "/sign-in") {
		t.Errorf("signed out everywhere, and %s opens", b.where())
	}
}
