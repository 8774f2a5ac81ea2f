package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
)

// webRoutes reads the portal's routes where they are written down.
func webRoutes(t *testing.T) [][2]string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "..", "pkg", "web", "routes.go"))
	if err != nil {
		t.Fatal(err)
	}
	var list [][2]string
	for _, m := range regexp.MustCompile(`\{"([A-Z]+) (/[^"]*)", s\.`).FindAllStringSubmatch(string(source), -1) {
		list = append(list, [2]string{m[1], m[2]})
	}
	if len(list) < 35 {
		t.Fatalf("found %d routes in routes.go; has it another form now?", len(list))
	}
	return list
}

// private is a portal with something private: a ticket of Ana's with a file and
// a note, in a company portal. Dan was her colleague until his membership was
// disabled, Kim until he left the group; Eve is of another company.
type private struct {
	*serving
	ana, eve, dan, kim, ines, stranger *person
	number, file                       string // the file's path below the portal
}

// secrets are words of Ana's ticket that nobody else gets.
var secrets = []string{"quarzsonde", "Quarzsonde", "kalibrierung", "messreihe", "notizgeheim", "ana@example.com", "Ana Berg", "ines@desk.example"}

func newPrivate(t *testing.T, args ...string) *private {
	t.Helper()
	p := newProgram(t)
	p.setUp("--permissions", "company")
	p.people("email,name,associated_company", "ana@example.com,Ana Berg,Acme", "dan@example.com,Dan Ek,Acme", "kim@example.com,Kim Ny,Acme", "eve@example.com,Eve Lind,Beta")
	w := &private{serving: p.serve(args...)}
	w.ana, w.eve, w.dan, w.kim = w.customer("ana@example.com"), w.customer("eve@example.com"), w.customer("dan@example.com"), w.customer("kim@example.com")
	w.ines, w.stranger = w.agent("ines@desk.example"), w.serving.stranger()
	w.number = w.ana.open([]string{"subject", "The quarzsonde is off", "body", "After the kalibrierung."}, upload{"messreihe.txt", []byte("messreihe")})
	if got := w.ines.do(w.ines.multipart("/tickets/"+w.number+"/replies", []string{"how", "note", "body", "notizgeheim"})); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("the note answers %d", got.StatusCode)
	}
	page := w.ana.get("/tickets/" + w.number)
	files := hrefs(t, page.body, "/help/files/")
	if len(files) == 0 {
		t.Fatalf("the ticket shows no file:\n%s", page.body)
	}
	w.file = strings.TrimPrefix(files[0], "/help")
	for name, who := range map[string]*person{"dan": w.dan, "kim": w.kim} {
		if got := who.get("/tickets/" + w.number); !strings.Contains(got.body, "quarzsonde") || strings.Contains(got.body, "notizgeheim") {
			t.Fatalf("%s does not see Ana's ticket as a colleague does: %d", name, got.StatusCode)
		}
	}
	p.ok("members", "disable", "dan@example.com")
	p.ok("groups", "members", "customers", "--remove", "kim@example.com")
	return w
}

// path is a route's path for Ana's ticket and file.
func (w *private) path(pattern string) string {
	if strings.HasPrefix(pattern, "/files/") {
		return w.file
	}
	return strings.NewReplacer("{$}", "", "{number}", w.number, "{id}", "1", "{token}", strings.Repeat("A", 43)).Replace(pattern)
}

// ask sends what a form of that route would hold.
func (p *person) ask(method, path string) *http.Request {
	if method != http.MethodPost {
		return p.request(method, path, nil)
	}
	return p.form(path, "subject", "Mine", "body", "Written by somebody", "how", "send", "email", "eve@example.com", "confidential", "on",
		"name", "Somebody", "language", "", "time_zone", "", "password", "x", "present", "x")
}

