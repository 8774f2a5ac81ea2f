package picture

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func pngOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withChunk puts a further part into a PNG, behind its head.
func withChunk(data []byte, kind, content string) []byte {
	var b bytes.Buffer
	_ = binary.Write(&b, binary.BigEndian, uint32(len(content)))
	b.WriteString(kind + content)
	_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE([]byte(kind+content)))
	const head = 8 + 25
	return append(append(append([]byte{}, data[:head]...), b.Bytes()...), data[head:]...)
}

func TestRasterIsEncodedAnew(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 3000, 1000))
	draw.Draw(img, image.Rect(500, 200, 2500, 800), image.NewUniform(color.NRGBA{200, 30, 60, 255}), image.Point{}, draw.Src)
	data := withChunk(pngOf(t, img), "tEXt", "Author\x00Somebody, at 59.33 N 18.07 E")
	p, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(p.Data, []byte("Somebody")) || bytes.Contains(p.Data, []byte("tEXt")) {
		t.Error("what a program noted in the picture stays in it")
	}
	// Its empty border is gone, and the rest has the size there is for it.
	if p.Type != PNG || p.Width != 640 || p.Height != 192 {
		t.Errorf("%s, %d by %d; wanted %s, 640 by 192", p.Type, p.Width, p.Height, PNG)
	}
	config, err := png.DecodeConfig(bytes.NewReader(p.Data))
	if err != nil || config.Width != p.Width || config.Height != p.Height {
		t.Errorf("what was written is %d by %d: %v", config.Width, config.Height, err)
	}
	again, err := Read(p.Data)
	if err != nil || !bytes.Equal(again.Data, p.Data) {
		t.Errorf("a picture that is small already changes: %v", err)
	}
}

func TestWebP(t *testing.T) {
	// Two by two pixels, without loss.
	data, err := base64.StdEncoding.DecodeString("UklGRh4AAABXRUJQVlA4TBEAAAAvAUAAAAfQ//73v/+BiOh/AAA=")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Read(data)
	if err != nil || p.Type != PNG || p.Width != 2 || p.Height != 2 {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestRasterRefused(t *testing.T) {
	small := pngOf(t, image.NewGray(image.Rect(0, 0, 4, 4)))
	// A picture that says it is larger than anybody could decode.
	huge := append([]byte{}, small...)
	binary.BigEndian.PutUint32(huge[16:], 100000)
	binary.BigEndian.PutUint32(huge[20:], 100000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	for _, tt := range []struct {
		name, code string
		data       []byte
	}{
		{"more pixels than anybody decodes", "picture.size", huge},
		{"more bytes than anybody reads", "picture.size", append(append([]byte{}, small...), make([]byte, MaxBytes)...)},
		{"half a file", "picture.broken", small[:len(small)/2]},
		{"nothing to see", "picture.empty", pngOf(t, image.NewNRGBA(image.Rect(0, 0, 40, 40)))},
		{"a hair", "picture.shape", pngOf(t, image.NewGray(image.Rect(0, 0, 400, 2)))},
		{"a WebP of nothing", "picture.broken", []byte("RIFF\x0c\x00\x00\x00WEBPVP8 ")},
	} {
		_, err := Read(tt.data)
		var got *portal.Error
		if !errors.As(err, &got) || got.Code != tt.code {
			t.Errorf("%s: got %v, wanted %s", tt.name, err, tt.code)
		}
	}
}

func TestReadableOn(t *testing.T) {
	for _, tt := range []struct {
		name        string
		inner       string
		light, dark bool
	}{
		{"black words", `<rect x="2" y="10" width="90" height="10" fill="#111"/>`, true, false},
		{"white words", `<rect x="2" y="10" width="90" height="10" fill="#fff"/>`, false, true},
		{"a middle colour", `<rect x="2" y="10" width="90" height="10" fill="#d04040"/>`, true, true},
		{"a bright sign with few black words", `<circle cx="20" cy="20" r="18" fill="#d04040"/><rect x="60" y="16" width="30" height="6" fill="#000"/>`, true, false},
		{"a ground of its own", `<rect width="100" height="40" fill="#fff"/><rect x="9" y="9" width="50" height="9" fill="#111"/>`, true, true},
		{"what cannot be drawn", `<text y="30">words</text>`, true, true},
	} {
		p, err := Read([]byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 40">` + tt.inner + `</svg>`))
		if err != nil {
			t.Fatal(err)
		}
		if light, dark := p.ReadableOn(0xff, 0xff, 0xff), p.ReadableOn(0x19, 0x1d, 0x22); light != tt.light || dark != tt.dark {
			t.Errorf("%s: light %v, dark %v; wanted %v, %v", tt.name, light, dark, tt.light, tt.dark)
		}
	}
}

func TestIcons(t *testing.T) {
	p, err := Read(wide(t))
	if err != nil {
		t.Fatal(err)
	}
	sign, err := p.Symbol()
	if err != nil || sign == nil {
		t.Fatal("the sign at the left was not found", err)
	}
	for side, data := range map[int][]byte{TabIcon: sign.Tab, HomeIcon: sign.Home} {
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil || img.Bounds().Dx() != side || img.Bounds().Dy() != side {
			t.Fatalf("the icon of %d pixels: %v", side, err)
		}
		// The sign is a blue disc; right of its middle nothing of the words stands.
		if _, _, blue, _ := img.At(side/2, side/4).RGBA(); blue>>8 < 0x90 {
			t.Errorf("the icon of %d pixels does not show the sign", side)
		}
	}
	letter, err := Initial("ärenden", "#0f5fc2", "#ffffff")
	if err != nil || letter == nil {
		t.Fatal("no icon of a letter", err)
	}
	if _, clean, err := cleanSVG(letter.SVG); err != nil || !bytes.Contains(clean, []byte("<path")) {
		t.Errorf("the letter's own SVG is not safe: %v", err)
	}
	for _, name := range []string{"بوابة", "", "!?"} {
		if none, err := Initial(name, "#0f5fc2", "#ffffff"); none != nil || err != nil {
			t.Errorf("%q got an icon of a letter that does not exist: %v", name, err)
		}
	}
}
