package mail

import (
	"fmt"
	"math"
	"strconv"

	"github.com/portalctl/portalctl/pkg/portal"
)

// palette is the accent colour as a mail can use it.
type palette struct {
	Fill string // of the button
	Text string // on the button: at least 4.5:1 against Fill
	Mark string // of lines and marks: at least 3:1 against white
	Link string // of links in a text: at least 4.5:1 against the quote's box
}

// paletteOf corrects an accent colour. A light one carries dark text; one
// that is too light for white and too dark for that is darkened until white
// can be read on it.
func paletteOf(accent string) palette {
	c, ok := parseColour(accent)
	if !ok {
		c, _ = parseColour(portal.DefaultAccent)
	}
	white, ink := colour{1, 1, 1}, colour{0.07, 0.09, 0.12}
	p := palette{Mark: c.until(white, 3).String(), Link: c.until(colour{0.96, 0.97, 0.98}, 4.5).String()}
	if contrast(c, ink) >= 7 {
		p.Fill, p.Text = c.String(), ink.String()
		return p
	}
	p.Fill, p.Text = c.until(white, 4.5).String(), white.String()
	return p
}

// colour holds red, green and blue from 0 to 1.
type colour [3]float64

func parseColour(s string) (colour, bool) {
	s, err := portal.ParseAccent(s)
	if err != nil {
		return colour{}, false
	}
	n, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		return colour{}, false
	}
	return colour{float64(n>>16&255) / 255, float64(n>>8&255) / 255, float64(n&255) / 255}, true
}

// String writes the colour as #rrggbb.
func (c colour) String() string {
	b := func(v float64) int { return int(math.Round(v * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", b(c[0]), b(c[1]), b(c[2]))
}

// until darkens the colour until its contrast with other is enough.
func (c colour) until(other colour, enough float64) colour {
	for range 100 {
		// What is written has whole steps; measure that.
		if written, _ := parseColour(c.String()); contrast(written, other) >= enough {
			return c
		}
		for i := range c {
			c[i] *= 0.97
		}
	}
	return c
}

// contrast is WCAG's ratio of two colours, 1 to 21.
func contrast(a, b colour) float64 {
	x, y := a.luminance(), b.luminance()
	if x < y {
		x, y = y, x
	}
	return (x + 0.05) / (y + 0.05)
}

func (c colour) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}