// state is what the store holds of what people would notice.
func (w *private) state() string {
	return w.ok("tickets", "export") + w.ok("contacts", "export") + w.ok("members", "list", "--output", "csv") + w.ok("mail", "outbox", "--output", "csv") +
		w.ok("portal", "show", "--output", "json") + w.ok("agents", "list", "--output", "csv")
}

// outsiders are those Ana's ticket is nothing to.
func (w *private) outsiders() map[string]*person {
	return map[string]*person{"a stranger": w.stranger, "another customer": w.eve, "a disabled member": w.dan, "one who left the group": w.kim}
}

func TestNobodyElseLearnsOfATicket(t *testing.T) {
	t.Parallel()
	w := newPrivate(t)
	before := w.ok("tickets", "show", w.number, "--output", "json") + w.ok("contacts", "show", "ana@example.com", "--output", "json")
	for name, who := range w.outsiders() {
		for _, rt := range webRoutes(t) {
			if slices.Contains([]string{"/sign-out", "/account/sessions/end", "/account/consent/withdraw"}, rt[1]) {
				continue // they would end the walk
			}
			method, path := rt[0], w.path(rt[1])
			got := who.do(who.ask(method, path))
			if got.StatusCode >= 500 {
				t.Errorf("%s: %s %s answers %d", name, method, rt[1], got.StatusCode)
			}
			text := fmt.Sprint(got.Header) + got.body
			for _, secret := range secrets {
				// The path itself says the name of the file.
				if strings.Contains(strings.NewReplacer(path, "", url.QueryEscape(path), "").Replace(text), secret) {
					t.Errorf("%s: %s %s shows %q: %d %v", name, method, rt[1], secret, got.StatusCode, got.Header)
				}
			}
			if who != w.eve && got.StatusCode == http.StatusOK && slices.Contains([]string{"/tickets", "/tickets.csv", "/tickets/new", "/tickets/{number}", "/account", "/files/{id}/{name}"}, rt[1]) {
				t.Errorf("%s: %s %s answers 200", name, method, rt[1])
			}
		}
	}
	if after := w.ok("tickets", "show", w.number, "--output", "json") + w.ok("contacts", "show", "ana@example.com", "--output", "json"); after != before {
		t.Errorf("what others posted changed Ana's ticket:\n%s\nit was\n%s", after, before)
	}
	for _, q := range []string{"quarzsonde", "kalibrierung", "notizgeheim", "messreihe", "ana", w.number} {
		for _, path := range []string{"/tickets?view=company&status=all&q=", "/tickets.csv?view=company&status=all&q=", "/tickets?who=all&status=all&q="} {
			if got := w.eve.get(path + q); got.StatusCode != http.StatusOK || strings.Contains(strings.ReplaceAll(got.body, `value="`+q+`"`, ""), "quarzsonde is off") || strings.Contains(got.body, "/tickets/"+w.number) {
				t.Errorf("Eve's search for %q at %s answers %d and shows Ana's ticket", q, path, got.StatusCode)
			}
		}
	}
	// Not even its requester finds a ticket by the agents' note.
	for _, path := range []string{"/tickets?status=all&q=notizgeheim", "/tickets.csv?status=all&q=notizgeheim"} {
		if got := w.ana.get(path); strings.Contains(got.body, "is off") {
			t.Errorf("the agents' note is found at %s", path)
		}
	}
}

// random is what differs from one asking for a link to the next, whoever asks:
// what the browser is recognised by, and the code made of it.
var random = regexp.MustCompile(`portalctl-asked=[\w-]{43}|<p class="code">\d{3} \d{3}</p>`)

// comparable is an answer without what tells nothing: the time, and the number
// or name that was asked for.
func (a answer) comparable(asked ...string) string {
	h := a.Header.Clone()
	h.Del("Date")
	var b strings.Builder
	fmt.Fprintln(&b, a.StatusCode)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintln(&b, name, h[name])
	}
	text := random.ReplaceAllString(b.String()+a.body, "…")
	for _, s := range asked {
		text = strings.ReplaceAll(strings.ReplaceAll(text, url.QueryEscape(s), "…"), s, "…")
	}
	return text
}

