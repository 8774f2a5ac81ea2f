package main

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/creack/pty"
	"golang.org/x/net/html"

	"github.com/portalctl/portalctl/pkg/portaltest/smtptest"
)

// bad is a line that tries to be a formula, the end of an attribute, elements,
// SQL, a template and a header, with letters of four bytes. Its mark tells which
// field it was typed into.
func bad(mark string) string {
	return `=1+1"'><zap-` + mark + ` zap=1 onload=zap()><img src=x onerror=zap()></title></textarea>')); DROP TABLE ticket;-- {{zap}} %0d%0aX-Zap: 1 🦊𝒳 ` + mark
}

// badText is a text of several lines with what a line would be refused for.
func badText(mark string) string {
	return bad(mark) + "\r\nBcc: zap@evil.example\r\n.\r\n" + hiddenText + mark +
		"\n[zap](javascript:zap()) <javascript:zap()> ![zap](https://evil.example/zap.png)\n<script>zap()</script>\n<style>*{display:none}</style>\n" +
		"https://evil.example/\"onmouseover=zap() javascript:zap() data:text/html,zap\n" + strings.Repeat("> ", 300) + mark
}

// hiddenText holds what a terminal obeys and what turns the text around.
const hiddenText = "\x1b[31mred\x1b]0;zap\a\u009b31m\x00\x7f\u0085\u202eabc\u2066def\u2069\u200f\ufeff "

// troublesome reports characters no output may hold as they are.
func troublesome(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// hidden returns the troublesome characters of a text.
func hidden(s string) string {
	var found []string
	for _, r := range s {
		if troublesome(r) && !slices.Contains(found, fmt.Sprintf("%U", r)) {
			found = append(found, fmt.Sprintf("%U", r))
		}
	}
	return strings.Join(found, " ")
}

// pageElements are the elements our pages and mails are made of.
var pageElements = strings.Fields(`html bdi head meta title link script body main header footer nav section article aside div span p a ul ol li dl dt dd
	h1 h2 h3 form fieldset legend label input textarea select option button table caption thead tbody tr th td svg path rect circle line polyline polygon
	time strong em code pre blockquote br hr img details summary del b i small output template noscript figure figcaption mark abbr search dialog`)

// pageProblems says what of a page or an HTML mail a visitor's input made.
func pageProblems(page string, host string) []string {
	var found []string
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return []string{err.Error()}
	}
	for n := range doc.Descendants() {
		switch n.Type {
		case html.TextNode:
			// What a person types into their own form is theirs.
			if h := hidden(n.Data); h != "" && n.Parent.Data != "textarea" {
				add("the text %.80q has %s", n.Data, h)
			}
			if n.Parent.Data == "style" && strings.Contains(n.Data, "zap") {
				add("a style says %q", n.Data)
			}
		case html.CommentNode:
			if strings.Contains(n.Data, "zap") {
				add("a comment says %q", n.Data)
			}
		case html.ElementNode:
			if !slices.Contains(pageElements, n.Data) && (n.Data != "style" || host != "") {
				add("there is an element <%s>", n.Data)
			}
			if n.Data == "script" && (n.FirstChild != nil || !strings.HasPrefix(attribute(n, "src"), "/-/assets/")) {
				add("there is a script from %q", attribute(n, "src"))
			}
			for _, a := range n.Attr {
				if problem := attributeProblem(n.Data, a, host); problem != "" {
					add("<%s %s=%.80q>: %s", n.Data, a.Key, a.Val, problem)
				}
			}
		}
	}
	return found
}

// attributeProblem says what is wrong with an attribute.
func attributeProblem(element string, a html.Attribute, host string) string {
	if strings.Contains(a.Key, "zap") || strings.HasPrefix(a.Key, "on") || a.Key == "srcdoc" {
		return "our pages have no such attribute"
	}
	if h := hidden(a.Val); h != "" && a.Key != "value" {
		return "it has " + h
	}
	switch a.Key {
	case "src", "action", "formaction", "poster", "data", "background":
		if !strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//") {
			return "it leads elsewhere"
		}
	case "href":
		local := strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//") || strings.HasPrefix(a.Val, "#") || strings.HasPrefix(a.Val, "?")
		link := element == "a" && (strings.HasPrefix(a.Val, "https://") || strings.HasPrefix(a.Val, "http://") || strings.HasPrefix(a.Val, "mailto:"))
		if !local && !link {
			return "it leads elsewhere"
		}
	case "style":
		if host != "" || strings.Contains(a.Val, "zap") {
			return "our pages have no styles in them"
		}
	case "class", "id", "name", "for", "type", "method", "http-equiv", "rel":
		if strings.Contains(a.Val, "zap") {
			return "it came from outside"
		}
	}
	return ""
}

