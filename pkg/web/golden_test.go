package web

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

// changing is what differs from one version or run to the next.
var changing = regexp.MustCompile(`(/-/assets/portal\.|/-/theme/0f5fc2\.)[0-9a-f]+`)

// TestPagesLookAsBefore compares a few whole pages with testdata. UPDATE=1
// rewrites them; the difference is reviewed like code.
func TestPagesLookAsBefore(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Tickets.Permissions = portal.PermitCompany })
	ana := w.browser(w.signIn(w.ana))
	agent := w.browser(w.signInAgent())
	agent.post("/help/tickets/"+w.anas.String()+"/replies", "body", "Please *restart* it.", "how", "public")
	for name, got := range map[string]answer{
		"sign-in": w.browser("").get("/help/sign-in"), "tickets": ana.get("/help/tickets?view=company"),
		"ticket": ana.get("/help/tickets/" + w.anas.String()), "agent-ticket": agent.get("/help/tickets/" + w.anas.String()),
		"not-found": ana.get("/help/nowhere"),
	} {
		page := changing.ReplaceAllString(got.body, "$1HASH")
		// One element a line, so that differences can be read.
		page = strings.ReplaceAll(page, "><", ">\n<") + "\n"
		file := filepath.Join("testdata", name+".html")
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if page != string(want) {
			t.Errorf("%s differs from %s at:\n%s", name, file, firstDifference(page, string(want)))
		}
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return " got " + g[i] + "\nwant " + w[i]
		}
	}
	return "the end"
}
