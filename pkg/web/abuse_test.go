package web

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
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
	if page.StatusOf(err) != http.StatusRequestEntityTooLarge || long.n > 2*text+1 || f.Value("body") != "hello" {
		t.Errorf("of a long form %d bytes were read, with %v and the text %q", long.n, err, f.Value("body"))
	}

	var parts bytes.Buffer
	form := multipart.NewWriter(&parts)
	_ = form.WriteField("body", "hello")
	for range 20 {
		_ = form.WriteField("x", strings.Repeat("x", text))
	}
	_ = form.Close()
	f, err = s.readForm(post(form.FormDataContentType(), &parts))
	held := 0
	for _, values := range f.Values {
		for _, v := range values {
			held += len(v)
		}
	}
	if page.StatusOf(err) != http.StatusRequestEntityTooLarge || held > 2*text || f.Value("body") != "hello" {
		t.Errorf("of a form with large fields %d bytes are held, with %v", held, err)
	}

	parts.Reset()
	form = multipart.NewWriter(&parts)
	file, _ := form.CreateFormFile("files", "film.mov")
	_, _ = io.Copy(file, zeros(1<<20))
	_ = form.WriteField("body", "hello")
	_ = form.Close()
	f = page.ReadTyped(post(form.FormDataContentType(), &parts))
	if len(f.Files) > 0 || f.Value("body") != "hello" {
		t.Errorf("a stranger's form left %d files and the text %q", len(f.Files), f.Value("body"))
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
	opened := w.clock.Now().In(page.ZoneOf(w.visit("")))
	for day, want := range map[time.Time]bool{opened: true, opened.AddDate(0, 0, -1): false} {
		got := ana.get("/help/tickets?to=" + day.Format(time.DateOnly))
		if strings.Contains(got.body, w.anas.String()) != want {
			t.Errorf("the list up to %s shows the ticket of %s: %t, wanted %t", day.Format(time.DateOnly), opened.Format(time.DateOnly), !want, want)
		}
	}
}

// Whoever has no name is called by the part of their address before the @.
func TestCustomersDoNotReadAddresses(t *testing.T) {
	w := newWorld(t, func(p *portal.Portal) { p.Tickets.Permissions = portal.PermitCompany })
	cy := &portal.Contact{Email: "cy.dahl@example.com", Primary: w.acme.ID}
	w.write(func(ctx context.Context, tx *store.Tx) error {
		if err := tx.AddContact(ctx, cy); err != nil {
			return err
		}
		_, err := tx.AddToGroup(ctx, w.portal.Access.Groups[0], cy.ID)
		return err
	})
	ana := w.browser(w.signIn(w.ana))
	cys := w.open(cy, app.NewTicket{Subject: "Mine", Body: "Mine."})
	people := "/help/tickets/" + w.anas.String() + "/participants"
	ana.post(people, "participant", cy.Email)
	for _, path := range []string{"/help/tickets/" + w.anas.String(), "/help/tickets/" + cys.String(), "/help/tickets?view=company"} {
		if got := ana.get(path); strings.Contains(got.body, cy.Email) || !strings.Contains(got.body, "cy.dahl") {
			t.Errorf("%s: a colleague reads the address, or not who it is", path)
		}
	}
	ana.post(people + "/" + strconv.FormatInt(int64(cy.ID), 10) + "/remove")
	if got := ana.get("/help/tickets/" + w.anas.String()); strings.Contains(got.body, cy.Email) {
		t.Error("the history names the address of whoever was removed")
	}
}

func TestPictureChecksAreBounded(t *testing.T) {
	progressive := []byte{
		0xff, 0xd8, 0xff, 0xc2, 0, 17, 8, 0x15, 0x7c, 0x15, 0x7c, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0,
		0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0,
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if got := decoded(bytes.NewReader(progressive)); got != "" {
		t.Errorf("half a picture is shown as %s", got)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > decodeBudget {
		t.Errorf("checking a picture took %d MiB", took>>20)
	}

	c, f := newImageChecks(), &portal.File{SHA256: "1", Type: "image/png"}
	if got := c.check(t.Context(), f, panics{}); got != "" {
		t.Errorf("a picture that makes a decoder panic is shown as %s", got)
	}
	f.SHA256 = "2"
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if got := c.check(ctx, f, bytes.NewReader(picture())); got != "image/png" {
		t.Errorf("the picture after it is shown as %q", got)
	}
}

type panics struct{}

func (panics) Read([]byte) (int, error) { panic("a broken decoder") }

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