// badFields are the marks of the fields that are to be seen on some page.
var badFields = []string{"portal", "one", "many", "label", "choice", "extra", "subject", "body", "file", "reply", "note", "contact", "company", "agent", "search", "imported", "consent"}

// badWorld is a portal in which every name and text is bad.
func badWorld(t *testing.T) (*serving, *smtptest.Server) {
	t.Helper()
	p := newProgram(t)
	p.ok("init", "--name", bad("portal"), "--domain", "system", "--slug", "help", "--inbox", bad("inbox"), "--inbox-kind", "inbox",
		"--inbox-address", "support@desk.example", "--permissions", "company", "--access", "groups", "--group", "customers")
	p.ok("groups", "add", bad("group"))
	// A comma, a colon and a bar have a meaning here.
	plain := func(mark string) string {
		return `=1+1"'><zap-` + mark + ` onload=zap()><img src=x onerror=zap()> ` + mark
	}
	p.ok("tickets", "configure", "--label", plain("one")+":"+plain("many"), "--show-agent", "name",
		"--fields", "priority,category:"+plain("label")+":choice:"+plain("choice")+"|Other,extra:"+plain("extralabel")+":long",
		"--columns", "number,subject,status,priority,category,requester,company,assignee,created,updated")
	p.ok("agents", "add", "ines@desk.example", "--name", bad("agent"))
	p.ok("companies", "add", "--name", bad("company"), "--property", "plan="+bad("plan"))
	for _, email := range []string{"ana@example.com", "bo@example.com"} {
		p.ok("contacts", "add", email, "--name", bad("contact"), "--company", bad("company"), "--property", `x"'><zap-key>=`+bad("property"))
	}
	for _, group := range []string{"customers", bad("group")} {
		p.ok("groups", "members", group, "--add", "ana@example.com,bo@example.com")
	}
	file := filepath.Join(p.dir, "html.csv")
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write([]string{"subject", "requester", "message_at", "message_kind", "message_by", "message_author", "message_format", "message_body", "category"})
	w.Write([]string{bad("imported"), "ana@example.com", "2026-01-31T10:00:00Z", "public", "contact", "ana@example.com", "html", badText("imported"), bad("importedcategory")})
	w.Flush()
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	p.ok("tickets", "import", file)
	consent := filepath.Join(p.dir, "consent.txt")
	if err := os.WriteFile(consent, []byte(bad("consent")+"\n"+"\u202eabc\u2066def"+bad("consent")), 0o600); err != nil {
		t.Fatal(err)
	}
	p.ok("init", "--name", bad("portal"), "--domain", "system", "--slug", "helpopen", "--inbox", bad("inbox"), "--permissions", "contact", "--access", "self-register")
	p.ok("access", "set", "self-register", "--consent", consent, "--portal", "helpopen")
	post := smtptest.Start(t, smtptest.Options{})
	return p.serve("--smtp", fmt.Sprintf("smtp://%s:%d?starttls=off", post.Host, post.Port), "--mail-from", "help@desk.example"), post
}

// typeEverywhere types something bad into every field of the portal, and returns
// the number of the ticket it opened.
func typeEverywhere(t *testing.T, ana, bo, agent *person) string {
	t.Helper()
	choice := `=1+1"'><zap-choice onload=zap()><img src=x onerror=zap()> choice`
	number := ana.open([]string{
		"subject", bad("subject") + "\r\nBcc: zap@evil.example", "body", badText("body"), "field_category", choice,
		"field_extra", bad("extra"), "field_priority", "urgent", "participants", "bo@example.com",
	}, upload{bad("file") + ".svg", []byte("<svg onload=zap()>")})
	ticket := "/tickets/" + number
	for name, got := range map[string]answer{
		"note":   agent.do(agent.multipart(ticket+"/replies", []string{"how", "note", "body", badText("note")})),
		"public": agent.do(agent.multipart(ticket+"/replies", []string{"how", "public", "body", badText("reply")}, upload{`a"; filename=zap.html`, []byte("x")})),
		"answer": bo.post(ticket+"/replies", "how", "send", "body", badText("body")),
	} {
		if got.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s: %d\n%s", name, got.StatusCode, got.body)
		}
	}
	if got := ana.post(ticket+"/draft", "body", badText("draft")); got.StatusCode != http.StatusNoContent {
		t.Fatalf("draft: %d", got.StatusCode)
	}
	return number
}

