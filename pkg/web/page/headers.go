package page

import (
	"net/http"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// FilePolicy is the Content-Security-Policy of what people uploaded.
const FilePolicy = "default-src 'none'; sandbox"

// Headers puts the security headers on every answer. Everything is private,
// and so not kept by any cache, until a handler says otherwise.
func Headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure := InfoFrom(r.Context()).Secure
		h := w.Header()
		h.Set("Content-Security-Policy", portal.PagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Permissions-Policy", portal.PagePermissions)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		h.Set("Cache-Control", "private, no-store")
		if secure {
			h.Set("Referrer-Policy", "no-referrer")
		} else {
			// Without TLS browsers leave out Sec-Fetch-Site, and under
			// no-referrer they send "Origin: null" with a form: every form
			// would count as foreign. same-origin tells other sites as little.
			h.Set("Referrer-Policy", "same-origin")
		}
		next.ServeHTTP(w, r)
	})
}

// DomainHeaders puts on an answer what its domain has of its own: how long
// browsers are to use TLS alone, and headers stricter than the usual.
func DomainHeaders(w http.ResponseWriter, r *http.Request, d *portal.Domain, now time.Time) {
	h := w.Header()
	for name, own := range d.Headers {
		h.Set(name, portal.StricterHeader(name, h.Get(name), own))
	}
	if !InfoFrom(r.Context()).Secure {
		return
	}
	if value := d.StrictTransport(now); value != "" {
		h.Set("Strict-Transport-Security", value)
	}
}
