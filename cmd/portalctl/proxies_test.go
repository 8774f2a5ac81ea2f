//go:build unix

package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// settings returns the README's example for another program.
func settings(t *testing.T, kind string, n int) string {
	t.Helper()
	found := regexp.MustCompile("(?s)```"+kind+"\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	if len(found) <= n {
		t.Fatalf("the README has %d examples of %s, want more than %d", len(found), kind, n)
	}
	return found[n][1]
}

// replaced is a text with each of the words, which must be in it, replaced by
// the one behind it.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the README's example lacks %q:\n%s", pairs[i], text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// daemon runs another program until the test ends.
func daemon(t *testing.T, dir, address string, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = "/usr/sbin/" + name
		if _, err := os.Stat(path); err != nil {
			t.Skipf("there is no %s here", name)
		}
	}
	said := &output{}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, said, said
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // it is asked to end, below
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		if t.Failed() {
			t.Logf("%s says:\n%s", name, said)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-done:
			t.Fatalf("%s ended at once: %s", name, said)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen on %s: %s", name, address, said)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// anAddress is one nobody listens on.
func anAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// through looks at a portal through a proxy: the page is there, visitors are
// told apart by where they come from, and what they claim counts for nothing.
func through(t *testing.T, m *machine, address string) {
	t.Helper()
	client := func(from string) *http.Client {
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"}, DialContext: dialer.DialContext, ForceAttemptHTTP2: true}
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	crowd(t, func(visitor string) int {
		from := "127.0.0.1"
		if visitor != "203.0.113.9" {
			from = "127.0.0.2"
		}
		r, err := http.NewRequest(http.MethodPost, "https://"+address+"/help/sign-in/link", strings.NewReader("email=ana%40example.com"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Forwarded-For": {"192.0.2.77"}, "Origin": {"https://" + address}}
		res, err := client(from).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode == http.StatusForbidden || res.StatusCode >= 500 {
			t.Fatalf("asking for a link through the proxy: %s", res.Status)
		}
		return res.StatusCode
	})
	res, err := client("127.0.0.1").Get("https://" + address + "/help/sign-in")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the page through the proxy: %s, Referrer-Policy %q; want 200, as by TLS", res.Status, res.Header.Get("Referrer-Policy"))
	}
}

// behind is a serve for a proxy: on a socket, for visitors of address.
func behind(t *testing.T) (m *machine, sock string, address string) {
	t.Helper()
	m = newMachine(t)
	sock, address = filepath.Join(m.dir, "http.sock"), anAddress(t)
	m.begin(m.command("serve", "--listen", "unix:"+sock, "--trusted-proxy", "unix", "--base-url", "https://"+address))
	return m, sock, address
}

// nginxConf is the README's part with what Debian's nginx.conf has around it.
func nginxConf(t *testing.T, dir, text, modules string) string {
	t.Helper()
	conf := filepath.Join(dir, "nginx.conf")
	whole := modules + "\nerror_log stderr warn;\npid " + dir + "/nginx.pid;\ndaemon off;\nmaster_process off;\nevents {}\n" + text
	if err := os.WriteFile(conf, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	return conf
}

func TestBehindNginxAsTheReadmeSays(t *testing.T) {
	m, sock, address := behind(t)
	cert, key := writeCertificate(t, m.dir, 7)
	site := replaced(t, settings(t, "nginx", 0), "/run/portalctl/http.sock", sock, "listen 443", "listen "+address,
		"/etc/ssl/support.example.com/fullchain.pem", cert, "/etc/ssl/support.example.com/privkey.pem", key)
	var temp strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temp, "%s_temp_path %s/%s;\n", kind, m.dir, kind)
	}
	conf := nginxConf(t, m.dir, "http {\naccess_log off;\n"+temp.String()+site+"}\n", "")
	daemon(t, m.dir, address, "nginx", "-c", conf, "-p", m.dir)
	through(t, m, address)
}

func TestBehindNginxThatPassesConnectionsOn(t *testing.T) {
	module := "/usr/lib/nginx/modules/ngx_stream_module.so"
	if _, err := os.Stat(module); err != nil {
		t.Skip("nginx has no stream module here")
	}
	m := newMachine(t)
	cert, key := writeCertificate(t, m.dir, 7)
	address, inner := anAddress(t), anAddress(t)
	m.begin(m.command("serve", "--listen", inner, "--tls", "files", "--tls-cert", cert, "--tls-key", key, "--base-url", "https://"+address,
		"--proxy-protocol", "--trusted-proxy", "127.0.0.1"))
	text := replaced(t, settings(t, "nginx", 1), "listen 443", "listen "+address, "127.0.0.1:8443", inner)
	daemon(t, m.dir, address, "nginx", "-c", nginxConf(t, m.dir, text, "load_module "+module+";"), "-p", m.dir)
	through(t, m, address)
}

func TestBehindCaddyAsTheReadmeSays(t *testing.T) {
	m, sock, address := behind(t)
	cert, key := writeCertificate(t, m.dir, 7)
	site := replaced(t, settings(t, "caddyfile", 0), "/run/portalctl/http.sock", sock, "support.example.com {", "https://"+address+" {\n\ttls "+cert+" "+key)
	file := filepath.Join(m.dir, "Caddyfile")
	if err := os.WriteFile(file, []byte("{\n\tadmin off\n\tauto_https disable_redirects\n}\n"+site), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon(t, m.dir, address, "caddy", "run", "--config", file, "--adapter", "caddyfile")
	through(t, m, address)
}