// badPages are pages with what was typed in them, and forms that come back.
func badPages(s *serving, number string, ana, bo, agent *person) map[string]answer {
	ticket, q := "/tickets/"+number, "?"+url.Values{
		"q": {bad("search")}, "status": {bad("search")}, "sort": {bad("x")}, "view": {bad("x")},
		"after": {bad("x")}, "before": {bad("x")}, "from": {bad("x")}, "to": {bad("x")}, "who": {bad("x")}, "page": {"-1"},
	}.Encode()
	stranger := s.stranger()
	odd := s.stranger()
	odd.client.Jar.SetCookies(&url.URL{Scheme: "http", Host: s.host, Path: "/"}, []*http.Cookie{
		{Name: "portalctl", Value: "<script>zap</script>", Path: "/"}, {Name: "portalctl-flash", Value: "<script>zap</script>", Path: "/"},
	})
	r := odd.request(http.MethodGet, "/sign-in", nil)
	for _, name := range []string{"User-Agent", "Referer", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Accept-Language", "X-Original-URL", "X-Rewrite-URL"} {
		r.Header.Set(name, `"'><zap-header onload=zap()>, evil.example`)
	}
	return map[string]answer{
		"ana's list": ana.get("/tickets"), "company list": ana.get("/tickets?view=company&status=all"), "bo's list": bo.get("/tickets?status=all"), "agent's list": agent.get("/tickets?status=all"),
		"search": ana.get("/tickets" + q), "agent's search": agent.get("/tickets" + q), "a word": ana.get("/tickets?status=all&q=zap-subject"),
		"ana's ticket": ana.get(ticket), "bo's ticket": bo.get(ticket), "agent's ticket": agent.get(ticket), "print": ana.get(ticket + "?print"), "imported": ana.get("/tickets/T-1001"),
		"new": ana.get("/tickets/new?follows=" + url.QueryEscape(bad("x"))), "account": ana.get("/account"), "sign-out": ana.get("/sign-out"),
		"refused new":    ana.post("/tickets/new", "subject", "", "body", badText("body"), "field_extra", bad("extra"), "field_category", bad("x"), "participants", bad("x"), "follows", bad("x")),
		"refused line":   ana.post("/tickets/new", "subject", bad("subject")+"\u202e\x1b", "body", "x", "field_extra", "\x00\u202e"),
		"refused reply":  ana.post(ticket+"/replies", "how", bad("x"), "body", "\x00\x1b \u0085"),
		"refused how":    agent.post(ticket+"/replies", "how", bad("x"), "body", badText("body")),
		"refused person": ana.post(ticket+"/participants", "email", bad("x")),
		"refused name":   ana.post("/account/profile", "name", bad("contact")+"\u202e", "language", bad("x"), "time_zone", "../../etc/"+bad("x")),
		"refused secret": ana.post("/account/password", "present", bad("x"), "password", bad("x")),
		"sign-in":        stranger.get("/sign-in?return_to=" + url.QueryEscape("/help/tickets?q="+bad("x"))), "other headers": odd.do(r),
		"refused sign-in": stranger.post("/sign-in", "email", bad("x"), "password", bad("x"), "return_to", "/help/"+bad("x")),
		"refused link":    stranger.post("/sign-in/link", "email", bad("x"), "return_to", bad("x")), "refused reset": stranger.post("/reset", "email", bad("x")),
		"link": stranger.get("/sign-in/link/" + url.PathEscape(bad("x"))), "invitation": stranger.get("/invitation/" + url.PathEscape(bad("x"))), "used reset": stranger.post("/reset/"+url.PathEscape(bad("x")), "password", bad("x")),
		"nowhere": ana.get("/" + url.PathEscape(bad("x"))), "no ticket": ana.get("/tickets/" + url.PathEscape(bad("x"))), "no file": ana.get("/files/1/" + url.PathEscape(bad("x"))),
		"no portal": stranger.do(stranger.absolute("/" + url.PathEscape(bad("x")))), "no asset": stranger.get("/-/assets/" + url.PathEscape(bad("x"))), "no theme": stranger.get("/-/theme/" + url.PathEscape(bad("x"))),
	}
}

