package portal

import (
	"fmt"
	"math"
	"strings"
)

// The colours of the style sheet that an accent colour has to be read on.
// They repeat the custom properties in portal.css; a test compares them.
const (
	LightPage    = "#f6f7f9"
	LightSurface = "#ffffff"
	DarkPage     = "#101317"
	DarkSurface  = "#191d22"
)

var (
	lightPage, lightSurface = mustRGB(LightPage), mustRGB(LightSurface)
	darkPage, darkSurface   = mustRGB(DarkPage), mustRGB(DarkSurface)
	inkDark, inkLight       = mustRGB(DarkPage), mustRGB(LightSurface)
)

// What WCAG 2.2 AA asks, with something to spare for rounding.
const (
	textContrast  = 4.6
	shapeContrast = 3.1
)

// Theme is one accent colour made into the colours pages need, with enough
// contrast in light and dark whatever was chosen.
type Theme struct{ Light, Dark Palette }

// Palette is the accent in one mode.
type Palette struct {
	Fill   string // buttons and marks
	Hover  string // the same under the pointer
	OnFill string // text on Fill and Hover
	Text   string // links, on the page, on surfaces and on Soft
	Soft   string // the background of what is chosen
	Line   string // focus rings, borders and marks, against page and surface
}

// NewTheme works out the theme of an accent colour written #rrggbb; anything
// else counts as the default accent.
func NewTheme(accent string) Theme {
	c, ok := parseRGB(accent)
	if !ok {
		c, _ = parseRGB(DefaultAccent)
	}
	return Theme{
		Light: palette(c, lightPage, lightSurface, -1),
		Dark:  palette(c, darkPage, darkSurface, +1),
	}
}

// palette keeps the accent as it is wherever that can be read, and moves its
// lightness away from the background (direction says which way) where not.
func palette(accent, page, surface rgb, direction float64) Palette {
	on := inkLight
	if contrast(accent, inkLight) < textContrast {
		on = inkDark
	}
	// Between white and black there is a narrow band of lightness that gives
	// neither enough contrast to spare.
	fill := away(accent, towards(on), func(c rgb) bool { return contrast(c, on) >= textContrast })
	hover := shift(fill, towards(on)*0.05)
	line := away(accent, direction, func(c rgb) bool {
		return contrast(c, page) >= shapeContrast && contrast(c, surface) >= shapeContrast
	})
	soft := mix(surface, line, 0.10)
	text := away(accent, direction, func(c rgb) bool {
		return contrast(c, page) >= textContrast && contrast(c, surface) >= textContrast && contrast(c, soft) >= textContrast
	})
	return Palette{Fill: fill.hex(), Hover: hover.hex(), OnFill: on.hex(), Text: text.hex(), Soft: soft.hex(), Line: line.hex()}
}

// towards says which way a fill moves to gain contrast with the text on it.
func towards(on rgb) float64 {
	if on == inkLight {
		return -1
	}
	return +1
}

type rgb struct{ r, g, b uint8 }

func parseRGB(s string) (rgb, bool) {
	var c rgb
	if len(s) != 7 {
		return c, false
	}
	n, err := fmt.Sscanf(strings.ToLower(s), "#%02x%02x%02x", &c.r, &c.g, &c.b)
	return c, err == nil && n == 3
}

func mustRGB(s string) rgb {
	c, ok := parseRGB(s)
	if !ok {
		panic("portal: " + s + " is not a colour") // a mistake in the program
	}
	return c
}

// RGB takes a colour written #rrggbb apart; ok is false when it is none.
func RGB(s string) (r, g, b uint8, ok bool) {
	c, ok := parseRGB(s)
	return c.r, c.g, c.b, ok
}

// Contrast is the ratio WCAG defines between two colours written #rrggbb, from
// 1 to 21; 0 when one is no colour.
func Contrast(a, b string) float64 {
	x, okA := parseRGB(a)
	y, okB := parseRGB(b)
	if !okA || !okB {
		return 0
	}
	return contrast(x, y)
}

func (c rgb) hex() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

// contrast is the ratio WCAG defines, from 1 to 21.
func contrast(a, b rgb) float64 {
	la, lb := a.luminance(), b.luminance()
	if la < lb {
		la, lb = lb, la
	}
	return (la + 0.05) / (lb + 0.05)
}

func (c rgb) luminance() float64 {
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

func linear(v uint8) float64 {
	s := float64(v) / 255
	if s <= 0.04045 {
		return s / 12.92
	}
	return math.Pow((s+0.055)/1.055, 2.4)
}

func gamma(v float64) uint8 {
	v = min(max(v, 0), 1)
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(v * 255))
}

// oklab is a colour by how people see it: moving lightness alone keeps a blue
// blue, which mixing with white or black does not.
type oklab struct{ l, a, b float64 }

func (c rgb) oklab() oklab {
	r, g, b := linear(c.r), linear(c.g), linear(c.b)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return oklab{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

func (c oklab) rgb() rgb {
	l := c.l + 0.3963377774*c.a + 0.2158037573*c.b
	m := c.l - 0.1055613458*c.a - 0.0638541728*c.b
	s := c.l - 0.0894841775*c.a - 1.2914855480*c.b
	l, m, s = l*l*l, m*m*m, s*s*s
	return rgb{
		gamma(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		gamma(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		gamma(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s),
	}
}

// shift moves a colour's lightness and takes colour away near black and
// white, where there is none to be had.
func shift(c rgb, by float64) rgb {
	o := c.oklab()
	l := min(max(o.l+by, 0), 1)
	if room, had := min(l, 1-l), min(o.l, 1-o.l); had > 0 && room < had {
		k := math.Sqrt(room / had)
		o.a, o.b = o.a*k, o.b*k
	}
	o.l = l
	return o.rgb()
}

// away moves a colour in small steps until enough holds, or as far as it goes.
func away(c rgb, direction float64, enough func(rgb) bool) rgb {
	for step := 0; step <= 100; step++ {
		if got := shift(c, direction*float64(step)/100); enough(got) {
			return got
		}
	}
	return shift(c, direction)
}

func mix(a, b rgb, share float64) rgb {
	x, y := a.oklab(), b.oklab()
	return oklab{x.l + (y.l-x.l)*share, x.a + (y.a-x.a)*share, x.b + (y.b-x.b)*share}.rgb()
}
