package page

import (
	"os"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

// The contrasts portal.NewTheme sees to are worth nothing when the style sheet uses other
// backgrounds.
func TestStyleSheetUsesTheBackgroundsThemesAreCheckedOn(t *testing.T) {
	data, err := os.ReadFile("assets/portal.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(data), "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("portal.css has no dark mode")
	}
	for _, c := range []struct {
		where, css, property string
		want                 string
	}{
		{"light", light, "--page", portal.LightPage},
		{"light", light, "--surface", portal.LightSurface},
		{"dark", dark, "--page", portal.DarkPage},
		{"dark", dark, "--surface", portal.DarkSurface},
	} {
		if line := c.property + ": " + c.want + ";"; !strings.Contains(c.css, line) {
			t.Errorf("portal.css, %s: no %q", c.where, line)
		}
	}
}
