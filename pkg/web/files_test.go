package web

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

func TestFilesAreHandedOutHarmless(t *testing.T) {
	w := newWorld(t, nil)
	svg := `<svg xmlns="http://www.w3.org/2000/svg"><script>zap()</script></svg>`
	n := w.open(w.ana, app.NewTicket{Subject: "Files", Body: "Here.", Files: []app.Upload{
		{Name: `a "b"; ü.html`, Content: strings.NewReader("<script>zap()</script>")},
		{Name: "drawing.svg", Content: strings.NewReader(svg)},
		{Name: "broken.png", Content: bytes.NewReader(picture()[:200])},
		{Name: "huge.png", Content: bytes.NewReader(hugePicture())},
		{Name: "fine.png", Content: bytes.NewReader(picture())},
	}})
	ana := w.browser(w.signIn(w.ana))
	view, err := w.app.Ticket(t.Context(), w.visit(w.signIn(w.ana)), n)
	if err != nil {
		t.Fatal(err)
	}
	for i := range view.Messages[0].Files {
		f := &view.Messages[0].Files[i]
		path := "/help" + page.FileURL(f)
		plain, shown := ana.get(path), ana.get(path+"?inline")
		if plain.StatusCode != http.StatusOK || !strings.HasPrefix(plain.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d, %q; wanted an attachment", f.Name, plain.StatusCode, plain.Header.Get("Content-Disposition"))
		}
		way, _, _ := strings.Cut(shown.Header.Get("Content-Disposition"), ";")
		if want := map[bool]string{true: "inline", false: "attachment"}[f.Name == "fine.png"]; way != want {
			t.Errorf("%s asked for to be shown is %q, wanted %q", f.Name, way, want)
		}
		for _, got := range []answer{plain, shown} {
			kind := got.Header.Get("Content-Type")
			if strings.Contains(kind, "html") || strings.Contains(kind, "xml") || strings.Contains(kind, "svg") {
				t.Errorf("%s goes out as %s", f.Name, kind)
			}
		}
	}
	odd := ana.get("/help" + page.FileURL(&view.Messages[0].Files[0])).Header.Get("Content-Disposition")
	if want := `attachment; filename="a _b__ _.html"; filename*=UTF-8''a%20%22b%22%3B%20%C3%BC.html`; odd != want {
		t.Errorf("the odd name becomes\n%s, wanted\n%s", odd, want)
	}
	r := ana.request(http.MethodGet, fmt.Sprintf("/help/files/%d/x", view.Messages[0].Files[4].ID), nil)
	r.Header.Set("Range", "bytes=0-7")
	r.Header.Set("Accept-Encoding", "gzip")
	if got := ana.do(r); got.StatusCode != http.StatusPartialContent || got.body != string(picture()[:8]) {
		t.Errorf("the first 8 bytes: %d, %q", got.StatusCode, got.body)
	}
}

// hugePicture says it is 40,000 pixels wide and high and is a few bytes long.
func hugePicture() []byte {
	p := picture()
	binary.BigEndian.PutUint32(p[16:], 40000)
	binary.BigEndian.PutUint32(p[20:], 40000)
	return p
}

func TestDispositionNames(t *testing.T) {
	for in, want := range map[string]string{
		"report.pdf":      `attachment; filename="report.pdf"`,
		"..":              `attachment; filename="file"`,
		"a\r\nb: c":       `attachment; filename="a__b: c"`,
		"../../etc/x":     `attachment; filename="_.._etc_x"`,
		"fdp\u202etxt.js": `attachment; filename="fdp_txt.js"`,
		"räksmörgås.txt":  `attachment; filename="r_ksm_rg_s.txt"; filename*=UTF-8''r%C3%A4ksm%C3%B6rg%C3%A5s.txt`,
	} {
		if got := disposition("attachment", in); got != want {
			t.Errorf("disposition of %q\n got %s\nwant %s", in, got, want)
		}
	}
	if got := page.FileURL(&portal.File{ID: 3, Name: "a/b?c#d.txt"}); got != "/files/3/a_b%3Fc%23d.txt" {
		t.Errorf("fileURL is %s", got)
	}
}
