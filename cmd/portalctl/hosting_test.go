package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/portaltest"
)

// machine is a folder with a store, in which the real program is run.
type machine struct {
	t   *testing.T
	dir string
	env []string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	dir := t.TempDir()
	m := &machine{t: t, dir: dir, env: []string{
		"PATH=" + os.Getenv("PATH"), "GORACE=" + raceAtExit, "HOME=" + dir, "PORTALCTL_STORE=" + filepath.Join(dir, "portal.db"),
		"PORTALCTL_CONFIG=" + filepath.Join(dir, "config.toml"), "SYSTEMROOT=" + os.Getenv("SYSTEMROOT"),
	}}
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m.run("init", "--name", "Help", "--domain", "system", "--slug", "help", "--inbox", "Desk", "--inbox-kind", "helpdesk",
		"--permissions", "contact", "--access", "self-register")
	return m
}

func (m *machine) command(args ...string) *exec.Cmd {
	cmd := exec.Command("portalctl", args...)
	cmd.Env, cmd.Dir = m.env, m.dir
	return cmd
}

// run runs a command that has to succeed and returns what it printed.
func (m *machine) run(args ...string) string {
	m.t.Helper()
	var said bytes.Buffer
	cmd := m.command(args...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		m.t.Fatalf("portalctl %s: %v\n%s", strings.Join(args, " "), err, &said)
	}
	return string(out)
}

// host is a running `portalctl serve`.
type host struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string // of the portal
	base string

	mu   sync.Mutex
	said bytes.Buffer
	done chan struct{}
}

// Write collects what serve says.
func (h *host) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.said.Write(p)
}

func (h *host) log() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.said.String()
}

// serve starts the program and waits until it says where the portal is.
func (m *machine) serve(args ...string) *host {
	m.t.Helper()
	return m.begin(m.command(append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...))
}

// begin starts a command that serves and waits until it says where the portal
// is.
func (m *machine) begin(cmd *exec.Cmd) *host {
	m.t.Helper()
	if runtime.GOOS == "windows" {
		m.t.Skip("there is no signal to end it with")
	}
	h := &host{t: m.t, cmd: cmd, done: make(chan struct{})}
	h.cmd.Stderr = h
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = h.cmd.Wait() // it has said why
		m.t.Fatalf("serve ended before it was ready: %s", h.log())
	}
	go func() {
		defer close(h.done)
		_ = h.cmd.Wait() // the exit code says it
	}()
	m.t.Cleanup(func() {
		_ = h.cmd.Process.Kill()
		<-h.done
	})
	_, h.url, _ = strings.Cut(strings.TrimSpace(line), ": ")
	h.url, _, _ = strings.Cut(h.url, " ")
	scheme, rest, _ := strings.Cut(h.url, "://")
	authority, _, _ := strings.Cut(rest, "/")
	h.base = scheme + "://" + authority
	return h
}

// stop asks it to stop and returns its exit code.
func (h *host) stop() int {
	h.t.Helper()
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		h.t.Fatal(err)
	}
	return h.wait()
}

func (h *host) wait() int {
	h.t.Helper()
	select {
	case <-h.done:
	case <-time.After(30 * time.Second):
		h.t.Fatal("serve did not stop")
	}
	return h.cmd.ProcessState.ExitCode()
}

// fetch asks for a path under a host name, without following redirects.
func (h *host) fetch(path, name string) (status int, body string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.base+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if name != "" {
		r.Host = name
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		h.t.Fatalf("GET %s: %v\n%s", path, err, h.log())
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		h.t.Fatalf("GET %s: %v", path, err)
	}
	return answer.StatusCode, string(text)
}

