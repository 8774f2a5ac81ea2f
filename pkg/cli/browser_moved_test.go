package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portaltest"
)

// What somebody typed on a page that stood open while the portal moved is sent
// all the same: browsers follow no form to another host under our policy.
func TestBrowserLosesNothingWhenThePortalMoves(t *testing.T) {
	dns := portaltest.NewDNS(t)
	keep := t.TempDir()
	d := startDemo(t, "--keep", keep)
	d.store = filepath.Join(keep, "portal.db")
	must := func(args ...string) string {
		t.Helper()
		code, output := d.run(args...)
		if code != 0 {
			t.Fatalf("portalctl %s: %d\n%s", strings.Join(args, " "), code, output)
		}
		return output
	}
	dns.Paste(must("domain", "connect", "support.example.com", "--resolver", dns.Addr, "--output", "zone", "--quiet"))
	must("domain", "verify", "support.example.com", "--resolver", dns.Addr)
	site := strings.TrimSuffix(d.home, "/help")
	newSite := "http://support.example.com" + site[strings.LastIndex(site, ":"):]
	const send = "button[name=how][value=send]"

	b := newTab(browser(t), t, 1280, true)
	b.followLink(d.links[0])
	ticket := "/tickets/T-1037"
	b.open(d.home + ticket)
	b.fill("[name=body]", "Typed before the slug changed.")
	must("portal", "set", "--slug", "hjalp")
	b.press(send)
	b.wantText("main", "Typed before the slug changed.")
	if !strings.HasPrefix(b.where(), site+"/hjalp"+ticket) {
		t.Errorf("the answer leads to %s, want the ticket at the new address", b.where())
	}

	b.fill("[name=body]", "Typed before the domain changed.")
	must("portal", "set", "--domain", "support.example.com", "--slug", "")
	b.press(send)
	b.wantText("h1", "This portal has moved")
	b.wantText("[role=status]", "Your message is sent")
	b.wantText("main", "support.example.com")
	b.press("main a.button")
	if !strings.HasPrefix(b.where(), newSite+"/sign-in?return_to=%2Ftickets%2FT-1037") {
		t.Errorf("the page that tells of the move leads to %s, want the sign-in page at the new address", b.where())
	}
	if shown := must("tickets", "show", "T-1037"); strings.Count(shown, "Typed before the domain changed.") != 1 {
		t.Errorf("the answer is not there once:\n%s", shown)
	}

	// Links in mail sent before work at the new address, one hop from any.
	link := must("members", "link", "noah@harbour-hotels.example")
	link = newSite + link[strings.LastIndex(link, "/sign-in/"):]
	b.followLink(strings.Replace(strings.TrimSpace(link), newSite, d.home, 1))
	b.wantText("h1", "Tickets")
	b.open(site + "/hjalp" + ticket)
	if b.where() != newSite+ticket {
		t.Errorf("an old link leads to %s, want %s", b.where(), newSite+ticket)
	}
	b.wantText("main", "Typed before the domain changed.")
}
