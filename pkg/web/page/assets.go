package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/portal"
)

//go:embed assets/*.css assets/*.js assets/icons/*.svg assets/fonts/*.woff2
var assetFiles embed.FS

// AssetPath is where assets are served.
const AssetPath = "/-/assets/"

// asset is a file under a name that changes with its content, so that
// browsers may keep it for ever.
type asset struct {
	url         string
	contentType string
	plain, gzip []byte
}

// assetTypes are what the assets are sent as.
var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".woff2": "font/woff2"}

// assets are read and compressed once, when the first page needs them.
var assets = sync.OnceValue(func() map[string]asset {
	all := map[string]asset{}
	files, err := fs.Glob(assetFiles, "assets/*.*")
	if err != nil {
		panic(fmt.Sprintf("page: %v", err)) // embedded: a mistake in the program
	}
	fonts, err := fs.Glob(assetFiles, "assets/fonts/*.*")
	if err != nil {
		panic(fmt.Sprintf("page: %v", err)) // embedded: a mistake in the program
	}
	files = append(files, fonts...)
	for _, file := range files {
		name := path.Base(file)
		contentType := assetTypes[path.Ext(name)]
		data, err := assetFiles.ReadFile(file)
		if err != nil {
			panic(fmt.Sprintf("page: %v", err)) // embedded: a mistake in the program
		}
		base, ext := strings.TrimSuffix(name, path.Ext(name)), path.Ext(name)
		a := asset{url: AssetPath + base + "." + digest(data) + ext, contentType: contentType, plain: data}
		if ext != ".woff2" { // which is compressed already
			a.gzip = compressed(data)
		}
		all[name] = a
	}
	return all
})

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

func compressed(data []byte) []byte {
	var b bytes.Buffer
	// Neither fails: the level is a valid one and the buffer takes everything.
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = z.Write(data)
	_ = z.Close()
	return b.Bytes()
}

// Asset returns the address of an asset, such as portal.css.
func Asset(name string) string {
	a, ok := assets()[name]
	if !ok {
		panic(fmt.Sprintf("page: there is no asset %q", name)) // a mistake in the program, better seen than a page without its looks
	}
	return a.url
}

// Assets serves the assets at their hashed names, ready compressed.
func Assets(w http.ResponseWriter, r *http.Request) {
	for _, a := range assets() {
		if a.url == r.URL.Path {
			serveForever(w, r, a.contentType, a.plain, a.gzip)
			return
		}
	}
	http.NotFound(w, r)
}

// serveForever answers with something whose address changes with its content.
func serveForever(w http.ResponseWriter, r *http.Request, contentType string, plain, gz []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if gz != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		plain = gz
	}
	h.Set("Content-Length", strconv.Itoa(len(plain)))
	if r.Method != http.MethodHead {
		// The visitor may be gone.
		_, _ = w.Write(plain)
	}
}

// themeRevision changes the address of every theme when a version of the
// program works themes out differently.
var themeRevision = sync.OnceValue(func() string {
	all := themeCSS(portal.NewTheme("#0f5fc2"), "") + themeCSS(portal.NewTheme("#f2c744"), "") + favicon(portal.NewTheme("#0f5fc2"))
	for _, font := range portal.Fonts {
		all += fontCSS(font)
	}
	return digest([]byte(all))[:6]
})

// ThemeURL is the address of a portal's colours and font; "" is the reader's
// own font.
func ThemeURL(accent, font string) string { return "/-/theme/" + themeName(accent, font) + ".css" }

// FaviconURL is the address of a portal's mark in its accent colour.
func FaviconURL(accent string) string { return "/-/theme/" + themeName(accent, "") + ".svg" }

func themeName(accent, font string) string {
	name := strings.TrimPrefix(strings.ToLower(accent), "#")
	if font != "" {
		name += "." + font
	}
	return name + "." + themeRevision()
}

// ServeTheme serves the colours and the mark of any accent, with any font. They
// are worked out in microseconds and not kept, so asking for all of them gains
// nothing.
func ServeTheme(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/-/theme/")
	accent, rest, _ := strings.Cut(name, ".")
	if _, _, _, ok := portal.RGB("#" + accent); !ok {
		http.NotFound(w, r)
		return
	}
	font, _, _ := strings.Cut(rest, ".")
	if !slices.Contains(portal.Fonts, font) {
		font = ""
	}
	switch theme := portal.NewTheme("#" + accent); name {
	case themeName(accent, font) + ".css":
		serveForever(w, r, "text/css; charset=utf-8", []byte(themeCSS(theme, font)), nil)
	case themeName(accent, "") + ".svg":
		serveForever(w, r, "image/svg+xml", []byte(favicon(theme)), nil)
	default:
		http.NotFound(w, r)
	}
}

// ahead are the drawings that point along the line of text, or against it: in
// languages written from right to left they are turned round.
var ahead = []string{"arrow-left", "arrow-right", "log-out", "send", "message-circle"}

// icons are the Lucide drawings in assets/icons (ISC licence, see there), each
// ready to be written into a page. They are decoration: what they mean always
// stands beside them in words.
var icons = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	names, err := fs.Glob(assetFiles, "assets/icons/*.svg")
	if err != nil {
		panic(fmt.Sprintf("page: %v", err))
	}
	for _, name := range names {
		data, err := assetFiles.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("page: %v", err))
		}
		_, drawing, _ := strings.Cut(string(data), "<svg")
		_, drawing, _ = strings.Cut(drawing, ">")
		drawing = strings.Join(strings.Fields(drawing), " ")
		icon, class := strings.TrimSuffix(path.Base(name), ".svg"), "icon"
		if slices.Contains(ahead, icon) {
			class = "icon icon-ahead"
		}
		all[icon] = `<svg class="` + class + `" viewBox="0 0 24 24" aria-hidden="true" focusable="false">` + drawing
	}
	return all
})

// Icon writes a drawing by its name in assets/icons.
func Icon(name string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		drawing, ok := icons()[name]
		if !ok {
			return fmt.Errorf("page: no icon %q", name)
		}
		_, err := io.WriteString(w, drawing)
		return err
	})
}
