package picture

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"
	"unicode"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// The sides of icons: in a browser's tab, and on the home screen of a phone.
const (
	TabIcon  = 32
	HomeIcon = 180
)

// Icon is a portal's mark as browsers show it.
type Icon struct {
	SVG       []byte // nil: there is none as SVG
	Tab, Home []byte // PNG, TabIcon and HomeIcon pixels wide and high
}

// squareEnough is how much longer than the other a side of an icon may be.
const squareEnough = 1.3

// Square reports whether the picture has the form of an icon.
func (p *Picture) Square() bool {
	w, h := float64(p.Width), float64(p.Height)
	return w <= squareEnough*h && h <= squareEnough*w
}

// Icon makes an icon of the picture as it is, set in a square. It is nil when
// the picture cannot be drawn.
func (p *Picture) Icon() (*Icon, error) {
	if p.pixels == nil || !p.Exact {
		return nil, nil
	}
	i, err := iconOf(p.pixels)
	if err == nil && p.Type == SVG && p.Square() {
		i.SVG = p.Data
	}
	return i, err
}

// Symbol makes an icon of a logo: of all of it where that is about square, else
// of the sign at its left that stands apart from the words. It is nil when there
// is no such sign.
func (p *Picture) Symbol() (*Icon, error) {
	if p.pixels == nil || !p.Exact {
		return nil, nil
	}
	if p.Square() {
		return p.Icon()
	}
	if sign := leftSign(p.pixels); sign != nil {
		return iconOf(sign)
	}
	return nil, nil
}

func iconOf(img *image.NRGBA) (*Icon, error) {
	i := &Icon{}
	var err error
	if i.Tab, err = encode(squared(img, TabIcon, 0, nil)); err != nil {
		return nil, err
	}
	// Phones put a black ground behind what they can see through, so the icon
	// for the home screen brings one that it can be seen on.
	ground := color.NRGBA{0xff, 0xff, 0xff, 0xff}
	if probe := (&Picture{pixels: img}); !probe.ReadableOn(0xff, 0xff, 0xff) {
		ground = color.NRGBA{0x10, 0x13, 0x17, 0xff}
	}
	i.Home, err = encode(squared(img, HomeIcon, HomeIcon/10, &ground))
	return i, err
}

// squared sets a picture in the middle of a square.
func squared(img *image.NRGBA, side, border int, ground *color.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, side, side))
	if ground != nil {
		draw.Draw(out, out.Bounds(), image.NewUniform(*ground), image.Point{}, draw.Src)
	}
	b := img.Bounds()
	scale := float64(side-2*border) / float64(max(b.Dx(), b.Dy()))
	w, h := max(1, int(math.Round(float64(b.Dx())*scale))), max(1, int(math.Round(float64(b.Dy())*scale)))
	at := image.Rect(0, 0, w, h).Add(image.Pt((side-w)/2, (side-h)/2))
	draw.CatmullRom.Scale(out, at, img, b, draw.Over, nil)
	return out
}

// leftSign is the sign at the left of a wide logo: what comes before the first
// clear gap, when it is about square, about as high as the whole, and the gap is
// wider than those between letters.
func leftSign(img *image.NRGBA) *image.NRGBA {
	b := img.Bounds()
	empty := make([]bool, b.Dx())
	for x := range empty {
		empty[x] = true
		for y := range b.Dy() {
			if img.NRGBAAt(x, y).A > 8 {
				empty[x] = false
				break
			}
		}
	}
	// A sign may have a gap of its own, such as between two bars: the part that
	// ends at the widest gap near the left counts.
	best, width := 0, 0
	for x := 0; x < len(empty) && float64(x) <= squareEnough*float64(b.Dy()); {
		if !empty[x] {
			x++
			continue
		}
		end := x
		for end < len(empty) && empty[end] {
			end++
		}
		if end-x > width {
			best, width = x, end-x
		}
		x = end
	}
	if best == 0 || float64(width) < 0.08*float64(b.Dy()) {
		return nil
	}
	sign := trimmed(cut(img, image.Rect(0, 0, best, b.Dy())))
	if sign == nil {
		return nil
	}
	w, h := float64(sign.Bounds().Dx()), float64(sign.Bounds().Dy())
	if w > squareEnough*h || h > squareEnough*w || h < 0.7*float64(b.Dy()) {
		return nil
	}
	return sign
}

// Initial makes an icon of the first letter of a name, in colours written
// #rrggbb. It is nil for a script there are no letters of here.
func Initial(name, ground, ink string) (*Icon, error) {
	outline := letterOf(name)
	if outline == nil {
		return nil, nil
	}
	i := &Icon{SVG: []byte(`<svg xmlns="` + svgSpace + `" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="` + ground +
		`"/><path d="` + outline.path() + `" fill="` + ink + `"/></svg>`)}
	var err error
	if i.Tab, err = encode(outline.tile(TabIcon, 8, hexColour(ground), hexColour(ink))); err != nil {
		return nil, err
	}
	// A phone rounds the corners itself.
	i.Home, err = encode(outline.tile(HomeIcon, 0, hexColour(ground), hexColour(ink)))
	return i, err
}