func TestSomebodyElsesIsLikeNothing(t *testing.T) {
	t.Parallel()
	w := newPrivate(t)
	const none = "T-1999" // as long as Ana's
	nowhere := regexp.MustCompile(`^/files/\d+`).ReplaceAllString(w.file, "/files/9")
	conditions := []http.Header{{}, {"Range": {"bytes=0-3"}}, {"If-Modified-Since": {"Mon, 01 Jan 2035 00:00:00 GMT"}}, {"If-None-Match": {"*"}}, {"If-Match": {"*"}}}
	for name, who := range w.outsiders() {
		who.get("/tickets") // takes the notice that was waiting for the next page
		who.get("/sign-in")
		for _, rt := range webRoutes(t) {
			if !strings.Contains(rt[1], "{number}") && !strings.HasPrefix(rt[1], "/files/") {
				continue
			}
			path := w.path(rt[1])
			other := strings.NewReplacer(w.number, none, w.file, nowhere).Replace(path)
			methods := []string{rt[0]}
			if rt[0] == http.MethodGet {
				methods = append(methods, http.MethodHead)
			}
			for _, method := range methods {
				for _, condition := range conditions {
					for _, query := range []string{"", "?inline", "?print"} {
						one, two := who.ask(method, path+query), who.ask(method, other+query)
						for h := range condition {
							one.Header.Set(h, condition.Get(h))
							two.Header.Set(h, condition.Get(h))
						}
						there, missing := who.do(one), who.do(two)
						if got, want := there.comparable(path, w.number), missing.comparable(other, none); got != want {
							t.Errorf("%s: %s %s%s %v: there and not there differ:\n%s\n\n%s", name, method, rt[1], query, condition, got, want)
						}
					}
					if method == http.MethodPost {
						break // conditions are for reading
					}
				}
			}
		}
	}
}

// Reading changes nothing anybody would notice, whoever reads what.
func TestReadingChangesNothing(t *testing.T) {
	t.Parallel()
	w := newPrivate(t)
	link := func(args ...string) string {
		u, err := url.Parse(anyURL.FindString(w.ok(args...)))
		if err != nil {
			t.Fatal(err)
		}
		return u.Path
	}
	// Links that are good: a mail scanner follows them with GET and HEAD.
	links := []string{link("members", "link", "ana@example.com"), link("agents", "link", "ines@desk.example")}
	before := w.state()
	for _, who := range []*person{w.ana, w.ines, w.eve, w.dan, w.stranger} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			for _, rt := range webRoutes(t) {
				// Also of routes that only take forms.
				if got := who.do(who.request(method, w.path(rt[1]), nil)); got.StatusCode >= 500 {
					t.Errorf("%s %s answers %d", method, rt[1], got.StatusCode)
				} else if method == http.MethodHead && got.body != "" {
					t.Errorf("HEAD %s has a body", rt[1])
				}
			}
			for _, l := range links {
				if got := who.do(who.request(method, l, nil)); got.StatusCode >= 400 && who != w.dan {
					t.Errorf("%s of a good link answers %d", method, got.StatusCode)
				}
			}
		}
	}
	if after := w.state(); after != before {
		t.Errorf("reading changed the store:\n%s\nit was\n%s", after, before)
	}
	if got := w.ana.get("/account"); got.StatusCode != http.StatusOK {
		t.Errorf("after all that reading Ana is signed out: %d", got.StatusCode)
	}
	fresh := w.serving.stranger()
	if got := fresh.do(fresh.encoded(links[1], filledIn(t, fresh.get(links[1]).body))); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the agent's link was used up by reading: %d", got.StatusCode)
	}
}

