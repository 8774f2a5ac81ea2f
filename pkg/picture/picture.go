// Package picture makes an operator's pictures fit for every page: an SVG is
// taken apart and written again from what is known to be harmless, PNG and WebP
// are decoded and encoded anew, and icons are made from either.
package picture

import (
	"bytes"
	"image"

	"github.com/portalctl/portalctl/pkg/portal"
)

// What a picture may be at most. Bytes are counted before anything is read,
// pixels before anything is decoded.
const (
	MaxBytes    = 4 << 20
	MaxSVGBytes = 512 << 10
	MaxSide     = 8192
	MaxPixels   = 24 << 20
)

// maxRatio is how much longer than wide a picture may be, or the other way
// round: beyond, nothing of it could be seen in the place there is.
const maxRatio = 16

// The types of picture the package writes.
const (
	SVG = "image/svg+xml"
	PNG = "image/png"
)

// Picture is a picture that is harmless to show.
type Picture struct {
	Type          string // SVG or PNG
	Data          []byte
	Width, Height int // in pixels, or in the units of an SVG

	// Removed names what an SVG held that pages must not, in words.
	Removed []string
	// Exact reports whether an SVG could be drawn as browsers draw it. Text,
	// masks and filters cannot; what is made from such a drawing would differ.
	Exact bool

	pixels *image.NRGBA // drawn, without an empty border; nil when that failed
}

// Read makes a picture safe. What it is shows in its first bytes, not in the
// name of its file: SVG, PNG or WebP.
func Read(data []byte) (*Picture, error) {
	if len(data) > MaxBytes {
		return nil, tooLarge("it is larger than %d MiB", MaxBytes>>20)
	}
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return readRaster(data, "PNG")
	case len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return readRaster(data, "WebP")
	case looksLikeXML(data):
		if len(data) > MaxSVGBytes {
			return nil, tooLarge("it is an SVG larger than %d KiB", MaxSVGBytes>>10)
		}
		return readSVG(data)
	}
	return nil, portal.Invalidf("picture.type", "", "it is no SVG, PNG or WebP picture").
		WithHint("export the picture as SVG or PNG; what counts is what the file holds, not its name")
}

// looksLikeXML reports whether the first thing said is a tag.
func looksLikeXML(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("<"))
}

func tooLarge(format string, args ...any) *portal.Error {
	return portal.Invalidf("picture.size", "", format, args...).WithHint("make the picture smaller; a logo needs no more than 800 pixels of width")
}

func broken(format string, args ...any) *portal.Error {
	return portal.Invalidf("picture.broken", "", format, args...)
}

// checkRatio refuses pictures nobody could see anything in.
func checkRatio(width, height float64) error {
	if width > maxRatio*height || height > maxRatio*width {
		return portal.Invalidf("picture.shape", "", "%g by %g is too narrow; one side may be up to %d times the other", width, height, maxRatio)
	}
	return nil
}
