//go:build unix

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// handing is serve as systemd starts it: the sockets are open, and the
// variables name this very process.
func (m *machine) handing(names string, sockets []*os.File, args ...string) *exec.Cmd {
	cmd := exec.Command("sh", append([]string{"-c", `LISTEN_PID=$$; export LISTEN_PID; exec portalctl "$@"`, "sh", "serve"}, args...)...)
	cmd.Dir, cmd.ExtraFiles = m.dir, sockets
	cmd.Env = append([]string{fmt.Sprintf("LISTEN_FDS=%d", len(sockets)), "LISTEN_FDNAMES=" + names}, m.env...)
	return cmd
}

// opened is a listening socket as a supervisor keeps it.
func opened(t *testing.T, network, address string) (*os.File, string) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	if unix, ok := l.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false)
	}
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	t.Cleanup(func() { f.Close() })
	return f, l.Addr().String()
}

// manager hears what serve tells its supervisor.
func manager(t *testing.T, dir string) (socket string, heard func(state string)) {
	t.Helper()
	socket = filepath.Join(dir, "notify")
	c, err := net.ListenPacket("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return socket, func(state string) {
		t.Helper()
		b := make([]byte, 256)
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, _, err := c.ReadFrom(b)
		if err != nil || string(b[:n]) != state {
			t.Fatalf("the supervisor hears %q, %v; want %q", b[:n], err, state)
		}
	}
}

func TestRestartUnderSystemdRefusesNobody(t *testing.T) {
	m := newMachine(t)
	f, address := opened(t, "tcp", "127.0.0.1:0")
	var heard func(string)
	socket, heard := manager(t, m.dir)
	m.env = append(m.env, "NOTIFY_SOCKET="+socket)
	start := func() *host {
		h := m.begin(m.handing("portalctl.socket", []*os.File{f}, "--base-url", "http://"+address))
		heard("READY=1")
		return h
	}
	h := start()

	ctx, cancel := context.WithCancel(t.Context())
	var answered, refused atomic.Int64
	var first sync.Once
	var work sync.WaitGroup
	// Half of them connect anew for each request, half keep their connection.
	for i := range 8 {
		transport := &http.Transport{DisableKeepAlives: i%2 == 0}
		client := &http.Client{Transport: transport, Timeout: 60 * time.Second}
		work.Go(func() {
			defer transport.CloseIdleConnections()
			for ctx.Err() == nil {
				path := "/help/sign-in"
				if answered.Load()%2 == 0 {
					path = "/-/health"
				}
				res, err := client.Get("http://" + address + path)
				if err == nil {
					_, err = io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
				if err == nil && res.StatusCode == http.StatusOK {
					answered.Add(1)
					continue
				}
				refused.Add(1)
				first.Do(func() { t.Errorf("GET %s: %v, %v", path, res, err) })
			}
		})
	}
	waitFor := func(n int64) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); answered.Load() < n; {
			if time.Now().After(deadline) {
				t.Fatalf("%d answers after 30 s, want %d: %s", answered.Load(), n, h.log())
			}
			time.Sleep(time.Millisecond)
		}
	}
	for range 3 {
		waitFor(answered.Load() + 50)
		if code := h.stop(); code != 0 {
			t.Errorf("stopped with exit %d: %s", code, h.log())
		}
		heard("STOPPING=1")
		before := answered.Load()
		// Nobody serves now, and who comes waits.
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("while nobody serves: %v", err)
		}
		fmt.Fprintf(c, "GET /-/health HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", address)
		h = start()
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("who came while nobody served: %v, %v", res, err)
		} else {
			res.Body.Close()
		}
		c.Close()
		waitFor(before + 50)
	}
	cancel()
	work.Wait()
	if refused.Load() != 0 {
		t.Errorf("%d of %d requests were refused over three restarts", refused.Load(), answered.Load())
	}
	t.Logf("%d requests answered over three restarts, %d refused", answered.Load(), refused.Load())
}

func TestSocketsOfSystemdAreToldApartByName(t *testing.T) {
	m := newMachine(t)
	m.run("inbox", "add", "Letters", "--kind", "inbox", "--address", "letters@desk.example")
	pages, address := opened(t, "tcp", "127.0.0.1:0")
	post, path := opened(t, "unix", filepath.Join(m.dir, "lmtp.sock"))
	h := m.begin(m.handing("http:lmtp", []*os.File{pages, post}, "--listen", "systemd", "--base-url", "http://"+address))
	if status, _ := h.fetch("/help/sign-in", ""); status != http.StatusOK {
		t.Errorf("by the socket http: %d, want 200", status)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(line, "220 ") {
		t.Errorf("by the socket lmtp: %q, %v; want a greeting", line, err)
	}
	if code := h.stop(); code != 0 {
		t.Errorf("stopped with exit %d: %s", code, h.log())
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the socket that systemd made is gone: %v", err)
	}

	open, _ := opened(t, "tcp", "0.0.0.0:0")
	for _, tt := range []struct {
		names   string
		sockets []*os.File
		args    []string
		want    string
	}{
		{"", nil, []string{"--listen", "systemd", "--base-url", "http://a.example"}, "systemd hands over no socket for the portals"},
		{"portalctl.socket", []*os.File{pages}, []string{"--listen", "127.0.0.1:0"}, "but --listen names 127.0.0.1:0"},
		{"http:lmtp", []*os.File{pages, post}, []string{"--lmtp-listen", "127.0.0.1:0"}, "but --lmtp-listen names"},
		{"http:lmtp", []*os.File{pages, open}, nil, "LMTP has no sign-in"},
	} {
		out, err := m.handing(tt.names, tt.sockets, tt.args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), tt.want) {
			t.Errorf("%s %q: %v, %q; want %q", tt.names, tt.args, err, out, tt.want)
		}
	}
}

