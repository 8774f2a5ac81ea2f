package page

import "net/http"

// policy is the Content-Security-Policy of pages: nothing but our own files,
// no script in the page, no other site around it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"

// FilePolicy is the Content-Security-Policy of what people uploaded.
const FilePolicy = "default-src 'none'; sandbox"

const permissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), fullscreen=(self), geolocation=(), " +
	"gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(self), usb=()"

// Headers puts the security headers on every answer. Everything is private,
// and so not kept by any cache, until a handler says otherwise.
func Headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure := InfoFrom(r.Context()).Secure
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Permissions-Policy", permissions)
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		h.Set("Cache-Control", "private, no-store")
		if secure {
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("Strict-Transport-Security", "max-age=63072000")
		} else {
			// Without TLS browsers leave out Sec-Fetch-Site, and under
			// no-referrer they send "Origin: null" with a form: every form
			// would count as foreign. same-origin tells other sites as little.
			h.Set("Referrer-Policy", "same-origin")
		}
		next.ServeHTTP(w, r)
	})
}
