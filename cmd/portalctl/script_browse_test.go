package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/mail"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// browser is somebody at a portal: what they are signed in by and the page
// they have before them. It runs no scripts.
type browser struct {
	client *http.Client
	at     *url.URL
	page   *html.Node
}

func newBrowser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it never fails without options
	}
	// Every host of the test lies on this machine.
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}
	return &browser{client: &http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// browseCommand uses a portal as people do. Where it arrives and what the
// page says goes to page.txt:
//
//	browse ready URL                waits until a server is ready
//	browse open URL                 opens an address
//	browse link FILE                opens the first link in a mail's text
//	browse click TEXT               follows the link with this text
//	browse submit TEXT [NAME=VALUE...]  fills in the form with this button and sends it
func browseCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: browse ready URL, open URL, link FILE, click TEXT, or submit TEXT [NAME=VALUE...]")
	}
	b := ts.Value(browserKey).(*browser)
	switch args[0] {
	case "ready":
		ts.Check(b.ready(args[1]))
		return
	case "open":
		ts.Check(b.open(args[1]))
	case "link":
		link := regexp.MustCompile(`https?://[^\s>]+`).FindString(ts.ReadFile(args[1]))
		if link == "" {
			ts.Fatalf("%s has no link", args[1])
		}
		ts.Check(b.open(link))
	case "click":
		ts.Check(b.click(args[1]))
	case "submit":
		ts.Check(b.submit(args[1], args[2:]))
	default:
		ts.Fatalf("browse knows no %q", args[0])
	}
	text := fmt.Sprintf("%s\n%s\n", b.at, visible(b.page))
	ts.Check(os.WriteFile(ts.MkAbs("page.txt"), []byte(text), 0o600))
}

func (b *browser) ready(base string) error {
	var last error
	for range 200 {
		res, err := b.client.Get(base + "/-/ready")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("it answers %s", res.Status)
		}
		last = err
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("%s is not ready: %w", base, last)
}

func (b *browser) open(address string) error {
	res, err := b.client.Get(address)
	if err != nil {
		return err
	}
	return b.take(res)
}

// take puts an answer before the person; redirects have been followed.
func (b *browser) take(res *http.Response) error {
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if b.page, err = html.Parse(bytes.NewReader(body)); err != nil {
		return err
	}
	b.at = res.Request.URL
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %s", b.at, res.Status, visible(b.page))
	}
	return nil
}

func (b *browser) click(text string) error {
	for n := range elements(b.page, atom.A) {
		if strings.Contains(visible(n), text) {
			to, err := b.at.Parse(attribute(n, "href"))
			if err != nil {
				return err
			}
			return b.open(to.String())
		}
	}
	return fmt.Errorf("no link says %q on %s:\n%s", text, b.at, visible(b.page))
}

func (b *browser) submit(button string, fields []string) error {
	for form := range elements(b.page, atom.Form) {
		for n := range elements(form, atom.Button) {
			if strings.Contains(visible(n), button) {
				return b.send(form, n, fields)
			}
		}
	}
	return fmt.Errorf("no button says %q on %s:\n%s", button, b.at, visible(b.page))
}

