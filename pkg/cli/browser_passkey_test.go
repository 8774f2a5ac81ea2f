package cli

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// authenticator gives the tab one that keeps passkeys and verifies its person,
// and answers by itself. It would take the offer of any sign-in page at once;
// so pages offer passkeys only where their address ends in ?offer.
func (b *tab) authenticator() webauthn.AuthenticatorID {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	offer := page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `PublicKeyCredential.isConditionalMediationAvailable = async () => location.search === "?offer"`,
	}
	if _, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, offer); err != nil {
		b.t.Fatal(err)
	}
	added, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return added.AuthenticatorID
}

// verified says whether the authenticator knows whose finger it is.
func (b *tab) verified(id webauthn.AuthenticatorID, yes bool) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: id, IsUserVerified: yes})
	if err != nil {
		b.t.Fatal(err)
	}
}

// reach waits until the tab is at an address with the end.
func (b *tab) reach(end string) {
	b.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		at, ready := b.where(), ""
		if strings.HasSuffix(at, end) {
			ready, _ = chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.readyState"))
		}
		if ready == "complete" {
			return
		}
	}
	said, _ := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("main")))
	b.t.Fatalf("the tab is at %s, want %s; it says %q", b.where(), end, said)
}

// mailedProof proves by a mailed code who somebody without a password is.
func (b *tab) mailedProof(d *demo, address, back string) {
	b.t.Helper()
	b.press("form[action$='/account/proof/mail'] button")
	code := b.newestMail(d, address, regexp.MustCompile(`\b\d{6}\b`))
	b.open(d.home + "/account/proof?return_to=" + back)
	b.fill("input[name=code]", code)
	b.press("form[action$='/account/proof'] button")
}

func TestBrowserPasskeys(t *testing.T) {
	const noah = "noah@harbour-hotels.example"
	const button = "form[data-passkey] button"
	d := startDemo(t)
	chromium := browser(t)
	b := newTab(chromium, t, 1280, true)
	b.followLink(b.mailedLink(d, noah))

	// Made at the account, after a proof of who one is.
	key := b.authenticator()
	b.open(d.home + "/account")
	b.press("section[aria-labelledby=s-passkeys] a.button")
	b.mailedProof(d, noah, "/help/account/passkeys/new")
	b.wantText("h1", "Add a passkey")
	b.press(button)
	b.wantText("[role=status]", "passkey is ready")
	b.wantText("section[aria-labelledby=s-passkeys]", "Chrome on Linux On one device")
	b.newestMail(d, noah, regexp.MustCompile(`A passkey was added`))

	// The same authenticator is not asked to keep a second one.
	b.open(d.home + "/account/passkeys/new")
	b.do(chromedp.Click(chromedp.CSS(button)), chromedp.WaitVisible(chromedp.CSS("form[data-passkey] .problem")))
	b.wantText("form[data-passkey] .problem", "here already")

	// In again without an address, from the page somebody wanted to read.
	b.open(d.home + "/sign-out")
	b.press("main form button")
	b.open(d.home + "/tickets/T-1038")
	b.wantText("form[data-passkey]", "Sign in with a passkey")
	b.press(button)
	b.wantText("main", "T-1038")

	// Once more, this time offered in the list of the address field: Chromium's
	// authenticator takes the offer as soon as the page makes it.
	b.open(d.home + "/sign-out")
	b.press("main form button")
	b.open(d.home + "/sign-in?offer")
	b.reach("/tickets")

	// Whose finger it is must be known.
	b.open(d.home + "/sign-out")
	b.press("main form button")
	b.verified(key, false)
	b.do(chromedp.Click(chromedp.CSS(button)), chromedp.WaitVisible(chromedp.CSS("form[data-passkey] .problem")))
	b.wantText("form[data-passkey] .problem", "No passkey was used")
	b.verified(key, true)
	b.press(button)
	b.wantText("h1", "Tickets")

	// It proves again who one is; a new name needs no proof, removing does.
	b.open(d.home + "/account")
	b.press("section[aria-labelledby=s-passkeys] li a")
	b.do(chromedp.Clear(chromedp.CSS("input[name=name]")))
	b.fill("input[name=name]", "The blue laptop")
	b.press("section[aria-labelledby=s-name] button")
	b.wantText("section[aria-labelledby=s-passkeys]", "The blue laptop")
	b.press("section[aria-labelledby=s-passkeys] li a")
	b.press("section[aria-labelledby=s-remove] button")
	if !strings.Contains(b.where(), "/account/proof") {
		t.Fatalf("removing asks for no proof: %s", b.where())
	}
	b.press(button)
	b.wantText("h1", "The blue laptop")
	b.press("section[aria-labelledby=s-remove] button")
	b.wantText("[role=status]", "removed")
	b.newestMail(d, noah, regexp.MustCompile(`A passkey was removed`))

	// The device still offers it, and it is no good.
	b.open(d.home + "/sign-out")
	b.press("main form button")
	b.press(button)
	b.wantText("[role=alert]", "did not work")

	// Without a script the button stays away and the rest remains.
	plain := newTab(chromium, t, 360, false)
	plain.open(d.home + "/sign-in")
	shown, err := chromedp.Run(plain.ctx, chromedp.Evaluate[bool]("document.querySelector('form[data-passkey]').checkVisibility()"))
	if err != nil || shown {
		t.Errorf("without a script the button shows: %v, %v", shown, err)
	}
	plain.followLink(plain.mailedLink(d, noah))
	plain.open(d.home + "/account/passkeys/new")
	plain.mailedProof(d, noah, "/help/account/passkeys/new")
	plain.wantText("main", "needs JavaScript")
}

func TestBrowserFindsNoBarriersAroundPasskeys(t *testing.T) {
	script := axe(t)
	const carmen = "carmen@harbour-hotels.example"
	d := startDemo(t)
	b := newTab(browser(t), t, 1280, true)
	b.followLink(b.mailedLink(d, carmen))
	b.authenticator()
	b.open(d.home + "/account/passkeys/new")
	b.mailedProof(d, carmen, "/help/account/passkeys/new")
	b.press("form[data-passkey] button")
	id := b.attribute("section[aria-labelledby=s-passkeys] li a", "href")
	pages := []struct{ name, address string }{
		{"account", d.home + "/account"},
		{"new", d.home + "/account/passkeys/new"},
		{"passkey", strings.TrimSuffix(d.home, "/help") + id},
		{"sign-in", d.home + "/sign-in"},
	}
	for _, p := range pages {
		if p.name == "sign-in" {
			b.open(d.home + "/sign-out")
			b.press("main form button")
		}
		for _, width := range []int64{1280, 360} {
			for _, scheme := range []string{"light", "dark"} {
				b.barriers(script, p.address, width, scheme)
			}
		}
	}
}

// attribute is an attribute of the first element a selector finds.
func (b *tab) attribute(selector, name string) string {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.querySelector(\""+selector+"\").getAttribute('"+name+"')"))
	if err != nil {
		b.t.Fatalf("%s of %s: %v\non %s", name, selector, err, b.where())
	}
	return value
}
