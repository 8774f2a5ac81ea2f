package cli

import (
	"io"
	"net/http"
	"time"
)

// A body has to move at a least rate, in both directions: a limit on the whole
// would cut off honest uploads and downloads on slow lines, and none at all
// lets a few clients hold connections for ever.
const (
	rateGrace = 30 * time.Second
	rateBytes = 4 << 10 // a second
)

// leastRate ends connections whose bodies move slower than the least rate.
func leastRate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		start := time.Now()
		if r.Body != nil && r.Body != http.NoBody {
			// A connection that cannot set deadlines is none of a network.
			_ = c.SetReadDeadline(start.Add(rateGrace))
			r.Body = &ratedBody{ReadCloser: r.Body, control: c, start: start}
		}
		out := &ratedWriter{ResponseWriter: w, control: c}
		out.allow(0)
		next.ServeHTTP(out, r)
		// What is still in the buffer is sent after this.
		out.allow(0)
	})
}

// ratedBody gives each byte that arrives a little more time.
type ratedBody struct {
	io.ReadCloser
	control *http.ResponseController
	start   time.Time
	read    int64
}

func (b *ratedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.read += int64(n)
		earned := time.Duration(b.read/rateBytes) * time.Second
		// Nobody saves up more than the grace.
		deadline := min(time.Until(b.start.Add(rateGrace+earned)), 2*rateGrace)
		_ = b.control.SetReadDeadline(time.Now().Add(deadline))
	}
	return n, err
}

// ratedWriter gives each piece that is sent the time it needs at the least
// rate.
type ratedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Unwrap lets http.ResponseController find the connection.
func (w *ratedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *ratedWriter) Write(p []byte) (int, error) {
	w.allow(len(p))
	return w.ResponseWriter.Write(p)
}

func (w *ratedWriter) allow(n int) {
	_ = w.control.SetWriteDeadline(time.Now().Add(rateGrace + time.Duration(n/rateBytes)*time.Second))
}
