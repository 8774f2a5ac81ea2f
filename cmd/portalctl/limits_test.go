package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// anasPortal is a portal with Ana in it, who sends too much.
func anasPortal(t *testing.T) (*serving, *person) {
	t.Helper()
	p := newProgram(t)
	p.setUp()
	p.contacts("ana@example.com")
	s := p.serve()
	return s, s.customer("ana@example.com")
}

// typed is what a form that came back holds.
func typed(t *testing.T, a answer, name string) string {
	t.Helper()
	for n := range document(t, a.body).Descendants() {
		if attribute(n, "name") != name {
			continue
		}
		if n.Data == "textarea" {
			var b strings.Builder
			for c := range n.Descendants() {
				b.WriteString(c.Data)
			}
			return b.String()
		}
		return attribute(n, "value")
	}
	return ""
}

func TestTooMuchIsRefusedAndComesBack(t *testing.T) {
	t.Parallel()
	s, ana := anasPortal(t)
	number := ana.open([]string{"subject", "The first", "body", "It is small."})
	long := strings.Repeat("twenty characters.. ", 10<<10) // 200 KiB
	huge := upload{"huge.bin", make([]byte, 26<<20)}
	var many []upload
	for i := range 11 {
		many = append(many, upload{fmt.Sprintf("%d.txt", i), []byte{'0' + byte(i%10)}})
	}
	for _, tt := range []struct {
		name   string
		send   *http.Request
		status int
		back   map[string]string
	}{
		{"a file of 26 MiB", ana.multipart("/tickets/new", []string{"subject", "Mine", "body", "See the file."}, huge), 422, map[string]string{"subject": "Mine", "body": "See the file."}},
		{"11 files", ana.multipart("/tickets/new", []string{"subject", "Mine", "body", "See the files."}, many...), 422, map[string]string{"subject": "Mine", "body": "See the files."}},
		{"a file of 26 MiB with an answer", ana.multipart("/tickets/"+number+"/replies", []string{"body", "See the file.", "how", "send"}, huge), 422, map[string]string{"body": "See the file."}},
		{"a text of 200 KiB", ana.form("/tickets/new", "subject", "Mine", "body", long), 422, map[string]string{"subject": "Mine", "body": long}},
		{"an answer of 200 KiB", ana.form("/tickets/"+number+"/replies", "body", long, "how", "send"), 422, map[string]string{"body": long}},
		{"a subject of 201 letters", ana.form("/tickets/new", "subject", strings.Repeat("å", 201), "body", "x"), 422, map[string]string{"subject": strings.Repeat("å", 201), "body": "x"}},
		{"a name of 1 MiB", ana.form("/account/profile", "name", strings.Repeat("x", 1<<20)), 413, nil},
		{"a draft of 2 MiB", ana.form("/tickets/new/draft", "body", strings.Repeat("x", 2<<20)), 413, nil},
		{"an address of 1 MiB", s.stranger().form("/sign-in/link", "email", strings.Repeat("x", 1<<20)+"@example.com"), 413, nil},
	} {
		got := ana.do(tt.send)
		if got.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d:\n%.500s", tt.name, got.StatusCode, tt.status, got.body)
		}
		for name, want := range tt.back {
			if have := typed(t, got, name); have != want {
				t.Errorf("%s: %s comes back as %.40q (%d bytes), want %.40q (%d bytes)", tt.name, name, have, len(have), want, len(want))
			}
		}
		if tt.back != nil && !strings.Contains(got.body, `role="alert"`) {
			t.Errorf("%s: the page does not say what is wrong", tt.name)
		}
	}
	if list := s.tickets(); len(list) != 1 || len(s.ticket(number).Messages) != 1 {
		t.Errorf("something of it was taken: %v", list)
	}
	s.nothingUploadedLiesAbout()
	// What just fits is taken.
	ten := []upload{{"large.bin", make([]byte, 25<<20)}}
	for i := range 9 {
		ten = append(ten, upload{"same.txt", fmt.Append(nil, i)})
	}
	fits := ana.open([]string{"subject", strings.Repeat("🦊", 200), "body", long[:100<<10-2] + "ab"}, ten...)
	one := s.ticket(fits)
	if len(one.Messages[0].Files) != 10 || len(one.Messages[0].Body) != 100<<10 || one.Messages[0].Files[0].Size != 25<<20 {
		t.Errorf("of what just fits, %d files and %d bytes of text are there", len(one.Messages[0].Files), len(one.Messages[0].Body))
	}
}

