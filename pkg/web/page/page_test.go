package page

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestReturnPath(t *testing.T) {
	for target, want := range map[string]string{
		"/help": "/help", "/help/tickets?q=a b#x": "/help/tickets?q=a b#x", "/help/tickets/T-1": "/help/tickets/T-1",
		"": "", "help": "", "//evil.example": "", `/\evil.example`: "", `/help\..\x`: "", "https://evil.example/help": "",
		"/helper": "", "/other": "", "/help/../other": "", "/help/%2e%2e/other": "", "/help/\r\nSet-Cookie: a=b": "", "javascript:alert(1)": "",
		"/help/%": "", "/%2fevil.example": "", "/help/" + strings.Repeat("x", 1000): "",
	} {
		if got := ReturnPath("/help", target); got != want {
			t.Errorf("ReturnPath(/help, %q) is %q, wanted %q", target, got, want)
		}
	}
	if got := ReturnPath("", "/tickets"); got != "/tickets" {
		t.Errorf("without a base /tickets became %q", got)
	}
}

func FuzzReturnPathStaysOnTheHost(f *testing.F) {
	for _, s := range []string{"/help/x", "//x", "/\\x", "/help/..//x", "/help/%2e%2e/", "/help?//x", "/help/\tx", "/help#@x"} {
		f.Add(s)
	}
	base, err := url.Parse("https://portal.example/help/sign-in")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := ReturnPath("/help", s)
		if got == "" {
			return
		}
		u, err := base.Parse(got)
		if err != nil || u.Host != "portal.example" || u.Scheme != "https" || u.Path != "/help" && !strings.HasPrefix(u.Path, "/help/") {
			t.Errorf("%q is accepted and leads to %v, %v", s, u, err)
		}
	})
}

func TestVisitorByAUnixSocket(t *testing.T) {
	ask := func(proxies *Proxies, here net.Addr, peer string) string {
		r := httptest.NewRequest(http.MethodGet, "http://portal.test/", nil)
		r.RemoteAddr, r.Header = peer, http.Header{"X-Forwarded-For": {"192.0.2.1"}, "X-Forwarded-Host": {"help.test"}, "X-Forwarded-Proto": {"https"}}
		address, host, secure := proxies.Visitor(r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, here)))
		return fmt.Sprint(address, " ", host, " ", secure)
	}
	socket, port := &net.UnixAddr{Name: "/run/http.sock", Net: "unix"}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}
	unix, nobody := NewProxies(nil, true), NewProxies([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}, false)
	for name, got := range map[string][2]string{
		"a trusted socket":                         {ask(unix, socket, "@"), "192.0.2.1 help.test true"},
		"a socket that is not trusted":             {ask(nobody, socket, "@"), " portal.test false"},
		"an address that is not trusted":           {ask(unix, port, "192.0.2.9:1"), "192.0.2.9 portal.test false"},
		"a visitor by PROXY on a trusted socket":   {ask(unix, socket, "192.0.2.9:1"), "192.0.2.9 portal.test false"},
		"no address, and no socket":                {ask(unix, port, "@"), " portal.test false"},
		"no address, and nothing known of the end": {ask(unix, nil, ""), " portal.test false"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %q, want %q", name, got[0], got[1])
		}
	}
	if !unix.Trusts(socket) || unix.Trusts(port) || nobody.Trusts(socket) || !nobody.Trusts(port) {
		t.Error("trust does not follow the settings")
	}
}

func TestVisitorBehindProxies(t *testing.T) {
	proxies := NewProxies([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}, false)
	tests := []struct {
		name, peer string
		headers    map[string][]string
		address    string
		host       string
		secure     bool
	}{
		{"a visitor", "192.0.2.1:1234", nil, "192.0.2.1", "portal.test", false},
		{"a visitor who pretends", "192.0.2.1:1234", map[string][]string{"X-Forwarded-For": {"198.51.100.1"}, "X-Forwarded-Host": {"evil.test"}, "X-Forwarded-Proto": {"https"}}, "192.0.2.1", "portal.test", false},
		{"behind a proxy", "10.0.0.1:1234", map[string][]string{"X-Forwarded-For": {"192.0.2.1"}, "X-Forwarded-Host": {"help.test"}, "X-Forwarded-Proto": {"https"}}, "192.0.2.1", "help.test", true},
		{"behind two, with a lie in front", "10.0.0.1:1234", map[string][]string{"X-Forwarded-For": {"198.51.100.7, 192.0.2.1", "10.9.9.9"}}, "192.0.2.1", "portal.test", false},
		{"rubbish in the header", "10.0.0.1:1234", map[string][]string{"X-Forwarded-For": {"192.0.2.1, nonsense"}}, "10.0.0.1", "portal.test", false},
		{"IPv6", "[fd00::1]:1234", map[string][]string{"X-Forwarded-For": {"2001:db8::1"}}, "2001:db8::1", "portal.test", false},
		{"IPv4 in IPv6", "[::ffff:192.0.2.9]:1234", nil, "192.0.2.9", "portal.test", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "http://portal.test/", nil)
			r.RemoteAddr = tt.peer
			for name, values := range tt.headers {
				r.Header[name] = values
			}
			address, host, secure := proxies.Visitor(r)
			if address != tt.address || host != tt.host || secure != tt.secure {
				t.Errorf("got %s, %s, %v; wanted %s, %s, %v", address, host, secure, tt.address, tt.host, tt.secure)
			}
		})
	}
}

