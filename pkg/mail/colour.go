package mail

import "github.com/portalctl/portalctl/pkg/portal"

// palette is the accent colour as a mail can use it: as light pages do, so that
// both have the same face.
type palette struct {
	Fill string // of the button
	Text string // on the button
	Mark string // of lines and marks
	Link string // of links in a text
}

func paletteOf(accent string) palette {
	p := portal.NewTheme(accent).Light
	return palette{Fill: p.Fill, Text: p.OnFill, Mark: p.Line, Link: p.Text}
}
