// Package acmetest runs a certificate authority for tests: pebble, the test
// server of the people behind Let's Encrypt. It asks the hosts as a real one
// does, over the network and by DNS.
package acmetest

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options are how an authority behaves.
type Options struct {
	DNS      string   // the name server it asks, 127.0.0.1:PORT
	HTTP     net.Addr // where it asks by plain HTTP, in place of port 80
	TLS      net.Addr // where it asks by TLS, in place of port 443
	Validity time.Duration
	Blocked  []string          // names it does not issue for
	Accounts map[string]string // accounts it wants to know: their keys by key identifier
	// Env are its own settings, such as PEBBLE_WFE_NONCEREJECT=50. Without
	// any it does not wait at random, asks anew for each order, and refuses five
	// nonces of a hundred.
	Env []string
}

// Authority is one that runs.
type Authority struct {
	Directory string // its address
	RootFile  string // the root of the directory's own certificate, in PEM
	manage    string
	roots     *x509.CertPool // of the directory

	mu  sync.Mutex
	log []string
}

// Pebble returns the folder of its programs, from PORTALCTL_PEBBLE. Without it
// the test is skipped, except in CI.
func Pebble(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("PORTALCTL_PEBBLE")
	if _, err := os.Stat(filepath.Join(dir, "pebble")); dir == "" || err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("PORTALCTL_PEBBLE names no folder with pebble: %q", dir)
		}
		t.Skip("PORTALCTL_PEBBLE names no folder with pebble")
	}
	return dir
}

// Start runs an authority until the test ends.
func Start(t testing.TB, o Options) *Authority {
	t.Helper()
	dir := Pebble(t)
	a := &Authority{RootFile: filepath.Join(t.TempDir(), "root.pem")}
	certificate, key := a.identity(t)
	listen, manage := freeAddress(t), freeAddress(t)
	a.Directory, a.manage = "https://"+listen+"/dir", "https://"+manage
	if o.Validity == 0 {
		o.Validity = 90 * 24 * time.Hour
	}
	settings := map[string]any{
		"listenAddress": listen, "managementListenAddress": manage, "certificate": certificate, "privateKey": key,
		"httpPort": portOf(o.HTTP), "tlsPort": portOf(o.TLS), "domainBlocklist": o.Blocked, "keyAlgorithm": "ecdsa",
		"retryAfter":                     map[string]int{"authz": 1, "order": 1},
		"profiles":                       map[string]any{"default": map[string]any{"description": "for tests", "validityPeriod": int(o.Validity.Seconds())}},
		"externalAccountBindingRequired": len(o.Accounts) > 0, "externalAccountMACKeys": o.Accounts,
	}
	data, err := json.Marshal(map[string]any{"pebble": settings})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pebble.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	a.run(t, filepath.Join(dir, "pebble"), file, o)
	return a
}

func (a *Authority) run(t testing.TB, program, file string, o Options) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "-config", file, "-dnsserver", o.DNS)
	cmd.Env = append([]string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0"}, o.Env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			a.mu.Lock()
			a.log = append(a.log, lines.Text())
			a.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		stop()
		<-read
		_ = cmd.Wait()
		if t.Failed() {
			a.mu.Lock()
			defer a.mu.Unlock()
			t.Logf("the authority says:\n%s", strings.Join(a.log[max(0, len(a.log)-60):], "\n"))
		}
	})
	client := a.client()
	for end := time.Now().Add(20 * time.Second); ; {
		if r, err := client.Get(a.Directory); err == nil {
			_ = r.Body.Close()
			return
		} else if time.Now().After(end) {
			t.Fatalf("the authority does not answer: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// client asks the authority itself.
func (a *Authority) client() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: a.roots, MinVersion: tls.VersionTLS12},
	}}
}

// Roots are what the certificates it issues come from.
func (a *Authority) Roots(t testing.TB) *x509.CertPool {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.RootPEM(t)) {
		t.Fatal("the authority's root cannot be read")
	}
	return roots
}

// RootPEM is the root its certificates come from, in PEM form.
func (a *Authority) RootPEM(t testing.TB) []byte {
	t.Helper()
	r, err := a.client().Get(a.manage + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// DirectoryRoots are what the directory's own certificate comes from.
func (a *Authority) DirectoryRoots() *x509.CertPool { return a.roots }

// Orders counts the orders placed so far.
func (a *Authority) Orders() int { return a.Said(`Added order "`) }

// Said counts the lines of its log that hold a text.
func (a *Authority) Said(text string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, line := range a.log {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// identity makes the directory's own certificate and the root it comes from.
func (a *Authority) identity(t testing.TB) (certificate, key string) {
	t.Helper()
	rootKey, rootDER := issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "directory root"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	root, err := x509.ParseCertificate(rootDER)
	if err != nil {
		t.Fatal(err)
	}
	ownKey, ownDER := issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "directory"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	}, root, rootKey)
	keyDER, err := x509.MarshalECPrivateKey(ownKey)
	if err != nil {
		t.Fatal(err)
	}
	a.roots = x509.NewCertPool()
	a.roots.AddCert(root)
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{
		a.RootFile: {Type: "CERTIFICATE", Bytes: rootDER}, certificate: {Type: "CERTIFICATE", Bytes: ownDER}, key: {Type: "EC PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

func issue(t testing.TB, c, parent *x509.Certificate, by *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if parent == nil {
		parent, by = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	return key, der
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func portOf(a net.Addr) int {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.Port
	}
	return 1 // nobody listens there
}

// Fetch asks a host for a path by TLS, wherever its name leads, and trusts the
// authority's certificates alone.
func (a *Authority) Fetch(t testing.TB, at net.Addr, host, path string) (*http.Response, string, error) {
	t.Helper()
	client := &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: a.Roots(t), MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, at.String())
			},
		},
	}
	r, err := client.Get(fmt.Sprintf("https://%s%s", host, path))
	if err != nil {
		return nil, "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return r, string(body), err
}