// linkPath is the path of the link a command printed.
func linkPath(t *testing.T, printed string) string {
	t.Helper()
	u, err := url.Parse(anyURL.FindString(printed))
	if err != nil || u.Path == "" {
		t.Fatalf("no link in %q: %v", printed, err)
	}
	return u.Path
}

// absolute is a request to a path that may lie outside the portal.
func (p *person) absolute(path string) *http.Request {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+p.host+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func TestWhateverIsTypedIsHarmlessEverywhere(t *testing.T) {
	t.Parallel()
	s, post := badWorld(t)
	ana, bo, agent := s.customer("ana@example.com"), s.customer("bo@example.com"), s.agent("ines@desk.example")
	number := typeEverywhere(t, ana, bo, agent)
	// Somebody comes with a browser of a bad name, another agrees to bad terms.
	odd := s.stranger()
	link := linkPath(t, s.ok("members", "link", "ana@example.com", "--portal", "help"))
	r := odd.encoded(link, filledIn(t, odd.get(link).body))
	r.Header.Set("User-Agent", bad("browser"))
	if got := odd.do(r); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("with a bad browser, a link answers %d", got.StatusCode)
	}
	s.ok("contacts", "add", "new@example.com", "--name", bad("contact"))
	terms := linkPath(t, s.ok("members", "link", "new@example.com", "--portal", "helpopen"))
	for path, address := range map[string]string{"/help/sign-in/link": "bo@example.com", "/help/reset": "ana@example.com", "/helpopen/register": "nia@example.com"} {
		if got := odd.post(path, "email", address, "return_to", "/help/tickets?q="+bad("x")); got.StatusCode != http.StatusSeeOther {
			t.Fatalf("%s answers %d\n%s", path, got.StatusCode, got.body)
		}
	}

	pages := badPages(s, number, ana, bo, agent)
	pages["sessions"] = ana.get("/account")
	pages["terms"], pages["refused terms"] = odd.get(terms), odd.post(terms, "name", bad("contact")+"\u202e", "password", bad("x"))
	var all strings.Builder
	for name, page := range pages {
		if page.StatusCode >= 500 {
			t.Errorf("%s answers %d", name, page.StatusCode)
		}
		if strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
			for _, problem := range pageProblems(page.body, s.host) {
				t.Errorf("%s: %s", name, problem)
			}
		} else if !strings.HasPrefix(page.Header.Get("Content-Type"), "text/plain") && page.body != "" && !strings.HasPrefix(page.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s is shown as %s", name, page.Header.Get("Content-Type"))
		}
		for header, values := range page.Header {
			if strings.Contains(strings.ToLower(header), "zap") || hidden(strings.Join(values, "")) != "" {
				t.Errorf("%s: header %s is %q", name, header, values)
			}
		}
		for n := range document(t, page.body).Descendants() {
			if n.Type == html.TextNode || n.Type == html.ElementNode && n.Data == "input" {
				all.WriteString(n.Data + attribute(n, "value"))
			}
		}
	}
	for _, mark := range badFields {
		if !strings.Contains(all.String(), "zap-"+mark) && !strings.Contains(all.String(), "🦊𝒳 "+mark) {
			t.Errorf("no page shows what was typed as %s; the test looks at nothing", mark)
		}
	}
	checkSheet(t, "tickets.csv", ana.get("/tickets.csv?view=company&status=all").body)
	checkSheet(t, "the agent's tickets.csv", agent.get("/tickets.csv?status=all").body)

	// The ticket, the agent's answer and bo's reach the agent and both
	// customers; a link, a new password and a registration were asked for.
	for _, m := range post.Wait(t, 10) {
		checkMail(t, m)
	}
	if log := s.log.String(); strings.Contains(log, "zap") || strings.Contains(log, "example.com") {
		t.Errorf("the log holds what people typed:\n%s", log)
	}
}

// checkSheet wants a table in which nothing is a formula.
func checkSheet(t *testing.T, name, text string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %d rows, %v:\n%s", name, len(rows), err, text)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r\n|%", rune(cell[0])) {
				t.Errorf("%s: a spreadsheet runs %.60q", name, cell)
			}
		}
	}
	if !strings.Contains(text, "zap") {
		t.Errorf("%s shows nothing that was typed", name)
	}
}