func TestServeHostsPortalsAndSeesChangesAtOnce(t *testing.T) {
	dns := portaltest.NewDNS(t)
	m := newMachine(t)
	m.env = append(m.env, "PORTALCTL_RESOLVER="+dns.Addr)
	h := m.serve()
	for path, want := range map[string]int{
		"/-/health": 200, "/-/ready": 200, "/help/sign-in": 200, "/nothing/": 404, "/help/nothing": 404,
	} {
		if status, _ := h.fetch(path, ""); status != want {
			t.Errorf("GET %s: %d, want %d", path, status, want)
		}
	}
	if status, _ := h.fetch("/help/", "elsewhere.example.com"); status != http.StatusMisdirectedRequest {
		t.Errorf("a host nobody serves: %d, want 421", status)
	}

	// A domain serves nothing until it is verified, and then at once.
	records := m.run("domain", "connect", "support.example.com", "-o", "zone")
	if status, _ := h.fetch("/sign-in", "support.example.com"); status != http.StatusMisdirectedRequest {
		t.Errorf("an unverified domain: %d, want 421", status)
	}
	dns.Paste(records)
	m.run("domain", "verify", "support.example.com")
	m.run("portal", "set", "--domain", "support.example.com", "--slug", "")
	if status, _ := h.fetch("/sign-in", "support.example.com"); status != http.StatusOK {
		t.Errorf("a verified domain: %d, want 200", status)
	}
	m.run("domain", "set", "support.example.com", "--language", "sv")
	if _, body := h.fetch("/sign-in", "support.example.com"); !strings.Contains(body, `lang="sv"`) {
		t.Error("the page is not in the domain's new language")
	}
	m.run("portal", "set", "--name", "Nytt namn")
	if _, body := h.fetch("/sign-in", "support.example.com"); !strings.Contains(body, "Nytt namn") {
		t.Error("the page does not have the portal's new name")
	}

	// Other commands learn the address from the store.
	if shown := m.run("status"); !strings.Contains(shown, h.base) {
		t.Errorf("status does not know %s: %s", h.base, shown)
	}
	if code := h.stop(); code != 0 {
		t.Errorf("stopped with exit %d: %s", code, h.log())
	}
}

func TestServeFinishesWhatItBeganBeforeItLeaves(t *testing.T) {
	m := newMachine(t)
	h := m.serve()
	authority := strings.TrimPrefix(h.base, "http://")
	// A request whose body is still coming in when the signal does.
	conn, err := net.Dial("tcp", authority)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := "email=nobody%40example.com"
	head := "POST /help/sign-in HTTP/1.1\r\nHost: " + authority + "\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
		"Content-Length: " + strconv.Itoa(len(body)) + "\r\nConnection: close\r\n\r\n"
	if _, err := io.WriteString(conn, head+body[:5]); err != nil {
		t.Fatal(err)
	}
	// Connections are taken in turn: once this one is, the first was too.
	h.fetch("/-/health", "")
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(h.log(), `"stopping"`); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("serve does not say that it is stopping: %s", h.log())
		}
	}
	if _, err := io.WriteString(conn, body[5:]); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the request under way got no answer: %v\n%s", err, h.log())
	}
	_ = answer.Body.Close()
	if code := h.wait(); code != 0 {
		t.Errorf("stopped with exit %d: %s", code, h.log())
	}
}

func TestServeRefusesInOneLine(t *testing.T) {
	m := newMachine(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a taken port", []string{"--listen", taken.Addr().String()}, 1, "cannot listen on " + taken.Addr().String()},
		{"no store", []string{"--listen", "127.0.0.1:0", "--store", filepath.Join(m.dir, "none.db")}, 3, "there is no store"},
		{"no certificate", []string{"--listen", "127.0.0.1:0", "--tls", "files", "--tls-cert", "none.pem", "--tls-key", "none.pem"}, 2, "the certificate cannot be used"},
		{"no sender", []string{"--listen", "127.0.0.1:0", "--smtp", "smtp://127.0.0.1:2525?starttls=off"}, 2, "--mail-from is missing"},
	} {
		var said bytes.Buffer
		cmd := m.command(append([]string{"serve"}, tt.args...)...)
		cmd.Stderr = &said
		out, _ := cmd.Output() // the exit code says it
		if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(said.String(), tt.want) || len(out) > 0 {
			t.Errorf("%s: exit %d, %s; want %d and %q", tt.name, code, &said, tt.code, tt.want)
		}
		for i, line := range strings.Split(strings.TrimSpace(said.String()), "\n") {
			if i == 0 != strings.HasPrefix(line, "portalctl: ") {
				t.Errorf("%s: said %q", tt.name, line)
			}
		}
	}
}

// writeCertificate writes a self-signed certificate with a serial number.
func writeCertificate(t *testing.T, dir string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestServeSpeaksTLS(t *testing.T) {
	m := newMachine(t)
	cert, key := writeCertificate(t, m.dir, 7)
	h := m.serve("--tls", "files", "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(h.url, "https://") {
		t.Errorf("the portal is announced at %s, not by https", h.url)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	answer, err := client.Get(h.base + "/help/sign-in")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2 || answer.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("by TLS: %s %s, HSTS %q; want 200 by HTTP/2, and no HSTS on the first day", answer.Proto, answer.Status, answer.Header.Get("Strict-Transport-Security"))
	}
	if got := answer.TLS.PeerCertificates[0].SerialNumber.Int64(); got != 7 {
		t.Errorf("certificate %d, want 7", got)
	}
	if code := h.stop(); code != 0 {
		t.Errorf("stopped with exit %d: %s", code, h.log())
	}
}