func TestFormsOfOtherSitesDoNothing(t *testing.T) {
	t.Parallel()
	w := newPrivate(t)
	before := w.state()
	_, port, err := net.SplitHostPort(w.host)
	if err != nil {
		t.Fatal(err)
	}
	foreign := [][2]string{
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
		{"Sec-Fetch-Site", "same-site"}, // with other methods
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
		{"Origin", "http://" + w.host + ".evil.example"},
		{"Origin", "http://evil.example:" + port},
		{"Origin", "http://127.0.0.1"},
		{"Origin", "http://localhost:" + port},
		{"Origin", "file://"},
		{"Origin", "http://" + w.host + "@evil.example"},
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "anything"},
	}
	for _, who := range []*person{w.ana, w.ines, w.stranger} {
		for _, rt := range webRoutes(t) {
			if rt[0] == http.MethodGet {
				continue
			}
			for i, from := range foreign {
				r := who.form(w.path(rt[1]), "body", "evil", "email", "eve@example.com", "name", "Evil", "how", "public")
				if other := []string{http.MethodPut, http.MethodPatch, http.MethodDelete}; i < len(other) {
					r.Method = other[i]
				}
				r.Header.Del("Origin")
				r.Header.Set(from[0], from[1])
				got := who.do(r)
				if got.StatusCode != http.StatusForbidden && (r.Method == http.MethodPost || got.StatusCode != http.StatusMethodNotAllowed) {
					t.Errorf("%s %s with %s %q answers %d, want 403", r.Method, rt[1], from[0], from[1], got.StatusCode)
				}
				if len(got.Header.Values("Set-Cookie")) > 0 {
					t.Errorf("%s %s with %s %q sets a cookie", r.Method, rt[1], from[0], from[1])
				}
			}
		}
	}
	if after := w.state(); after != before {
		t.Errorf("forms of other sites changed the store:\n%s\nit was\n%s", after, before)
	}
	for _, who := range []*person{w.ana, w.ines} {
		if got := who.get("/tickets"); got.StatusCode != http.StatusOK {
			t.Errorf("after that, the list answers %d", got.StatusCode)
		}
	}
}

