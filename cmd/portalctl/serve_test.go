package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is portalctl as an operator runs it: the real program, with a home, a
// store and a folder for uploads of its own.
type program struct {
	t       *testing.T
	dir     string
	store   string
	uploads string // where files lie until they are accepted
}

func newProgram(t *testing.T) *program {
	t.Helper()
	dir := t.TempDir()
	p := &program{t: t, dir: dir, store: filepath.Join(dir, "store", "portal.db"), uploads: filepath.Join(dir, "uploads")}
	for _, folder := range []string{p.uploads, filepath.Dir(p.store)} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// command is portalctl with nothing of the environment of whoever runs the
// tests.
func (p *program) command(args ...string) *exec.Cmd {
	cmd := exec.Command("portalctl", args...)
	cmd.Dir = p.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "GORACE=" + raceAtExit, "SYSTEMROOT=" + os.Getenv("SYSTEMROOT"), "HOME=" + p.dir, "TMPDIR=" + p.uploads, "TZ=UTC",
		"PORTALCTL_STORE=" + p.store, "PORTALCTL_CONFIG=" + filepath.Join(p.dir, "config.toml"),
	}
	return cmd
}

// outcome is what a command did.
type outcome struct {
	args           []string
	code           int
	stdout, stderr string
}

func (o *outcome) String() string {
	return fmt.Sprintf("portalctl %q: exit %d\n%s%s", o.args, o.code, o.stdout, o.stderr)
}

// try runs a command; it may be called from any goroutine.
func (p *program) try(args ...string) (*outcome, error) {
	var stdout, stderr bytes.Buffer
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, fmt.Errorf("run portalctl %q: %w", args, err)
	}
	return &outcome{args, cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}, nil
}

func (p *program) run(args ...string) *outcome {
	p.t.Helper()
	o, err := p.try(args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return o
}

// ok runs a command that must succeed and returns what it printed.
func (p *program) ok(args ...string) string {
	p.t.Helper()
	o := p.run(args...)
	if o.code != 0 {
		p.t.Fatalf("%s", o)
	}
	return o.stdout
}

// setUp makes a portal at /help with an agent; args are added to init.
func (p *program) setUp(args ...string) {
	p.t.Helper()
	p.ok(append([]string{
		"init", "--name", "Nordlys Help", "--domain", "system", "--slug", "help", "--inbox", "Support", "--inbox-kind", "inbox",
		"--inbox-address", "support@desk.example", "--permissions", "contact", "--access", "groups", "--group", "customers",
	}, args...)...)
	p.ok("agents", "add", "ines@desk.example", "--name", "Ines Holm")
}

// contacts adds people who may sign in.
func (p *program) contacts(emails ...string) {
	p.t.Helper()
	lines := []string{"email,name"}
	for _, e := range emails {
		name, _, _ := strings.Cut(e, "@")
		lines = append(lines, fmt.Sprintf("%s,%s Berg", e, name))
	}
	p.people(lines...)
}

// people adds contacts who may sign in from the lines of a file, which begin
// with their addresses.
func (p *program) people(lines ...string) {
	p.t.Helper()
	file := filepath.Join(p.dir, "contacts.csv")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.ok("contacts", "import", file)
	var emails []string
	for _, line := range lines[1:] {
		email, _, _ := strings.Cut(line, ",")
		emails = append(emails, email)
	}
	p.ok("groups", "members", "customers", "--add", strings.Join(emails, ","))
}

// output is written by one goroutine and read by another.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// serving is a running serve.
type serving struct {
	*program
	cmd  *exec.Cmd
	host string // with its port
	log  *output
	done chan struct{} // closed when it has ended
}

var anyURL = regexp.MustCompile(`https?://[^\s"<>]+`)

// serve starts the server and waits until it says that it is ready.
func (p *program) serve(args ...string) *serving {
	p.t.Helper()
	s := &serving{program: p, cmd: p.command(append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...), log: &output{}, done: make(chan struct{})}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		defer close(s.done)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if found := anyURL.FindString(lines.Text()); found != "" {
				select {
				case ready <- found:
				default:
				}
			}
		}
		_ = s.cmd.Wait() // ProcessState says how it ended
	}()
	p.t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // no error when it has ended already
		<-s.done
		if p.t.Failed() {
			p.t.Logf("the end of the log:\n%s", tail(s.log.String(), 2000))
		}
	})
	select {
	case found := <-ready:
		u, err := url.Parse(found)
		if err != nil {
			p.t.Fatal(err)
		}
		s.host = u.Host
	case <-s.done:
		p.t.Fatalf("serve ended at once with %d:\n%s", s.cmd.ProcessState.ExitCode(), s.log)
	case <-time.After(30 * time.Second):
		p.t.Fatalf("serve is not ready after 30 s:\n%s", s.log)
	}
	return s
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// kill ends the server as a power cut would.
func (s *serving) kill() {
	s.t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	<-s.done
}

