package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/portal"
)

const (
	svgSpace   = "http://www.w3.org/2000/svg"
	xlinkSpace = "http://www.w3.org/1999/xlink"
)

// The limits of a drawing. maxDrawn counts what is drawn when every reference
// is followed, so that a few that multiply each other are refused.
const (
	maxDepth    = 48
	maxElements = 8000
	maxAttrs    = 60
	maxRules    = 500
	maxDrawn    = 40000
)

// node is an element that is kept, or a text where name is empty.
type node struct {
	name  string
	attrs []attribute
	kids  []*node
	text  string

	// What style rules choose by; not written.
	id, style string
	classes   []string
}

type attribute struct{ name, value string }

func (n *node) get(name string) string {
	for _, a := range n.attrs {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

func (n *node) set(name, value string) {
	for i := range n.attrs {
		if n.attrs[i].name == name {
			n.attrs[i].value = value
			return
		}
	}
	n.attrs = append(n.attrs, attribute{name, value})
}

func (n *node) drop(name string) {
	n.attrs = slices.DeleteFunc(n.attrs, func(a attribute) bool { return a.name == name })
}

// walk calls fn for the element and all below it.
func (n *node) walk(fn func(*node)) {
	fn(n)
	for _, k := range n.kids {
		k.walk(fn)
	}
}

// drawing is an SVG being made safe.
type drawing struct {
	root     *node
	rules    []rule
	elements int
	removed  []string
	box      box
	width    float64
	height   float64
}

// remove notes that something was left out, once.
func (d *drawing) remove(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if !slices.Contains(d.removed, what) {
		d.removed = append(d.removed, what)
	}
}

// cleanSVG takes a drawing apart and writes it again from what the lists in
// svg_rules.go allow. Nothing of the file is copied as it stands.
func cleanSVG(data []byte) (*drawing, []byte, error) {
	d := &drawing{}
	if err := d.parse(bytes.TrimPrefix(data, []byte("\ufeff"))); err != nil {
		return nil, nil, err
	}
	if err := d.measure(); err != nil {
		return nil, nil, err
	}
	d.root.walk(d.applyStyle)
	d.settleReferences()
	if err := d.checkCost(); err != nil {
		return nil, nil, err
	}
	slices.Sort(d.removed)
	return d, d.root.bytes(), nil
}

// parse reads the elements that are kept into a tree.
func (d *drawing) parse(data []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(data))
	var open []*node
	space := ""
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return broken("it is not a well-formed SVG: %v", plainError(err)).
				WithHint("export it again, in UTF-8 and without entities of its own")
		}
		switch t := token.(type) {
		case xml.StartElement:
			if d.root == nil {
				if t.Name.Local != "svg" || t.Name.Space != svgSpace && t.Name.Space != "" {
					return portal.Invalidf("picture.type", "", "it begins with <%s>, so it is no SVG", clip(t.Name.Local))
				}
				space = t.Name.Space
			}
			n, keep, err := d.element(t, space, open)
			if err != nil {
				return err
			}
			if !keep {
				if err := dec.Skip(); err != nil {
					return broken("it is not a well-formed SVG: %v", plainError(err))
				}
				continue
			}
			if n.name == "style" {
				text, err := textWithin(dec)
				if err != nil {
					return broken("it is not a well-formed SVG: %v", plainError(err))
				}
				d.readRules(text)
				continue
			}
			if len(open) == 0 {
				d.root = n
			} else {
				over := open[len(open)-1]
				over.kids = append(over.kids, n)
			}
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				d.addText(open[len(open)-1], string(t))
			}
		case xml.ProcInst:
			if t.Target != "xml" {
				d.remove("<?%s?>", clip(t.Target))
			}
		case xml.Directive:
			d.remove("<!DOCTYPE>")
		}
	}
	if d.root == nil {
		return portal.Invalidf("picture.type", "", "it holds no <svg> element")
	}
	return nil
}

// plainError is what the XML reader found, in one short line.
func plainError(err error) string {
	return clip(strings.TrimPrefix(err.Error(), "XML syntax error on "))
}

// clip shortens what a file says before it stands in a message.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:59]) + "…"
	}
	return s
}

// textWithin reads to the end of an element whose content is text alone.
func textWithin(dec *xml.Decoder) (string, error) {
	var b strings.Builder
	for {
		token, err := dec.Token()
		if err != nil {
			return "", err
		}
		switch t := token.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.StartElement:
			if err := dec.Skip(); err != nil {
				return "", err
			}
		case xml.EndElement:
			return b.String(), nil
		}
	}
}

