package web

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// qrCode is a QR code as a drawing in the page: no image to fetch, none that
// the page's policy would have to let in, and nothing of the secret in an
// address.
type qrCode struct {
	Size int    // of the drawing, in modules, quiet zone included
	Path string // the dark modules
}

// quiet is how many light modules belong around a QR code.
const quiet = 4

func newQR(text string) (*qrCode, error) {
	code, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		return nil, fmt.Errorf("draw a QR code: %w", err)
	}
	var b strings.Builder
	side := code.Bounds().Dx()
	for y := range side {
		for x := 0; x < side; x++ {
			from := x
			for x < side && dark(code.At(x, y).RGBA()) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	return &qrCode{Size: side + 2*quiet, Path: b.String()}, nil
}

func dark(r, _, _, _ uint32) bool { return r < 0x8000 }

// ViewBox is the drawing's coordinates.
func (q *qrCode) ViewBox() string { return fmt.Sprintf("0 0 %d %d", q.Size, q.Size) }
