package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/portalctl/portalctl/pkg/portal"
)

// The most a logo has after it was made small: three pixels of a screen for
// each of the place there is for it.
const (
	logoWidth  = 720
	logoHeight = 192
)

// readRaster decodes a picture and encodes it anew, so that nothing but its
// pixels stays.
func readRaster(data []byte, kind string) (*Picture, error) {
	config, decode := png.DecodeConfig, png.Decode
	if kind == "WebP" {
		config, decode = webp.DecodeConfig, webp.Decode
	}
	c, err := config(bytes.NewReader(data))
	if err != nil {
		return nil, broken("it is no %s picture that can be read: %v", kind, clip(err.Error()))
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > MaxSide || c.Height > MaxSide || c.Width*c.Height > MaxPixels {
		return nil, tooLarge("it has %d by %d pixels; a side may have %d, and all together %d", c.Width, c.Height, MaxSide, MaxPixels)
	}
	img, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, broken("it is no %s picture that can be read: %v", kind, clip(err.Error()))
	}
	pixels := trimmed(toNRGBA(img))
	if pixels == nil {
		return nil, portal.Invalidf("picture.empty", "", "there is nothing to be seen in it")
	}
	b := pixels.Bounds()
	if err := checkRatio(float64(b.Dx()), float64(b.Dy())); err != nil {
		return nil, err
	}
	p := &Picture{Type: PNG, Exact: true, pixels: pixels}
	small := within(pixels, logoWidth, logoHeight)
	p.Width, p.Height = small.Bounds().Dx(), small.Bounds().Dy()
	p.Data, err = encode(small)
	return p, err
}

func toNRGBA(img image.Image) *image.NRGBA {
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Bounds(), img, b.Min, draw.Src)
	return out
}

// trimmed cuts off the border where nothing is to be seen; nil when that is
// everything.
func trimmed(img *image.NRGBA) *image.NRGBA {
	if img == nil {
		return nil
	}
	b := img.Bounds()
	seen := image.Rectangle{Min: b.Max, Max: b.Min}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		row := img.Pix[img.PixOffset(b.Min.X, y) : img.PixOffset(b.Max.X-1, y)+4]
		for x := 3; x < len(row); x += 4 {
			if row[x] > 8 {
				at := b.Min.X + x/4
				seen.Min.X, seen.Max.X = min(seen.Min.X, at), max(seen.Max.X, at+1)
				seen.Min.Y, seen.Max.Y = min(seen.Min.Y, y), max(seen.Max.Y, y+1)
			}
		}
	}
	if seen.Empty() {
		return nil
	}
	if seen == b {
		return img
	}
	return cut(img, seen)
}

func cut(img *image.NRGBA, r image.Rectangle) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	draw.Draw(out, out.Bounds(), img, r.Min, draw.Src)
	return out
}

// within makes a picture small enough; one that is stays as it is.
func within(img *image.NRGBA, width, height int) *image.NRGBA {
	b := img.Bounds()
	scale := min(float64(width)/float64(b.Dx()), float64(height)/float64(b.Dy()))
	if scale >= 1 {
		return img
	}
	w := max(1, int(math.Round(float64(b.Dx())*scale)))
	h := max(1, int(math.Round(float64(b.Dy())*scale)))
	return scaled(img, w, h)
}

func scaled(img *image.NRGBA, w, h int) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(out, out.Bounds(), img, img.Bounds(), draw.Src, nil)
	return out
}

func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&b, img); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Mail returns the picture as PNG for mail, twice as large as it is shown, with
// the size it is shown at; nil when it cannot be drawn or would weigh more than
// limit bytes. It is for readers in light and dark: what would be lost on
// either gets a ground of its own.
func (p *Picture) Mail(limit, width, height int) (data []byte, w, h int) {
	if p.pixels == nil || !p.Exact {
		return nil, 0, 0
	}
	for _, share := range []float64{2, 1.5, 1} {
		small := within(p.pixels, int(share*float64(width)), int(share*float64(height)))
		data, err := encode(small)
		if err == nil && len(data) <= limit {
			b := small.Bounds()
			k := min(1, float64(width)/float64(b.Dx()), float64(height)/float64(b.Dy()))
			return data, max(1, int(math.Round(float64(b.Dx())*k))), max(1, int(math.Round(float64(b.Dy())*k)))
		}
	}
	return nil, 0, 0
}

// ReadableOn reports whether most of the picture stands out from a colour. One
// that brings its own ground does everywhere, and so does, as far as anybody
// knows, one that cannot be drawn.
func (p *Picture) ReadableOn(r, g, b uint8) bool {
	if p.pixels == nil {
		return true
	}
	bounds := p.pixels.Bounds()
	all := bounds.Dx() * bounds.Dy()
	step := max(1, all/40000)
	// The outermost pixels of a drawing may be covered in part.
	corner := p.pixels.NRGBAAt(min(2, bounds.Dx()/4), min(2, bounds.Dy()/4))
	looked, seen, lost, apart := 0, 0, 0, 0
	for i := 0; i < all; i += step {
		looked++
		c := p.pixels.NRGBAAt(i%bounds.Dx(), i/bounds.Dx())
		if c.A < 128 {
			continue
		}
		seen++
		if stands(c, r, g, b) < 1.8 {
			lost++
		}
		if stands(c, corner.R, corner.G, corner.B) >= 1.8 {
			apart++
		}
	}
	// A ground of its own: nothing shows through, and something stands on it.
	if corner.A > 240 && seen*100 >= looked*98 && apart*50 >= seen {
		return true
	}
	// Thin words are few of the pixels beside a sign, and all that matters.
	return lost*10 < seen
}

// stands is the contrast of a pixel with a colour, as WCAG measures it.
func stands(c color.NRGBA, r, g, b uint8) float64 {
	x, y := luminance(c.R, c.G, c.B), luminance(r, g, b)
	if x < y {
		x, y = y, x
	}
	return (x + 0.05) / (y + 0.05)
}

func luminance(r, g, b uint8) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