// raw sends bytes and reads an answer.
func (s *serving) raw(text string) (*http.Response, string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		s.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/help"}})
	if err != nil {
		s.t.Fatalf("%q: %v", text, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("%q: %v", text, err)
	}
	return res, string(body)
}

func TestForeignHostsGetNothing(t *testing.T) {
	t.Parallel()
	post := smtptest.Start(t, smtptest.Options{})
	w := newPrivate(t, "--smtp", fmt.Sprintf("smtp://%s:%d?starttls=off", post.Host, post.Port), "--mail-from", "help@desk.example")
	for _, host := range []string{"evil.example", "evil.example:80", w.host + ".evil.example", "127.0.0.1.evil.example", "localhost", "[::1]", "0.0.0.0", "xn--127", "127.0.0.2"} {
		for _, path := range []string{"/help/sign-in", "/help/tickets", "/"} {
			res, body := w.raw("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
			if res.StatusCode != http.StatusMisdirectedRequest || strings.Contains(body, "Nordlys") || strings.Contains(body, host) {
				t.Errorf("host %s, %s: %d\n%.200s", host, path, res.StatusCode, body)
			}
			if problems := headerProblems(answer{res, body}); len(problems) > 0 {
				t.Errorf("host %s, %s: %s", host, path, problems)
			}
		}
	}
	for _, text := range []string{
		"GET http://evil.example/help/sign-in HTTP/1.1\r\nHost: " + w.host + "\r\nConnection: close\r\n\r\n",
		"GET /help/sign-in HTTP/1.0\r\n\r\n",
		"GET /help/sign-in HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
	} {
		if res, _ := w.raw(text); res.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%q answers %d, want 421", text, res.StatusCode)
		}
	}
	for _, text := range []string{
		"GET /help/sign-in HTTP/1.1\r\nHost: " + w.host + "\r\nHost: evil.example\r\n\r\n",
		"GET /help/sign-in HTTP/1.1\r\nHost: " + w.host + "/@evil.example\r\n\r\n",
		"GET /help/sign-in HTTP/1.1\r\n\r\n",
		"POST /help/sign-in HTTP/1.1\r\nHost: " + w.host + "\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"POST /help/sign-in HTTP/1.1\r\nHost: " + w.host + "\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
	} {
		if res, _ := w.raw(text); res.StatusCode != http.StatusBadRequest && res.StatusCode != http.StatusNotImplemented {
			t.Errorf("%q answers %d, want 400", text, res.StatusCode)
		}
	}

	// What only a proxy may say is not believed, and no mail leads elsewhere.
	r := w.stranger.form("/sign-in/link", "email", "ana@example.com")
	for _, name := range []string{"X-Forwarded-Host", "X-Host", "X-Forwarded-Server", "X-HTTP-Host-Override", "X-Original-Host"} {
		r.Header.Set(name, "evil.example")
	}
	r.Header.Set("Forwarded", "host=evil.example;proto=https")
	r.Header.Set("X-Forwarded-Proto", "https")
	got := w.stranger.do(r)
	if got.StatusCode != http.StatusSeeOther || strings.Contains(fmt.Sprint(got.Header), "evil") || strings.Contains(fmt.Sprint(got.Header), "Secure") {
		t.Errorf("with a proxy's headers from nobody: %d %v", got.StatusCode, got.Header)
	}
	for n := 1; ; n++ {
		m := post.Wait(t, n)[n-1]
		if strings.Contains(string(m.Raw), "evil") {
			t.Errorf("the mail leads to the host a visitor sent:\n%s", m.Raw)
		}
		if m.To == "ana@example.com" && strings.Contains(string(m.Raw), "/sign-in/link/") {
			break
		}
	}
}

// Targets to return to lead back into the portal and nowhere else.
func TestNothingLeadsElsewhere(t *testing.T) {
	t.Parallel()
	w := newPrivate(t)
	home := func(location string) bool {
		u, err := url.Parse(location)
		return err == nil && (u.Host == "" || u.Host == w.host) && (u.Scheme == "" || u.Scheme == "http") && strings.HasPrefix(u.Path, "/help") &&
			!strings.HasPrefix(location, "//") && !strings.ContainsAny(location, "\\\r\n")
	}
	for _, target := range []string{
		"https://evil.example/", "//evil.example/", `/\evil.example/`, `\\evil.example`, "/help/..//evil.example", "/help/../../evil", "javascript:alert(1)", "/help\r\nX-Zap: 1", "/help/tickets\r\nSet-Cookie: zap=1",
		"http:evil.example", "/%2fevil.example", "/help@evil.example", "evil.example", "\t//evil.example", "/help/%0d%0aX-Zap:1", "/help/%2e%2e/x", "?x", "/helpless", strings.Repeat("/help/x", 1000), "/help/\x00", "data:text/html,x",
	} {
		q := url.QueryEscape(target)
		for _, got := range []answer{w.ana.get("/sign-in?return_to=" + q), w.stranger.post("/sign-in/link", "email", "nob@example.com", "return_to", target), w.stranger.get("/sign-in?return_to=" + q)} {
			location := got.Header.Get("Location")
			if got.StatusCode >= 500 || location != "" && !home(location) || got.Header.Get("X-Zap") != "" || strings.Contains(fmt.Sprint(got.Header), "zap=1") {
				t.Errorf("return_to %.60q: %d to %q, %v", target, got.StatusCode, location, got.Header)
			}
			for n := range document(t, got.body).Descendants() {
				if attribute(n, "name") == "return_to" && attribute(n, "value") != "" && !home(attribute(n, "value")) {
					t.Errorf("return_to %.60q stands in the form as %q", target, attribute(n, "value"))
				}
			}
		}
	}
	for _, path := range []string{
		"//evil.example/", "//evil.example/%2e%2e", "/help//evil.example/", "/help/%0d%0aX-Zap:1", "/help/..%2f..%2f", `/\evil.example/`, "/help/%5cevil.example", "/help/./../..//evil.example", "/%2f%2fevil.example/help/",
		"/help/tickets/%00", "/help/tickets/%ff%fe", "/help/%c0%ae%c0%ae/", "/help/files/1/..%2f..%2f..%2fetc%2fpasswd", "/help/files/99999999999999999999/x", "/help/files/-1/x", "/help/files/1e3/x",
		"/-/assets/../../go.mod", "/-/assets/..%2f..%2fgo.mod", "/-/theme/..%2f", "/-/mail", "/-/metrics", "/debug/pprof/", "/.git/config", "/portal.db", "/help/portal.db", "/help;x/", "/HELP/", "/help%2ftickets",
	} {
		for _, who := range []*person{w.stranger, w.eve} {
			got, err := who.try(&http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: w.host, Opaque: "//" + w.host + path}, Header: http.Header{}})
			if err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			location := got.Header.Get("Location")
			if got.StatusCode >= 500 || location != "" && !home(location) || got.Header.Get("X-Zap") != "" || strings.Contains(got.body, "root:") || strings.Contains(got.body, "SQLite") {
				t.Errorf("%s: %d to %q", path, got.StatusCode, location)
			}
			if got.StatusCode == http.StatusOK {
				t.Errorf("%s answers 200:\n%.300s", path, got.body)
			}
		}
	}
}

