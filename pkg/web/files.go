package web

import (
	"bytes"
	"container/list"
	"context"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"  // the picture types that are shown
	_ "image/jpeg" // in the page
	_ "image/png"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"unicode"

	_ "golang.org/x/image/webp" // the fourth of them

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// file hands out an attachment to whoever sees its ticket.
func (s *Server) file(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return portal.NotFoundf("file.none", "there is no such file")
	}
	f, content, err := s.app.File(r.Context(), visitFrom(r.Context()), portal.FileID(id))
	if err != nil {
		return err
	}
	defer content.Close()
	h := w.Header()
	kind, way := servedType(f.Type), "attachment"
	if _, show := r.URL.Query()["inline"]; show {
		if shown := s.images.check(r.Context(), f, content); shown != "" {
			kind, way = shown, "inline"
		}
		if _, err := content.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("read file %d again: %w", f.ID, err)
		}
	}
	h.Set("Content-Security-Policy", page.FilePolicy)
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", disposition(way, f.Name))
	h.Set("No-Gzip-Compression", "1") // the bytes go out as they came in
	http.ServeContent(w, r, "", f.At, content)
	return nil
}

// servedTypes are the types attachments go out with; what is not among them
// is only bytes. Nothing here makes a browser run something.
var servedTypes = []string{
	"application/pdf", "application/zip", "text/plain", "text/csv", "image/png", "image/jpeg", "image/gif", "image/webp",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation",
	"video/mp4", "audio/mpeg",
}

func servedType(found string) string {
	kind, _, err := mime.ParseMediaType(found)
	if err != nil {
		return "application/octet-stream"
	}
	for _, known := range servedTypes {
		if kind == known {
			if strings.HasPrefix(kind, "text/") {
				return kind + "; charset=utf-8"
			}
			return kind
		}
	}
	return "application/octet-stream"
}

// disposition writes the header of RFC 6266: a plain name for old programs
// and the real one, encoded.
func disposition(way, name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || portal.IsBidiControl(r) || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	if name = strings.Trim(name, " ."); name == "" {
		name = "file"
	}
	simple := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '%' || r == ';' {
			return '_'
		}
		return r
	}, name)
	header := way + `; filename="` + simple + `"`
	if simple != name {
		header += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return header
}

// decodeBudget bounds the memory one picture may take while it is checked:
// enough for what telephones take.
const decodeBudget = 128 << 20

// imageChecks remembers which files are pictures that decode. Decoding takes
// time and memory, so one is done after the other and each file once.
type imageChecks struct {
	turn chan struct{}
	mu   sync.Mutex
	byID map[string]*list.Element
	used *list.List
}

type imageCheck struct{ hash, kind string }

const checksKept = 2000

func newImageChecks() *imageChecks {
	return &imageChecks{turn: make(chan struct{}, 1), byID: map[string]*list.Element{}, used: list.New()}
}

// check returns the type to show a file with, or "" when it is no picture we
// show.
func (c *imageChecks) check(ctx context.Context, f *portal.File, content io.Reader) string {
	if !page.ShownType(f.Type) {
		return ""
	}
	c.mu.Lock()
	if e, ok := c.byID[f.SHA256]; ok {
		c.used.MoveToFront(e)
		check, _ := e.Value.(imageCheck)
		c.mu.Unlock()
		return check.kind
	}
	c.mu.Unlock()

	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return ""
	}
	kind := c.decode(content)

	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byID[f.SHA256]; !ok {
		c.byID[f.SHA256] = c.used.PushFront(imageCheck{f.SHA256, kind})
	}
	if c.used.Len() > checksKept {
		last := c.used.Back()
		if check, ok := c.used.Remove(last).(imageCheck); ok {
			delete(c.byID, check.hash)
		}
	}
	return kind
}

// decode uses the caller's turn. A picture that makes a decoder panic is none.
func (c *imageChecks) decode(content io.Reader) (kind string) {
	defer func() {
		if recover() != nil {
			kind = ""
		}
		<-c.turn
	}()
	return decoded(content)
}

// decoded returns the type of a picture that decodes from beginning to end
// and is not too large.
func decoded(content io.Reader) string {
	data, err := io.ReadAll(io.LimitReader(content, portal.MaxFileSize+1))
	if err != nil || len(data) > portal.MaxFileSize {
		return ""
	}
	config, kind, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || config.Width <= 0 || config.Height <= 0 {
		return ""
	}
	perPixel := 4
	if kind == "jpeg" && bytes.Contains(data, []byte{0xff, 0xc2}) {
		perPixel = 15 // a progressive one is put together from its coefficients
	}
	if config.ColorModel == color.NRGBA64Model || config.ColorModel == color.RGBA64Model {
		perPixel = 8
	}
	if config.Width > decodeBudget/perPixel/config.Height {
		return ""
	}
	if _, _, err := image.Decode(bytes.NewReader(data)); err != nil {
		return ""
	}
	return "image/" + kind
}
