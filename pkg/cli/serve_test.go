package cli

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

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
