// Package page is what the customer portal and the help desk share: the
// request's reference and address, security headers, the session cookie,
// assets and colours, and the one place message texts become HTML.
package page

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
)

// Info is what is known about a request beside what it asks for. The chain
// makes it; the inner parts add what the log line is to say.
type Info struct {
	Ref     string // to quote when something went wrong
	Address string // the visitor's IP address; never logged
	Host    string // the host the visitor asked for, lower case, without port
	Secure  bool   // the visitor came by TLS, or everybody does
	TLS     bool   // the visitor is known to have come by TLS

	Route  string // the pattern that matched, without a token in it
	Portal string // the portal's slug
	Err    error  // what went wrong inside, for the log

	Visit *app.Visit // set once the portal and the visitor are known
}

type infoKey struct{}

// InfoFrom returns the request's Info. Outside the chain, as in a test of one
// component, it is empty.
func InfoFrom(ctx context.Context) *Info {
	if info, ok := ctx.Value(infoKey{}).(*Info); ok {
		return info
	}
	return &Info{}
}

// WithInfo gives each request its Info: a reference, and who asks according
// to the proxies that are trusted.
func WithInfo(proxies *Proxies, alwaysSecure bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info := &Info{Ref: NewRef()}
		var host string
		info.Address, host, info.TLS = proxies.Visitor(r)
		info.Host, info.Secure = hostOnly(host), info.TLS || alwaysSecure
		r = r.WithContext(context.WithValue(r.Context(), infoKey{}, info))
		// The check of a form's origin compares with this host.
		r.Host = host
		next.ServeHTTP(w, r)
	})
}

var refAlphabet = base32.NewEncoding("23456789ABCDEFGHJKLMNPQRSTUVWXYZ").WithPadding(base32.NoPadding)

// NewRef makes a reference short enough to read out on the telephone.
func NewRef() string {
	var raw [5]byte
	// crypto/rand.Read never fails; it ends the program instead.
	_, _ = rand.Read(raw[:])
	s := refAlphabet.EncodeToString(raw[:])
	return s[:4] + "-" + s[4:]
}

// Log writes one line for each request: what was asked by its route, never by
// its path, because paths can hold tokens.
func Log(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			info := InfoFrom(r.Context())
			level := slog.LevelInfo
			attrs := []slog.Attr{
				slog.String("ref", info.Ref), slog.String("method", method(r)), slog.String("route", info.Route),
				slog.Int("status", rec.status), slog.Int64("bytes", rec.bytes), slog.Duration("took", time.Since(start)),
			}
			if info.Portal != "" {
				attrs = append(attrs, slog.String("portal", info.Portal))
			}
			if info.Err != nil {
				level = slog.LevelError
				attrs = append(attrs, slog.String("err", info.Err.Error()))
			}
			log.LogAttrs(r.Context(), level, "request", attrs...)
		}()
		next.ServeHTTP(rec, r)
	})
}

// method keeps words a stranger made up out of the log.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// Recover turns a panic into one failed request: fail writes the page, and
// the log line carries the stack.
func Recover(fail func(w http.ResponseWriter, r *http.Request, err error), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			err := fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			if rec := recorderOf(w); rec != nil && rec.wrote {
				// Half an answer is on its way: the connection is cut so that
				// nobody takes it for a whole one.
				InfoFrom(r.Context()).Err = err
				panic(http.ErrAbortHandler)
			}
			fail(w, r, err)
		}()
		next.ServeHTTP(w, r)
	})
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	wrote  bool
}

func (r *recorder) WriteHeader(status int) {
	if !r.wrote && status >= 200 {
		r.status, r.wrote = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.wrote = true
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Flush sends what was written. Whoever wraps the recorder may look for this
// method alone.
func (r *recorder) Flush() {
	// An answer that cannot be flushed is sent when it is whole.
	_ = http.NewResponseController(r.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func recorderOf(w http.ResponseWriter) *recorder {
	for w != nil {
		if rec, ok := w.(*recorder); ok {
			return rec
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = u.Unwrap()
	}
	return nil
}