// element makes a node of a start tag. keep is false when the element goes with
// all below it.
func (d *drawing) element(t xml.StartElement, space string, open []*node) (n *node, keep bool, err error) {
	name := t.Name.Local
	if t.Name.Space != space {
		d.remove("what a drawing program noted")
		return nil, false, nil
	}
	if len(open) > 0 && name == "svg" {
		// One within the other has a size of its own; few drawings need it.
		d.remove("<svg> within <svg>")
		return nil, false, nil
	}
	if plain, ok := replaced[name]; ok {
		if name == "a" {
			d.remove("links")
		}
		name = plain
	}
	if quietly[name] {
		return nil, false, nil
	}
	if name != "style" && !elements[name] {
		d.remove("<%s>", clip(name))
		return nil, false, nil
	}
	if d.elements++; d.elements > maxElements {
		return nil, false, tooComplex("it has more than %d elements", maxElements)
	}
	if len(open) >= maxDepth {
		return nil, false, tooComplex("its elements lie more than %d deep in each other", maxDepth)
	}
	if len(t.Attr) > maxAttrs {
		return nil, false, tooComplex("a <%s> has more than %d attributes", clip(name), maxAttrs)
	}
	n = &node{name: name}
	for _, a := range t.Attr {
		d.attribute(n, a)
	}
	return n, true, nil
}

func tooComplex(format string, args ...any) *portal.Error {
	return portal.Invalidf("picture.complex", "", format, args...).WithHint("simplify the drawing, or export it as PNG")
}

// attribute keeps an attribute that may stay.
func (d *drawing) attribute(n *node, a xml.Attr) {
	name := a.Name.Local
	switch {
	case a.Name.Space == xlinkSpace && name == "href":
	case a.Name.Space == "xmlns" || a.Name.Space == "" && name == "xmlns":
		return
	case a.Name.Space != "":
		if a.Name.Space != "http://www.w3.org/XML/1998/namespace" && a.Name.Space != "xml" && a.Name.Space != xlinkSpace {
			d.remove("what a drawing program noted")
		}
		return
	case strings.HasPrefix(strings.ToLower(name), "on"):
		d.remove("the script %s", clip(name))
		return
	case name == "class":
		n.classes = strings.Fields(a.Value)
		return
	case name == "style":
		n.style = a.Value
		return
	case name == "id":
		n.id = strings.TrimSpace(a.Value)
		return
	}
	if quietAttribute(name) {
		return
	}
	if n.get(name) != "" {
		return // href beside xlink:href: the first one counts
	}
	value, ok := allowedValue(name, a.Value)
	if !ok {
		if name == "href" {
			d.remove("a reference to %s", clip(a.Value))
		} else {
			d.remove("%s of <%s>", clip(name), clip(n.name))
		}
		return
	}
	n.attrs = append(n.attrs, attribute{name, value})
}

// addText keeps text where text is drawn.
func (d *drawing) addText(over *node, s string) {
	if over.name != "text" && over.name != "tspan" && over.name != "textPath" {
		return
	}
	s = oneSpace(s)
	if s == "" {
		return
	}
	if last := len(over.kids) - 1; last >= 0 && over.kids[last].name == "" {
		// A comment stood between the two.
		over.kids[last].text = oneSpace(over.kids[last].text + s)
		return
	}
	over.kids = append(over.kids, &node{text: s})
}

// oneSpace makes one space of any white space and drops control characters.
func oneSpace(s string) string {
	var b strings.Builder
	space := false
	for _, r := range s {
		switch {
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == '\ufffd' || r == '\ufeff' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			continue
		}
		space = false
		b.WriteRune(r)
	}
	return b.String()
}

// bytes writes the tree.
func (n *node) bytes() []byte {
	var b bytes.Buffer
	n.write(&b, true)
	return b.Bytes()
}

func (n *node) write(b *bytes.Buffer, root bool) {
	if n.name == "" {
		escape(b, n.text)
		return
	}
	b.WriteByte('<')
	b.WriteString(n.name)
	if root {
		b.WriteString(` xmlns="` + svgSpace + `"`)
	}
	for _, a := range n.attrs {
		b.WriteString(" " + a.name + `="`)
		escape(b, a.value)
		b.WriteByte('"')
	}
	if len(n.kids) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteByte('>')
	for _, k := range n.kids {
		k.write(b, false)
	}
	b.WriteString("</" + n.name + ">")
}

func escape(b *bytes.Buffer, s string) {
	_, _ = escaper.WriteString(b, s) // a buffer takes everything
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")