// Who is known, and in what way, no form tells.
func TestFormsTellNobodyWhoIsKnown(t *testing.T) {
	t.Parallel()
	w := newPrivate(t)
	w.ok("agents", "add", "ian@example.com", "--name", "Ian")
	w.ok("contacts", "add", "lea@example.com", "--name", "Lea") // no member
	w.ok("contacts", "add", "pia@example.com", "--name", "Pia") // has a password
	w.ok("groups", "members", "customers", "--add", "pia@example.com")
	_, invitation, _ := strings.Cut(strings.TrimSpace(w.ok("members", "link", "pia@example.com")), "/help")
	if got := w.serving.stranger().post(invitation, "name", "Pia", "password", "a lighthouse in the rain"); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("Pia's password: %d\n%s", got.StatusCode, got.body)
	}
	w.ok("init", "--name", "Open", "--domain", "system", "--slug", "helpopen", "--inbox", "Support", "--permissions", "contact", "--access", "self-register")
	addresses := []string{"nob@example.com", "ana@example.com", "pia@example.com", "eve@example.com", "dan@example.com", "kim@example.com", "lea@example.com", "ian@example.com"}
	for _, form := range []struct {
		path   string
		fields []string
		status int
	}{
		{"/help/sign-in/link", nil, http.StatusSeeOther},
		{"/help/reset", nil, http.StatusSeeOther},
		{"/help/sign-in", []string{"password", "wrong horse battery staple"}, http.StatusUnprocessableEntity},
		{"/helpopen/sign-in/link", nil, http.StatusSeeOther},
		{"/helpopen/register", nil, http.StatusSeeOther},
		{"/helpopen/reset", nil, http.StatusSeeOther},
	} {
		var first string
		for i, address := range addresses {
			who := w.serving.stranger()
			got := who.post(form.path, append([]string{"email", address}, form.fields...)...)
			text := got.comparable(address)
			if to := got.Header.Get("Location"); to != "" {
				text += who.do(who.absolute(to)).comparable(address)
			}
			if i == 0 {
				first = text
				if got.StatusCode != form.status {
					t.Errorf("%s answers %d, want %d:\n%s", form.path, got.StatusCode, form.status, got.body)
				}
			} else if text != first {
				t.Errorf("%s: %s and an address nobody has are answered differently:\n%s\n\n%s", form.path, address, text, first)
			}
		}
	}
}
