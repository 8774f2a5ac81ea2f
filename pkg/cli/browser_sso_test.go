package cli

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// foreignProvider is an identity provider in a process of its own, made of
// somebody else's certified library: .ci/provider.
type foreignProvider struct {
	t      *testing.T
	issuer string
}

const (
	foreignSecret   = "what only the portal and the provider know"
	foreignPassword = "a password at the provider"
)

// foreignUser is a person as the provider's example reads them.
type foreignUser struct {
	ID, Username, Password, FirstName, LastName, Email string
	EmailVerified                                      bool
	PreferredLanguage                                  string
}

// startForeignProvider starts the provider for a portal. Without the program
// the test is skipped, except in CI.
func startForeignProvider(t *testing.T, home string, users ...foreignUser) *foreignProvider {
	t.Helper()
	program := os.Getenv("PORTALCTL_OIDC_PROVIDER")
	if program == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("PORTALCTL_OIDC_PROVIDER does not name the identity provider, and CI must sign in at one")
		}
		t.Skip("to sign in at an identity provider: go -C .ci/provider build -o FILE . and set PORTALCTL_OIDC_PROVIDER to it")
	}
	people := map[string]foreignUser{}
	for _, u := range users {
		u.Password = foreignPassword
		people[u.ID] = u
	}
	list, err := json.Marshal(people)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "users.json")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-secret", foreignSecret, "-users", file,
		"-redirect", home+"/sso/callback", "-signed-out", home+"/sso/signed-out")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the provider does not say where it is: %v", err)
	}
	return &foreignProvider{t, strings.TrimSpace(line)}
}

// rotate makes the provider sign with another key.
func (p *foreignProvider) rotate() {
	p.t.Helper()
	res, err := http.Post(p.issuer+"/-/rotate", "text/plain", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		p.t.Fatalf("the provider answers %s", res.Status)
	}
}

// ssoDemo is a demo whose portal the provider lets people into.
func ssoDemo(t *testing.T) (*demo, *foreignProvider) {
	t.Helper()
	keep := t.TempDir()
	d := startDemo(t, "--keep", keep)
	d.store = filepath.Join(keep, "portal.db")
	p := startForeignProvider(t, d.home,
		foreignUser{ID: "7", Username: "noah", FirstName: "Noah", LastName: "at work", Email: "noah@harbour-hotels.example", EmailVerified: true, PreferredLanguage: "en"},
		foreignUser{ID: "8", Username: "astrid", FirstName: "Astrid", LastName: "Öberg", Email: "astrid@harbour-hotels.example", EmailVerified: true, PreferredLanguage: "sv"},
		foreignUser{ID: "9", Username: "mallory", FirstName: "Mallory", LastName: "X", Email: "carmen@harbour-hotels.example", PreferredLanguage: "en"},
	)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(foreignSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.must(t, "access", "set", "sso", "--issuer", p.issuer, "--client-id", "portal", "--client-secret-file", secret,
		"--email-domain", "harbour-hotels.example", "--sso-label", "Harbour ID", "--allow-private-issuer")
	return d, p
}

func (d *demo) must(t *testing.T, args ...string) {
	t.Helper()
	if code, output := d.run(args...); code != 0 {
		t.Fatalf("portalctl %s: %d\n%s", strings.Join(args, " "), code, output)
	}
}

// atProvider signs in there, and comes back.
func (b *tab) atProvider(p *foreignProvider, user string) {
	b.t.Helper()
	b.press("a.button[href*='/sso']")
	if !strings.HasPrefix(b.where(), p.issuer) {
		b.t.Fatalf("the button leads to %s, wanted the provider at %s", b.where(), p.issuer)
	}
	b.fill("#username", user)
	b.fill("#password", foreignPassword)
	b.press("button[type=submit]")
}

// waitFor waits for an address that no press leads to by itself.
func (b *tab) waitFor(what *regexp.Regexp) {
	b.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if what.MatchString(b.where()) {
			return
		}
	}
	b.t.Fatalf("waited for %s and am still on %s", what, b.where())
}

func TestBrowserIdentityProvider(t *testing.T) {
	d, p := ssoDemo(t)
	chromium := browser(t)
	for _, c := range []struct {
		name   string
		width  int64
		script bool
	}{{"desktop", 1280, true}, {"phone without script", 360, false}} {
		t.Run(c.name, func(t *testing.T) {
			b := newTab(chromium, t, c.width, c.script)
			b.open(d.home + "/tickets/new")
			b.wantText("main", "Sign in with Harbour ID")
			forms, err := chromedp.Run(b.ctx, chromedp.Evaluate[int]("document.querySelectorAll('form').length"))
			if err != nil || forms != 0 {
				t.Errorf("%d forms beside the one button, %v", forms, err)
			}
			b.atProvider(p, "noah")
			b.wantText("h1", "New ticket")
			if got := b.where(); got != d.home+"/tickets/new" {
				t.Errorf("signed in, I am on %s", got)
			}
			// The contact that has the address, and so their tickets.
			b.open(d.home + "/tickets")
			b.wantText("main", "T-1037")

			b.open(d.home + "/sign-out")
			b.press("main form button")
			b.waitFor(regexp.MustCompile(`/sign-in$`))
			b.wantText("main", "at your organisation's sign-in service")
			b.open(d.home + "/tickets")
			if !strings.Contains(b.where(), "/sign-in") {
				t.Errorf("signed out, and %s opens", b.where())
			}

			p.rotate()
			b.atProvider(p, "astrid")
			b.wantText("h1", "Ärenden")
		})
	}

	t.Run("unproven address", func(t *testing.T) {
		b := newTab(chromium, t, 360, true)
		b.open(d.home)
		b.atProvider(p, "mallory")
		b.wantText("h1", "You have no access here")
		b.wantText("main", "eference")
		b.open(d.home + "/tickets")
		if !strings.Contains(b.where(), "/sign-in") {
			t.Errorf("refused, and %s opens", b.where())
		}
		b.wantText("main", "Sign in with Harbour ID")
	})

	t.Run("groups", func(t *testing.T) {
		d.must(t, "access", "set", "--scope", "custom_scope", "--group-claim", "custom_claim.other", "--group", "stuff")
		b := newTab(chromium, t, 1280, true)
		b.open(d.home)
		b.atProvider(p, "noah")
		b.wantText("h1", "Tickets")
		// Who gets in changes: nobody of before is in any more.
		d.must(t, "access", "set", "--group", "somebody else")
		b.open(d.home + "/tickets")
		b.atProvider(p, "noah")
		b.wantText("h1", "You have no access here")
	})

	t.Run("agent", func(t *testing.T) {
		b := newTab(chromium, t, 360, false)
		b.open(d.home)
		b.press("a[href*='team=1']")
		b.fill("input[name=email]", "ines@brewline.example")
		b.press("button[formaction$='/sign-in/link']")
		b.followLink(b.newestMail(d, "ines@brewline.example", regexp.MustCompile(`http://\S+/sign-in/link/[\w-]+`)))
		b.wantText("h1", "Tickets")
	})
}

func TestBrowserProviderBarriers(t *testing.T) {
	script := axe(t)
	d, _ := ssoDemo(t)
	b := newTab(browser(t), t, 1280, true)
	for _, width := range []int64{1280, 360, 320} {
		for _, scheme := range []string{"light", "dark"} {
			for _, path := range []string{"/sign-in", "/sign-in?team=1", "/sso/callback?state=x"} {
				b.barriers(script, d.home+path, width, scheme)
			}
		}
	}
}