func TestFormsOfManyFieldsCostLittle(t *testing.T) {
	t.Parallel()
	s, ana := anasPortal(t)
	values := url.Values{"subject": {"Mine"}, "body": {"x"}}
	for i := range 10_000 {
		values.Set(fmt.Sprintf("f%d", i), "x")
	}
	parts := []string{"subject", "Mine", "body", "x"}
	for i := range 10_000 {
		parts = append(parts, fmt.Sprintf("field_%d", i), "x")
	}
	same := bytes.Repeat([]byte("body=x&"), 10_000)
	for name, r := range map[string]*http.Request{
		"10,000 fields": ana.encoded("/tickets/new", values), "10,000 parts": ana.multipart("/tickets/new", parts),
		"one field 10,000 times": ana.raw("/tickets/new", "application/x-www-form-urlencoded", same),
		"10,000 semicolons":      ana.raw("/tickets/new", "application/x-www-form-urlencoded", bytes.Repeat([]byte(";%"), 10_000)),
		"no boundary":            ana.raw("/tickets/new", "multipart/form-data", []byte("x")),
		"a part without end":     ana.raw("/tickets/new", "multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"body\"\r\n\r\nhalf")),
		"a head without end":     ana.raw("/tickets/new", "multipart/form-data; boundary=b", append([]byte("--b\r\nX: "), bytes.Repeat([]byte("x"), 12<<20)...)),
		"nested parts":           ana.raw("/tickets/new", "multipart/form-data; boundary=b", []byte("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n")),
		"a wrong escape":         ana.raw("/tickets/new", "application/x-www-form-urlencoded", []byte("subject=%zz&body=%")),
		"no UTF-8":               ana.raw("/tickets/new", "application/x-www-form-urlencoded", []byte("subject=%ff%fe&body=%c0%80")),
	} {
		begun := time.Now()
		got := ana.do(r)
		if got.StatusCode >= 500 || got.StatusCode == http.StatusOK {
			t.Errorf("%s: %d", name, got.StatusCode)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
	for _, kind := range []string{"application/json", "text/plain", "application/xml", "nonsense", "multipart/form-data; boundary=" + strings.Repeat("b", 71), "application/x-www-form-urlencoded; charset=utf-7"} {
		got := ana.do(ana.raw("/tickets/new", kind, []byte(`{"subject":"x","body":"x"}`)))
		if got.StatusCode != http.StatusUnsupportedMediaType && got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a body of type %.40s answers %d", kind, got.StatusCode)
		}
	}
	s.nothingUploadedLiesAbout()
}

// raw is a request with a body as it stands.
func (p *person) raw(path, kind string, body []byte) *http.Request {
	p.t.Helper()
	r := p.request(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Origin", "http://"+p.host)
	return r
}

func TestHeadersHaveALimit(t *testing.T) {
	t.Parallel()
	s, ana := anasPortal(t)
	for _, n := range []int{70 << 10, 300 << 10} {
		res, _ := s.raw("GET /help/sign-in HTTP/1.1\r\nHost: " + s.host + "\r\nConnection: close\r\nX-Long: " + strings.Repeat("x", n) + "\r\n\r\n")
		if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("headers of %d bytes answer %d, want 431", n, res.StatusCode)
		}
	}
	r := ana.request(http.MethodGet, "/tickets", nil)
	r.Header.Set("X-Long", strings.Repeat("x", 60<<10))
	if got := ana.do(r); got.StatusCode != http.StatusOK {
		t.Errorf("headers of 60 KiB answer %d", got.StatusCode)
	}
	r = ana.request(http.MethodGet, "/tickets?q="+strings.Repeat("x+", 20<<10), nil)
	if got := ana.do(r); got.StatusCode >= 500 {
		t.Errorf("a search for 20,000 words answers %d", got.StatusCode)
	}
	if got := ana.get("/" + strings.Repeat("x/", 20<<10) + "x"); got.StatusCode != http.StatusNotFound {
		t.Errorf("a path of 40 KiB answers %d", got.StatusCode)
	}
}

