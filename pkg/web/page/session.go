package page

import (
	"net/http"
	"time"
)

const (
	sessionCookie = "portalctl"
	flashCookie   = "portalctl-flash"
)

// cookieName adds the prefix by which browsers refuse a cookie that another
// host or a plain-HTTP page tries to plant.
func cookieName(r *http.Request, name string) string {
	if InfoFrom(r.Context()).Secure {
		return "__Host-" + name
	}
	return name
}

func setCookie(w http.ResponseWriter, r *http.Request, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: Secure wherever the visitor came by TLS
		Name: cookieName(r, name), Value: value, Path: "/", MaxAge: maxAge,
		Secure: InfoFrom(r.Context()).Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// SessionToken returns the token in the request's session cookie, or "".
func SessionToken(r *http.Request) string { return cookieValue(r, sessionCookie) }

func cookieValue(r *http.Request, name string) string {
	c, err := r.Cookie(cookieName(r, name))
	if err != nil || len(c.Value) > 100 {
		return ""
	}
	return c.Value
}

// SetSession hands the browser a session token. It ends with the browser or
// at expires; when it ends for lack of use, the server decides.
func SetSession(w http.ResponseWriter, r *http.Request, token string, expires time.Time) {
	setCookie(w, r, sessionCookie, token, max(int(time.Until(expires)/time.Second), 60))
}

// The cookies beside the session's, each a token that says nothing by itself.
const (
	DeviceCookie  = "portalctl-device"  // by which a browser is recognised at the next sign-in
	AskedCookie   = "portalctl-asked"   // that a sign-in link was asked for here
	ProofCookie   = "portalctl-proof"   // that a code was asked for here
	PasskeyCookie = "portalctl-passkey" // that an authenticator was asked here
	SSOCookie     = "portalctl-sso"     // that it is on its way to an identity provider
)

// Keep has the browser hold a token under one of the names above.
func Keep(w http.ResponseWriter, r *http.Request, name, token string, life time.Duration) {
	setCookie(w, r, name, token, int(life/time.Second))
}

// Kept returns the token the browser holds under a name, or "".
func Kept(r *http.Request, name string) string { return cookieValue(r, name) }

// EndSession takes the session cookie back and has the browser forget what it
// kept of private pages. Cookies are left out of Clear-Site-Data: those of
// other programs on the host are not ours to remove.
func EndSession(w http.ResponseWriter, r *http.Request) {
	setCookie(w, r, sessionCookie, "", -1)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
}

// SetFlash keeps a notice for the next page, by the key of its text. The page
// shows only keys it knows, so the cookie needs no signature.
func SetFlash(w http.ResponseWriter, r *http.Request, key string) {
	setCookie(w, r, flashCookie, key, 60)
}

// TakeFlash returns the key SetFlash kept, once.
func TakeFlash(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(cookieName(r, flashCookie))
	if err != nil {
		return ""
	}
	setCookie(w, r, flashCookie, "", -1)
	return c.Value
}

// TellNow takes back the notice that this answer keeps for the next page, to
// say it at once.
func TellNow(w http.ResponseWriter, r *http.Request) string {
	name, key := cookieName(r, flashCookie), ""
	var others []string
	for _, line := range w.Header().Values("Set-Cookie") {
		if c, err := http.ParseSetCookie(line); err == nil && c.Name == name {
			key = c.Value
			continue
		}
		others = append(others, line)
	}
	w.Header()["Set-Cookie"] = others
	return key
}
