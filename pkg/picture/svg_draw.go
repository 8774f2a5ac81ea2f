package picture

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/srwiley/oksvg"
	"github.com/srwiley/rasterx"
)

// drawTime is how long drawing may take.
const drawTime = 5 * time.Second

// drawnSide is the longer side of a drawing in pixels: enough for every icon.
const drawnSide = 1024

// readSVG makes a drawing safe and draws it once, for icons and mail.
func readSVG(data []byte) (*Picture, error) {
	d, clean, err := cleanSVG(data)
	if err != nil {
		return nil, err
	}
	// What was written must come out the same when it is taken apart again:
	// otherwise a reader could see in it something else than we did.
	_, again, err := cleanSVG(clean)
	if err != nil || !bytes.Equal(clean, again) {
		return nil, broken("the SVG cannot be written again in a safe way").WithHint("simplify the drawing, or export it as PNG")
	}
	p := &Picture{
		Type: SVG, Data: clean, Removed: d.removed,
		Width: max(1, int(math.Round(d.width))), Height: max(1, int(math.Round(d.height))),
	}
	simple, exact := d.simple()
	pixels := d.draw(simple)
	p.Exact = exact && pixels != nil
	p.pixels = trimmed(pixels)
	return p, nil
}

// notDrawn are the elements the drawer does not know or does not draw as
// browsers do.
var notDrawn = set("text tspan textPath mask filter pattern marker clipPath symbol")

// simple is the drawing as the drawer understands it: references resolved,
// paint first, nothing it does not know. exact is false when that changes what
// is seen.
func (d *drawing) simple() (root *node, exact bool) {
	s := simplifier{ids: map[string]*node{}, exact: true, box: d.box}
	d.root.walk(func(n *node) {
		if id := n.get("id"); id != "" {
			s.ids[id] = n
		}
	})
	root = &node{name: "svg", attrs: []attribute{{"viewBox", d.root.get("viewBox")}}}
	defs := &node{name: "defs"}
	d.root.walk(func(n *node) {
		if n.name == "linearGradient" || n.name == "radialGradient" {
			defs.kids = append(defs.kids, s.gradient(n))
		}
	})
	body := &node{name: "g", attrs: paint(d.root)}
	pen := pen{scale: drawnSide / max(d.width, d.height) * min(d.width/d.box.width, d.height/d.box.height), width: 1}.within(body)
	for _, k := range d.root.kids {
		if c := s.copy(k, pen); c != nil {
			body.kids = append(body.kids, c)
		}
	}
	root.kids = []*node{defs, body}
	return root, s.exact
}

// pen is how strokes are drawn at a place. The drawer scales where they run, not
// how wide they are.
type pen struct {
	scale, width float64
	dashes       string
}

// within is the pen inside an element, which loses what it says of strokes.
func (p pen) within(n *node) pen {
	if w, ok := length(n.get("stroke-width")); ok {
		p.width = w
	} else if n.get("stroke-width") == "0" {
		p.width = 0
	}
	if d := n.get("stroke-dasharray"); d != "" {
		p.dashes = d
	}
	p.scale *= scaleOf(n.get("transform"))
	n.drop("stroke-width")
	n.drop("stroke-dasharray")
	return p
}

// onto sets the stroke of a shape.
func (p pen) onto(n *node) {
	n.set("stroke-width", number(round(p.width*p.scale)))
	var dashes []string
	for _, s := range strings.Fields(strings.ReplaceAll(p.dashes, ",", " ")) {
		v, ok := length(s)
		if !ok {
			return
		}
		dashes = append(dashes, number(max(1, round(v*p.scale))))
	}
	if len(dashes) > 0 {
		n.set("stroke-dasharray", strings.Join(dashes, ","))
	}
}

