package web

import (
	"image/color"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/boombuler/barcode/qr"

	"github.com/portalctl/portalctl/pkg/auth"
)

func TestQRDrawingHasEveryModuleInItsPlace(t *testing.T) {
	run := regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)
	for _, text := range []string{
		"otpauth://totp/x", auth.TOTPURL(auth.NewTOTPKey(), "Kundtjänst & Co", "ann@example.com"),
		auth.TOTPURL(auth.NewTOTPKey(), strings.Repeat("𝄞", 200), strings.Repeat("a", 250)+"@x.y"), // as long as they come
	} {
		drawing, err := newQR(text)
		if err != nil {
			t.Fatalf("%d bytes: %v", len(text), err)
		}
		code, err := qr.Encode(text, qr.M, qr.Unicode)
		if err != nil {
			t.Fatal(err)
		}
		drawn, rest := map[[2]int]bool{}, drawing.Path
		for _, m := range run.FindAllStringSubmatch(drawing.Path, -1) {
			x, _ := strconv.Atoi(m[1])
			y, _ := strconv.Atoi(m[2])
			n, _ := strconv.Atoi(m[3])
			if m[3] != m[4] {
				t.Fatalf("the run %s does not close", m[0])
			}
			for i := range n {
				drawn[[2]int{x + i, y}] = true
			}
			rest = strings.Replace(rest, m[0], "", 1)
		}
		if rest != "" || drawing.Size != code.Bounds().Dx()+8 {
			t.Errorf("of the drawing of size %d is left: %q", drawing.Size, rest)
		}
		for y := range drawing.Size {
			for x := range drawing.Size {
				inside := x >= 4 && y >= 4 && x < drawing.Size-4 && y < drawing.Size-4
				if want := inside && code.At(x-4, y-4) == color.Black; drawn[[2]int{x, y}] != want {
					t.Fatalf("the module at %d, %d is dark: %t, want %t", x, y, !want, want)
				}
			}
		}
	}
}
