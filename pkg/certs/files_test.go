package certs

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// issued is a self-signed certificate and its key as PEM.
type issued struct{ cert, key []byte }

var nextSerial struct {
	sync.Mutex
	n int64
}

func issue(t *testing.T, notBefore, notAfter time.Time, hosts ...string) issued {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	nextSerial.Lock()
	nextSerial.n++
	serial := nextSerial.n
	nextSerial.Unlock()
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: hosts, NotBefore: notBefore, NotAfter: notAfter}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return issued{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})}
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// link points a link somewhere else in one step.
func link(t *testing.T, target, path string) {
	t.Helper()
	next := path + ".next"
	if err := os.Symlink(target, next); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

// renewals are certificate files that change, watched by run.
type renewals struct {
	t          *testing.T
	dir        string
	old, fresh issued
	files      *Files
	said       bytes.Buffer
	changes    int
}

func (r *renewals) cert() string { return filepath.Join(r.dir, "cert.pem") }
func (r *renewals) key() string  { return filepath.Join(r.dir, "key.pem") }

// used says which certificate a visitor gets now.
func (r *renewals) used() string {
	c, err := r.files.Certificate(&tls.ClientHelloInfo{})
	if err != nil {
		r.t.Fatal(err)
	}
	block, _ := pem.Decode(r.old.cert)
	if bytes.Equal(c.Certificate[0], block.Bytes) {
		return "old"
	}
	if block, _ = pem.Decode(r.fresh.cert); bytes.Equal(c.Certificate[0], block.Bytes) {
		return fmt.Sprintf("new, %d in the chain", len(c.Certificate))
	}
	return "another"
}

// wait lets run look n times.
func (r *renewals) wait(n int) {
	time.Sleep(time.Duration(n) * readEvery)
	synctest.Wait()
}

func TestRenewedFilesAreUsedOnceTheyAreWhole(t *testing.T) {
	const renewed = "new, 1 in the chain"
	for name, tt := range map[string]struct {
		start func(r *renewals) // lays the old files; nil: as files
		renew func(r *renewals)
		want  string
		log   string
	}{
		"both written": {nil, func(r *renewals) {
			put(r.t, r.cert(), r.fresh.cert)
			put(r.t, r.key(), r.fresh.key)
		}, renewed, "using the renewed certificate"},
		"nothing": {nil, func(*renewals) {}, "old", ""},
		"key first, the certificate much later": {nil, func(r *renewals) {
			put(r.t, r.key(), r.fresh.key)
			r.wait(20)
			if got := r.used(); got != "old" {
				r.t.Errorf("with the key alone: %s", got)
			}
			put(r.t, r.cert(), r.fresh.cert)
		}, renewed, "the one before stays"},
		"key first, the certificate at once": {nil, func(r *renewals) {
			put(r.t, r.key(), r.fresh.key)
			r.wait(1)
			put(r.t, r.cert(), r.fresh.cert)
		}, renewed, "using the renewed"},
		"a certificate written in pieces": {nil, func(r *renewals) {
			put(r.t, r.key(), r.fresh.key)
			for i := 0; i <= len(r.fresh.cert); i += 100 {
				put(r.t, r.cert(), r.fresh.cert[:i])
				r.wait(1)
			}
			put(r.t, r.cert(), r.fresh.cert)
		}, renewed, "using the renewed"},
		"a chain whose end comes late": {nil, func(r *renewals) {
			put(r.t, r.key(), r.fresh.key)
			put(r.t, r.cert(), r.fresh.cert)
			r.wait(1)
			put(r.t, r.cert(), append(append([]byte{}, r.fresh.cert...), r.old.cert...))
		}, "new, 2 in the chain", "using the renewed"},
		"the old time and size kept": {nil, func(r *renewals) {
			at := time.Unix(1_700_000_000, 0)
			for path, data := range map[string][]byte{r.cert(): r.fresh.cert, r.key(): r.fresh.key} {
				put(r.t, path, data)
				if err := os.Chtimes(path, at, at); err != nil {
					r.t.Fatal(err)
				}
			}
		}, renewed, "using the renewed"},
		"files taken away": {nil, func(r *renewals) {
			os.Remove(r.cert())
			os.Remove(r.key())
		}, "old", "the one before stays"},
		"taken away and laid anew": {nil, func(r *renewals) {
			os.Remove(r.cert())
			r.wait(3)
			put(r.t, r.key(), r.fresh.key)
			put(r.t, r.cert(), r.fresh.cert)
		}, renewed, "the one before stays"},
		"one that has ended": {nil, func(r *renewals) {
			gone := issue(r.t, time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour), "a.example")
			put(r.t, r.cert(), gone.cert)
			put(r.t, r.key(), gone.key)
		}, "old", "it is valid from"},
		"links to an archive, as certbot lays them": {func(r *renewals) {
			put(r.t, filepath.Join(r.dir, "archive", "cert1.pem"), r.old.cert)
			put(r.t, filepath.Join(r.dir, "archive", "key1.pem"), r.old.key)
			link(r.t, "archive/cert1.pem", r.cert())
			link(r.t, "archive/key1.pem", r.key())
		}, func(r *renewals) {
			put(r.t, filepath.Join(r.dir, "archive", "key2.pem"), r.fresh.key)
			put(r.t, filepath.Join(r.dir, "archive", "cert2.pem"), r.fresh.cert)
			link(r.t, "archive/key2.pem", r.key())
			r.wait(1)
			link(r.t, "archive/cert2.pem", r.cert())
		}, renewed, "using the renewed"},
		"a folder swapped, as Kubernetes does": {func(r *renewals) {
			put(r.t, filepath.Join(r.dir, "..1", "cert.pem"), r.old.cert)
			put(r.t, filepath.Join(r.dir, "..1", "key.pem"), r.old.key)
			link(r.t, "..1", filepath.Join(r.dir, "..data"))
			link(r.t, "..data/cert.pem", r.cert())
			link(r.t, "..data/key.pem", r.key())
		}, func(r *renewals) {
			put(r.t, filepath.Join(r.dir, "..2", "cert.pem"), r.fresh.cert)
			put(r.t, filepath.Join(r.dir, "..2", "key.pem"), r.fresh.key)
			link(r.t, "..2", filepath.Join(r.dir, "..data"))
			if err := os.RemoveAll(filepath.Join(r.dir, "..1")); err != nil {
				r.t.Fatal(err)
			}
		}, renewed, "using the renewed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				r := &renewals{t: t, dir: t.TempDir(), old: issue(t, now.Add(-time.Hour), now.Add(24*time.Hour), "a.example"), fresh: issue(t, now.Add(-time.Hour), now.Add(90*24*time.Hour), "a.example")}
				if tt.start != nil {
					tt.start(r)
				} else {
					put(t, r.cert(), r.old.cert)
					put(t, r.key(), r.old.key)
				}
				var err error
				if r.files, err = ReadFiles([]Pair{{r.cert(), r.key()}}, slog.New(slog.NewTextHandler(&r.said, nil)), time.Now); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() {
					defer close(done)
					r.files.run(ctx, func() { r.changes++ })
				}()
				tt.renew(r)
				r.wait(30)
				if got := r.used(); got != tt.want {
					t.Errorf("%s is used, want %s", got, tt.want)
				}
				cancel()
				<-done
				if changed := tt.want != "old"; (r.changes == 1) != changed {
					t.Errorf("%d changes were told of", r.changes)
				}
				if got := r.said.String(); !strings.Contains(got, tt.log) || tt.log == "" && got != "" {
					t.Errorf("the log says %q, want %q", got, tt.log)
				}
				if n := strings.Count(r.said.String(), "cannot be used"); n > 1 {
					t.Errorf("%d complaints about one failure:\n%s", n, &r.said)
				}
			})
		})
	}
}

