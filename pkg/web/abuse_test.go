package web

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// A route that takes files takes a quarter of a gigabyte; none of that may be
// held in memory, and nothing of a stranger's be written to disk.
func TestFormsTakeLittleMemory(t *testing.T) {
	s := New(Options{TempDir: t.TempDir()})
	post := func(contentType string, body io.Reader) *http.Request {
		r, _ := http.NewRequest(http.MethodPost, "/", body)
		r.Header.Set("Content-Type", contentType)
		return r
	}
	long := &counting{Reader: io.MultiReader(strings.NewReader("body=hello&x="), zeros(64<<20))}
	f, err := s.readForm(post("application/x-www-form-urlencoded", long))
	if statusOf(err) != http.StatusRequestEntityTooLarge || long.n > mostText+1 || f.Value("body") != "hello" {
		t.Errorf("of a long form %d bytes were read, with %v and the text %q", long.n, err, f.Value("body"))
	}

	var parts bytes.Buffer
	form := multipart.NewWriter(&parts)
	_ = form.WriteField("body", "hello")
	for range 20 {
		_ = form.WriteField("x", strings.Repeat("x", largestField))
	}
	_ = form.Close()
	f, err = s.readForm(post(form.FormDataContentType(), &parts))
	held := 0
	for _, values := range f.values {
		for _, v := range values {
			held += len(v)
		}
	}
	if statusOf(err) != http.StatusRequestEntityTooLarge || held > mostText || f.Value("body") != "hello" {
		t.Errorf("of a form with large fields %d bytes are held, with %v", held, err)
	}

	parts.Reset()
	form = multipart.NewWriter(&parts)
	file, _ := form.CreateFormFile("files", "film.mov")
	_, _ = io.Copy(file, zeros(1<<20))
	_ = form.WriteField("body", "hello")
	_ = form.Close()
	f = s.readTyped(post(form.FormDataContentType(), &parts))
	if len(f.files) > 0 || f.Value("body") != "hello" {
		t.Errorf("a stranger's form left %d files and the text %q", len(f.files), f.Value("body"))
	}
}

type counting struct {
	io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func TestDayTheListEndsWith(t *testing.T) {
	w := newWorld(t, nil)
	ana := w.browser(w.signIn(w.ana))
	opened := w.clock.Now().In(zoneOf(w.visit("")))
	for day, want := range map[time.Time]bool{opened: true, opened.AddDate(0, 0, -1): false} {
		got := ana.get("/help/tickets?to=" + day.Format(time.DateOnly))
		if strings.Contains(got.body, w.anas.String()) != want {
			t.Errorf("the list up to %s shows the ticket of %s: %t, wanted %t", day.Format(time.DateOnly), opened.Format(time.DateOnly), !want, want)
		}
	}
}

// One message of a customer's must not hold up everybody who opens its page.
func TestHostileTextsAreShownQuickly(t *testing.T) {
	// Four times the longest message: what takes a share of the text's square
	// takes a minute, what reads it once a fraction of a second.
	const size = 4 * portal.MaxBody
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, text := range map[string]string{
		"many links":       fill("http://a "),
		"no link":          fill("httphttp"),
		"brackets":         "http://a" + fill(")"),
		"opening brackets": "http://a" + fill("(") + fill(")"),
		"letters before":   fill("xhttp://"),
		"capitals":         fill("HTTP://A "),
		"empty lines":      fill("\n\n \n"),
	} {
		began := time.Now()
		page.BodyHTML(text, "text")
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("%s: %v for one message", name, took)
		}
	}
}
