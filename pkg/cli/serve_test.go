package cli

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portalctl/portalctl/pkg/config"
)

func writeTestCertificate(t *testing.T, dir string, serial int64, at time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: at.Add(time.Hour)}
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
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestRenewedCertificateIsUsedWithoutRestart(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, time.March, 4, 9, 30, 0, 0, time.UTC)
	cert, key := writeTestCertificate(t, dir, 1, now)
	env := &Env{Config: &config.Config{TLS: "files", TLSCert: cert, TLSKey: key}, Now: func() time.Time { return now }}
	var said bytes.Buffer
	c, err := env.certificates(slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		pair, err := c.certificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("certificate %d, want 1", got)
	}
	writeTestCertificate(t, dir, 2, now.Add(time.Minute))
	now = now.Add(reloadEvery)
	if got := serial(); got != 2 {
		t.Errorf("renewed: certificate %d, want 2", got)
	}
	// Half a renewal: the certificate is new and its key is not there yet.
	if err := os.WriteFile(key, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(reloadEvery)
	if got := serial(); got != 2 || !strings.Contains(said.String(), "the one before stays") {
		t.Errorf("half renewed: certificate %d, said %q; want 2 and a complaint", got, &said)
	}
}

// deadlines notes what a handler asks of its connection.
type deadlines struct {
	http.ResponseWriter
	read, write time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = t; return nil }

func TestBodiesHaveALeastRate(t *testing.T) {
	w := &deadlines{ResponseWriter: httptest.NewRecorder()}
	body := bytes.Repeat([]byte("x"), 1<<20)
	start := time.Now()
	leastRate(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		first := w.read
		if left := first.Sub(start); left < rateGrace-time.Second || left > rateGrace+5*time.Second {
			t.Errorf("the body's first byte may take %v, want about %v", left, rateGrace)
		}
		read, err := io.ReadAll(r.Body)
		if err != nil || len(read) != len(body) {
			t.Errorf("read %d bytes, %v", len(read), err)
		}
		if left := time.Until(w.read); left <= rateGrace || left > 2*rateGrace {
			t.Errorf("after a mebibyte the next byte may take %v; want more than %v and at most %v", left, rateGrace, 2*rateGrace)
		}
		if _, err := out.Write(body); err != nil {
			t.Error(err)
		}
		if left := time.Until(w.write); left < rateGrace+200*time.Second || left > rateGrace+300*time.Second {
			t.Errorf("writing a mebibyte at once may take %v; want the time it needs at %d bytes a second", left, rateBytes)
		}
	})).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)))
	if left := time.Until(w.write); left > rateGrace+time.Second {
		t.Errorf("when the handler is done, %v are left for the rest", left)
	}
}

func TestTakenAddressIsNamed(t *testing.T) {
	first, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := listen(t.Context(), first.Addr().String()); err == nil || !strings.Contains(err.Error(), first.Addr().String()) {
		t.Errorf("listening twice: %v, want an error that names the address", err)
	}
	if reachable(first) {
		t.Error("127.0.0.1 is not loopback")
	}
}

func TestErrorsBecomeExitCodes(t *testing.T) {
	if got := exitCode(t.Context(), errors.New("a bug")); got != 1 {
		t.Errorf("an unknown error exits with %d, want 1", got)
	}
}