func TestCookiesAreBoundToTheHostOverTLS(t *testing.T) {
	h := WithInfo(NewProxies(nil, false), false, Headers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		SetSession(w, r, "secret", time.Now().Add(time.Hour))
	})))
	r := httptest.NewRequest(http.MethodGet, "https://portal.test/", nil)
	r.TLS = &tls.ConnectionState{}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	c := w.Result().Cookies()[0]
	if c.Name != "__Host-portalctl" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("the cookie is %v", c)
	}
	if w.Header().Get("Strict-Transport-Security") != "" || w.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("over TLS the headers are %v", w.Header())
	}
	r.AddCookie(&http.Cookie{Name: "portalctl", Value: "planted"})
	WithInfo(NewProxies(nil, false), false, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if got := SessionToken(r); got != "" {
			t.Errorf("a cookie without the prefix counts over TLS: %q", got)
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
}

func TestPanicIsOneFailedRequest(t *testing.T) {
	var log bytes.Buffer
	fail := func(w http.ResponseWriter, r *http.Request, err error) {
		InfoFrom(r.Context()).Err = err
		http.Error(w, "sorry "+InfoFrom(r.Context()).Ref, http.StatusInternalServerError)
	}
	inner := Recover(fail, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }))
	compressed, err := Compress(inner)
	if err != nil {
		t.Fatal(err)
	}
	h := WithInfo(NewProxies(nil, false), false, Log(slog.New(slog.NewTextHandler(&log, nil)), Headers(compressed)))
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/secret-path", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	h.ServeHTTP(w, r)
	ref := strings.TrimSpace(strings.TrimPrefix(w.Body.String(), "sorry "))
	if w.Code != http.StatusInternalServerError || len(ref) != 9 {
		t.Errorf("got %d %q, wanted 500 with a reference", w.Code, w.Body)
	}
	line := log.String()
	if strings.Count(line, "\n") != 1 || !strings.Contains(line, ref) || !strings.Contains(line, "boom") || strings.Contains(line, "secret-path") {
		t.Errorf("the log says\n%s", line)
	}
}

func TestPagesOthersHaveFetchedAreNotCompressed(t *testing.T) {
	h, err := Compress(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(bytes.Repeat([]byte("a page "), 1000))
	}))
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{"same-origin": "gzip", "none": "gzip", "same-site": "", "cross-site": "", "": ""} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", "gzip")
		r.Header.Set("Sec-Fetch-Site", from)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("asked from %q, the page is encoded as %q, want %q", from, got, want)
		}
	}
}

func TestAssetsAreCompressedOnceAndKept(t *testing.T) {
	for _, name := range []string{"portal.css", "portal.js"} {
		r := httptest.NewRequest(http.MethodGet, Asset(name), nil)
		plain := httptest.NewRecorder()
		Assets(plain, r)
		r.Header.Set("Accept-Encoding", "br, gzip")
		small := httptest.NewRecorder()
		Assets(small, r)
		if plain.Code != http.StatusOK || small.Header().Get("Content-Encoding") != "gzip" || small.Body.Len() >= plain.Body.Len()/2 {
			t.Errorf("%s: %d bytes plain, %d compressed as %q", name, plain.Body.Len(), small.Body.Len(), small.Header().Get("Content-Encoding"))
		}
		if !strings.Contains(plain.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s may not be kept: %q", name, plain.Header().Get("Cache-Control"))
		}
	}
	for _, bad := range []string{"/-/assets/portal.css", "/-/assets/../page.go", "/-/assets/portal.000000000000.css"} {
		w := httptest.NewRecorder()
		Assets(w, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: bad}})
		if w.Code != http.StatusNotFound {
			t.Errorf("%s answers %d, wanted 404", bad, w.Code)
		}
	}
}

func TestThemeAddresses(t *testing.T) {
	for path, want := range map[string]int{
		ThemeURL("#0f5fc2", ""): 200, ThemeURL("#0f5fc2", portal.FontInter): 200, FaviconURL("#AABBCC"): 200, "/-/theme/0f5fc2.css": 404, "/-/theme/zzzzzz.123456.css": 404,
		"/-/theme/0f5fc2.000000.css": 404, "/-/theme/": 404, strings.ToUpper(ThemeURL("#abcdef", "")): 404,
	} {
		w := httptest.NewRecorder()
		ServeTheme(w, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}, Header: http.Header{}})
		if w.Code != want {
			t.Errorf("%s answers %d, wanted %d", path, w.Code, want)
		}
	}
}

func TestEveryIconIsADrawing(t *testing.T) {
	names := icons()
	if len(names) < 20 {
		t.Fatalf("only %d icons", len(names))
	}
	for name, drawing := range names {
		if !strings.HasPrefix(drawing, "<svg ") || !strings.HasSuffix(drawing, "</svg>") || strings.Contains(drawing, "script") || strings.Contains(drawing, "style=") {
			t.Errorf("icon %s is %q", name, drawing)
		}
	}
	if err := Icon("no such").Render(t.Context(), io.Discard); err == nil {
		t.Error("an icon that does not exist is written without an error")
	}
}

func TestReferencesDiffer(t *testing.T) {
	var refs []string
	for range 1000 {
		refs = append(refs, NewRef())
	}
	slices.Sort(refs)
	if n := len(slices.Compact(refs)); n != 1000 {
		t.Errorf("1000 references, %d of them different", n)
	}
}