func TestConnectionsOutliveARenewal(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	old, fresh := issue(t, now.Add(-time.Hour), now.Add(time.Hour), "a.example"), issue(t, now.Add(-time.Hour), now.Add(time.Hour), "a.example")
	pair := Pair{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
	put(t, pair.Cert, old.cert)
	put(t, pair.Key, old.key)
	f, err := ReadFiles([]Pair{pair}, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	connect := func() *tls.Conn {
		here, there := net.Pipe()
		server := tls.Server(there, &tls.Config{GetCertificate: f.Certificate, MinVersion: tls.VersionTLS12})
		go func() {
			_, _ = io.Copy(server, server) // until the test closes its end
		}()
		c := tls.Client(here, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"})
		t.Cleanup(func() { here.Close() })
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	echo := func(c *tls.Conn) {
		t.Helper()
		b := make([]byte, 5)
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, b); err != nil || string(b) != "hello" {
			t.Fatalf("heard %q, %v", b, err)
		}
	}
	first := connect()
	echo(first)
	put(t, pair.Cert, fresh.cert)
	put(t, pair.Key, fresh.key)
	if f.look() || !f.look() {
		t.Error("the change is not used at the second look")
	}
	echo(first)
	second := connect()
	echo(second)
	if a, b := first.ConnectionState().PeerCertificates[0], second.ConnectionState().PeerCertificates[0]; a.Equal(b) {
		t.Error("a new connection gets the old certificate")
	}
}

func TestTheCertificateFollowsTheHost(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	var pairs []Pair
	for i, hosts := range [][]string{{"desk.example"}, {"*.a.example", "a.example"}, {"support.a.example"}} {
		p := Pair{filepath.Join(dir, fmt.Sprint(i, ".crt")), filepath.Join(dir, fmt.Sprint(i, ".key"))}
		made := issue(t, now.Add(-time.Hour), now.Add(time.Hour), hosts...)
		put(t, p.Cert, made.cert)
		put(t, p.Key, made.key)
		pairs = append(pairs, p)
	}
	f, err := ReadFiles(pairs, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{
		"desk.example": "desk.example", "support.a.example": "*.a.example", "A.example": "*.a.example", "": "desk.example", "other.example": "desk.example",
	} {
		hello := &tls.ClientHelloInfo{
			ServerName: host, SupportedVersions: []uint16{tls.VersionTLS13}, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
			SupportedCurves: []tls.CurveID{tls.CurveP256}, CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256},
		}
		c, err := f.Certificate(hello)
		if err != nil || c.Leaf.DNSNames[0] != want {
			t.Errorf("%q gets the certificate of %v, %v; want that of %s", host, c.Leaf.DNSNames, err, want)
		}
	}
	if _, err := ReadFiles([]Pair{pairs[0], {pairs[1].Cert, pairs[2].Key}}, slog.New(slog.DiscardHandler), time.Now); err == nil || !strings.Contains(err.Error(), "1.crt with") {
		t.Errorf("a key of another certificate: %v", err)
	}
}

func TestHostsWithoutAGoodCertificateAreToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		dir, start := t.TempDir(), time.Now()
		var pairs []Pair
		lay := func(i int, made issued) {
			p := Pair{filepath.Join(dir, fmt.Sprint(i, ".crt")), filepath.Join(dir, fmt.Sprint(i, ".key"))}
			put(t, p.Cert, made.cert)
			put(t, p.Key, made.key)
			if len(pairs) == i {
				pairs = append(pairs, p)
			}
		}
		lay(0, issue(t, start.Add(-day), start.Add(89*day), "a.example", "b.example"))
		lay(1, issue(t, start.Add(-day), start.Add(36*time.Hour), "short.example"))
		var said bytes.Buffer
		f, err := ReadFiles(pairs, slog.New(slog.NewTextHandler(&said, nil)), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		kept := map[string]portal.Certificate{}
		notes, hosts := 0, []string{"a.example", "short.example"}
		var mu sync.Mutex // over what the watch and the test share
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.Watch(ctx, Watching{
				Hosts: func(context.Context) ([]string, error) {
					mu.Lock()
					defer mu.Unlock()
					return hosts, nil
				},
				Known: func(context.Context) ([]portal.Certificate, error) {
					return []portal.Certificate{{Host: "gone.example"}, {Host: "a.example", State: portal.CertificateFailing, Error: "of another time"}}, nil
				},
				Note: func(_ context.Context, c portal.Certificate) error {
					mu.Lock()
					defer mu.Unlock()
					kept[c.Host] = c
					notes++
					return nil
				},
				Forget: func(_ context.Context, host string) error {
					mu.Lock()
					defer mu.Unlock()
					kept[host] = portal.Certificate{Issuer: "forgotten"}
					return nil
				},
			})
		}()
		// how is what is known of each host after a while.
		how := func(d time.Duration, want map[string]string) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			for host, text := range want {
				c, ok := kept[host]
				switch {
				case text == "" && (!ok || c.State != portal.CertificateGood || c.NotAfter.IsZero()):
					t.Errorf("after %v %s is %+v, want it good", time.Since(start), host, c)
				case text != "" && !strings.Contains(c.Error+c.Issuer, text):
					t.Errorf("after %v %s is %+v, want %q", time.Since(start), host, c, text)
				}
			}
		}
		how(time.Second, map[string]string{"a.example": "", "short.example": "", "gone.example": "forgotten"})
		mu.Lock()
		if hosts = append(hosts, "new.example"); notes != 2 {
			t.Errorf("%d notes, want one of each host", notes)
		}
		mu.Unlock()
		how(2*time.Minute, map[string]string{"new.example": "no certificate of --tls-cert covers new.example"})
		how(day, map[string]string{"a.example": "", "short.example": "has not been renewed"})
		how(day, map[string]string{"short.example": "ended on "})
		if n := strings.Count(said.String(), "host=new.example"); n != 3 {
			t.Errorf("what stays wrong for two days is told of %d times, want once a day:\n%s", n, &said)
		}
		lay(1, issue(t, time.Now().Add(-day), time.Now().Add(5*day), "short.example", "new.example"))
		mu.Lock()
		hosts = hosts[1:]
		mu.Unlock()
		how(time.Minute+time.Second, map[string]string{"short.example": "", "new.example": "", "a.example": "forgotten"})
		cancel()
		<-done
	})
}