func (b *browser) send(form, button *html.Node, fields []string) error {
	values := preset(form)
	if name := attribute(button, "name"); name != "" {
		values.Set(name, attribute(button, "value"))
	}
	for _, f := range fields {
		name, value, ok := strings.Cut(f, "=")
		if !ok {
			return fmt.Errorf("%q is not NAME=VALUE", f)
		}
		if !hasField(form, name) {
			return fmt.Errorf("the form has no field %q", name)
		}
		values.Set(name, value)
	}
	to, err := b.at.Parse(attribute(form, "action"))
	if err != nil {
		return err
	}
	kind, body := "application/x-www-form-urlencoded", []byte(values.Encode())
	if attribute(form, "enctype") == "multipart/form-data" {
		var buffer bytes.Buffer
		w := multipart.NewWriter(&buffer)
		for name, all := range values {
			for _, value := range all {
				if err := w.WriteField(name, value); err != nil {
					return err
				}
			}
		}
		if err := w.Close(); err != nil {
			return err
		}
		kind, body = w.FormDataContentType(), buffer.Bytes()
	}
	req, err := http.NewRequest(http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Origin", b.at.Scheme+"://"+b.at.Host)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := b.client.Do(req)
	if err != nil {
		return err
	}
	return b.take(res)
}

// preset is what a form sends when nobody touches it.
func preset(form *html.Node) url.Values {
	values := url.Values{}
	for n := range form.Descendants() {
		name := attribute(n, "name")
		if n.Type != html.ElementNode || name == "" {
			continue
		}
		switch n.DataAtom {
		case atom.Textarea:
			values.Add(name, visible(n))
		case atom.Input:
			switch kind := attribute(n, "type"); kind {
			case "checkbox", "radio":
				if has(n, "checked") {
					values.Add(name, attribute(n, "value"))
				}
			case "file", "submit", "button":
			default:
				values.Add(name, attribute(n, "value"))
			}
		case atom.Select:
			for option := range elements(n, atom.Option) {
				if has(option, "selected") {
					values.Set(name, attribute(option, "value"))
				}
			}
		}
	}
	return values
}

func hasField(form *html.Node, name string) bool {
	for n := range form.Descendants() {
		if n.Type == html.ElementNode && attribute(n, "name") == name {
			return true
		}
	}
	return false
}

func elements(root *html.Node, kind atom.Atom) func(func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && n.DataAtom == kind && !yield(n) {
				return
			}
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// visible is the text of a page, a line for each piece.
func visible(n *html.Node) string {
	var lines []string
	for d := range n.Descendants() {
		if d.Type != html.TextNode || d.Parent.DataAtom == atom.Script || d.Parent.DataAtom == atom.Style {
			continue
		}
		if line := strings.Join(strings.Fields(d.Data), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// letterCommand waits for a mail and writes its headers and text to a file:
//
//	letter TO PATTERN FILE
func letterCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: letter TO PATTERN FILE")
	}
	s := ts.Value(smtpKey).(*sinkOf).sink
	if s == nil {
		ts.Fatalf("smtp start comes first")
	}
	pattern := regexp.MustCompile("(?m)" + args[1])
	var all []string
	for range 600 {
		s.mu.Lock()
		mails := append([]string(nil), s.mails...)
		s.mu.Unlock()
		all = all[:0]
		for _, raw := range mails {
			to, text, err := readLetter(raw)
			ts.Check(err)
			if strings.Contains(to, args[0]) && pattern.MatchString(text) {
				ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(text), 0o600))
				return
			}
			all = append(all, text)
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("no mail to %s says %q; these came:\n%s", args[0], args[1], strings.Join(all, "\n----\n"))
}

// readLetter returns whom a mail is to, and its headers and plain text as
// people read them.
func readLetter(raw string) (to, text string, err error) {
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return "", "", err
	}
	var words mime.WordDecoder
	subject, err := words.DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return "", "", err
	}
	body, err := plainPart(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
	to = m.Header.Get("To")
	return to, fmt.Sprintf("To: %s\nSubject: %s\n\n%s", to, subject, body), err
}

func plainPart(kind, encoding string, body io.Reader) (string, error) {
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(media, "multipart/") {
		if strings.EqualFold(encoding, "quoted-printable") {
			body = quotedprintable.NewReader(body)
		}
		text, err := io.ReadAll(body)
		return strings.ReplaceAll(string(text), "\r\n", "\n"), err
	}
	// The plain text comes first (RFC 2046 section 5.1.4). NextRawPart, as
	// NextPart would hide the encoding.
	part, err := multipart.NewReader(body, params["boundary"]).NextRawPart()
	if err != nil {
		return "", err
	}
	return plainPart(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)
}

// freePort sets a variable to a port nobody listens on:
//
//	freeport PORT
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport NAME")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	ts.Check(l.Close())
}