var transforms = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(matrix|scale)\s*\(([^)]*)\)`) })

// scaleOf is how much larger a transform makes things, on the whole.
func scaleOf(transform string) float64 {
	scale := 1.0
	for _, m := range transforms().FindAllStringSubmatch(transform, -1) {
		var v []float64
		for _, f := range strings.Fields(strings.ReplaceAll(m[2], ",", " ")) {
			n, err := strconv.ParseFloat(f, 64)
			if err != nil {
				return 1
			}
			v = append(v, n)
		}
		switch {
		case m[1] == "scale" && len(v) == 1:
			scale *= math.Abs(v[0])
		case m[1] == "scale" && len(v) == 2:
			scale *= math.Sqrt(math.Abs(v[0] * v[1]))
		case m[1] == "matrix" && len(v) == 6:
			scale *= math.Sqrt(math.Abs(v[0]*v[3] - v[1]*v[2]))
		}
	}
	return scale
}

type simplifier struct {
	ids   map[string]*node
	exact bool
	box   box
}

// paint are the properties of an element, without what the drawer cannot do.
func paint(n *node) []attribute {
	var keep []attribute
	for _, a := range n.attrs {
		if !properties[a.name] && a.name != "transform" {
			continue
		}
		if a.value == "currentColor" || a.value == "currentcolor" {
			a.value = "#000000"
		}
		keep = append(keep, a)
	}
	return keep
}

// gradient is a gradient with the stops of the one it takes them from.
func (s *simplifier) gradient(n *node) *node {
	c := &node{name: n.name, attrs: slices.Clone(n.attrs), kids: n.kids}
	for from, steps := n, 0; len(c.kids) == 0 && steps < 8; steps++ {
		if from = s.ids[strings.TrimPrefix(from.get("href"), "#")]; from == nil {
			break
		}
		c.kids = from.kids
		for _, a := range from.attrs {
			if a.name != "id" && c.get(a.name) == "" {
				c.attrs = append(c.attrs, a)
			}
		}
	}
	c.drop("href")
	return c
}

func (s *simplifier) copy(n *node, p pen) *node {
	switch {
	case n.name == "" || n.name == "defs" || n.name == "linearGradient" || n.name == "radialGradient":
		return nil
	case n.get("display") == "none" || n.get("visibility") == "hidden":
		return nil
	case n.name == "clipPath" || n.name == "mask" || n.name == "filter" || n.name == "pattern" || n.name == "marker" || n.name == "symbol":
		return nil // they count where they are referred to
	case notDrawn[n.name]:
		s.exact = false
		return nil
	case n.name == "use":
		return s.use(n, p)
	}
	c := &node{name: n.name, attrs: slices.Clone(n.attrs)}
	s.check(c)
	p = p.within(c)
	for _, k := range n.kids {
		if kid := s.copy(k, p); kid != nil {
			c.kids = append(c.kids, kid)
		}
	}
	if c.name != "g" {
		p.onto(c)
	}
	if c.name == "rect" {
		// The drawer takes a corner that is given once for none.
		if rx, ry := c.get("rx"), c.get("ry"); rx == "" && ry != "" {
			c.set("rx", ry)
		} else if ry == "" && rx != "" {
			c.set("ry", rx)
		}
	}
	return c
}

// use is what an element repeats, in its place.
func (s *simplifier) use(n *node, p pen) *node {
	target := s.ids[strings.TrimPrefix(n.get("href"), "#")]
	if target == nil {
		return nil
	}
	if target.name == "symbol" {
		s.exact = false
		return nil
	}
	c := &node{name: "g", attrs: paint(n)}
	s.check(c)
	place := n.get("transform")
	if x, y := n.get("x"), n.get("y"); x != "" || y != "" {
		place = strings.TrimSpace(place + " translate(" + orZero(x) + "," + orZero(y) + ")")
	}
	if place != "" {
		c.set("transform", place)
	}
	p = p.within(c)
	if kid := s.copy(target, p); kid != nil {
		c.kids = []*node{kid}
	}
	return c
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

// check takes away what the drawer cannot do, and notes when that shows.
func (s *simplifier) check(c *node) {
	c.attrs = slices.DeleteFunc(c.attrs, func(a attribute) bool {
		switch a.name {
		case "clip-path":
			if to := s.ids[targetOf(a)]; to != nil && !s.covers(to) {
				s.exact = false
			}
			return true
		case "mask", "filter", "marker-start", "marker-mid", "marker-end":
			if targetOf(a) != "" {
				s.exact = false
			}
			return true
		case "fill", "stroke":
			if to := s.ids[targetOf(a)]; to != nil && to.name == "pattern" {
				s.exact = false
				return true
			}
		case "id":
			return true
		}
		return false
	})
	for i, a := range c.attrs {
		if a.value == "currentColor" || a.value == "currentcolor" {
			c.attrs[i].value = "#000000"
		}
	}
}

// covers reports whether a clip cuts nothing off, as those do that drawing
// programs put around everything.
func (s *simplifier) covers(clip *node) bool {
	if len(clip.kids) != 1 || clip.kids[0].name != "rect" || clip.get("transform") != "" || clip.get("clipPathUnits") == "objectBoundingBox" {
		return false
	}
	r := clip.kids[0]
	if r.get("transform") != "" || r.get("rx") != "" || r.get("ry") != "" {
		return false
	}
	at := func(name string) float64 {
		v, ok := length(strings.TrimPrefix(r.get(name), "-"))
		if !ok {
			return 0
		}
		if strings.HasPrefix(r.get(name), "-") {
			return -v
		}
		return v
	}
	x, y := at("x"), at("y")
	return x <= s.box.x && y <= s.box.y && x+at("width") >= s.box.x+s.box.width && y+at("height") >= s.box.y+s.box.height
}

// draw draws the simple form of a drawing; nil when that fails or takes too
// long. The drawer was not made for hostile input: what it does wrong costs the
// icon, not the program.
func (d *drawing) draw(root *node) *image.NRGBA {
	done := make(chan *image.NRGBA, 1)
	go func() {
		img, err := drawSVG(root.bytes(), d.width, d.height, d.box)
		if err != nil {
			img = nil
		}
		done <- img
	}()
	select {
	case img := <-done:
		return img
	case <-time.After(drawTime):
		return nil
	}
}

func drawSVG(data []byte, width, height float64, view box) (img *image.NRGBA, err error) {
	defer func() {
		if v := recover(); v != nil {
			img, err = nil, fmt.Errorf("draw: %v", v)
		}
	}()
	icon, err := oksvg.ReadIconStream(bytes.NewReader(data), oksvg.IgnoreErrorMode)
	if err != nil {
		return nil, err
	}
	scale := drawnSide / max(width, height)
	w, h := max(1, int(math.Round(width*scale))), max(1, int(math.Round(height*scale)))
	// As browsers do: the whole view, in the middle.
	fit := min(float64(w)/view.width, float64(h)/view.height)
	icon.Transform = rasterx.Identity.Translate((float64(w)-fit*view.width)/2-fit*view.x, (float64(h)-fit*view.height)/2-fit*view.y).Scale(fit, fit)
	rgba := image.NewRGBA(image.Rect(0, 0, w, h))
	icon.Draw(rasterx.NewDasher(w, h, rasterx.NewScannerGV(w, h, rgba, rgba.Bounds())), 1)
	return toNRGBA(rgba), nil
}