func TestServeListensOnAUnixSocket(t *testing.T) {
	m := newMachine(t)
	path := filepath.Join(m.dir, "http.sock")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close() // a socket nobody listens on any more
	args := []string{"serve", "--listen", "unix:" + path, "--base-url", "https://support.example.com"}
	h := m.begin(m.command(append(args, "--trusted-proxy", "unix")...))
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket is %v, %v; want it for owner and group alone", info, err)
	}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	defer client.CloseIdleConnections()
	ask := func(visitor string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://support.example.com/help/sign-in/link", strings.NewReader("email=ana%40example.com"))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": visitor, "X-Forwarded-Proto": "https", "Origin": "https://support.example.com",
		} {
			r.Header.Set(name, value)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	crowd(t, ask)
	if out, err := m.command(args...).CombinedOutput(); err == nil || !strings.Contains(string(out), "another program does already") {
		t.Errorf("a second serve on the socket: %v, %q", err, out)
	}
	if code := h.stop(); code != 0 {
		t.Errorf("stopped with exit %d: %s", code, h.log())
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is still there")
	}

	// Without trust the visitors are one.
	h = m.begin(m.command(args...))
	if !strings.Contains(h.log(), "all visitors count as one") {
		t.Errorf("nothing warns that visitors cannot be told apart: %s", h.log())
	}
	status := 0
	for i := range 70 {
		if status = ask(fmt.Sprintf("198.51.100.%d", i)); status == http.StatusTooManyRequests {
			break
		}
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("70 requests by an untrusted socket: %d, want 429", status)
	}
}

// crowd holds that one visitor is slowed down and the next is not.
func crowd(t *testing.T, ask func(visitor string) int) {
	t.Helper()
	status, n := 0, 0
	for n = range 70 {
		if status = ask("203.0.113.9"); status == http.StatusTooManyRequests {
			break
		}
	}
	if status != http.StatusTooManyRequests || n < 5 {
		t.Errorf("after %d requests of one visitor: %d, want 429 at some time", n, status)
	}
	if status := ask("203.0.113.10"); status == http.StatusTooManyRequests {
		t.Error("another visitor behind the same proxy is slowed down too")
	}
}

func TestVisitorsAddressesComeFromPROXYHeaders(t *testing.T) {
	m := newMachine(t)
	h := m.serve("--trusted-proxy", "127.0.0.1/32", "--proxy-protocol")
	u, err := url.Parse(h.base)
	if err != nil {
		t.Fatal(err)
	}
	exchange := func(from net.IP, header, request string) (*http.Response, error) {
		c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, header+request); err != nil {
			return nil, err
		}
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err == nil {
			res.Body.Close()
		}
		return res, err
	}
	crowd(t, func(visitor string) int {
		body := "email=ana%40example.com"
		res, err := exchange(net.IPv4(127, 0, 0, 1), "PROXY TCP4 "+visitor+" 192.0.2.1 40000 443\r\n",
			// What the visitor writes about themselves counts for nothing.
			fmt.Sprintf("POST /help/sign-in/link HTTP/1.1\r\nHost: %s\r\nX-Forwarded-For: 192.0.2.99\r\nOrigin: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
				u.Host, h.base, len(body), body))
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode
	})
	health := "GET /-/health HTTP/1.1\r\nHost: " + u.Host + "\r\nConnection: close\r\n\r\n"
	proxy, stranger := net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 0, 2)
	for name, tt := range map[string]struct {
		from   net.IP
		header string
		served bool
	}{
		"the proxy, with a header":              {proxy, "PROXY TCP6 2001:db8::9 2001:db8::1 40000 443\r\n", true},
		"the proxy, by itself":                  {proxy, "PROXY UNKNOWN\r\n", true},
		"the proxy, without a header":           {proxy, "", false},
		"the proxy, with a broken header":       {proxy, "PROXY TCP4 203.0.113.9\r\n", false},
		"somebody else, without a header":       {stranger, "", true},
		"somebody else, with a header (1)":      {stranger, "PROXY TCP4 203.0.113.9 192.0.2.1 40000 443\r\n", false},
		"somebody else, with a header (2)":      {stranger, "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\xc0\x00\x02\x01\x9c\x40\x01\xbb", false},
		"the proxy, with a header of version 2": {proxy, "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\xc0\x00\x02\x01\x9c\x40\x01\xbb", true},
	} {
		res, err := exchange(tt.from, tt.header, health)
		if served := err == nil && res.StatusCode == http.StatusOK; served != tt.served {
			t.Errorf("%s: %v, %v; want it served: %v", name, res, err, tt.served)
		}
	}
	if !strings.Contains(h.log(), "PROXY header") {
		t.Errorf("the log says nothing of the connections refused: %s", h.log())
	}
}