// checkMail wants a mail with our headers and parts and no others.
func checkMail(t *testing.T, m *smtptest.Mail) {
	t.Helper()
	office := m.To == "support@desk.example" || m.To == "ines@desk.example"
	if !office && !slices.Contains([]string{"ana@example.com", "bo@example.com", "nia@example.com"}, m.To) {
		t.Errorf("a mail goes to %s", m.To)
	}
	head, _, _ := bytes.Cut(m.Raw, []byte("\r\n\r\n"))
	if h := hidden(string(m.Raw)); h != "" || !asciiOnly(head) {
		t.Errorf("the mail to %s has %s, or more than ASCII in its head:\n%s", m.To, h, head)
	}
	msg := m.Message(t)
	known := []string{
		"From", "To", "Reply-To", "Subject", "Date", "Message-Id", "In-Reply-To", "References", "Mime-Version", "Content-Type", "Content-Language",
		"Content-Transfer-Encoding", "Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "X-Mailer", "User-Agent", "List-Id",
		"List-Unsubscribe", "List-Unsubscribe-Post", "Thread-Topic", "Thread-Index",
	}
	for name, values := range msg.Header {
		if !slices.Contains(known, name) || len(values) > 1 {
			t.Errorf("the mail to %s has the header %s: %q", m.To, name, values)
		}
		decoded, err := new(mime.WordDecoder).DecodeHeader(values[0])
		if err != nil || hidden(decoded) != "" || strings.ContainsAny(decoded, "\r\n") {
			t.Errorf("the mail to %s: %s is %q, %v", m.To, name, decoded, err)
		}
	}
	if to, err := msg.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != m.To {
		t.Errorf("the mail to %s says it goes to %v, %v", m.To, to, err)
	}
	texts := map[string]string{}
	if err := mailTexts(msg.Header.Get("Content-Type"), msg.Header.Get("Content-Transfer-Encoding"), msg.Body, texts); err != nil {
		t.Fatalf("the mail to %s: %v\n%s", m.To, err, m.Raw)
	}
	plain, page := texts["text/plain"], texts["text/html"]
	if len(texts) != 2 || !strings.Contains(plain, "zap-") || !strings.Contains(page, "zap-") {
		t.Errorf("the mail to %s has %d parts, want a text and a page with what was typed", m.To, len(texts))
	}
	if h := hidden(plain); h != "" {
		t.Errorf("the text to %s has %s:\n%q", m.To, h, plain)
	}
	for _, problem := range pageProblems(page, "") {
		t.Errorf("the page in the mail to %s: %s", m.To, problem)
	}
	if !office && strings.Contains(plain+page, "🦊𝒳 note") {
		t.Errorf("the mail to %s has the agents' note", m.To)
	}
}

func asciiOnly(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return r > unicode.MaxASCII })
}

// mailTexts collects a mail's texts by their type.
func mailTexts(kind, encoding string, body io.Reader, texts map[string]string) error {
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		return err
	}
	if strings.HasPrefix(media, "multipart/") {
		for parts := multipart.NewReader(body, params["boundary"]); ; {
			part, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := mailTexts(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part, texts); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	texts[media] += string(text)
	return err
}

// onTerminal runs a command on a terminal and returns what appears there.
func (p *program) onTerminal(args ...string) string {
	p.t.Helper()
	cmd := p.command(args...)
	cmd.Env = append(cmd.Env, "TERM=xterm-256color", "NO_COLOR=1")
	ptm, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		p.t.Skipf("this machine has no pseudo-terminals: %v", err)
	}
	defer ptm.Close()
	var shown bytes.Buffer
	if _, err := io.Copy(&shown, ptm); err != nil && !errors.Is(err, syscall.EIO) {
		p.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		p.t.Fatalf("portalctl %q on a terminal: %v\n%s", args, err, &shown)
	}
	return shown.String()
}

