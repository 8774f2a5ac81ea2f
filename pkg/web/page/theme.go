package page

import (
	"fmt"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// themeCSS is a theme as a style sheet that sets custom properties. A font ""
// is the reader's own.
func themeCSS(t portal.Theme, font string) string {
	var b strings.Builder
	fmt.Fprintf(&b, ":root{%s}\n", properties(t.Light))
	fmt.Fprintf(&b, "@media screen and (prefers-color-scheme:dark){:root{%s}}\n", properties(t.Dark))
	if font != "" {
		b.WriteString(fontCSS(font))
	}
	return b.String()
}

func properties(p portal.Palette) string {
	return "--accent:" + p.Fill + ";--accent-hover:" + p.Hover + ";--on-accent:" + p.OnFill +
		";--accent-text:" + p.Text + ";--accent-soft:" + p.Soft + ";--accent-line:" + p.Line
}

// StyleSheet is the portal's looks in an accent colour as one text, for a page
// that opens without a network.
func StyleSheet(accent string) string {
	return string(assets()["portal.css"].plain) + "\n" + themeCSS(portal.NewTheme(accent), "")
}

// favicon is the mark of a portal in its accent colour, as SVG.
func favicon(t portal.Theme) string {
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="` + t.Light.Fill +
		`"/><path d="M8 10.5A2.5 2.5 0 0 1 10.5 8h11a2.5 2.5 0 0 1 2.5 2.5v7a2.5 2.5 0 0 1-2.5 2.5H15l-5 4.5V20a2 2 0 0 1-2-2z" fill="` +
		t.Light.OnFill + `"/></svg>`
}