func hexColour(s string) color.NRGBA {
	c := color.NRGBA{A: 0xff}
	_, _ = fmt.Sscanf(s, "#%02x%02x%02x", &c.R, &c.G, &c.B) // made by us
	return c
}

// glyph is the outline of a letter in a square of 32.
type glyph struct{ segments []segment }

type segment struct {
	op   sfnt.SegmentOp
	args [3][2]float32
}

// letterOf draws the first letter or digit of a name.
func letterOf(name string) *glyph {
	var letter rune
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			letter = unicode.ToUpper(r)
			break
		}
	}
	if letter == 0 {
		return nil
	}
	f, err := sfnt.Parse(gobold.TTF)
	if err != nil {
		return nil
	}
	var buf sfnt.Buffer
	at, err := f.GlyphIndex(&buf, letter)
	if err != nil || at == 0 {
		return nil
	}
	const size = 20
	segments, err := f.LoadGlyph(&buf, at, fixed.I(size), nil)
	if err != nil {
		return nil
	}
	bounds, _, err := f.GlyphBounds(&buf, at, fixed.I(size), font.HintingNone)
	if err != nil {
		return nil
	}
	units := func(v fixed.Int26_6) float32 { return float32(v) / 64 }
	dx := 16 - (units(bounds.Min.X)+units(bounds.Max.X))/2
	dy := 16 - (units(bounds.Min.Y)+units(bounds.Max.Y))/2
	g := &glyph{}
	for _, s := range segments {
		n := segment{op: s.Op}
		for i, p := range s.Args {
			n.args[i] = [2]float32{units(p.X) + dx, units(p.Y) + dy}
		}
		g.segments = append(g.segments, n)
	}
	return g
}

// path is the outline as an SVG writes it.
func (g *glyph) path() string {
	var b strings.Builder
	for i, s := range g.segments {
		switch s.op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				b.WriteByte('Z')
			}
			fmt.Fprintf(&b, "M%.2f %.2f", s.args[0][0], s.args[0][1])
		case sfnt.SegmentOpLineTo:
			fmt.Fprintf(&b, "L%.2f %.2f", s.args[0][0], s.args[0][1])
		case sfnt.SegmentOpQuadTo:
			fmt.Fprintf(&b, "Q%.2f %.2f %.2f %.2f", s.args[0][0], s.args[0][1], s.args[1][0], s.args[1][1])
		case sfnt.SegmentOpCubeTo:
			fmt.Fprintf(&b, "C%.2f %.2f %.2f %.2f %.2f %.2f", s.args[0][0], s.args[0][1], s.args[1][0], s.args[1][1], s.args[2][0], s.args[2][1])
		}
	}
	b.WriteByte('Z')
	return b.String()
}

// tile draws the outline on a ground with corners rounded as of 32.
func (g *glyph) tile(side, radius int, ground, ink color.NRGBA) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, side, side))
	k := float32(side) / 32
	fill(out, ground, func(z *vector.Rasterizer) { roundRect(z, 32, float32(radius), k) })
	fill(out, ink, func(z *vector.Rasterizer) {
		at := func(p [2]float32) (x, y float32) { return p[0] * k, p[1] * k }
		for i, s := range g.segments {
			ax, ay := at(s.args[0])
			bx, by := at(s.args[1])
			cx, cy := at(s.args[2])
			switch s.op {
			case sfnt.SegmentOpMoveTo:
				if i > 0 {
					z.ClosePath()
				}
				z.MoveTo(ax, ay)
			case sfnt.SegmentOpLineTo:
				z.LineTo(ax, ay)
			case sfnt.SegmentOpQuadTo:
				z.QuadTo(ax, ay, bx, by)
			case sfnt.SegmentOpCubeTo:
				z.CubeTo(ax, ay, bx, by, cx, cy)
			}
		}
		z.ClosePath()
	})
	return out
}

func fill(out *image.NRGBA, c color.NRGBA, outline func(*vector.Rasterizer)) {
	b := out.Bounds()
	z := vector.NewRasterizer(b.Dx(), b.Dy())
	outline(z)
	z.Draw(out, b, image.NewUniform(c), image.Point{})
}

// roundRect is a square with round corners.
func roundRect(z *vector.Rasterizer, side, r, k float32) {
	s, r := side*k, r*k
	const bend = 0.4477 // how far from the corner a quarter circle's handles lie
	c := r * bend
	z.MoveTo(r, 0)
	z.LineTo(s-r, 0)
	z.CubeTo(s-c, 0, s, c, s, r)
	z.LineTo(s, s-r)
	z.CubeTo(s, s-c, s-c, s, s-r, s)
	z.LineTo(r, s)
	z.CubeTo(c, s, 0, s-c, 0, s-r)
	z.LineTo(0, r)
	z.CubeTo(0, c, c, 0, r, 0)
	z.ClosePath()
}