func TestCommandsPrintNothingATerminalObeys(t *testing.T) {
	t.Parallel()
	s, _ := badWorld(t)
	number := typeEverywhere(t, s.customer("ana@example.com"), s.customer("bo@example.com"), s.agent("ines@desk.example"))
	for _, args := range [][]string{
		{"status"},
		{"portal", "list"},
		{"portal", "show", "--portal", "help"},
		{"domain", "list"},
		{"domain", "show", "system"},
		{"inbox", "list"},
		{"inbox", "show", bad("inbox")},
		{"tickets", "list", "--status", "all"},
		{"tickets", "show", number},
		{"tickets", "show", "T-1001"},
		{"tickets", "configure", "--portal", "help"},
		{"access", "show", "--portal", "help"},
		{"access", "show", "--portal", "helpopen"},
		{"access", "explain", "--contact", "bo@example.com", "--ticket", number, "--portal", "help"},
		{"groups", "list"},
		{"groups", "show", bad("group")},
		{"groups", "members", bad("group")},
		{"members", "list", "--portal", "help"},
		{"contacts", "list"},
		{"contacts", "show", "ana@example.com"},
		{"companies", "list"},
		{"companies", "show", bad("company")},
		{"agents", "list"},
		{"mail", "outbox"},
		{"config", "show"},
	} {
		if shown := s.onTerminal(args...); hidden(shown) != "" {
			t.Errorf("portalctl %q prints %s:\n%q", args, hidden(shown), shown)
		}
		text := s.ok(append(args, "--output", "json")...)
		if h := hidden(text); h != "" || !json.Valid([]byte(text)) {
			t.Errorf("portalctl %q prints %s in its JSON, or that is none:\n%s", args, h, text)
		}
		if len(args) < 2 || args[1] != "list" {
			continue
		}
		if text := s.ok(append(args, "--output", "csv")...); strings.Contains(text, "zap") {
			checkSheet(t, fmt.Sprintf("portalctl %q", args), text)
		}
	}
	// As data CSV is what was typed; on a terminal it must do nothing to it.
	if h := hidden(s.onTerminal("tickets", "show", number, "--output", "csv")); h != "" {
		t.Errorf("CSV on a terminal has %s", h)
	}
	for _, what := range []string{"tickets", "contacts", "companies"} {
		checkSheet(t, what+" export", s.ok(what, "export"))
		if h := hidden(s.onTerminal(what, "export")); h != "" {
			t.Errorf("%s export prints %s to a terminal", what, h)
		}
	}
	// The data is what was typed, in its composed form.
	var one struct{ Name string }
	if err := json.Unmarshal([]byte(s.ok("contacts", "show", "ana@example.com", "--output", "json")), &one); err != nil || one.Name != bad("contact") {
		t.Errorf("the contact's name is %q, %v, want %q", one.Name, err, bad("contact"))
	}
}

// What nobody can see is refused in names and lines, and the refusal shows it
// without obeying it.
func TestInvisibleCharactersAreRefusedInNames(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	p.setUp()
	p.contacts("ana@example.com")
	s := p.serve()
	ana := s.customer("ana@example.com")
	huge := strings.Repeat("x", 50_000)
	// Each refusal must do for all of them; the first is looked at everywhere.
	for i, typed := range []string{"a\x1b[31mb\u202e\u009b", "a\u2066b", "a\xffb", huge} {
		for _, args := range [][]string{
			{"portal", "set", "--name", typed},
			{"inbox", "add", typed, "--kind", "helpdesk"},
			{"groups", "add", typed},
			{"agents", "add", "sam@example.com", "--name", typed},
			{"companies", "add", "--name", typed},
			{"contacts", "set", "ana@example.com", "--name", typed},
			{"contacts", "set", "ana@example.com", "--property", "plan=" + typed},
			{"tickets", "create", "--requester", "ana@example.com", "--subject", typed, "--body", "x"},
			{"tickets", "create", "--requester", "ana@example.com", "--subject", "x", "--body", "x", "--category", typed},
			{"tickets", "configure", "--label", typed + ":" + typed},
			{"tickets", "configure", "--fields", "extra:" + typed},
			{"contacts", "add", typed + "@example.com"},
			{"portal", "set", "--slug", typed},
			{"contacts", "show", typed},
			{"tickets", "show", typed},
			{"domain", "connect", typed},
			{typed},
			{"status", "--" + typed},
		} {
			if i > 0 && !slices.Contains([]string{"portal", "tickets"}, args[0]) {
				continue
			}
			o := p.run(args...)
			if o.code == 0 || o.code == 1 {
				t.Errorf("%.60q is taken or not understood: exit %d", args, o.code)
			}
			if left := hidden(o.stderr + o.stdout); left != "" {
				t.Errorf("%.60q: the refusal has %s: %q", args, left, o.stderr)
			}
		}
		for _, got := range []answer{
			ana.post("/tickets/new", "subject", typed, "body", "x"), ana.post("/account/profile", "name", typed), ana.post("/sign-in/link", "email", typed+"@example.com"),
		} {
			if got.StatusCode != http.StatusUnprocessableEntity && got.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%.20q: %s answers %d, want a refusal", typed, got.Request.URL.Path, got.StatusCode)
			}
		}
	}
	if n := len(p.tickets()); n > 0 {
		t.Errorf("%d tickets were opened", n)
	}
}
