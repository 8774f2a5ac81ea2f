package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portaltest/acmetest"
)

// acmePatience is how long a test waits for a certificate: machines that run
// many tests at once are slow.
const acmePatience = 90 * time.Second

// zone is example.test at a name server of its own: the real one, knot.
type zone struct {
	t       *testing.T
	addr    string
	dir     string
	serial  int
	records []string
}

func newZone(t *testing.T) *zone {
	t.Helper()
	for _, name := range []string{"knotd", "knotc"} {
		if _, err := os.Stat("/usr/sbin/" + name); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("there is no %s", name)
			}
			t.Skipf("there is no %s here", name)
		}
	}
	dir, err := os.MkdirTemp("", "knot") //nolint:usetesting // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	z := &zone{t: t, addr: anAddress(t), dir: dir}
	z.write()
	host, port, _ := net.SplitHostPort(z.addr)
	conf := fmt.Sprintf(`server:
    rundir: %[1]s
    listen: %[2]s@%[3]s
control:
    listen: %[1]s/control
database:
    storage: %[1]s
log:
  - target: stderr
    any: info
zone:
  - domain: example.test
    file: %[1]s/zone
    journal-content: none
`, dir, host, port)
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon(t, dir, z.addr, "knotd", "-c", filepath.Join(dir, "conf"))
	return z
}

func (z *zone) write() {
	z.t.Helper()
	z.serial++
	text := fmt.Sprintf("example.test. 60 IN SOA ns.example.test. hostmaster.example.test. %d 60 60 60 60\nexample.test. 60 IN NS ns.example.test.\nns.example.test. 60 IN A 127.0.0.1\nexample.test. 60 IN CAA 0 issue \"letsencrypt.org\"\n%s\n",
		z.serial, strings.Join(z.records, "\n"))
	if err := os.WriteFile(filepath.Join(z.dir, "zone"), []byte(text), 0o600); err != nil {
		z.t.Fatal(err)
	}
}

// add pastes records into the zone, as an operator does.
func (z *zone) add(records ...string) {
	z.t.Helper()
	z.records = append(z.records, records...)
	z.write()
	if out, err := exec.Command("/usr/sbin/knotc", "-c", filepath.Join(z.dir, "conf"), "-b", "zone-reload", "example.test").CombinedOutput(); err != nil {
		z.t.Fatalf("knotc: %v\n%s", err, out)
	}
}

// connect runs domain connect --wait, and puts what it prints into the zone
// while it waits.
func (z *zone) connect(p *program, host string) {
	z.t.Helper()
	cmd := p.command("domain", "connect", host, "--wait", "--timeout", "60s", "--address", "127.0.0.1", "--resolver", z.addr, "--output", "zone")
	said := &output{}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		z.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		z.t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	var records []string
	for lines := bufio.NewScanner(out); len(records) < 2 && lines.Scan(); {
		if strings.Contains(lines.Text(), " IN ") {
			records = append(records, lines.Text())
		}
	}
	if len(records) != 2 {
		_ = cmd.Wait()
		z.t.Fatalf("domain connect prints the records %q: %s", records, said)
	}
	z.add(records...)
	if _, err := io.Copy(io.Discard, out); err != nil {
		z.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		z.t.Fatalf("domain connect: %v\n%s", err, said)
	}
}

// site is a portal on its own domain, and an authority that certifies it.
type site struct {
	*program
	zone      *zone
	tls       *net.TCPAddr
	plain     *net.TCPAddr
	authority *acmetest.Authority
}

func newSite(t *testing.T, o acmetest.Options) *site {
	t.Helper()
	acmetest.Pebble(t)
	s := &site{program: newProgram(t), zone: newZone(t), tls: tcpAddress(t), plain: tcpAddress(t)}
	o.DNS, o.TLS, o.HTTP = s.zone.addr, s.tls, s.plain
	s.authority = acmetest.Start(t, o)
	s.setUp("--domain", "support.example.test", "--language", "sv")
	s.zone.connect(s.program, "support.example.test")
	return s
}