func TestFileNamesAndTypesAreHarmless(t *testing.T) {
	t.Parallel()
	s, ana := anasPortal(t)
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	w.WriteField("subject", "Files")
	w.WriteField("body", "Look.")
	contents := []upload{
		{`filename="../../../../../../etc/cron.d/zap"`, []byte("text")},
		{`filename="..\\..\\..\\windows\\zap.html"`, []byte("<html><script>zap()</script>")},
		{`filename*=UTF-8''zap%0d%0aX-Zap%3A%201%00.svg`, []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="zap()"/>`)},
		{`filename="zap.png"`, []byte("<html><script>zap()</script></html>")},
		{`filename="zap.html"`, append([]byte("\x89PNG\r\n\x1a\n"), []byte("<script>zap()</script>")...)},
		{`filename*=UTF-8''%E2%80%AEgnp.exe`, []byte("MZ")},
		{`filename="zap.pdf"`, []byte("%PDF-1.7 zap")},
		{`filename="zap.zip"`, []byte("PK\x03\x04zap")},
		{`filename="."`, []byte("<?xml version=\"1.0\"?><zap/>")},
		{`filename="` + strings.Repeat("long", 200) + `.txt"`, []byte("long")},
	}
	for _, c := range contents {
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="files"; ` + c.name}, "Content-Type": {"text/html"}})
		if err != nil {
			t.Fatal(err)
		}
		part.Write(c.content)
	}
	w.Close()
	got := ana.do(ana.raw("/tickets/new", w.FormDataContentType(), b.Bytes()))
	if got.StatusCode == http.StatusUnprocessableEntity {
		t.Fatalf("the names are refused:\n%s", got.body)
	}
	number := got.ticket()
	page := ana.get("/tickets/" + number)
	for _, problem := range pageProblems(page.body, s.host) {
		t.Error(problem)
	}
	stored := s.ticket(number).Messages[0].Files
	if len(stored) != len(contents) {
		t.Fatalf("%d files are there, want %d: %+v", len(stored), len(contents), stored)
	}
	for i, f := range stored {
		if hidden(f.Name) != "" || strings.ContainsAny(f.Name, "/\\\r\n") || f.Name == "." || f.Name == "" || len([]rune(f.Name)) > 200 {
			t.Errorf("%.60q is kept as %.60q", contents[i].name, f.Name)
		}
		for _, way := range []string{"", "?inline", "?inline=1&inline"} {
			got := ana.get(fmt.Sprintf("/files/%d/x.html%s", f.ID, way))
			disposition, kind := got.Header.Get("Content-Disposition"), got.Header.Get("Content-Type")
			if got.StatusCode != http.StatusOK || !strings.HasPrefix(disposition, "attachment;") || got.Header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" {
				t.Errorf("%.60q%s: %d, %q, %q", f.Name, way, got.StatusCode, disposition, got.Header.Get("Content-Security-Policy"))
			}
			if strings.Contains(kind, "html") || strings.Contains(kind, "svg") || strings.Contains(kind, "xml") {
				t.Errorf("%.60q%s goes out as %s", f.Name, way, kind)
			}
			if got.body != string(contents[i].content) || got.Header.Get("X-Zap") != "" {
				t.Errorf("%.60q%s: the bytes are others, or %v", f.Name, way, got.Header)
			}
		}
	}
	if _, err := os.Stat("/etc/cron.d/zap"); err == nil {
		t.Error("a file left its folder")
	}
}

// bomb is a small file that says it holds a huge picture, with so much of it.
func bomb(t *testing.T, side uint32, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		var head [4]byte
		binary.BigEndian.PutUint32(head[:], uint32(len(data)))
		b.Write(head[:])
		body := append([]byte(kind), data...)
		b.Write(body)
		binary.BigEndian.PutUint32(head[:], crc32.ChecksumIEEE(body))
		b.Write(head[:])
	}
	head := binary.BigEndian.AppendUint32(nil, side)
	head = binary.BigEndian.AppendUint32(head, side)
	chunk("IHDR", append(head, 8, 6, 0, 0, 0)) // 8 bits, with alpha
	var z bytes.Buffer
	w, err := zlib.NewWriterLevel(&z, zlib.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(w, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	w.Close()
	chunk("IDAT", z.Bytes())
	chunk("IEND", nil)
	return b.Bytes()
}

// passes is a JPEG of a few bytes that comes in several passes: to put them
// together, a decoder keeps much more of it than its pixels.
func passes(side uint16) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xc2, 0, 17, 8} // start; frame of 8 bits, progressive
	b = binary.BigEndian.AppendUint16(b, side)
	b = binary.BigEndian.AppendUint16(b, side)
	b = append(b, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0)                // three colours
	b = append(append(b, 0xff, 0xc4, 0, 20, 0, 1), make([]byte, 16)...) // a code of one bit: nothing changes
	b = append(b, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0)      // the first pass
	blocks := (int(side) + 7) / 8
	b = append(b, make([]byte, blocks*blocks*3/8+8)...)
	return append(b, 0xff, 0xd9)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestPicturesAreNotUnpackedWithoutLimit(t *testing.T) {
	t.Parallel()
	s, ana := anasPortal(t)
	number := ana.open([]string{"subject", "Pictures", "body", "Look."},
		upload{"a.png", bomb(t, 8000, 8000*(4*8000+1))}, upload{"b.png", bomb(t, 60_000, 1<<20)}, upload{"c.png", bomb(t, 1<<31-1, 1<<20)}, upload{"d.jpg", passes(5600)})
	before := s.peak()
	for _, f := range s.ticket(number).Messages[0].Files {
		for range 3 {
			got := ana.get(fmt.Sprintf("/files/%d/%s?inline", f.ID, f.Name))
			if got.StatusCode != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment") {
				t.Errorf("%s: %d, shown as %q", f.Name, got.StatusCode, got.Header.Get("Content-Disposition"))
			}
		}
	}
	if grown := s.peak() - before; grown > 150<<20 {
		t.Errorf("looking at them took %d MiB", grown>>20)
	}
}

// peak is the most memory the server held at once, where the system tells.
func (s *serving) peak() int64 {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		var kb int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kb); err == nil {
			return kb << 10
		}
	}
	s.t.Fatal("/proc tells no VmHWM")
	return 0
}
