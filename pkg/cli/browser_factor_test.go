package cli

import (
	"encoding/base32"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/portalctl/portalctl/pkg/auth"
)

const browserPassword = "four grey herons wading"

// choosePassword gives somebody a password by the link that resets it.
func (b *tab) choosePassword(d *demo, address string) {
	b.t.Helper()
	b.open(d.home + "/reset")
	b.fill("input[name=email]", address)
	b.press("main form button[type=submit]")
	b.open(b.newestMail(d, address, regexp.MustCompile(`http://\S+/reset/[\w-]+`)))
	b.fill("input[name=password]", browserPassword)
	b.press("main form button[type=submit]")
}

// key reads the authenticator's key from the page that sets it up.
func (b *tab) key() []byte {
	b.t.Helper()
	// The key stands in a part that is folded.
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.querySelector(".secret-key").textContent`))
	if err != nil {
		b.t.Fatalf("%v\non %s", err, b.where())
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		b.t.Fatal(err)
	}
	return key
}

// codeAt is the code of the time step that lies so many after now. The step
// after now is as good as the present one, and becomes it, so nothing here
// depends on when in a step the test runs.
func codeAt(t *testing.T, key []byte, steps int) string {
	t.Helper()
	code, err := auth.TOTPCode(key, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func (b *tab) signInByPassword(d *demo, address string) {
	b.t.Helper()
	b.open(d.home + "/sign-in")
	b.fill("input[name=email]", address)
	b.fill("input[name=password]", browserPassword)
	b.press("form[action$='/sign-in'] button[type=submit]:not([formaction])")
}

func (b *tab) signOut(d *demo) {
	b.t.Helper()
	b.open(d.home + "/sign-out")
	b.press("main form button[type=submit]")
}

// giveCode types a code and sends it.
func (b *tab) giveCode(code string) {
	b.t.Helper()
	b.do(chromedp.SetValue(chromedp.CSS("input[name=code]"), code))
	b.press("main form.stack button[type=submit]")
}

func TestBrowserSecondFactor(t *testing.T) {
	keep := t.TempDir()
	d := startDemo(t, "--keep", keep)
	d.store = filepath.Join(keep, "portal.db")
	chromium := browser(t)
	const noah = "noah@harbour-hotels.example"
	for _, c := range []struct {
		name   string
		script bool
	}{{"with script", true}, {"without script", false}} {
		t.Run(c.name, func(t *testing.T) {
			b := newTab(chromium, t, 360, c.script)
			b.choosePassword(d, noah)
			b.open(d.home + "/account")
			b.press("a[href$='/account/factor']")
			b.press("a[href$='/account/factor/set-up']")

			// A session alone is not enough to set one up.
			b.fill("input[name=present]", browserPassword)
			b.press("form[action$='/account/proof'] button[type=submit]")
			b.wantText("h1", "Set up an authenticator app")
			key := b.key()
			b.giveCode("000000")
			b.wantText("[role=alert]", "not the code for this key")
			confirmed := codeAt(t, key, 0)
			b.giveCode(confirmed)
			b.wantText("h1", "Save your recovery codes")
			recovery := regexp.MustCompile(`[0-9A-Z]{6}(-[0-9A-Z]{6}){3}`).FindAllString(b.text("ol.codes"), -1)
			if len(recovery) != 10 {
				t.Fatalf("%d recovery codes are shown, want 10", len(recovery))
			}
			b.press(".codes-actions a.wide")
			b.wantText("main", "You have 10 codes left.")
			b.signOut(d)

			b.signInByPassword(d, noah)
			b.wantText("h1", "Your code, please")
			b.open(d.home + "/tickets/T-1037")
			if !strings.Contains(b.where(), "/sign-in/factor?return_to=") {
				t.Errorf("half signed in, a ticket opens at %s", b.where())
			}
			b.giveCode(confirmed)
			b.wantText("[role=alert]", "used already")
			next := codeAt(t, key, 1)
			b.giveCode(next[:3] + " " + next[3:])
			if !strings.HasSuffix(b.where(), "/tickets/T-1037") {
				t.Errorf("the code leads to %s, want the ticket", b.where())
			}
			b.signOut(d)

			b.signInByPassword(d, noah)
			b.giveCode(next)
			b.wantText("[role=alert]", "used already")
			b.press("a[href*='recovery=yes']")
			b.giveCode(strings.ToLower(recovery[4]))
			b.wantText("[role=status]", "signed in with a recovery code")
			b.signOut(d)

			b.signInByPassword(d, noah)
			b.press("a[href*='recovery=yes']")
			b.giveCode(recovery[4])
			b.wantText("[role=alert]", "has been used")
			b.signOut(d)
			if code, output := d.run("contacts", "reset-factor", noah, "--yes"); code != 0 {
				t.Fatalf("reset-factor: %d\n%s", code, output)
			}
			b.newestMail(d, noah, regexp.MustCompile(`We reset the second step`))
			b.signInByPassword(d, noah)
			b.wantText("h1", "Tickets")
		})
	}
}

func TestBrowserDemandedFactor(t *testing.T) {
	keep := t.TempDir()
	d := startDemo(t, "--keep", keep)
	d.store = filepath.Join(keep, "portal.db")
	chromium := browser(t)
	customer, agent := newTab(chromium, t, 360, true), newTab(chromium, t, 1280, true)
	customer.followLink(d.links[0])
	customer.wantText("h1", "Tickets")
	agent.followLink(d.links[2])
	for _, args := range [][]string{{"access", "set", "--second-factor", "required"}, {"agents", "set", "--all", "--second-factor", "required"}} {
		if code, output := d.run(args...); code != 0 {
			t.Fatalf("portalctl %s: %d\n%s", strings.Join(args, " "), code, output)
		}
	}
	for name, b := range map[string]*tab{"a customer": customer, "an agent": agent} {
		for _, path := range []string{"/tickets", "/tickets/T-1037", "/tickets.csv", "/tickets/new", "/account", "/account/factor", "/"} {
			b.open(d.home + path)
			if !strings.Contains(b.where(), "/sign-in/enrol") {
				t.Errorf("%s opens %s at %s, want the enrolment", name, path, b.where())
			}
		}
		b.giveCode(codeAt(t, b.key(), 0))
		b.wantText("h1", "Save your recovery codes")
		b.press(".codes-actions a.wide")
		b.open(d.home + "/tickets/T-1037")
		b.wantText("h1", "E-14")
		b.open(d.home + "/account/factor")
		b.wantText("main", "cannot be turned off")
	}
}

func TestBrowserSecondFactorHasNoBarriers(t *testing.T) {
	script := axe(t)
	keep := t.TempDir()
	d := startDemo(t, "--keep", keep)
	d.store = filepath.Join(keep, "portal.db")
	b := newTab(browser(t), t, 1280, true)
	if code, output := d.run("access", "set", "--second-factor", "required"); code != 0 {
		t.Fatalf("access set: %d\n%s", code, output)
	}
	b.followLink(d.links[0])
	look := func(paths ...string) {
		t.Helper()
		for _, path := range paths {
			for _, width := range []int64{1280, 360, 320} {
				for _, scheme := range []string{"light", "dark"} {
					b.barriers(script, d.home+path, width, scheme)
				}
			}
		}
	}
	look("/sign-in/enrol")
	key := b.key()
	b.giveCode(codeAt(t, key, 0))
	b.wantText("h1", "Save your recovery codes")
	// It is shown once, so it is looked at as it stands.
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[chromedp.Void](script)); err != nil {
		t.Fatal(err)
	}
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise))
	if err != nil || len(found) > 0 {
		t.Errorf("the recovery codes: %v, %v", found, err)
	}
	look("/account/factor", "/account")
	b.open(d.home + "/sign-out")
	b.press("main form button[type=submit]")
	b.followLink(b.mailedLink(d, "noah@harbour-hotels.example"))
	look("/sign-in/factor", "/sign-in/factor?recovery=yes")

	// Swedish has the longer words.
	b = newTab(b.ctx, t, 360, true)
	b.followLink(b.mailedLink(d, "elin@nordkontor.example"))
	look("/sign-in/enrol")
	b.wantText("main", "Bekräfta och slå på")
}