// terminate asks the server to leave, as a supervisor does.
func (s *serving) terminate() {
	s.t.Helper()
	if runtime.GOOS == "windows" {
		s.t.Skip("Windows has no SIGTERM")
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
}

// ended waits for the server's end and returns its exit code.
func (s *serving) ended() int {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		s.t.Fatalf("serve did not end within 20 s:\n%s", tail(s.log.String(), 2000))
	}
	return s.cmd.ProcessState.ExitCode()
}

// person is somebody with a browser: it keeps cookies, follows no redirect, and
// wants the security headers on every answer.
type person struct {
	t      *testing.T
	host   string
	client *http.Client
}

func (s *serving) stranger() *person {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &person{s.t, s.host, &http.Client{
		Jar: jar, Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// at is the same person at another address, such as after a restart.
func (p *person) at(s *serving) *person {
	other := s.stranger()
	other.client.Jar = p.client.Jar
	return other
}

// customer signs a contact in by a link an operator hands over.
func (s *serving) customer(email string) *person {
	s.t.Helper()
	return s.signIn("members", "link", email, "--portal", "help")
}

func (s *serving) agent(email string) *person {
	s.t.Helper()
	return s.signIn("agents", "link", email, "--portal", "help")
}

func (s *serving) signIn(args ...string) *person {
	s.t.Helper()
	u, err := url.Parse(anyURL.FindString(s.ok(args...)))
	if err != nil {
		s.t.Fatal(err)
	}
	p := s.stranger()
	if got := p.do(p.encoded(u.Path, filledIn(s.t, p.get(u.Path).body))); got.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("the link of portalctl %q answers %d:\n%s", args, got.StatusCode, got.body)
	}
	return p
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

// try sends a request; it may be called from any goroutine.
func (p *person) try(r *http.Request) (answer, error) {
	res, err := p.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	got := answer{res, string(body)}
	if problems := headerProblems(got); len(problems) > 0 {
		return got, fmt.Errorf("%s %s answers %d without what keeps a browser safe: %s", r.Method, r.URL.Path, got.StatusCode, strings.Join(problems, "; "))
	}
	return got, nil
}

func (p *person) do(r *http.Request) answer {
	p.t.Helper()
	got, err := p.try(r)
	if err != nil {
		p.t.Fatal(err)
	}
	return got
}

// request is to a path below the portal, or to one as it stands when it starts
// with /help or /-/.
func (p *person) request(method, path string, body io.Reader) *http.Request {
	p.t.Helper()
	if !strings.HasPrefix(path, "/help") && !strings.HasPrefix(path, "/-/") {
		path = "/help" + path
	}
	r, err := http.NewRequestWithContext(context.Background(), method, "http://"+p.host+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *person) get(path string) answer {
	p.t.Helper()
	return p.do(p.request(http.MethodGet, path, nil))
}

// form is a request with names and values in turn, as a browser on the
// portal's own page sends it.
func (p *person) form(path string, fields ...string) *http.Request {
	p.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		values.Add(fields[i], fields[i+1])
	}
	return p.encoded(path, values)
}

func (p *person) encoded(path string, values url.Values) *http.Request {
	p.t.Helper()
	r := p.request(http.MethodPost, path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://"+p.host)
	return r
}

func (p *person) post(path string, fields ...string) answer {
	p.t.Helper()
	return p.do(p.form(path, fields...))
}

// upload is a file in a form.
type upload struct {
	name    string
	content []byte
}

// multipart is a form with files.
func (p *person) multipart(path string, fields []string, files ...upload) *http.Request {
	p.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			p.t.Fatal(err)
		}
	}
	for _, f := range files {
		part, err := w.CreateFormFile("files", f.name)
		if err != nil {
			p.t.Fatal(err)
		}
		part.Write(f.content) // to memory
	}
	w.Close() // the same
	r := p.request(http.MethodPost, path, &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Origin", "http://"+p.host)
	return r
}

// open opens a ticket and returns its number.
func (p *person) open(fields []string, files ...upload) string {
	p.t.Helper()
	got := p.do(p.multipart("/tickets/new", fields, files...))
	if got.StatusCode != http.StatusSeeOther {
		p.t.Fatalf("a new ticket is answered with %d:\n%s", got.StatusCode, got.body)
	}
	return got.ticket()
}

// ticket is the number of the ticket the answer leads to.
func (a answer) ticket() string {
	return regexp.MustCompile(`T-\d+`).FindString(a.Header.Get("Location"))
}

// headerProblems says what an answer lacks of the headers every answer has.
func headerProblems(a answer) []string {
	var problems []string
	want := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	}
	for name, value := range want {
		if got := a.Header.Get(name); got != value {
			problems = append(problems, fmt.Sprintf("%s is %q, want %q", name, got, value))
		}
	}
	csp := a.Header.Get("Content-Security-Policy")
	file := csp == "default-src 'none'; sandbox"
	for _, rule := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"} {
		if !file && !strings.Contains(csp, rule) || strings.Contains(csp, "unsafe") {
			problems = append(problems, fmt.Sprintf("Content-Security-Policy is %q", csp))
			break
		}
	}
	if a.Header.Get("Permissions-Policy") == "" {
		problems = append(problems, "no Permissions-Policy")
	}
	if kind := a.Header.Get("Content-Type"); strings.HasPrefix(kind, "text/") && !strings.Contains(kind, "charset=utf-8") || kind == "" && a.body != "" {
		problems = append(problems, fmt.Sprintf("Content-Type is %q", kind))
	}
	if cache := a.Header.Get("Cache-Control"); !strings.Contains(cache, "no-store") && !strings.HasPrefix(a.Request.URL.Path, "/-/") {
		problems = append(problems, fmt.Sprintf("Cache-Control is %q", cache))
	}
	for _, name := range []string{"Server", "X-Powered-By", "Access-Control-Allow-Origin"} {
		if got := a.Header.Get(name); got != "" {
			problems = append(problems, fmt.Sprintf("%s is %q", name, got))
		}
	}
	return problems
}

// storedTicket is a ticket as tickets show prints it.
type storedTicket struct {
	Number   string
	Subject  string
	Status   string
	Messages []struct {
		Body  string
		Files []struct {
			ID   int64
			Name string
			Size int64
		}
	}
}

// tickets lists what is in the store.
func (p *program) tickets() []storedTicket {
	p.t.Helper()
	var list []storedTicket
	if err := json.Unmarshal([]byte(p.ok("tickets", "list", "--limit", "1000", "--output", "json")), &list); err != nil {
		p.t.Fatal(err)
	}
	return list
}

func (p *program) ticket(number string) *storedTicket {
	p.t.Helper()
	var one storedTicket
	if err := json.Unmarshal([]byte(p.ok("tickets", "show", number, "--output", "json")), &one); err != nil {
		p.t.Fatal(err)
	}
	return &one
}
