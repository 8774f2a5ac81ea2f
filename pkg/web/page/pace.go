package page

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// Bodies have half a minute to begin with and then come at leastRate, so that
// nobody holds a connection by sending a byte now and then.
const (
	bodyGrace = 30 * time.Second
	leastRate = 4 << 10 // bytes a second
)

// Pace ends bodies that arrive too slowly.
func Pace(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &pacedBody{ReadCloser: r.Body, conn: http.NewResponseController(w), start: time.Now()}
		}
		next.ServeHTTP(w, r)
	})
}

type pacedBody struct {
	io.ReadCloser
	conn  *http.ResponseController
	start time.Time
	n     int64
}

func (b *pacedBody) Read(p []byte) (int, error) {
	// Whoever was fast may pause, but not for as long as they have saved up.
	left := min(time.Until(b.start.Add(bodyGrace+time.Duration(b.n/leastRate)*time.Second)), 2*bodyGrace)
	// A connection without deadlines, as in a test, has none.
	_ = b.conn.SetReadDeadline(time.Now().Add(left))
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	if errors.Is(err, io.EOF) {
		// The server watches the connection while the handler works; a
		// deadline left behind would look to it as if the visitor had gone.
		// After any other error it reads what is left of the body, to use the
		// connection again, and that must not take for ever.
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}
