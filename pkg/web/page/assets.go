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
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"
)

//go:embed assets/*.css assets/*.js assets/icons/*.svg
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
var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}

// assets are read and compressed once, when the first page needs them.
var assets = sync.OnceValue(func() map[string]asset {
	all := map[string]asset{}
	files, err := fs.Glob(assetFiles, "assets/*.*")
	if err != nil {
		panic(fmt.Sprintf("page: %v", err)) // embedded: a mistake in the program
	}
	for _, file := range files {
		name := path.Base(file)
		contentType := assetTypes[path.Ext(name)]
		data, err := assetFiles.ReadFile(file)
		if err != nil {
			panic(fmt.Sprintf("page: %v", err)) // embedded: a mistake in the program
		}
		base, ext := strings.TrimSuffix(name, path.Ext(name)), path.Ext(name)
		a := asset{url: AssetPath + base + "." + digest(data) + ext, contentType: contentType, plain: data, gzip: compressed(data)}
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
		_, _ = w.Write(plain) //nolint:gosec // G705: an embedded file, or a theme made of six hex digits
	}
}

// themeRevision changes the address of every theme when a version of the
// program works themes out differently.
var themeRevision = sync.OnceValue(func() string {
	return digest([]byte(NewTheme("#0f5fc2").CSS() + NewTheme("#f2c744").CSS() + NewTheme("#0f5fc2").Favicon()))[:6]
})

// ThemeURL is the address of a portal's colours; FaviconURL of its mark.
func ThemeURL(accent string) string { return "/-/theme/" + themeName(accent) + ".css" }

// FaviconURL is the address of a portal's mark in its accent colour.
func FaviconURL(accent string) string { return "/-/theme/" + themeName(accent) + ".svg" }

func themeName(accent string) string {
	return strings.TrimPrefix(strings.ToLower(accent), "#") + "." + themeRevision()
}

// ServeTheme serves the colours and the mark of any accent. They are worked out
// in microseconds and not kept, so asking for all of them gains nothing.
func ServeTheme(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/-/theme/")
	accent, _, _ := strings.Cut(name, ".")
	if _, ok := parseRGB("#" + accent); !ok {
		http.NotFound(w, r)
		return
	}
	switch theme := NewTheme("#" + accent); name {
	case themeName(accent) + ".css":
		serveForever(w, r, "text/css; charset=utf-8", []byte(theme.CSS()), nil)
	case themeName(accent) + ".svg":
		serveForever(w, r, "image/svg+xml", []byte(theme.Favicon()), nil)
	default:
		http.NotFound(w, r)
	}
}

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
		all[strings.TrimSuffix(path.Base(name), ".svg")] =
			`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">` + drawing
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