func tcpAddress(t *testing.T) *net.TCPAddr {
	t.Helper()
	addr, err := net.ResolveTCPAddr("tcp", anAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// serveAuto begins to serve. What is added to "serve --tls auto" is where this
// test's ports and authority are.
func (s *site) serveAuto(listen, plain net.Addr) *serving {
	s.t.Helper()
	return s.serve("--listen", listen.String(), "--tls", "auto", "--http-listen", plain.String(),
		"--acme-directory", s.authority.Directory, "--acme-ca", s.authority.RootFile)
}

// fetch asks for a page of a host by TLS until the host has a certificate.
func (s *site) fetch(at net.Addr, host, path string) (*http.Response, string) {
	s.t.Helper()
	for end := time.Now().Add(acmePatience); ; {
		r, body, err := s.authority.Fetch(s.t, at, host, path)
		if err == nil {
			return r, body
		}
		if time.Now().After(end) {
			s.t.Fatalf("https://%s%s: %v\n%s", host, path, err, s.ok("status"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// certificate is what status says of a host's.
func (s *site) certificate(host string) (c struct {
	Host, State, Issuer, Error string
	NotAfter                   time.Time `json:"not_after"`
},
) {
	s.t.Helper()
	var status struct {
		Certificates []json.RawMessage
	}
	if err := json.Unmarshal([]byte(s.ok("status", "--output", "json")), &status); err != nil {
		s.t.Fatal(err)
	}
	for _, raw := range status.Certificates {
		one := c
		if err := json.Unmarshal(raw, &one); err != nil {
			s.t.Fatal(err)
		}
		if one.Host == host {
			return one
		}
	}
	return c
}

// asked sends a request by plain HTTP, as it is written.
func (s *site) asked(line, host string) *http.Response {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.plain.String())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", line, host); err != nil {
		s.t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		s.t.Fatalf("%s of %s: %v", line, host, err)
	}
	r.Body.Close()
	return r
}

// TestFromConnectToAServedPage goes the whole way: two commands, with DNS from
// a real name server and a certificate from a real ACME server.
func TestFromConnectToAServedPage(t *testing.T) {
	s := newSite(t, acmetest.Options{})
	serving := s.serveAuto(s.tls, s.plain)
	r, page := s.fetch(s.tls, "support.example.test", "/help/")
	if r.Request.URL.String() != "https://support.example.test/help/sign-in" || r.StatusCode != http.StatusOK {
		t.Errorf("the page is %s with %d", r.Request.URL, r.StatusCode)
	}
	for _, want := range []string{`lang="sv"`, "Nordlys Help", "Logga in"} {
		if !strings.Contains(page, want) {
			t.Errorf("the sign-in page lacks %q:\n%.600s", want, page)
		}
	}
	if r.TLS.Version != tls.VersionTLS13 || r.Proto != "HTTP/2.0" || r.TLS.CurveID != tls.X25519MLKEM768 {
		t.Errorf("it came by %s, %s and %s", tls.VersionName(r.TLS.Version), r.Proto, r.TLS.CurveID)
	}
	if got := s.ok("portal", "show", "--output", "json"); !strings.Contains(got, `"https://support.example.test/help/"`) {
		t.Errorf("links lead elsewhere: %s", got)
	}

	s.sendsOn()
	s.keysAreTheOwners()
	if c := s.certificate("support.example.test"); c.State != "good" || !strings.Contains(c.Issuer, "Pebble") || time.Until(c.NotAfter) < 24*time.Hour || c.Error != "" {
		t.Errorf("status says %+v", c)
	}

	// A domain that is connected now has its certificate without a restart.
	s.zone.connect(s.program, "www.example.test")
	s.ok("portal", "address", "add", "www.example.test")
	if r, _ := s.fetch(s.tls, "www.example.test", "/"); r.Request.URL.Host != "support.example.test" {
		t.Errorf("the further address leads to %s", r.Request.URL)
	}
	s.ok("portal", "address", "remove", "www.example.test", "--yes")
	s.ok("domain", "remove", "www.example.test", "--yes")
	for end := time.Now().Add(acmePatience); ; time.Sleep(50 * time.Millisecond) {
		_, _, err := s.authority.Fetch(t, s.tls, "www.example.test", "/")
		if err != nil && strings.Contains(err.Error(), "unrecognized name") && s.certificate("www.example.test").State == "" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("a domain that was removed is still served: %v", err)
		}
	}
	if log := serving.log.String(); strings.Contains(log, "acme-challenge") || strings.Contains(log, "127.0.0.1:53") {
		t.Errorf("the log tells of questions:\n%s", log)
	}
	serving.terminate()
	if code := serving.ended(); code != 0 {
		t.Errorf("serve ends with %d", code)
	}
}

// sendsOn looks at what is answered without TLS.
func (s *site) sendsOn() {
	s.t.Helper()
	const at = "https://support.example.test"
	for _, tt := range []struct {
		line, host string
		code       int
		location   string
	}{
		{"GET /help/tickets?status=new", "support.example.test", 301, at + "/help/tickets?status=new"},
		{"HEAD /", "Support.Example.Test:80", 301, at + "/"},
		{"GET //evil.example/%2f..", "support.example.test", 301, at + "//evil.example/%2f.."},
		{"GET http:@evil.example/", "support.example.test", 301, at + "/"},
		{"GET http:.evil.example", "support.example.test", 301, at + "/"},
		{"POST /help/sign-in", "support.example.test", 405, ""},
		{"GET /", "evil.example", 421, ""},
		{"GET /.well-known/acme-challenge/x", "evil.example", 421, ""},
		{"GET /.well-known/acme-challenge/x", "support.example.test", 301, at + "/.well-known/acme-challenge/x"},
		{"GET /-/health", "10.0.0.1", 200, ""},
		{"GET /-/ready", "evil.example", 200, ""},
		{"GET /-/assets/none.css", "evil.example", 421, ""},
	} {
		r := s.asked(tt.line, tt.host)
		if r.StatusCode != tt.code || r.Header.Get("Location") != tt.location {
			s.t.Errorf("%s of %s: %d to %q, want %d to %q", tt.line, tt.host, r.StatusCode, r.Header.Get("Location"), tt.code, tt.location)
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Content-Security-Policy") == "" {
			s.t.Errorf("%s of %s lacks the headers every answer has: %v", tt.line, tt.host, r.Header)
		}
	}
}

// keysAreTheOwners wants nothing of the keys' folder open to others.
func (s *site) keysAreTheOwners() {
	s.t.Helper()
	keys := 0
	folder := filepath.Join(filepath.Dir(s.store), "certificates")
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 && filepath.Ext(path) != ".lock" {
			s.t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		if filepath.Ext(path) == ".key" {
			keys++
		}
		return nil
	})
	if err != nil || keys < 2 {
		s.t.Errorf("%d keys in %s, %v; want the account's and the certificate's", keys, folder, err)
	}
}

// TestTwoServersObtainOneCertificate starts two on one store, and kills the
// first while the authority looks at it.
func TestTwoServersObtainOneCertificate(t *testing.T) {
	s := newSite(t, acmetest.Options{Env: []string{"PEBBLE_VA_NOSLEEP=0", "PEBBLE_VA_SLEEPTIME=3"}})
	killed := s.serveAuto(s.tls, s.plain)
	for end := time.Now().Add(acmePatience); s.authority.Said("Pulled a task") == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the authority was not asked:\n%s", killed.log)
		}
	}
	killed.kill()
	if s.certificate("support.example.test").State == "good" {
		t.Fatal("it had its certificate before it was killed")
	}
	before := s.authority.Said("Issued certificate")

	other, otherPlain := tcpAddress(t), tcpAddress(t)
	one := s.serveAuto(s.tls, s.plain)
	two := s.serveAuto(other, otherPlain)
	first, _ := s.fetch(s.tls, "support.example.test", "/help/sign-in")
	second, _ := s.fetch(other, "support.example.test", "/help/sign-in")
	if !first.TLS.PeerCertificates[0].Equal(second.TLS.PeerCertificates[0]) {
		t.Error("two servers of one store have two certificates")
	}
	if n := s.authority.Said("Issued certificate") - before; n > 1 {
		t.Errorf("%d certificates were issued to two servers of one store", n)
	}
	for _, one := range []*serving{one, two} {
		one.terminate()
		if code := one.ended(); code != 0 {
			t.Errorf("serve ends with %d", code)
		}
	}
}

// TestScanFindsNothing has sslscan look at serve --tls auto.
func TestScanFindsNothing(t *testing.T) {
	path, err := exec.LookPath("sslscan")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no sslscan")
		}
		t.Skip("there is no sslscan here")
	}
	s := newSite(t, acmetest.Options{})
	s.serveAuto(s.tls, s.plain)
	s.fetch(s.tls, "support.example.test", "/help/")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--no-colour", "--sni-name=support.example.test", s.tls.String()).CombinedOutput()
	report := string(out)
	if err != nil {
		t.Fatalf("sslscan: %v\n%s", err, report)
	}
	for _, line := range []string{
		`SSLv2 +disabled`, `SSLv3 +disabled`, `TLSv1\.0 +disabled`, `TLSv1\.1 +disabled`, `TLSv1\.2 +enabled`, `TLSv1\.3 +enabled`,
		`TLSv1\.2 not vulnerable to heartbleed`, `TLSv1\.3 not vulnerable to heartbleed`,
	} {
		if !regexp.MustCompile(line).MatchString(report) {
			t.Errorf("sslscan does not say %q", line)
		}
	}
	suites := regexp.MustCompile(`(?m)^(?:Preferred|Accepted)\s+(TLSv1\.[23])\s+\d+ bits\s+(\S+)`).FindAllStringSubmatch(report, -1)
	if len(suites) < 4 {
		t.Errorf("sslscan finds %d suites", len(suites))
	}
	modern := regexp.MustCompile(`^(TLS_(AES_(128_GCM_SHA256|256_GCM_SHA384)|CHACHA20_POLY1305_SHA256)|ECDHE-(RSA|ECDSA)-(AES(128|256)-GCM-SHA(256|384)|CHACHA20-POLY1305))$`)
	for _, suite := range suites {
		if !modern.MatchString(suite[2]) {
			t.Errorf("%s is offered with %s", suite[2], suite[1])
		}
	}
	if t.Failed() {
		t.Log(report)
	}
}
