package picture

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

// box is the part of the plane a drawing shows.
type box struct{ x, y, width, height float64 }

// measure finds out how large the drawing is and says it in one way: a viewBox
// with width and height beside it.
func (d *drawing) measure() error {
	width, hasWidth := length(d.root.get("width"))
	height, hasHeight := length(d.root.get("height"))
	view, hasView := viewBox(d.root.get("viewBox"))
	switch {
	case !hasView && (!hasWidth || !hasHeight):
		return portal.Invalidf("picture.shape", "", "the SVG does not say how large it is").
			WithHint("give its <svg> a viewBox, like viewBox=\"0 0 240 48\"")
	case !hasView:
		view = box{0, 0, width, height}
	case !hasWidth && !hasHeight:
		width, height = view.width, view.height
	case !hasWidth:
		width = height * view.width / view.height
	case !hasHeight:
		height = width * view.height / view.width
	}
	width, height = round(width), round(height)
	if width < 0.001 || height < 0.001 || width > 1e6 || height > 1e6 {
		return portal.Invalidf("picture.shape", "", "the SVG is %g by %g, which is no usable size", width, height)
	}
	if err := checkRatio(width, height); err != nil {
		return err
	}
	d.box, d.width, d.height = view, width, height
	for _, name := range []string{"width", "height", "viewBox", "x", "y"} {
		d.root.drop(name)
	}
	d.root.attrs = append([]attribute{
		{"viewBox", number(view.x) + " " + number(view.y) + " " + number(view.width) + " " + number(view.height)},
		{"width", number(width)},
		{"height", number(height)},
	}, d.root.attrs...)
	return nil
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// round keeps three digits, which is more than anybody sees.
func round(v float64) float64 { return math.Round(v*1000) / 1000 }

// unitPixels is how many pixels a unit has.
var unitPixels = map[string]float64{"": 1, "px": 1, "pt": 4.0 / 3, "pc": 16, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96}

// length reads a length such as 24mm; a share of something is none.
func length(s string) (float64, bool) {
	end := len(strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz%"))
	pixels, ok := unitPixels[s[end:]]
	v, err := strconv.ParseFloat(strings.TrimSpace(s[:end]), 64)
	if !ok || err != nil || !(v > 0) || math.IsInf(v, 0) {
		return 0, false
	}
	return v * pixels, true
}

func viewBox(s string) (b box, ok bool) {
	parts := strings.Fields(strings.ReplaceAll(s, ",", " "))
	if len(parts) != 4 {
		return b, false
	}
	for i, into := range []*float64{&b.x, &b.y, &b.width, &b.height} {
		v, err := strconv.ParseFloat(parts[i], 64)
		if err != nil || math.IsNaN(v) || math.Abs(v) > 1e6 {
			return b, false
		}
		*into = v
	}
	return b, b.width > 0 && b.height > 0
}

// targetOf is the name an attribute refers to, or "".
func targetOf(a attribute) string {
	if a.name == "href" {
		return strings.TrimPrefix(a.value, "#")
	}
	if pointers[a.name] {
		if rest, ok := strings.CutPrefix(a.value, "url(#"); ok {
			name, _, _ := strings.Cut(rest, ")")
			return name
		}
	}
	return ""
}

// settleReferences drops references that lead nowhere and gives what is
// referred to plain names, in the order it stands.
func (d *drawing) settleReferences() {
	ids := map[string]*node{}
	d.root.walk(func(n *node) {
		if n.id != "" && ids[n.id] == nil {
			ids[n.id] = n
		}
	})
	wanted := map[*node]bool{}
	d.root.walk(func(n *node) {
		n.attrs = slices.DeleteFunc(n.attrs, func(a attribute) bool {
			to := targetOf(a)
			target := ids[to]
			if target != nil {
				wanted[target] = true
			} else if to != "" {
				d.remove("a reference to #%s, which is not there", clip(to))
			}
			return to != "" && target == nil
		})
	})
	names := map[string]string{}
	d.root.walk(func(n *node) {
		n.drop("id")
		if wanted[n] {
			names[n.id] = fmt.Sprintf("i%d", len(names)+1)
			n.attrs = append([]attribute{{"id", names[n.id]}}, n.attrs...)
		}
	})
	d.root.walk(func(n *node) {
		for i, a := range n.attrs {
			if to := targetOf(a); to != "" && a.name == "href" {
				n.attrs[i].value = "#" + names[to]
			} else if to != "" {
				n.attrs[i].value = strings.Replace(a.value, "url(#"+to+")", "url(#"+names[to]+")", 1)
			}
		}
	})
}

// checkCost follows every reference and counts what would be drawn.
func (d *drawing) checkCost() error {
	ids := map[string]*node{}
	d.root.walk(func(n *node) {
		if id := n.get("id"); id != "" {
			ids[id] = n
		}
	})
	known, open := map[*node]int{}, map[*node]bool{}
	var cost func(n *node) (int, bool)
	cost = func(n *node) (int, bool) {
		if c, ok := known[n]; ok {
			return c, true
		}
		if open[n] {
			return 0, false // it refers to itself
		}
		open[n] = true
		defer delete(open, n)
		sum := 1
		for _, k := range n.kids {
			c, ok := cost(k)
			if !ok {
				return 0, false
			}
			sum = min(sum+c, maxDrawn+1)
		}
		for _, a := range n.attrs {
			if target := ids[targetOf(a)]; target != nil {
				c, ok := cost(target)
				if !ok {
					return 0, false
				}
				sum = min(sum+c, maxDrawn+1)
			}
		}
		known[n] = sum
		return sum, true
	}
	total, ok := cost(d.root)
	switch {
	case !ok:
		return tooComplex("a part of it refers to itself")
	case total > maxDrawn:
		return tooComplex("with everything it repeats, it draws more than %d elements", maxDrawn)
	}
	return nil
}
