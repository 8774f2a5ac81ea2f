package page

import (
	"fmt"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// family is a font that is shipped. Its files lie in assets/fonts with their
// licences (SIL Open Font License 1.1); each holds the letters of one script,
// and browsers fetch those a page has letters of.
type family struct {
	name    string // in CSS
	files   string // what their names begin with
	weights string
	// The font that stands in while the files are on their way, in the same
	// width and height, so that nothing moves when they arrive. The figures
	// were measured in Chromium with the same text in both fonts.
	standIn                 string
	adjust, ascent, descent string
	generic                 string
	ownArabic               bool
}

var families = map[string]family{
	portal.FontInter: {
		name: "Inter", files: "inter", weights: "100 900",
		standIn: sans, adjust: "106.85%", ascent: "90.78%", descent: "22.46%", generic: "sans-serif",
	},
	portal.FontSource: {
		name: "Source Sans 3", files: "source-sans", weights: "200 900",
		standIn: sans, adjust: "93.34%", ascent: "109.27%", descent: "42.85%", generic: "sans-serif",
	},
	portal.FontSerif: {
		name: "Source Serif 4", files: "source-serif", weights: "200 900",
		standIn: serif, adjust: "117.35%", ascent: "88.62%", descent: "28.97%", generic: "serif",
	},
	portal.FontVazir: {
		name: "Vazirmatn", files: "vazirmatn", weights: "100 900",
		standIn: sans, adjust: "100.47%", ascent: "102.52%", descent: "53.75%", generic: "sans-serif", ownArabic: true,
	},
}

const (
	sans  = `local("Arial"),local("Liberation Sans")`
	serif = `local("Times New Roman"),local("Liberation Serif")`
)

// The letters in each file.
const (
	latin = "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,U+0308,U+0329,U+2000-206F,U+20AC,U+2122," +
		"U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD"
	latinExt = "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+1D00-1DBF,U+1E00-1E9F,U+1EF2-1EFF,U+2020," +
		"U+20A0-20AB,U+20AD-20C0,U+2113,U+2C60-2C7F,U+A720-A7FF"
	arabic = "U+0600-06FF,U+0750-077F,U+0870-088E,U+0890-0891,U+0897-08E1,U+08E3-08FF,U+FB50-FDFF,U+FE70-FE74,U+FE76-FEFC"
)

// fontCSS makes a font the one pages are set in. Arabic, which the others have
// no letters for, is set in Vazirmatn beside them.
func fontCSS(font string) string {
	f, ok := families[font]
	if !ok {
		return ""
	}
	var b strings.Builder
	face := func(name, file, weights, letters string) {
		fmt.Fprintf(&b, "@font-face{font-family:%q;font-style:normal;font-weight:%s;font-display:swap;src:url(%s) format(\"woff2\");unicode-range:%s}\n",
			name, weights, Asset(file+".woff2"), letters)
	}
	face(f.name, f.files+"-latin", f.weights, latin)
	face(f.name, f.files+"-latin-ext", f.weights, latinExt)
	vazir := families[portal.FontVazir]
	face(vazir.name, vazir.files+"-arabic", vazir.weights, arabic)
	fmt.Fprintf(&b, "@font-face{font-family:%q;src:%s;size-adjust:%s;ascent-override:%s;descent-override:%s;line-gap-override:0%%}\n",
		f.name+" stand-in", f.standIn, f.adjust, f.ascent, f.descent)
	names := fmt.Sprintf("%q", f.name)
	if !f.ownArabic {
		names += fmt.Sprintf(",%q", vazir.name)
	}
	fmt.Fprintf(&b, ":root{--font:%s,%q,system-ui,%s}\n", names, f.name+" stand-in", f.generic)
	return b.String()
}
